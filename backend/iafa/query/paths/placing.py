"""Which distinct steps a set of events can fill, each event one of those it matches."""

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Int32s, Int64s


@compiled
def place(steps: Int32s, row: int, lowest: int, filled: Int64s) -> bool:
    """Give the row a step, moving the rows taken before to other steps where needed (an augmenting path).

    `filled[step]` is the row that fills the step, -1 = free, -2 = not to be used.
    """
    asked_by = np.full(len(filled), -1, dtype=np.int64)  # the row that looked at the step first, -1 = none yet
    gives_up = np.full(len(filled), -1, dtype=np.int64)  # the step that the row at a place of the queue would leave
    queue = np.zeros(len(filled), dtype=np.int64)
    queue[0] = row
    done, queued = 0, 1
    while done < queued:
        asking = queue[done]
        for step in range(lowest, len(filled)):
            if not (steps[asking] >> (step - 1)) & 1 or asked_by[step] >= 0 or filled[step] == -2:
                continue
            asked_by[step] = done
            if filled[step] >= 0:
                queue[queued] = filled[step]
                gives_up[queued] = step
                queued += 1
                continue
            taken = step
            while taken >= 0:
                asked = asked_by[taken]
                filled[taken] = queue[asked]
                taken = gives_up[asked]
            return True
        done += 1
    return False


@compiled
def can_place(steps: Int32s, taken: Int64s, first: int, is_used: Int64s) -> bool:
    """Can the events from `first` on fill steps that are not used?"""
    filled = np.where(is_used == 1, -2, -1)
    for index in range(first, len(taken)):
        if not place(steps, taken[index], 1, filled):
            return False
    return True

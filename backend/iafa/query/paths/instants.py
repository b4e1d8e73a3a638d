"""What one person can do within one instant: events of equal time may be used in any order, each once."""

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import STEPS_MAX, Int32s, Int64s


@compiled
def fill(wanted: int, masks: Int32s, first: int, last: int, holder: Int32s) -> bool:
    """Give a step an event of rows first to last, moving others to other events where needed (an augmenting path).

    `holder[row - first]` is the step that holds the row, 0 = free, -1 = not to be used. A breadth-first search: the
    compiler cannot keep recursive functions on disk.
    """
    asked_by = np.zeros(last - first, dtype=np.int32)  # the step that looked at the row first, 0 = none yet
    held = np.full(STEPS_MAX + 1, -1, dtype=np.int32)  # the row that a step of the queue would give up
    queue = np.zeros(STEPS_MAX + 1, dtype=np.int32)
    queue[0] = wanted
    done, queued = 0, 1
    while done < queued:
        step = queue[done]
        done += 1
        for place in range(last - first):
            if not (masks[first + place] >> (step - 1)) & 1 or asked_by[place] or holder[place] < 0:
                continue
            asked_by[place] = step
            if holder[place] > 0:
                queue[queued] = holder[place]
                held[holder[place]] = place
                queued += 1
                continue
            freed = place
            while freed >= 0:
                holder[freed] = asked_by[freed]
                freed = held[asked_by[freed]]
            return True
    return False


@compiled
def furthest(masks: Int32s, first: int, last: int, steps: int, found: Int32s) -> None:
    """found[k] = the furthest step that distinct events of the instant lead to from step k. It never falls with k."""
    if last - first == 1:
        for level in range(steps):
            found[level] = level + ((masks[first] >> level) & 1)  # never a removed event: it has no instant
        return
    holder = np.zeros(last - first, dtype=np.int32)
    reached = 0
    for level in range(steps):
        reached = max(reached, level)
        while reached < steps:
            if not fill(reached + 1, masks, first, last, holder):
                break
            reached += 1
        found[level] = reached
        for place in range(last - first):
            if holder[place] == level + 1:
                holder[place] = 0


@compiled
def assign(masks: Int32s, first: int, last: int, low: int, high: int, rows: Int64s) -> None:
    """Give the steps low to high distinct events of the instant, the smallest ids first in the order of the steps."""
    if last - first == 1:
        rows[low - 1] = first
        return
    used = np.zeros(last - first, dtype=np.int32)
    for step in range(low, high + 1):
        for row in range(first, last):
            if used[row - first] or not (masks[row] >> (step - 1)) & 1:
                continue
            holder = np.zeros(last - first, dtype=np.int32)
            for place in range(last - first):
                if used[place]:
                    holder[place] = -1
            holder[row - first] = -1
            fits = True
            for later in range(step + 1, high + 1):
                if not fill(later, masks, first, last, holder):
                    fits = False
                    break
            if fits:
                used[row - first] = 1
                rows[step - 1] = row
                break

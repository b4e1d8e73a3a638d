"""What one person can do within one instant: events of equal time may be used in any order, each once."""

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import STEPS_MAX, Int32s, Int64s
from iafa.query.paths.room import Room, next_row


@compiled
def fill(wanted: int, masks: Int32s, holder: Int32s) -> bool:
    """Give a step one of the events, moving others to other events where needed (an augmenting path).

    `holder` says which step holds an event, 0 = free, -1 = not to be used. A breadth-first search: the compiler
    cannot keep recursive functions on disk.
    """
    asked_by = np.zeros(len(masks), dtype=np.int32)  # the step that looked at the event first, 0 = none yet
    held = np.full(STEPS_MAX + 1, -1, dtype=np.int32)  # the event that a step of the queue would give up
    queue = np.zeros(STEPS_MAX + 1, dtype=np.int32)
    queue[0] = wanted
    done, queued = 0, 1
    while done < queued:
        step = queue[done]
        done += 1
        for place in range(len(masks)):
            if not (masks[place] >> (step - 1)) & 1 or asked_by[place] or holder[place] < 0:
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
def can_share(room: Room, q: int, low: int, high: int) -> bool:
    """Can distinct events of the instant fill the steps low to high, each of which one of them can fill?"""
    if not room.is_mixed[q]:
        return True
    if room.first[q + 1] - room.first[q] <= high - low:
        return False
    masks = room.masks[_worth_trying(room, q, low, high)]
    holder = np.zeros(len(masks), dtype=np.int32)
    for step in range(low, high + 1):
        if not fill(step, masks, holder):
            return False
    return True


@compiled
def fill_rows(room: Room, at: Int64s, length: int, offset: int, rows: Int64s) -> None:
    """The row of each step of a path that has its steps in these instants."""
    step = 1
    while step <= length:
        end = step
        while end < length and at[end + 1] == at[step]:
            end += 1
        _assign(room, at[step], step, end, rows)
        step = end + 1
    for step in range(length):
        rows[step] += offset


@compiled
def _assign(room: Room, q: int, low: int, high: int, rows: Int64s) -> None:
    """Give the steps low to high distinct events of the instant, the smallest ids first in the order of the steps."""
    if low == high or not room.is_mixed[q]:
        for step in range(low, high + 1):
            rows[step - 1] = next_row(room, step, room.first[q])
        return
    worth = _worth_trying(room, q, low, high)
    masks = room.masks[worth]
    used = np.zeros(len(worth), dtype=np.int32)
    for step in range(low, high + 1):
        for place in range(len(worth)):
            if used[place] or not (masks[place] >> (step - 1)) & 1:
                continue
            holder = -used
            holder[place] = -1
            if _can_fill(masks, step + 1, high, holder):
                used[place] = 1
                rows[step - 1] = worth[place]
                break


@compiled
def _can_fill(masks: Int32s, low: int, high: int, holder: Int32s) -> bool:
    for step in range(low, high + 1):
        if not fill(step, masks, holder):
            return False
    return True


@compiled
def _worth_trying(room: Room, q: int, low: int, high: int) -> Int64s:
    """Of each step its first rows in the instant, as many as there are steps: one of them is always left for it."""
    most = high - low + 1
    rows = np.zeros(most * most, dtype=np.int64)
    found = 0
    for step in range(low, high + 1):
        row = next_row(room, step, room.first[q])
        for _ in range(most):
            if row >= room.first[q + 1]:
                break
            rows[found] = row
            found += 1
            row = next_row(room, step, row + 1)
    return np.unique(rows[:found])

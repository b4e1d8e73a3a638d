"""Of all paths of one length from one start, the earliest: back from the end to see what leads there, then forward."""

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Plan
from iafa.query.paths.room import Room
from iafa.query.paths.strides import is_allowed, is_stride, may_share
from iafa.query.paths.walk import last_time


@compiled
def choose(plan: Plan, room: Room, count: int, start: int, target: int) -> None:
    """Among the paths of that length from this start the one with the earliest times. Writes room.at."""
    limit = last_time(plan, room, start)
    last = start
    while last + 1 < count and room.time_us[last + 1] <= limit:
        last += 1
    for q in range(last, start - 1, -1):
        if room.stop[0]:
            return
        for level in range(target - 1, 0, -1):
            room.may_leave[level, q] = _next_instant(plan, room, level, q, last) >= 0
        for level in range(target - 1, -1, -1):
            room.may_take[level, q] = _taken_to(plan, room, level, q, target) > level
    level, q = 0, start
    while True:
        to = _taken_to(plan, room, level, q, target)
        for step in range(level + 1, to + 1):
            room.at[step] = q
        level = to
        if level == target:
            return
        q = _next_instant(plan, room, level, q, last)


@compiled
def _next_instant(plan: Plan, room: Room, level: int, q: int, last: int) -> int:
    """The earliest later instant in which the next step can be taken on the way to the end; -1 if there is none."""
    for later in range(q + 1, last + 1):
        if room.time_us[later] - room.time_us[q] > plan.within_us[level + 1]:
            return -1
        if room.may_take[level, later] and is_stride(plan, room, level + 1, q, later):
            return later
    return -1


@compiled
def _taken_to(plan: Plan, room: Room, level: int, q: int, target: int) -> int:
    """The highest step to take in instant q, coming from `level`, from which the end can be reached; else `level`."""
    best = level
    for step in range(level + 1, min(room.furthest[q, level], target) + 1):
        if step > level + 1 and not may_share(plan, step):
            break
        if not is_allowed(room, step, q):
            break
        if step == target or room.may_leave[step, q]:
            best = step
    return best

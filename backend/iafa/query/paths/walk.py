"""The path from a start when taking each next step as early as possible is never wrong."""

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Plan
from iafa.query.paths.room import Room


@compiled
def last_time(plan: Plan, room: Room, start: int) -> int:
    """The last time that a step may have."""
    return min(room.time_us[start] + plan.window_us, plan.end_us - 1)


@compiled
def window_end(plan: Plan, room: Room, start: int) -> int:
    return room.time_us[start] + plan.window_us


@compiled
def walk(plan: Plan, room: Room, count: int, start: int) -> int:
    """From a start, each next step as early as possible. Writes room.at; returns the length of the path."""
    level = 0
    limit = last_time(plan, room, start)
    for q in range(start, count):
        if room.time_us[q] > limit:
            break
        to = room.furthest[q, level]
        if to > level and plan.is_tie_strict:
            to = level + 1
        if to > level and q > start:
            to = min(to, _cap(plan, room, start, q, level))
        while level < to:
            level += 1
            room.at[level] = q
        if level == plan.steps:
            break
    if plan.is_drop:
        for x in range(len(plan.excluded_from)):
            if level < plan.excluded_to[x] and room.excluded_after[x, start] <= window_end(plan, room, start):
                return 0
    return level


@compiled
def _cap(plan: Plan, room: Room, start: int, q: int, level: int) -> int:
    """The highest step that instant q may lead to: an excluded event after the start closes what it guards."""
    cap = plan.steps
    for x in range(len(plan.excluded_from)):
        if (
            plan.excluded_from[x] == 1
            and level < plan.excluded_to[x]
            and room.time_us[q] > room.excluded_after[x, start]
        ):
            cap = min(cap, plan.excluded_to[x] - 1)
    return cap

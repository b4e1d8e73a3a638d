"""What one step of a path allows the next: times, order and exclusions between neighbours."""

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Plan
from iafa.query.paths.room import Room


@compiled
def is_allowed(room: Room, step: int, q: int) -> bool:
    """May `step` have the time of instant q, whatever came between?"""
    return room.earliest_us[step] <= room.time_us[q] <= room.latest_us[step]


@compiled
def is_stride(plan: Plan, room: Room, step: int, p: int, q: int) -> bool:
    """May the step before `step` lie in instant p when `step` lies in the later instant q?"""
    gap_us = room.time_us[q] - room.time_us[p]
    if not plan.after_us[step] <= gap_us <= plan.within_us[step]:
        return False
    if plan.is_strict and q - p > 1:
        return False
    for x in range(len(plan.excluded_from)):
        if (
            plan.excluded_from[x] > 1
            and plan.excluded_to[x] == step
            and plan.excluded_from[x] == step - 1
            and room.excluded_before[x, q] > room.time_us[p]
        ):
            return False
    return True


@compiled
def may_share(plan: Plan, step: int) -> bool:
    """May `step` lie in the same instant as the step before it?"""
    return not plan.is_tie_strict and plan.after_us[step] <= 0

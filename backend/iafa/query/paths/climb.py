"""The earliest path of a given length: every step begins as early as it may and is moved on by what it breaks.

Whatever is asked of a path, window, order, bounds between steps, exclusions, distinct events of one instant, has this
in common: of two paths that obey, the one made of the earlier event for each step obeys too. So there is one path
that is earliest in every step. A step that breaks a rule with where the others stand now breaks it in all paths that
are still possible, and moves on to where it does not; nothing is ever moved back. The work is what the steps pass.
"""

from iafa.query.paths.compiled import compiled
from iafa.query.paths.instants import can_share
from iafa.query.paths.plan import Int64s, Plan
from iafa.query.paths.room import Room, instant_from, last_hit, next_instant


@compiled
def climb(plan: Plan, room: Room, at: Int64s, target: int, ceiling: int) -> bool:
    """Move at[1] to at[target] on to the earliest path of that length that has no step before where it stands.

    False if there is none that begins up to instant `ceiling`; then `at` is still before all that begin later.
    """
    step = 1
    while step <= target:
        if room.stop[0]:
            return False
        step = _settle(plan, room, at, step, target, ceiling)
        if step == 0:
            return False
    return True


@compiled
def _settle(plan: Plan, room: Room, at: Int64s, step: int, target: int, ceiling: int) -> int:
    """Move the step on as far as the ones before it ask for. Returns the step to look at next: the following one, or
    an earlier one that had to be moved on for this one; 0 if there is no path."""
    q = _lowest(plan, room, at, step, target)
    if step > 1 and q < room.counts[0] and q == at[step - 1]:
        low = step - 1
        while low > 1 and at[low - 1] == q:
            low -= 1
        if not can_share(room, q, low, step):
            q = next_instant(room, step, q + 1)
    at[step] = q
    if q >= room.counts[0] or room.time_us[q] >= plan.end_us:
        return 0
    if step == 1:
        return 2 if q <= ceiling else 0
    return _behind(plan, room, at, step)


@compiled
def _lowest(plan: Plan, room: Room, at: Int64s, step: int, target: int) -> int:
    """The first instant, from where the step stands, that can fill it and is not too early for the steps before."""
    q = at[step]
    if step > 1:
        before = at[step - 1]
        if plan.after_us[step] > 0:
            q = max(q, instant_from(room, room.time_us[before] + plan.after_us[step]))
        else:
            q = max(q, before + 1 if plan.is_tie_strict else before)
    q = next_instant(room, step, q)
    if plan.is_drop:
        moved = -1
        while moved != q and q < room.counts[0]:
            moved = q
            q = _undropped(plan, room, at, step, target, q)
    return q


@compiled
def _undropped(plan: Plan, room: Room, at: Int64s, step: int, target: int, q: int) -> int:
    """`drop`: of a path that ends before step j, step i comes after every excluded event of the window."""
    for x in range(len(plan.excluded_from)):
        if plan.excluded_from[x] == step and plan.excluded_to[x] > target and q < room.counts[0]:
            first_us = room.time_us[q if step == 1 else at[1]]
            latest = last_hit(room, x, instant_from(room, first_us + plan.window_us + 1) - 1)
            if latest > q:
                q = next_instant(room, step, latest)
    return q


@compiled
def _behind(plan: Plan, room: Room, at: Int64s, step: int) -> int:
    """Move on the earlier step that is too early for this one; returns which, or the following one if none is."""
    q, before = at[step], at[step - 1]
    if room.time_us[q] - room.time_us[at[1]] > plan.window_us:
        at[1] = instant_from(room, room.time_us[q] - plan.window_us)
        return 1
    if room.time_us[q] - room.time_us[before] > plan.within_us[step]:
        at[step - 1] = instant_from(room, room.time_us[q] - plan.within_us[step])
        return step - 1
    if plan.is_strict and q != before and room.before[q] != before:
        at[step - 1] = room.before[q]
        return step - 1
    for x in range(len(plan.excluded_from)):
        if plan.excluded_to[x] == step:
            latest = last_hit(room, x, q - 1)
            low = plan.excluded_from[x]
            if latest > at[low]:
                at[low] = latest
                return low
    return step + 1

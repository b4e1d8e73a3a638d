"""How far a path from a start can go when earliest is not always best: strict order, bounds between neighbours,
exclusions that begin behind the first step.
"""

import numpy as np

from iafa.query.paths.choose import choose
from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Int64s, Plan
from iafa.query.paths.room import ALWAYS, NEVER, Room
from iafa.query.paths.strides import is_allowed, is_stride, may_share
from iafa.query.paths.walk import last_time, window_end


@compiled
def longest_from(plan: Plan, room: Room, count: int, start: int) -> int:
    """The longest path from this start when earliest is not always best."""
    most = plan.steps
    if not plan.is_drop:
        most = _spread(plan, room, count, start, plan.steps) if _free(plan, room, start) else most
        if not _has_wide(plan):
            return most
    for target in range(most, 0, -1):
        if search(plan, room, count, start, target, False):
            return target
    return 0


@compiled
def _has_wide(plan: Plan) -> bool:
    """Does an exclusion guard more than one stride behind the first step?"""
    for x in range(len(plan.excluded_from)):
        if _is_wide(plan, x):
            return True
    return False


@compiled
def _is_wide(plan: Plan, x: int) -> bool:
    return plan.excluded_from[x] > 1 and plan.excluded_to[x] > plan.excluded_from[x] + 1


@compiled
def _free(plan: Plan, room: Room, start: int) -> bool:
    """Take all bounds off the steps, but those that the start itself gives."""
    for step in range(plan.steps + 1):
        room.earliest_us[step] = NEVER
        room.latest_us[step] = ALWAYS
    for x in range(len(plan.excluded_from)):
        if plan.excluded_from[x] == 1:
            to = plan.excluded_to[x]
            room.latest_us[to] = min(room.latest_us[to], room.excluded_after[x, start])
    return True


@compiled
def search(plan: Plan, room: Room, count: int, start: int, target: int, is_kept: bool) -> bool:
    """Is there a path of just that length from this start? With `is_kept` the earliest one is left in room.at.

    A wide exclusion is tried span by span: its step i lies between two excluded events, its step j before the second.
    """
    is_found = False
    for x in range(len(plan.excluded_from)):
        room.span[x] = start - 1
        if _is_wide(plan, x) and plan.excluded_to[x] <= target:
            room.span[x] = start
    while True:
        _bound(plan, room, count, start, target)
        if _spread(plan, room, count, start, target) == target:
            if not is_kept:
                return True
            choose(plan, room, count, start, target)
            if not is_found or _is_earlier(room, target):
                room.best_at[:] = room.at
            is_found = True
        if room.stop[0] or not _turn_spans(plan, room, count, start):
            break
    if is_found:
        room.at[:] = room.best_at
    return is_found


@compiled
def _turn_spans(plan: Plan, room: Room, count: int, start: int) -> bool:
    """On to the next choice of spans; False when all have been tried. A span is named by its first instant."""
    for x in range(len(plan.excluded_from)):
        if room.span[x] < start:
            continue
        q = room.span[x] + 1
        while q < count and not room.excluded_at[x, q]:
            q += 1
        if q < count:
            room.span[x] = q
            return True
        room.span[x] = start
    return False


@compiled
def _is_earlier(room: Room, target: int) -> bool:
    for step in range(1, target + 1):
        if room.at[step] != room.best_at[step]:
            return room.at[step] < room.best_at[step]
    return False


@compiled
def _bound(plan: Plan, room: Room, count: int, start: int, target: int) -> None:
    """When each step may be, as far as the excluded events decide it for a path of that length."""
    _free(plan, room, start)
    for x in range(len(plan.excluded_from)):
        low, high = plan.excluded_from[x], plan.excluded_to[x]
        if room.span[x] >= start:
            ends_us = room.excluded_after[x, room.span[x]]
            room.earliest_us[low] = max(room.earliest_us[low], room.time_us[room.span[x]])
            room.latest_us[low] = min(room.latest_us[low], ends_us - 1)
            room.latest_us[high] = min(room.latest_us[high], ends_us)
        elif plan.is_drop and low <= target < high:
            # `drop`: a path that ends before step j needs its step i behind the last excluded event of the window.
            for q in range(count):
                if room.excluded_at[x, q] and room.time_us[q] <= window_end(plan, room, start):
                    room.earliest_us[low] = max(room.earliest_us[low], room.time_us[q])


@compiled
def _spread(plan: Plan, room: Room, count: int, start: int, target: int) -> int:
    """Everything that can be reached from a start; returns the highest step, at most `target`."""
    limit = last_time(plan, room, start)
    latest = np.full(plan.steps + 1, -1, dtype=np.int64)
    looked_to = np.full(plan.steps + 1, start, dtype=np.int64)
    highest = 0
    for q in range(start, count):
        if room.time_us[q] > limit:
            break
        for step in range(1, target + 1):
            room.entered_from[step, q] = -1
            if not is_allowed(room, step, q):
                continue
            if step == 1:
                if q == start:
                    room.entered_from[1, q] = 0
            else:
                _look_back(plan, room, step, q, latest, looked_to)
                p = latest[step]
                if room.furthest[q, step - 1] >= step and p >= 0 and is_stride(plan, room, step, p, q):
                    room.entered_from[step, q] = step - 1
                elif (
                    may_share(plan, step)
                    and room.entered_from[step - 1, q] >= 0
                    and room.furthest[q, room.entered_from[step - 1, q]] >= step
                ):
                    room.entered_from[step, q] = room.entered_from[step - 1, q]
            if room.entered_from[step, q] >= 0:
                highest = max(highest, step)
    return highest


@compiled
def _look_back(plan: Plan, room: Room, step: int, q: int, latest: Int64s, looked_to: Int64s) -> None:
    """Move latest[step] on to the latest instant before q from which `step` could be taken: a later one is better."""
    p = looked_to[step]
    while p < q and room.time_us[p] <= room.time_us[q] - plan.after_us[step]:
        if room.entered_from[step - 1, p] >= 0:
            latest[step] = p
        p += 1
    looked_to[step] = p

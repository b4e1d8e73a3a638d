"""Unordered paths, exact: the largest set of steps that distinct events within the window of the earliest can fill.

Sets of events that can fill distinct steps form a matroid, so that taking events by (time, id) whenever the ones
taken so far can make room gives the largest set, and the earliest one.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Histories, Int32s, Int64s, Paths, Plan
from iafa.query.paths.stopping import never, stopping

_ALWAYS = 1 << 62


class _Room(NamedTuple):
    """Working space: by step the row that fills it (-1 = none), for the set at hand and for the best one."""

    filled: Int64s
    best: Int64s
    stop: Int32s  # not 0 when nobody waits any more


def solve_unordered(
    plan: Plan, histories: Histories, *, first_required: bool, check_time: Callable[[], None] = never
) -> Paths:
    """The reported path of each person; `rows` is by step, `reached` counts the steps that are filled."""
    people = len(histories.offsets) - 1
    paths = Paths.room(people, plan.steps)
    if people:
        with stopping(check_time) as stop:
            _solve(plan, first_required, histories.writable(), paths, stop)
    return paths


def solve_unordered_totals(
    plan: Plan, histories: Histories, *, first_required: bool, check_time: Callable[[], None] = never
) -> Paths:
    """All paths of each person: the reported one, then the one that the events left over give, and so on."""
    bits = 1 if first_required else (1 << plan.steps) - 1
    starts = (histories.steps & bits != 0) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    paths = Paths.room(int(np.count_nonzero(starts)), plan.steps)
    if not len(paths.person):
        return paths
    left = histories._replace(steps=histories.steps.copy(), excluded=histories.excluded.copy()).writable()
    with stopping(check_time) as stop:
        found = _solve_totals(plan, first_required, left, paths, stop)
    return paths.first(found)


@compiled
def _solve(plan: Plan, first_required: bool, histories: Histories, paths: Paths, stop: Int32s) -> None:
    room = _Room(np.zeros(plan.steps + 1, dtype=np.int64), np.zeros(plan.steps + 1, dtype=np.int64), stop)
    for person in range(len(histories.offsets) - 1):
        _next_path(plan, first_required, histories, person, room, paths, person)


@compiled
def _solve_totals(plan: Plan, first_required: bool, histories: Histories, paths: Paths, stop: Int32s) -> int:
    """Fill the first of `paths`; returns how many there are."""
    room = _Room(np.zeros(plan.steps + 1, dtype=np.int64), np.zeros(plan.steps + 1, dtype=np.int64), stop)
    found = 0
    for person in range(len(histories.offsets) - 1):
        while _next_path(plan, first_required, histories, person, room, paths, found):
            for step in range(plan.steps):
                if paths.rows[found, step] >= 0:
                    histories.steps[paths.rows[found, step]] = 0
                    histories.excluded[paths.rows[found, step]] = 0
            found += 1
            if found == len(paths.person):
                return found
    return found


@compiled
def _next_path(
    plan: Plan, first_required: bool, histories: Histories, person: int, room: _Room, paths: Paths, place: int
) -> bool:
    """Write the person's path, if there is one, at its place."""
    first, last = histories.offsets[person], histories.offsets[person + 1]
    longest = 0
    bits = 1 if first_required else (1 << plan.steps) - 1
    for turn in range(last - first):
        row = last - 1 - turn if plan.entry == ENTRY_LAST else first + turn
        if room.stop[0]:
            return False
        if row > first and histories.time_us[row - 1] == histories.time_us[row]:
            continue  # an instant is tried once, at its first row
        if not plan.from_us <= histories.time_us[row] < plan.to_us or not _has(histories, row, last, bits):
            continue
        longest = max(longest, _try_start(plan, first_required, histories, row, last, longest, room))
        if longest == plan.steps or plan.entry == ENTRY_FIRST:
            break
    if longest == 0:
        return False
    paths.person[place] = person
    paths.reached[place] = longest
    for step in range(1, plan.steps + 1):
        paths.rows[place, step - 1] = room.best[step]
    return True


@compiled
def _has(histories: Histories, row: int, last: int, bits: int) -> bool:
    """Does an event of the instant that begins at the row match one of the steps?"""
    place = row
    while place < last and histories.time_us[place] == histories.time_us[row]:
        if histories.steps[place] & bits:
            return True
        place += 1
    return False


@compiled
def _try_start(
    plan: Plan, first_required: bool, histories: Histories, row: int, last: int, longest: int, room: _Room
) -> int:
    """The size of the best set that begins in the instant of the row; kept in room.best if it beats `longest`."""
    start_us = histories.time_us[row]
    limit = min(start_us + plan.window_us, plan.end_us - 1)
    least = longest + 1
    excluded_us = _first_excluded(histories, row, last)
    if excluded_us <= start_us + plan.window_us:
        if plan.is_drop:
            least = plan.steps  # only a complete set that ends before the excluded event is not tainted
        limit = min(limit, excluded_us)
    best = 0
    if not first_required:
        size = _grow(plan, histories, row, last, limit, -1, room)
        if size >= least:
            _keep(plan, histories, -1, room)
            best = size
        return best
    place = row
    while place < last and histories.time_us[place] == start_us:
        if histories.steps[place] & 1:
            size = _grow(plan, histories, row, last, limit, place, room)
            if size >= least and (size > best or (size == best and _is_earlier(plan, histories, room))):
                _keep(plan, histories, place, room)
                best = size
        place += 1
    return best


@compiled
def _first_excluded(histories: Histories, row: int, last: int) -> int:
    """The time of the first excluded event after the instant of the row."""
    for place in range(row, last):
        if histories.excluded[place] and histories.time_us[place] > histories.time_us[row]:
            return histories.time_us[place]
    return _ALWAYS


@compiled
def _grow(plan: Plan, histories: Histories, row: int, last: int, limit: int, opener: int, room: _Room) -> int:
    """Fill room.filled with the earliest of the largest sets; `opener` is the row that step 1 is given, -1 = free."""
    for step in range(plan.steps + 1):
        room.filled[step] = -1
    size = 0
    lowest = 1
    if opener >= 0:
        room.filled[1] = opener
        size, lowest = 1, 2
    for place in range(row, last):
        if histories.time_us[place] > limit or size == plan.steps:
            break
        if place != opener and histories.steps[place] and _make_room(histories.steps, place, lowest, room.filled):
            size += 1
    return size


@compiled
def _make_room(steps: Int32s, row: int, lowest: int, filled: Int64s) -> bool:
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
                place = asked_by[taken]
                filled[taken] = queue[place]
                taken = gives_up[place]
            return True
        done += 1
    return False


@compiled
def _keep(plan: Plan, histories: Histories, opener: int, room: _Room) -> None:
    """Copy the set to room.best, each event in the smallest step that leaves the later ones theirs."""
    taken = np.sort(room.filled[1:][room.filled[1:] >= 0])
    is_used = np.zeros(plan.steps + 1, dtype=np.int64)
    for step in range(plan.steps + 1):
        room.best[step] = -1
    if opener >= 0:
        taken = taken[taken != opener]
        is_used[1] = 1
        room.best[1] = opener
    for index in range(len(taken)):
        for step in range(1, plan.steps + 1):
            if is_used[step] or not (histories.steps[taken[index]] >> (step - 1)) & 1:
                continue
            is_used[step] = 1
            if _fit(histories.steps, taken, index + 1, is_used):
                room.best[step] = taken[index]
                break
            is_used[step] = 0


@compiled
def _fit(steps: Int32s, taken: Int64s, first: int, is_used: Int64s) -> bool:
    """Can the events from `first` on fill steps that are not used?"""
    filled = np.where(is_used == 1, -2, -1)
    for index in range(first, len(taken)):
        if not _make_room(steps, taken[index], 1, filled):
            return False
    return True


@compiled
def _is_earlier(plan: Plan, histories: Histories, room: _Room) -> bool:
    """Is the set at hand earlier than the best one of the same size: by times, then by ids?"""
    ours = np.sort(room.filled[1:][room.filled[1:] >= 0])
    theirs = np.sort(room.best[1:][room.best[1:] >= 0])
    for index in range(len(ours)):
        if histories.time_us[ours[index]] != histories.time_us[theirs[index]]:
            return histories.time_us[ours[index]] < histories.time_us[theirs[index]]
    for index in range(len(ours)):
        if ours[index] != theirs[index]:
            return ours[index] < theirs[index]
    return False

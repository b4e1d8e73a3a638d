"""Unordered paths, exact: the largest set of steps that distinct events within the window of the earliest can fill.

Sets of events that can fill distinct steps form a matroid, so that taking events by (time, id) whenever the ones
taken so far can make room gives the largest set, and the earliest one. Of each step only as many events are looked at
as there are steps: the others of a set never use them all up.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.placing import can_place, place
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Histories, Int32s, Int64s, Paths, Plan
from iafa.query.paths.room import Room, end_of, instant_from, make_room, most_events, next_row, read_person, take_away
from iafa.query.paths.stopping import never, stopping

_NOTHING = -1


class _Sets(NamedTuple):
    """Working space beside the room. `n` is steps + 1, `m` instants + 1."""

    filled: Int64s  # n: the row that fills the step, -1 = none, of the set at hand
    best: Int64s  # n: and of the best one
    heads: Int64s  # n: the next row of each step that has not been looked at
    most: Int32s  # m: no set that begins in the instant is larger
    hits: Int32s  # m: rows of the instant that are excluded
    next_hit: Int32s  # m: itself if it has such rows, else a later one on the way to the next that has
    at: Int64s  # n: by size, the next start to try
    saved: Int64s  # n: where it goes on after starts that are tried again
    until: Int64s  # n: where those end, _NOTHING = there are none


def solve_unordered(
    plan: Plan, histories: Histories, *, first_required: bool, check_time: Callable[[], None] = never
) -> Paths:
    """The reported path of each person; `rows` is by step, `reached` counts the steps that are filled."""
    people = len(histories.offsets) - 1
    paths = Paths.room(people, plan.steps)
    if people:
        with stopping(check_time) as stop:
            _solve(_without_steps(plan), first_required, histories.writable(), paths, stop)
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
    with stopping(check_time) as stop:
        found = _solve_totals(_without_steps(plan), first_required, histories.writable(), paths, stop)
    return paths.first(found)


def _without_steps(plan: Plan) -> Plan:
    """An exclusion spans the whole set, so it does not matter which one an event matches."""
    none = np.zeros(0, dtype=np.int64)
    return plan._replace(excluded_from=none, excluded_to=none)


@compiled
def _solve(plan: Plan, first_required: bool, histories: Histories, paths: Paths, stop: Int32s) -> None:
    most = most_events(histories)
    room, sets = make_room(most, plan.steps + 1, 0, stop), _make_sets(most, plan.steps + 1)
    for person in range(len(histories.offsets) - 1):
        first = histories.offsets[person]
        read_person(plan, histories, first, histories.offsets[person + 1], room)
        _read_hits(room, sets)
        length = _reported(plan, first_required, room, sets)
        if stop[0]:
            return
        _write(sets, person, length, first, paths, person)


@compiled
def _solve_totals(plan: Plan, first_required: bool, histories: Histories, paths: Paths, stop: Int32s) -> int:
    """Fill the first of `paths`; returns how many there are."""
    most = most_events(histories)
    room, sets = make_room(most, plan.steps + 1, 0, stop), _make_sets(most, plan.steps + 1)
    found = 0
    for person in range(len(histories.offsets) - 1):
        first = histories.offsets[person]
        read_person(plan, histories, first, histories.offsets[person + 1], room)
        _read_hits(room, sets)
        _begin(plan, room, sets)
        while found < len(paths.person):
            length = _next_set(plan, first_required, room, sets)
            if length == 0 or stop[0]:
                break
            _write(sets, person, length, first, paths, found)
            found += 1
            for step in range(1, plan.steps + 1):
                if sets.best[step] >= 0:
                    _take_away(plan, room, sets, sets.best[step])
    return found


@compiled
def _make_sets(most: int, n: int) -> _Sets:
    return _Sets(
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
    )


@compiled
def _read_hits(room: Room, sets: _Sets) -> None:
    count, rows = room.counts[0], room.counts[1]
    sets.hits[: count + 1] = 0
    for row in range(rows):
        if room.excluded[row]:
            sets.hits[room.instant[row]] += 1
    following = count
    for q in range(count, -1, -1):
        if sets.hits[q]:
            following = q
        sets.next_hit[q] = following


@compiled
def _write(sets: _Sets, person: int, length: int, offset: int, paths: Paths, number: int) -> None:
    paths.person[number] = person
    paths.reached[number] = length
    if length:
        for step in range(1, len(sets.best)):
            paths.rows[number, step - 1] = sets.best[step] + offset if sets.best[step] >= 0 else -1


@compiled
def _reported(plan: Plan, first_required: bool, room: Room, sets: _Sets) -> int:
    """The size of the set that the definition asks for; it is left in sets.best."""
    low, high = instant_from(room, plan.from_us), instant_from(room, plan.to_us) - 1
    longest = 0
    for turn in range(high - low + 1):
        q = high - turn if plan.entry == ENTRY_LAST else low + turn
        if room.stop[0] or longest == plan.steps:
            break
        if not _is_start(plan, first_required, room, q):
            continue
        longest = max(longest, _try_start(plan, first_required, room, sets, q, longest + 1))
        if plan.entry == ENTRY_FIRST:
            break
    return longest


@compiled
def _begin(plan: Plan, room: Room, sets: _Sets) -> None:
    """Nothing has been tried."""
    low, high = instant_from(room, plan.from_us), instant_from(room, plan.to_us) - 1
    sets.most[: room.counts[0] + 1] = plan.steps
    sets.at[:] = high if plan.entry == ENTRY_LAST else low
    sets.until[:] = _NOTHING


@compiled
def _next_set(plan: Plan, first_required: bool, room: Room, sets: _Sets) -> int:
    """The size of the next one of all sets; it is left in sets.best."""
    low, high = instant_from(room, plan.from_us), instant_from(room, plan.to_us) - 1
    if plan.entry == ENTRY_FIRST:
        q = _start_from(plan, first_required, room, low)
        return _try_start(plan, first_required, room, sets, q, 1) if q <= high else 0
    for size in range(plan.steps, 0, -1):
        while low <= sets.at[size] <= high:
            if room.stop[0]:
                return 0
            q = sets.at[size]
            if sets.most[q] >= size and _is_start(plan, first_required, room, q):
                if _try_start(plan, first_required, room, sets, q, size):
                    return size
                sets.most[q] = size - 1
            _turn_to_next(plan, first_required, room, sets, size)
    return 0


@compiled
def _turn_to_next(plan: Plan, first_required: bool, room: Room, sets: _Sets, size: int) -> None:
    """The start to try next for a set of the size."""
    if plan.entry == ENTRY_LAST:
        sets.at[size] -= 1
        if sets.until[size] != _NOTHING and sets.at[size] < sets.until[size]:
            sets.at[size] = min(sets.at[size], sets.saved[size])
            sets.until[size] = _NOTHING
    else:
        sets.at[size] = _start_from(plan, first_required, room, sets.at[size] + 1)
        if sets.until[size] != _NOTHING and sets.at[size] > sets.until[size]:
            sets.at[size] = max(sets.at[size], sets.saved[size])
            sets.until[size] = _NOTHING


@compiled
def _take_away(plan: Plan, room: Room, sets: _Sets, row: int) -> None:
    q = room.instant[row]
    take_away(plan, room, row)
    if not room.excluded[row]:
        return
    sets.hits[q] -= 1
    if sets.hits[q]:
        return
    sets.next_hit[q] = q + 1
    # Sets that begin before may now be larger, as far back as nothing else is excluded in between.
    lowest = q
    while lowest > 0 and sets.hits[lowest] == 0:
        lowest -= 1
    sets.most[lowest : q + 1] = plan.steps
    is_last = plan.entry == ENTRY_LAST
    ceiling = instant_from(room, plan.to_us) - 1
    for size in range(1, plan.steps + 1):
        if sets.until[size] == _NOTHING:
            sets.saved[size] = sets.at[size]
            sets.until[size] = lowest if is_last else q
        else:
            sets.until[size] = min(sets.until[size], lowest) if is_last else max(sets.until[size], q)
        if is_last:
            sets.at[size] = max(sets.at[size], min(q, ceiling))
        else:
            sets.at[size] = min(sets.at[size], max(lowest, instant_from(room, plan.from_us)))


@compiled
def _is_start(plan: Plan, first_required: bool, room: Room, q: int) -> bool:
    """Can an event of the instant begin a set?"""
    for step in range(1, 2 if first_required else plan.steps + 1):
        if next_row(room, step, room.first[q]) < room.first[q + 1]:
            return True
    return False


@compiled
def _start_from(plan: Plan, first_required: bool, room: Room, q: int) -> int:
    """The first such instant from this one on; the number of instants if there is none."""
    if q >= room.counts[0]:
        return room.counts[0]
    found = room.counts[1]
    for step in range(1, 2 if first_required else plan.steps + 1):
        found = min(found, next_row(room, step, room.first[q]))
    return room.instant[found]


@compiled
def _try_start(plan: Plan, first_required: bool, room: Room, sets: _Sets, q: int, least: int) -> int:
    """The size of the best set that begins in the instant; kept in sets.best, and 0 if it has fewer than `least`."""
    start_us = room.time_us[q]
    limit = min(start_us + plan.window_us, plan.end_us - 1)
    excluded = _next_hit(sets, q + 1) if q + 1 < room.counts[0] else room.counts[0]
    if excluded < room.counts[0] and room.time_us[excluded] <= start_us + plan.window_us:
        if plan.is_drop:
            least = plan.steps  # only a complete set that ends before the excluded event is not tainted
        limit = min(limit, room.time_us[excluded])
    last = room.first[instant_from(room, limit + 1)]
    if not first_required:
        size = _grow(plan, room, sets, room.first[q], last, -1, least)
        if size:
            _keep(plan, room, -1, sets)
        return size
    best = 0
    opener, tried = next_row(room, 1, room.first[q]), 0
    seen = np.zeros(plan.steps, dtype=np.int32)
    # Of equal openers the first is as good as any, and the other steps cannot use up as many as there are steps.
    while opener < room.first[q + 1] and tried < plan.steps:
        mask = room.masks[opener]
        if not (seen[:tried] == mask).any():
            size = _grow(plan, room, sets, room.first[q], last, opener, max(least, best))
            if size > best or (size and _is_earlier(room, sets)):
                _keep(plan, room, opener, sets)
                best = size
        seen[tried] = mask
        tried += 1
        opener = next_row(room, 1, opener + 1)
    return best


@compiled
def _next_hit(sets: _Sets, q: int) -> int:
    """The first instant from this one on with an excluded event; the number of instants if there is none."""
    return end_of(sets.next_hit, q)


@compiled
def _grow(plan: Plan, room: Room, sets: _Sets, first: int, last: int, opener: int, least: int) -> int:
    """Fill sets.filled with the earliest of the largest sets of the rows first to last; 0 if it has fewer than
    `least`. `opener` is the row that step 1 is given, -1 = free."""
    sets.filled[:] = -1
    size, lowest = 0, 1
    if opener >= 0:
        sets.filled[1] = opener
        size, lowest = 1, 2
    possible = size
    for step in range(lowest, plan.steps + 1):
        sets.heads[step] = next_row(room, step, first)
        possible += sets.heads[step] < last
    if possible < least:
        return 0
    looked = np.zeros(plan.steps + 1, dtype=np.int64)
    while size < possible:
        row = last
        for step in range(lowest, plan.steps + 1):
            if looked[step] < plan.steps:
                row = min(row, sets.heads[step])
        if row == last:
            break
        for step in range(lowest, plan.steps + 1):
            if sets.heads[step] == row:
                sets.heads[step] = next_row(room, step, row + 1)
                looked[step] += 1
        if row != opener and place(room.masks, row, lowest, sets.filled):
            size += 1
    return size if size >= least else 0


@compiled
def _keep(plan: Plan, room: Room, opener: int, sets: _Sets) -> None:
    """Copy the set to sets.best, each event in the smallest step that leaves the later ones theirs."""
    taken = np.sort(sets.filled[1:][sets.filled[1:] >= 0])
    is_used = np.zeros(plan.steps + 1, dtype=np.int64)
    for step in range(plan.steps + 1):
        sets.best[step] = -1
    if opener >= 0:
        taken = taken[taken != opener]
        is_used[1] = 1
        sets.best[1] = opener
    for index in range(len(taken)):
        for step in range(1, plan.steps + 1):
            if is_used[step] or not (room.masks[taken[index]] >> (step - 1)) & 1:
                continue
            is_used[step] = 1
            if can_place(room.masks, taken, index + 1, is_used):
                sets.best[step] = taken[index]
                break
            is_used[step] = 0


@compiled
def _is_earlier(room: Room, sets: _Sets) -> bool:
    """Is the set at hand earlier than the best one of the same size: by times, then by ids?"""
    ours = np.sort(sets.filled[1:][sets.filled[1:] >= 0])
    theirs = np.sort(sets.best[1:][sets.best[1:] >= 0])
    for index in range(len(ours)):
        if room.instant[ours[index]] != room.instant[theirs[index]]:
            return room.instant[ours[index]] < room.instant[theirs[index]]
    for index in range(len(ours)):
        if ours[index] != theirs[index]:
            return ours[index] < theirs[index]
    return False

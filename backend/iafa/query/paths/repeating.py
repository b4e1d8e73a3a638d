"""`count: totals`: one person's paths, each of what the ones before have left over.

What was looked at in vain for paths of a length is not looked at again, unless a path took away an event that had
stood between others. Then only the starts that it can concern are looked at once more.
"""

from typing import NamedTuple

import numpy as np

from iafa.query.paths.climb import climb
from iafa.query.paths.compiled import compiled
from iafa.query.paths.instants import fill_rows
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Int64s, Paths, Plan
from iafa.query.paths.room import Room, instant_from, last_hit, next_instant, take_away

_NOTHING = -1


class _Search(NamedTuple):
    """Where the search for paths of each length stands. With `entry: last` it goes from the last start to the first,
    and only the place of step 1 counts.
    """

    at: Int64s  # n x n: by length, the instant of each step
    saved: Int64s  # n x n: where it goes on after starts that are looked at again
    until: Int64s  # n: the last start that is looked at again, _NOTHING = none is
    path: Int64s  # n: the instants of the path that was found
    bounds: Int64s  # 2: the instants in which a path may begin, both included


@compiled
def all_paths(plan: Plan, room: Room, person: int, offset: int, paths: Paths, found: int) -> int:
    """Write the person's paths behind the ones found so far; returns how many there are now."""
    search = _begun(plan, room)
    while found < len(paths.person) and not room.stop[0]:
        length = _next_path(plan, room, search)
        if length == 0:
            break
        paths.person[found] = person
        paths.reached[found] = length
        fill_rows(room, search.path, length, offset, paths.rows[found])
        for step in range(length):
            row = paths.rows[found, step] - offset
            gone = take_away(plan, room, row)
            if gone > 1 or (gone and plan.is_strict):
                _look_again(plan, room, search, room.instant[row], gone)
        found += 1
    return found


@compiled
def _begun(plan: Plan, room: Room) -> _Search:
    n = plan.steps + 1
    floor, ceiling = instant_from(room, plan.from_us), instant_from(room, plan.to_us) - 1
    begun = ceiling if plan.entry == ENTRY_LAST else floor
    return _Search(
        np.full((n, n), begun, dtype=np.int64),
        np.full((n, n), begun, dtype=np.int64),
        np.full(n, _NOTHING, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.array([floor, ceiling], dtype=np.int64),
    )


@compiled
def _next_path(plan: Plan, room: Room, search: _Search) -> int:
    """The length of the next path, whose instants are left in search.path; 0 if there is none."""
    first = search.bounds[0]
    if plan.entry == ENTRY_FIRST:
        first = next_instant(room, 1, first)
    for length in range(plan.steps, 0, -1):
        if plan.entry == ENTRY_LAST:
            is_found = _down(plan, room, search, length)
        else:
            is_found = _up(plan, room, search, length, first)
            is_found = is_found and (plan.entry != ENTRY_FIRST or search.at[length, 1] == first)
            if is_found:
                search.path[:] = search.at[length]
        if is_found:
            return length
    return 0


@compiled
def _up(plan: Plan, room: Room, search: _Search, length: int, floor: int) -> bool:
    """On to the first start, not before `floor`, that has a path of the length."""
    at, ceiling = search.at[length], search.bounds[1]
    at[1] = max(at[1], floor)
    if search.until[length] != _NOTHING:
        if climb(plan, room, at, length, min(search.until[length], ceiling)):
            return True
        at[:] = search.saved[length]
        at[1] = max(at[1], floor)
        search.until[length] = _NOTHING
    if climb(plan, room, at, length, ceiling):
        return True
    at[1] = room.counts[0]
    return False


@compiled
def _down(plan: Plan, room: Room, search: _Search, length: int) -> bool:
    """Back to the last start that has a path of the length."""
    at = search.at[length]
    while at[1] >= search.bounds[0] and not room.stop[0]:
        start = at[1]
        if next_instant(room, 1, start) == start:
            search.path[:] = start
            if climb(plan, room, search.path, length, start):
                return True
        at[1] -= 1
        if search.until[length] != _NOTHING and at[1] < search.until[length]:
            at[1] = min(at[1], search.saved[length, 1])
            search.until[length] = _NOTHING
    return False


@compiled
def _look_again(plan: Plan, room: Room, search: _Search, q: int, gone: int) -> None:
    """What stood between other events in instant q is no more: paths that pass it may have become possible."""
    lowest = q
    if gone & 1 and plan.is_strict:
        for _ in range(plan.steps):
            if room.before[lowest] >= 0:
                lowest = room.before[lowest]
    for x in range(len(plan.excluded_from)):
        if (gone >> (x + 1)) & 1:
            if plan.excluded_from[x] == 1 and not plan.is_drop:
                lowest = min(lowest, max(last_hit(room, x, q), 0))
            else:
                lowest = min(lowest, instant_from(room, room.time_us[q] - plan.window_us))
    for length in range(1, plan.steps + 1):
        at, is_last = search.at[length], plan.entry == ENTRY_LAST
        if search.until[length] == _NOTHING:
            search.saved[length] = at
            search.until[length] = lowest if is_last else q
        elif is_last:
            search.until[length] = min(search.until[length], lowest)
        else:
            search.until[length] = max(search.until[length], q)
        if is_last:
            at[1] = max(at[1], min(q, search.bounds[1]))
        else:
            at[:] = np.minimum(at, lowest)

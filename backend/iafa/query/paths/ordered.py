"""Ordered and strict paths, exact: from each possible start, by instants, with every constraint that looks back to
the first step or to the step before. The choice follows the text of the semantics; see docs/funnels.md.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from iafa.query.paths.compiled import compiled
from iafa.query.paths.instants import assign, furthest
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, REMOVED, Histories, Int32s, Int64s, Paths, Plan

_NEVER = -(1 << 62)
_ALWAYS = 1 << 62


class _Room(NamedTuple):
    """Working space for the person with the most events. `n` is steps + 1, `m` instants, `x` exclusions."""

    row: Int64s  # m: first row of each instant
    end: Int64s  # m: behind its last row
    time_us: Int64s  # m
    furthest: Int32s  # m x n
    excluded_before: Int64s  # x x m: the latest excluded event before the instant
    excluded_after: Int64s  # x x m: the earliest one after it
    excluded_at: Int32s  # x x m
    entered_from: Int32s  # n x m: reachable at step k in instant q, from which step before q; -1 = not reachable
    may_take: Int32s  # n x m: taking step k + 1 in instant q can still lead to the end
    may_leave: Int32s  # n x m: standing at step k in instant q, a later instant can
    earliest_us: Int64s  # n: the earliest time that a step may have
    latest_us: Int64s  # n: and the latest
    at: Int64s  # n: the instant of each step of the path
    best_at: Int64s  # n: the same of the best path so far
    span: Int64s  # x: which span free of excluded events step i of a wide exclusion is tried in


def solve(plan: Plan, histories: Histories) -> Paths:
    """The reported path of each person that has one; of the others 0 steps. Runs without the interpreter's lock."""
    people = len(histories.offsets) - 1
    paths = Paths.room(people, plan.steps)
    if people:
        _solve(plan, plan.is_greedy, histories, paths)
    return paths


def solve_totals(plan: Plan, histories: Histories) -> Paths:
    """All paths of each person: the reported one, then the one that the events left over give, and so on."""
    starts = (histories.steps & 1 == 1) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    paths = Paths.room(int(np.count_nonzero(starts)), plan.steps)
    if not len(paths.person):
        return paths
    found = _solve_totals(plan, plan.is_greedy, histories._replace(steps=histories.steps.copy()), paths)
    return paths.first(found)


@compiled
def _solve(plan: Plan, is_greedy: bool, histories: Histories, paths: Paths) -> None:
    room = _room(_most_events(histories), plan.steps + 1, len(plan.excluded_from), is_greedy)
    for person in range(len(histories.offsets) - 1):
        _next_path(plan, is_greedy, histories, person, room, paths, person)


@compiled
def _solve_totals(plan: Plan, is_greedy: bool, histories: Histories, paths: Paths) -> int:
    """Fill the first of `paths`; returns how many there are."""
    room = _room(_most_events(histories), plan.steps + 1, len(plan.excluded_from), is_greedy)
    found = 0
    for person in range(len(histories.offsets) - 1):
        while _next_path(plan, is_greedy, histories, person, room, paths, found):
            for step in range(paths.reached[found]):
                histories.steps[paths.rows[found, step]] = REMOVED
            found += 1
            if found == len(paths.person):
                return found
    return found


@compiled
def _next_path(
    plan: Plan, is_greedy: bool, histories: Histories, person: int, room: _Room, paths: Paths, place: int
) -> bool:
    """Write the person's path, if there is one, at its place."""
    count = _read(plan, histories, histories.offsets[person], histories.offsets[person + 1], room)
    length = _find(plan, is_greedy, room, count)
    if length == 0:
        return False
    paths.person[place] = person
    paths.reached[place] = length
    _fill_rows(histories, room, length, paths.rows[place])
    return True


@compiled
def _find(plan: Plan, is_greedy: bool, room: _Room, count: int) -> int:
    """The length of the reported path; its instants are left in room.at."""
    start, length = _best_start(plan, is_greedy, room, count)
    if length and is_greedy:
        _walk(plan, room, count, start)
    elif length:
        _search(plan, room, count, start, length, True)
    return length


@compiled
def _most_events(histories: Histories) -> int:
    most = 0
    for person in range(len(histories.offsets) - 1):
        most = max(most, histories.offsets[person + 1] - histories.offsets[person])
    return most


@compiled
def _room(most: int, n: int, x: int, is_greedy: bool) -> _Room:
    spread = 1 if is_greedy else most
    return _Room(
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
        np.zeros((most, n), dtype=np.int32),
        np.zeros((x, most), dtype=np.int64),
        np.zeros((x, most), dtype=np.int64),
        np.zeros((x, most), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(x, dtype=np.int64),
    )


@compiled
def _read(plan: Plan, histories: Histories, first: int, last: int, room: _Room) -> int:
    """The person's instants; returns how many."""
    count = 0
    row = first
    while row < last:
        end, alive, hits = row, 0, 0
        while end < last and histories.time_us[end] == histories.time_us[row]:
            if histories.steps[end] != REMOVED:
                alive += 1
                hits |= histories.excluded[end]
            end += 1
        if alive:
            room.row[count] = row
            room.end[count] = end
            room.time_us[count] = histories.time_us[row]
            furthest(histories.steps, row, end, plan.steps, room.furthest[count])
            for x in range(len(plan.excluded_from)):
                room.excluded_at[x, count] = (hits >> x) & 1
            count += 1
        row = end
    for x in range(len(plan.excluded_from)):
        seen_us = _NEVER
        for q in range(count):
            room.excluded_before[x, q] = seen_us
            if room.excluded_at[x, q]:
                seen_us = room.time_us[q]
        seen_us = _ALWAYS
        for q in range(count - 1, -1, -1):
            room.excluded_after[x, q] = seen_us
            if room.excluded_at[x, q]:
                seen_us = room.time_us[q]
    return count


@compiled
def _is_start(plan: Plan, room: _Room, q: int) -> bool:
    return room.furthest[q, 0] > 0 and plan.from_us <= room.time_us[q] < plan.to_us


@compiled
def _best_start(plan: Plan, is_greedy: bool, room: _Room, count: int) -> tuple[int, int]:
    """(instant, length) of the start that the definition asks for; length 0 if there is none."""
    best, longest = -1, 0
    for turn in range(count):
        q = count - 1 - turn if plan.entry == ENTRY_LAST else turn
        if not _is_start(plan, room, q):
            continue
        length = _walk(plan, room, count, q) if is_greedy else _length(plan, room, count, q)
        if length > longest:
            best, longest = q, length
        if longest == plan.steps or plan.entry == ENTRY_FIRST:
            break
    return best, longest


@compiled
def _limit(plan: Plan, room: _Room, start: int) -> int:
    """The last time that a step may have."""
    return min(room.time_us[start] + plan.window_us, plan.end_us - 1)


@compiled
def _cap(plan: Plan, room: _Room, start: int, q: int, level: int) -> int:
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


@compiled
def _walk(plan: Plan, room: _Room, count: int, start: int) -> int:
    """From a start, each next step as early as possible. Writes room.at; returns the length of the path."""
    level = 0
    limit = _limit(plan, room, start)
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
            if level < plan.excluded_to[x] and room.excluded_after[x, start] <= _window_end(plan, room, start):
                return 0
    return level


@compiled
def _window_end(plan: Plan, room: _Room, start: int) -> int:
    return room.time_us[start] + plan.window_us


@compiled
def _length(plan: Plan, room: _Room, count: int, start: int) -> int:
    """The longest path from this start when earliest is not always best."""
    most = plan.steps
    if not plan.is_drop:
        most = _spread(plan, room, count, start, plan.steps) if _free(plan, room, start) else most
        if not _has_wide(plan):
            return most
    for target in range(most, 0, -1):
        if _search(plan, room, count, start, target, False):
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
def _free(plan: Plan, room: _Room, start: int) -> bool:
    """Take all bounds off the steps, but those that the start itself gives."""
    for step in range(plan.steps + 1):
        room.earliest_us[step] = _NEVER
        room.latest_us[step] = _ALWAYS
    for x in range(len(plan.excluded_from)):
        if plan.excluded_from[x] == 1:
            to = plan.excluded_to[x]
            room.latest_us[to] = min(room.latest_us[to], room.excluded_after[x, start])
    return True


@compiled
def _search(plan: Plan, room: _Room, count: int, start: int, target: int, is_kept: bool) -> bool:
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
            _choose(plan, room, count, start, target)
            if not is_found or _is_earlier(room, target):
                room.best_at[:] = room.at
            is_found = True
        if not _turn_spans(plan, room, count, start):
            break
    if is_found:
        room.at[:] = room.best_at
    return is_found


@compiled
def _turn_spans(plan: Plan, room: _Room, count: int, start: int) -> bool:
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
def _is_earlier(room: _Room, target: int) -> bool:
    for step in range(1, target + 1):
        if room.at[step] != room.best_at[step]:
            return room.at[step] < room.best_at[step]
    return False


@compiled
def _bound(plan: Plan, room: _Room, count: int, start: int, target: int) -> None:
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
                if room.excluded_at[x, q] and room.time_us[q] <= _window_end(plan, room, start):
                    room.earliest_us[low] = max(room.earliest_us[low], room.time_us[q])


@compiled
def _is_allowed(room: _Room, step: int, q: int) -> bool:
    """May `step` have the time of instant q, whatever came between?"""
    return room.earliest_us[step] <= room.time_us[q] <= room.latest_us[step]


@compiled
def _is_stride(plan: Plan, room: _Room, step: int, p: int, q: int) -> bool:
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
def _spread(plan: Plan, room: _Room, count: int, start: int, target: int) -> int:
    """Everything that can be reached from a start; returns the highest step, at most `target`."""
    limit = _limit(plan, room, start)
    latest = np.full(plan.steps + 1, -1, dtype=np.int64)
    looked_to = np.full(plan.steps + 1, start, dtype=np.int64)
    highest = 0
    for q in range(start, count):
        if room.time_us[q] > limit:
            break
        for step in range(1, target + 1):
            room.entered_from[step, q] = -1
            if not _is_allowed(room, step, q):
                continue
            if step == 1:
                if q == start:
                    room.entered_from[1, q] = 0
            else:
                _look_back(plan, room, step, q, latest, looked_to)
                p = latest[step]
                if room.furthest[q, step - 1] >= step and p >= 0 and _is_stride(plan, room, step, p, q):
                    room.entered_from[step, q] = step - 1
                elif (
                    _may_share(plan, step)
                    and room.entered_from[step - 1, q] >= 0
                    and room.furthest[q, room.entered_from[step - 1, q]] >= step
                ):
                    room.entered_from[step, q] = room.entered_from[step - 1, q]
            if room.entered_from[step, q] >= 0:
                highest = max(highest, step)
    return highest


@compiled
def _may_share(plan: Plan, step: int) -> bool:
    """May `step` lie in the same instant as the step before it?"""
    return not plan.is_tie_strict and plan.after_us[step] <= 0


@compiled
def _look_back(plan: Plan, room: _Room, step: int, q: int, latest: Int64s, looked_to: Int64s) -> None:
    """Move latest[step] on to the latest instant before q from which `step` could be taken: a later one is better."""
    p = looked_to[step]
    while p < q and room.time_us[p] <= room.time_us[q] - plan.after_us[step]:
        if room.entered_from[step - 1, p] >= 0:
            latest[step] = p
        p += 1
    looked_to[step] = p


@compiled
def _choose(plan: Plan, room: _Room, count: int, start: int, target: int) -> None:
    """Among the paths of that length from this start the one with the earliest times. Writes room.at."""
    limit = _limit(plan, room, start)
    last = start
    while last + 1 < count and room.time_us[last + 1] <= limit:
        last += 1
    for q in range(last, start - 1, -1):
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
def _next_instant(plan: Plan, room: _Room, level: int, q: int, last: int) -> int:
    """The earliest later instant in which the next step can be taken on the way to the end; -1 if there is none."""
    for later in range(q + 1, last + 1):
        if room.time_us[later] - room.time_us[q] > plan.within_us[level + 1]:
            return -1
        if room.may_take[level, later] and _is_stride(plan, room, level + 1, q, later):
            return later
    return -1


@compiled
def _taken_to(plan: Plan, room: _Room, level: int, q: int, target: int) -> int:
    """The highest step to take in instant q, coming from `level`, from which the end can be reached; else `level`."""
    best = level
    for step in range(level + 1, min(room.furthest[q, level], target) + 1):
        if step > level + 1 and not _may_share(plan, step):
            break
        if not _is_allowed(room, step, q):
            break
        if step == target or room.may_leave[step, q]:
            best = step
    return best


@compiled
def _fill_rows(histories: Histories, room: _Room, length: int, rows: npt.NDArray[np.int64]) -> None:
    step = 1
    while step <= length:
        end = step
        while end < length and room.at[end + 1] == room.at[step]:
            end += 1
        q = room.at[step]
        assign(histories.steps, room.row[q], room.end[q], step, end, rows)
        step = end + 1

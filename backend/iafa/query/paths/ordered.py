"""Ordered and strict paths, exact: of most people together, of the others from each possible start, by instants,
with every constraint that looks back to the first step or to the step before. The choice follows the text of the
semantics; see docs/funnels.md.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from iafa.query.paths.compiled import compiled
from iafa.query.paths.gathering import taken
from iafa.query.paths.instants import assign
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, REMOVED, Histories, Int32s, Paths, Plan
from iafa.query.paths.room import Room, make_room, most_events, read_instants
from iafa.query.paths.search import longest_from, search
from iafa.query.paths.stopping import never, stopping
from iafa.query.paths.together import can_solve, solve_together
from iafa.query.paths.walk import walk


def solve(
    plan: Plan, histories: Histories, *, check_time: Callable[[], None] = never, wants_rows: bool = True
) -> Paths:
    """The reported path of each person that has one; of the others 0 steps. Without rows only its length."""
    people = len(histories.offsets) - 1
    if not people or not can_solve(plan):
        return solve_each(plan, histories, check_time=check_time)
    paths = Paths.room(people, plan.steps, wants_rows=wants_rows)
    left = solve_together(plan, histories, paths, wants_rows=wants_rows)
    if len(left):
        rows, own = taken(histories, left)
        ones = solve_each(plan, own, check_time=check_time)
        paths.reached[left] = ones.reached
        if wants_rows:
            paths.rows[left] = np.where(ones.rows >= 0, rows[ones.rows], -1)
    return paths


def solve_each(plan: Plan, histories: Histories, *, check_time: Callable[[], None] = never) -> Paths:
    """The same one by one, whatever the plan."""
    people = len(histories.offsets) - 1
    paths = Paths.room(people, plan.steps)
    if people:
        with stopping(check_time) as stop:
            _solve(plan, plan.is_greedy, histories.writable(), paths, stop)
    return paths


def solve_totals(plan: Plan, histories: Histories, *, check_time: Callable[[], None] = never) -> Paths:
    """All paths of each person: the reported one, then the one that the events left over give, and so on."""
    starts = (histories.steps & 1 == 1) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    paths = Paths.room(int(np.count_nonzero(starts)), plan.steps)
    if not len(paths.person):
        return paths
    with stopping(check_time) as stop:
        left = histories._replace(steps=histories.steps.copy()).writable()
        found = _solve_totals(plan, plan.is_greedy, left, paths, stop)
    return paths.first(found)


@compiled
def _solve(plan: Plan, is_greedy: bool, histories: Histories, paths: Paths, stop: Int32s) -> None:
    room = make_room(most_events(histories), plan.steps + 1, len(plan.excluded_from), is_greedy, stop)
    for person in range(len(histories.offsets) - 1):
        _next_path(plan, is_greedy, histories, person, room, paths, person)


@compiled
def _solve_totals(plan: Plan, is_greedy: bool, histories: Histories, paths: Paths, stop: Int32s) -> int:
    """Fill the first of `paths`; returns how many there are."""
    room = make_room(most_events(histories), plan.steps + 1, len(plan.excluded_from), is_greedy, stop)
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
    plan: Plan, is_greedy: bool, histories: Histories, person: int, room: Room, paths: Paths, place: int
) -> bool:
    """Write the person's path, if there is one, at its place."""
    count = read_instants(plan, histories, histories.offsets[person], histories.offsets[person + 1], room)
    length = _find(plan, is_greedy, room, count)
    if length == 0 or room.stop[0]:
        return False
    paths.person[place] = person
    paths.reached[place] = length
    _fill_rows(histories, room, length, paths.rows[place])
    return True


@compiled
def _find(plan: Plan, is_greedy: bool, room: Room, count: int) -> int:
    """The length of the reported path; its instants are left in room.at."""
    start, length = _best_start(plan, is_greedy, room, count)
    if length and is_greedy:
        walk(plan, room, count, start)
    elif length:
        search(plan, room, count, start, length, True)
    return length


@compiled
def _is_start(plan: Plan, room: Room, q: int) -> bool:
    return room.furthest[q, 0] > 0 and plan.from_us <= room.time_us[q] < plan.to_us


@compiled
def _best_start(plan: Plan, is_greedy: bool, room: Room, count: int) -> tuple[int, int]:
    """(instant, length) of the start that the definition asks for; length 0 if there is none."""
    best, longest = -1, 0
    for turn in range(count):
        q = count - 1 - turn if plan.entry == ENTRY_LAST else turn
        if room.stop[0]:
            break
        if not _is_start(plan, room, q):
            continue
        length = walk(plan, room, count, q) if is_greedy else longest_from(plan, room, count, q)
        if length > longest:
            best, longest = q, length
        if longest == plan.steps or plan.entry == ENTRY_FIRST:
            break
    return best, longest


@compiled
def _fill_rows(histories: Histories, room: Room, length: int, rows: npt.NDArray[np.int64]) -> None:
    step = 1
    while step <= length:
        end = step
        while end < length and room.at[end + 1] == room.at[step]:
            end += 1
        q = room.at[step]
        assign(histories.steps, room.row[q], room.end[q], step, end, rows)
        step = end + 1

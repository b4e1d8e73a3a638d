"""Ordered and strict paths, exact: of most people together, of the others one by one, by instants, with every
constraint that looks back to the first step or to the step before. The choice follows the text of the semantics; see
docs/funnels.md.
"""

from collections.abc import Callable

import numpy as np

from iafa.query.paths.climb import climb
from iafa.query.paths.compiled import compiled
from iafa.query.paths.gathering import taken
from iafa.query.paths.instants import fill_rows
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Histories, Int32s, Int64s, Paths, Plan
from iafa.query.paths.repeating import all_paths
from iafa.query.paths.room import Room, instant_from, make_room, most_events, next_instant, read_person
from iafa.query.paths.stopping import never, stopping
from iafa.query.paths.together import can_solve, solve_together


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
            _solve(plan, histories.writable(), paths, stop)
    return paths


def solve_totals(plan: Plan, histories: Histories, *, check_time: Callable[[], None] = never) -> Paths:
    """All paths of each person: the reported one, then the one that the events left over give, and so on."""
    starts = (histories.steps & 1 == 1) & (histories.time_us >= plan.from_us) & (histories.time_us < plan.to_us)
    paths = Paths.room(int(np.count_nonzero(starts)), plan.steps)
    if not len(paths.person):
        return paths
    with stopping(check_time) as stop:
        found = _solve_totals(plan, histories.writable(), paths, stop)
    return paths.first(found)


@compiled
def _solve(plan: Plan, histories: Histories, paths: Paths, stop: Int32s) -> None:
    room = make_room(most_events(histories), plan.steps + 1, len(plan.excluded_from), stop)
    at = np.zeros(plan.steps + 1, dtype=np.int64)
    for person in range(len(histories.offsets) - 1):
        first = histories.offsets[person]
        read_person(plan, histories, first, histories.offsets[person + 1], room)
        length = _reported(plan, room, at)
        if stop[0]:
            return
        paths.reached[person] = length
        fill_rows(room, at, length, first, paths.rows[person])


@compiled
def _solve_totals(plan: Plan, histories: Histories, paths: Paths, stop: Int32s) -> int:
    """Fill the first of `paths`; returns how many there are."""
    room = make_room(most_events(histories), plan.steps + 1, len(plan.excluded_from), stop)
    found = 0
    for person in range(len(histories.offsets) - 1):
        first = histories.offsets[person]
        read_person(plan, histories, first, histories.offsets[person + 1], room)
        found = all_paths(plan, room, person, first, paths, found)
    return found


@compiled
def _reported(plan: Plan, room: Room, at: Int64s) -> int:
    """The length of the reported path; its instants are left in `at`."""
    floor, ceiling = instant_from(room, plan.from_us), instant_from(room, plan.to_us) - 1
    if plan.entry == ENTRY_FIRST:
        floor = next_instant(room, 1, floor)
        ceiling = min(ceiling, floor)
    tried = np.full(plan.steps + 1, floor, dtype=np.int64)
    length = 0
    if plan.is_drop:
        for target in range(plan.steps, 0, -1):
            tried[:] = floor
            if climb(plan, room, tried, target, ceiling):
                length = target
                break
        at[:] = tried
    else:
        # Where a longer path has its steps a shorter one could have them too, so the next length begins there.
        while length < plan.steps and climb(plan, room, tried, length + 1, ceiling):
            length += 1
            at[:] = tried
    if length and plan.entry == ENTRY_LAST:
        tried[:] = at
        tried[1] += 1
        while climb(plan, room, tried, length, ceiling):
            at[:] = tried
            tried[1] += 1
    return length

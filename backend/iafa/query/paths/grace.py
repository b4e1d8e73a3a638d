"""Paths with a grace: a step may be up to so many seconds earlier than the steps before it.

As in `climb` every step begins as early as it may and is only ever moved on. With a grace steps that are no neighbours
may share an instant, so where an event matches several steps it may be wanted twice: then each step that wants it is
moved on in turn, the earliest outcome first. That is bounded; people without such events never come to it.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from heapq import heappop, heappush

import numpy as np

from iafa.errors import FieldError, ValidationFailed
from iafa.query.paths.ordered import solve
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Histories, Paths, Plan

TRIES_MAX = 20_000  # of giving the events of one person to steps that want the same ones
_LONG_AGO = -(1 << 62)
_NEVER = 1 << 62


def solve_grace(plan: Plan, histories: Histories, grace_us: int, check_time: Callable[[], None]) -> Paths:
    """The reported path of each person. Raises ValidationFailed if somebody's events can be used in too many ways."""
    paths = solve(plan, histories, check_time=check_time)
    gaps = np.diff(histories.time_us, append=np.iinfo(np.int64).max)
    is_close = (gaps > 0) & (gaps <= grace_us)
    is_close[histories.offsets[1:] - 1] = False  # the next row is another person's
    for person in np.flatnonzero(np.add.reduceat(is_close.astype(np.int64), histories.offsets[:-1])):
        check_time()
        first, last = int(histories.offsets[person]), int(histories.offsets[person + 1])
        rows = _Person(plan, histories, grace_us, first, last, check_time).best()
        paths.reached[person] = len(rows)
        paths.rows[person] = -1
        paths.rows[person, : len(rows)] = rows
    return paths


class _Person:
    """One person's events by step. A path is a list of times, of step k at k - 1."""

    def __init__(
        self, plan: Plan, histories: Histories, grace_us: int, first: int, last: int, check_time: Callable[[], None]
    ) -> None:
        self._plan = plan
        self._grace_us = grace_us
        self._check_time = check_time
        times, masks, hits = (each[first:last] for each in histories[1:])
        own = [np.flatnonzero(masks >> step & 1) for step in range(plan.steps)]
        self._rows = [(rows + first).tolist() for rows in own]
        self._times: list[list[int]] = [times[rows].tolist() for rows in own]
        exclusions = zip(plan.excluded_from.tolist(), plan.excluded_to.tolist(), strict=True)
        self._exclusions: list[tuple[int, int, list[int]]] = [
            (low - 1, high - 1, times[hits >> number & 1 == 1].tolist())
            for number, (low, high) in enumerate(exclusions)
        ]
        self._tries = 0

    def best(self) -> list[int]:
        floor_us, ceiling_us = self._plan.from_us, self._plan.to_us - 1
        if self._plan.entry == ENTRY_FIRST:
            floor_us = self._next(0, floor_us)
            ceiling_us = min(ceiling_us, floor_us)
        for length in range(self._plan.steps, 0, -1):
            if self._plan.entry == ENTRY_LAST:
                starts = [(start_us, start_us) for start_us in reversed(list(self._starts(length)))]
            else:
                starts = [(floor_us, ceiling_us)]
            for from_us, to_us in starts:
                if rows := self._earliest(length, from_us, to_us):
                    return rows
        return []

    def _starts(self, length: int) -> Iterator[int]:
        """When paths of the length begin, if no event were wanted twice."""
        at = self._begun(length, self._plan.from_us)
        while self._climb(at, self._plan.to_us - 1):
            yield at[0]
            at[0] += 1

    def _begun(self, length: int, from_us: int) -> list[int]:
        return [from_us, *[self._plan.from_us if self._plan.is_all_steps else _LONG_AGO] * (length - 1)]

    def _earliest(self, length: int, from_us: int, to_us: int) -> list[int]:
        """The rows of the earliest path of the length that begins then; none if there is no path."""
        at = self._begun(length, from_us)
        waiting = [tuple(at)] if self._climb(at, to_us) else []  # a heap: the earliest path first
        seen = set(waiting)
        while waiting:
            times = heappop(waiting)
            rows, crowded = self._assigned(times)
            if rows:
                return rows
            self._tries += 1
            if self._tries > TRIES_MAX:
                raise _too_many()
            for step in crowded:
                moved = list(times)
                moved[step] += 1
                if self._climb(moved, to_us) and (found := tuple(moved)) not in seen:
                    seen.add(found)
                    heappush(waiting, found)
        return []

    def _climb(self, at: list[int], ceiling_us: int) -> bool:
        """Move each step on to the earliest times that obey, none before the given ones. False if there are none."""
        step = looked = 0
        while step < len(at):
            looked += 1
            if looked % 1_000 == 0:
                self._check_time()
            at[step] = self._next(step, max(at[step], self._least(at, step)))
            if at[step] >= self._plan.end_us or at[0] > ceiling_us:
                return False
            step = self._behind(at, step)
        return True

    def _least(self, at: list[int], step: int) -> int:
        least = max(at[:step]) - self._grace_us if step else at[0]
        least = max(least, at[0] - self._plan.window_us)
        for low, high, hits in self._exclusions:
            # `drop`: of a path that ends before step j, step i comes after every excluded event of the window.
            if self._plan.is_drop and low == step and high >= len(at):
                first_us = self._next(0, at[0]) if step == 0 else at[0]
                latest = bisect_right(hits, first_us + self._plan.window_us) - 1
                if latest >= 0:
                    least = max(least, hits[latest])
        return least

    def _behind(self, at: list[int], step: int) -> int:
        """Move on an earlier step that is too early for this one; returns which, or the following one if none is."""
        for low, high, hits in self._exclusions:
            if self._plan.is_drop and step == low == 0 and high >= len(at) and self._least(at, 0) > at[0]:
                return 0
            if high == step:
                latest = bisect_left(hits, at[step]) - 1
                if latest >= 0 and hits[latest] > at[low]:
                    at[low] = hits[latest]
                    return low
        if at[step] - at[0] > self._plan.window_us:
            at[0] = at[step] - self._plan.window_us
            return 0
        return step + 1

    def _next(self, step: int, at_us: int) -> int:
        times = self._times[step]
        place = bisect_left(times, at_us)
        return times[place] if place < len(times) else _NEVER

    def _assigned(self, times: tuple[int, ...]) -> tuple[list[int], list[int]]:
        """(the smallest ids in the order of the steps, or nothing; then the steps that want too few events)."""
        given: dict[int, int] = {}
        for at in sorted(set(times)):
            steps = [step for step, own in enumerate(times) if own == at]
            if not self._can_share(steps, at, set()):
                return [], steps
            for number, step in enumerate(steps):
                for row in self._rows_at(step, at):
                    taken = {*given.values(), row}
                    if row not in given.values() and self._can_share(steps[number + 1 :], at, taken):
                        given[step] = row
                        break
        return [given[step] for step in range(len(times))], []

    def _rows_at(self, step: int, at: int) -> list[int]:
        """As many as there are steps: one of them is always left for this one."""
        first = bisect_left(self._times[step], at)
        last = bisect_right(self._times[step], at, lo=first)
        return self._rows[step][first : min(last, first + self._plan.steps)]

    def _can_share(self, steps: list[int], at: int, taken: set[int]) -> bool:
        """Can distinct events of the instant, but the taken ones, fill all the steps?"""
        holder: dict[int, int] = {}

        def fill(step: int, tried: set[int]) -> bool:
            for row in self._rows_at(step, at):
                if row not in taken and row not in tried:
                    tried.add(row)
                    if row not in holder or fill(holder[row], tried):
                        holder[row] = step
                        return True
            return False

        return all(fill(step, set()) for step in steps)


def _too_many() -> ValidationFailed:
    message = f"with a grace, somebody's events can fill stages that match the same ones in more than {TRIES_MAX} ways"
    return ValidationFailed(
        "ask with tie: any, or for stages that match different events",
        errors=[FieldError("/tie", "too_many", message)],
        code="invalid_query",
    )

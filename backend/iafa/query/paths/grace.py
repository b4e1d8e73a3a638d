"""Paths with a grace: a step may be up to so many seconds earlier than the steps before it.

Tried event by event, so only for people with events that close together; all others have no use for the grace.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from iafa.query.paths.ordered import solve
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, Histories, Paths, Plan

Key = tuple[int, int, list[int], list[int]]


def solve_grace(plan: Plan, histories: Histories, grace_us: int, check_time: Callable[[], None]) -> Paths:
    """The reported path of each person. `check_time` is called often: this can take long for a busy person."""
    paths = solve(plan, histories, check_time=check_time)
    gaps = np.diff(histories.time_us, append=np.iinfo(np.int64).max)
    is_close = (gaps > 0) & (gaps <= grace_us)
    is_close[histories.offsets[1:] - 1] = False  # the next row is another person's
    for person in np.flatnonzero(np.add.reduceat(is_close.astype(np.int64), histories.offsets[:-1])):
        check_time()
        first, last = int(histories.offsets[person]), int(histories.offsets[person + 1])
        rows = _Search(plan, histories, grace_us, first, last, check_time).best()
        paths.reached[person] = len(rows)
        paths.rows[person] = -1
        paths.rows[person, : len(rows)] = rows
    return paths


@dataclass
class _Search:
    plan: Plan
    histories: Histories
    grace_us: int
    first: int
    last: int
    check_time: Callable[[], None]

    def best(self) -> list[int]:
        starts = sorted(
            {self._time(row) for row in self._matching(1) if self.plan.from_us <= self._time(row) < self.plan.to_us}
        )
        if self.plan.entry == ENTRY_FIRST:
            starts = starts[:1]
        best: list[int] = []
        key: Key | None = None
        for start_us in reversed(starts) if self.plan.entry == ENTRY_LAST else starts:
            for path in self._paths(start_us):
                found = self._key(path)
                if key is None or found < key:
                    best, key = list(path), found
            if len(best) == self.plan.steps:
                break  # no other start can beat a complete path of this one
        return best

    def _key(self, path: list[int]) -> Key:
        times = [self._time(row) for row in path]
        start = -times[0] if self.plan.entry == ENTRY_LAST else 0
        return -len(path), start, times, path

    def _paths(self, start_us: int) -> Iterator[list[int]]:
        """Every path that is allowed and begins at that time."""
        for row in self._matching(1):
            if self._time(row) == start_us:
                yield from self._grow([row], start_us)

    def _grow(self, path: list[int], newest_us: int) -> Iterator[list[int]]:
        self.check_time()
        if self._is_clean(path):
            yield path
        if len(path) == self.plan.steps:
            return
        start_us = self._time(path[0])
        for row in self._matching(len(path) + 1):
            at = self._time(row)
            if row not in path and at >= newest_us - self.grace_us and self._is_inside(at, start_us):
                yield from self._grow([*path, row], max(newest_us, at))

    def _is_inside(self, at_us: int, start_us: int) -> bool:
        if self.plan.is_all_steps and at_us < self.plan.from_us:
            return False
        return abs(at_us - start_us) <= self.plan.window_us and at_us < self.plan.end_us

    def _is_clean(self, path: list[int]) -> bool:
        for x, (low, high) in enumerate(zip(self.plan.excluded_from, self.plan.excluded_to, strict=True)):
            if len(path) < (low if self.plan.is_drop else high):
                continue
            after_us = self._time(path[low - 1])
            for row in range(self.first, self.last):
                if not self.histories.excluded[row] >> x & 1 or self._time(row) <= after_us:
                    continue
                if len(path) >= high:
                    if self._time(row) < self._time(path[high - 1]):
                        return False
                elif self._time(row) <= self._time(path[0]) + self.plan.window_us:
                    return False
        return True

    def _matching(self, step: int) -> Iterator[int]:
        for row in range(self.first, self.last):
            if self.histories.steps[row] >> (step - 1) & 1:
                yield row

    def _time(self, row: int) -> int:
        return int(self.histories.time_us[row])

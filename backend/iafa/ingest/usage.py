"""How many events each project has had this month (UTC): for the quota, across workers and restarts.

A worker adds what it has taken to a table in a file that all workers map, at most a quarter second later. So the quota
is passed by at most what the workers take in that time and one request each; a killed worker's last quarter second is
missing, and after a power failure what the system had not written yet.
"""

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from iafa.clock import Clock, to_datetime
from iafa.durable import create_only
from iafa.slots import Slots, State, empty_table, open_table

SETS = 1024  # of eight projects each
SHARE_EVERY_S = 0.25


class Usage:
    def __init__(self, slots: Slots, clock: Clock) -> None:
        self._slots = slots
        self._clock = clock
        self._own: Counter[str] = Counter()  # not shared yet
        self._seen: dict[str, int] = {}  # what the table said when it was asked last
        self._month = -1
        self._month_ends_us = 0
        self._shared_s = clock.monotonic_s()

    def add(self, project_id: str, count: int) -> None:
        """Events that are stored now."""
        self._turn()
        self._own[project_id] += count

    def of(self, project_id: str) -> int:
        """The events of this month, with those of other workers as far as they have been shared."""
        self._turn()
        if project_id not in self._seen:
            self._seen[project_id] = self._add_shared(project_id, 0)
        return self._seen[project_id] + self._own[project_id]

    def share(self) -> None:
        for project_id, count in self._own.items():
            self._add_shared(project_id, count)
        self._own.clear()
        self._seen.clear()

    def _turn(self) -> None:
        now_us, now_s = self._clock.now_us(), self._clock.monotonic_s()
        if now_us >= self._month_ends_us or self._month < 0:
            self.share()
            self._month, self._month_ends_us = month_of(now_us)
        elif now_s - self._shared_s >= SHARE_EVERY_S:
            self._shared_s = now_s
            self.share()

    def _add_shared(self, project_id: str, count: int) -> int:
        return self._slots.change(f"{project_id}:{self._month}", _added, count, self._month)


def open_usage(path: Path, temporary_dir: Path) -> Slots:
    """The table in this file; an empty one is made where there is none."""
    if not path.exists():
        create_only(path, empty_table(SETS), temporary_dir=temporary_dir)
    descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    return open_table(descriptor, SETS)


def quota_gauges(usage: Usage, quotas: Iterable[tuple[str, int]]) -> tuple[int, float]:
    """How many projects have reached their quota, and the part that the one nearest to it has had."""
    usage.share()  # the next look is at the table
    parts = [usage.of(project_id) / quota for project_id, quota in quotas]
    return sum(part >= 1 for part in parts), max(parts, default=0.0)


def month_of(now_us: int) -> tuple[int, int]:
    """The number of the month and when it ends."""
    now = to_datetime(now_us)
    number = now.year * 12 + now.month - 1
    year, month = divmod(number + 1, 12)
    ends = now.replace(year=year, month=month + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
    return number, round(ends.timestamp() * 1_000_000)


def _added(state: State | None, count: int, month: int) -> tuple[State | None, int]:
    """An earlier month is worth less; among projects of one month the one with fewer events is given up first."""
    total = (0 if state is None else int(state[0])) + count
    if not total:
        return state, 0
    return (float(total), 0.0, 0.0, month * 1e15 + total), total

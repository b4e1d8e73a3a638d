"""Retention by the words of section 8 of the semantics: a loop over people and their events. Imports nothing of the
product. An event has the keys of `report_lake.an_event`.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.reports_oracle import bucket

Event = Mapping[str, Any]
HOUR_US = 3_600_000_000
UNIT_US = {"day": 24 * HOUR_US, "week": 7 * 24 * HOUR_US, "month": 30 * 24 * HOUR_US}


@dataclass(frozen=True)
class Asked:
    """[lo, hi) is the range, `now` the minute of the question."""

    start: Callable[[Event], bool]
    back: Callable[[Event], bool]
    lo: int
    hi: int
    now: int
    zone: str
    interval: str = "day"
    periods: int = 14
    first_ever: bool = False
    rolling: bool = False
    on_or_after: bool = False

    def number(self, t: int) -> int:
        """Of the bucket, counted from any one."""
        day = date.fromisoformat(bucket(t, self.interval, self.zone)[0])
        if self.interval == "month":
            return day.year * 12 + day.month
        return day.toordinal() // (7 if self.interval == "week" else 1)

    def is_open(self, cohort: str, n: int) -> bool:
        end = self._after(date.fromisoformat(cohort), 1)
        if not self.rolling:
            return self._midnight(self._after(date.fromisoformat(cohort), n + 1)) > self.now
        return min(self._midnight(end), self.hi) - 1 + (n + 1) * UNIT_US[self.interval] > self.now

    def _after(self, day: date, n: int) -> date:
        for _ in range(n):
            if self.interval == "month":
                day = (day + timedelta(days=31)).replace(day=1)
            else:
                day += timedelta(days=7 if self.interval == "week" else 1)
        return day

    def _midnight(self, day: date) -> int:
        return int(datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(self.zone)).timestamp()) * 1_000_000


def start_of(history: Sequence[Event], asked: Asked) -> Event | None:
    """The event that puts a person into a cohort. The history is in (t, id) order."""
    matching = [event for event in history if asked.start(event)]
    if not asked.first_ever:
        matching = [event for event in matching if event["t"] >= asked.lo]
    if matching and asked.lo <= matching[0]["t"] < asked.hi:
        return matching[0]
    return None


def periods_of(history: Sequence[Event], began: Event, asked: Asked) -> set[int]:
    """In which periods the person came back."""
    found = set()
    for event in history:
        if not asked.back(event) or event["t"] < began["t"] or event["id"] == began["id"]:
            continue
        if asked.rolling:
            n = (event["t"] - began["t"]) // UNIT_US[asked.interval]
        else:
            n = asked.number(event["t"]) - asked.number(began["t"])
        found |= set(range(n + 1)) if asked.on_or_after else {n}
    return {n for n in found if n <= asked.periods}


def retention(
    events: Sequence[Event], asked: Asked, value: Callable[[Event], str | None] = lambda _event: None
) -> dict[str | None, dict[str, tuple[int, list[int]]]]:
    """By value of the start event and cohort: its size and the people of each period. Empty cohorts are left out."""
    histories = defaultdict(list)
    for event in sorted(events, key=lambda one: (one["t"], one["id"])):
        histories[event["person"]].append(event)
    found: dict[str | None, dict[str, tuple[int, list[int]]]] = defaultdict(dict)
    for history in histories.values():
        began = start_of(history, asked)
        if began is None:
            continue
        name = bucket(began["t"], asked.interval, asked.zone)[0]
        size, people = found[value(began)].get(name, (0, [0] * (asked.periods + 1)))
        back = periods_of(history, began, asked)
        found[value(began)][name] = size + 1, [count + (n in back) for n, count in enumerate(people)]
    return found

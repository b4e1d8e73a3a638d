"""Trends word by word, event by event: section 8 of the semantics. Imports nothing of the product.

Events have the members of `report_lake`. A question names the zone, the range [lo, hi), the interval and its series,
each with `names` (None: any event), `measure` and perhaps `property`.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.reports_oracle import bucket

Event = Mapping[str, Any]
Series = Mapping[str, Any]
Group = tuple[str, str | None]
QUANTILES = {"median": Fraction(1, 2), "p90": Fraction(9, 10), "p95": Fraction(95, 100), "p99": Fraction(99, 100)}
DAYS = {"wau": 7, "mau": 30}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    zone: str
    lo: int
    hi: int
    interval: str
    series: Sequence[Series]
    breakdown: str | None = None
    limit: int = 10
    as_of: int = 2**62
    without_bots: bool = False
    keep: Callable[[Event], bool] = lambda _event: True
    gap_us: int = 3_600_000_000


@dataclass(frozen=True)
class Line:
    """The values of a series, and how many of its events had no number."""

    values: Sequence[float | None]
    total: float | None
    skipped: int


class Answer:
    def __init__(self, asked: Asked, events: Sequence[Event]) -> None:
        self._asked = asked
        self._events = [one for one in events if one["t"] <= asked.as_of and not (asked.without_bots and one["is_bot"])]
        self.buckets: list[tuple[str, int, int]] = []
        at = asked.lo
        while at < asked.hi:
            name, low, high = bucket(at, asked.interval, asked.zone)
            self.buckets.append((name, max(low, asked.lo), min(high, asked.hi)))
            at = high
        self._sessions = self._all_sessions()
        self.groups = self._groups()

    def line(self, series: Series, group: Group | None) -> Line:
        is_of = self._chooser(series, group)
        lo, hi = self._asked.lo, self._asked.hi
        values = [self._value(series, is_of, low, high) for _name, low, high in self.buckets]
        total = values[-1] if series["measure"] in DAYS else self._value(series, is_of, lo, hi)
        known = [one for one in self._events if is_of(one) and lo <= one["t"] < hi]
        return Line(values, total, sum(number_of(one, series.get("property")) is None for one in known))

    def _chooser(self, series: Series, group: Group | None) -> Callable[[Event], bool]:
        names = series["names"]

        def is_of(event: Event) -> bool:
            if not self._asked.keep(event) or (names is not None and event["name"] not in names):
                return False
            return group is None or self._is_in(group, text_of(event, str(self._asked.breakdown)))

        return is_of

    def _is_in(self, group: Group, value: str | None) -> bool:
        kind, name = group
        if kind == "other":
            return value is not None and ("value", value) not in self.groups
        return value is None if kind == "none" else value == name

    def _value(self, series: Series, is_of: Callable[[Event], bool], low: int, high: int) -> float | None:
        measure = series["measure"]
        if measure == "sessions":
            return len([one for one in self._sessions if low <= one[0]["t"] < high and any(map(is_of, one))])
        if measure in DAYS:
            return len({one["person"] for one in self._trailing(DAYS[measure], high) if is_of(one)})
        found = [one for one in self._events if low <= one["t"] < high and is_of(one)]
        people = len({one["person"] for one in found})
        if measure in ("events", "people"):
            return len(found) if measure == "events" else people
        if measure == "per_person":
            return len(found) / people if people else None
        numbers = [number for one in found if (number := number_of(one, series["property"])) is not None]
        if measure == "sum":
            return sum(numbers)
        if not numbers:
            return None
        if measure in QUANTILES:
            place = QUANTILES[measure] * len(numbers)
            return sorted(numbers)[math.ceil(place) - 1]
        average = sum(numbers) / len(numbers)
        return {"avg": average, "min": min(numbers), "max": max(numbers)}[str(measure)]

    def _trailing(self, days: int, high: int) -> list[Event]:
        last = self._day(high - 1)
        return [
            one
            for one in self._events
            if one["t"] < self._asked.hi and last - timedelta(days=days) < self._day(one["t"]) <= last
        ]

    def _day(self, time_us: int) -> date:
        return (_EPOCH + timedelta(microseconds=time_us)).astimezone(ZoneInfo(self._asked.zone)).date()

    def _all_sessions(self) -> list[list[Event]]:
        histories: dict[str, list[Event]] = {}
        for event in sorted(self._events, key=lambda one: one["t"]):
            histories.setdefault(event["person"], []).append(event)
        found: list[list[Event]] = []
        for history in histories.values():
            found.append([history[0]])
            for before, event in pairwise(history):
                if event["t"] - before["t"] > self._asked.gap_us:
                    found.append([])
                found[-1].append(event)
        return found

    def _groups(self) -> list[Group]:
        """The largest by the total of the first series, then the rest, last those without a value."""
        name, asked = self._asked.breakdown, self._asked
        self.groups = []
        if name is None:
            return []
        first = asked.series[0]
        ranked = {**first, "measure": "people"} if first["measure"] in DAYS else first
        sizes: dict[str, float | None] = {}
        for value in {text_of(event, name) for event in self._ranked_events(first)} - {None}:
            is_of = self._chooser(ranked, ("value", value))
            sizes[str(value)] = self._value(ranked, is_of, asked.lo, asked.hi)
        shown = sorted(sizes, key=lambda one: (sizes[one] is None, -(sizes[one] or 0), one))[: asked.limit]
        groups: list[Group] = [("value", value) for value in shown]
        return [*groups, ("other", None), ("none", None)]

    def _ranked_events(self, first: Series) -> list[Event]:
        is_of = self._chooser(first, None)
        if first["measure"] != "sessions":
            return [one for one in self._events if is_of(one) and self._asked.lo <= one["t"] < self._asked.hi]
        own = [one for one in self._sessions if self._asked.lo <= one[0]["t"] < self._asked.hi]
        return [event for session in own for event in session if is_of(event)]


def number_of(event: Event, name: str | None) -> float | None:
    value = event["properties"].get(name)
    is_number = value is not None and str(value).replace(".", "", 1).isdigit()
    return float(value) if is_number else None


def text_of(event: Event, name: str) -> str | None:
    value = event["properties"].get(name)
    return None if value is None else str(value)


def computed(expression: str, values: Sequence[float | None]) -> float | None:
    """The formula as Python reads it."""
    names = {chr(ord("A") + place): value for place, value in enumerate(values)}
    if any(names[letter] is None for letter in set(expression) & set(names)):
        return None
    try:
        return float(eval(expression, {"__builtins__": {}}, names))
    except ZeroDivisionError:
        return None

"""The matrix of a retention: cohorts by periods, percentages of the cohort, and averages over what has ended."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from iafa.clock import to_iso
from iafa.event import TIME_MAX_US
from iafa.query.buckets import TimeBucket
from iafa.query.rates import percent

Counts = Mapping[tuple[str, str | None, int, int], int]  # people by kind of group, value, cohort and period; -1: all
KINDS = ("value", "other", "none")
SIZE = -1


@dataclass(frozen=True)
class Schedule:
    """The buckets of the cohorts and of the periods after them. `rolling_us` is how long a rolling period is."""

    buckets: Sequence[TimeBucket]
    from_us: int  # of the range
    to_us: int
    periods: int
    as_of_us: int
    rolling_us: int | None
    start_sql: str  # the place of `start_us` among the buckets
    return_sql: str  # and of `time_us`

    @cached_property
    def cohorts(self) -> Sequence[TimeBucket]:
        return [bucket for bucket in self.buckets if bucket.from_us < self.to_us]

    def is_open(self, cohort: int, period: int) -> bool:
        """True while somebody of the cohort may still come back in the period."""
        if self.rolling_us is not None:
            last_us = min(self.buckets[cohort].to_us, self.to_us) - 1
            return last_us + (period + 1) * self.rolling_us > self.as_of_us
        place = cohort + period
        return place >= len(self.buckets) or self.buckets[place].to_us > self.as_of_us


@dataclass
class Matrix:
    """One group's matrix, or everybody's."""

    kind: str = ""
    value: str | None = None
    people: dict[tuple[int, int], int] = field(default_factory=dict)

    @classmethod
    def of_all(cls, counts: Counts) -> "Matrix":
        every = cls()
        for (_kind, _value, cohort, period), people in counts.items():
            every.add(cohort, period, people)
        return every

    @classmethod
    def of_groups(cls, counts: Counts) -> "list[Matrix]":
        """Largest first, ties by value; then what else there is, and last those without a value."""
        found: dict[tuple[str, str | None], Matrix] = {}
        for (kind, value, cohort, period), people in counts.items():
            found.setdefault((kind, value), cls(kind, value)).add(cohort, period, people)
        return sorted(found.values(), key=lambda one: (KINDS.index(one.kind), -one.size, one.value or ""))

    def add(self, cohort: int, period: int, people: int) -> None:
        self.people[cohort, period] = self.people.get((cohort, period), 0) + people

    @property
    def size(self) -> int:
        return sum(people for (_cohort, period), people in self.people.items() if period == SIZE)

    def shown(self, schedule: Schedule) -> dict[str, Any]:
        return {
            "people": self.size,
            "cohorts": [self._cohort(schedule, place) for place in range(len(schedule.cohorts))],
            "averages": [self._average(schedule, period) for period in range(schedule.periods + 1)],
        }

    def _cohort(self, schedule: Schedule, place: int) -> dict[str, Any]:
        bucket, size = schedule.cohorts[place], self.people.get((place, SIZE), 0)
        cells = []
        for period in range(schedule.periods + 1):
            people = self.people.get((place, period), 0)
            is_open = schedule.is_open(place, period)
            cells.append({"n": period, "people": people, "percent": percent(people, size), "is_open": is_open})
        to_us = min(bucket.to_us, schedule.to_us, TIME_MAX_US)
        return {
            "bucket": bucket.name,
            "from": to_iso(bucket.from_us),
            "to": to_iso(to_us),
            "size": size,
            "cells": cells,
        }

    def _average(self, schedule: Schedule, period: int) -> dict[str, Any]:
        """Of the people of all cohorts whose period has ended: large cohorts weigh more."""
        ended = [place for place in range(len(schedule.cohorts)) if not schedule.is_open(place, period)]
        size = sum(self.people.get((place, SIZE), 0) for place in ended)
        people = sum(self.people.get((place, period), 0) for place in ended)
        return {"n": period, "cohorts": len(ended), "size": size, "people": people, "percent": percent(people, size)}

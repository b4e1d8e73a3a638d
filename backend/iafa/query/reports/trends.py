"""Trends: what series of events count by hour, day, week or month, by group, and what formulas make of them."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.breakdown import NONE, OTHER, VALUE
from iafa.query.buckets import TimeBucket, buckets
from iafa.query.engine_duckdb import Reading
from iafa.query.field_errors import FieldErrors
from iafa.query.reports.bucketing import Bucketing, bucketing, range_of_data
from iafa.query.reports.formulas import evaluate, series_of
from iafa.query.reports.frame import Frame, Setting, refused
from iafa.query.reports.report import Table
from iafa.query.reports.trend_counts import (
    NONE_PLACE,
    OTHER_PLACE,
    Cell,
    Point,
    TrendCounts,
    active_from_us,
    count,
)
from iafa.query.reports.trend_question import Formula, TrendQuestion, parse_question
from iafa.query.reports.trend_removed import RAW, REMOVED, RemovedDays, Shown, can_use, known_bounds, removed_days

POINTS_MAX = 20_000  # about 4 MB of JSON
_COLUMNS = ("value", "events", "events_scaled", "people", "skipped", "source", "is_exact", "is_incomplete")
_TABLE = ("series", "measure", "group", "group_value", "date", *_COLUMNS)


@dataclass(frozen=True)
class Trends:
    """The report of a question."""

    name: ClassVar[str] = "trends"
    question: TrendQuestion

    @property
    def frame(self) -> Frame:
        return self.question.frame

    def with_frame(self, frame: Frame) -> "Trends":
        return Trends(replace(self.question, frame=frame))

    def span(self) -> tuple[int, int]:
        frame = self.frame
        from_us, to_us = frame.sessions_span or (frame.from_us, frame.to_us)
        return min(from_us, active_from_us(self.question, frame.from_us)), max(to_us, frame.to_us)

    def key(self) -> object:
        question = self.question
        breakdown = question.breakdown
        return [
            [series.key() for series in question.series],
            question.interval,
            [[formula.name, formula.expression] for formula in question.formulas],
            None if breakdown is None else [breakdown.property, breakdown.limit],
        ]

    def check_length(self, snapshot: Snapshot) -> None:
        _buckets(self.question, _shown_range(self.question, snapshot))

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        question, asked = self.question, self.frame.time_range
        shown = _shown_range(question, snapshot)
        parts = _buckets(question, shown)
        counts = count(reading, snapshot, question, shown, parts)
        removed = removed_days(snapshot, question, *shown)
        answer = _Answer(question, counts, removed, shown)
        edges = [(bucket.name, to_iso(bucket.from_us), to_iso(bucket.to_us)) for bucket in parts.buckets]
        return {
            "date_range": asked.shown(*known_bounds(snapshot, question)),
            "interval": question.interval,
            "buckets": [
                {"date": name, "from": from_, "to": to, "is_incomplete": answer.is_incomplete(place)}
                for place, (name, from_, to) in enumerate(edges)
            ],
            "series": [answer.series(place) for place in range(len(question.series))],
            "formulas": [answer.formula(formula) for formula in question.formulas],
            "breakdown": None if question.breakdown is None else {"property": question.breakdown.property},
            "data_from": to_iso(snapshot.first_us) if removed.days and snapshot.first_us is not None else None,
        }

    def table(self, answer: Mapping[str, Any]) -> Table:
        """One row for each bucket of each series, formula and group."""
        return _TABLE, list(_rows(answer))


def parse_trends(fields: Mapping[str, Any], setting: Setting) -> Trends:
    return Trends(parse_question(fields, setting))


class _Answer:
    """The counts as what is shown of them. A bucket or group that is None is all of them."""

    def __init__(
        self, question: TrendQuestion, counts: TrendCounts, removed: RemovedDays, shown: tuple[int, int]
    ) -> None:
        self._question = question
        self._counts = counts
        self._removed = removed
        self._buckets = counts.buckets.buckets
        self._whole = TimeBucket("", *shown)
        self._can_use = [can_use(question, series) for series in question.series]
        places = {cell.place for cell in counts.points if cell.bucket is None and cell.place is not None}
        self._groups = [
            *range(1, len(counts.groups) + 1),
            *(each for each in (OTHER_PLACE, NONE_PLACE) if each in places),
        ]

    def is_incomplete(self, place: int) -> bool:
        return self._counts.buckets.is_incomplete(place, self._question.frame.as_of_us)

    def series(self, place: int) -> dict[str, Any]:
        series = self._question.series[place]
        about = {
            "name": series.name,
            "event_type": series.event_type,
            "measure": series.measure,
            "property": series.number_of,
        }
        return about | self._by_group(lambda bucket, group: self._shown(place, bucket, group))

    def formula(self, formula: Formula) -> dict[str, Any]:
        about = {"name": formula.name, "expression": formula.expression}
        return about | self._by_group(lambda bucket, group: self._computed(formula, bucket, group))

    def _by_group(self, show: "_Show") -> dict[str, Any]:
        found = self._line(show, None)
        groups = None
        if self._question.breakdown is not None:
            groups = [{**self._about_group(group), **self._line(show, group)} for group in self._groups]
        return {**found, "groups": groups}

    def _line(self, show: "_Show", group: int | None) -> dict[str, Any]:
        return {
            "total": _members(show(None, group)),
            "buckets": [
                {"date": bucket.name, **_members(show(place, group)), "is_incomplete": self.is_incomplete(place)}
                for place, bucket in enumerate(self._buckets)
            ],
        }

    def _about_group(self, place: int) -> dict[str, object]:
        if place > 0:
            return {"group": VALUE, "group_value": self._counts.groups[place - 1]}
        return {"group": OTHER if place == OTHER_PLACE else NONE, "group_value": None}

    def _shown(self, place: int, bucket: int | None, group: int | None) -> Shown:
        series = self._question.series[place]
        point = self._counts.point(series, Cell(place, bucket, group))
        span = self._whole if bucket is None else self._buckets[bucket]
        return self._removed.shown(point, series, span, is_usable=self._can_use[place])

    def _computed(self, formula: Formula, bucket: int | None, group: int | None) -> Shown:
        """As exact as what it is made of."""
        values: list[float | None] = [None] * len(self._question.series)
        used = {place: self._shown(place, bucket, group) for place in series_of(formula.node)}
        for place, one in used.items():
            values[place] = one.point.value
        sources = [one.source for one in used.values() if one.source != RAW]
        source = REMOVED if REMOVED in sources else sources[0] if sources else RAW
        return Shown(Point(evaluate(formula.node, values)), source, all(one.is_exact for one in used.values()))


_Show = Callable[[int | None, int | None], Shown]


def _members(shown: Shown) -> dict[str, Any]:
    point = shown.point
    return {
        "value": point.value,
        "events": point.events,
        "events_scaled": point.scaled,
        "people": point.people,
        "skipped": point.skipped,
        "source": shown.source,
        "is_exact": shown.is_exact,
    }


def _shown_range(question: TrendQuestion, snapshot: Snapshot) -> tuple[int, int]:
    """The range, its open sides closed by the data. The bucket of the present lasts until now, not until its last event
    so far: it must not look as if it were complete.
    """
    asked, as_of_us = question.frame.time_range, question.frame.as_of_us
    first_us, last_us = known_bounds(snapshot, question)
    from_us, to_us = range_of_data(asked, replace(snapshot, first_us=first_us, last_us=last_us))
    if asked.end is None and from_us < to_us <= as_of_us:
        names = [buckets(at, at + 1, question.interval, asked.timezone)[0].name for at in (to_us - 1, as_of_us)]
        to_us = as_of_us + 1 if names[0] == names[1] else to_us
    return from_us, to_us


def _buckets(question: TrendQuestion, shown: tuple[int, int]) -> Bucketing:
    """ValidationFailed for more buckets or numbers than an answer may hold."""
    found = bucketing(*shown, question.interval, question.frame.time_range.timezone)
    groups = 1 if question.breakdown is None else question.breakdown.limit + 3
    points = (len(question.series) + len(question.formulas)) * groups * len(found.buckets)
    if points > POINTS_MAX:
        message = f"an answer has at most {POINTS_MAX:,} numbers, this one would have {points:,} (series and formulas "
        message += "times groups times buckets): ask for fewer, for a shorter range or for longer buckets"
        errors = FieldErrors()
        errors.add("/series", "range_too_long", message)
        raise refused(errors)
    return found


def _rows(answer: Mapping[str, Any]) -> Iterator[list[object]]:
    for line in (*answer["series"], *answer["formulas"]):
        name, measure = line["name"], line.get("measure", "formula")
        for group in ({"group": None, "group_value": None, **line}, *(line["groups"] or ())):
            for bucket in group["buckets"]:
                about = [name, measure, group["group"], group["group_value"], bucket["date"]]
                yield [*about, *(bucket[column] for column in _COLUMNS)]

"""What each series of a trend counts, by bucket and group: one statement for all series that are made of events, one
for those of sessions, and one for each trailing number of days.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from msgspec import structs

from iafa.clock import US_PER_DAY
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import numeric_sql, text_sql
from iafa.query.reports.bucketing import Bucketing, bucketing, day_number, day_number_sql
from iafa.query.reports.frame import frame_sql
from iafa.query.reports.session_rule import session_events_sql
from iafa.query.reports.trend_question import ACTIVE_DAYS, NUMERIC, QUANTILES, Series, TrendQuestion
from iafa.query.stages import stage_sql

NONE_PLACE, OTHER_PLACE = -1, 0
Value = float | int | None
_EMPTY = {"events": 0, "people": 0, "sessions": 0, "wau": 0, "mau": 0, "sum": 0.0}
_AGGREGATES = {"sum": "fsum({x})", "avg": "favg({x})", "min": "min({x})", "max": "max({x})"}


class Point(NamedTuple):
    """What a series has in one bucket, or in all of them. A count that the measure has no use for is None."""

    value: Value
    events: int | None = None
    people: int | None = None
    scaled: int | None = None
    skipped: int | None = None


class Cell(NamedTuple):
    """None: all buckets, all groups."""

    series: int
    bucket: int | None
    place: int | None


@dataclass
class TrendCounts:
    """`groups` are the values that are shown, largest first; place 1 is the first one."""

    buckets: Bucketing
    groups: Sequence[str] = ()
    points: dict[Cell, Point] = field(default_factory=dict)

    def point(self, series: Series, cell: Cell) -> Point:
        return self.points.get(cell) or empty_point(series)


def empty_point(series: Series) -> Point:
    """Of a bucket without events."""
    value = _EMPTY.get(series.measure)
    if series.is_counted:
        return Point(value, 0, 0 if series.needs_people else None)
    return Point(value, 0, skipped=0) if series.measure in NUMERIC else Point(value)


def active_from_us(question: TrendQuestion, from_us: int) -> int:
    """From where on events count for a range that begins at `from_us`: the trailing days reach before it. Days have
    up to 25 hours, and two more are read than needed.
    """
    days = max((ACTIVE_DAYS.get(one.measure, 0) for one in question.series), default=0)
    return from_us - (days + 2) * US_PER_DAY if days else from_us


def count(
    reading: Reading, snapshot: Snapshot, question: TrendQuestion, shown: tuple[int, int], buckets: Bucketing
) -> TrendCounts:
    """Over the buckets of what is shown: the frame's range with its open sides closed."""
    found = TrendCounts(buckets)
    span = shown[0], min(shown[1], question.frame.exists_to_us)
    if not buckets.buckets or span[0] >= span[1]:
        return found
    counter = _Counter(reading, snapshot, question, span, found)
    if question.breakdown is not None:
        found.groups = counter.largest_groups()
    counter.count_events()
    counter.count_sessions()
    counter.count_active()
    return found


class _Counter:
    def __init__(
        self,
        reading: Reading,
        snapshot: Snapshot,
        question: TrendQuestion,
        span: tuple[int, int],
        found: TrendCounts,
    ) -> None:
        self._reading = reading
        self._snapshot = snapshot
        self._question = question
        self._span = span
        self._found = found
        self._zone = question.frame.time_range.timezone

    def largest_groups(self) -> list[str]:
        breakdown, first = self._question.breakdown, self._question.series[0]
        assert breakdown is not None
        parameters = Parameters(groups_max=breakdown.limit)
        if first.measure == "sessions":
            marked, measure = self._marked_sessions([0], parameters), "count(distinct session)"
        else:
            marked = self._marked([0], parameters, with_bucket=False)
            measure = "count(distinct person)" if first.measure in ACTIVE_DAYS else _value_sql(0, first)
        text = sql_text("trend_groups", marked=marked, mark="m0", measure=measure)
        return [str(value) for (value,) in self._reading.rows(text, parameters.values)]

    def count_events(self) -> None:
        chosen = [place for place, one in enumerate(self._question.series) if one.is_counted or one.measure in NUMERIC]
        if not chosen:
            return
        parameters = Parameters()
        series = [self._question.series[place] for place in chosen]
        if all(one.measure == "events" and not one.needs_people for one in series):
            # Numbers of equal events are as good as the events, and far fewer.
            marked = self._rows_of_types(chosen, parameters)
            measures = [sql for place in chosen for sql in _summed(place)]
        else:
            marked = self._grouped(self._marked(chosen, parameters), parameters)
            measures = [sql for place in chosen for sql in _measures(place, self._question.series[place])]
        for bucket, group, *values in self._rows(marked, measures, parameters):
            numbers = iter(values)
            for place in chosen:
                point = _point(self._question.series[place], numbers)
                self._found.points[Cell(place, bucket, group)] = point

    def count_sessions(self) -> None:
        """A session is of the bucket in which it begins, and of each series that means one of its events."""
        chosen = [place for place, one in enumerate(self._question.series) if one.measure == "sessions"]
        if not chosen:
            return
        parameters = Parameters()
        marked = self._grouped(self._marked_sessions(chosen, parameters), parameters)
        measures = [f"count(distinct session) filter (where m{place})" for place in chosen]
        for bucket, group, *values in self._rows(marked, measures, parameters):
            for place, value in zip(chosen, values, strict=True):
                assert isinstance(value, int)
                self._found.points[Cell(place, bucket, group)] = Point(value)

    def count_active(self) -> None:
        for place, series in enumerate(self._question.series):
            if series.measure not in ACTIVE_DAYS:
                continue
            is_grouped = self._question.breakdown is not None
            for each in (False, True) if is_grouped else (False,):
                self._count_active(place, ACTIVE_DAYS[series.measure], is_grouped=each)

    def _count_active(self, number: int, days: int, *, is_grouped: bool) -> None:
        parameters = Parameters(active_days=days)
        from_us, to_us = active_from_us(self._question, self._span[0]), self._span[1]
        marked = self._marked([number], parameters, span=(from_us, to_us), with_value=is_grouped)
        if is_grouped:
            marked = self._grouped(marked, parameters)
        text = sql_text(
            "trend_active", marked=marked, mark=f"m{number}", place="place" if is_grouped else "null::bigint"
        )
        changes: dict[int | None, dict[int, int]] = {}
        for group, day, change in self._reading.rows(text, parameters.values):
            assert isinstance(day, int)
            assert isinstance(change, int)
            assert group is None or isinstance(group, int)
            changes.setdefault(group, {})[day] = change
        last_days = [day_number(bucket.to_us - 1, self._zone) for bucket in self._found.buckets.buckets]
        for group, of_group in changes.items():
            values = _running(of_group, last_days)
            cells = [Cell(number, bucket, group) for bucket in range(len(values))]
            self._found.points |= {cell: Point(value) for cell, value in zip(cells, values, strict=True)}
            self._found.points[Cell(number, None, group)] = Point(values[-1])

    def _rows(
        self, marked: str, measures: Sequence[str], parameters: Parameters
    ) -> Iterator[tuple[int | None, int | None, *tuple[object, ...]]]:
        is_grouped = self._question.breakdown is not None
        text = sql_text(
            "trend_counts",
            keys="bucket, place" if is_grouped else "bucket, null::bigint as place",
            measures=", ".join(measures),
            marked=marked,
            sets="(bucket, place), (bucket), (place), ()" if is_grouped else "(bucket), ()",
        )
        for bucket, place, *values in self._reading.rows(text, parameters.values):
            assert bucket is None or isinstance(bucket, int)
            assert place is None or isinstance(place, int)
            yield bucket, place, *values

    def _grouped(self, marked: str, parameters: Parameters) -> str:
        if self._question.breakdown is None:
            return marked
        parameters.values["groups"] = list(self._found.groups)
        return sql_text("trend_places", marked=marked)

    def _marked(
        self,
        chosen: Sequence[int],
        parameters: Parameters,
        *,
        span: tuple[int, int] | None = None,
        with_bucket: bool = True,
        with_value: bool = True,
    ) -> str:
        """The events of some series. Their own names, m0, m1, ... and x0, x1, ..., say which one is meant."""
        question = self._question
        series = {place: question.series[place] for place in chosen}
        breakdown = question.breakdown if with_value else None
        names = [one.number_of for one in series.values() if one.number_of is not None]
        names += [breakdown.property] if breakdown is not None else []
        snapshot = self._snapshot
        needs_people = any(one.needs_people or one.measure in ACTIVE_DAYS for one in series.values())
        if not needs_people:
            snapshot = replace(snapshot, identities=None)  # whose events they are makes no difference
        columns = {"sample_rate"} if any(one.is_counted for one in series.values()) else set()
        events = frame_sql(
            question.frame,
            snapshot,
            parameters,
            columns=columns,
            matchers=[one.matcher for one in series.values()],
            properties=names,
            span=span or self._span,
        )
        kept = [*(["person"] if needs_people else []), *sorted(columns), *self._marks(chosen, parameters)]
        if span is not None:
            kept.append(f"{day_number_sql(*span, self._zone)} as day")
        elif with_bucket:
            kept.append(f"{self._found.buckets.sql} as bucket")
        kept += [
            f"{numeric_sql(one.number_of, parameters)} as x{place}" for place, one in series.items() if one.number_of
        ]
        if breakdown is not None:
            kept.append(f"{text_sql(breakdown.property, parameters)} as value")
        return sql_text("trend_marks", columns=", ".join(kept), events=events)

    def _rows_of_types(self, chosen: Sequence[int], parameters: Parameters) -> str:
        """How many equal events there are; where types alone tell the series, they are told apart afterwards."""
        question = self._question
        matchers = [question.series[place].matcher for place in chosen]
        if question.breakdown is not None or any(one.filters or one.page for one in matchers):
            return sql_text("trend_rows", marked=self._grouped(self._marked(chosen, parameters), parameters))
        columns = {"event_type", "sample_rate"}
        stored = replace(self._snapshot, identities=None)
        events = frame_sql(question.frame, stored, parameters, columns=columns, matchers=matchers, span=self._span)
        kept = f"event_type, sample_rate, {self._found.buckets.sql} as bucket"
        rows = sql_text("trend_rows", marked=sql_text("trend_marks", columns=kept, events=events))
        return sql_text("trend_marks", columns=", ".join(("*", *self._marks(chosen, parameters))), events=rows)

    def _marked_sessions(self, chosen: Sequence[int], parameters: Parameters) -> str:
        question = self._question
        breakdown = question.breakdown
        computed = self._marks(chosen, parameters)
        if breakdown is not None:
            computed.append(f"{text_sql(breakdown.property, parameters)} as value")
        events = session_events_sql(
            question.frame,
            self._snapshot,
            parameters,
            matchers=[question.series[place].matcher for place in chosen],
            properties=[breakdown.property] if breakdown is not None else (),
            computed=computed,
        )
        buckets = self._found.buckets.buckets
        span = buckets[0].from_us, buckets[-1].to_us
        bucket = bucketing(*span, question.interval, self._zone, time="session_start_us").sql
        return sql_text("trend_marks", columns=f"*, {bucket} as bucket", events=events)

    def _marks(self, chosen: Sequence[int], parameters: Parameters) -> list[str]:
        """Where all series mean the same events, those are the only ones that are read."""
        matchers = {place: self._question.series[place].matcher for place in chosen}
        is_one = len({structs.replace(matcher, name="") for matcher in matchers.values()}) == 1
        marks = {place: "true" if is_one else stage_sql(matcher, parameters) for place, matcher in matchers.items()}
        return [f"{mark} as m{place}" for place, mark in marks.items()]


def _measures(place: int, series: Series) -> list[str]:
    """In the order in which `_point` takes them."""
    measures = ["count(*)"]
    if series.is_counted:
        measures += ["sum(1 / sample_rate)", "min(sample_rate)"]
        measures += ["count(distinct person)"] if series.needs_people else []
    else:
        measures += [f"count(x{place})", _value_sql(place, series)]
    return [f"{measure} filter (where m{place})" for measure in measures]


def _summed(place: int) -> list[str]:
    """What `_measures` says of events, from rows that stand for several of them."""
    sums = ("sum(events)", "sum(events / sample_rate)", "min(sample_rate)")
    events, *more = [f"{measure} filter (where m{place})" for measure in sums]
    return [f"coalesce({events}, 0)", *more]


def _value_sql(place: int, series: Series) -> str:
    if series.measure in QUANTILES:
        return f"quantile_disc(x{place}, {QUANTILES[series.measure]})"
    if series.measure in NUMERIC:
        return _AGGREGATES[series.measure].format(x=f"x{place}")
    people = "count(distinct person)"
    return {"events": "count(*)", "people": people, "per_person": f"count(*) / {people}"}[series.measure]


def _point(series: Series, numbers: Iterator[object]) -> Point:
    events = _whole(next(numbers))
    if not series.is_counted:
        known, value = _whole(next(numbers)), _finite(next(numbers))
        return Point(value if known else _EMPTY.get(series.measure), events, skipped=events - known)
    scaled, least = _finite(next(numbers)), _finite(next(numbers))
    people = _whole(next(numbers)) if series.needs_people else None
    value = events if series.measure == "events" else people
    if series.measure == "per_person":
        value = events / people if people else None
    is_sampled = scaled is not None and least is not None and least < 1
    return Point(value, events, people, round(scaled) if is_sampled and scaled is not None else None)


def _whole(number: object) -> int:
    assert isinstance(number, int)
    return number


def _finite(number: object) -> float | None:
    """A sum of large numbers may be beyond what a number can be."""
    assert number is None or isinstance(number, int | float)
    return None if number is None or not math.isfinite(number) else number


def _running(changes: Mapping[int, int], days: Sequence[int]) -> list[int]:
    """The sum of all changes up to each of the days, which ascend."""
    waiting = sorted(changes.items(), reverse=True)
    total, found = 0, []
    for day in days:
        while waiting and waiting[-1][0] <= day:
            total += waiting.pop()[1]
        found.append(total)
    return found

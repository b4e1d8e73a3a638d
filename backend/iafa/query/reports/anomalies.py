"""Anomalies: days on which a type of event was counted far from what its trend and its weekday let expect."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import numpy as np

from iafa.clock import US_PER_S
from iafa.event import NAME_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import ANY_EVENT
from iafa.query.engine_duckdb import Reading
from iafa.query.reports.anomaly_text import finding_text, no_data_text, too_little_text
from iafa.query.reports.bucketing import Bucketing, bucketing
from iafa.query.reports.expectation import HISTORY_DAYS, HISTORY_MIN, Expectation, Floats, expectation
from iafa.query.reports.frame import Frame, FrameReader, Setting, frame_sql
from iafa.query.reports.report import Table
from iafa.query.time_range import TIME_MIN_US, resolve_time_range, start_of_day_us

MEASURES = ("events", "people")
SENSITIVITIES = {"medium": 4.0, "low": 6.0, "high": 3.0}  # the score that flags; the first is the default
TYPES_DEFAULT, TYPES_MAX = 10, 50
DAYS_DEFAULT, DAYS_MAX = 28, 366
FINDINGS_MAX = 200
FIELDS = ("measure", "sensitivity", "events", "limit")
_COLUMNS = ("event_type", "bucket", "measure", "value", "expected", "low", "high", "score", "direction", "text")


@dataclass(frozen=True)
class Anomalies:
    """The whole days of the range are judged, by up to six weeks before each. Without `events`: all events together,
    and the `types` most frequent types."""

    name: ClassVar[str] = "anomalies"
    frame: Frame
    measure: str = MEASURES[0]
    sensitivity: str = "medium"
    events: tuple[str, ...] = ()
    types: int = TYPES_DEFAULT

    def with_frame(self, frame: Frame) -> "Anomalies":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        """The days of history too, each from its local midnight."""
        first = _local_day(min(self.frame.from_us, self.frame.as_of_us), self.frame.time_range.timezone)
        past = start_of_day_us(first - timedelta(days=HISTORY_DAYS + 1), ZoneInfo(self.frame.time_range.timezone))
        return min(past, self.frame.from_us), min(self.frame.to_us, self.frame.as_of_us + 1)

    def key(self) -> object:
        return [self.measure, self.sensitivity, self.events, self.types]

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        from_us, to_us = self.span()
        days = _whole_days(from_us, to_us, self.frame.time_range.timezone)
        names = self.events or (ANY_EVENT, *self._frequent(reading, snapshot))
        counts = self._counts(reading, snapshot, names, days)
        present = self._present(reading, snapshot, days)
        judged = _Judged(self, days, names, counts, present, snapshot.first_us)
        series = [judged.series(place) for place in range(len(names))]
        findings = sorted(judged.findings, key=lambda one: (-abs(one["score"]), one["bucket"], one["event_type"]))
        return {
            "measure": self.measure,
            "sensitivity": self.sensitivity,
            "threshold": SENSITIVITIES[self.sensitivity],
            "days_judged": len(judged.judged_places),
            "findings_total": len(findings),
            "findings": findings[:FINDINGS_MAX],
            "days_without_data": judged.days_without_data(),
            "series": series,
        }

    def table(self, answer: Mapping[str, Any]) -> Table:
        return _COLUMNS, [[one[name] for name in _COLUMNS] for one in answer["findings"]]

    def _frequent(self, reading: Reading, snapshot: Snapshot) -> tuple[str, ...]:
        """Of the history too: what has ceased is looked at."""
        parameters = Parameters(types=self.types)
        events = frame_sql(self.frame, snapshot, parameters, columns=("event_type",), span=self.span())
        rows = reading.rows(sql_text("anomaly_names", events=events), parameters.values)
        return tuple(str(name) for (name,) in rows)

    def _counts(self, reading: Reading, snapshot: Snapshot, names: Sequence[str], days: Bucketing) -> Floats:
        """A row per name, a column per day."""
        counts = np.zeros((len(names), len(days.buckets)))
        parameters = Parameters()
        events = frame_sql(self.frame, snapshot, parameters, columns=("event_type",), span=self.span())
        listed = f"({', '.join(parameters.bind(name) for name in names)})"
        text = sql_text("anomaly_days", events=events, names=listed, day=days.sql)
        for is_all, name, day, count, people in reading.rows(text, parameters.values):
            key = ANY_EVENT if is_all else str(name)
            if key in names and (is_all or key != ANY_EVENT):
                value = count if self.measure == "events" else people
                counts[names.index(key), int(str(day))] = float(str(value))
        return counts

    def _present(self, reading: Reading, snapshot: Snapshot, days: Bucketing) -> set[int]:
        """The days with any event of the project, whatever is asked for."""
        parameters = Parameters()
        frame = replace(self.frame, filters=(), exclude_bots=False)
        events = frame_sql(frame, snapshot, parameters, span=self.span())
        rows = reading.rows(sql_text("anomaly_present", events=events, day=days.sql), parameters.values)
        return {int(str(day)) for (day,) in rows}


def parse_anomalies(fields: Mapping[str, object], setting: Setting) -> Anomalies:
    """Raises ValidationFailed that names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(FIELDS, can_compare=False)
    measure = reader.choice("measure", MEASURES)
    sensitivity = reader.choice("sensitivity", tuple(SENSITIVITIES))
    events: tuple[str, ...] = ()
    if fields.get("events") is not None:
        given = reader.errors.sequence(fields["events"], "/events", most=TYPES_MAX)
        texts = (reader.errors.text(one, f"/events/{n}", most=NAME_CHARS_MAX) for n, one in enumerate(given))
        events = tuple(dict.fromkeys(texts))
    types = reader.number("limit", TYPES_DEFAULT, most=TYPES_MAX)
    frame = _bounded(frame, reader)
    reader.done()
    return Anomalies(frame, measure, sensitivity, events, types)


def _bounded(frame: Frame, reader: FrameReader) -> Frame:
    """A range without a start is the last four weeks of it; a longer one than a year is refused."""
    asked = frame.time_range
    last_us = min(asked.to_us - 1, frame.as_of_us)
    if asked.from_us == TIME_MIN_US and asked.start is None:
        if len(reader.errors) or last_us < 0:  # before every event there is nothing to judge
            return frame
        start = _local_day(last_us, asked.timezone) - timedelta(days=DAYS_DEFAULT - 1)
        return replace(frame, time_range=resolve_time_range(start.isoformat(), asked.end, timezone=asked.timezone))
    first, last = (_local_day(time_us, asked.timezone) for time_us in (min(asked.from_us, last_us), last_us))
    if (last - first).days >= DAYS_MAX:
        reader.errors.add("/start_date", "range_too_long", f"at most {DAYS_MAX} days are judged at once")
    return frame


def _local_day(time_us: int, timezone: str) -> date:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=max(time_us, 0) // US_PER_S)
    return moment.astimezone(ZoneInfo(timezone)).date()


def _whole_days(from_us: int, to_us: int, timezone: str) -> Bucketing:
    """The days that the span touches, the last one to its end."""
    if to_us <= max(from_us, 0):
        return Bucketing((), "0")
    after = _local_day(to_us - 1, timezone) + timedelta(days=1)
    return bucketing(from_us, start_of_day_us(after, ZoneInfo(timezone)), "day", timezone)


class _Judged:
    """The verdicts on each day, and the words for them."""

    def __init__(
        self,
        asked: Anomalies,
        days: Bucketing,
        names: Sequence[str],
        counts: Floats,
        present: set[int],
        first_us: int | None,
    ) -> None:
        self.asked, self.days, self.names, self.counts, self.present = asked, days, names, counts, present
        self.first_us = first_us
        frame = asked.frame
        self.complete = [not days.is_incomplete(place, frame.as_of_us) for place in range(len(days.buckets))]
        self.shown_places = [place for place, day in enumerate(days.buckets) if day.to_us > frame.from_us]
        self.judged_places = [
            place
            for place in self.shown_places
            if self.complete[place]
            and days.buckets[place].from_us >= frame.from_us
            and days.buckets[place].to_us <= frame.time_range.to_us
        ]
        self.verdicts: Expectation = expectation(self._known(), SENSITIVITIES[asked.sensitivity])
        self.findings: list[dict[str, Any]] = []

    def _known(self) -> Floats:
        """NaN where a count says nothing: a day without any data, an unfinished one, and all up to a type's first."""
        values = self.counts.copy()
        for place in range(values.shape[1]):
            if place not in self.present or not self.complete[place]:
                values[:, place] = np.nan
        for row, counted in zip(values, self.counts, strict=True):
            seen = np.flatnonzero(counted)
            row[: int(seen[0]) + 1 if len(seen) else len(row)] = np.nan
        return values

    def series(self, place: int) -> dict[str, Any]:
        """One type's days of the range. Its findings are kept on the way."""
        shown = [self._bucket(place, day) for day in self.shown_places]
        is_judged = any(one["score"] is not None for one in shown)
        name = self.names[place]
        text = None if is_judged or not self.judged_places else too_little_text(name, HISTORY_MIN)
        return {"event_type": name, "is_judged": is_judged, "text": text, "buckets": shown}

    def _bucket(self, place: int, day: int) -> dict[str, Any]:
        verdicts = self.verdicts
        bucket = self.days.buckets[day]
        value = int(self.counts[place, day])
        made: dict[str, Any] = {"bucket": bucket.name, "value": value}
        score = float(verdicts.score[place, day])
        if day not in self.judged_places or np.isnan(score):
            nothing = dict.fromkeys(("expected", "low", "high", "score"))
            return {**made, **nothing, "is_anomaly": False, "is_incomplete": not self.complete[day]}
        low, high = int(verdicts.low[place, day]), int(verdicts.high[place, day])
        expected = round(float(verdicts.expected[place, day]), 1)
        made |= {"expected": expected, "low": low, "high": high, "score": round(score, 2)}
        is_anomaly = not low <= value <= high
        if is_anomaly:
            found = {"event_type": self.names[place], "measure": self.asked.measure, **made}
            found["direction"] = "down" if value < low else "up"
            self.findings.append(found | {"text": finding_text(found)})
        return {**made, "is_anomaly": is_anomaly, "is_incomplete": False}

    def days_without_data(self) -> list[dict[str, str]]:
        """Judged days with no event of the project at all, after its first one."""
        if self.first_us is None:
            return []
        empty = [self.days.buckets[place] for place in self.judged_places if place not in self.present]
        return [{"bucket": one.name, "text": no_data_text(one.name)} for one in empty if one.from_us > self.first_us]

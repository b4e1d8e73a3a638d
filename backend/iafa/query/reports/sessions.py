"""Sessions by the rule of the semantics: how many, how long, how deep, how many of one event; by time and by source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import Bucket
from iafa.query.engine_duckdb import Reading
from iafa.query.rates import percent
from iafa.query.reports.bucketing import INTERVALS, bucketing, range_of_data
from iafa.query.reports.frame import GROUPS_DEFAULT, Frame, FrameReader, Setting
from iafa.query.reports.report import Table
from iafa.query.reports.visits import DIMENSIONS, visits_sql

GROUPS_MAX = 100
FIELDS = ("interval", "breakdown", "limit")
FIGURES = (
    *("sessions", "people", "events", "page_views", "bounces", "bounce_rate"),
    *("average_seconds", "median_seconds", "events_per_session", "views_per_session"),
)


@dataclass(frozen=True)
class Sessions:
    """Sessions that begin in the range; `breakdown` is one of DIMENSIONS."""

    name: ClassVar[str] = "sessions"
    frame: Frame
    interval: Bucket = "day"
    breakdown: str | None = None
    groups: int = GROUPS_DEFAULT

    def with_frame(self, frame: Frame) -> "Sessions":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        return self.frame.sessions_span or (self.frame.from_us, self.frame.to_us)

    def key(self) -> object:
        return [self.interval, self.breakdown, self.groups]

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        total, buckets = session_series(reading, snapshot, self.frame, self.interval)
        members: dict[str, Any] = {"interval": self.interval, "total": total, "buckets": buckets}
        if self.breakdown is not None:
            groups = session_groups(reading, snapshot, self.frame, self.breakdown, self.groups)
            members["breakdown"] = {"property": self.breakdown, "groups": groups}
        return members

    def table(self, answer: Mapping[str, Any]) -> Table:
        if self.breakdown is not None:
            groups = answer["breakdown"]["groups"]
            return [self.breakdown, "group", *FIGURES], [
                [one["value"], one["group"], *(one[name] for name in FIGURES)] for one in groups
            ]
        return ["bucket", "is_incomplete", *FIGURES], [
            [one["bucket"], one["is_incomplete"], *(one[name] for name in FIGURES)] for one in answer["buckets"]
        ]


def parse_sessions(fields: Mapping[str, object], setting: Setting) -> Sessions:
    """Raises ValidationFailed that names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(FIELDS)
    interval = cast(Bucket, reader.choice("interval", INTERVALS))
    breakdown = None if fields.get("breakdown") is None else reader.choice("breakdown", DIMENSIONS)
    groups = reader.number("limit", GROUPS_DEFAULT, most=GROUPS_MAX)
    reader.done()
    return Sessions(replace(frame, wants_sessions=True), interval, breakdown, groups)


def session_series(
    reading: Reading, snapshot: Snapshot, frame: Frame, interval: Bucket
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The figures of all sessions, and those of each bucket of the time in which they begin."""
    found = bucketing(*range_of_data(frame.time_range, snapshot), interval, frame.time_range.timezone, time="start_us")
    parameters = Parameters()
    visits = visits_sql(frame, snapshot, parameters)
    text = sql_text("session_summary", visits=visits, bucket=found.sql)
    rows = {None if row[0] else row[1]: row[2:] for row in reading.rows(text, parameters.values)}
    buckets = [
        {
            "bucket": bucket.name,
            "is_incomplete": found.is_incomplete(place, frame.as_of_us),
            **figures(rows.get(place)),
        }
        for place, bucket in enumerate(found.buckets)
    ]
    return figures(rows.get(None)), buckets


def session_groups(
    reading: Reading, snapshot: Snapshot, frame: Frame, dimension: str, groups: int
) -> list[dict[str, Any]]:
    """The largest groups, then `other` and `none` where there are such sessions. They add up, but for people."""
    parameters = Parameters(groups=groups)
    visits = visits_sql(frame, snapshot, parameters, (dimension,))
    rows = reading.rows(sql_text("session_groups", visits=visits), parameters.values)
    return [{"value": value, "group": kind, **figures(rest)} for kind, value, *rest in rows]


def figures(row: Sequence[object] | None) -> dict[str, Any]:
    """What is said of some sessions, out of their sums. Averages of none are null."""
    sessions, people, events, views, bounces, length_us, median_us = (
        int(str(value or 0)) for value in (row or (0,) * 7)
    )
    return {
        "sessions": sessions,
        "people": people,
        "events": events,
        "page_views": views,
        "bounces": bounces,
        "bounce_rate": percent(bounces, sessions),
        "average_seconds": ratio(length_us, sessions * US_PER_S),
        "median_seconds": ratio(median_us, US_PER_S) if sessions else None,
        "events_per_session": ratio(events, sessions),
        "views_per_session": ratio(views, sessions),
    }


def ratio(part: int, base: int) -> float | None:
    """Half up, at most two decimals, from the integers."""
    return None if base == 0 else ((200 * part + base) // (2 * base)) / 100

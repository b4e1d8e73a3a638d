"""Sessions by the rule of the semantics: how many, how long, how deep, how many of one event; by time and by source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, NamedTuple, cast

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.definition import Bucket
from iafa.query.engine_duckdb import Reading
from iafa.query.rates import percent, ratio
from iafa.query.reports.bucketing import INTERVALS, Bucketing, bucketing, range_of_data
from iafa.query.reports.frame import GROUPS_DEFAULT, Frame, FrameReader, Setting
from iafa.query.reports.report import Table
from iafa.query.reports.visit_counts import count_visits
from iafa.query.reports.visit_tables import VisitsAsked, select_visits
from iafa.query.reports.visits import DIMENSIONS

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

    def check_length(self, snapshot: Snapshot) -> None:
        buckets_of_starts(self.frame, self.interval, snapshot)

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        by = [] if self.breakdown is None else [self.breakdown]
        found = session_tables(reading, snapshot, self.frame, self.interval, by, self.groups)
        members: dict[str, Any] = {"interval": self.interval, "total": found.total, "buckets": found.buckets}
        if self.breakdown is not None:
            members["breakdown"] = {"property": self.breakdown, "groups": found.groups[self.breakdown]}
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


class SessionTables(NamedTuple):
    """Figures of all sessions, of each bucket of the time in which they begin, and by dimension: the largest groups,
    then `other` and `none` where there are such sessions. Groups add up, but for people."""

    total: dict[str, Any]
    buckets: list[dict[str, Any]]
    groups: dict[str, list[dict[str, Any]]]
    pages: list[dict[str, Any]]


def session_tables(
    reading: Reading,
    snapshot: Snapshot,
    frame: Frame,
    interval: Bucket,
    dimensions: Sequence[str],
    groups: int,
    *,
    has_pages: bool = False,
) -> SessionTables:
    """Pages are counted with views and people of the range, also of visits that began before it."""
    found = buckets_of_starts(frame, interval, snapshot)
    asked = VisitsAsked(snapshot, frame, found, dimensions, groups, has_pages)
    counted = count_visits(reading, asked) or select_visits(reading, asked)
    buckets = [
        {
            "bucket": bucket.name,
            "is_incomplete": found.is_incomplete(place, frame.as_of_us),
            **figures(counted.buckets.get(place)),
        }
        for place, bucket in enumerate(found.buckets)
    ]
    listed = {
        name: [{"value": value, "group": kind, **figures(row)} for kind, value, row in rows]
        for name, rows in counted.groups.items()
    }
    pages = [{"page": page, "views": views, "people": people} for page, views, people in counted.pages or ()]
    return SessionTables(figures(counted.total), buckets, listed, pages)


def buckets_of_starts(frame: Frame, interval: Bucket, snapshot: Snapshot) -> Bucketing:
    """Of the times at which sessions begin; ValidationFailed for too many."""
    asked = frame.time_range
    return bucketing(*range_of_data(asked, snapshot), interval, asked.timezone, time="start_us")


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

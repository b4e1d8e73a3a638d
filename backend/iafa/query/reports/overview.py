"""The overview of a web site: visitors, visits, page views; where they came from, what they saw, who is there."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, cast

from iafa.lake.snapshot import Snapshot
from iafa.query.definition import Bucket
from iafa.query.engine_duckdb import Reading
from iafa.query.reports.bucketing import INTERVALS
from iafa.query.reports.frame import Frame, FrameReader, Setting
from iafa.query.reports.present import present_in, present_span
from iafa.query.reports.report import Table
from iafa.query.reports.sessions import FIGURES, buckets_of_starts, session_tables
from iafa.query.reports.visits import DIMENSIONS, Dimension

LISTS_DEFAULT: tuple[Dimension, ...] = (
    *("entry_page", "exit_page", "channel", "referrer", "utm_source", "country", "device", "browser"),
)
GROUPS_DEFAULT, GROUPS_MAX = 10, 100


@dataclass(frozen=True)
class Overview:
    """`lists` are the dimensions of visits beside the pages; `beside` the range the frame has the last minutes."""

    name: ClassVar[str] = "overview"
    frame: Frame
    interval: Bucket = "day"
    lists: tuple[str, ...] = LISTS_DEFAULT
    groups: int = GROUPS_DEFAULT

    def with_frame(self, frame: Frame) -> "Overview":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        return self.frame.sessions_span or (self.frame.from_us, self.frame.to_us)

    def key(self) -> object:
        return [self.interval, self.lists, self.groups]

    def check_length(self, snapshot: Snapshot) -> None:
        buckets_of_starts(self.frame, self.interval, snapshot)

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        found = session_tables(reading, snapshot, self.frame, self.interval, self.lists, self.groups, has_pages=True)
        return {
            "interval": self.interval,
            "total": found.total,
            "buckets": found.buckets,
            "present": present_in(reading, snapshot, self.frame),
            "pages": found.pages,
            "lists": [{"property": name, "groups": groups} for name, groups in found.groups.items()],
        }

    def table(self, answer: Mapping[str, Any]) -> Table:
        """The lists one below the other."""
        rows: list[list[object]] = [["total", None, "value", *(answer["total"][name] for name in FIGURES)]]
        for listed in answer["lists"]:
            for one in listed["groups"]:
                rows.append([listed["property"], one["value"], one["group"], *(one[name] for name in FIGURES)])
        return ["property", "value", "group", *FIGURES], rows


def parse_overview(fields: Mapping[str, object], setting: Setting) -> Overview:
    """Raises ValidationFailed that names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(("interval", "lists", "limit"))
    interval = cast(Bucket, reader.choice("interval", INTERVALS))
    lists: tuple[str, ...] = LISTS_DEFAULT
    if fields.get("lists") is not None:
        given = reader.errors.sequence(fields["lists"], "/lists", most=len(DIMENSIONS))
        lists = tuple(
            dict.fromkeys(reader.errors.choice(one, f"/lists/{n}", DIMENSIONS) for n, one in enumerate(given))
        )
    groups = reader.number("limit", GROUPS_DEFAULT, most=GROUPS_MAX)
    reader.done()
    now_us = frame.as_of_us if frame.is_as_of_given else setting.now_us
    return Overview(replace(frame, wants_sessions=True, beside=present_span(now_us)), interval, lists, groups)

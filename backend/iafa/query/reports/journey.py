"""One person's journey: what they did, by session, with the pauses between, page by page."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, ClassVar

from iafa.clock import US_PER_S, to_iso
from iafa.errors import NotFound
from iafa.event import ID_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.engine_duckdb import Reading
from iafa.query.field_reading import read_text
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.reports.frame import Frame, FrameReader, Setting, frame_sql
from iafa.query.reports.report import Table
from iafa.query.time_range import TIME_MIN_US

LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000


@dataclass(frozen=True)
class Journey:
    """The events after a place, (time, id, arrival), in their order; `who` is a user id or an anonymous id."""

    name: ClassVar[str] = "journey"
    frame: Frame
    who: str
    limit: int = LIMIT_DEFAULT
    after: tuple[int, str, int] | None = None

    def with_frame(self, frame: Frame) -> "Journey":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        """Everything: sessions and the person's other ids do not begin with the range."""
        return TIME_MIN_US, self.frame.exists_to_us

    def key(self) -> object:
        return [self.who, self.limit, self.after]

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        rows = self._rows(reading, snapshot, self._person(reading, snapshot))
        page, more = rows[: self.limit], rows[self.limit :]
        sessions = [
            {"session_start": to_iso(start_us), "events": [_event(row) for row in events]}
            for start_us, events in groupby(page, key=lambda row: int(str(row[0])))
        ]
        place = [int(str(page[-1][1])), str(page[-1][2]), int(str(page[-1][3]))] if more else None
        return {"user_id": self.who, "sessions": sessions, "next_place": place}

    def table(self, answer: Mapping[str, Any]) -> Table:
        columns = ["session_start", "time", "id", "event", "page", "gap_s"]
        return columns, [
            [session["session_start"], *(event[column] for column in columns[1:])]
            for session in answer["sessions"]
            for event in session["events"]
        ]

    def _person(self, reading: Reading, snapshot: Snapshot) -> int:
        """NotFound for somebody who did nothing. An id of a user is looked for first."""
        parameters = Parameters(who=self.who)
        events = frame_sql(self.frame, snapshot, parameters, columns={"user_id", "anonymous_id"}, span=self.span())
        found = reading.rows(sql_text("journey_person", events=events), parameters.values)
        if not found:
            raise NotFound
        return int(str(found[0][0]))

    def _rows(self, reading: Reading, snapshot: Snapshot, person: int) -> Sequence[tuple[object, ...]]:
        """One more than the page has room for."""
        frame = self.frame
        after_us, after_id, after_received_us = self.after or (TIME_MIN_US, "", TIME_MIN_US)
        parameters = Parameters(
            person=person,
            session_gap_us=frame.setting.session_gap_s * US_PER_S,
            range_from_us=frame.from_us,
            range_to_us=frame.to_us,
            after_us=after_us,
            after_id=after_id,
            after_received_us=after_received_us,
            limit=self.limit + 1,
        )
        is_page = f"event_type = {parameters.bind(PAGE_EVENT)} and url is not null"
        text = sql_text(
            "journey",
            events=frame_sql(
                frame, snapshot, parameters, columns={"id", "received_at", "event_type", "url"}, span=self.span()
            ),
            page=f"case when {is_page} then {path_sql()} end",
        )
        return reading.rows(text, parameters.values)


def parse_journey(
    fields: Mapping[str, Any], setting: Setting, *, limit: int = LIMIT_DEFAULT, after: Sequence[str | int] | None = None
) -> Journey:
    """ValidationFailed names every wrong field."""
    reader = FrameReader(fields, setting)
    frame = reader.frame(("user_id",), can_compare=False)
    who = read_text(fields, "user_id", "", reader.errors, most=ID_CHARS_MAX)
    reader.done()
    place = None if after is None else (int(after[0]), str(after[1]), int(after[2]))
    return Journey(frame, who, limit, place)


def _event(row: Sequence[object]) -> dict[str, Any]:
    _start_us, time_us, key, _received_us, event, page, gap_us = row
    gap_s = None if gap_us is None else round(int(str(gap_us)) / US_PER_S, 6)
    return {"id": key, "time": to_iso(int(str(time_us))), "event": event, "page": page, "gap_s": gap_s}

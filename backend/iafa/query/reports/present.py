"""Who is there now: the people of the last minutes, of the overview and by themselves."""

from typing import Any

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.pages import PAGE_EVENT
from iafa.query.reports.frame import Frame, Setting, frame_sql
from iafa.query.time_range import TimeRange

PRESENT_S = 300  # who has done something within it is there


def present_span(now_us: int) -> tuple[int, int]:
    return now_us - PRESENT_S * US_PER_S, now_us + 1


def present_in(reading: Reading, snapshot: Snapshot, frame: Frame) -> dict[str, Any]:
    """Of the events in the span `beside` the frame that pass its filters. Blocks."""
    parameters = Parameters(page_event=PAGE_EVENT)
    events = frame_sql(frame, snapshot, parameters, columns=("event_type",), span=frame.beside)
    ((people, views),) = reading.rows(sql_text("overview_present", events=events), parameters.values)
    return {"people": people, "page_views": views, "seconds": PRESENT_S}


def present(
    engine: DuckEngine, snapshot: Snapshot, *, exclude_bots: bool = False, cancellation: Cancellation | None = None
) -> dict[str, Any]:
    """The same of all events, as of now; only the newest files are opened. Blocks: call it in a thread."""
    now_us = engine.clock.now_us()
    span = present_span(now_us)
    frame = Frame(TimeRange(*span, None, None, "UTC"), now_us, Setting(), exclude_bots=exclude_bots, beside=span)
    read = snapshot.between(*span)
    with engine.reading(read, cancellation) as reading:
        return present_in(reading, read, frame)

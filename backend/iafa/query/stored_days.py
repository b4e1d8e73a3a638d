"""Events by the day on which they came in, with those of bots: one half of how good a project's data is."""

from dataclasses import replace
from typing import NamedTuple

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.source import stored_events_sql


class Stored(NamedTuple):
    events: int
    bots: int


def stored_by_day(
    engine: DuckEngine, snapshot: Snapshot, from_us: int, to_us: int, cancellation: Cancellation | None = None
) -> dict[str, Stored]:
    """By UTC day of receipt in [from_us, to_us); days without events are left out. Blocks."""
    snapshot = _received_between(snapshot, from_us, to_us)
    parameters = Parameters(from_us=from_us, to_us=to_us)
    events = stored_events_sql(snapshot, {"received_at", "is_bot"}, parameters)
    with engine.reading(snapshot, cancellation) as reading:
        rows = reading.rows(sql_text("stored_by_day", events=events), parameters.values)
    found: dict[str, Stored] = {}
    for day, stored, bots in rows:
        assert isinstance(day, str)
        assert isinstance(stored, int)
        assert isinstance(bots, int)
        found[day] = Stored(stored, bots)
    return found


def _received_between(snapshot: Snapshot, from_us: int, to_us: int) -> Snapshot:
    """Only the files that may hold an event received then: no other one is opened or checked."""
    if snapshot.entries is None:
        return snapshot
    entries = tuple(
        file for file in snapshot.entries if file.last_received_us >= from_us and file.first_received_us < to_us
    )
    files = tuple(snapshot.directory / file.path for file in entries)
    rows = sum(file.rows for file in entries) + snapshot.tail.num_rows
    return replace(snapshot, entries=entries, files=files, rows=rows)

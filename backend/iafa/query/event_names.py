"""The event types of a snapshot with counts and last time, for autocomplete."""

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.source import events_sql

LIMIT_MAX = 1_000


def event_names(
    engine: DuckEngine,
    snapshot: Snapshot,
    *,
    search: str | None = None,
    limit: int = 100,
    cancellation: Cancellation | None = None,
) -> list[dict[str, object]]:
    """[{event_type, count, last_seen}], most frequent first; `search` is any part of the name, in any case."""
    parameters = Parameters(limit=min(limit, LIMIT_MAX))
    wanted = "true"
    if search:
        wanted = f"contains(lower(event_type), lower({parameters.bind(search)}))"
    events = events_sql(snapshot, ("event_type", "created_at"), parameters)
    with engine.reading(snapshot, cancellation) as reading:
        rows = reading.rows(sql_text("event_names", events=events, is_wanted=wanted), parameters.values)
    return [
        {"event_type": event_type, "count": count, "last_seen": to_iso(last_us)}
        for event_type, count, last_us in rows
        if isinstance(last_us, int)
    ]

"""Properties and their values for autocomplete, out of the newest events: so many of them that an answer comes fast
however large the data are.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from iafa.clock import to_iso
from iafa.lake.manifest import LakeFile
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.filters import FILTER_COLUMNS, name_of_property, property_columns, property_values_sql, text_sql
from iafa.query.source import stored_events_sql
from iafa.query.worked_out import WORKED_OUT

ROWS_MAX = 300_000  # of the newest files, and the tail; one file is always read
LIMIT_MAX = 500
VALUE_CHARS_MAX = 200  # of a value that is shown; longer ones are left out, a filter could not name a part
NOT_OFFERED = frozenset({"id"})
COLUMNS_OFFERED = (*(name for name in FILTER_COLUMNS if name not in NOT_OFFERED), *WORKED_OUT)


def property_list(
    engine: DuckEngine,
    snapshot: Snapshot,
    *,
    search: str = "",
    event_types: tuple[str, ...] = (),
    limit: int = 100,
    cancellation: Cancellation | None = None,
) -> dict[str, Any]:
    """Properties by frequency, and the built-in columns by name, whose names hold `search` in any case. Blocks."""
    read = newest(snapshot)
    parameters = Parameters(limit=min(limit, LIMIT_MAX), search=search.lower())
    is_wanted = _is_of(event_types, parameters)
    events = stored_events_sql(read, {"event_type", "created_at", "properties"}, parameters)
    with engine.reading(read, cancellation) as reading:
        rows = reading.rows(sql_text("property_list", events=events, is_wanted=is_wanted), parameters.values)
    properties = [
        {
            "name": name,
            "filter": name_of_property(str(name)),
            "events": events_with,
            "types": types,
            "last_seen": to_iso(int(str(last_us))),
        }
        for name, events_with, types, last_us in rows
    ]
    columns = [{"name": name, "filter": f"column:{name}"} for name in sorted(COLUMNS_OFFERED) if search.lower() in name]
    return {"properties": properties, "columns": columns, **_extent(snapshot, read)}


def value_list(
    engine: DuckEngine,
    snapshot: Snapshot,
    name: str,
    *,
    search: str = "",
    event_types: tuple[str, ...] = (),
    limit: int = 50,
    cancellation: Cancellation | None = None,
) -> dict[str, Any]:
    """The values of a property or column as canonical texts, most frequent first. Blocks."""
    read = newest(snapshot)
    parameters = Parameters(limit=min(limit, LIMIT_MAX), search=search.lower(), longest=VALUE_CHARS_MAX)
    columns = {"event_type", "created_at", "properties"} | property_columns(name)
    is_wanted = _is_of(event_types, parameters)
    value = text_sql(name, parameters)  # first: the list of properties is bound with it
    events = stored_events_sql(read, columns, parameters)
    if "properties" in property_columns(name):
        events = property_values_sql(events, parameters)
    with engine.reading(read, cancellation) as reading:
        text = sql_text("value_list", events=events, is_wanted=is_wanted, value=value)
        rows = reading.rows(text, parameters.values)
    values = [
        {"value": value, "events": count, "last_seen": to_iso(int(str(last_us)))} for value, count, last_us in rows
    ]
    return {"property": name, "values": values, **_extent(snapshot, read)}


def newest(snapshot: Snapshot, rows_max: int = ROWS_MAX) -> Snapshot:
    """The same snapshot with the newest files only, by the time of their last event."""
    if snapshot.entries is None:
        return snapshot
    chosen: list[LakeFile] = []
    rows = 0
    for file in sorted(snapshot.entries, key=lambda one: (-one.last_created_us, one.path)):
        if chosen and rows + file.rows > rows_max:
            break
        chosen.append(file)
        rows += file.rows
    files = tuple(snapshot.directory / file.path for file in chosen)
    return replace(snapshot, entries=tuple(chosen), files=files, rows=rows + snapshot.tail.num_rows)


def _is_of(event_types: tuple[str, ...], parameters: Parameters) -> str:
    if not event_types:
        return "true"
    return f"event_type in ({', '.join(parameters.bind(name) for name in event_types)})"


def _extent(snapshot: Snapshot, read: Snapshot) -> Mapping[str, object]:
    """How much was looked at: of less than all, what is rare may be missing."""
    return {
        "rows_read": read.rows,
        "is_complete": read.rows == snapshot.rows,
        "data_version": snapshot.data_version,
    }

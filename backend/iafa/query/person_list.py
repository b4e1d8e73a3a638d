"""The people of a project, who was seen last comes first."""

from dataclasses import dataclass
from typing import Any, NamedTuple

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.entity_names import entity_text
from iafa.query.source import events_sql

LIMIT_MAX = 200
IDS_MAX = 20
_LATEST = 2**63 - 1
Row = dict[str, Any]


class Seen(NamedTuple):
    """The sort key of a person."""

    last_us: int
    key: int


BEFORE_ALL = Seen(_LATEST, _LATEST)


@dataclass(frozen=True)
class PersonPage:
    """`next_place` is None on the last page."""

    rows: list[Row]
    next_place: Seen | None


def person_list(
    engine: DuckEngine,
    snapshot: Snapshot,
    search: str | None,
    after: Seen,
    limit: int,
    cancellation: Cancellation | None = None,
) -> PersonPage:
    """`search` is any part of an id, or of a value that `identify` said, in any case. Blocks."""
    parameters = Parameters(last_us=after.last_us, person=after.key, limit=limit)
    where_found = ""
    if search:
        columns = ("user_hash", "user_id", "anonymous_id", "event_type", "properties", "created_at")
        events = events_sql(snapshot, columns, parameters)
        where_found = sql_text("person_found", events=events, text=parameters.bind(search))
    text = sql_text(
        "person_list", events=events_sql(snapshot, ("user_hash", "created_at"), parameters), where_found=where_found
    )
    with engine.reading(snapshot, cancellation) as reading:
        found: list[tuple[Any, ...]] = reading.rows(text, parameters.values)
        names: dict[int, tuple[Any, ...]] = {}
        if found:
            first_us, last_us = min(row[2] for row in found), max(row[3] for row in found)
            read = snapshot.between(first_us, last_us + 1)
            asked = Parameters(people=[row[0] for row in found], ids_max=IDS_MAX)
            columns = ("user_hash", "user_id", "anonymous_id", "event_type", "created_at", "id")
            named = sql_text("person_names", events=events_sql(read, columns, asked))
            names = {int(str(row[0])): row[1:] for row in reading.rows(named, asked.values)}
    rows = [_row(one, names[one[0]]) for one in found]
    is_last = len(found) < limit
    return PersonPage(rows, None if is_last else Seen(found[-1][3], found[-1][0]))


def _row(found: tuple[Any, ...], named: tuple[Any, ...]) -> Row:
    key, events, first_us, last_us = found
    last_event, users, devices, label = named
    return {
        "entity": entity_text(key),
        "user_id": label,
        "anonymous_id": devices[0] if devices else None,
        "ids": {"users": users or [], "anonymous": devices or []},
        "events": events,
        "first_seen": to_iso(first_us),
        "last_seen": to_iso(last_us),
        "last_event": last_event,
    }

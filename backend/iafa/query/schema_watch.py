"""Which events and properties a project has been sent: types, first and last seen, volume. Read from the events
themselves whenever it is asked for, so that there is nothing to keep in step or to build anew.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from iafa.clock import US_PER_DAY, to_iso
from iafa.lake.rollups import SeenType
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.source import stored_events_sql

EVENT_TYPES_MAX = 500  # the most frequent
PROPERTIES_MAX = 200  # of one event type, the most frequent
EVENTS_MAX = 500_000  # whose properties are looked at, about; of more a part
DAYS_DEFAULT, DAYS_MAX = 30, 3_660
_NUMBERS = frozenset({"integer", "number"})


@dataclass
class _Seen:
    """How often, and from when to when."""

    events: int = 0
    first_us: int = 2**63
    last_us: int = -1

    def add(self, events: int, first_us: int, last_us: int) -> None:
        self.events += events
        self.first_us = min(self.first_us, first_us)
        self.last_us = max(self.last_us, last_us)

    def told(self) -> dict[str, object]:
        return {"events": self.events, "first_seen": to_iso(self.first_us), "last_seen": to_iso(self.last_us)}


@dataclass
class _Property:
    seen: _Seen = field(default_factory=_Seen)
    types: dict[str, _Seen] = field(default_factory=dict)

    def told(self, name: str) -> dict[str, object]:
        types = sorted(self.types.items(), key=lambda item: (-item[1].events, item[0]))
        return {
            "name": name,
            **self.seen.told(),
            "types": [{"type": kind, **seen.told()} for kind, seen in types],
            "is_conflict": is_conflict(self.types),
        }


def is_conflict(types: Iterable[str]) -> bool:
    """More than one type of value. Null is none, and an integer is a number."""
    return len({"number" if kind in _NUMBERS else kind for kind in types} - {"null"}) > 1


def schema_watch(
    engine: DuckEngine, snapshot: Snapshot, *, days: int = DAYS_DEFAULT, cancellation: Cancellation | None = None
) -> dict[str, Any]:
    """Event types of the whole history, removed days included; properties of the last `days` before the last event,
    of very many events by a part of them. Blocks."""
    types, total = _event_types(engine, snapshot, cancellation)
    to_us = max([snapshot.last_us or 0, *(seen.last_us for seen in types.values())]) + 1
    from_us = max(0, to_us - days * US_PER_DAY)
    chosen = sorted(types.items(), key=lambda item: (-item[1].events, item[0]))[:EVENT_TYPES_MAX]
    read = snapshot.between(from_us, to_us)
    parts = max(1, -(-read.rows // EVENTS_MAX))
    parameters = Parameters(
        from_us=from_us, to_us=to_us, names=[name for name, _seen in chosen], parts=parts, most=PROPERTIES_MAX
    )
    properties = _properties(engine, read, parameters, cancellation)
    return {
        "project_id": snapshot.project_id,
        "properties_since": to_iso(from_us) if snapshot.rows else None,
        "properties_share": 1 / parts,
        "event_types_total": max(total, len(types)),
        "event_types": [{"event_type": name, **seen.told(), **properties.get(name, _NOTHING)} for name, seen in chosen],
        "data_version": snapshot.data_version,
    }


_NOTHING: dict[str, Any] = {"properties_total": 0, "properties": []}


def _event_types(
    engine: DuckEngine, snapshot: Snapshot, cancellation: Cancellation | None
) -> tuple[dict[str, _Seen], int]:
    parameters = Parameters(most=EVENT_TYPES_MAX)
    events = stored_events_sql(snapshot, {"event_type", "created_at"}, parameters)
    with engine.reading(snapshot, cancellation) as reading:
        rows: Sequence[Any] = reading.rows(sql_text("schema_event_types", events=events), parameters.values)
    found: dict[str, _Seen] = {}
    for name, count, first_us, last_us, _names in rows:
        found.setdefault(name, _Seen()).add(count, first_us, last_us)
    total = rows[0][-1] if rows else 0
    for one in _rolled_up(snapshot):
        found.setdefault(one.event_type, _Seen()).add(one.events, one.first_us, one.last_us)
    return found, total


def _rolled_up(snapshot: Snapshot) -> list[SeenType]:
    rollups = snapshot.rollups
    return rollups.seen_types() if rollups is not None and rollups.files else []


def _properties(
    engine: DuckEngine, read: Snapshot, parameters: Parameters, cancellation: Cancellation | None
) -> dict[str, dict[str, Any]]:
    events = stored_events_sql(read, {"event_type", "created_at", "properties"}, parameters)
    with engine.reading(read, cancellation) as reading:
        rows: Sequence[Any] = reading.rows(sql_text("schema_properties", events=events), parameters.values)
    found: dict[str, dict[str, _Property]] = {}
    totals: dict[str, int] = {}
    for event_type, name, kind, count, first_us, last_us, total in rows:
        one = found.setdefault(event_type, {}).setdefault(name, _Property())
        one.seen.add(count, first_us, last_us)
        one.types.setdefault(kind, _Seen()).add(count, first_us, last_us)
        totals[event_type] = total
    return {event_type: _told(own, totals[event_type]) for event_type, own in found.items()}


def _told(own: dict[str, _Property], total: int) -> dict[str, Any]:
    ordered = sorted(own.items(), key=lambda item: (-item[1].seen.events, item[0]))
    return {"properties_total": total, "properties": [one.told(name) for name, one in ordered]}

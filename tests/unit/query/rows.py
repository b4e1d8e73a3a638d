"""Rows for query tests: events as plain mappings, to tables of the real schema, to snapshots over real files."""

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from iafa.clock import FakeClock
from iafa.event import identity_hash
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine, QueryLimits

SECOND_US = 1_000_000
NOON_US = 1_763_726_400 * SECOND_US  # 2025-11-21T12:00:00Z


def an_event(name: str, t: int = 0, *, user: str = "u", **properties: Any) -> dict[str, Any]:
    return {"user": user, "t": t, "name": name, "properties": properties}


def table_of(events: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Keys beside `user`, `t`, `name` and `properties` are columns of the schema."""
    return pa.Table.from_pylist([_row(number, event) for number, event in enumerate(events)], schema=EVENT_SCHEMA)


def _row(number: int, event: Mapping[str, Any]) -> dict[str, Any]:
    row = {
        "id": f"e{number}",
        "project_id": "p0projectaaaa",
        "event_type": event["name"],
        "user_id": event["user"],
        "anonymous_id": event.get("anonymous"),
        "user_hash": identity_hash(event["user"] or event["anonymous"]),
        "properties": json.dumps(event["properties"], separators=(",", ":")),
        "created_at": event["t"],
        "received_at": event["t"],
        "is_bot": False,
        "sample_rate": 1.0,
    }
    return row | {key: event[key] for key in event if key not in {"user", "anonymous", "t", "name", "properties"}}


def snapshot_of(
    directory: Path,
    files: Sequence[Sequence[Mapping[str, Any]]],
    tail: Sequence[Mapping[str, Any]] = (),
    *,
    prefix: str = "events",
) -> Snapshot:
    """One Parquet file for each list of events, and a tail. No path may be used twice: choose a prefix."""
    directory.mkdir(parents=True, exist_ok=True)
    paths = []
    for number, events in enumerate(files):
        path = directory / f"{prefix}_{number}.parquet"
        pq.write_table(table_of(events), path)
        paths.append(path)
    times = [event["t"] for events in (*files, tail) for event in events]
    return Snapshot(
        project_id="p0projectaaaa",
        directory=directory,
        files=tuple(paths),
        tail=table_of(tail),
        data_version="7",
        rows=len(times),
        first_us=min(times, default=None),
        last_us=max(times, default=None),
    )


def an_engine(tmp_path: Path, **limits: Any) -> DuckEngine:
    limits = {"timeout_s": 300.0} | limits  # the first question may have to wait for the compiler on a busy machine
    return DuckEngine(QueryLimits(**limits), temp_directory=tmp_path / "spill", clock=FakeClock())


def a_definition(*events: str, **over: Any) -> dict[str, Any]:
    """One stage for each name."""
    stages = [{"name": f"stage {place}", "event": event} for place, event in enumerate(events, start=1)]
    return {"name": "funnel", "stages": stages, "window_seconds": 100} | over

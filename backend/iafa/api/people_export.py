"""Lists of people as files: CSV after RFC 4180, safe to open in a spreadsheet, and NDJSON."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from typing import Any, Literal, cast

import msgspec

from iafa.api.csv_text import csv_lines
from iafa.query.definition import FunnelDefinition

Format = Literal["csv", "ndjson"]
MEDIA_TYPES: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
Rows = AsyncIterator[list[dict[str, object]]]


def filename(stage: int, kind: str, file_format: Format) -> str:
    """Nothing of the funnel's own texts: they may hold any character."""
    return f"people-stage-{stage}-{kind}.{file_format}"


async def lines(rows: Rows, definition: FunnelDefinition, file_format: Format) -> AsyncIterator[bytes]:
    """The file, piece by piece as its rows come."""
    if file_format == "csv":
        yield csv_lines([_header(definition)])
    async for some in rows:
        if file_format == "csv":
            yield csv_lines(_cells(row, definition) for row in some)
        else:
            yield b"".join(msgspec.json.encode(row) + b"\n" for row in some)


def _header(definition: FunnelDefinition) -> list[object]:
    header: list[object] = ["entity", "user_id", "anonymous_id", "steps", "entry_time", "last_event_time", "is_open"]
    if definition.count == "totals":
        header.append("path_number")
    if definition.unit == "session":
        header.append("session_start")
    header += [f"hold:{name}" for name in definition.hold]
    for place in _places(definition):
        header += [f"{place}_time", f"{place}_event_id"]
    return header


def _places(definition: FunnelDefinition) -> Iterator[str]:
    """The stages by kind and number, in the order of the definition."""
    orders = {False: 0, True: 0}
    for stage in definition.stages:
        orders[stage.optional] += 1
        yield f"{'optional' if stage.optional else 'stage'}_{orders[stage.optional]}"


def _cells(row: Mapping[str, Any], definition: FunnelDefinition) -> list[object]:
    cells: list[object] = [
        *(row["entity"], row["user_id"], row["anonymous_id"], row["steps"], row["entry_time"], row["last_event_time"]),
        "true" if row["is_open"] else "false",
    ]
    cells += [row[name] for name in ("path_number", "session_start") if name in row]
    cells += [row["hold"][name] for name in definition.hold]
    filled = {
        f"stage_{step['stage']}" if step["stage"] is not None else f"optional_{step['optional']}": step
        for step in cast(Iterable[Mapping[str, object]], row["path"])
    }
    for place in _places(definition):
        step = filled.get(place, {})
        cells += [step.get("time"), step.get("event_id")]
    return cells

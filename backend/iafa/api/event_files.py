"""Raw events as files: CSV, safe to open in a spreadsheet, and NDJSON. Parquet is made where columns are."""

from collections.abc import Mapping, Set
from typing import Any, Literal

import msgspec

from iafa.api.csv_text import csv_lines
from iafa.query.events.export import EventFile
from iafa.query.events.fields import Fields, parse_fields
from iafa.query.events.parquet_file import ParquetEvents

EventFormat = Literal["csv", "ndjson", "parquet"]
EVENT_MEDIA_TYPES: Mapping[EventFormat, str] = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}


def event_file(file_format: EventFormat, fields: list[str]) -> EventFile:
    """What makes a file of the chosen fields. Raises ValidationFailed for fields that there are not."""
    chosen = parse_fields(fields)
    if file_format == "parquet":
        return ParquetEvents(chosen if fields else None)
    return _Lines(chosen, file_format)


class _Lines:
    def __init__(self, fields: Fields, file_format: EventFormat) -> None:
        self._fields = fields
        self._is_csv = file_format == "csv"

    @property
    def columns(self) -> Set[str]:
        return self._fields.columns

    def begin(self) -> bytes:
        return csv_lines([list(self._fields.names)]) if self._is_csv else b""

    def add(self, events: Any) -> bytes:
        if self._is_csv:
            return csv_lines(self._fields.cells(events))
        return b"".join(msgspec.json.encode(row) + b"\n" for row in self._fields.rows(events))

    def end(self) -> bytes:
        return b""

"""Files and tables of events to `POST /upload`: streamed, in one step, and harmless to repeat."""

import gzip
import logging
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, cast

import httpx

from iafa.client.asking import with_retries
from iafa.client.connection import CONNECT_S, Connection
from iafa.client.delivery import content_of
from iafa.client.errors import InvalidEvent
from iafa.client.values import encoded, plain

UPLOAD_S = 3600.0
ROWS_AT_ONCE = 5_000
GZIP_SUFFIX = ".gz"
FORMATS = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".json": "ndjson",
    ".csv": "csv",
    ".parquet": "parquet",
    ".pq": "parquet",
}
log = logging.getLogger("iafa.client")


@dataclass(frozen=True)
class RowProblem:
    """A refused row, counted from 1. `pointer` names the field."""

    row: int
    code: str
    pointer: str
    message: str


@dataclass(frozen=True)
class Receipt:
    """accepted + duplicates + rejected = the rows that were sent. `errors` has the first 20 refused rows."""

    accepted: int
    duplicates: int
    rejected: int
    first_event: datetime | None
    last_event: datetime | None
    warnings: tuple[str, ...]
    errors: tuple[RowProblem, ...]
    rejected_by_code: Mapping[str, int]


def load(connection: Connection, source: Any, asked: Mapping[str, str | None]) -> Receipt:
    """Send a file or rows, with what the route is asked beside. Raises ApiError, Unreachable, OSError, or InvalidEvent
    for what is no row."""
    if isinstance(source, str | Path):
        path = Path(source)
        is_gzip = path.suffix.lower() == GZIP_SUFFIX
        format = asked.get("format") or format_of(path)
        with path.open("rb") as file:
            return _send(connection, file, {**asked, "format": format}, is_gzip=is_gzip)
    with _spooled(rows_of(source)) as file:
        return _send(connection, file, {**asked, "format": "ndjson"}, is_gzip=True)


def format_of(path: Path) -> str:
    """By the file's name: `.csv`, `.ndjson`, `.jsonl`, `.json`, `.parquet`, the text ones also with `.gz`."""
    suffix = (path.with_suffix("") if path.suffix.lower() == GZIP_SUFFIX else path).suffix.lower()
    if suffix not in FORMATS:
        raise ValueError(f"say which format {path.name} has: format='ndjson', 'csv' or 'parquet'")
    return FORMATS[suffix]


def rows_of(source: Any) -> Iterator[Mapping[str, Any]]:
    """The rows of a DataFrame, without what is missing in them; or the mappings that an iterable gives."""
    if hasattr(source, "iloc") and hasattr(source, "columns"):
        for start in range(0, len(source), ROWS_AT_ONCE):
            for row in source.iloc[start : start + ROWS_AT_ONCE].to_dict("records"):
                found = ((str(name), plain(value)) for name, value in row.items())
                yield {name: value for name, value in found if value is not None}
        return
    if isinstance(source, bytes | Mapping) or not isinstance(source, Iterable):
        raise TypeError("give a path, a DataFrame or an iterable of dicts")
    for number, row in enumerate(source, 1):
        if not isinstance(row, Mapping):
            raise InvalidEvent(f"row {number} is no mapping of names to values")
        yield row


@contextmanager
def _spooled(rows: Iterable[Mapping[str, Any]]) -> Iterator[IO[bytes]]:
    """The rows as a compressed file: memory stays flat, and what broke off can be sent again. The same rows make the
    same bytes, and so the same ids."""
    with TemporaryFile(prefix="iafa-upload-") as file:
        with gzip.GzipFile(filename="", fileobj=file, mode="wb", compresslevel=6, mtime=0) as packed:
            for row in rows:
                packed.write(encoded(row) + b"\n")
        yield file


def _send(connection: Connection, file: IO[bytes], asked: Mapping[str, str | None], *, is_gzip: bool) -> Receipt:
    parameters = {name: value for name, value in asked.items() if value is not None}
    headers = {"content-type": "application/octet-stream"} | ({"content-encoding": "gzip"} if is_gzip else {})
    timeout = httpx.Timeout(UPLOAD_S, connect=CONNECT_S)

    def send() -> httpx.Response:
        file.seek(0)
        return connection.client.post("/upload", params=parameters, content=file, headers=headers, timeout=timeout)

    return _receipt(content_of(with_retries(send)))


def column_map(columns: Mapping[str, str] | None) -> str | None:
    if not columns:
        return None
    if any("," in column for column in columns.values()):
        raise ValueError("a column whose name has a comma cannot be mapped; rename it")
    return ",".join(f"{field}:{column}" for field, column in columns.items())


def _receipt(content: dict[str, Any]) -> Receipt:
    found = {field.name: content.get(field.name) for field in fields(Receipt)}
    for name in ("first_event", "last_event"):
        found[name] = datetime.fromisoformat(content[name]) if content.get(name) else None
    found["warnings"] = tuple(content.get("warnings") or ())
    found["errors"] = tuple(
        RowProblem(*(one.get(field.name) for field in fields(RowProblem))) for one in content.get("errors") or ()
    )
    receipt = Receipt(**cast(Any, found))
    log.debug("uploaded: %d accepted, %d known, %d refused", receipt.accepted, receipt.duplicates, receipt.rejected)
    return receipt

"""Rows of NDJSON, CSV and Parquet files, one after the other, in bounded memory. Knows nothing of events.

A row that cannot be read is yielded with its error; a file that cannot be read raises.
"""

import csv
import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Literal, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from iafa.errors import FieldError, IafaError, InvalidJson, PayloadTooLarge, ValidationFailed
from iafa.event import DropReason
from iafa.ingest.wire import decode_json
from iafa.jobs.upload_values import json_values

Format = Literal["ndjson", "csv", "parquet"]
LINE_BYTES_MAX = 256 * 1024
PARQUET_ROWS_MAX = 4096
PARQUET_BATCH_BYTES = 16 * 1024 * 1024
PARQUET_BUFFER_BYTES = 1024 * 1024
GZIP_MAGIC = b"\x1f\x8b"
DIGEST_BYTES = 16
BOM = b"\xef\xbb\xbf"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_DELIMITERS = ",;\t|"


class Row(NamedTuple):
    """`number` is the row's line in a text file (from 1, a header counts), in Parquet its place from 1."""

    number: int
    cells: dict[str, Any]
    error: FieldError | None = None


@dataclass
class RowFile:
    """An open file: `header` is None where each row names its own members. `digest` is of its whole content."""

    header: tuple[str, ...] | None
    rows: Iterator[Row]
    bytes_total: int
    position: "Position"
    digest: Callable[[], str]
    warnings: list[str] = field(default_factory=list)

    @property
    def bytes_done(self) -> int:
        return min(self.position.bytes_done, self.bytes_total)

    def blocks(self, rows_max: int, bytes_max: int) -> Iterator[list[Row]]:
        """The rows in lists that are bounded both ways."""
        block: list[Row] = []
        began = self.position.bytes_read
        for row in self.rows:
            block.append(row)
            if len(block) == rows_max or self.position.bytes_read - began >= bytes_max:
                yield block
                block, began = [], self.position.bytes_read
        if block:
            yield block


@dataclass
class Position:
    bytes_done: int = 0  # of the file as it lies there
    bytes_read: int = 0  # inflated


def open_rows(path: Path, format: Format, *, is_gzip: bool = False, inflated_bytes_max: int | None = None) -> RowFile:
    """`is_gzip` claims that the file is compressed; text files that are, are found out without it."""
    if format == "parquet":
        return _parquet(path)
    lines = LineFile(path, is_gzip=is_gzip, inflated_bytes_max=inflated_bytes_max)
    if format == "ndjson":
        return RowFile(None, _ndjson(lines), lines.size, lines.position, lines.digest)
    return _csv(lines)


class LineFile:
    """Lines of a text file, perhaps compressed; none is longer than LINE_BYTES_MAX."""

    def __init__(self, path: Path, *, is_gzip: bool = False, inflated_bytes_max: int | None = None) -> None:
        self.position = Position()
        self.size = path.stat().st_size
        self.damage: str | None = None  # what is wrong with the lines since it was last looked at
        self.number = 0
        self._path = path
        self._is_gzip = is_gzip
        self._inflated_bytes_max = inflated_bytes_max

    def digest(self) -> str:
        """Of the text and not of its compression, which has a time in it."""
        digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
        for line in LineFile(self._path, is_gzip=self._is_gzip, inflated_bytes_max=self._inflated_bytes_max):
            digest.update(line)
        return digest.hexdigest()

    def take_damage(self) -> str | None:
        damage, self.damage = self.damage, None
        return damage

    def __iter__(self) -> Iterator[bytes]:
        with open(self._path, "rb") as raw:
            magic = raw.read(2)
            raw.seek(0)
            if self._is_gzip and magic and magic != GZIP_MAGIC:
                raise IafaError("the body is not gzip", code="bad_encoding")
            if magic != GZIP_MAGIC:
                yield from self._lines(raw, raw, None)
                return
            try:
                with closing(gzip.GzipFile(fileobj=raw)) as inflated:
                    yield from self._lines(inflated, raw, self._inflated_bytes_max)
            except (EOFError, gzip.BadGzipFile, zlib.error):
                raise IafaError(
                    "the gzip data are damaged or cut short; nothing was stored", code="bad_encoding"
                ) from None

    def _lines(self, file: IO[bytes] | gzip.GzipFile, raw: IO[bytes], bytes_max: int | None) -> Iterator[bytes]:
        while line := self._read(file, bytes_max):
            rest = line
            while len(rest) == LINE_BYTES_MAX and not rest.endswith(b"\n"):
                self.damage = DropReason.EVENT_TOO_LARGE
                rest = self._read(file, bytes_max)
            self.number += 1
            self.position.bytes_done = raw.tell()
            yield _without_bom(line) if self.number == 1 else line

    def _read(self, file: IO[bytes] | gzip.GzipFile, bytes_max: int | None) -> bytes:
        line = file.readline(LINE_BYTES_MAX)
        self.position.bytes_read += len(line)
        if bytes_max is not None and self.position.bytes_read > bytes_max:
            raise PayloadTooLarge(f"the data have more than {bytes_max} bytes when inflated", limit=bytes_max)
        return line


def _without_bom(line: bytes) -> bytes:
    if line.startswith(_UTF16):
        raise ValidationFailed("the file is UTF-16; save it as UTF-8")
    return line.removeprefix(BOM)


def _ndjson(lines: LineFile) -> Iterator[Row]:
    is_first = True
    for line in lines:
        if not line.strip():
            continue
        if is_first and line.lstrip().startswith(b"["):
            raise ValidationFailed("the file is a JSON list; send one object a line, without commas between them")
        is_first = False
        number = lines.number
        if lines.take_damage():
            yield _bad(number, DropReason.EVENT_TOO_LARGE, f"the line is longer than {LINE_BYTES_MAX} bytes")
            continue
        try:
            row = decode_json(line)
        except InvalidJson:
            yield _bad(number, InvalidJson.code, "the line is not valid JSON in UTF-8")
            continue
        if isinstance(row, dict):
            yield Row(number, row)
        else:
            yield _bad(number, DropReason.VALIDATION, "the line must be a JSON object")


def _csv(lines: LineFile) -> RowFile:
    text = _texts(lines)
    first = next(text, None)
    while first is not None and not first.strip():
        first = next(text, None)
    if first is None:
        raise ValidationFailed("the file is empty; a CSV file begins with the names of its columns")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        names = next(csv.reader([first], delimiter=delimiter, strict=True))
    except csv.Error:
        raise ValidationFailed("the first line cannot be read as the names of columns") from None
    names = [name.strip() for name in names]
    _check_names([name for name in names if name])
    warnings = [f"column {place} has no name and is left out" for place, name in enumerate(names, 1) if not name]
    header = tuple(name for name in names if name)
    return RowFile(header, _csv_rows(lines, text, names, delimiter), lines.size, lines.position, lines.digest, warnings)


def _csv_rows(lines: LineFile, text: Iterator[str], names: list[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    is_named = all(names)
    while True:
        number = lines.number + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            code = lines.take_damage() or DropReason.VALIDATION
            until = f"; lines {number} to {lines.number} were taken for one row" if lines.number > number else ""
            yield _bad(number, code, f"the row is too long or not valid CSV: look at its quotes{until}")
            continue
        damage = lines.take_damage()
        if damage is not None:
            message = "is too long" if damage == DropReason.EVENT_TOO_LARGE else "is not UTF-8"
            yield _bad(number, damage, f"the row {message}")
        elif len(cells) != len(names):
            if cells:
                message = f"the row has {len(cells)} cells where the header has {len(names)}"
                yield _bad(number, DropReason.VALIDATION, message)
        else:
            # An empty cell is a missing value.
            pairs = zip(names, cells, strict=True)
            yield Row(number, {name: cell for name, cell in pairs if cell and (is_named or name)})


def _texts(lines: LineFile) -> Iterator[str]:
    for line in lines:
        try:
            yield line.decode()
        except UnicodeDecodeError:
            lines.damage = lines.damage or DropReason.INVALID_CHARACTER
            yield line.decode(errors="replace")


def _parquet(path: Path) -> RowFile:
    size = path.stat().st_size
    try:
        file = pq.ParquetFile(path, buffer_size=PARQUET_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True)
    except (pa.ArrowException, OSError):
        raise ValidationFailed("the file is not Parquet, or is cut short") from None
    names = list(file.schema_arrow.names)
    _check_names(names)
    position = Position()
    rows = _parquet_rows(file, names, position, size)
    return RowFile(tuple(names), rows, size, position, lambda: _digest(path))


def _digest(path: Path) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=DIGEST_BYTES)).hexdigest()


def _parquet_rows(file: pq.ParquetFile, names: list[str], position: Position, size: int) -> Iterator[Row]:
    number, total = 0, max(1, file.metadata.num_rows)
    groups = (file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
    row_bytes = max(1, sum(groups) // total)
    batch_rows = max(1, min(PARQUET_ROWS_MAX, PARQUET_BATCH_BYTES // row_bytes))
    with file:
        try:
            for batch in file.iter_batches(batch_rows, use_threads=False):
                columns = [json_values(column) for column in batch.columns]
                for cells in zip(*columns, strict=True):
                    number += 1
                    pairs = zip(names, cells, strict=True)
                    yield Row(number, {name: cell for name, cell in pairs if cell is not None})
                position.bytes_done = size * number // total
        except (pa.ArrowException, OSError):
            raise ValidationFailed(
                f"the Parquet file cannot be read after row {number}: it is damaged or has a type without a JSON form"
            ) from None


def _check_names(names: list[str]) -> None:
    repeated = sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
    if repeated or not names:
        raise ValidationFailed("two columns have the same name" if repeated else "the file has no columns")


def _bad(number: int, code: str, message: str) -> Row:
    return Row(number, {}, FieldError("", str(code), message))

"""Events to Arrow to Parquet: the only place where rows are made and files of the lake are written."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from iafa.clock import US_PER_DAY
from iafa.durable import make_dirs, publish, publish_synced, unlink, write_temporary
from iafa.event import TIME_MAX_US, Event, identity_hash
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.bots import bot_marks
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile
from iafa.lake.schema import EVENT_SCHEMA, TIME_TYPE

PART_ROW_GROUP = 122_880
PART_STATISTICS = ["event_type", "user_hash", "created_at", "received_at"]
REPEATING = [
    field.name for field in EVENT_SCHEMA if pa.types.is_string(field.type) and field.name not in ("id", "properties")
]
PARQUET_OPTIONS = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
WRITERS = 8  # more than there are cores: syncs that wait at once share one commit of the file system
_CHECKSUM_CHUNK = 1024 * 1024
Mask = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_EPOCH = date(1970, 1, 1)
CONVERSION_ERRORS = (pa.ArrowException, ValueError, TypeError, OverflowError)


@dataclass(frozen=True)
class Arrival:
    """An event with what the server adds to it."""

    project_id: str
    received_at: int
    event: Event


def to_table(arrivals: Iterable[Arrival], enrichment: Enrichment = PLAIN) -> pa.Table:
    """Rows of EVENT_SCHEMA."""
    rows = list(arrivals)
    return columns_to_table(
        [row.event for row in rows], [row.project_id for row in rows], [row.received_at for row in rows], enrichment
    )


def columns_to_table(
    events: Sequence[Event],
    project_ids: Sequence[str],
    received_at: Sequence[int],
    enrichment: Enrichment = PLAIN,
) -> pa.Table:
    """The same for many rows. Raises one of CONVERSION_ERRORS when a value does not fit its column."""
    users = [event.user_id for event in events]
    anonymous = [event.anonymous_id for event in events]
    ids = [event.id for event in events]
    agents = _texts([event.user_agent for event in events])
    urls = _texts([event.url for event in events])
    hash_of = _IdentityHashes()
    people = [user or visitor or one for user, visitor, one in zip(users, anonymous, ids, strict=True)]
    user_hashes = np.fromiter(map(hash_of.__getitem__, people), dtype=np.int64, count=len(ids))
    columns: dict[str, object] = {
        "id": ids,
        "project_id": list(project_ids),
        "event_type": [event.event_type for event in events],
        "user_id": users,
        "anonymous_id": anonymous,
        "session_id": [event.session_id for event in events],
        "source": [event.source for event in events],
        "properties": _json_texts([event.properties for event in events]),
        "user_hash": user_hashes,
        "url": urls,
        "referrer": [event.referrer for event in events],
        "user_agent": agents,
        "ip_address": [event.ip_address for event in events],
        "created_at": _times([event.created_at for event in events]),
        "received_at": _times(received_at),
        "timezone": [event.timezone for event in events],
        "is_bot": bot_marks(agents),
        "sample_rate": np.array([event.sample_rate for event in events], dtype=np.float64),
    }
    columns |= enrichment.columns(events, agents, urls)
    arrays = [
        _array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(ids), field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


class _IdentityHashes(dict[str, int]):
    """A person has many events: each identity is hashed once."""

    def __missing__(self, identity: str) -> int:
        self[identity] = found = identity_hash(identity)
        return found


def _array(values: object, of_type: pa.DataType) -> pa.Array:
    if isinstance(values, pa.Array):
        return values
    return _texts(values) if isinstance(values, list) else pa.array(values, of_type)


def _texts(values: list[str | None]) -> pa.Array:
    """A column of text. In the usual case, plain ASCII in every row, the texts are joined and copied once."""
    try:
        joined = "".join(values)  # type: ignore[arg-type]  # a None is what the except is for
    except TypeError:
        return pa.array(values, pa.string())
    return _joined(values, joined.encode()) if joined.isascii() else pa.array(values, pa.string())


def _json_texts(raws: list[msgspec.Raw]) -> pa.Array:
    """A column out of encoded JSON texts. The joined bytes are sound UTF-8 only if every text is."""
    joined = b"".join(raws)
    joined.decode()
    return _joined(raws, joined)


def _joined(pieces: Sequence[Any], joined: bytes) -> pa.Array:
    offsets = np.zeros(len(pieces) + 1, dtype=np.int32)
    np.cumsum(np.fromiter(map(len, pieces), dtype=np.int32, count=len(pieces)), out=offsets[1:])
    return pa.StringArray.from_buffers(len(pieces), pa.py_buffer(offsets), pa.py_buffer(joined))


def _times(values: Sequence[int]) -> pa.Array:
    times = np.array(values, dtype=np.int64)
    if len(times) and (times.min() < 0 or times.max() > TIME_MAX_US):
        raise OverflowError("a time is outside the years 1970 to 9999")
    return pa.Array.from_buffers(TIME_TYPE, len(times), [None, pa.py_buffer(times)])


def time_us(table: pa.Table, column: str) -> Int64s:
    """A time column as int64 microseconds."""
    values: Int64s = table.column(column).cast(pa.int64()).to_numpy()
    return values


def split_by_day(table: pa.Table) -> list[tuple[date, pa.Table]]:
    """The rows of each UTC day of the events' own time, in their present order."""
    days = time_us(table, "created_at") // US_PER_DAY
    order = np.argsort(days, kind="stable")
    table = table.take(pa.array(order)) if (np.diff(days) < 0).any() else table
    found, starts = np.unique(days[order], return_index=True)
    ends = np.append(starts, len(days))[1:]
    return [
        (_EPOCH + timedelta(days=int(day)), table.slice(start, end - start))
        for day, start, end in zip(found, starts, ends, strict=True)
    ]


@dataclass(frozen=True)
class PartWriter:
    """Writes immutable Parquet files under their final names, durable when it returns."""

    layout: Layout
    hit: Hit = no_failpoints

    def write(self, project_id: str, path: str, table: pa.Table) -> LakeFile:
        """One file of any size, streamed to the disk."""
        make_dirs(self.layout.tmp)
        temporary = self._temporary(project_id, path)
        _encode(table, temporary)
        self.hit("flush.tmp_written")
        file = _described(path, table, temporary.stat().st_size, file_checksum(temporary))
        publish(temporary, self.layout.project(project_id) / path, area="flush", hit=self.hit)
        return file

    def write_parts(self, project_id: str, parts: Sequence[tuple[str, pa.Table]]) -> list[LakeFile]:
        """Many small files at once: encoded and synced side by side, each folder synced once behind all names."""
        if not parts:
            return []
        make_dirs(self.layout.tmp)
        directory = self.layout.project(project_id)
        temporaries = [self._temporary(project_id, path) for path, _table in parts]
        try:
            with ThreadPoolExecutor(min(WRITERS, len(parts)), thread_name_prefix="part") as pool:
                files = list(pool.map(self._write_temporary, temporaries, parts))
        except OSError:
            for temporary in temporaries:  # a full disk must not stay full of what was not finished
                unlink(temporary)
            raise
        names = [(one, directory / path) for one, (path, _table) in zip(temporaries, parts, strict=True)]
        publish_synced(names, area="flush", hit=self.hit)
        return files

    def _temporary(self, project_id: str, path: str) -> Path:
        return self.layout.tmp / f"{project_id}.{path.replace('/', '_')}"

    def _write_temporary(self, temporary: Path, part: tuple[str, pa.Table]) -> LakeFile:
        path, table = part
        sink = pa.BufferOutputStream()
        _encode(table, sink)
        data = sink.getvalue()
        write_temporary(temporary, data, area="flush", hit=self.hit)
        return _described(path, table, data.size, xxhash.xxh64_hexdigest(data))


def _encode(table: pa.Table, target: Path | pa.BufferOutputStream) -> None:
    """Of a part, which is small and short-lived, only the columns that prune a scan get statistics."""
    empty = {name for name in table.column_names if table.column(name).null_count == table.num_rows}
    pq.write_table(
        table,
        target,
        row_group_size=PART_ROW_GROUP,
        write_statistics=PART_STATISTICS,
        use_dictionary=[name for name in REPEATING if name not in empty],
        **PARQUET_OPTIONS,
    )


def _described(path: str, table: pa.Table, size: int, checksum: str) -> LakeFile:
    """The manifest entry of a written file."""
    created, received = time_us(table, "created_at"), time_us(table, "received_at")
    first = int(created.min())
    return LakeFile(
        path=path,
        date=datetime.fromtimestamp(first // 1_000_000, UTC).date().isoformat(),
        rows=table.num_rows,
        bytes=size,
        xxh64=checksum,
        first_created_us=first,
        last_created_us=int(created.max()),
        first_received_us=int(received.min()),
        last_received_us=int(received.max()),
    )


def describe(source: Path, path: str, table: pa.Table) -> LakeFile:
    """The manifest entry of a file that lies there already, whose rows are given."""
    return _described(path, table, source.stat().st_size, file_checksum(source))


def file_checksum(path: Path) -> str:
    checksum = xxhash.xxh64()
    with open(path, "rb") as file:
        while chunk := file.read(_CHECKSUM_CHUNK):
            checksum.update(chunk)
    return checksum.hexdigest()


def read_files(directory: Path, files: Iterable[LakeFile], columns: list[str] | None = None) -> pa.Table:
    """Rows of several files in their order; page checksums are verified."""
    tables = [
        pq.read_table(directory / file.path, columns=columns, page_checksum_verification=True, partitioning=None)
        for file in files
    ]
    return pa.concat_tables(tables).combine_chunks() if tables else EVENT_SCHEMA.empty_table()


def is_in(values: pa.ChunkedArray, wanted: pa.Array) -> Mask:
    found: Mask = pc.is_in(values, value_set=wanted).to_numpy()
    return found

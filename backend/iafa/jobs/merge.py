"""Merging files into one sorted file: streamed in bounded memory, and read back before anyone may see it."""

import itertools
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.clock import US_PER_DAY
from iafa.durable import sync_file
from iafa.errors import DataDamaged
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.manifest import LakeFile
from iafa.lake.parts import PARQUET_OPTIONS, REPEATING, Int64s, file_checksum
from iafa.lake.schema import COLUMNS, EVENT_SCHEMA

ROW_GROUP_ROWS = 50_000  # small enough that one event type is a few groups of a sorted day
ROW_GROUP_BYTES_MAX = 64 * 1024 * 1024
BATCH_ROWS_MAX = 8192
BATCH_BYTES = 16 * 1024 * 1024
READ_BUFFER_BYTES = 1024 * 1024
SORTED_ROWS = "select * from rows order by event_type, user_hash, created_at, id"
# The sum does not depend on the order, and the inner grouping can spill, which count(distinct) cannot.
_CONTENTS = """
select sum(n)::bigint, sum(hashes)::hugeint, count(*), min(c0), max(c1), min(r0), max(r1)
from (
    select count(*) n, sum(hash($columns)) hashes, min(epoch_us(created_at)) c0, max(epoch_us(created_at)) c1,
        min(epoch_us(received_at)) r0, max(epoch_us(received_at)) r1
    from rows group by hash(id)
)""".replace("$columns", ", ".join(COLUMNS))
_REPEATED_IDS = "select id from rows group by id having count(*) > 1"
_KEYS = ("id", "received_at")
_KEY = ("event_type", "user_hash", "created_at")
_SAMPLE = """
select event_type, user_hash, epoch_us(created_at)
from rows
using sample reservoir(20000 rows) repeatable (1)"""
Key = tuple[str, int, int]  # event type, person, time: rows are sorted by it


@dataclass(frozen=True)
class Contents:
    """What a set of rows is, whatever its order: `checksum` is the sum of the hashes of all columns of each row."""

    rows: int
    checksum: int
    ids: int
    first_created_us: int
    last_created_us: int
    first_received_us: int
    last_received_us: int


@dataclass(frozen=True)
class Merged:
    """A finished file that has no name in the lake yet."""

    temporary: Path
    contents: Contents
    bytes: int
    xxh64: str
    repeats: int

    def file(self, path: str, day: str, *, is_day: bool) -> LakeFile:
        """Its entry in the manifest, under the name that it gets."""
        held = self.contents
        return LakeFile(
            path=path,
            date=day,
            rows=held.rows,
            bytes=self.bytes,
            xxh64=self.xxh64,
            first_created_us=held.first_created_us,
            last_created_us=held.last_created_us,
            first_received_us=held.first_received_us,
            last_received_us=held.last_received_us,
            is_day=is_day,
        )


@dataclass(frozen=True)
class Merger:
    """Merges within `memory_mb` for sorting; what does not fit goes to the folder of the merge."""

    memory_mb: int = 512
    dedup_window_us: int = 7 * US_PER_DAY
    statement: str = SORTED_ROWS
    hit: Hit = no_failpoints

    def merge(self, paths: Sequence[Path], rows: int, folder: Path) -> Merged:
        """Write the rows of the files, `rows` by the manifest, sorted to a synced file in `folder`. Refuses a result
        that is not exactly the rows of the files without the repeats."""
        temporary = folder / "merged.parquet"
        with self._connection(folder) as connection:
            given = contents(connection, Rows(paths))
            if given.rows != rows:
                raise DataDamaged(f"the files hold {given.rows} rows and the manifest says {rows}")
            none = np.empty(0, dtype=np.int64)
            repeats = none if given.ids == given.rows else self._repeats(connection, paths)
            self._write(connection, Rows(paths, without=repeats), temporary)
            self.hit("compact.tmp_written")
            written = contents(connection, Rows([temporary]))
            removed = contents(connection, Rows(paths, only=repeats)) if len(repeats) else None
        removed_rows, removed_checksum = (removed.rows, removed.checksum) if removed else (0, 0)
        if (written.rows + removed_rows, written.checksum + removed_checksum) != (given.rows, given.checksum):
            raise DataDamaged(
                f"the merged file does not hold the rows that went in ({given.rows} rows in, {removed_rows} repeats, "
                f"{written.rows} out); it is refused and the parts stay"
            )
        sync_file(temporary)
        return Merged(temporary, written, temporary.stat().st_size, file_checksum(temporary), removed_rows)

    @contextmanager
    def _connection(self, folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
        config: dict[str, str | bool | int | float | list[str]] = {
            "temp_directory": str(folder),
            "memory_limit": f"{self.memory_mb}MiB",
            "threads": 1,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
        with duckdb.connect(":memory:", config=config) as connection:
            connection.execute("set TimeZone = 'UTC'")
            # Never more than half of what is free: a merge that does not fit fails, collecting goes on.
            spill_mb = shutil.disk_usage(folder).free // 2 // 2**20
            connection.execute("set max_temp_directory_size = $size", {"size": f"{spill_mb}MiB"})
            yield connection

    def _write(self, connection: duckdb.DuckDBPyConnection, rows: "Rows", path: Path) -> None:
        with pq.ParquetWriter(path, EVENT_SCHEMA, use_dictionary=REPEATING, **PARQUET_OPTIONS) as writer:
            waiting: list[pa.RecordBatch] = []
            for batch in self._sorted(connection, rows):
                waiting.append(batch)
                is_full = sum(one.num_rows for one in waiting) >= ROW_GROUP_ROWS
                if is_full or sum(one.nbytes for one in waiting) >= ROW_GROUP_BYTES_MAX:
                    writer.write_table(pa.Table.from_batches(waiting).cast(EVENT_SCHEMA))
                    waiting = []
            if waiting:
                writer.write_table(pa.Table.from_batches(waiting).cast(EVENT_SCHEMA))

    def _sorted(self, connection: duckdb.DuckDBPyConnection, rows: "Rows") -> Iterator[pa.RecordBatch]:
        """All rows in order. What DuckDB cannot sort in memory comes range by range of the key, each read anew: its
        sort cannot move wide rows to the disk (2.0.0 fails to pin a block)."""
        for low, high in itertools.pairwise(self._bounds(connection, rows)):
            with registered(connection, replace(rows, low=low, high=high)):
                yield from connection.sql(self.statement).to_arrow_reader(rows.batch_rows)

    def _bounds(self, connection: duckdb.DuckDBPyConnection, rows: "Rows") -> list[Key | None]:
        """None, keys that cut the rows into pieces of a quarter of the memory, None."""
        memory, size = self.memory_mb * 2**20, rows.size
        if size <= memory // 2:
            return [None, None]
        with registered(connection, replace(rows, columns=_KEY)):
            sample: list[Key] = sorted(connection.sql(_SAMPLE).fetchall())
        pieces = -(-size // (memory // 4))
        cuts = sorted({sample[len(sample) * piece // pieces] for piece in range(1, pieces)})
        return [None, *cuts, None]

    def _repeats(self, connection: duckdb.DuckDBPyConnection, paths: Sequence[Path]) -> Int64s:
        """Places of the rows whose id was received before within the window: the rule of the flusher."""
        with registered(connection, Rows(paths, columns=_KEYS)):
            repeated = connection.sql(_REPEATED_IDS).to_arrow_table().column("id").combine_chunks().cast(pa.string())
        found: list[tuple[str, int, int]] = []
        place = 0
        for batch in Rows(paths, columns=_KEYS).batches():
            hits = np.flatnonzero(pc.is_in(batch.column("id"), value_set=repeated))
            ids = batch.column("id").take(pa.array(hits)).to_pylist()
            received = batch.column("received_at").cast(pa.int64()).take(pa.array(hits)).to_pylist()
            found += zip(ids, received, (hits + place).tolist(), strict=True)
            place += batch.num_rows
        places, kept = [], ("", 0)
        for one, received_us, row in sorted(found):
            if one == kept[0] and received_us - kept[1] <= self.dedup_window_us:
                places.append(row)
            else:
                kept = (one, received_us)
        return np.array(sorted(places), dtype=np.int64)


@dataclass(frozen=True)
class Rows:
    """The rows of files as a stream, one file open at a time and every page checked. Places count from 0."""

    paths: Sequence[Path]
    columns: Sequence[str] = COLUMNS
    without: Int64s | None = None
    only: Int64s | None = None
    low: Key | None = None  # only rows from this key on
    high: Key | None = None  # and before that one

    @property
    def size(self) -> int:
        """Bytes of the rows without compression, as the files say."""
        return sum(_size_of(path) for path in self.paths)

    @property
    def batch_rows(self) -> int:
        """As many as have a bounded size, however wide the rows of these files are."""
        return min(_batch_rows(path) for path in self.paths)

    def batches(self) -> Iterator[pa.RecordBatch]:
        place = 0
        for path in self.paths:
            with _opened(path) as file:
                for batch in file.iter_batches(_batch_rows(path), columns=list(self.columns), use_threads=False):
                    yield self._chosen(batch, place)
                    place += batch.num_rows

    def reader(self) -> pa.RecordBatchReader:
        schema = pa.schema([EVENT_SCHEMA.field(name) for name in self.columns])
        return pa.RecordBatchReader.from_batches(schema, self.batches())

    def _chosen(self, batch: pa.RecordBatch, place: int) -> pa.RecordBatch:
        batch = self._listed(batch, place)
        if self.low is not None:
            batch = batch.filter(_is_from(batch, self.low))
        if self.high is not None:
            batch = batch.filter(pc.invert(_is_from(batch, self.high)))
        return batch

    def _listed(self, batch: pa.RecordBatch, place: int) -> pa.RecordBatch:
        listed = self.only if self.only is not None else self.without
        if listed is None or not len(listed):
            return batch
        here = listed[np.searchsorted(listed, place) : np.searchsorted(listed, place + batch.num_rows)] - place
        mask = np.full(batch.num_rows, self.only is None)
        mask[here] = self.only is not None
        return batch.filter(pa.array(mask))


@contextmanager
def registered(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Iterator[None]:
    """The stream as `rows`, for one statement."""
    connection.register("rows", rows.reader())
    try:
        yield
    finally:
        connection.unregister("rows")


def contents(connection: duckdb.DuckDBPyConnection, rows: Rows) -> Contents:
    with registered(connection, rows):
        (found,) = connection.execute(_CONTENTS).fetchall()
    return Contents(*(int(value or 0) for value in found))


def _opened(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, page_checksum_verification=True, buffer_size=READ_BUFFER_BYTES, pre_buffer=False)


def _is_from(batch: pa.RecordBatch, key: Key) -> pa.BooleanArray:
    """Which rows have this key or a later one."""
    columns = [batch.column("event_type"), batch.column("user_hash"), batch.column("created_at").cast(pa.int64())]
    is_from = pc.greater_equal(columns[2], key[2])
    for column, value in ((columns[1], key[1]), (columns[0], key[0])):
        is_from = pc.or_(pc.greater(column, value), pc.and_(pc.equal(column, value), is_from))
    return is_from


def _batch_rows(path: Path) -> int:
    with _opened(path) as file:
        return int(max(64, min(BATCH_ROWS_MAX, BATCH_BYTES * file.metadata.num_rows // max(1, _size(file)))))


def _size_of(path: Path) -> int:
    with _opened(path) as file:
        return _size(file)


def _size(file: pq.ParquetFile) -> int:
    groups = range(file.metadata.num_row_groups)
    return sum(file.metadata.row_group(number).total_byte_size for number in groups)

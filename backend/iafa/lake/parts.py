"""Events to Arrow to Parquet: the only place where rows are made and files of the lake are written."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from iafa.clock import US_PER_DAY
from iafa.durable import make_dirs, publish
from iafa.event import Event, identity_hash
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile
from iafa.lake.schema import EVENT_SCHEMA

PART_ROW_GROUP = 122_880
PARQUET_OPTIONS = {
    "compression": "zstd",
    "compression_level": 1,
    "write_page_checksum": True,
    "use_dictionary": [name for name in EVENT_SCHEMA.names if name not in ("id", "properties", "user_hash")],
}
_CHECKSUM_CHUNK = 1024 * 1024
Mask = npt.NDArray[np.bool_]
Int64s = npt.NDArray[np.int64]
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Arrival:
    """An event with what the server adds to it."""

    project_id: str
    received_at: int
    event: Event


def to_table(arrivals: Iterable[Arrival]) -> pa.Table:
    """Rows of EVENT_SCHEMA. Enrichment columns stay null until the enrichment step exists."""
    rows = list(arrivals)
    events = [row.event for row in rows]
    columns: dict[str, list[object]] = {
        "id": [event.id for event in events],
        "project_id": [row.project_id for row in rows],
        "event_type": [event.event_type for event in events],
        "user_id": [event.user_id for event in events],
        "anonymous_id": [event.anonymous_id for event in events],
        "session_id": [event.session_id for event in events],
        "source": [event.source for event in events],
        "properties": [bytes(event.properties).decode() for event in events],
        "user_hash": [identity_hash(event.user_id or event.anonymous_id or event.id) for event in events],
        "url": [event.url for event in events],
        "referrer": [event.referrer for event in events],
        "user_agent": [event.user_agent for event in events],
        "ip_address": [event.ip_address for event in events],
        "created_at": [event.created_at for event in events],
        "received_at": [row.received_at for row in rows],
        "timezone": [event.timezone for event in events],
        "is_bot": [False] * len(events),
        "sample_rate": [event.sample_rate for event in events],
    }
    arrays = [
        pa.array(columns[field.name], field.type) if field.name in columns else pa.nulls(len(rows), field.type)
        for field in EVENT_SCHEMA
    ]
    return pa.Table.from_arrays(arrays, schema=EVENT_SCHEMA)


def time_us(table: pa.Table, column: str) -> Int64s:
    """A time column as int64 microseconds."""
    values: Int64s = table.column(column).cast(pa.int64()).to_numpy()
    return values


def split_by_day(table: pa.Table) -> list[tuple[date, pa.Table]]:
    """The rows of each UTC day of the events' own time, in their present order."""
    days = time_us(table, "created_at") // US_PER_DAY
    return [(_EPOCH + timedelta(days=int(day)), table.filter(pa.array(days == day))) for day in np.unique(days)]


@dataclass(frozen=True)
class PartWriter:
    """Writes one immutable Parquet file under its final name, durable when it returns."""

    layout: Layout
    hit: Hit = no_failpoints

    def write(self, project_id: str, path: str, table: pa.Table) -> LakeFile:
        make_dirs(self.layout.tmp)
        temporary = self.layout.tmp / f"{project_id}.{path.replace('/', '_')}"
        pq.write_table(table, temporary, row_group_size=PART_ROW_GROUP, **PARQUET_OPTIONS)
        self.hit("flush.tmp_written")
        file = describe(temporary, path, table)
        publish(temporary, self.layout.project(project_id) / path, area="flush", hit=self.hit)
        return file


def describe(source: Path, path: str, table: pa.Table) -> LakeFile:
    """The manifest entry of a written file."""
    created, received = time_us(table, "created_at"), time_us(table, "received_at")
    first = int(created.min())
    return LakeFile(
        path=path,
        date=datetime.fromtimestamp(first // 1_000_000, UTC).date().isoformat(),
        rows=table.num_rows,
        bytes=source.stat().st_size,
        xxh64=file_checksum(source),
        first_created_us=first,
        last_created_us=int(created.max()),
        first_received_us=int(received.min()),
        last_received_us=int(received.max()),
    )


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

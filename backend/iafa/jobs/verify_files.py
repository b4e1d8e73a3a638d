"""Reading one event file completely: is it what the manifest says, and what the format promises?"""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.clock import US_PER_DAY, to_datetime
from iafa.lake import drop_counts
from iafa.lake.id_files import Hashes
from iafa.lake.ids import id_hashes
from iafa.lake.manifest import LakeFile
from iafa.lake.parts import read_files, time_us
from iafa.lake.schema import EVENT_SCHEMA, FORMAT_KEY, FORMAT_VERSION
from iafa.lake.soundness import difference_of

BATCH_ROWS = 65_536
COMPARED_IDS_MAX = 60_000_000  # 8 bytes each


@dataclass
class _Seen:
    """What the rows of a file really are."""

    rows: int = 0
    first_created_us: int = 2**63 - 1
    last_created_us: int = -(2**63)
    first_received_us: int = 2**63 - 1
    last_received_us: int = -(2**63)

    def add(self, table: pa.Table) -> None:
        created, received = time_us(table, "created_at"), time_us(table, "received_at")
        self.rows += table.num_rows
        self.first_created_us = min(self.first_created_us, int(created.min()))
        self.last_created_us = max(self.last_created_us, int(created.max()))
        self.first_received_us = min(self.first_received_us, int(received.min()))
        self.last_received_us = max(self.last_received_us, int(received.max()))


@dataclass(frozen=True)
class ReadFile:
    """The outcome of reading a file: what is wrong with it, and the hashes of its ids."""

    wrong: str
    hashes: Hashes


def read_completely(path: Path, file: LakeFile, project_id: str) -> ReadFile:
    """Every byte and every row, a batch at a time. Raises FileNotFoundError when the file is gone."""
    nothing = np.empty(0, np.uint64)
    if difference := difference_of(path, file):
        return ReadFile(difference, nothing)
    try:
        return _rows_of(path, file, project_id)
    except (OSError, pa.ArrowException, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        return ReadFile(f"cannot be read: {_first_line(error)}", nothing)


def _rows_of(path: Path, file: LakeFile, project_id: str) -> ReadFile:
    nothing = np.empty(0, np.uint64)
    with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
        if (format_ := _format_of(parquet)) > FORMAT_VERSION:
            return ReadFile(f"has format {format_}; this version reads up to {FORMAT_VERSION}", nothing)
        if not parquet.schema_arrow.equals(EVENT_SCHEMA):
            return ReadFile("has other columns than the format", nothing)
        seen, chunks = _Seen(), []
        for batch in parquet.iter_batches(batch_size=BATCH_ROWS):
            table = pa.Table.from_batches([batch])
            seen.add(table)
            chunks.append(id_hashes(table.column("id")))
            if pc.any(pc.not_equal(table.column("project_id"), project_id)).as_py():
                return ReadFile("holds events of another project", nothing)
    return ReadFile(_difference(seen, file), np.concatenate(chunks) if chunks else np.empty(0, np.uint64))


def _format_of(parquet: pq.ParquetFile) -> int:
    said = (parquet.schema_arrow.metadata or {}).get(FORMAT_KEY.encode(), b"1")
    return int(said)


def _difference(seen: _Seen, file: LakeFile) -> str:
    for name in vars(seen):
        found, said = getattr(seen, name), getattr(file, name)
        if found != said:
            return f"has {name} {found:,}, the manifest says {said:,}"
    days = {time_us // US_PER_DAY for time_us in (seen.first_created_us, seen.last_created_us)}
    if len(days) != 1 or to_datetime(seen.first_created_us).date().isoformat() != file.date:
        return f"holds events of another day than {file.date}"
    return ""


def why_unreadable(path: Path, schema: pa.Schema | None = None) -> str:
    """Why the rows of a Parquet file cannot be read, or are not of the schema; empty when they can."""
    try:
        with pq.ParquetFile(path, page_checksum_verification=True) as parquet:
            if schema is not None and not parquet.schema_arrow.equals(schema):
                return "has other columns than the format"
            for _batch in parquet.iter_batches(batch_size=BATCH_ROWS):
                pass
    except (OSError, pa.ArrowException, ValueError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        return f"cannot be read: {_first_line(error)}"
    return ""


def why_record_unsound(path: Path) -> str:
    """The same of a file of the quarantine: rows, or counts of a day."""
    return drop_counts.why_unsound(path) if path.suffix == ".json" else why_unreadable(path)


def repeated_hashes(hashes: Iterable[Hashes]) -> Hashes:
    """Hashes that occur more than once in all of them together."""
    chunks = list(hashes)
    ordered = np.sort(np.concatenate(chunks)) if chunks else np.empty(0, np.uint64)
    found: npt.NDArray[np.uint64] = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    return found


def repeats_within(directory: Path, files: Iterable[LakeFile], suspects: Hashes, window_us: int) -> dict[str, int]:
    """Ids that are there more than once with no more than the dedup window between their receipts, and how often.

    `suspects` are hashes that met twice: only the rows of these are looked at.
    """
    tables = []
    for file in files:
        table = read_files(directory, [file], columns=["id", "received_at"])
        tables.append(table.filter(pa.array(np.isin(id_hashes(table.column("id")), suspects))))
    rows = pa.concat_tables(tables)
    by_id: dict[str, list[int]] = {}
    for one, received_us in zip(rows.column("id").to_pylist(), time_us(rows, "received_at").tolist(), strict=True):
        by_id.setdefault(one, []).append(received_us)
    repeats = {}
    for one, times in by_id.items():
        times.sort()
        close = sum(later - earlier <= window_us for earlier, later in pairwise(times))
        if close:
            repeats[one] = close + 1
    return repeats


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).partition("\n")[0][:200]

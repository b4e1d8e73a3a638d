"""Files without the rows of people who are being erased: events, who is who, and what lies beside the lake."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.durable import PRIVATE_FILE, make_dirs, publish, unlink
from iafa.errors import DataDamaged
from iafa.failpoints import Hit
from iafa.jobs.merge import ROW_GROUP_ROWS, Rows
from iafa.lake.erasure import ROW_COLUMNS, ErasedPeople
from iafa.lake.identity import EDGE_SCHEMA
from iafa.lake.manifest import LakeFile
from iafa.lake.parts import PARQUET_OPTIONS, REPEATING, file_checksum, time_us
from iafa.lake.schema import EVENT_SCHEMA

_TIMES = ("first_created_us", "last_created_us", "first_received_us", "last_received_us")


def holds_rows_of(path: Path, people: ErasedPeople) -> bool:
    """Whether an event file has rows of theirs; only the hashes are read unless one of them is there. Raises what
    reading raises."""
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(columns=["user_hash"]):
            if people.has_hash(batch.column(0).to_numpy()):
                break
        else:
            return False
        return any(people.mask(batch).any() for batch in file.iter_batches(columns=list(ROW_COLUMNS)))


def names_ids_of(path: Path, people: ErasedPeople) -> bool:
    """The same of a file of identity edges."""
    edges = pq.read_table(path, partitioning=None)
    return any(pc.any(pc.is_in(edges.column(name), value_set=people.ids)).as_py() for name in ("user_id", "other"))


@dataclass
class Rewriting:
    """One event file written anew. `removed` counts rows by the place of their target."""

    people: ErasedPeople
    removed: Counter[int] = field(default_factory=Counter)
    rows: int = 0
    bounds: list[int] = field(default_factory=list)

    def write(self, source: Path, target: Path) -> None:
        """The rows that are left, in their order. The file is not there when there is none."""
        make_dirs(target.parent)
        unlink(target)
        target.touch(PRIVATE_FILE)
        with pq.ParquetWriter(target, EVENT_SCHEMA, use_dictionary=REPEATING, **PARQUET_OPTIONS) as writer:
            waiting: list[pa.Table] = []
            for batch in Rows([source]).batches():
                left = self._left(pa.Table.from_batches([batch]))
                waiting.append(left)
                if sum(one.num_rows for one in waiting) >= ROW_GROUP_ROWS:
                    writer.write_table(pa.concat_tables(waiting).cast(EVENT_SCHEMA))
                    waiting = []
            if waiting:
                writer.write_table(pa.concat_tables(waiting).cast(EVENT_SCHEMA))
        if not self.rows:
            unlink(target)
            return
        with pq.ParquetFile(target, page_checksum_verification=True) as written:
            if written.metadata.num_rows != self.rows or holds_rows_of(target, self.people):
                raise DataDamaged(f"the new file for {source.name} is not what was to be written; the old one stays")

    def entry(self, file: LakeFile, path: str, written: Path) -> LakeFile:
        """What the manifest says of the new file."""
        times = dict(zip(_TIMES, self.bounds, strict=True))
        return msgspec.structs.replace(
            file,
            path=path,
            rows=self.rows,
            bytes=written.stat().st_size,
            xxh64=file_checksum(written),
            **times,
        )

    def _left(self, table: pa.Table) -> pa.Table:
        gone = np.zeros(table.num_rows, dtype=np.bool_)
        for place, target in enumerate(self.people.targets):
            theirs = ErasedPeople((target,)).mask(table)
            self.removed[place] += int((theirs & ~gone).sum())
            gone |= theirs
        left = table.filter(pa.array(~gone)) if gone.any() else table
        if left.num_rows:
            created, received = time_us(left, "created_at"), time_us(left, "received_at")
            found = [int(created.min()), int(created.max()), int(received.min()), int(received.max())]
            pairs = zip(self.bounds or found, found, (min, max, min, max), strict=True)
            self.bounds = [choose(one, other) for one, other, choose in pairs]
            self.rows += left.num_rows
        return left


def clean_aside(path: Path, people: ErasedPeople, folder: Path, hit: Hit) -> int:
    """Remove their rows from a Parquet file that no question reads, in its place; how many. Raises what reading
    raises."""
    if set(pq.read_schema(path).names) >= set(EDGE_SCHEMA.names):
        if not names_ids_of(path, people):
            return 0
        edges = pq.read_table(path, partitioning=None)
        theirs = [pc.is_in(edges.column(name), value_set=people.ids) for name in ("user_id", "other")]
        left = edges.filter(pc.invert(pc.or_(*theirs)))
        temporary = folder / "aside.parquet"
        make_dirs(folder)
        pq.write_table(left, temporary)
        publish(temporary, path, area="erase", hit=hit)
        return int(edges.num_rows - left.num_rows)
    if not set(ROW_COLUMNS) <= set(pq.read_schema(path).names) or not holds_rows_of(path, people):
        return 0
    rewriting, temporary = Rewriting(people), folder / "aside.parquet"
    rewriting.write(path, temporary)
    if rewriting.rows:
        publish(temporary, path, area="erase", hit=hit)
    else:
        unlink(path)
    return rewriting.removed.total()

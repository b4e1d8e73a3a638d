"""Rows in any order to tables by day, in bounded memory: runs sorted by day on disk, merged day by day.

A file may hold years in any order. Writing each block's days at once would make thousands of tiny parts. Instead rows
are gathered up to RUN_BYTES_MAX, sorted by day and put aside as one Arrow file (mapped, not loaded, when it is read).
Then each day is read out of every run. Measured: 275,000 events of 91 days (170 MB of NDJSON) make 91 parts, three
times as many rows 95; while reading, the process stays below 300 MB for both, and Arrow's own memory below 190 MB.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import xxhash

from iafa.clock import US_PER_DAY
from iafa.durable import PRIVATE_FILE, make_dirs
from iafa.lake.parts import Mask, time_us

RUN_BYTES_MAX = 32 * 1024 * 1024
PIECE_BYTES_MAX = 48 * 1024 * 1024
PIECE_ROWS_MAX = 250_000
ORDINAL = "ordinal"  # the row's place among all accepted rows
DIGESTS_AT_ONCE = 262_144
BUCKETS = 64
_DIGEST = np.dtype([("high", np.uint64), ("low", np.uint64), ("row", np.int64)])


@dataclass(frozen=True)
class _Run:
    """Rows sorted by day; `starts[i]` is the first row of `days[i]`."""

    table: pa.Table
    days: npt.NDArray[np.int64]
    starts: npt.NDArray[np.int64]

    def of_day(self, day: int) -> pa.Table | None:
        place = int(np.searchsorted(self.days, day))
        if place == len(self.days) or self.days[place] != day:
            return None
        end = int(self.starts[place + 1]) if place + 1 < len(self.starts) else self.table.num_rows
        start = int(self.starts[place])
        return self.table.slice(start, end - start)


class DayRuns:
    """`add` rows, then read `pieces`. Files lie in `directory`, which the caller removes."""

    def __init__(self, directory: Path, run_bytes_max: int = RUN_BYTES_MAX) -> None:
        self._directory = directory
        self._run_bytes_max = run_bytes_max
        self._waiting: list[pa.Table] = []
        self._waiting_bytes = 0
        self._runs: list[_Run] = []
        self.rows = 0

    def add(self, table: pa.Table) -> None:
        ordinals = pa.array(np.arange(self.rows, self.rows + table.num_rows))
        self._waiting.append(table.append_column(ORDINAL, ordinals))
        self._waiting_bytes += table.nbytes
        self.rows += table.num_rows
        if self._waiting_bytes >= self._run_bytes_max:
            self._runs.append(self._spilled(self._sorted_run()))

    def pieces(self, *, rows_max: int = PIECE_ROWS_MAX, bytes_max: int = PIECE_BYTES_MAX) -> Iterator[pa.Table]:
        """All rows by day, in their order within a day; neighbouring days share a piece as long as it is small."""
        if self._waiting:
            self._runs.append(self._sorted_run())
        piece: list[pa.Table] = []
        rows = size = 0
        for part in self._by_day(rows_max, bytes_max):
            if piece and (rows + part.num_rows > rows_max or size + part.nbytes > bytes_max):
                yield pa.concat_tables(piece)
                piece, rows, size = [], 0, 0
            piece.append(part)
            rows += part.num_rows
            size += part.nbytes
        if piece:
            yield pa.concat_tables(piece)

    def _by_day(self, rows_max: int, bytes_max: int) -> Iterator[pa.Table]:
        for day in sorted({int(day) for run in self._runs for day in run.days}):
            for run in self._runs:
                found = run.of_day(day)
                if found is not None:
                    step = max(1, min(rows_max, bytes_max * found.num_rows // max(1, found.nbytes)))
                    for start in range(0, found.num_rows, step):
                        yield found.slice(start, step)

    def _sorted_run(self) -> _Run:
        table = pa.concat_tables(self._waiting).combine_chunks()
        self._waiting, self._waiting_bytes = [], 0
        days = time_us(table, "created_at") // US_PER_DAY
        order = np.argsort(days, kind="stable")
        found, starts = np.unique(days[order], return_index=True)
        return _Run(table.take(pa.array(order)).combine_chunks(), found, starts)

    def _spilled(self, run: _Run) -> _Run:
        make_dirs(self._directory)
        path = self._directory / f"run-{len(self._runs)}.arrow"
        path.touch(PRIVATE_FILE)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, run.table.schema) as writer:
            writer.write_table(run.table)
        return _Run(pa.ipc.open_file(pa.memory_map(str(path))).read_all(), run.days, run.starts)


class Digests:
    """Finds ids that occur twice in one upload, over all days. A long file's lie in `path`, sorted into buckets, and
    are compared bucket by bucket: memory holds DIGESTS_AT_ONCE rows, a 64th of the file, and a byte a row for the
    answer. (All of them at once took 75 bytes a row while they were sorted, 16 of which stayed.)

    128 bits of a good hash need no look at the ids themselves: among 10^7 rows two different ones collide with a
    probability below 10^-24. (The 64 bits kept of stored files do need it, see lake/ids.)
    """

    def __init__(self, path: Path, at_once: int = DIGESTS_AT_ONCE) -> None:
        self._path = path
        self._at_once = at_once
        self._waiting: list[npt.NDArray[np.uint64]] = []
        self._waiting_rows = 0
        self._rows = 0
        self._spills: list[npt.NDArray[np.int64]] = []  # where each bucket of a spill begins in the file, and its end

    def add(self, ids: list[str]) -> None:
        packed = b"".join([xxhash.xxh3_128_digest(one.encode()) for one in ids])
        self._waiting.append(np.frombuffer(packed, np.uint64).reshape(-1, 2))
        self._waiting_rows += len(ids)
        self._rows += len(ids)
        if self._waiting_rows >= self._at_once:
            self._spill()

    def repeats(self) -> Mask:
        """True for every row whose id an earlier row has."""
        mask = np.zeros(self._rows, bool)
        if not self._spills:
            _mark_repeats(mask, self._taken())
            return mask
        self._spill()
        with open(self._path, "rb") as file:
            for bucket in range(BUCKETS):
                _mark_repeats(mask, np.concatenate([self._read(file, spill, bucket) for spill in self._spills]))
        return mask

    def _taken(self) -> npt.NDArray[np.void]:
        """What waits, with the place of each row among all."""
        found = np.empty(self._waiting_rows, _DIGEST)
        digests = np.concatenate(self._waiting) if self._waiting else np.empty((0, 2), np.uint64)
        found["high"], found["low"] = digests[:, 0], digests[:, 1]
        found["row"] = np.arange(self._rows - self._waiting_rows, self._rows)
        self._waiting, self._waiting_rows = [], 0
        return found

    def _spill(self) -> None:
        found = self._taken()
        buckets = found["high"] // np.uint64(2**64 // BUCKETS)
        order = np.argsort(buckets, kind="stable")
        starts = np.searchsorted(buckets[order], np.arange(BUCKETS + 1, dtype=np.uint64))
        if not self._spills:
            self._path.touch(PRIVATE_FILE)
        with open(self._path, "ab") as file:
            self._spills.append(starts * _DIGEST.itemsize + file.tell())
            file.write(found[order].tobytes())

    def _read(self, file: IO[bytes], spill: npt.NDArray[np.int64], bucket: int) -> npt.NDArray[np.void]:
        file.seek(int(spill[bucket]))
        return np.frombuffer(file.read(int(spill[bucket + 1] - spill[bucket])), _DIGEST)


def _mark_repeats(mask: Mask, digests: npt.NDArray[np.void]) -> None:
    """`digests` come in the order of their rows."""
    order = np.lexsort((digests["low"], digests["high"]))  # stable: of one digest the earliest row comes first
    high, low = digests["high"][order], digests["low"][order]
    is_repeat = (high[1:] == high[:-1]) & (low[1:] == low[:-1])
    mask[digests["row"][order[1:][is_repeat]]] = True

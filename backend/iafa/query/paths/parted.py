"""Rows of a statement, in any order, parted by their person's hash: each part is small enough to be put in order in the
caches of a processor.

If there is no room for all parts, those that fit are kept, and the rows are read again for the others.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple, Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.query.array_memory import ArrayMemory
from iafa.query.paths.arranging import SPREAD, count_parts
from iafa.query.paths.plan import Int32s, Int64s

BATCH_ROWS = 500_000
PART_ROWS = 32_768  # as many as the caches of a processor hold while they are sorted
_PARTS_BITS_MAX = 10
_READS_MAX = 8  # of the same rows
Number = TypeVar("Number", Int64s, Int32s)
Statement = tuple[str, Mapping[str, object]]


class Source(Protocol):
    """Where rows come from: the reading of one question."""

    @property
    def arrays(self) -> ArrayMemory: ...

    def batches(self, sql: str, parameters: Mapping[str, object], rows: int) -> Iterator[pa.RecordBatch]: ...

    def check_time(self) -> None: ...


class Parting(NamedTuple):
    """Which part a person lies in, and which parts are being read: those from `first` to before `end`."""

    shift: int
    parts: int
    first: int
    end: int

    def places(self, entities: Int64s) -> tuple[Int64s, Int64s]:
        """(by part, where its rows of these begin, -1 = it is not read; where those that are read end, after a 0)"""
        counts = np.zeros(self.parts, dtype=np.int64)
        count_parts(entities, self.shift, counts)
        ends = np.concatenate(([0], np.cumsum(counts[self.first : self.end])))
        places = np.full(self.parts, -1, dtype=np.int64)
        places[self.first : self.end] = ends[:-1]
        return places, ends


@dataclass(frozen=True)
class Batch:
    """The rows of some parts, one after another. What an event is, one number says or a row of them."""

    entities: Int64s
    time_us: Int64s
    kinds: Int32s
    ends: Int64s  # of each part, the first one at index 1

    def first(self, parts: int) -> "Batch":
        """Copies: the others are to be forgotten."""
        rows = self.ends[parts]
        columns = (self.entities[:rows].copy(), self.time_us[:rows].copy(), self.kinds[:rows].copy())
        return Batch(*columns, self.ends[: parts + 1])


class PartedRows:
    """`part` makes a batch of what the engine gave, None if it cannot: then nothing more is kept. `left` is the first
    part that there was no room for; those people have to be read in another way."""

    def __init__(
        self,
        source: Source,
        statement: Statement,
        part: Callable[[pa.RecordBatch, Parting], Batch | None],
        *,
        rows: int,
        row_bytes: int,
    ) -> None:
        self._source = source
        self._statement = statement
        self._part = part
        self._row_bytes = row_bytes
        bits = min(_PARTS_BITS_MAX, max(1, (rows // PART_ROWS).bit_length()))
        self._shift = 64 - bits
        self.parts = 1 << bits
        self.left = 0
        self._taken = 0

    def rounds(self) -> Generator["Held", None, None]:
        """What there is room for, until all is read, or as long as it is worth to read the rows again."""
        for reads_left in range(_READS_MAX, 0, -1):
            with self._giving_back():
                batches, end = self._read(self.left)
                if (end - self.left) * reads_left < self.parts - self.left:
                    return
                yield Held(batches, end - self.left)
            self.left = end
            if end == self.parts:
                return

    def is_left(self, entities: Int64s) -> npt.NDArray[np.bool_]:
        """Whose rows are in no round."""
        parts = (entities.view(np.uint64) * np.uint64(SPREAD)) >> np.uint64(self._shift)
        is_left: npt.NDArray[np.bool_] = parts >= np.uint64(self.left)
        return is_left

    @contextmanager
    def _giving_back(self) -> Iterator[None]:
        try:
            yield
        finally:
            self._source.arrays.give(self._taken)
            self._taken = 0

    def _read(self, first: int) -> tuple[list[Batch], int]:
        """(the rows of the parts from the first to the end, that end)"""
        end = self.parts
        batches: list[Batch] = []
        for table in self._source.batches(*self._statement, BATCH_ROWS):
            self._source.check_time()
            found = self._part(table, Parting(self._shift, self.parts, first, end)) if end > first else None
            if found is None:  # it cannot be parted; or no room: what is being read must be read to its end
                batches, end = [], first
                continue
            batches.append(found)
            while not self._fits(batches):
                end = first + (end - first) // 2
                batches = [batch.first(end - first) for batch in batches]
        return batches, end

    def _fits(self, batches: Sequence[Batch]) -> bool:
        more = sum(int(batch.ends[-1]) for batch in batches) * self._row_bytes - self._taken
        if more > 0 and not self._source.arrays.take(more):
            return False
        if more < 0:
            self._source.arrays.give(-more)
        self._taken += more
        return True


@dataclass(frozen=True)
class Held:
    """The parts of one round."""

    batches: Sequence[Batch]
    parts: int

    def groups(self, rows: int) -> Iterator[tuple[int, int]]:
        """Neighbouring parts that have about so many rows together."""
        low = held = 0
        for number in range(self.parts):
            held += self.rows(number, number + 1)
            if held >= rows:
                yield low, number + 1
                low, held = number + 1, 0
        if held:
            yield low, self.parts

    def rows(self, low: int, high: int) -> int:
        return sum(int(batch.ends[high] - batch.ends[low]) for batch in self.batches)

    def columns(self, number: int) -> tuple[Int64s, Int64s, Int32s]:
        """Persons, times and kinds of one part that has rows."""
        slices = [slice(batch.ends[number], batch.ends[number + 1]) for batch in self.batches]
        each = list(zip(self.batches, slices, strict=True))
        return (
            np.concatenate([batch.entities[own] for batch, own in each]),
            np.concatenate([batch.time_us[own] for batch, own in each]),
            np.concatenate([batch.kinds[own] for batch, own in each]),
        )


def int64s(table: pa.RecordBatch, name: str) -> Int64s:
    return lent(np.ascontiguousarray(table.column(name).to_numpy(zero_copy_only=False)).view(np.int64))


def int32s(table: pa.RecordBatch, name: str) -> Int32s:
    return lent(np.ascontiguousarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.int32))


def lent(column: Number) -> Number:
    """The compiler knows all columns as arrays that cannot be written: those of Arrow are such, and are not copied."""
    column.flags.writeable = False
    return column

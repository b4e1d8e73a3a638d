"""Histories out of rows in any order. The engine reads and filters; whose the events are and their order is found here,
over plain numbers, several times faster than by a join and a sort in the engine.

The rows are parted by their person's hash. If there is no room for all of them, the parts that fit are kept, and the
rows are read again for the others.
"""

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.query.array_memory import ArrayMemory
from iafa.query.paths.arranging import (
    KINDS_MAX,
    SPREAD,
    Kinds,
    Layout,
    compose,
    count_parts,
    no_kinds,
    number_kinds,
    number_people,
    part,
    write_histories,
)
from iafa.query.paths.owners import Owners, resolve
from iafa.query.paths.plan import Histories, Int32s, Int64s

BATCH_ROWS = 500_000
PART_ROWS = 32_768  # as many as the caches of a processor hold while they are sorted
_PARTS_BITS_MAX = 10
_READS_MAX = 8  # of the same rows
_SIGNIFICANT_BITS = 63
_ROW_BYTES = 20
Number = TypeVar("Number", Int64s, Int32s)
_NO_INSTANTS = np.zeros(0, dtype=np.int64)


class Source(Protocol):
    """Where rows come from: the reading of one question."""

    @property
    def arrays(self) -> ArrayMemory: ...

    def batches(self, sql: str, parameters: Mapping[str, object], rows: int) -> Iterator[pa.RecordBatch]: ...

    def check_time(self) -> None: ...


@dataclass(frozen=True)
class Arrangement:
    """What the columns `entity`, `time_us` and `marks` mean. The bits of a mark are the steps, then the exclusions and,
    where events may be another's, whether the event has no user. There are at most so many different marks.
    """

    steps: int
    anonymous_bit: int
    owners: Owners | None  # None: whose an event is has been settled
    entry_bits: int
    from_us: int
    to_us: int
    kinds: int = KINDS_MAX


@dataclass(frozen=True)
class _Batch:
    """The rows of some parts, one after another."""

    entities: Int64s
    time_us: Int64s
    kinds: Int32s
    ends: Int64s  # of each part, the first one at index 1

    def first(self, parts: int) -> "_Batch":
        """Copies: the others are to be forgotten."""
        rows = self.ends[parts]
        columns = (self.entities[:rows].copy(), self.time_us[:rows].copy(), self.kinds[:rows].copy())
        return _Batch(*columns, self.ends[: parts + 1])


class Arranger:
    """`left` is the first part that there was no room for; those people have to be read in another way."""

    def __init__(
        self, source: Source, text: str, values: Mapping[str, object], arrangement: Arrangement, *, rows: int
    ) -> None:
        self._source = source
        self._statement = (text, values)
        self._arrangement = arrangement
        bits = min(_PARTS_BITS_MAX, max(1, (rows // PART_ROWS).bit_length()))
        self._shift = 64 - bits
        self.parts = 1 << bits
        self.left = 0
        self._kinds: Kinds = no_kinds(arrangement.kinds)
        self._taken = 0

    def chunks(self, rows: int) -> Generator[tuple[Int64s, Histories], None, None]:
        """Whole people who entered and what they did, of about so many rows at a time."""
        for reads_left in range(_READS_MAX, 0, -1):
            try:
                batches, end = self._read(self.left)
                if (end - self.left) * reads_left < self.parts - self.left:
                    return
                for low, high in _groups(batches, end - self.left, rows):
                    self._source.check_time()
                    yield self._chunk(batches, low, high)
            finally:
                self._source.arrays.give(self._taken)
                self._taken = 0
            self.left = end
            if end == self.parts:
                return

    def is_left(self, entities: Int64s) -> npt.NDArray[np.bool_]:
        """Whose histories are not among the chunks."""
        parts = (entities.view(np.uint64) * np.uint64(SPREAD)) >> np.uint64(self._shift)
        is_left: npt.NDArray[np.bool_] = parts >= np.uint64(self.left)
        return is_left

    def _read(self, first: int) -> tuple[list[_Batch], int]:
        """(the rows of the parts from the first to the end, that end)"""
        end = self.parts
        batches: list[_Batch] = []
        for table in self._source.batches(*self._statement, BATCH_ROWS):
            self._source.check_time()
            found = self._parted(table, first, end) if end > first else None
            if found is None:  # too many kinds of events; or no room: what is being read must be read to its end
                batches, end = [], first
                continue
            batches.append(found)
            while not self._fits(batches):
                end = first + (end - first) // 2
                batches = [batch.first(end - first) for batch in batches]
        return batches, end

    def _fits(self, batches: Sequence[_Batch]) -> bool:
        more = sum(len(batch.entities) for batch in batches) * _ROW_BYTES - self._taken
        if more > 0 and not self._source.arrays.take(more):
            return False
        if more < 0:
            self._source.arrays.give(-more)
        self._taken += more
        return True

    def _parted(self, table: pa.RecordBatch, first: int, end: int) -> _Batch | None:
        asked = self._arrangement
        entities, times, marks = _int64s(table, "entity"), _int64s(table, "time_us"), _int32s(table, "marks")
        ignored = 0
        if asked.owners is not None:
            found = np.empty(len(entities), dtype=np.int64)
            resolve(asked.owners, entities, times, marks, asked.anonymous_bit, found)
            entities, ignored = _lent(found), 1 << asked.anonymous_bit
        kinds = np.empty(len(entities), dtype=np.int32)
        if not number_kinds(marks, ignored, self._kinds, kinds):
            return None
        counts = np.zeros(self.parts, dtype=np.int64)
        count_parts(entities, self._shift, counts)
        ends = np.concatenate(([0], np.cumsum(counts[first:end])))
        places = np.full(self.parts, -1, dtype=np.int64)
        places[first:end] = ends[:-1]
        rows = int(ends[-1])
        to = (np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty(rows, np.int32))
        part(entities, times, kinds, self._shift, places, to)
        return _Batch(*to, ends)

    def _chunk(self, batches: Sequence[_Batch], low: int, high: int) -> tuple[Int64s, Histories]:
        most = sum(int(batch.ends[high] - batch.ends[low]) for batch in batches)
        to = Histories(
            np.zeros(most + 1, np.int64), np.empty(most, np.int64), np.empty(most, np.int32), np.empty(most, np.int32)
        )
        people = np.empty(most, dtype=np.int64)
        rows = count = 0
        for number in range(low, high):
            slices = [slice(batch.ends[number], batch.ends[number + 1]) for batch in batches]
            entities = np.concatenate([batch.entities[own] for batch, own in zip(batches, slices, strict=True)])
            if len(entities):
                times = np.concatenate([batch.time_us[own] for batch, own in zip(batches, slices, strict=True)])
                kinds = np.concatenate([batch.kinds[own] for batch, own in zip(batches, slices, strict=True)])
                rows, count = self._write(entities, times, kinds, to, people, rows, count)
        return people[:count], Histories(
            to.offsets[: count + 1], to.time_us[:rows], to.steps[:rows], to.excluded[:rows]
        )

    def _write(
        self, entities: Int64s, times: Int64s, kinds: Int32s, to: Histories, people: Int64s, rows: int, count: int
    ) -> tuple[int, int]:
        """Sort one part and add it to the histories."""
        numbers = np.empty(len(entities), dtype=np.int64)
        own = number_people(entities, numbers)
        first_us, last_us = int(times.min()), int(times.max())
        instants = _NO_INSTANTS
        kind_bits = int(self._kinds.known[0]).bit_length()
        if len(own).bit_length() + (last_us - first_us).bit_length() + kind_bits > _SIGNIFICANT_BITS:
            instants, ranks = np.unique(times, return_inverse=True)
            times, first_us, last_us = ranks.astype(np.int64), 0, len(instants)
        asked = self._arrangement
        layout = Layout(
            (last_us - first_us).bit_length(),
            kind_bits,
            first_us,
            instants,
            asked.steps,
            asked.entry_bits,
            asked.from_us,
            asked.to_us,
        )
        compose(numbers, times, kinds, layout)
        numbers.sort()
        return write_histories(numbers, own, self._kinds.marks, layout, to, people, rows, count)


def _groups(batches: Sequence[_Batch], parts: int, rows: int) -> Iterator[tuple[int, int]]:
    """Neighbouring parts that have about so many rows together."""
    low = held = 0
    for number in range(parts):
        held += sum(int(batch.ends[number + 1] - batch.ends[number]) for batch in batches)
        if held >= rows:
            yield low, number + 1
            low, held = number + 1, 0
    if held:
        yield low, parts


def _int64s(table: pa.RecordBatch, name: str) -> Int64s:
    return _lent(np.ascontiguousarray(table.column(name).to_numpy(zero_copy_only=False)).view(np.int64))


def _int32s(table: pa.RecordBatch, name: str) -> Int32s:
    return _lent(np.ascontiguousarray(table.column(name).to_numpy(zero_copy_only=False), dtype=np.int32))


def _lent(column: Number) -> Number:
    """The compiler knows all columns as arrays that cannot be written: those of Arrow are such, and are not copied."""
    column.flags.writeable = False
    return column

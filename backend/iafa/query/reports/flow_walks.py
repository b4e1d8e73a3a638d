"""Ways found beside the engine: it reads, once; who did what in which order, and which ways are the same, is found over
plain numbers, many times faster than by windows over texts. `flows.sql` gives the same.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.query.array_memory import ArrayMemory
from iafa.query.engine_duckdb import Reading
from iafa.query.paths.arranged import Arrangement, Arranger
from iafa.query.paths.gathering import people_of_rows, taken
from iafa.query.paths.owners import Owners
from iafa.query.paths.parted import BATCH_ROWS, Statement
from iafa.query.paths.plan import Histories, Int32s, Int64s
from iafa.query.paths.ways import NAME_SHIFT, Tally, Walking, find_ties
from iafa.query.reports.flow_graph import Way
from iafa.query.time_range import TIME_END_US, TIME_MIN_US

NAMES_MAX = 1 << 18
ANONYMOUS_BIT = 24  # above the place of a name
_CHUNK_ROWS = 1 << 18
_TIED_ROW_BYTES = 48


@dataclass(frozen=True)
class Walks:
    """What is read: the names that steps may have, the marks of all events, and once more those of some instants, by
    person, time and id. `walking` takes the number of names."""

    names: Statement
    marks: Statement
    ties: Statement
    walking: Callable[[int], Walking]
    owners: Owners | None
    rows: int


class _NoRoom(Exception):
    """There is not enough memory."""


def walk_ways(reading: Reading, walks: Walks, top: int, paths: int) -> list[Way] | None:
    """None if there is no room for them in memory, or if there are too many names."""
    names = _names(reading, walks.names)
    if names is None:
        return None
    places = pa.array(np.arange(1, len(names) + 1, dtype=np.int32))
    reading.give("flow_name", pa.table({"name": names, "place": places}))
    tally = Tally(reading.arrays, walks.walking(len(names)))
    try:
        _count(reading, walks, tally, len(names))
        return [*_links(tally, names, top), *_whole(tally, names, paths)]
    except _NoRoom:
        return None
    finally:
        tally.close()


def _names(reading: Reading, statement: Statement) -> pa.Array | None:
    """In their order."""
    text, values = statement
    batches = reading.batches(text, {**values, "most": NAMES_MAX}, BATCH_ROWS)
    names = pa.chunked_array([batch.column("name").cast(pa.string()) for batch in batches], pa.string())
    return names.combine_chunks() if len(names) <= NAMES_MAX else None


def _count(reading: Reading, walks: Walks, tally: Tally, names: int) -> None:
    every = (1 << ANONYMOUS_BIT) - 1
    kinds = names * (1 << NAME_SHIFT) + 1
    asked = Arrangement(ANONYMOUS_BIT, ANONYMOUS_BIT, walks.owners, every, TIME_MIN_US, TIME_END_US, kinds)
    arranger = Arranger(reading, *walks.marks, asked, rows=walks.rows)
    tied = _Tied(reading.arrays)
    try:
        with closing(arranger.chunks(_CHUNK_ROWS)) as chunks:
            for people, histories in chunks:
                if not tally.add(histories, tied.set_aside(people, histories)):
                    raise _NoRoom
        if not arranger.has_all:
            raise _NoRoom
        for histories in tied.in_order(reading, walks.ties):
            reading.check_time()
            if not tally.add(histories, np.zeros(len(histories.offsets) - 1, dtype=np.bool_)):
                raise _NoRoom
    finally:
        tied.close()


@dataclass
class _Tied:
    """People who did different things at one instant: ids tell their order. Their histories wait until all of them are
    known, because the ids have to be read."""

    arrays: ArrayMemory
    entities: list[Int64s] = field(default_factory=list)
    histories: list[Histories] = field(default_factory=list)
    rows: list[npt.NDArray[np.bool_]] = field(default_factory=list)
    taken: int = 0

    def close(self) -> None:
        self.arrays.give(self.taken)
        self.taken = 0

    def set_aside(self, people: Int64s, histories: Histories) -> npt.NDArray[np.bool_]:
        """Whose histories have to wait."""
        is_tied = np.zeros(len(histories.steps), dtype=np.bool_)
        if not find_ties(histories, is_tied):
            return np.zeros(len(people), dtype=np.bool_)
        waits: npt.NDArray[np.bool_] = np.logical_or.reduceat(is_tied, histories.offsets[:-1])
        rows, theirs = taken(histories, np.flatnonzero(waits))
        if not self.arrays.take(len(rows) * _TIED_ROW_BYTES):
            raise _NoRoom
        self.taken += len(rows) * _TIED_ROW_BYTES
        self.entities.append(people[waits])
        self.histories.append(theirs)
        self.rows.append(is_tied[rows])
        return waits

    def in_order(self, reading: Reading, statement: Statement) -> Iterator[Histories]:
        """The histories, now that what was done at one instant is in the order of the ids."""
        if not self.histories:
            return
        each = list(zip(self.entities, self.histories, self.rows, strict=True))
        entities = np.concatenate([people[people_of_rows(did)[rows]] for people, did, rows in each])
        times = np.concatenate([did.time_us[rows] for _people, did, rows in each])
        order = np.lexsort((times, entities))
        at = pa.array(times)
        created_at = at.cast(pa.timestamp("us", tz="UTC"))
        reading.give("frame_instant", pa.table({"entity": pa.array(entities), "time_us": at, "created_at": created_at}))
        marks = [
            batch.column("marks").to_numpy(zero_copy_only=False) for batch in reading.batches(*statement, BATCH_ROWS)
        ]
        steps = np.empty(len(order), dtype=np.int32)
        steps[order] = np.concatenate(marks)
        done = 0
        for did, rows in zip(self.histories, self.rows, strict=True):
            count = int(np.count_nonzero(rows))
            did.steps[rows] = steps[done : done + count]
            done += count
            yield did


def _links(tally: Tally, names: pa.Array, top: int) -> Iterator[Way]:
    totals = tally.names(len(names))
    groups: Int32s = np.full(totals.shape, top, dtype=np.int32)
    shown: list[list[str]] = []
    for depth, counts in enumerate(totals[:, 1:]):
        largest = np.argsort(-counts, kind="stable")[:top]  # of equal ones the first by name
        largest = largest[counts[largest] > 0]
        groups[depth, largest + 1] = np.arange(len(largest), dtype=np.int32)
        shown.append(names.take(pa.array(largest)).to_pylist())
    links = tally.links(groups, top + 1)
    kinds = [*["value"] * top, "other", "end", "on"]
    for depth, source, target in np.argwhere(links).tolist():
        yield Way(
            depth + 1,
            shown[depth][source] if source < top else None,
            kinds[target],
            shown[depth + 1][target] if target < top else None,
            int(links[depth, source, target]),
            None,
        )


def _whole(tally: Tally, names: pa.Array, paths: int) -> Iterator[Way]:
    for places, is_whole, entities in tally.largest(paths):
        texts = [names[place - 1].as_py() for place in places]
        yield Way(None, None, "end" if is_whole else "on", None, entities, texts)

"""Sessions found beside the engine: it reads each event once, as a few numbers; which session the event belongs to, and
what the session tells of itself, is found over plain numbers, many times faster than by statements over texts.
"""

from collections.abc import Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.array_memory import NoRoom, Taken
from iafa.query.binding import Parameters, sql_text
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import condition_sql
from iafa.query.pages import PAGE_EVENT
from iafa.query.paths.owners import owners_of, resolve
from iafa.query.paths.parted import Batch, Held, PartedRows, Parting, Statement, int32s, int64s, lent
from iafa.query.paths.plan import Int32s
from iafa.query.paths.visiting import (
    PASSES,
    Pages,
    Part,
    Ties,
    Visiting,
    Visits,
    count_pages,
    find_visits,
    find_words,
    no_ties,
    no_visits,
    part_kinds,
    settle,
)
from iafa.query.reports.frame import Frame
from iafa.query.reports.visit_words import (
    PAGE,
    NoWords,
    Vocabulary,
    events_said_sql,
    read_whole,
    vocabulary_of,
)

_PASSES_BIT, _ANONYMOUS_BIT = 0, 1
_CHUNK_ROWS = 1 << 18
_ROW_BYTES = 16  # and 4 for each column
_VISIT_BYTES = 32  # and 4 for each thing that is told
_COUNTED_BYTES = 24  # more for a visit while visits are put together and counted, and as much for what is told
_TIE_BYTES = 32
_EVENTS_OF_A_VISIT = (8, 2)  # on average, at first, then at worst: room is kept for so many visits


@dataclass(frozen=True)
class FoundVisits:
    """All sessions of a frame."""

    visits: Visits
    vocabulary: Vocabulary
    pages: Pages | None


def find(
    reading: Reading, snapshot: Snapshot, frame: Frame, dimensions: Sequence[str], taken: Taken, *, has_pages: bool
) -> FoundVisits | None:
    """None if there is no room for them in memory, or if events say too many different things."""
    try:
        vocabulary = vocabulary_of(reading, snapshot, frame, dimensions, taken, has_pages=has_pages)
        before = taken.size
        for events in _EVENTS_OF_A_VISIT:
            with suppress(NoRoom):
                finding = _Finding(reading, snapshot, frame, vocabulary, taken, has_pages=has_pages)
                return FoundVisits(finding.visits(snapshot.rows // events), vocabulary, finding.pages)
            taken.give_down_to(before)
    except (NoRoom, NoWords):
        pass
    return None


class _Finding:
    def __init__(
        self,
        reading: Reading,
        snapshot: Snapshot,
        frame: Frame,
        vocabulary: Vocabulary,
        taken: Taken,
        *,
        has_pages: bool,
    ) -> None:
        self._reading = reading
        self._snapshot = snapshot
        self._frame = frame
        self._vocabulary = vocabulary
        self._taken = taken
        flags = [saying.flag for saying in vocabulary.sayings]
        self._asked = Visiting(
            gap_us=frame.setting.session_gap_s * US_PER_S,
            from_us=frame.from_us,
            to_us=frame.to_us,
            told=vocabulary.told(),
            page=flags.index(PAGE) if has_pages else -1,
        )
        self.pages = self._no_pages() if has_pages else None
        self._owners = None if snapshot.identities is None else owners_of(snapshot.identities)
        self._people = self._visits = 0
        self._found: list[Visits] = []
        self._ties: list[Ties] = []

    def visits(self, expected: int) -> Visits:
        """Room is kept for so many, beside the rows; raises NoRoom."""
        told_bytes = 4 * len(self._vocabulary.tellings)
        visit_bytes = _VISIT_BYTES + told_bytes
        room = expected * visit_bytes
        self._taken.take(room)
        row_bytes = _ROW_BYTES + 4 * len(self._vocabulary.sayings)
        statement = self._statement(is_tied=False)
        rows = PartedRows(self._reading, statement, self._parted, rows=self._snapshot.rows, row_bytes=row_bytes)
        with closing(rows.rounds()) as rounds:
            for held in rounds:
                for low, high in held.groups(_CHUNK_ROWS):
                    self._reading.check_time()
                    room -= self._find(held, low, high) * visit_bytes
                    self._taken.take(max(0, -room))
                    room = max(0, room)
        if rows.left < rows.parts:
            raise NoRoom
        self._taken.take(self._visits * (_COUNTED_BYTES + told_bytes))
        visits = Visits._make(_joined(self._found, no_visits(0, len(self._vocabulary.tellings))))
        if self._ties:
            self._settle(Ties._make(_joined(self._ties, no_ties(0))), visits)
        return visits

    def _no_pages(self) -> Pages:
        meaning = self._vocabulary.meant[PAGE]
        count = len(meaning.texts)
        self._taken.take(24 * count)
        return Pages(meaning.places, *(np.zeros(count, dtype=np.int64) for _ in range(3)))

    def _statement(self, *, is_tied: bool) -> Statement:
        """All events, as they are stored; or those at some instants, with their persons, in the order of their ids."""
        sayings, parameters = self._vocabulary.sayings, Parameters(page_event=PAGE_EVENT)
        passes = [condition_sql(condition, parameters) for condition in self._frame.filters]
        marks = f"(case when {' and '.join(passes) or 'true'} then {1 << _PASSES_BIT} else 0 end)"
        columns, snapshot, frame = {"id"}, self._snapshot, replace(self._frame, is_at_instants=True)
        if not is_tied:
            columns, snapshot, frame = set(), replace(snapshot, identities=None), self._frame
            if self._owners is not None:
                columns = {"user_id"}
                marks += f" + (user_id is null)::integer * {1 << _ANONYMOUS_BIT}"
        text = sql_text(
            "visit_marks",
            marks=f"({marks})::integer",
            said="".join(f", {saying.hash_sql()} as said_{place}" for place, saying in enumerate(sayings)),
            columns=", id" if is_tied else "",
            events=events_said_sql(frame, snapshot, parameters, sayings, columns),
        )
        return (sql_text("visit_ties", events=text) if is_tied else text), parameters.values

    def _kinds(self, table: pa.RecordBatch) -> Int32s:
        marks = int32s(table, "marks")
        kinds = np.empty((table.num_rows, len(self._vocabulary.words)), dtype=np.int32)
        for column, words in enumerate(self._vocabulary.words):
            if not find_words(int64s(table, f"said_{column}"), words, kinds, column):
                raise NoWords
        kinds[:, 0] |= np.where(marks & 1 << _PASSES_BIT, np.int32(PASSES), np.int32(0))
        return kinds

    def _parted(self, table: pa.RecordBatch, parting: Parting) -> Batch | None:
        entities, times = int64s(table, "entity"), int64s(table, "time_us")
        try:
            kinds = self._kinds(table)
        except NoWords:  # not to be raised before all is read
            return None
        if self._owners is not None:
            found = np.empty(len(entities), dtype=np.int64)
            resolve(self._owners, entities, times, int32s(table, "marks"), _ANONYMOUS_BIT, found)
            entities = lent(found)
        places, ends = parting.places(entities)
        rows = int(ends[-1])
        to = (np.empty(rows, np.int64), np.empty(rows, np.int64), np.empty((rows, kinds.shape[1]), np.int32))
        part_kinds(entities, times, kinds, parting.shift, places, to)
        return Batch(*to, ends)

    def _find(self, held: Held, low: int, high: int) -> int:
        """How many?"""
        width = len(self._vocabulary.tellings)
        most = held.rows(low, high)
        visits, ties, done = no_visits(most, width), no_ties(most // 2 * width), np.zeros(2, dtype=np.int64)
        for number in range(low, high):
            if not held.rows(number, number + 1):
                continue
            part = Part.of(*held.columns(number))
            find_visits(self._asked, part, visits, ties, done)
            if self.pages is not None:
                count_pages(self._asked, part, self.pages, self._people)
            self._people += len(part.people)
        count, tied = done.tolist()
        self._found.append(Visits._make(_first(visits, count)))
        if tied:
            self._taken.take(tied * _TIE_BYTES)
            own = Ties._make(_first(ties, tied))
            self._ties.append(own._replace(visit=own.visit + self._visits))
        self._visits += count
        return int(count)

    def _settle(self, ties: Ties, visits: Visits) -> None:
        """Read the events of the instants at which different things were told, with their ids."""
        order = np.lexsort((ties.time_us, ties.people))
        at = pa.array(ties.time_us)
        created_at = at.cast(pa.timestamp("us", tz="UTC"))
        instants = pa.table({"entity": pa.array(ties.people), "time_us": at, "created_at": created_at})
        self._reading.give("frame_instant", instants)
        found = []
        for table in read_whole(self._reading, self._statement(is_tied=True), self._taken):
            found.append((int64s(table, "entity"), int64s(table, "time_us"), self._kinds(table)))
        people, times, kinds = (np.concatenate(columns) for columns in zip(*found, strict=True))
        settle(self._asked.told, ties, order, people, times, kinds, visits)


def _joined(parts: list[Visits] | list[Ties], empty: Visits | Ties) -> list[Any]:
    """Column by column; each is forgotten as soon as it is joined to one."""
    columns = [list(each) for each in zip(empty, *parts, strict=True)]
    parts.clear()
    joined = []
    for each in columns:
        joined.append(np.concatenate(each))
        each.clear()
    return joined


def _first(columns: Visits | Ties, count: int) -> list[Any]:
    """Copies: the others are to be forgotten."""
    return [column[:count].copy() for column in columns]

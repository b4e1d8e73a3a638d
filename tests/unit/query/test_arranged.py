"""Rows in any order become histories: whatever fits into memory, whatever times and kinds of events there are."""

import random
from collections import defaultdict
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np
import pyarrow as pa
import pytest

from iafa.clock import SystemClock
from iafa.event import TIME_MAX_US
from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.query.array_memory import ArrayMemory
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.paths import parted
from iafa.query.paths.arranged import Arrangement, Arranger
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.owners import owners_of
from iafa.query.paths.warming import WARMING
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, a_definition, an_event, snapshot_of

Row = tuple[int, int, int]  # person, time, mark
STEPS, EXCLUSIONS = 3, 2
ENTRY_FROM, ENTRY_TO = 10, 60
WITHOUT_EDGES = Arrangement(STEPS, STEPS + EXCLUSIONS, None, 1, ENTRY_FROM, ENTRY_TO)


class Rows:
    def __init__(self, rows: Sequence[Row], memory: int = 1 << 20, batch: int = 40) -> None:
        self.arrays = ArrayMemory(memory)
        self.reads = 0
        self._rows, self._batch = rows, batch

    def batches(self, _sql: str, _parameters: Mapping[str, object], _rows: int) -> Iterator[pa.RecordBatch]:
        self.reads += 1
        for start in range(0, len(self._rows), self._batch):
            person, time, mark = zip(*self._rows[start : start + self._batch], strict=True)
            columns = [pa.array(person, pa.int64()), pa.array(time, pa.int64()), pa.array(mark, pa.int32())]
            yield pa.RecordBatch.from_arrays(columns, names=["entity", "time_us", "marks"])

    def check_time(self) -> None:
        pass


def some_rows(draw: random.Random, people: int = 40, rows: int = 500, latest: int = 70) -> list[Row]:
    known = [draw.randrange(-(1 << 63), 1 << 63) for _ in range(people)]
    return [
        (draw.choice(known), draw.randrange(latest), draw.randrange(1, 1 << STEPS + EXCLUSIONS)) for _ in range(rows)
    ]


def expected(rows: Sequence[Row], asked: Arrangement = WITHOUT_EDGES) -> dict[int, list[Row]]:
    own: dict[int, list[Row]] = defaultdict(list)
    for row in rows:
        own[row[0]].append(row)
    return {
        person: sorted(events)
        for person, events in own.items()
        if any(mark & asked.entry_bits and asked.from_us <= time < asked.to_us for _, time, mark in events)
    }


def found(arranger: Arranger, rows: int = 100) -> dict[int, list[Row]]:
    people: dict[int, list[Row]] = {}
    for entities, histories in arranger.chunks(rows):
        for number, person in enumerate(entities.tolist()):
            own = slice(histories.offsets[number], histories.offsets[number + 1])
            marks = histories.steps[own] | histories.excluded[own] << STEPS
            times = histories.time_us[own].tolist()
            assert times == sorted(times)
            assert person not in people
            people[person] = sorted((person, time, mark) for time, mark in zip(times, marks.tolist(), strict=True))
    return people


def arranger_of(source: Rows, rows: int = 500, asked: Arrangement = WITHOUT_EDGES) -> Arranger:
    return Arranger(source, "", {}, asked, rows=rows)


@pytest.mark.parametrize("seed", range(5))
def test_rows_become_histories_of_those_who_entered(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parted, "PART_ROWS", 50)
    rows = some_rows(random.Random(seed))
    source = Rows(rows)
    arranger = arranger_of(source)
    assert found(arranger) == expected(rows)
    assert (source.reads, arranger.has_all) == (1, True)
    assert source.arrays.take(1 << 20)  # everything was given back


def test_times_that_are_too_far_apart_for_a_number_are_sorted_too() -> None:
    draw = random.Random(1)
    rows = [
        (draw.randrange(5000), draw.choice((11, 12, 5, TIME_MAX_US)), 1 << draw.randrange(5)) for _ in range(40_000)
    ]
    assert found(arranger_of(Rows(rows, batch=9_000)), 40_000) == expected(rows)


def test_what_does_not_fit_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parted, "PART_ROWS", 50)
    rows = some_rows(random.Random(9))
    source = Rows(rows, memory=200 * 20)
    arranger = arranger_of(source)
    assert found(arranger) == expected(rows)
    assert source.reads > 1
    assert source.arrays.take(200 * 20)


@pytest.mark.parametrize("memory", [0, 30 * 20])
def test_where_there_is_no_room_others_are_left(monkeypatch: pytest.MonkeyPatch, memory: int) -> None:
    monkeypatch.setattr(parted, "PART_ROWS", 50)
    rows = some_rows(random.Random(9))
    source = Rows(rows, memory=memory)
    arranger = arranger_of(source)
    people = found(arranger)
    assert not arranger.has_all
    every = expected(rows)
    left = np.array(list(every), dtype=np.int64)[arranger.is_left(np.array(list(every), dtype=np.int64))]
    assert every == people | {person: every[person] for person in left.tolist()}
    assert not people.keys() & set(left.tolist())
    assert source.arrays.take(memory)


def test_too_many_kinds_of_events_are_left() -> None:
    asked = Arrangement(20, 20, None, 1, 0, 100)
    rows = [(person, 1, person) for person in range(1, 5_000)]
    arranger = arranger_of(Rows(rows), asked=asked)
    assert found(arranger) == {}
    assert not arranger.has_all


def test_an_abandoned_question_gives_its_memory_back() -> None:
    source = Rows(some_rows(random.Random(2)))
    chunks = cast(Generator[object, None, None], arranger_of(source).chunks(10))
    next(chunks)
    assert not source.arrays.take(1 << 20)
    chunks.close()
    assert source.arrays.take(1 << 20)


def plain(column: pa.ChunkedArray) -> list[int]:
    numbers: list[int] = column.cast(pa.int64()).to_pylist()
    return numbers


def test_owners_are_found_by_span_and_kind() -> None:
    edges = [Edge("1", "u", "d", 30), Edge("2", "v", "d", 50), Edge("3", "w", "e", 10)]
    table = Identities.of(table_of(edges)).table
    assert table is not None
    spans = [dict(zip(table.column_names, row, strict=True)) for row in zip(*map(plain, table.columns), strict=True)]
    asked = Arrangement(STEPS, STEPS + EXCLUSIONS, owners_of(table), 1, 0, 100)
    anonymous = 1 << asked.anonymous_bit
    known = [*sorted({row["identity_hash"] for row in spans}), 77]
    rows = [(person, time, 1 | flag) for person in known for time in range(0, 80, 7) for flag in (0, anonymous)]
    moved = []
    for person, time, mark in rows:
        owners = [
            row["owner_hash"]
            for row in spans
            if row["identity_hash"] == person
            and row["is_anonymous"] == bool(mark & anonymous)
            and row["from_at"] <= time <= row["until_at"]
        ]
        moved.append((owners[0] if owners else person, time, 1))
    assert len({person for person, _, _ in moved}) > len(known)
    assert found(arranger_of(Rows(rows), asked=asked)) == expected(moved, asked)


@pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")
@pytest.mark.parametrize("memory_rows", [0, 150, 1_000_000])
def test_a_funnel_is_the_same_with_any_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory_rows: int
) -> None:
    monkeypatch.setattr(parted, "PART_ROWS", 20)
    draw = random.Random(4)
    events = [
        an_event(draw.choice("ABC"), NOON_US + draw.randrange(50), user=f"u{draw.randrange(60)}") for _ in range(300)
    ]
    snapshot = snapshot_of(tmp_path, [events])
    engine = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=SystemClock())
    monkeypatch.setattr(engine, "_arrays", ArrayMemory(memory_rows * 20))
    try:
        for options in ({}, {"order": "strict"}, {"exclusions": [{"event": "C", "to_stage": 2}]}):
            definition = parse_definition(a_definition("A", "B") | options)
            told = funnel(engine, snapshot, definition, resolve_time_range())["stages"]
            with WARMING.plain():
                assert funnel(engine, snapshot, definition, resolve_time_range())["stages"] == told
    finally:
        engine.close()

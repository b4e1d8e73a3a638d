"""Kept answers: the same question over the same data in the same minute is not computed again, and nothing else."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.errors import DataDamaged
from iafa.event import Rejected
from iafa.lake.layout import Layout
from iafa.lake.quarantine import Quarantine, Refusal
from iafa.lake.quarantine_rows import RefusedCounts
from iafa.lake.snapshot import Dropped, Snapshot
from iafa.query.answer_cache import AnswerCache
from iafa.query.definition_reading import parse_definition
from iafa.query.drivers import DriversQuestion
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.question import Extras, Question, question_of
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, a_definition, an_event, snapshot_of


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(NOON_US)


@pytest.fixture
def engine(tmp_path: Path, clock: FakeClock) -> Any:
    made = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=clock)
    yield made
    made.close()


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    return snapshot_of(tmp_path / "p", [[an_event("A", plan=1), an_event("A", user="v", plan=True)]])


def question(clock: FakeClock, include: frozenset[str] = frozenset(), **over: Any) -> Question:
    definition = parse_definition(a_definition("A", **over))
    return question_of(definition, resolve_time_range(), clock.now_us(), Extras(include))


def lose(snapshot: Snapshot) -> None:
    """From now on every answer that has to be computed fails."""
    for file in snapshot.files:
        file.unlink()


def test_the_same_question_is_answered_without_reading(
    engine: DuckEngine, snapshot: Snapshot, clock: FakeClock
) -> None:
    cache = AnswerCache()
    first = cache.answer(engine, snapshot, question(clock))
    lose(snapshot)
    clock.advance(1)
    assert cache.answer(engine, snapshot, question(clock)) == first
    first["stages"] = "changed by its reader"
    assert cache.answer(engine, snapshot, question(clock))["people_total"] == 2
    for other in (question(clock, frozenset({"times"})), question(clock, name="other"), question(clock, entry="last")):
        with pytest.raises(DataDamaged):
            cache.answer(engine, snapshot, other)
    with pytest.raises(DataDamaged):
        cache.answer(engine, snapshot, question(clock), funnel_id="f1")
    clock.advance(60)
    with pytest.raises(DataDamaged):
        cache.answer(engine, snapshot, question(clock))


def test_a_receipt_counts_what_was_refused_meanwhile(
    engine: DuckEngine, snapshot: Snapshot, clock: FakeClock, tmp_path: Path
) -> None:
    """Refused events are no part of the data's version."""
    cache, layout = AnswerCache(), Layout(tmp_path / "data")
    refused = RefusedCounts(layout.quarantine(snapshot.project_id))
    snapshot = replace(snapshot, dropped=Dropped({}, 0, refused))
    for count in range(2):
        found: Any = cache.answer(engine, snapshot, question(clock, frozenset({"receipt"})))
        assert found["receipt"]["rejected"]["count"] == count
        rejected = Rejected(code="missing", pointer="/event_type", message="is required")
        Quarantine(layout).keep("segment", [Refusal(snapshot.project_id, clock.now_us(), rejected)])


def test_other_data_has_another_answer(engine: DuckEngine, tmp_path: Path, clock: FakeClock) -> None:
    cache = AnswerCache()
    for count in range(3):
        events = [an_event("A", user=f"u{n}") for n in range(count)]
        made = snapshot_of(tmp_path / "p", [], events)
        found = cache.answer(engine, Snapshot(**{**vars(made), "data_version": str(count)}), question(clock))
        assert found["people_total"] == count


def test_values_of_another_kind_are_another_question(engine: DuckEngine, snapshot: Snapshot, clock: FakeClock) -> None:
    """1 and true are equal in Python and differ as texts."""
    cache = AnswerCache()
    for value, people in ((1, 1), (True, 1), ("true", 1), ("1", 1), (2, 0)):
        asked = question(clock, filters=[{"property": "plan", "op": "eq", "value": value}])
        found = cache.answer(engine, snapshot, asked)
        assert found["people_total"] == people
    keys = {question(clock, filters=[{"property": "p", "op": "eq", "value": value}]).key() for value in (1, True)}
    assert len(keys) == 2


@pytest.mark.parametrize("bound", ["entries", "bytes"])
def test_the_cache_is_bounded_and_the_oldest_used_goes(
    engine: DuckEngine, snapshot: Snapshot, clock: FakeClock, bound: str
) -> None:
    whole = AnswerCache()
    whole.answer(engine, snapshot, question(clock, name="a" * 100))
    bytes_max = whole.size_bytes * 5 // 2
    cache = AnswerCache(entries_max=2) if bound == "entries" else AnswerCache(bytes_max=bytes_max)
    names = [name * 100 for name in "abc"]
    for name in (names[0], names[1], names[0], names[2]):
        cache.answer(engine, snapshot, question(clock, name=name))
    lose(snapshot)
    for name in (names[0], names[2]):
        assert cache.answer(engine, snapshot, question(clock, name=name))["name"] == name
    with pytest.raises(DataDamaged):
        cache.answer(engine, snapshot, question(clock, name=names[1]))


def test_an_answer_larger_than_the_cache_is_not_kept(engine: DuckEngine, snapshot: Snapshot, clock: FakeClock) -> None:
    cache = AnswerCache(bytes_max=100)
    cache.answer(engine, snapshot, question(clock))
    lose(snapshot)
    with pytest.raises(DataDamaged):
        cache.answer(engine, snapshot, question(clock))


def test_drivers_are_kept_under_all_that_they_are_asked_with(
    engine: DuckEngine, snapshot: Snapshot, clock: FakeClock
) -> None:
    cache = AnswerCache()

    def asked(**over: Any) -> DriversQuestion:
        definition = parse_definition(a_definition("A", "B"))
        return DriversQuestion(question_of(definition, resolve_time_range(), clock.now_us()), **over)

    first = cache.drivers(engine, snapshot, asked(include_open=True))
    assert first["step"]["people"] == 2  # type: ignore[index]
    lose(snapshot)
    assert cache.drivers(engine, snapshot, asked(include_open=True)) == first
    for over in ({}, {"stage": 1}, {"lookback_s": 1}, {"landmark_s": 1}, {"limit": 1}):
        with pytest.raises(DataDamaged):
            cache.drivers(engine, snapshot, asked(**{"include_open": bool(over), **over}))

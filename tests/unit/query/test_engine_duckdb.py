"""The engine's promises: one project's files only, a deadline, bounds on memory and on questions at once."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pytest

from iafa.clock import FakeClock
from iafa.errors import DataDamaged, QueryBusy, QueryTimeout, QueryTooLarge
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.funnel import answer, funnel
from iafa.query.question import Extras, question_of
from iafa.query.receipts.notebook import notebook
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import a_definition, an_engine, an_event, snapshot_of, table_of

ENDLESS = "select count(*) from range(100000000) a, range(1000000) b where (a.range * b.range) % 7 = 1"
HUNGRY = "create temp table kept as select range::varchar || random()::varchar as word from range(2000000)"


@pytest.mark.parametrize(
    "statement",
    [
        "select * from read_parquet('{other}/events_0.parquet')",
        "select * from read_parquet('{own}/../other/events_0.parquet')",
        "select * from read_parquet('{own}*/*.parquet')",
        "select * from read_text('/etc/hostname')",
        "select * from '{other}/events_0.parquet'",
        "copy (select 1) to '{other}/x.csv'",
        "attach '{other}/x.duckdb'",
        "install httpfs",
        "set threads = 1",
        "set enable_external_access = true",
        "set allowed_directories = ['/']",
    ],
)
def test_nothing_but_the_projects_folder_can_be_reached(engine: DuckEngine, tmp_path: Path, statement: str) -> None:
    own = snapshot_of(tmp_path / "own", [[an_event("A")]])
    snapshot_of(tmp_path / "other", [[an_event("A")]])
    text = statement.format(own=own.directory, other=tmp_path / "other")
    with engine.reading(own) as reading, pytest.raises((duckdb.Error, DataDamaged)):
        reading.rows(text, {})
    assert users(engine, own) == 1


def test_a_snapshot_that_names_a_foreign_file_is_refused(engine: DuckEngine, tmp_path: Path) -> None:
    own = snapshot_of(tmp_path / "own", [[an_event("A")]])
    other = snapshot_of(tmp_path / "own2", [[an_event("A", user="foreign")]])
    with pytest.raises(duckdb.PermissionException):
        users(engine, replace(own, files=other.files))


def test_python_variables_are_no_tables(engine: DuckEngine, tmp_path: Path) -> None:
    secret = table_of([an_event("A")])
    with engine.reading(Snapshot.of_table(secret, tmp_path)) as reading, pytest.raises(duckdb.CatalogException):
        reading.rows("select * from secret", {})


def test_tails_of_two_questions_do_not_meet(engine: DuckEngine, tmp_path: Path) -> None:
    one = Snapshot.of_table(table_of([an_event("A")]), tmp_path)
    two = Snapshot.of_table(table_of([an_event("A"), an_event("A")]), tmp_path)
    with engine.reading(one) as first, engine.reading(two) as second:
        first.rows("create temp table kept as select 1 as one", {})
        assert first.rows("select count(*) from tail", {}) == [(1,)]
        assert second.rows("select count(*) from tail", {}) == [(2,)]
        with pytest.raises(duckdb.CatalogException):
            second.rows("select * from kept", {})


def test_times_are_utc_and_relative_folders_work(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    snapshot = snapshot_of(Path("data") / "project", [[an_event("A")]], [an_event("A", user="v")])
    assert users(engine, snapshot) == 2
    with engine.reading(snapshot) as reading:
        assert reading.rows("select created_at::varchar from tail", {}) == [("1970-01-01 00:00:00+00",)]


def test_a_long_question_is_stopped_and_the_engine_goes_on(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, timeout_s=0.2)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    began = time.monotonic()
    with engine.reading(snapshot) as reading:
        with pytest.raises(QueryTimeout):
            reading.rows(ENDLESS, {})
        with pytest.raises(QueryTimeout):
            reading.rows("select 1", {})
        with pytest.raises(QueryTimeout):
            reading.check_time()
    assert time.monotonic() - began < 10
    with engine.reading(snapshot) as reading:
        assert reading.rows("select 1", {}) == [(1,)]
    engine.close()


def test_a_question_that_never_fits_into_memory_is_refused_and_no_crash(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, memory_mb=60, spill_mb=1)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    with (
        engine.reading(snapshot) as reading,
        pytest.raises(QueryTooLarge, match="shorter range does not help") as alone,
    ):
        reading.rows(HUNGRY, {})
    assert alone.value.retry_after_s is None
    with (
        engine.reading(replace(snapshot, rows=10_000_000)) as reading,
        pytest.raises(QueryTooLarge, match="ask for a shorter range"),
    ):
        reading.rows(HUNGRY, {})
    assert users(engine, snapshot) == 1
    engine.close()


@pytest.mark.parametrize("comes", ["before", "between"])
def test_a_question_beyond_the_memory_that_others_have_may_be_asked_again(tmp_path: Path, comes: str) -> None:
    engine = an_engine(tmp_path, memory_mb=60, spill_mb=1, concurrency=2)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    with ExitStack() as others:
        if comes == "before":
            others.enter_context(engine.reading(snapshot))
        with engine.reading(snapshot) as reading:
            others.close()
            if comes == "between":
                assert users(engine, snapshot) == 1
            with pytest.raises(QueryBusy) as busy:
                reading.rows(HUNGRY, {})
    assert busy.value.retry_after_s
    engine.close()


def test_questions_beyond_the_limit_wait_and_are_then_refused(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, concurrency=1, wait_s=0.05)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    with engine.reading(snapshot), pytest.raises(QueryBusy):
        users(engine, snapshot)
    assert users(engine, snapshot) == 1
    engine.close()


def test_a_waiting_question_is_answered_when_there_is_room(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, concurrency=1, wait_s=30)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    found: list[int] = []
    waiting = threading.Thread(target=lambda: found.append(users(engine, snapshot)))
    with engine.reading(snapshot):
        waiting.start()
    waiting.join(30)
    assert found == [1]
    engine.close()


def test_instances_are_bounded_and_the_idle_one_makes_room(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, instances=2, concurrency=8, wait_s=0.05)
    one, two, three = (snapshot_of(tmp_path / name, [[an_event("A")]]) for name in ("one", "two", "three"))
    with engine.reading(one):
        assert users(engine, two) == 1
        assert users(engine, three) == 1
        with engine.reading(two), pytest.raises(QueryBusy):
            users(engine, three)
    assert len(list((tmp_path / "spill").iterdir())) <= 2
    engine.close()
    assert list((tmp_path / "spill").iterdir()) == []


def test_a_vanished_file_is_an_error_that_names_it_and_no_wrong_number(tmp_path: Path) -> None:
    engine = an_engine(tmp_path)
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")], [an_event("A", user="v")]])
    assert users(engine, snapshot) == 2
    snapshot.files[1].unlink()
    with pytest.raises(DataDamaged, match=r"events_1\.parquet is missing") as damaged:
        users(engine, snapshot)
    assert str(tmp_path) not in damaged.value.detail
    engine.close()


@pytest.mark.parametrize("content", [b"", b"PAR1", b"no parquet at all" * 10])
def test_a_file_that_is_no_parquet_is_an_error(engine: DuckEngine, tmp_path: Path, content: bytes) -> None:
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    snapshot.files[0].write_bytes(content)
    with pytest.raises(DataDamaged, match="cannot be read"):
        users(engine, snapshot)


def test_many_threads_get_their_own_answers(tmp_path: Path) -> None:
    engine = an_engine(tmp_path, concurrency=3, instances=2, wait_s=60)
    snapshots = [
        snapshot_of(tmp_path / f"p{people}", [[an_event("A", user=f"u{n}") for n in range(people)]])
        for people in range(1, 5)
    ]
    wrong: list[tuple[int, int]] = []

    def ask(place: int) -> None:
        for turn in range(6):
            expected = (place + turn) % 4 + 1
            found = users(engine, snapshots[expected - 1])
            if found != expected:
                wrong.append((expected, found))

    threads = [threading.Thread(target=ask, args=(place,)) for place in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert wrong == []
    engine.close()


def users(engine: DuckEngine, snapshot: Snapshot) -> int:
    answer = funnel(engine, snapshot, parse_definition(a_definition("A")), resolve_time_range())
    total = answer["people_total"]
    assert isinstance(total, int)
    return total


def test_all_questions_of_a_request_have_one_time_limit(tmp_path: Path) -> None:
    engine, request = an_engine(tmp_path, timeout_s=30), Cancellation()
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    with engine.reading(snapshot, request) as reading:
        reading.rows("select 1", {})
    passes(engine, 20)
    with engine.reading(snapshot, request) as reading:
        reading.rows("select 1", {})
        reading.check_time()
    passes(engine, 11)
    with engine.reading(snapshot, request) as reading, pytest.raises(QueryTimeout):
        reading.rows("select 1", {})
    assert users(engine, snapshot) == 1
    engine.close()


@pytest.mark.parametrize("include", ["compare", "receipt"])
def test_what_is_asked_beside_has_the_time_that_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, include: str
) -> None:
    engine, request = an_engine(tmp_path, timeout_s=30), Cancellation()
    snapshot = snapshot_of(tmp_path / "project", [[an_event("A")]])
    days = resolve_time_range("1970-01-01", "1970-01-02")
    extras = Extras(include=frozenset({include}))
    question = question_of(parse_definition(a_definition("A")), days, engine.clock.now_us(), extras)
    read = DuckEngine.reading

    @contextmanager
    def slow(self: DuckEngine, snapshot: Snapshot, cancellation: Cancellation | None = None) -> Iterator[Reading]:
        with read(self, snapshot, cancellation) as reading:
            yield reading
        passes(self, 31)

    def both() -> None:
        said = answer(engine, snapshot, question, cancellation=request)
        notebook(engine, snapshot, question, said, request)

    monkeypatch.setattr(DuckEngine, "reading", slow)
    with pytest.raises(QueryTimeout):
        both()
    engine.close()


def passes(engine: DuckEngine, seconds: float) -> None:
    assert isinstance(engine.clock, FakeClock)
    engine.clock.advance(seconds)

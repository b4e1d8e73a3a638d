"""A damaged file is an error that names it, never a wrong number: compared at the first open, if it is read."""

from dataclasses import replace
from pathlib import Path

import pytest

from iafa.clock import US_PER_DAY
from iafa.errors import DataDamaged, QueryTimeout
from iafa.lake import soundness
from iafa.lake.parts import file_checksum
from iafa.lake.snapshot import Snapshot
from iafa.metrics import Counters
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.event_names import event_names
from iafa.query.funnel import funnel
from iafa.query.time_range import TimeRange
from tests.support.events import NOON_US, make_event
from tests.support.lake import TestLake
from tests.unit.query.rows import a_definition

DAYS = 4


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """One file a day, each with a visit."""
    lake = TestLake(tmp_path / "data")
    for day in range(DAYS):
        lake.write([make_event(id=f"e{day}", created_at=NOON_US - day * US_PER_DAY)])
        lake.flusher.run()
    return lake


@pytest.fixture
def engine(lake: TestLake, tmp_path: Path) -> DuckEngine:
    return DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=lake.clock)


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def people(engine: DuckEngine, snapshot: Snapshot, first_day: int, last_day: int) -> object:
    """Who visited from `first_day` to `last_day` days before the newest event."""
    bounds = (NOON_US - first_day * US_PER_DAY - 1, NOON_US - last_day * US_PER_DAY + 1)
    answer = funnel(
        engine,
        snapshot,
        parse_definition(a_definition("page_view", range="all_steps")),
        TimeRange(*bounds, None, None, "UTC"),
    )
    return answer["people_total"]


def test_a_damaged_file_is_named_and_no_number_is_given(lake: TestLake, engine: DuckEngine) -> None:
    snapshot = lake.take()
    damage(snapshot.files[2])
    with pytest.raises(DataDamaged, match=rf"{snapshot.files[2].name} has another checksum.*`iafa verify`"):
        event_names(engine, snapshot)


def test_a_file_that_a_question_does_not_read_does_not_stop_it(lake: TestLake, engine: DuckEngine) -> None:
    snapshot = lake.take()
    damage(snapshot.files[2])
    assert people(engine, snapshot, 1, 0) == 1
    with pytest.raises(DataDamaged, match=snapshot.files[2].name):
        people(engine, snapshot, 2, 0)


def test_a_damaged_file_is_counted_once_however_often_it_is_asked_for(lake: TestLake, tmp_path: Path) -> None:
    counters = Counters()
    engine = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=lake.clock, counters=counters)
    snapshot = lake.take()
    damage(snapshot.files[2])
    for counted in (1, 1, 2, 2):
        if counted == 2 and snapshot.files[2].exists():
            snapshot.files[2].unlink()
        with pytest.raises(DataDamaged):
            people(engine, snapshot, DAYS, 0)
        assert counters.read() == {"damaged_files": {"": counted}}


@pytest.mark.parametrize("size", [0, 100])
def test_a_truncated_or_missing_file_is_named(lake: TestLake, engine: DuckEngine, size: int) -> None:
    snapshot = lake.take()
    snapshot.files[0].write_bytes(snapshot.files[0].read_bytes()[:size])
    with pytest.raises(DataDamaged, match=rf"{snapshot.files[0].name} has {size} bytes instead of"):
        event_names(engine, snapshot)
    snapshot.files[0].unlink()
    with pytest.raises(DataDamaged, match=rf"{snapshot.files[0].name} is missing"):
        event_names(engine, snapshot)


def test_a_file_is_compared_once_in_a_process_and_again_when_it_was_touched(
    lake: TestLake, engine: DuckEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[str] = []

    def counted(path: Path) -> str:
        compared.append(path.name)
        return file_checksum(path)

    monkeypatch.setattr(soundness, "file_checksum", counted)
    for _ in range(3):
        assert event_names(engine, lake.take())
    assert len(compared) == DAYS
    damage(lake.take().files[1])
    with pytest.raises(DataDamaged):
        event_names(engine, lake.take())


def test_comparing_ends_with_the_time_of_a_question_and_goes_on_with_the_next(lake: TestLake, tmp_path: Path) -> None:
    engine = DuckEngine(QueryLimits(timeout_s=5), temp_directory=tmp_path / "spill", clock=lake.clock)
    entries = lake.take().entries
    assert entries is not None

    class Slow:
        """Every look at a file takes two seconds of the test's clock."""

        def __iter__(self) -> "Slow":
            self.files = iter(entries or ())
            return self

        def __next__(self) -> object:
            file = next(self.files)
            lake.clock.advance(2)
            return file

    slow = replace(lake.take(), entries=Slow())  # type: ignore[arg-type]  # iterated over, nothing else
    with pytest.raises(QueryTimeout, match="compared with their checksums"):
        event_names(engine, slow)
    assert event_names(engine, lake.take())

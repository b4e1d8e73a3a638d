"""What a page of the event log reads, and events that only their arrival tells apart."""

from pathlib import Path
from typing import Any

import pytest

from iafa.clock import US_PER_DAY
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.events.page import PageAsked, events_page
from iafa.query.events.question import parse_events_question
from tests.support.events import NOON_US, make_event
from tests.support.lake import TestLake

EVERYTHING = parse_events_question()


class Watched:
    """The engine, and the names of the files that it was given."""

    def __init__(self, engine: DuckEngine) -> None:
        self.files: list[set[str]] = []
        self._engine = engine

    def reading(self, snapshot: Any, cancellation: Cancellation | None = None) -> Any:
        self.files.append({file.name for file in snapshot.files})
        return self._engine.reading(snapshot, cancellation)


def days_of(lake: TestLake, days: int, *, rows: int) -> list[str]:
    """One file a day, the oldest first."""
    for day in range(days):
        at = NOON_US - (days - day) * US_PER_DAY
        lake.write([make_event(id=f"{day}-{number}", created_at=at + number) for number in range(rows)])
        lake.flusher.run()
    return [file.name for file in sorted(lake.take().files)]


@pytest.mark.parametrize(("order", "place"), [("desc", -1), ("asc", 0)])
def test_only_the_nearest_file_is_read(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, order: Any, place: int
) -> None:
    monkeypatch.setattr("iafa.query.events.page.ROWS_FIRST", 1)
    lake, watched = TestLake(tmp_path / "data"), Watched(engine)
    files = days_of(lake, 5, rows=20)
    page = events_page(watched, lake.take(), EVERYTHING, PageAsked(order, limit=10))  # type: ignore[arg-type]
    assert watched.files == [{files[place]}, {files[place]}]
    watched.files.clear()
    deep = PageAsked(order, page.after, limit=15)
    rows = events_page(watched, lake.take(), EVERYTHING, deep).rows  # type: ignore[arg-type]
    assert len(rows) == 15
    assert set().union(*watched.files) == {files[place], files[place + 1 if place == 0 else place - 1]}


def test_a_page_out_of_the_tail_reads_no_file(engine: DuckEngine, tmp_path: Path) -> None:
    lake, watched = TestLake(tmp_path / "data"), Watched(engine)
    days_of(lake, 2, rows=5)
    lake.write([make_event(id=f"new-{number}") for number in range(5)])
    page = events_page(watched, lake.take(), EVERYTHING, PageAsked(limit=4))  # type: ignore[arg-type]
    assert [row["id"] for row in page.rows] == ["new-4", "new-3", "new-2", "new-1"]
    assert watched.files == [set(), set()]


@pytest.mark.parametrize("order", ["desc", "asc"])
def test_an_event_that_came_again_after_the_window_is_another_one(
    engine: DuckEngine, tmp_path: Path, order: Any
) -> None:
    lake = TestLake(tmp_path / "data")
    for _ in range(3):
        lake.write([make_event(id="same"), make_event(id="other")])
        lake.flusher.run()
        lake.clock.advance(9 * 86_400)
    seen: list[str] = []
    place = None
    for _ in range(6):
        page = events_page(engine, lake.take(), EVERYTHING, PageAsked(order, place, limit=1))
        back = events_page(engine, lake.take(), EVERYTHING, PageAsked(order, page.before, True, 6))
        assert [row["received_at"] for row in back.rows] == seen or page.before is None
        seen.append(page.rows[0]["received_at"])
        place = page.after
    assert place is None
    assert len(seen) == 6
    assert seen[:3] == seen[3:] == sorted(seen[:3], reverse=order == "desc")
    assert len(set(seen)) == 3

"""One person's journey: sessions, pauses and pages against the events that were made."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import US_PER_S, to_iso
from iafa.errors import NotFound, ValidationFailed
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.frame import Setting
from iafa.query.reports.journey import parse_journey
from iafa.query.reports.report import report_answer
from tests.support.events import NOON_US, make_event
from tests.support.lake import WINDOW_US, TestLake
from tests.support.report_lake import DAY_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

GAP_S = 4 * 3_600


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", people=20)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def ask(engine: DuckEngine, shop: ReportLake, limit: int = 100, after: Any = None, **fields: Any) -> dict[str, Any]:
    setting = Setting(session_gap_s=GAP_S, now_us=shop.clock.now_us())
    return report_answer(engine, shop.snapshot, parse_journey(fields, setting, limit=limit, after=after))


def rows_of(answer: Mapping[str, Any]) -> list[tuple[Any, ...]]:
    return [
        (session["session_start"], event["time"], event["id"], event["event"], event["gap_s"])
        for session in answer["sessions"]
        for event in session["events"]
    ]


def expected(shop: ReportLake, person: str) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    start = 0
    before: int | None = None
    own = sorted((one for one in shop.events if one["person"] == person), key=lambda one: (one["t"], one["id"]))
    for event in own:
        gap = None if before is None else event["t"] - before
        start = event["t"] if gap is None or gap > GAP_S * 10**6 else start
        before = event["t"]
        gap_s = None if gap is None else gap / 10**6
        rows.append((to_iso(start), to_iso(event["t"]), event["id"], event["name"], gap_s))
    return rows


@pytest.mark.parametrize("who", ["user-3", "user-7", "device-5"])
@pytest.mark.parametrize("limit", [1, 7, 1_000])
def test_pages_make_up_everything_the_person_did(engine: DuckEngine, shop: ReportLake, who: str, limit: int) -> None:
    first = min(
        (one for one in shop.events if who in (one["user"], one["anonymous"])),
        key=lambda one: (one["user"] != who, one["t"], one["id"]),
    )
    found: list[tuple[Any, ...]] = []
    after: Any = None
    while True:
        answer = ask(engine, shop, limit, after, user_id=who)
        assert len(rows_of(answer)) <= limit
        found += rows_of(answer)
        after = answer["next_place"]
        if after is None:
            break
    assert found == expected(shop, first["person"])
    assert len(found) > 10


def test_an_id_that_was_stored_again_stands_on_the_next_page(engine: DuckEngine, tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    event = make_event(id="again", user_id="ann", created_at=NOON_US)
    for wait_s in (WINDOW_US // US_PER_S + 1, 0):
        lake.write([event])
        lake.flusher.run()
        lake.clock.advance(wait_s)
    setting = Setting(session_gap_s=GAP_S, now_us=lake.clock.now_us())
    found, after = [], None
    for _ in range(2):
        journey = parse_journey({"user_id": "ann"}, setting, limit=1, after=after)
        answer = report_answer(engine, lake.take(), journey)
        found += rows_of(answer)
        after = answer["next_place"]
    assert [row[2] for row in found] == ["again", "again"]
    assert after is None


def test_a_range_cuts_the_list_and_not_the_sessions(engine: DuckEngine, shop: ReportLake) -> None:
    own = expected(shop, next(one["person"] for one in shop.events if one["user"] == "user-3"))
    lo = min(event["t"] for event in shop.events) + 2 * DAY_US
    answer = ask(engine, shop, user_id="user-3", start_date=to_iso(lo))
    assert rows_of(answer) == [row for row in own if row[1] >= to_iso(lo)]


def test_pages_have_their_path(engine: DuckEngine, shop: ReportLake) -> None:
    answer = ask(engine, shop, user_id="user-3")
    pages = {event["id"]: event["page"] for session in answer["sessions"] for event in session["events"]}
    urls = {event["id"]: event["url"] for event in shop.events}
    assert any(pages.values())
    assert all((page is None) == (urls[key] is None) for key, page in pages.items())


def test_nobody_is_not_found(engine: DuckEngine, shop: ReportLake) -> None:
    with pytest.raises(NotFound):
        ask(engine, shop, user_id="nobody")
    with pytest.raises(ValidationFailed):
        ask(engine, shop, user_id="")

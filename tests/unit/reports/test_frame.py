"""The frame that all reports share, by the smallest report: how many events and people are in it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import duckdb
import pytest

from iafa.clock import to_iso
from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.answer_cache import AnswerCache
from iafa.query.binding import Parameters
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.reports.frame import Frame, FrameReader, Setting, frame_sql
from iafa.query.reports.report import Table, report_answer
from tests.support.report_lake import DAY_US, SPRING_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

BERLIN = "Europe/Berlin"


@dataclass(frozen=True)
class Counted:
    name: ClassVar[str] = "counted"
    frame: Frame
    matchers: tuple[Stage, ...] = ()

    def with_frame(self, frame: Frame) -> "Counted":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        return self.frame.from_us, self.frame.to_us

    def key(self) -> object:
        return len(self.matchers)

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        parameters = Parameters()
        events = frame_sql(self.frame, snapshot, parameters, matchers=self.matchers)
        text = f"select count(*), count(distinct person) from ({events})"
        ((count, people),) = reading.rows(text, parameters.values)
        return {"events": count, "people": people}

    def table(self, answer: Mapping[str, Any]) -> Table:
        return ["events"], [[answer["events"]]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def counted(shop: ReportLake, matchers: tuple[Stage, ...] = (), **fields: Any) -> Counted:
    reader = FrameReader(fields, Setting(timezone=BERLIN, now_us=shop.clock.now_us()))
    frame = reader.frame()
    reader.done()
    return Counted(frame, matchers)


def expected(shop: ReportLake, keep: Any) -> tuple[int, int]:
    kept = [event for event in shop.events if keep(event)]
    return len(kept), len({event["person"] for event in kept})


def test_what_is_in_the_lake_is_what_was_made(engine: DuckEngine, shop: ReportLake) -> None:
    answer = report_answer(engine, shop.snapshot, counted(shop))
    assert (answer["events"], answer["people"]) == expected(shop, lambda _event: True)
    assert answer["people"] < len({event["user"] or event["anonymous"] for event in shop.events})
    assert (answer["timezone"], answer["date_range"]) == (BERLIN, {"start": "2026-03-27", "end": "2026-04-01"})


def test_range_filters_bots_and_matchers(engine: DuckEngine, shop: ReportLake) -> None:
    fields = {
        "start_date": "2026-03-28",
        "end_date": "2026-03-29",
        "exclude_bots": True,
        "filters": [{"property": "amount", "op": "gte", "value": 5}],
    }
    from_us = SPRING_US - 12 * 3_600_000_000 + DAY_US - 3_600_000_000  # midnight in Berlin, still winter time
    to_us = from_us + 2 * DAY_US - 3_600_000_000  # one of the days has 23 hours
    matchers = (Stage("a", events=("purchase", "search")), Stage("b", events=("checkout",)))
    answer = report_answer(engine, shop.snapshot, counted(shop, matchers, **fields))

    def keep(event: Mapping[str, Any]) -> bool:
        is_dear = event["properties"]["amount"] in (10, "7")
        is_named = event["name"] in ("purchase", "search", "checkout")
        return from_us <= event["t"] < to_us and not event["is_bot"] and is_dear and is_named

    assert (answer["events"], answer["people"]) == expected(shop, keep)
    assert answer["events"] > 10


def test_as_of_cuts_what_is_later_and_compare_asks_the_period_before(engine: DuckEngine, shop: ReportLake) -> None:
    as_of_us = SPRING_US + 3 * DAY_US
    answer = report_answer(engine, shop.snapshot, counted(shop, as_of=to_iso(as_of_us)))
    assert answer["events"] == expected(shop, lambda event: event["t"] <= as_of_us)[0]
    fields: dict[str, Any] = {"start_date": "2026-03-30", "end_date": "2026-03-30", "include": "compare"}
    answer = report_answer(engine, shop.snapshot, counted(shop, **fields))
    alone = report_answer(engine, shop.snapshot, counted(shop, start_date="2026-03-29", end_date="2026-03-29"))
    assert answer["compare"]["date_range"] == {"start": "2026-03-29", "end": "2026-03-29"}
    assert answer["compare"]["events"] == alone["events"] > 0


def test_a_receipt_gives_the_number_again(engine: DuckEngine, shop: ReportLake) -> None:
    stored = replace(shop.snapshot, tail=shop.snapshot.tail.slice(0, 0), identities=None)
    answer = report_answer(engine, stored, counted(shop, include=["receipt"]))
    receipt = answer["receipt"]
    assert receipt["stands_alone"]
    assert receipt["method"] == "report"
    data_dir = stored.directory.parent.parent / stored.directory.parent.name
    setup = receipt["setup"].replace(f"'{data_dir.name}/", f"'{data_dir}/")
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(setup)
        found = connection.execute(receipt["sql"]).fetchall()
    assert found == [(answer["events"], answer["people"])]


def test_equal_questions_are_answered_once(engine: DuckEngine, shop: ReportLake) -> None:
    answers = AnswerCache()
    first = answers.report(engine, shop.snapshot, counted(shop, start_date="2026-03-28"))
    again = answers.report(engine, shop.snapshot, counted(shop, start_date="2026-03-28"))
    assert first | {"elapsed_ms": 0} == again | {"elapsed_ms": 0}
    kept = answers.size_bytes
    answers.report(engine, shop.snapshot, counted(shop, start_date="2026-03-29"))
    assert answers.size_bytes > kept > 0


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"start": "2026-01-01"}, "/start"),
        ({"start_date": 7}, "/start_date"),
        ({"start_date": "2026-02-30"}, "/start_date"),
        ({"start_date": "2026-02-02", "end_date": "2026-02-01"}, "/start_date"),
        ({"compare_start": "2026-02-02"}, "/compare_start"),
        ({"include": ["times"]}, "/include"),
        ({"exclude_bots": "yes"}, "/exclude_bots"),
        ({"as_of": "2099-01-01T00:00:00Z"}, "/as_of"),
        ({"as_of": "yesterday"}, "/as_of"),
        ({"filters": [{"property": "a", "op": "is", "value": 1}]}, "/filters/0/op"),
    ],
)
def test_a_wrong_field_is_named(shop: ReportLake, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        counted(shop, **fields)
    assert [error.pointer for error in refused.value.errors] == [pointer]


def test_a_comparison_needs_a_range(engine: DuckEngine, shop: ReportLake) -> None:
    with pytest.raises(ValidationFailed):
        report_answer(engine, shop.snapshot, counted(shop, include="compare"))

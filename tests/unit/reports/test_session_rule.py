"""The session rule of reports against sessions that are made event by event, at ranges that cut them anywhere."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, ClassVar

import pytest

from iafa.clock import to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.reports.frame import Frame, FrameReader, Setting
from iafa.query.reports.report import Table, report_answer
from iafa.query.reports.session_rule import session_events_sql
from tests.support.chance import chance
from tests.support.report_lake import DAY_US, HOUR_US, MINUTE_US, SPRING_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

Session = list[Mapping[str, Any]]


@dataclass(frozen=True)
class Listed:
    """Which events there are in which session."""

    name: ClassVar[str] = "listed"
    frame: Frame
    matchers: tuple[Stage, ...] = ()
    is_of_range: bool = True

    def with_frame(self, frame: Frame) -> "Listed":
        return replace(self, frame=frame)

    def span(self) -> tuple[int, int]:
        assert self.frame.sessions_span is not None
        return self.frame.sessions_span

    def key(self) -> object:
        return None

    def members(self, reading: Reading, snapshot: Snapshot) -> dict[str, Any]:
        parameters = Parameters()
        events = session_events_sql(
            self.frame, snapshot, parameters, columns={"id"}, matchers=self.matchers, is_of_range=self.is_of_range
        )
        text = f"select session, session_start_us, id, time_us from ({events}) order by time_us, id"
        return {"rows": reading.rows(text, parameters.values)}

    def table(self, answer: Mapping[str, Any]) -> Table:
        return ["session"], [[row[0]] for row in answer["rows"]]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def sessions(shop: ReportLake, gap_us: int, *, without_bots: bool = False, until_us: int = 2**62) -> list[Session]:
    """Every session of the lake."""
    histories: dict[str, Session] = {}
    for event in sorted(shop.events, key=lambda one: one["t"]):
        if event["t"] <= until_us and not (without_bots and event["is_bot"]):
            histories.setdefault(event["person"], []).append(event)
    found: list[Session] = []
    for history in histories.values():
        found.append([history[0]])
        for before, event in pairwise(history):
            if event["t"] - before["t"] > gap_us:
                found.append([])
            found[-1].append(event)
    return found


def asked(engine: DuckEngine, shop: ReportLake, gap_s: int, **fields: Any) -> list[Any]:
    options = {key: fields.pop(key) for key in ("matchers", "is_of_range") if key in fields}
    is_earlier = fields.pop("wants_earlier_sessions", True)
    reader = FrameReader(fields, Setting(session_gap_s=gap_s, now_us=shop.clock.now_us()))
    frame = replace(reader.frame(), wants_sessions=True, wants_earlier_sessions=is_earlier)
    reader.done()
    return list(report_answer(engine, shop.snapshot, Listed(frame, **options))["rows"])


def grouped(rows: list[Any]) -> set[tuple[int, frozenset[str]]]:
    """(start, events) of each session."""
    found: dict[object, tuple[int, set[str]]] = {}
    for session, start_us, event_id, _time in rows:
        known = found.setdefault(session, (start_us, set()))
        assert known[0] == start_us
        known[1].add(event_id)
    return {(start_us, frozenset(ids)) for start_us, ids in found.values()}


def expected(found: list[Session], keep: Any = lambda _event: True) -> set[tuple[int, frozenset[str]]]:
    parts = {(one[0]["t"], frozenset(event["id"] for event in one if keep(event))) for one in found}
    return {part for part in parts if part[1]}


@pytest.mark.parametrize("gap_s", [900, 3_600, 6 * 3_600, 20 * 3_600])
def test_the_sessions_that_begin_in_a_range_are_whole(engine: DuckEngine, shop: ReportLake, gap_s: int) -> None:
    """With the long pauses sessions of days reach over both ends, and chains of them over several more days."""
    draw = chance(f"sessions {gap_s}")
    known = sessions(shop, gap_s * 1_000_000)
    cut = 0
    for _ in range(8):
        from_us = SPRING_US + draw.randrange(4 * DAY_US) // (15 * MINUTE_US) * (15 * MINUTE_US)
        to_us = from_us + draw.choice((1, HOUR_US, 7 * HOUR_US, DAY_US, 2 * DAY_US))
        own = [one for one in known if from_us <= one[0]["t"] < to_us]
        rows = asked(engine, shop, gap_s, start_date=to_iso(from_us), end_date=to_iso(to_us))
        assert grouped(rows) == expected(own)
        fields = {"start_date": to_iso(from_us), "end_date": to_iso(to_us), "wants_earlier_sessions": False}
        assert grouped(asked(engine, shop, gap_s, **fields)) == expected(own)
        cut += sum(one[-1]["t"] >= to_us for one in own)
    assert cut > (3 if gap_s > 3_600 else 0)


def test_a_session_that_began_before_the_range_has_its_own_start(engine: DuckEngine, shop: ReportLake) -> None:
    gap_s, from_us, to_us = 36 * 3_600, SPRING_US + 3 * DAY_US, SPRING_US + 3 * DAY_US + HOUR_US
    touched = [one for one in sessions(shop, gap_s * 1_000_000) if any(from_us <= each["t"] < to_us for each in one)]
    rows = asked(engine, shop, gap_s, start_date=to_iso(from_us), end_date=to_iso(to_us), is_of_range=False)
    assert expected(touched) <= grouped(rows)
    assert min(one[0]["t"] for one in touched) < from_us - DAY_US


def test_filters_choose_events_after_sessions_are_made_and_bots_before(engine: DuckEngine, shop: ReportLake) -> None:
    gap_s, as_of_us = 6 * 3_600, SPRING_US + 3 * DAY_US + 17
    fields = {
        "start_date": "2026-03-28",
        "exclude_bots": True,
        "as_of": to_iso(as_of_us),
        "filters": [{"property": "amount", "op": "gte", "value": 5}],
        "matchers": (Stage("a", events=("purchase",)), Stage("b", events=("search",))),
    }

    def keep(event: Mapping[str, Any]) -> bool:
        return event["properties"]["amount"] in (10, "7") and event["name"] in ("purchase", "search")

    from_us = SPRING_US + 12 * HOUR_US
    known = sessions(shop, gap_s * 1_000_000, without_bots=True, until_us=as_of_us)
    found = expected([one for one in known if one[0]["t"] >= from_us], keep)
    assert grouped(asked(engine, shop, gap_s, **fields)) == found
    assert len(found) > 10


def test_nothing_is_read_where_nothing_is(engine: DuckEngine, shop: ReportLake) -> None:
    assert asked(engine, shop, 3_600, start_date="2020-01-01", end_date="2020-01-02") == []
    empty = replace(shop, snapshot=Snapshot.of_table(shop.snapshot.tail.slice(0, 0), shop.snapshot.directory))
    assert asked(engine, empty, 3_600) == []

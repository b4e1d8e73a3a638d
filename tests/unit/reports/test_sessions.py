"""Sessions and the overview equal the naive reference, over files, parts and tail, with edges, bots and both changes
of clocks.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from iafa.clock import FakeClock, to_iso
from iafa.errors import ValidationFailed
from iafa.query.binding import Parameters
from iafa.query.channels import CHANNEL_COLUMNS, CHANNEL_SQL
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.present import PRESENT_S, present
from iafa.query.reports.report import report_answer, report_key
from iafa.query.reports.sessions import FIGURES, parse_sessions
from iafa.query.source import events_sql
from tests.support import sessions_oracle
from tests.support.chance import chance
from tests.support.report_lake import AUTUMN_US, DAY_US, SPRING_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

BERLIN = "Europe/Berlin"
FIRST = {SPRING_US: datetime(2026, 3, 27), AUTUMN_US: datetime(2025, 10, 24)}


@pytest.fixture(scope="module", params=[SPRING_US, AUTUMN_US], ids=["spring", "autumn"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", first_us=request.param, people=25)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def local_us(moment: datetime) -> int:
    return int(moment.replace(tzinfo=ZoneInfo(BERLIN)).astimezone(UTC).timestamp()) * 1_000_000


def first_day(shop: ReportLake) -> datetime:
    return FIRST[SPRING_US if shop.events[0]["t"] >= SPRING_US else AUTUMN_US]


def questions(shop: ReportLake, salt: str) -> Iterator[tuple[dict[str, Any], list[list[Any]], int, int, int]]:
    """Fields, the sessions that are expected, their range and the gap."""
    draw = chance(salt)
    for _ in range(12):
        start = first_day(shop) + timedelta(days=draw.randrange(4))
        end = start + timedelta(days=draw.randrange(1, 4))
        lo, hi = local_us(start), local_us(end)
        gap_s = draw.choice((900, 3_600, 7_200))
        fields: dict[str, Any] = {
            "start_date": start.date().isoformat(),
            "end_date": (end - timedelta(days=1)).date().isoformat(),
        }
        events = list(shop.events)
        if draw.random() < 0.4:
            fields["exclude_bots"] = True
            events = [event for event in events if not event["is_bot"]]
        if draw.random() < 0.3:
            as_of_us = lo + draw.randrange(2 * DAY_US)
            fields["as_of"] = to_iso(as_of_us)
            events = [event for event in events if event["t"] <= as_of_us]
        found = sessions_oracle.sessions(events, lo, hi, gap_s)
        if draw.random() < 0.4:
            fields["filters"] = [{"property": "plan", "op": "eq", "value": "pro"}]
            found = [one for one in found if any(event["properties"].get("plan") == "pro" for event in one)]
        yield fields, found, lo, hi, gap_s


def figures(answer: dict[str, Any]) -> dict[str, Any]:
    return {name: answer[name] for name in FIGURES}


def test_sessions_equal_the_reference(engine: DuckEngine, shop: ReportLake) -> None:
    counted = 0
    for fields, found, lo, hi, gap_s in questions(shop, "sessions"):
        setting = Setting(BERLIN, gap_s, shop.clock.now_us())
        dimension = chance(str(fields)).choice(("entry_page", "exit_page", "referrer", "utm_source"))
        asked = {**fields, "breakdown": dimension, "limit": 2, "interval": "day"}
        answer = report_answer(engine, shop.snapshot, parse_sessions(asked, setting))
        assert figures(answer["total"]) == sessions_oracle.figures(found)
        days = [datetime.fromtimestamp(one[0]["t"] // 1_000_000, ZoneInfo(BERLIN)).date().isoformat() for one in found]
        for bucket in answer["buckets"]:
            own = [one for one, day in zip(found, days, strict=True) if day == bucket["bucket"]]
            assert figures(bucket) == sessions_oracle.figures(own), bucket
        assert len(answer["buckets"]) == round((hi - lo) / DAY_US)
        shown = [(one["value"], one["group"], figures(one)) for one in answer["breakdown"]["groups"]]
        assert shown == sessions_oracle.groups(found, dimension, 2)
        counted += len(found)
    assert counted > 500


def test_the_overview_equals_the_reference(engine: DuckEngine, shop: ReportLake) -> None:
    for fields, found, lo, hi, gap_s in questions(shop, "overview"):
        now_us = shop.clock.now_us() if "as_of" in fields else max(event["t"] for event in shop.events) + 60_000_000
        asked = {**fields, "lists": ["entry_page", "utm_source"], "limit": 3}
        answer = report_answer(engine, shop.snapshot, parse_overview(asked, Setting(BERLIN, gap_s, now_us)))
        assert figures(answer["total"]) == sessions_oracle.figures(found)
        for listed in answer["lists"]:
            shown = [(one["value"], one["group"], figures(one)) for one in listed["groups"]]
            assert shown == sessions_oracle.groups(found, listed["property"], 3)
        if "as_of" in fields or "filters" in fields:
            continue
        kept = [event for event in shop.events if not (fields.get("exclude_bots") and event["is_bot"])]
        viewed = [event for event in kept if lo <= event["t"] < hi and event["name"] == "page_view"]
        views = Counter(path_of(event["url"]) for event in viewed)
        pages = [(one["page"], one["views"]) for one in answer["pages"]]
        assert pages == sorted(views.items(), key=lambda item: (-item[1], item[0]))[:3]
        present = [event for event in kept if now_us - PRESENT_S * 1_000_000 <= event["t"] <= now_us]
        assert answer["present"]["people"] == len({event["person"] for event in present})


def test_who_was_present_is_told_as_of_then(engine: DuckEngine, shop: ReportLake) -> None:
    """And never out of a kept answer of another time: the key does not name the clock."""
    latest_us = max(event["t"] for event in shop.events)
    as_of_us = min(event["t"] for event in shop.events) + DAY_US // 4 * 3
    as_of_us = max(event["t"] for event in shop.events if event["t"] <= as_of_us)
    reports = [
        parse_overview({"as_of": to_iso(as_of_us), "lists": []}, Setting(BERLIN, 3_600, latest_us + later_us))
        for later_us in (60_000_000, DAY_US)
    ]
    assert len({report_key(report) for report in reports}) == 1
    found = {event["person"] for event in shop.events if as_of_us - PRESENT_S * 1_000_000 <= event["t"] <= as_of_us}
    for report in reports:
        assert report_answer(engine, shop.snapshot, report)["present"]["people"] == len(found) > 0


@pytest.mark.parametrize("exclude_bots", [False, True])
def test_who_is_there_now_equals_the_reference(tmp_path: Path, shop: ReportLake, exclude_bots: bool) -> None:
    """Over each of the last minutes of the data, until nobody is left."""
    clock = FakeClock()
    engine = DuckEngine(QueryLimits(timeout_s=300.0), temp_directory=tmp_path / "spill", clock=clock)
    latest_us = max(event["t"] for event in shop.events)
    counts = set()
    for minutes in range(-200, 8, 3):
        now_us = latest_us + minutes * 60_000_000
        clock.set_wall(now_us)
        there = [event for event in shop.events if now_us - PRESENT_S * 1_000_000 <= event["t"] <= now_us]
        there = [event for event in there if not (exclude_bots and event["is_bot"])]
        answer = present(engine, shop.snapshot, exclude_bots=exclude_bots)
        people = {event["person"] for event in there}
        assert answer == {
            "people": len(people),
            "page_views": sum(event["name"] == "page_view" for event in there),
            "seconds": PRESENT_S,
        }
        counts.add(len(people))
    engine.close()
    assert counts > {0, 1}


def test_only_files_of_the_range_and_of_the_last_minutes_are_opened(engine: DuckEngine, shop: ReportLake) -> None:
    """Not those of the time between an old range and now."""
    now_us = max(event["t"] for event in shop.events)
    day = first_day(shop) + timedelta(days=1)
    asked = {"start_date": f"{day:%Y-%m-%d}", "end_date": f"{day:%Y-%m-%d}", "lists": []}
    answer = report_answer(engine, shop.snapshot, parse_overview(asked, Setting(BERLIN, 900, now_us)))
    assert answer["present"]["people"] > 0
    after_us, present_us = local_us(day) + 2 * DAY_US, now_us - PRESENT_S * 1_000_000
    files = shop.snapshot.entries or ()
    between = sum(file.rows for file in files if after_us < file.first_created_us <= file.last_created_us < present_us)
    assert between > 0
    assert answer["rows_read"] <= shop.snapshot.rows - between


def test_the_overview_finds_its_sessions_once(engine: DuckEngine, shop: ReportLake) -> None:
    report = parse_overview({"include": "receipt"}, Setting(BERLIN, 900, shop.clock.now_us()))
    answer = report_answer(engine, shop.snapshot, report)
    assert len(answer["lists"]) == 8
    assert answer["receipt"]["sql"].count(") as session_start_us") == 1


def test_the_channel_is_that_of_the_first_page_view(engine: DuckEngine, shop: ReportLake) -> None:
    parameters = Parameters()
    events = events_sql(shop.snapshot, {"id", *CHANNEL_COLUMNS}, parameters)
    with engine.reading(shop.snapshot) as reading:
        rows = reading.rows(f"select id, {CHANNEL_SQL} from ({events})", parameters.values)
        told: dict[object, object] = {row[0]: row[1] for row in rows}
    expected: Counter[object] = Counter()
    for session in sessions_oracle.sessions(shop.events, 0, 2**62):
        views = [event["id"] for event in session if event["name"] == "page_view"]
        expected[told[views[0]] if views else None] += 1
    report = parse_sessions({"breakdown": "channel"}, Setting(BERLIN, 3_600, shop.clock.now_us()))
    groups = report_answer(engine, shop.snapshot, report)["breakdown"]["groups"]
    assert {one["value"]: one["sessions"] for one in groups} == expected
    assert len(expected) > 3


def path_of(url: str) -> str:
    return url.removeprefix("https://shop.example.com").partition("?")[0]


def test_a_comparison_and_a_file(engine: DuckEngine, shop: ReportLake) -> None:
    day = (first_day(shop) + timedelta(days=2)).date().isoformat()
    fields = {"start_date": day, "end_date": day, "include": ["compare", "receipt"], "breakdown": "channel"}
    report = parse_sessions(fields, Setting(BERLIN, 3_600, shop.clock.now_us()))
    answer = report_answer(engine, shop.snapshot, report)
    start = first_day(shop) + timedelta(days=1)
    found = sessions_oracle.sessions(shop.events, local_us(start), local_us(start + timedelta(days=1)))
    assert figures(answer["compare"]["total"]) == sessions_oracle.figures(found)
    assert "session_start_us" in answer["receipt"]["sql"]
    columns, rows = report.table(answer)
    assert columns[:3] == ["channel", "group", "sessions"]
    assert sum(int(str(row[2])) for row in rows) == answer["total"]["sessions"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"breakdown": "plan"}, "/breakdown"), ({"interval": "year"}, "/interval"), ({"limit": 0}, "/limit")],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    for parse in (parse_sessions, parse_overview):
        if pointer == "/breakdown" and parse is parse_overview:
            continue
        with pytest.raises(ValidationFailed) as refused:
            parse(fields, Setting())
        assert [error.pointer for error in refused.value.errors] == [pointer]

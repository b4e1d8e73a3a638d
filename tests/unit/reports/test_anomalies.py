"""The report on anomalies: counts equal a naive reference, planted days are told in words, what is unknown is said."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from iafa.clock import FakeClock, to_iso
from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.anomalies import parse_anomalies
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from tests.support.chance import chance
from tests.support.events import make_event
from tests.support.lake import TestLake
from tests.support.report_lake import AUTUMN_US, DAY_US, SPRING_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

BERLIN = "Europe/Berlin"
FIRST_DAY = date(2026, 2, 2)  # a Monday; in Berlin clocks go forward on 2026-03-29
HISTORY_DAYS, DROP, SPIKE, NOTHING = 62, 52, 57, 59
LAST_DAY = FIRST_DAY + timedelta(days=HISTORY_DAYS - 1)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def local_us(day: date, hour: int = 0) -> int:
    moment = datetime(day.year, day.month, day.day, hour, tzinfo=ZoneInfo(BERLIN))
    return int(moment.astimezone(UTC).timestamp()) * 1_000_000


def ask(engine: DuckEngine, snapshot: Snapshot, now_us: int, **fields: Any) -> dict[str, Any]:
    return report_answer(engine, snapshot, parse_anomalies(fields, Setting(BERLIN, 3_600, now_us)))


def series_of(answer: dict[str, Any], name: str) -> dict[str, Any]:
    (found,) = (one for one in answer["series"] if one["event_type"] == name)
    return dict(found)


@pytest.mark.parametrize("first_us", [SPRING_US, AUTUMN_US], ids=["spring", "autumn"])
def test_the_counts_equal_the_reference(engine: DuckEngine, first_us: int, tmp_path: Path) -> None:
    shop = report_lake(tmp_path / "data", first_us=first_us, people=25, events=500)
    draw = chance(f"anomalies {first_us}")
    for measure in ("events", "people"):
        fields: dict[str, Any] = {"measure": measure, "limit": 4, "start_date": _day_of(first_us).isoformat()}
        kept = list(shop.events)
        if measure == "people":
            as_of_us = first_us + draw.randrange(2 * DAY_US, 4 * DAY_US)
            fields |= {"as_of": to_iso(as_of_us), "filters": [{"property": "plan", "op": "eq", "value": "pro"}]}
            kept = [one for one in kept if one["t"] <= as_of_us and one["properties"].get("plan") == "pro"]
        else:
            fields["exclude_bots"] = True
            kept = [one for one in kept if not one["is_bot"]]
        answer = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
        assert _shown(answer) == _expected(kept, measure, 4)
        assert not answer["findings"]
        assert all("Not enough history" in one["text"] for one in answer["series"])


def _day_of(time_us: int) -> date:
    return datetime.fromtimestamp(time_us // 1_000_000, ZoneInfo(BERLIN)).date()


def _shown(answer: dict[str, Any]) -> dict[str, dict[str, int]]:
    return {
        one["event_type"]: {day["bucket"]: day["value"] for day in one["buckets"] if day["value"]}
        for one in answer["series"]
    }


def _expected(events: Sequence[Any], measure: str, types: int) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for event in events:
        for name in ("*", event["name"]):
            found[name][_day_of(event["t"]).isoformat()].append(event["person"])
    sizes = {name: sum(map(len, days.values())) for name, days in found.items() if name != "*"}
    names = ["*", *sorted(sizes, key=lambda name: (-sizes[name], name))[:types]]
    return {
        name: {day: len(people if measure == "events" else set(people)) for day, people in found[name].items()}
        for name in names
    }


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    """Two months of visits and purchases; purchases fall on one day, visits rise on another, on one nothing came."""
    draw = chance("anomalous days")
    lake = TestLake(tmp_path_factory.mktemp("history") / "data", clock=FakeClock(local_us(LAST_DAY, 12)))
    events = []
    for number in range(HISTORY_DAYS):
        day = FIRST_DAY + timedelta(days=number)
        share = (1.0, 1.0, 1.1, 1.0, 0.9, 0.4, 0.3)[day.weekday()] * (0.5 if number == HISTORY_DAYS - 1 else 1)
        counts = {"visit": 40 * share + number / 5, "purchase": 25 * share}
        counts["visit"] *= 4 if number == SPIKE else 1
        counts["purchase"] *= 0 if number == DROP else 1
        if number >= HISTORY_DAYS - 5:
            counts["trial"] = 20
        for name, count in counts.items():
            for place in range(0 if number == NOTHING else round(count + draw.uniform(-2, 2) * (count > 0))):
                at_us = local_us(day, draw.randrange(0, 12))
                person = f"user-{draw.randrange(40)}"
                events.append(
                    make_event(id=f"{name}-{number}-{place}", event_type=name, created_at=at_us, user_id=person)
                )
    lake.write(events)
    lake.flusher.run()
    return ReportLake(lake.take(), [], lake.clock, lake)


def test_planted_days_are_found_and_told(engine: DuckEngine, history: ReportLake) -> None:
    answer = ask(engine, history.snapshot, history.clock.now_us())
    drop, spike = (FIRST_DAY + timedelta(days=number) for number in (DROP, SPIKE))
    assert answer["date_range"]["start"] == (LAST_DAY - timedelta(days=27)).isoformat()
    assert answer["days_judged"] == 27
    found = {(one["event_type"], one["bucket"]): one for one in answer["findings"]}
    assert set(found) == {("purchase", drop.isoformat()), ("visit", spike.isoformat()), ("*", spike.isoformat())}
    assert answer["findings_total"] == 3
    fall = found["purchase", drop.isoformat()]
    assert (fall["direction"], fall["value"], fall["measure"]) == ("down", 0, "events")
    assert fall["low"] <= fall["expected"] <= fall["high"]
    assert fall["text"] == (
        f'"purchase" fell to 0 on 26 March 2026; {fall["low"]} to {fall["high"]} were expected for a Thursday'
    )
    assert found["visit", spike.isoformat()]["text"].startswith('"visit" rose to ')
    assert found["*", spike.isoformat()]["text"].startswith("All events rose to ")
    scores = [abs(one["score"]) for one in answer["findings"]]
    assert scores == sorted(scores, reverse=True)


def test_what_cannot_be_judged_is_said(engine: DuckEngine, history: ReportLake) -> None:
    answer = ask(engine, history.snapshot, history.clock.now_us())
    empty = FIRST_DAY + timedelta(days=NOTHING)
    assert answer["days_without_data"] == [
        {"bucket": empty.isoformat(), "text": f"No data arrived on {empty.day} April 2026"}
    ]
    today = series_of(answer, "visit")["buckets"][-1]
    assert (today["bucket"], today["is_incomplete"], today["expected"]) == (LAST_DAY.isoformat(), True, None)
    assert today["value"] > 0
    trial = series_of(answer, "trial")
    assert not trial["is_judged"]
    assert trial["text"] == 'Not enough history of "trial": a day is judged by at least 14 complete days before it'
    assert all(day["score"] is None for day in trial["buckets"])
    before = ask(engine, history.snapshot, history.clock.now_us(), as_of=to_iso(local_us(FIRST_DAY, 10)))
    assert before["findings"] == before["days_without_data"] == []
    nothing = ask(engine, history.snapshot, history.clock.now_us(), start_date="2020-01-01", end_date="2020-01-05")
    assert nothing["findings"] == nothing["days_without_data"] == []
    ahead = ask(engine, history.snapshot, history.clock.now_us(), start_date="9999-12-01")
    assert (ahead["days_judged"], ahead["series"][0]["buckets"]) == (0, [])


def test_a_day_is_judged_alike_whatever_range_it_is_asked_in(engine: DuckEngine, history: ReportLake) -> None:
    now_us = history.clock.now_us()
    whole = ask(engine, history.snapshot, now_us, start_date=(FIRST_DAY + timedelta(days=30)).isoformat())
    day = (FIRST_DAY + timedelta(days=SPIKE)).isoformat()
    alone = ask(engine, history.snapshot, now_us, start_date=day, end_date=day)
    assert [one for one in whole["findings"] if one["bucket"] == day] == alone["findings"]
    cut = ask(engine, history.snapshot, now_us, start_date=f"{day}T06:00:00", end_date=day)
    assert (cut["days_judged"], cut["findings"]) == (0, [])


def test_options_choose_series_measure_and_sensitivity(engine: DuckEngine, history: ReportLake) -> None:
    now_us = history.clock.now_us()
    chosen = ask(engine, history.snapshot, now_us, events=["purchase", "gone"], measure="people")
    assert [one["event_type"] for one in chosen["series"]] == ["purchase", "gone"]
    assert chosen["findings"][0]["text"].startswith('People with "purchase" fell to 0 on 26 March 2026; ')
    counts = [
        ask(engine, history.snapshot, now_us, sensitivity=name)["findings_total"] for name in ("low", "medium", "high")
    ]
    assert counts == sorted(counts)
    report = parse_anomalies({"limit": 1}, Setting(BERLIN, 3_600, now_us))
    answer = report_answer(engine, history.snapshot, report)
    assert [one["event_type"] for one in answer["series"]] == ["*", "visit"]
    columns, rows = report.table(answer)
    assert columns[0] == "event_type"
    assert len(rows) == answer["findings_total"]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"sensitivity": "extreme"}, "/sensitivity"),
        ({"measure": "sessions"}, "/measure"),
        ({"limit": 51}, "/limit"),
        ({"events": ["x"] * 51}, "/events"),
        ({"events": "x"}, "/events"),
        ({"events": [3]}, "/events/0"),
        ({"include": ["compare"]}, "/include"),
        ({"start_date": "2024-01-01", "end_date": "2025-01-02"}, "/start_date"),
    ],
)
def test_a_wrong_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_anomalies(fields, Setting("UTC", 3_600, SPRING_US))
    assert [error.pointer for error in refused.value.errors] == [pointer]

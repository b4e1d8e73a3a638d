"""Trends against a naive reference, at both changes of clocks: random questions of all measures, intervals, groups."""

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import duckdb
import pytest

from iafa.clock import to_iso
from iafa.errors import ValidationFailed
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import file_table, report_answer
from iafa.query.reports.trends import parse_trends
from tests.support.chance import chance
from tests.support.report_lake import AUTUMN_US, DAY_US, HOUR_US, NAMES, SPRING_US, ReportLake, report_lake
from tests.support.trends_oracle import Answer, Asked, Group, computed
from tests.unit.query.rows import an_engine

COUNTED = ("events", "people", "per_person")
ALL = (*COUNTED, "sessions", "sum", "avg", "min", "max", "median", "p90", "p95", "p99", "wau", "mau")
FORMULAS = ("A / B * 100", "-(A + 2.5) * B - B / (A - A)", "(A - B) / (A + B)", "1 - A")
GAP_US = 5 * HOUR_US
Line = Mapping[str, Any]


@pytest.fixture(scope="module", params=[SPRING_US, AUTUMN_US], ids=["spring", "autumn"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", first_us=request.param, events=500, people=40)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def first_us(shop: ReportLake) -> int:
    return min(int(event["t"]) for event in shop.events) // DAY_US * DAY_US


def ask(engine: DuckEngine, shop: ReportLake, timezone: str = "Europe/Berlin", **fields: Any) -> dict[str, Any]:
    setting = Setting(timezone, GAP_US // 1_000_000, shop.clock.now_us())
    return report_answer(engine, shop.snapshot, parse_trends(fields, setting))


def a_question(draw: random.Random, shop: ReportLake) -> tuple[Asked, dict[str, Any]]:
    """For the reference and for the product."""
    interval = draw.choice(("hour", "day", "day", "week", "month"))
    lo = first_us(shop) + draw.randrange(4 * 24 * 4) * HOUR_US // 4
    hi = lo + draw.choice((HOUR_US, DAY_US, 3 * DAY_US + 17, 9 * DAY_US))
    zone = draw.choice(("Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe"))
    measures = [one for one in ALL if interval != "hour" or one not in ("wau", "mau")]
    series: list[dict[str, Any]] = []
    for _ in range(draw.choice((1, 2, 3))):
        one: dict[str, Any] = {"names": draw.choice((None, [draw.choice(NAMES)], list(NAMES[:2])))}
        one["measure"] = draw.choice(measures)
        if one["measure"] in ALL[4:12]:
            one["property"] = "amount"
        series.append(one)
    if draw.random() < 0.3:
        series = [{"names": one["names"], "measure": "events"} for one in series]
    asked = Asked(
        zone,
        lo,
        hi,
        interval,
        series,
        breakdown=draw.choice((None, "plan", "amount")),
        limit=draw.choice((1, 2, 10)),
        as_of=draw.choice((2**62, lo + 20 * HOUR_US)),
        without_bots=draw.random() < 0.3,
        keep=draw.choice((lambda _event: True, lambda event: event["properties"].get("plan") is not None)),
        gap_us=GAP_US,
    )
    return asked, fields_of(asked)


def fields_of(asked: Asked) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "timezone": asked.zone,
        "start_date": to_iso(asked.lo),
        "end_date": to_iso(asked.hi),
        "interval": asked.interval,
        "exclude_bots": asked.without_bots,
        "series": [
            {"events": one["names"] or ["*"], **{key: one[key] for key in one if key != "names"}}
            for one in asked.series
        ],
    }
    if not asked.keep({"properties": {}}):
        fields["filters"] = [{"property": "plan", "op": "exists"}]
    if asked.breakdown is not None:
        fields["breakdown"] = {"property": asked.breakdown, "limit": asked.limit}
    if asked.as_of < 2**62:
        fields["as_of"] = to_iso(asked.as_of)
    if len(asked.series) > 1:
        fields["formulas"] = list(FORMULAS)
    return fields


def lines(found: Line) -> dict[Group | None, Line]:
    known: dict[Group | None, Line] = {None: found}
    return known | {(one["group"], one["group_value"]): one for one in found["groups"] or ()}


def values(line: Line) -> list[float | None]:
    return [bucket["value"] for bucket in line["buckets"]] + [line["total"]["value"]]


@pytest.mark.parametrize("part", range(3))
def test_every_number_is_the_one_of_the_reference(engine: DuckEngine, shop: ReportLake, part: int) -> None:
    draw = chance(f"trends {part} {first_us(shop)}")
    for _ in range(5):
        asked, fields = a_question(draw, shop)
        answer, reference = ask(engine, shop, **fields), Answer(asked, shop.events)
        as_of = asked.as_of if asked.as_of < 2**62 else shop.clock.now_us() // 60_000_000 * 60_000_000
        assert [(one["date"], one["from"], one["to"], one["is_incomplete"]) for one in answer["buckets"]] == [
            (name, to_iso(low), to_iso(high), high > as_of) for name, low, high in reference.buckets
        ]
        expected: list[dict[Group | None, list[float | None]]] = []
        for series, found in zip(asked.series, answer["series"], strict=True):
            known = {group: reference.line(series, group) for group in (None, *reference.groups)}
            expected.append({group: [*line.values, line.total] for group, line in known.items()})
            for group, line in lines(found).items():
                assert values(line) == pytest.approx(expected[-1][group]), (fields, group)
                if "property" in series:
                    assert line["total"]["skipped"] == known[group].skipped
            shown = [(one["group"], one["group_value"]) for one in found["groups"] or ()]
            assert shown == [group for group in reference.groups if group in shown]
            for group in set(known) - set(lines(found)):
                assert not any(expected[-1][group]), "a group that is left out has nothing"
        for formula, found in zip(fields.get("formulas", ()), answer["formulas"], strict=True):
            for group, line in lines(found).items():
                of_series = zip(*(one[group] for one in expected), strict=True)
                assert values(line) == pytest.approx([computed(formula, each) for each in of_series])


def test_people_are_counted_once_over_the_range_and_sessions_not_cut_at_midnight(
    engine: DuckEngine, shop: ReportLake
) -> None:
    day = to_iso(first_us(shop) + DAY_US)[:10]
    series = [{"event": "*", "measure": measure} for measure in ("people", "sessions")]
    people, sessions = ask(engine, shop, series=series, start_date=day)["series"]
    assert people["total"]["value"] < sum(bucket["value"] for bucket in people["buckets"])
    assert sessions["total"]["value"] == sum(bucket["value"] for bucket in sessions["buckets"])


def test_the_present_bucket_of_an_open_range_is_incomplete(engine: DuckEngine, shop: ReportLake) -> None:
    last_us = max(event["t"] for event in shop.events)
    for now_us, is_incomplete in ((last_us + 2 * 60_000_000, True), (last_us + 32 * DAY_US, False)):
        report = parse_trends({"series": ["*"], "interval": "month"}, Setting("Europe/Berlin", 3_600, now_us))
        answer = report_answer(engine, shop.snapshot, report)
        assert answer["series"][0]["buckets"][-1]["is_incomplete"] is is_incomplete
        assert answer["series"][0]["total"]["events"] == len(shop.events)


def test_an_answer_is_one_table_with_the_other_period(engine: DuckEngine, shop: ReportLake) -> None:
    first = to_iso(first_us(shop) + 3 * DAY_US)[:10]
    fields = {"series": ["purchase", "search"], "formulas": [{"name": "share", "expression": "A/B"}]}
    fields |= {"breakdown": "plan", "start_date": first, "end_date": first, "include": "compare"}
    report = parse_trends(fields, Setting("UTC", 3_600, shop.clock.now_us()))
    answer = report_answer(engine, shop.snapshot, report)
    columns, rows = file_table(report, answer)
    named = [dict(zip(columns, row, strict=True)) for row in rows]
    groups = len(answer["series"][0]["groups"]) + 1
    asked = [row for row in named if row["range"] == "asked"]
    assert len(asked) == 3 * groups
    assert {row["date"] for row in asked} == {first}
    assert {row["series"] for row in asked} == {"purchase", "search", "share"}
    compared = [row for row in named if row["range"] == "compare" and row["group"] is None]
    assert [row["value"] for row in compared[:2]] == [one["total"]["value"] for one in answer["compare"]["series"]]
    assert json.dumps(answer)


@pytest.mark.parametrize(("measure", "column"), [("events", 0), ("people", -1), ("sessions", 0)])
def test_the_sql_of_the_receipt_gives_the_numbers_again(
    engine: DuckEngine, shop: ReportLake, measure: str, column: int
) -> None:
    stored = replace(shop.snapshot, tail=shop.snapshot.tail.slice(0, 0), identities=None)
    series = [{"event": "purchase", "measure": measure}]
    report = parse_trends(
        {"series": series, "breakdown": "plan", "include": "receipt", "start_date": to_iso(first_us(shop) + DAY_US)},
        Setting("Europe/Berlin", 3_600, shop.clock.now_us()),
    )
    answer = report_answer(engine, stored, report)
    assert answer["receipt"]["stands_alone"]
    data_dir = stored.directory.parent.parent / stored.directory.parent.name
    setup = answer["receipt"]["setup"].replace(f"'{data_dir.name}/", f"'{data_dir}/")
    with duckdb.connect(":memory:") as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(setup)
        found = connection.execute(answer["receipt"]["sql"]).fetchall()
    totals = {place: numbers[column] for bucket, place, *numbers in found if bucket is None}
    assert totals[None] == answer["series"][0]["total"]["value"]
    assert totals[1] == answer["series"][0]["groups"][0]["total"]["value"]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({}, "/series"),
    ({"series": []}, "/series"),
    ({"series": [{"event": "a"}] * 21}, "/series"),
    ({"series": [{"measure": "events"}]}, "/series/0"),
    ({"series": [{"event": "a", "measure": "mean"}]}, "/series/0/measure"),
    ({"series": [{"event": "a", "measure": "sum"}]}, "/series/0/property"),
    ({"series": [{"event": "a", "property": "amount"}]}, "/series/0/property"),
    ({"series": [{"event": "a", "amount": 1}]}, "/series/0/amount"),
    ({"series": [{"event": "a", "measure": "wau"}], "interval": "hour"}, "/series/0/measure"),
    ({"series": ["a"], "interval": "year"}, "/interval"),
    ({"series": ["a"], "timezone": "Mars/Olympus"}, "/timezone"),
    ({"series": ["a"], "timezone": 1}, "/timezone"),
    ({"series": ["a"], "formulas": ["B"]}, "/formulas/0/expression"),
    ({"series": ["a"], "formulas": [{"name": "x"}]}, "/formulas/0/expression"),
    ({"series": ["a"], "breakdown": {"property": "plan", "limit": 101}}, "/breakdown/limit"),
    ({"series": ["a"], "steps": 1}, "/steps"),
]


@pytest.mark.parametrize(("fields", "pointer"), WRONG)
def test_a_wrong_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_trends(fields, Setting())
    assert pointer in {error.pointer for error in refused.value.errors}


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"series": ["a"], "interval": "hour", "start_date": "2020-01-01"}, "/interval"),
        ({"series": ["a"] * 20, "breakdown": "b", "start_date": "2026-01-01", "end_date": "2026-04-01"}, "/series"),
    ],
)
def test_an_answer_that_is_too_large_is_refused(
    engine: DuckEngine, shop: ReportLake, fields: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        ask(engine, shop, **fields)
    assert [error.pointer for error in refused.value.errors] == [pointer]

"""Retention against a plain loop over people, on a lake with ties, late events, identities and changes of clocks."""

import random
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from typing import Any

import pytest

from iafa.clock import to_iso
from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer, report_key
from iafa.query.reports.retention import CELLS_MAX, COHORTS_MAX, parse_retention
from tests.support.chance import chance
from tests.support.report_lake import AUTUMN_US, DAY_US, HOUR_US, SPRING_US, ReportLake, report_lake
from tests.support.retention_oracle import Asked, retention
from tests.unit.query.rows import an_engine, snapshot_of

BERLIN = "Europe/Berlin"
Predicate = Callable[[Mapping[str, Any]], bool]
DEAR = {"property": "amount", "op": "gte", "value": 5}
MATCHERS: dict[str, tuple[Any, Predicate]] = {
    "any": ({"event": "*"}, lambda _event: True),
    "buy": ("purchase", lambda event: event["name"] == "purchase"),
    "two": ({"events": ["purchase", "search"]}, lambda event: event["name"] in ("purchase", "search")),
    "page": ({"page": "/p/*"}, lambda event: "/p/" in (event["url"] or "")),
    "dear": (
        {"events": ["purchase", "checkout"], "filters": [DEAR]},
        lambda event: event["name"] in ("purchase", "checkout") and event["properties"]["amount"] in (10, "7"),
    ),
}


@pytest.fixture(scope="module", params=[SPRING_US, AUTUMN_US], ids=["spring", "autumn"])
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", first_us=request.param)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def ask(engine: DuckEngine, snapshot: Snapshot, now_us: int, zone: str = BERLIN, **fields: Any) -> dict[str, Any]:
    return report_answer(engine, snapshot, parse_retention(fields, Setting(timezone=zone, now_us=now_us)))


def sizes(answer: Mapping[str, Any]) -> dict[str, tuple[int, list[int]]]:
    """As the oracle has it."""
    return {
        one["bucket"]: (one["size"], [cell["people"] for cell in one["cells"]])
        for one in answer["cohorts"]
        if one["size"]
    }


def a_question(draw: random.Random, shop: ReportLake, first_us: int) -> tuple[dict[str, Any], Asked, Predicate]:
    """Fields, the same for the oracle, and which events exist and are looked at."""
    start, back = draw.choice(list(MATCHERS)), draw.choice(list(MATCHERS))
    lo = first_us + draw.randrange(3 * DAY_US) // HOUR_US * HOUR_US
    hi = lo + draw.randrange(1, 3 * DAY_US)
    now = shop.clock.now_us() // 60_000_000 * 60_000_000
    fields: dict[str, Any] = {
        "start": MATCHERS[start][0],
        "return": MATCHERS[back][0],
        "start_date": to_iso(lo),
        "end_date": to_iso(hi),
        "interval": draw.choice(("day", "day", "week", "month")),
        "periods": draw.randrange(6),
        "kind": draw.choice(("first_in_range", "first_ever")),
        "mode": draw.choice(("calendar", "rolling")),
        "on_or_after": draw.random() < 0.3,
    }
    if draw.random() < 0.3:
        now = first_us + draw.randrange(5 * DAY_US)
        fields["as_of"] = to_iso(now)
    no_bots, dear = draw.random() < 0.3, draw.random() < 0.3
    if no_bots:
        fields["exclude_bots"] = True
    if dear:
        fields["filters"] = [{"property": "plan", "op": "exists"}]

    def keep(event: Mapping[str, Any]) -> bool:
        exists = "as_of" not in fields or event["t"] <= now
        return exists and not (no_bots and event["is_bot"]) and not (dear and "plan" not in event["properties"])

    asked = Asked(
        MATCHERS[start][1],
        MATCHERS[back][1],
        *(lo, hi, now, BERLIN, fields["interval"], fields["periods"]),
        fields["kind"] == "first_ever",
        fields["mode"] == "rolling",
        fields["on_or_after"],
    )
    return fields, asked, keep


@pytest.mark.parametrize("seed", range(12))
def test_random_questions_are_answered_as_by_hand(engine: DuckEngine, shop: ReportLake, seed: int) -> None:
    first_us = min(event["t"] for event in shop.events) // DAY_US * DAY_US
    draw = chance(f"retention {seed} {first_us}")
    fields, asked, keep = a_question(draw, shop, first_us)
    events = [event for event in shop.events if keep(event)]
    # Identity at the instant of a question is tested with the frame; here everybody stays who they are.
    answer = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
    assert sizes(answer) == retention(events, asked).get(None, {})
    for cohort in answer["cohorts"]:
        for cell in cohort["cells"]:
            assert cell["is_open"] == asked.is_open(cohort["bucket"], cell["n"]), (cohort["bucket"], cell)
    check_figures(answer)

    fields["breakdown"] = {"property": "plan", "limit": 2}
    groups = ask(engine, shop.snapshot, shop.clock.now_us(), **fields)
    by_value = retention(events, asked, lambda event: event["properties"].get("plan"))
    for group in groups["breakdown"]["groups"]:
        if group["group"] != "other":
            assert sizes(group) == by_value[group["value"]]
        check_figures(group)
    assert sum(group["people"] for group in groups["breakdown"]["groups"]) == answer["people"]
    assert {key: groups[key] for key in ("people", "cohorts", "averages")} == {
        key: answer[key] for key in ("people", "cohorts", "averages")
    }


def check_figures(matrix: Mapping[str, Any]) -> None:
    assert matrix["people"] == sum(cohort["size"] for cohort in matrix["cohorts"])
    for average in matrix["averages"]:
        ended = [one for one in matrix["cohorts"] if not one["cells"][average["n"]]["is_open"]]
        people = sum(one["cells"][average["n"]]["people"] for one in ended)
        size = sum(one["size"] for one in ended)
        assert (average["cohorts"], average["size"], average["people"]) == (len(ended), size, people)
        assert average["percent"] == half_up(people, size)
    for cohort in matrix["cohorts"]:
        assert all(cell["percent"] == half_up(cell["people"], cohort["size"]) for cell in cohort["cells"])
        assert all(cell["people"] <= cohort["size"] for cell in cohort["cells"])


def half_up(part: int, base: int) -> float:
    return float((Fraction(10_000 * part, base) + Fraction(1, 2)) // 1) / 100 if base else 0.0


def test_random_questions_find_somebody(engine: DuckEngine, shop: ReportLake) -> None:
    answer = ask(engine, shop.snapshot, shop.clock.now_us(), start="*", periods=3)
    assert answer["people"] == len({event["person"] for event in shop.events})
    assert all(cohort["size"] for cohort in answer["cohorts"][:3])
    assert answer["cohorts"][0]["cells"][1]["people"] > 3


NOON_US = SPRING_US
A_DAY: dict[str, Any] = {"start_date": "2026-03-27", "end_date": "2026-03-29", "periods": 2}
TIES: dict[str, tuple[list[tuple[str, int, str]], dict[str, Any], list[int]]] = {
    "the start event is no return": ([("a", 0, "1")], {"start": "a", "return": "a"}, [0, 0, 0]),
    "its twin is": ([("a", 0, "1"), ("a", 0, "2")], {"start": "a", "return": "a"}, [1, 0, 0]),
    "an event of its instant is": ([("b", 0, "1"), ("a", 0, "2")], {"start": "a", "return": "b"}, [1, 0, 0]),
    "one before is not": ([("b", -1, "1"), ("a", 0, "2")], {"start": "a", "return": "b"}, [0, 0, 0]),
    "the smaller id starts, and is a return itself": (
        [("a", 0, "1"), ("b", 0, "2")],
        {"start": {"events": ["a", "b"]}, "return": {"events": ["a", "c"]}},
        [0, 0, 0],
    ),
    "the smaller id starts, the other is a return": (
        [("b", 0, "1"), ("a", 0, "2")],
        {"start": {"events": ["a", "b"]}, "return": {"events": ["a", "c"]}},
        [1, 0, 0],
    ),
    "any event by default": ([("a", 0, "1"), ("z", DAY_US, "2")], {"start": "a"}, [0, 1, 0]),
    "the day after the clocks went forward": (
        [("a", 47 * HOUR_US - 14 * HOUR_US, "1"), ("a", 47 * HOUR_US + 10 * HOUR_US, "2")],
        {"start": "a", "return": "a"},
        [0, 1, 0],
    ),
    "rolling: not yet a day": ([("a", 0, "1"), ("a", DAY_US - 1, "2")], {"start": "a", "mode": "rolling"}, [1, 0, 0]),
    "rolling: a day": ([("a", 0, "1"), ("a", DAY_US, "2")], {"start": "a", "mode": "rolling"}, [0, 1, 0]),
    "or later": ([("a", 0, "1"), ("a", 2 * DAY_US, "2")], {"start": "a", "on_or_after": True}, [1, 1, 1]),
    "or later, after the last period": (
        [("a", 0, "1"), ("a", 90 * DAY_US, "2")],
        {"start": "a", "on_or_after": True},
        [1, 1, 1],
    ),
}


@pytest.mark.parametrize(("rows", "fields", "people"), TIES.values(), ids=TIES)
def test_which_event_is_a_return(
    engine: DuckEngine, tmp_path: Any, rows: list[tuple[str, int, str]], fields: dict[str, Any], people: list[int]
) -> None:
    events = [{"user": "u", "t": NOON_US + t, "name": name, "id": key, "properties": {}} for name, t, key in rows]
    answer = ask(engine, snapshot_of(tmp_path / "p", [events]), NOON_US + 100 * DAY_US, **A_DAY, **fields)
    (cohort,) = [one for one in answer["cohorts"] if one["size"]]
    assert [cell["people"] for cell in cohort["cells"]] == people


def test_first_ever_looks_back_before_the_range(engine: DuckEngine, tmp_path: Any) -> None:
    events = [
        {"user": "old", "t": NOON_US - 30 * DAY_US, "name": "a", "properties": {}},
        {"user": "old", "t": NOON_US, "name": "a", "properties": {}},
        {"user": "new", "t": NOON_US, "name": "a", "properties": {}},
    ]
    snapshot = snapshot_of(tmp_path / "p", [events])
    counts = [
        ask(engine, snapshot, NOON_US + DAY_US, start="a", kind=kind, **A_DAY)["people"]
        for kind in ("first_in_range", "first_ever")
    ]
    assert counts == [2, 1]


def test_of_several_events_of_one_instant_the_smallest_id_gives_the_value(engine: DuckEngine, tmp_path: Any) -> None:
    events = [
        {"user": "u", "t": NOON_US, "name": "a", "id": key, "properties": {} if plan is None else {"plan": plan}}
        for key, plan in (("2", "pro"), ("1", None))
    ]
    answer = ask(engine, snapshot_of(tmp_path / "p", [events]), NOON_US + DAY_US, start="a", breakdown="plan", **A_DAY)
    (group,) = answer["breakdown"]["groups"]
    assert (group["group"], group["value"], group["people"]) == ("none", None, 1)


def test_an_empty_project_has_no_cohorts(engine: DuckEngine, tmp_path: Any) -> None:
    answer = ask(engine, snapshot_of(tmp_path / "p", []), NOON_US, start="a")
    assert (answer["people"], answer["cohorts"]) == (0, [])
    assert [one["percent"] for one in answer["averages"]] == [0.0] * 15


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no start": ({}, "/start"),
    "no event": ({"start": {"filters": []}}, "/start"),
    "interval": ({"start": "a", "interval": "hour"}, "/interval"),
    "periods": ({"start": "a", "periods": 61}, "/periods"),
    "kind": ({"start": "a", "kind": "first"}, "/kind"),
    "mode": ({"start": "a", "mode": "loose"}, "/mode"),
    "flag": ({"start": "a", "on_or_after": 1}, "/on_or_after"),
    "groups": ({"start": "a", "breakdown": {"property": "plan", "limit": 101}}, "/breakdown/limit"),
    "attribution": (
        {"start": "a", "breakdown": {"property": "plan", "attribution": "entry"}},
        "/breakdown/attribution",
    ),
    "unknown": ({"start": "a", "end": "b"}, "/end"),
    "return": ({"start": "a", "return": {"event": 5}}, "/return/event"),
}


@pytest.mark.parametrize(("fields", "pointer"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_field_is_named(fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_retention(fields, Setting())
    assert [error.pointer for error in refused.value.errors] == [pointer]


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"start_date": "2020-01-01", "end_date": "2021-01-02"}, "/start_date"),
        ({"start_date": "2026-01-01", "end_date": "2026-06-30", "periods": 30, "breakdown": "plan"}, "/periods"),
    ],
)
def test_an_answer_has_a_bound(engine: DuckEngine, tmp_path: Any, fields: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        ask(engine, snapshot_of(tmp_path / "p", []), NOON_US, start="a", **fields)
    assert [error.pointer for error in refused.value.errors] == [pointer]
    assert str(CELLS_MAX if pointer == "/periods" else COHORTS_MAX) in refused.value.errors[0].message


def test_questions_that_differ_have_different_keys() -> None:
    asked: list[dict[str, Any]] = [
        {"start": "a"},
        {"start": "b"},
        {"start": "a", "return": "a"},
        {"start": {"event": "a", "filters": [DEAR]}},
        *({"start": "a"} | one for one in ({"periods": 3}, {"interval": "week"}, {"kind": "first_ever"})),
        *({"start": "a"} | one for one in ({"mode": "rolling"}, {"on_or_after": True}, {"breakdown": "plan"})),
    ]
    assert len({report_key(parse_retention(fields, Setting())) for fields in asked}) == len(asked)

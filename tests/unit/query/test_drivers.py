"""Drivers of drop-off over real files: planted causes are found, tables add up to the bars, noise is silent."""

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.errors import IafaError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.definition_reading import parse_definition
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.question import question_of
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.unit.query.rows import SECOND_US, a_definition, an_event, snapshot_of

EVERYTHING = TimeRange(TIME_MIN_US, TIME_END_US, None, None, "UTC")
DAY_US = 86_400 * SECOND_US
THEN_US = FakeClock().now_us() - 30 * DAY_US  # long enough ago for everybody's window to be over
PEOPLE = 600
Events = list[dict[str, Any]]


def ask(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: Mapping[str, Any],
    time_range: TimeRange = EVERYTHING,
    **over: Any,
) -> dict[str, Any]:
    question = question_of(parse_definition(definition), time_range, engine.clock.now_us())
    return drivers(engine, snapshot, DriversQuestion(question, **{"limit": 500, **over}))


def found(answer: Mapping[str, Any]) -> list[tuple[str, str, str, Any]]:
    return [(one["at"], one["name"], one["op"], one["value"]) for one in answer["drivers"] if one["is_significant"]]


def named(answer: Mapping[str, Any], at: str, name: str, op: str, value: object = None) -> dict[str, Any]:
    (one,) = (
        one for one in answer["drivers"] if (one["at"], one["name"], one["op"], one["value"]) == (at, name, op, value)
    )
    return dict(one)


def carts(draw: random.Random, chance: Any, *, people: int = PEOPLE, **columns: Any) -> Events:
    """Everybody puts something into a cart; `chance` of the cart's event says how many go on to buy."""
    events = []
    for person in range(people):
        cart = an_event(
            "A",
            THEN_US + person * SECOND_US,
            user=f"u{person}",
            plan=draw.choice(("free", "free", "pro")),
            total=draw.randrange(1, 200),
            order=f"order-{person}",
            number=1_000 + person,
            colour=draw.choice(("red", "green", "blue", None)),
        )
        cart |= {"country": draw.choice(("AT", "DE", "FR")), "browser": draw.choice(("Firefox", "Safari"))} | columns
        events.append(cart)
        if draw.random() < chance(cart):
            events.append(an_event("B", cart["t"] + 5 * SECOND_US, user=f"u{person}", total=0))
    return events


def test_a_planted_property_is_found_and_nothing_else(engine: DuckEngine, tmp_path: Path) -> None:
    events = carts(random.Random(1), lambda cart: 0.7 if cart["properties"]["plan"] == "pro" else 0.3)
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B"))
    assert found(answer) == [("entry", "plan", "eq", "free")]
    (free,) = answer["drivers"][:1]
    assert free["difference"] < -25
    assert free["interval"][0] < free["difference"] < free["interval"][1] < 0
    assert free["odds_interval"][0] < free["odds_ratio"] < free["odds_interval"][1] < 1
    assert free["p_value"] < free["p_corrected"] < 0.001
    assert free["filter"] == {"property": "plan", "op": "eq", "value": "free"}
    # Whoever is not on the one plan is on the other: the same table, told once.
    assert {"at": "entry", "name": "plan", "reason": "same_people", "count": 1} in answer["left_out"]
    for name in ("order", "number", "user_id"):
        assert {"at": "entry", "name": name, "reason": "too_many_values", "count": 1} in answer["left_out"]


def test_a_planted_column_is_found(engine: DuckEngine, tmp_path: Path) -> None:
    events = carts(random.Random(2), lambda cart: 0.2 if cart["browser"] == "Safari" else 0.6)
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B"))
    assert [one[1] for one in found(answer)] == ["browser"]
    assert answer["drivers"][0]["filter"]["property"] == "column:browser"


def test_a_planted_threshold_is_found(engine: DuckEngine, tmp_path: Path) -> None:
    events = carts(random.Random(3), lambda cart: 0.2 if cart["properties"]["total"] >= 100 else 0.6)
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B"))
    assert {(name, op) for _at, name, op, _value in found(answer)} == {("total", "gte")}
    best = answer["drivers"][0]
    assert 80 <= best["value"] <= 120
    assert best["difference"] < -25


def test_a_planted_event_before_is_found(engine: DuckEngine, tmp_path: Path) -> None:
    draw = random.Random(4)
    events: Events = []
    for person in range(PEOPLE):
        user, t = f"u{person}", THEN_US + person * SECOND_US
        seen = [name for name in ("help", "video", "blog") if draw.random() < 0.5]
        events += [an_event(name, t - 3_600 * SECOND_US, user=user) for name in seen]
        events += [an_event("long ago", t - 8 * DAY_US, user=user)] * (draw.random() < 0.5)
        events.append(an_event("A", t, user=user))
        if draw.random() < (0.7 if "video" in seen else 0.3):
            events.append(an_event("B", t + SECOND_US, user=user))
    snapshot = snapshot_of(tmp_path, [events])
    answer = ask(engine, snapshot, a_definition("A", "B"))
    assert found(answer) == [("before", "video", "did", None)]
    assert answer["drivers"][0]["difference"] > 25
    assert {one["name"] for one in answer["drivers"]} == {"help", "video", "blog"}
    assert named(ask(engine, snapshot, a_definition("A", "B"), lookback_s=9 * 86_400), "before", "long ago", "did")
    nothing = ask(engine, snapshot, a_definition("A", "B"), lookback_s=0, landmark_s=0)
    assert nothing["drivers"] == []


def test_what_happened_after_the_stage_counts_for_the_undecided_only(engine: DuckEngine, tmp_path: Path) -> None:
    """Who is quick has no time for anything else: with nobody left out, every other event would seem to harm."""
    draw = random.Random(5)
    events: Events = []
    for person in range(2 * PEOPLE):
        user, t = f"u{person}", THEN_US + person * SECOND_US
        events.append(an_event("A", t, user=user))
        fails = draw.random() < 0.3
        converts = draw.random() < (0.2 if fails else 0.6)
        b_after_s = draw.choice((1, 100)) if converts else None
        if b_after_s:
            events.append(an_event("B", t + b_after_s * SECOND_US, user=user))
            events += [an_event("thanks", t + (b_after_s + 1) * SECOND_US, user=user)]
        if fails and b_after_s != 1:
            events.append(an_event("error", t + 3 * SECOND_US, user=user))
        if b_after_s != 1 and draw.random() < 0.5:  # harmless, but the quick ones never do it
            events.append(an_event("scroll", t + 4 * SECOND_US, user=user))
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B", window_seconds=1_000), landmark_s=30)
    assert found(answer) == [("after", "error", "did", None)]
    quick = sum(event["name"] == "thanks" for event in events) - answer["landmark"]["converted"]
    assert answer["landmark"]["people"] == 2 * PEOPLE - quick
    assert 0 < quick < PEOPLE
    scroll = named(answer, "after", "scroll", "did")
    assert scroll["with_it"]["people"] + scroll["without"]["people"] == answer["landmark"]["people"]
    assert "thanks" not in {one["name"] for one in answer["drivers"]}


def test_the_outcome_itself_is_no_driver(engine: DuckEngine, tmp_path: Path) -> None:
    """Nor an event that is done before the stage and would fill a later one."""
    draw = random.Random(6)
    events: Events = []
    for person in range(PEOPLE):
        user, t = f"u{person}", THEN_US + person * DAY_US // 1_000
        if draw.random() < 0.5:
            events.append(an_event("C", t - 60 * SECOND_US, user=user))
        events.append(an_event("A", t, user=user))
        if draw.random() < 0.5:
            events.append(an_event("B", t + SECOND_US, user=user))
            events.append(an_event("C", t + 2 * SECOND_US, user=user))
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B", "C"), stage=1)
    assert answer["drivers"] == []
    assert answer["step"]["converted"] == sum(event["name"] == "B" for event in events)


def test_trying_again_is_no_reason_to_convert(engine: DuckEngine, tmp_path: Path) -> None:
    """The reported path of who converts begins later than that of who does not. With it `visit` would be a finding."""
    draw = random.Random(7)
    events: Events = []
    for person in range(PEOPLE):
        user, t = f"u{person}", THEN_US + person * SECOND_US
        for turn in range(5):
            at_us = t + turn * 3_600 * SECOND_US
            events += [an_event("A", at_us, user=user), an_event("visit", at_us + SECOND_US, user=user)]
            if draw.random() < 0.2:
                events.append(an_event("B", at_us + 2 * SECOND_US, user=user))
                break
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B", window_seconds=60))
    assert answer["findings"] == 0
    assert "visit" not in {one["name"] for one in answer["drivers"]}
    assert answer["step"]["converted"] > PEOPLE / 2


@pytest.mark.parametrize(
    ("chance", "people"), [(0.0, 200), (1.0, 200), (0.5, 0), (0.5, 1), (0.5, 39)], ids=["none", "all", "0", "1", "39"]
)
def test_nothing_is_said_of_too_few(engine: DuckEngine, tmp_path: Path, chance: float, people: int) -> None:
    events = carts(random.Random(8), lambda cart: chance, people=people)
    answer = ask(engine, snapshot_of(tmp_path, [events], tail=[an_event("X", THEN_US)]), a_definition("A", "B"))
    assert answer["step"]["people"] == people
    assert (answer["drivers"], answer["findings"], answer["factors_tested"]) == ([], 0, 0)
    assert (answer["factors_too_small"] > 0) == (people > 0)


HOSTILE = (
    "a'; drop table tail; --",
    "$.x",
    "*",
    "a.b",
    "a/b",
    "~",
    '"quote"',
    "{columns}",
    "$pointers",
    "column:os",
    "é",
)


def test_names_of_properties_are_only_names(engine: DuckEngine, tmp_path: Path) -> None:
    draw = random.Random(9)
    events: Events = []
    for person in range(PEOPLE):
        values = {name: draw.choice(("x", "y'; select 1; --", "z")) for name in (*HOSTILE, "", "browser")}
        event = an_event("A", THEN_US + person * SECOND_US, user=f"u{person}") | {
            "properties": values,
            "browser": "real",
        }
        events.append(event)
        if draw.random() < (0.8 if values["*"] == "x" else 0.3):
            events.append(an_event("B", event["t"], user=f"u{person}"))
    snapshot = snapshot_of(tmp_path, [events])
    answer = ask(engine, snapshot, a_definition("A", "B"))
    assert {one["name"] for one in answer["drivers"]} == {*HOSTILE, "", "browser"}
    assert found(answer)[0] == ("entry", "*", "eq", "x")
    for one in answer["drivers"]:
        if one["filter"] is None:
            assert one["name"] == ""
            continue
        stages = [{"name": "a", "event": "A", "filters": [one["filter"]]}, {"name": "b", "event": "B"}]
        counted = funnel(engine, snapshot, parse_definition(a_definition() | {"stages": stages}), EVERYTHING)
        bars = [stage["users"] for stage in counted["stages"]]  # type: ignore[attr-defined]
        assert bars == [one["with_it"]["people"], one["with_it"]["converted"]]


def test_nested_values_and_lists_are_only_there_or_not(engine: DuckEngine, tmp_path: Path) -> None:
    draw = random.Random(10)
    events: Events = []
    for person in range(PEOPLE):
        values = draw.choice(({}, {"list": [1, 2]}, {"object": {"a": draw.random()}}, {"list": None}))
        events.append(an_event("A", THEN_US + person, user=f"u{person}", **values))
        events += [an_event("B", THEN_US + person + 5, user=f"u{person}")] * (draw.random() < 0.5)
    answer = ask(engine, snapshot_of(tmp_path, [events]), a_definition("A", "B"))
    assert {(one["name"], one["op"]) for one in answer["drivers"]} == {("list", "exists"), ("object", "exists")}
    lists = sum("list" in event["properties"] and event["properties"]["list"] is not None for event in events)
    assert named(answer, "entry", "list", "exists")["with_it"]["people"] == lists


def test_open_people_are_left_out_and_counted(engine: DuckEngine, tmp_path: Path) -> None:
    now_us = engine.clock.now_us()
    draw = random.Random(11)
    events: Events = []
    for person in range(PEOPLE):
        t = now_us - person % 2 * 200 * SECOND_US - 60 * SECOND_US
        events.append(an_event("A", t, user=f"u{person}", plan=draw.choice("xy")))
        events += [an_event("B", t + SECOND_US, user=f"u{person}")] * (draw.random() < 0.5)
    snapshot = snapshot_of(tmp_path, [events])
    definition = a_definition("A", "B", window_seconds=100)
    answer = ask(engine, snapshot, definition)
    assert (answer["step"]["people"], answer["step"]["left_out_open"], answer["step"]["open"]) == (300, 300, 0)
    everybody = ask(engine, snapshot, definition, include_open=True)
    assert (everybody["step"]["people"], everybody["step"]["left_out_open"]) == (600, 0)
    assert everybody["step"]["open"] == 300 - sum(
        e["name"] == "B" and e["t"] > now_us - 100 * SECOND_US for e in events
    )
    endless = ask(engine, snapshot, definition | {"window_seconds": None})
    assert (endless["step"]["people"], endless["step"]["left_out_open"]) == (600, 0)
    assert endless["step"]["open"] == 600 - endless["step"]["converted"]


def test_a_question_whose_client_has_left_ends(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, [carts(random.Random(12), lambda cart: 0.5)])
    question = question_of(parse_definition(a_definition("A", "B")), EVERYTHING, engine.clock.now_us())
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(IafaError) as refused:
        drivers(engine, snapshot, DriversQuestion(question), cancellation=cancellation)
    assert refused.value.code == "bad_request"
    assert drivers(engine, snapshot, DriversQuestion(question))["factors_tested"]


WRONG: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "one stage": (a_definition("A"), {}, "/stages"),
    "totals": (a_definition("A", "B", count="totals"), {}, "/count"),
    "session": (a_definition("A", "B", unit="session"), {}, "/unit"),
    "hold": (a_definition("A", "B", hold=["x"]), {}, "/hold"),
    "last stage": (a_definition("A", "B"), {"stage": 2}, "/stage"),
    "no such stage": (a_definition("A", "B"), {"stage": 0}, "/stage"),
    "open and mature": (a_definition("A", "B", mature_only=True), {"include_open": True}, "/include_open"),
    "landmark too late": (a_definition("A", "B"), {"landmark_s": 100}, "/landmark_seconds"),
}


@pytest.mark.parametrize(("definition", "over", "pointer"), WRONG.values(), ids=WRONG)
def test_wrong_questions_name_the_field(
    engine: DuckEngine, tmp_path: Path, definition: dict[str, Any], over: dict[str, Any], pointer: str
) -> None:
    with pytest.raises(ValidationFailed) as refused:
        ask(engine, snapshot_of(tmp_path, []), definition, **over)
    assert [error.pointer for error in refused.value.errors] == [pointer]

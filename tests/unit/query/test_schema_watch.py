"""The schema watch: a slow reckoning beside it, conflicts, bounds, the window of properties, and removed days."""

import json
import random
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from iafa.clock import to_datetime, to_iso
from iafa.lake.layout import Layout
from iafa.lake.rollups import ROLLUP_SCHEMA, Rollups, write_rollup
from iafa.lake.snapshot import Snapshot
from iafa.query import schema_watch as watch_module
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.schema_watch import is_conflict, schema_watch
from tests.unit.query.rows import NOON_US, an_event, snapshot_of

DAY_US = 86_400_000_000
VALUES: tuple[Any, ...] = (1, -3, 1.5, 2.0, "x", "7", "", True, None, [1], {"a": 1}, {}, [])
NAMES = ("price", "a/b", "~", "$.x", "Ä 😀", "", 'q"', "x" * 200)


def kind_of(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", str: "text", list: "list", dict: "object"}
    return kinds.get(type(value), "null")


def slowly(events: list[dict[str, Any]]) -> dict[str, Any]:
    """{event type: (events, first, last, {property: (events, {kind: events}, first, last)})}"""
    found: dict[str, Any] = {}
    for name in {event["name"] for event in events}:
        own = [event for event in events if event["name"] == name]
        properties = {}
        for key in {key for event in own for key in event["properties"]}:
            has = [event for event in own if key in event["properties"]]
            kinds = [kind_of(json.loads(json.dumps(event["properties"][key]))) for event in has]
            counts = {kind: kinds.count(kind) for kind in kinds}
            times = [event["t"] for event in has]
            properties[key] = (len(has), counts, to_iso(min(times)), to_iso(max(times)))
        times = [event["t"] for event in own]
        found[name] = (len(own), to_iso(min(times)), to_iso(max(times)), properties)
    return found


def told(answer: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for one in answer["event_types"]:
        properties = {
            each["name"]: (
                each["events"],
                {kind["type"]: kind["events"] for kind in each["types"]},
                each["first_seen"],
                each["last_seen"],
            )
            for each in one["properties"]
        }
        assert one["properties_total"] == len(properties)
        found[one["event_type"]] = (one["events"], one["first_seen"], one["last_seen"], properties)
    return found


def test_answer_equals_the_slow_reckoning(engine: DuckEngine, tmp_path: Path) -> None:
    draw = random.Random(3)
    events = [
        an_event(draw.choice("ABC"), NOON_US + draw.randrange(DAY_US))
        | {"properties": {name: draw.choice(VALUES) for name in NAMES if draw.random() < 0.4}}
        for _ in range(300)
    ]
    answer = schema_watch(engine, snapshot_of(tmp_path, [events[:100], events[100:200]], events[200:]))
    assert told(answer) == slowly(events)
    assert (answer["event_types_total"], answer["properties_share"]) == (3, 1.0)
    counts = [one["events"] for one in answer["event_types"]]
    assert counts == sorted(counts, reverse=True)


@pytest.mark.parametrize(
    ("types", "expected"),
    [
        (["integer"], False),
        (["integer", "number", "null"], False),
        (["null"], False),
        (["integer", "text"], True),
        (["list", "object"], True),
        (["boolean", "null", "text"], True),
    ],
)
def test_conflict_is_more_than_one_type_of_value(types: list[str], expected: bool) -> None:
    assert is_conflict(types) is expected


def test_number_that_became_a_text_is_shown_with_both_times(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("buy", NOON_US, price=5), an_event("buy", NOON_US + 9, price="5 EUR")]
    (one,) = schema_watch(engine, snapshot_of(tmp_path, [events]))["event_types"]
    (price,) = one["properties"]
    assert price["is_conflict"]
    assert [(kind["type"], kind["first_seen"]) for kind in price["types"]] == [
        ("integer", to_iso(NOON_US)),
        ("text", to_iso(NOON_US + 9)),
    ]


def test_names_are_bounded_and_their_numbers_are_said(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "EVENT_TYPES_MAX", 2)
    monkeypatch.setattr(watch_module, "PROPERTIES_MAX", 3)
    many = an_event("A", NOON_US) | {"properties": {f"p{n:03}": 1 for n in range(50)}}
    events = [many] * 3
    events += [an_event("A", NOON_US, often=1, p007="x")] * 2 + [an_event("B", NOON_US)] * 2 + [an_event("C", NOON_US)]
    answer = schema_watch(engine, snapshot_of(tmp_path, [events]))
    assert answer["event_types_total"] == 3
    assert [one["event_type"] for one in answer["event_types"]] == ["A", "B"]
    first = answer["event_types"][0]
    assert (first["properties_total"], [one["name"] for one in first["properties"]]) == (51, ["p007", "p000", "p001"])
    assert {kind["type"]: kind["events"] for kind in first["properties"][0]["types"]} == {"integer": 3, "text": 2}


def test_properties_are_those_of_the_last_days(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("A", NOON_US - 40 * DAY_US, old=1), an_event("A", NOON_US, new=1)]
    snapshot = snapshot_of(tmp_path, [events])
    for days, expected in ((30, ["new"]), (41, ["new", "old"])):
        answer = schema_watch(engine, snapshot, days=days)
        (one,) = answer["event_types"]
        assert sorted(each["name"] for each in one["properties"]) == expected
        assert (one["events"], one["first_seen"]) == (2, to_iso(NOON_US - 40 * DAY_US))
        assert answer["properties_since"] == to_iso(NOON_US + 1 - days * DAY_US)


def test_of_very_many_events_a_part_is_looked_at(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watch_module, "EVENTS_MAX", 1_000)
    events = [an_event("A", NOON_US + number, p=1) for number in range(4_000)]
    answer = schema_watch(engine, snapshot_of(tmp_path, [events]))
    (one,) = answer["event_types"]
    assert (answer["properties_share"], one["events"]) == (0.25, 4_000)
    assert 800 < one["properties"][0]["events"] < 1_200


def test_removed_days_are_in_the_volume_and_the_first_time(engine: DuckEngine, tmp_path: Path) -> None:
    layout, long_ago = Layout(tmp_path), NOON_US - 200 * DAY_US
    day = to_datetime(long_ago).date()
    counted: list[tuple[str | None, int]] = [("A", 7), ("gone", 2), (None, 9)]
    rows = [
        {"date": day, "event_type": name, "events": events, "people": 1, "is_exact": True}
        | {"first_at": to_datetime(long_ago), "last_at": to_datetime(long_ago + 5)}
        for name, events in counted
    ]
    table = pa.Table.from_pylist(rows, schema=ROLLUP_SCHEMA)
    file = write_rollup(layout, "p0projectaaaa", f"{date(day.year, day.month, 1):%Y-%m}", 1, table)
    snapshot = snapshot_of(tmp_path / "events", [[an_event("A", NOON_US)]])
    with_rollups = Snapshot(**{**vars(snapshot), "rollups": Rollups(layout, "p0projectaaaa", (file,))})
    found = told(schema_watch(engine, with_rollups))
    assert found == {
        "A": (8, to_iso(long_ago), to_iso(NOON_US), {}),
        "gone": (2, to_iso(long_ago), to_iso(long_ago + 5), {}),
    }


def test_a_project_without_events_has_no_schema(engine: DuckEngine, tmp_path: Path) -> None:
    answer = schema_watch(engine, snapshot_of(tmp_path, []))
    assert (answer["event_types"], answer["event_types_total"], answer["properties_since"]) == ([], 0, None)

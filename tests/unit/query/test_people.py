"""The lists of people are as long as the bars, for every kind of definition, and pages have no gap and no repeat."""

import random
from itertools import pairwise
from pathlib import Path
from typing import Any, cast

import pytest

from iafa.clock import FakeClock
from iafa.errors import NotFound, QueryTimeout, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.explain import explain
from iafa.query.funnel import funnel
from iafa.query.people import Found, PeopleExport, PeopleLists, PeopleQuestion, PeopleRow, Place, people
from iafa.query.question import Extras
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_event, snapshot_of

EVERYTHING = TimeRange(TIME_MIN_US, TIME_END_US, None, None, "UTC")
X_BETWEEN = [{"event": "X", "from_stage": 1, "to_stage": 2}]
OPTIONAL = [{"name": "a", "event": "A"}, {"name": "o", "event": "X", "optional": True}, {"name": "b", "event": "B"}]
WINDOWED = [{"name": "a", "event": "A"}, {"name": "b", "event": "B", "within_seconds": 2, "after_seconds": 1}]
DEFINITIONS: dict[str, dict[str, Any]] = {
    "plain": a_definition("A", "B", "C"),
    "repeated": a_definition("A", "A", "B"),
    "any event": a_definition("A", "*", "C"),
    "no limit": a_definition("A", "B", window_seconds=None),
    "all steps": a_definition("A", "B", "C", range="all_steps"),
    "entry first": a_definition("A", "B", "C", window_seconds=3, entry="first"),
    "entry last": a_definition("A", "B", "C", window_seconds=3, entry="last"),
    "tie strict": a_definition("A", "B", "C", tie="strict"),
    "grace": a_definition("A", "B", "C", tie="grace:1"),
    "strict": a_definition("A", "B", "C", order="strict"),
    "unordered": a_definition("A", "B", "C", order="unordered", window_seconds=3),
    "first required": a_definition("A", "B", order="unordered", first_required=True),
    "cut": a_definition("A", "B", exclusions=X_BETWEEN),
    "drop": a_definition("A", "B", "C", exclusions=X_BETWEEN, exclusion_mode="drop"),
    "unordered drop": a_definition("A", "B", order="unordered", exclusions=X_BETWEEN, exclusion_mode="drop"),
    "hold": a_definition("A", "B", "C", hold=["cart"]),
    "session": a_definition("A", "B", "C", unit="session", window_seconds=None),
    "session and hold": a_definition("A", "B", unit="session", hold=["cart"]),
    "totals": a_definition("A", "B", count="totals", window_seconds=4),
    "unordered totals": a_definition("A", "B", count="totals", order="unordered", window_seconds=4),
    "totals drop": a_definition("A", "B", count="totals", exclusions=X_BETWEEN, exclusion_mode="drop"),
    "optional": a_definition() | {"stages": OPTIONAL},
    "windows between stages": a_definition() | {"stages": WINDOWED},
    "filters": a_definition("A", "B", filters=[{"property": "cart", "op": "exists"}]),
}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    draw = random.Random(11)
    events = []
    for person in range(60):
        for _ in range(draw.randrange(12)):
            # Two clusters two hours apart: sessions, and times so few that ties abound.
            t = NOON_US + draw.randrange(8) * SECOND_US + draw.choice((0, 7_200 * SECOND_US))
            cart = draw.choice(({}, {"cart": "1"}, {"cart": 2}))
            events.append(an_event(draw.choice("ABCX"), t, user=f"user-{person}", **cart))
    for number, event in enumerate(events):
        event["id"] = f"event-{number:04}"
    draw.shuffle(events)
    third = len(events) // 3
    directory = tmp_path_factory.mktemp("people") / "project"
    return snapshot_of(directory, [events[:third], events[third : 2 * third]], events[2 * third :])


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_lists_are_as_long_as_the_bars(engine: DuckEngine, snapshot: Snapshot, name: str) -> None:
    raw = DEFINITIONS[name]
    definition = parse_definition(raw)
    lo = NOON_US + (0 if definition.range == "entry" else 1) * SECOND_US
    time_range = TimeRange(lo, NOON_US + 7_206 * SECOND_US, None, None, "UTC")
    answer: Any = funnel(engine, snapshot, definition, time_range)
    bars = [stage["users"] for stage in answer["stages"]]
    assert bars[0] > 10

    def listed(stage: int, kind: Any) -> set[tuple[str, object]]:
        page = people(engine, snapshot, PeopleQuestion(definition, time_range, stage, kind), limit=1_000)
        assert page.next_place is None
        assert page.total == len(page.rows)
        found = {(str(row["entity"]), row.get("path_number")) for row in page.rows}
        assert len(found) == page.total
        for row in page.rows:
            check_row(row, raw, stage, kind)
        return found

    converted = [listed(stage, "converted") for stage in range(1, len(bars) + 1)]
    assert [len(one) for one in converted] == bars
    dropped = [listed(stage, "dropped") for stage in range(2, len(bars) + 1)]
    assert [len(one) for one in dropped] == [before - after for before, after in pairwise(bars)]
    parts = [converted[-1], *dropped]
    assert set().union(*parts) == converted[0]
    assert sum(map(len, parts)) == len(converted[0]), "disjoint"
    if definition.exclusion_mode == "drop":
        excluded = listed(1, "dropped_by_exclusion")
        assert len(excluded) == answer["dropped_by_exclusion"] > 0
        assert not {entity for entity, _ in excluded} & {entity for entity, _ in converted[0]}


@pytest.mark.parametrize("name", DEFINITIONS)
def test_the_explanation_agrees_with_the_lists(engine: DuckEngine, snapshot: Snapshot, name: str) -> None:
    definition = parse_definition(DEFINITIONS[name])
    kinds: list[Any] = ["converted"]
    if definition.exclusion_mode == "drop":
        kinds.append("dropped_by_exclusion")
    for kind in kinds:
        rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 1, kind), limit=1_000).rows
        for row in rows[:: max(1, len(rows) // 6)]:
            told: Any = explain(engine, snapshot, definition, EVERYTHING, str(row["entity"]))
            number = row.get("path_number", 1)
            if number != 1:
                assert told["paths"][int(str(number)) - 1]["path"] == row["path"]
                continue
            for field in ("entity", "user_id", "steps", "path", "session_start", "hold"):
                assert told.get(field) == row.get(field)
            is_complete = row["steps"] == len(definition.required)
            status = "converted" if is_complete else "dropped" if row["steps"] else "dropped_by_exclusion"
            assert told["status"] == status
            assert bool(told["reasons"]) == (not is_complete)
            assert all(reason["causes"] for reason in told["reasons"]), "an event that breaks no rule is a further step"


def check_row(row: PeopleRow, raw: dict[str, Any], stage: int, kind: str) -> None:
    path: Any = row["path"]
    steps = sum(step["stage"] is not None for step in path)
    assert row["steps"] == steps
    assert {"converted": steps >= stage, "dropped": steps == stage - 1}.get(kind, not path)
    assert str(row["user_id"]).startswith("user-")
    assert row["anonymous_id"] is None
    if path:
        assert row["entry_time"] == path[0]["time"]
        assert path[-1]["time"] <= str(row["last_event_time"])
        assert len({step["event_id"] for step in path}) == len(path)
    assert ("hold" in row) == ("hold" in raw)
    assert ("session_start" in row) == (raw.get("unit") == "session")
    assert ("path_number" in row) == (raw.get("count") == "totals")
    if "hold" in raw:
        held: Any = row["hold"]
        assert held["cart"] in {"1", "2"}


def test_an_optional_stage_is_in_the_path_and_does_not_count(engine: DuckEngine, tmp_path: Path) -> None:
    """The events of one instant are given out once for all stages: the optional one gets the event that fits it."""
    either = {"name": "either", "events": ["A", "AX"]}
    stages = [either, {"name": "o", "event": "AX", "optional": True}, {"name": "b", "event": "B"}]
    definition = parse_definition(a_definition() | {"stages": stages})
    events = [
        an_event("AX", NOON_US) | {"id": "1"},
        an_event("A", NOON_US) | {"id": "2"},
        an_event("B", NOON_US + 5) | {"id": "3"},
    ]
    snapshot = snapshot_of(tmp_path / "p", [events])
    (row,) = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 2, "converted")).rows
    path: Any = row["path"]
    assert row["steps"] == 2
    assert [(one["stage"], one.get("optional"), one["stage_name"], one["event_id"]) for one in path] == [
        (1, None, "either", "2"), (None, 1, "o", "1"), (2, None, "b", "3")
    ]  # fmt: skip
    told: Any = explain(engine, snapshot, definition, EVERYTHING, "u")
    assert (told["path"], told["steps"]) == (path, 2)
    assert [(one["fills"], one["fills_optional"]) for one in told["events"]] == [(None, "o"), (1, None), (2, None)]


def test_bots_are_left_out_of_lists_and_explanations(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event("A", NOON_US, user="person"), an_event("A", NOON_US, user="robot") | {"is_bot": True}]
    snapshot = snapshot_of(tmp_path / "p", [events])
    definition = parse_definition(a_definition("A", exclude_bots=True))
    rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 1, "converted")).rows
    assert [row["user_id"] for row in rows] == ["person"]
    assert explain(engine, snapshot, definition, EVERYTHING, "person")["status"] == "converted"
    with pytest.raises(NotFound):
        explain(engine, snapshot, definition, EVERYTHING, "robot")


@pytest.mark.parametrize(("gap_s", "lengths"), [(99, [2, 0]), (100, [1, 1])])
def test_sessions_end_after_the_pause_of_the_project(
    engine: DuckEngine, tmp_path: Path, gap_s: int, lengths: list[int]
) -> None:
    """As in the funnel itself: lists, names and explanations see the same sessions."""
    events = [an_event("A", NOON_US), an_event("B", NOON_US + 100 * SECOND_US), an_event("A", NOON_US + SECOND_US)]
    events[2]["t"] = NOON_US + 100 * SECOND_US
    snapshot = snapshot_of(tmp_path / "p", [events])
    definition = parse_definition(a_definition("A", "B", unit="session", window_seconds=None))
    answer: Any = funnel(engine, snapshot, definition, EVERYTHING, extras=Extras(session_gap_s=gap_s))
    assert [stage["users"] for stage in answer["stages"]] == [lengths[0], 1]
    rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 1, "converted", gap_s)).rows
    starts = {str(row["session_start"]) for row in rows}
    assert len(rows) == len(starts) == lengths[0]
    for row in rows:
        told = explain(engine, snapshot, definition, EVERYTHING, str(row["entity"]), session_gap_s=gap_s)
        assert [told[field] for field in ("steps", "path", "session_start")] == [
            row[field] for field in ("steps", "path", "session_start")
        ]
        own: Any = told["events"]
        assert sum(event["is_own"] for event in own) == (1 if row["steps"] == 1 else 4 - len(rows))


def test_the_key_of_a_session_stays_when_an_older_event_arrives(engine: DuckEngine, tmp_path: Path) -> None:
    """It names the person and the session's start: how many sessions there were before is of no matter."""
    day_us = 86_400 * SECOND_US
    events = [an_event("A", NOON_US), an_event("A", NOON_US), an_event("B", NOON_US + 100 * SECOND_US)]
    events += [an_event(name, NOON_US + day_us + n * SECOND_US) for n, name in enumerate("AB")]
    definition = parse_definition(a_definition("A", "B", unit="session", window_seconds=None))
    listed = []
    for prefix, older in (("before", []), ("after", [an_event("X", NOON_US - 10 * day_us) | {"id": "older"}])):
        snapshot = snapshot_of(tmp_path / "p", [events], older, prefix=prefix)
        rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 1, "converted")).rows
        listed.append(sorted((row["session_start"], row["entity"]) for row in rows))
        for row in rows:
            told = explain(engine, snapshot, definition, EVERYTHING, str(row["entity"]))
            assert [told[field] for field in ("entity", "session_start", "path")] == [
                row[field] for field in ("entity", "session_start", "path")
            ]
    assert len(listed[0]) == 2
    assert listed[0] == listed[1]


def test_all_paths_of_totals_are_explained(engine: DuckEngine, tmp_path: Path) -> None:
    events = [an_event(name, NOON_US + place * SECOND_US) for place, name in enumerate("ABABA")]
    snapshot = snapshot_of(tmp_path / "p", [events])
    definition = parse_definition(a_definition("A", "B", count="totals"))
    rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 1, "converted")).rows
    told: Any = explain(engine, snapshot, definition, EVERYTHING, "u")
    assert (told["steps"], told["status"], told["paths_total"]) == (2, "converted", 3)
    assert told["path"] == told["paths"][0]["path"]
    listed = sorted((row["path_number"], row["steps"], row["path"]) for row in rows)
    assert [(one["path_number"], one["steps"], one["path"]) for one in told["paths"]] == listed


@pytest.mark.parametrize("name", ["plain", "totals", "session", "drop"])
def test_pages_have_no_gap_and_no_repeat(engine: DuckEngine, snapshot: Snapshot, name: str) -> None:
    definition = parse_definition(DEFINITIONS[name])
    asked = PeopleQuestion(definition, EVERYTHING, 1, "converted")
    whole = people(engine, snapshot, asked, limit=1_000)
    collected = []
    after: Place | None = None
    for _ in range(100):
        page = people(engine, snapshot, asked, after=after, limit=7)
        assert page.total == whole.total
        collected += page.rows
        after = page.next_place
        if after is None:
            break
    assert collected == whole.rows
    times = [str(row["entry_time"]) for row in collected]
    assert times == sorted(times, reverse=True)


def test_an_export_is_the_whole_list(engine: DuckEngine, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = PeopleQuestion(parse_definition(DEFINITIONS["totals"]), EVERYTHING, 2, "dropped")
    whole = people(engine, snapshot, asked, limit=1_000)
    monkeypatch.setattr("iafa.query.people.EXPORT_ROWS", 9)
    export = PeopleExport(engine, snapshot, asked, timeout_s=30)
    assert [row for start in export.starts for row in export.rows(start)] == whole.rows
    assert len(export.starts) > 1


def test_an_export_holds_no_more_than_a_batch_and_ends_when_its_time_is_over(
    engine: DuckEngine, snapshot: Snapshot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = PeopleQuestion(parse_definition(DEFINITIONS["plain"]), EVERYTHING, 1, "converted")
    monkeypatch.setattr("iafa.query.people.EXPORT_ROWS", 9)
    export = PeopleExport(engine, snapshot, asked, timeout_s=30)
    assert max(len(export.rows(start)) for start in export.starts) == 9
    clock = cast(FakeClock, engine.clock)
    rows = PeopleLists.rows

    def slow(lists: PeopleLists, reading: Reading, page: Found) -> list[PeopleRow]:
        clock.advance(20)
        return rows(lists, reading, page)

    monkeypatch.setattr(PeopleLists, "rows", slow)
    assert len(export.rows(0)) == len(export.rows(9)) == 9
    with pytest.raises(QueryTimeout):
        export.rows(18)


def test_the_names_are_those_of_the_earliest_event(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", NOON_US + 5) | {"anonymous_id": "late"},
        an_event("B", NOON_US + 1) | {"anonymous_id": "early"},
        an_event("unrelated", NOON_US + 9),
    ]
    definition = parse_definition(a_definition("A"))
    page = people(engine, snapshot_of(tmp_path / "p", [events]), PeopleQuestion(definition, EVERYTHING, 1, "converted"))
    (row,) = page.rows
    assert (row["user_id"], row["anonymous_id"]) == ("u", "early")
    assert str(row["last_event_time"]).endswith("00.000009Z")


def test_who_may_still_convert_is_open(engine: DuckEngine, tmp_path: Path) -> None:
    """The fake clock stands at an instant of its own; the window reaches up to it or not."""
    now_us = engine.clock.now_us() // (60 * SECOND_US) * (60 * SECOND_US)
    events = [
        an_event("A", now_us - 50 * SECOND_US, user="open"),
        an_event("A", now_us - 500 * SECOND_US, user="closed"),
        an_event("A", now_us - 50 * SECOND_US, user="done"),
        an_event("B", now_us - 49 * SECOND_US, user="done"),
    ]
    snapshot = snapshot_of(tmp_path / "p", [], events)
    asked = PeopleQuestion(parse_definition(a_definition("A", "B")), EVERYTHING, 1, "converted")
    rows = people(engine, snapshot, asked).rows
    assert {row["user_id"]: row["is_open"] for row in rows} == {"open": True, "closed": False, "done": False}


@pytest.mark.parametrize(
    ("over", "stage", "kind", "pointer"),
    [
        ({}, 3, "converted", "/stage"),
        ({}, 0, "converted", "/stage"),
        ({}, 1, "dropped", "/stage"),
        ({}, 1, "dropped_by_exclusion", "/kind"),
        ({"exclusions": X_BETWEEN}, 1, "dropped_by_exclusion", "/kind"),
    ],
)
def test_a_list_that_cannot_be_is_refused(
    engine: DuckEngine, snapshot: Snapshot, over: dict[str, Any], stage: int, kind: Any, pointer: str
) -> None:
    definition = parse_definition(a_definition("A", "B", **over))
    with pytest.raises(ValidationFailed) as refused:
        people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, stage, kind))
    assert [error.pointer for error in refused.value.errors] == [pointer]

"""Why people stopped: the reason that is told for each kind of stop, and that mending what is named lets them go on."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from iafa.clock import FakeClock, to_iso
from iafa.errors import NotFound
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.explain import explain
from iafa.query.people import PeopleQuestion, people
from iafa.query.reason_texts import duration
from iafa.query.stop_reasons import Cause
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_event, snapshot_of

EVERYTHING = TimeRange(TIME_MIN_US, TIME_END_US, None, None, "UTC")
RANGE = TimeRange(NOON_US, NOON_US + 50 * SECOND_US, None, None, "UTC")
X_BETWEEN = [{"event": "X", "from_stage": 1, "to_stage": 2}]
PRO = [{"property": "plan", "op": "eq", "value": "pro"}]
FILTERED = [{"name": "a", "event": "A"}, {"name": "b", "event": "B", "filters": PRO}]
WINDOWED = [{"name": "a", "event": "A"}, {"name": "b", "event": "B", "within_seconds": 20, "after_seconds": 10}]
IN_SESSIONS = a_definition("A", "B", unit="session", window_seconds=None)
HOUR = 3_600

# What happened, as `name second [property=value]`; the definition; the codes of the first reason; words of its text.
TABLE: dict[str, tuple[str, dict[str, Any], list[str], str]] = {
    "never": ("A0 C5", a_definition("A", "B"), ["never_happened"], "stage 2 ever happened"),
    "late": ("A0 B340", a_definition("A", "B"), ["after_window"], "B came 4 minutes after the window closed"),
    "early": ("B0 A5", a_definition("A", "B"), ["before_previous"], "B came 5 seconds before"),
    "nearest": ("B-500 A5 B150", a_definition("A", "B"), ["after_window"], "45 seconds"),
    "instant": ("A0 B0", a_definition("A", "B", tie="strict"), ["same_instant"], "same instant"),
    "filter": ("A0 B5plan=free", a_definition() | {"stages": FILTERED}, ["filter_not_met"], "but it is free"),
    "missing": ("A0 B5", a_definition() | {"stages": FILTERED}, ["filter_not_met"], "but it is missing"),
    "global": ("A0plan=pro B5", a_definition("A", "B", filters=PRO), ["filter_not_met"], "plan eq pro"),
    "cut": ("A0 X3 B5", a_definition("A", "B", exclusions=X_BETWEEN), ["excluded"], "X, which is excluded"),
    "drop": (
        "A0 X3 B5",
        a_definition("A", "B", exclusions=X_BETWEEN, exclusion_mode="drop"),
        ["excluded"],
        "the stages 1 and 2",
    ),
    "strict": ("A0 C3 B5", a_definition("A", "B", order="strict"), ["interrupted"], "C came in between"),
    "within": ("A0 B25", a_definition() | {"stages": WINDOWED}, ["within_too_late"], "5 seconds later"),
    "after": ("A0 B7", a_definition() | {"stages": WINDOWED}, ["after_too_early"], "3 seconds earlier"),
    "range": ("A0 B60", a_definition("A", "B", range="all_steps"), ["out_of_range"], "outside the date range"),
    "entry": ("A-5", a_definition("A", "B"), ["out_of_range"], "outside the date range"),
    "session": (
        f"A0 B{HOUR * 2}",
        a_definition("A", "B", unit="session", window_seconds=None),
        ["other_session"],
        "another session",
    ),
    "hold": ("A0cart=1 B5cart=2", a_definition("A", "B", hold=["cart"]), ["other_hold_value"], "values of cart"),
    "used": ("A0", a_definition("A", "A"), ["already_used"], "event of its own"),
    "two": ("A0 B340plan=free", a_definition() | {"stages": FILTERED}, ["filter_not_met", "after_window"], "4 minutes"),
    "unordered": ("A0 B340", a_definition("A", "B", order="unordered"), ["after_window"], "4 minutes"),
    "first": (
        "B0 A5",
        a_definition("A", "B", order="unordered", first_required=True),
        ["before_previous"],
        "before",
    ),
    "before": (
        "B0 A20",
        a_definition("A", "B", order="unordered", window_seconds=10, entry="last"),
        ["before_window"],
        "10 seconds too early",
    ),
    "first entry": (
        "A0 X1 A2 B3",
        a_definition("A", "B", entry="first", exclusions=X_BETWEEN * 2, exclusion_mode="drop"),
        ["not_first_entry"],
        "only that one may begin",
    ),
    "grace": ("B0 A5", a_definition("A", "B", tie="grace:2"), ["before_previous"], "5 seconds"),
}


def history(text: str, *, user: str = "u") -> list[dict[str, Any]]:
    events = []
    for number, word in enumerate(text.split()):
        digits = len(word) - len(word[1:].lstrip("-0123456789"))
        name, second, rest = word[0], word[1:digits], word[digits:]
        properties = dict([rest.split("=")]) if rest else {}
        events.append(
            an_event(name, NOON_US + int(second) * SECOND_US, user=user, **properties) | {"id": f"{user}-{number}"}
        )
    return events


def told(engine: DuckEngine, directory: Path, events: list[dict[str, Any]], raw: dict[str, Any], who: str = "u") -> Any:
    half = len(events) // 2
    prefix = f"events-{random.getrandbits(60)}"
    snapshot = snapshot_of(directory / "project", [events[:half]] if half else [], events[half:], prefix=prefix)
    return explain(engine, snapshot, parse_definition(raw), RANGE, who)


@pytest.mark.parametrize("name", TABLE)
def test_the_reason_for_a_stop(engine: DuckEngine, tmp_path: Path, name: str) -> None:
    text, raw, codes, words = TABLE[name]
    answer = told(engine, tmp_path, history(text), raw)
    assert answer["user_id"] == "u"
    first = answer["reasons"][0]
    assert [cause["code"] for cause in first["causes"]] == codes
    assert words in first["text"]
    assert answer["stopped_at"]["stage"] == answer["steps"] + 1
    expected = {
        "drop": "dropped_by_exclusion",
        "first entry": "dropped_by_exclusion",
        "entry": "not_entered",
    }.get(name, "dropped")
    assert answer["status"] == expected


def test_every_reason_is_in_the_table() -> None:
    assert {code for _, _, codes, _ in TABLE.values() for code in codes} == set(Cause)


def test_nothing_is_told_of_what_came_after_as_of(engine: DuckEngine, tmp_path: Path) -> None:
    cast(FakeClock, engine.clock).set_wall(NOON_US + 60 * SECOND_US)
    early = told(engine, tmp_path, history("A0 B5"), a_definition("A", "B", as_of=to_iso(NOON_US + 3 * SECOND_US)))
    assert early["reasons"][0]["causes"][0]["code"] == "never_happened"
    assert told(engine, tmp_path, history("A0 B5"), a_definition("A", "B"))["status"] == "converted"


def test_all_steps_end_with_the_range_also_for_mature_entries(engine: DuckEngine, tmp_path: Path) -> None:
    cast(FakeClock, engine.clock).set_wall(NOON_US + 150 * SECOND_US)
    answer = told(engine, tmp_path, history("A0 B60"), a_definition("A", "B", range="all_steps", mature_only=True))
    assert (answer["status"], answer["reasons"][0]["causes"][0]["code"]) == ("dropped", "out_of_range")


def test_a_converted_person_needs_no_reason(engine: DuckEngine, tmp_path: Path) -> None:
    answer = told(engine, tmp_path, history("B0 A2 C3 B7 B9"), a_definition("A", "B"))
    assert (answer["status"], answer["steps"], answer["reasons"], answer["stopped_at"]) == ("converted", 2, [], None)
    fills = [(event["event_type"], event["fills"], event["matches"]) for event in answer["events"]]
    assert fills == [("B", None, [2]), ("A", 1, [1]), ("B", 2, [2]), ("B", None, [2])]


def test_a_visitor_and_an_entity_are_found_and_a_stranger_is_not(engine: DuckEngine, tmp_path: Path) -> None:
    events = [one | {"anonymous_id": "a/1"} for one in history(f"A0 B5 A{HOUR * 3}")]
    raw = a_definition("A", "B", unit="session")
    snapshot = snapshot_of(tmp_path / "project", [events])
    definition = parse_definition(raw)
    for who in ("u", "a/1"):
        assert explain(engine, snapshot, definition, EVERYTHING, who)["status"] == "converted"
    rows = people(engine, snapshot, PeopleQuestion(definition, EVERYTHING, 2, "dropped")).rows
    assert len(rows) == 1
    later: Any = explain(engine, snapshot, definition, EVERYTHING, str(rows[0]["entity"]))
    assert (later["entity"], later["status"]) == (rows[0]["entity"], "dropped")
    assert later["session_start"] == rows[0]["session_start"] == later["path"][0]["time"]
    assert later["reasons"][0]["causes"][0]["code"] == "other_session"
    for who in ("nobody", "0" * 16):
        with pytest.raises(NotFound):
            explain(engine, snapshot, definition, EVERYTHING, who)


def test_only_so_many_events_are_listed(engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iafa.query.explain.EVENTS_MAX", 5)
    answer = told(engine, tmp_path, history("A0 " + "A1 " * 9 + "C3"), a_definition("A", "B"))
    assert (len(answer["events"]), answer["events_total"], answer["is_cut"]) == (5, 10, True)
    assert answer["events"][0]["fills"] == 1


LONG_BEFORE = "C-900 " * 20


@pytest.mark.parametrize("order", ["ordered", "unordered"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LONG_BEFORE + "A0 B5", ("converted", 2, None, True)),
        ("A0 " + "C1 " * 20 + "B5", ("converted", 2, None, True)),
        (LONG_BEFORE + "A0 B340", ("dropped", 1, ["after_window"], True)),
        ("A0 " + "C1 " * 20 + "B340", ("dropped", 1, None, True)),
        ("A0 C1 C1 C1 C1", ("dropped", 1, ["never_happened"], False)),
        ("A0 C1 C1 C1 C1 C1", ("dropped", 1, None, True)),
    ],
)
def test_who_did_very_much_is_told_what_the_funnel_says(
    engine: DuckEngine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
    expected: tuple[str, int, list[str] | None, bool],
    order: str,
) -> None:
    """A reason that lies outside the events that are looked at is not told; none is made up."""
    status, steps, codes, is_cut = expected
    monkeypatch.setattr("iafa.query.explain.READ_MAX", 4)
    answer = told(engine, tmp_path, history(text), a_definition("A", "B", order=order))
    assert (answer["status"], answer["steps"], len(answer["path"])) == (status, steps, steps)
    assert answer["stopped_at"] == (None if steps == 2 else {"stage": 2, "stage_name": "stage 2"})
    assert answer["is_cut"] is is_cut
    assert [[cause["code"] for cause in reason["causes"]] for reason in answer["reasons"]] == ([codes] if codes else [])
    fills = {event["event_id"]: event["fills"] for event in answer["events"] if event["fills"]}
    assert fills == {step["event_id"]: step["stage"] for step in answer["path"]}


@pytest.mark.parametrize(
    ("time_us", "text"),
    [(240_000_000, "4 minutes"), (90_061_000_000, "1 day 1 hour"), (250_000, "0.25 seconds"), (0, "0 seconds")],
)
def test_durations_are_told_in_two_units(time_us: int, text: str) -> None:
    assert duration(time_us) == text


# --- mending

MODES: dict[str, dict[str, Any]] = {
    "ordered": a_definition("A", "B", "C", window_seconds=3),
    "entry first": a_definition("A", "B", window_seconds=2, entry="first"),
    "all steps": a_definition("A", "B", "C", range="all_steps"),
    "repeated": a_definition("A", "A", "B", window_seconds=4),
    "tie strict": a_definition("A", "B", "C", tie="strict", window_seconds=4),
    "strict": a_definition("A", "B", "C", order="strict"),
    "cut": a_definition("A", "B", exclusions=X_BETWEEN),
    "drop": a_definition("A", "B", "C", exclusions=X_BETWEEN, exclusion_mode="drop"),
    "filters": a_definition(filters=[{"property": "plan", "op": "neq", "value": "free"}]) | {"stages": FILTERED},
    "windows": a_definition()
    | {"stages": [{"name": "a", "event": "A"}, {"name": "b", "event": "B", "within_seconds": 3, "after_seconds": 2}]},
    "hold": a_definition("A", "B", "C", hold=["plan"]),
    "unordered": a_definition("A", "B", "C", order="unordered", window_seconds=3),
    "first required": a_definition("A", "B", "C", order="unordered", first_required=True, window_seconds=3),
}
MOVED = {
    *(Cause.AFTER_WINDOW, Cause.BEFORE_WINDOW, Cause.BEFORE_PREVIOUS, Cause.SAME_INSTANT),
    *(Cause.WITHIN_TOO_LATE, Cause.AFTER_TOO_EARLY, Cause.OUT_OF_RANGE, Cause.ALREADY_USED, Cause.NEVER_HAPPENED),
}


@pytest.mark.parametrize("mode", MODES)
def test_mending_the_named_causes_lets_the_person_go_on(
    engine: DuckEngine, tmp_path: Path, mode: str, say: Callable[[str], None]
) -> None:
    """Many people in one snapshot; each one's first reason is mended, and all are asked again at once."""
    draw, raw = random.Random(mode), MODES[mode]
    definition = parse_definition(raw)
    everybody = {f"user-{number}": random_history(draw, f"user-{number}") for number in range(30)}
    snapshot = snapshot_of(tmp_path / "p", [[event for own in everybody.values() for event in own]])
    wanted: dict[str, int] = {}
    codes: Counter[str] = Counter()
    for user, own in everybody.items():
        answer: Any = explain(engine, snapshot, definition, RANGE, user)
        if not answer["reasons"]:
            continue
        reason = answer["reasons"][0]
        mended = mend(own, answer, reason, raw)
        if mended is not None:
            everybody[user] = mended
            wanted[user] = answer["steps"] + 1
            codes.update(cause["code"] for cause in reason["causes"])
    mended_snapshot = snapshot_of(tmp_path / "p", [[e for own in everybody.values() for e in own]], prefix="mended")
    rows = people(engine, mended_snapshot, PeopleQuestion(definition, RANGE, 1, "converted"), limit=1_000).rows
    reached: Counter[str] = Counter()
    for row in rows:
        reached[str(row["user_id"])] = max(reached[str(row["user_id"])], int(str(row["steps"])))
    say(f"{mode}: {len(wanted)} mended, {dict(codes)}")
    assert len(wanted) >= 8
    assert {user: steps for user, steps in wanted.items() if reached[user] < steps} == {}


def random_history(draw: random.Random, user: str) -> list[dict[str, Any]]:
    return [
        an_event(
            draw.choice("AABCX"),
            NOON_US + draw.randrange(-2, 9) * SECOND_US,
            user=user,
            **draw.choice(({}, {"plan": "pro"}, {"plan": "free"})),
        )
        | {"id": f"{user}-{number}"}
        for number in range(draw.randrange(1, 8))
    ]


def mend(events: list[dict[str, Any]], answer: Any, reason: Any, raw: dict[str, Any]) -> list[dict[str, Any]] | None:
    """The history with the named causes taken away; None where that would touch the path itself."""
    codes = {cause["code"] for cause in reason["causes"]}
    path = [next(event for event in events if event["id"] == step["event_id"]) for step in answer["path"]]
    blamed = {event["event_id"] for cause in reason["causes"] for event in cause.get("events", [])}
    if blamed & {event["id"] for event in path}:
        return None
    stage = raw["stages"][reason["stage"] - 1]
    if reason["event"] is None or "already_used" in codes:
        template = next((e for e in path if reason["event"] and e["id"] == reason["event"]["event_id"]), None)
        held = path[0]["properties"] if path else {"plan": "pro"}
        event = dict(template or an_event(stage["event"], NOON_US, user=events[0]["user"], **held)) | {"id": "new"}
        event["id"] = f"{events[0]['user']}-new"
        if "filters" in stage or raw.get("filters"):
            event["properties"] = {"plan": "pro"}
    else:
        event = dict(next(e for e in events if e["id"] == reason["event"]["event_id"]))
    if "filter_not_met" in codes:
        event["properties"] = {"plan": "pro"}
    if "other_hold_value" in codes:
        event["properties"] = path[0]["properties"] if path else {"plan": "pro"}
    if codes & MOVED:
        if raw.get("exclusion_mode") == "drop" and not path and any(e["name"] == "X" for e in events):
            return None  # wherever it is put, another excluded event may follow
        last = max((e["t"] for e in path), default=NOON_US)
        event["t"] = last + stage.get("after_seconds", 0) * SECOND_US
        event["t"] += 1 if raw.get("tie") == "strict" and path else 0
        window_us = raw["window_seconds"] * SECOND_US
        if path and event["t"] - path[0]["t"] > window_us:
            return None
    kept = [e for e in events if e["id"] not in blamed | {event["id"]}]
    return [*kept, event]

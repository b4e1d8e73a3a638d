"""The golden vectors of the semantics (section 10), and the edges named beside them."""

import re
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import from_datetime
from iafa.errors import ValidationFailed
from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.query.definition import STAGES_MAX
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.question import Extras
from iafa.query.time_range import resolve_time_range
from tests.support import oracle
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_engine, an_event, snapshot_of

Events = list[tuple[str, float]]
FIRST_REQUIRED = {"order": "unordered", "first_required": True}
EITHER = [["A", "AB"], ["B", "AB"]]  # an event named AB matches both stages

VECTORS: list[tuple[str, Events, list[list[str]], int]] = [
    ("1-window-is-inclusive", [("A", 0), ("B", 100)], [["A"], ["B"]], 2),
    ("2-window-ends", [("A", 0), ("B", 101)], [["A"], ["B"]], 1),
    ("3-ties-in-any-order", [("B", 10), ("A", 10)], [["A"], ["B"]], 2),
    ("4-one-event-fills-one-stage", [("AB", 10)], EITHER, 1),
    ("5-a-to-a-needs-two", [("A", 10)], [["A"], ["A"]], 1),
    ("6-re-entry", [("A", 0), ("A", 90), ("B", 150)], [["A"], ["B"]], 2),
    ("7-earliest-start", [("A", 0), ("A", 5), ("B", 6)], [["A"], ["B"]], 2),
    ("9-window-from-the-first", [("A", 0), ("B", 80), ("C", 160)], [["A"], ["B"], ["C"]], 2),
    ("15-order-by-time", [("B", 0), ("A", 1)], [["A"], ["B"]], 1),
    ("16-tie-with-overlap", [("A", 0), ("AB", 0)], EITHER, 2),
    ("16-tie-with-overlap-other-row-order", [("AB", 0), ("A", 0)], EITHER, 2),
    ("17-tie-with-repeats", [("A", 0), ("A", 1), ("A", 1)], [["A"], ["A"], ["A"]], 3),
    ("one-microsecond-too-late", [("A", 0), ("B", 100.000001)], [["A"], ["B"]], 1),
    ("single-stage", [("A", 0)], [["A"]], 1),
    ("no-entries", [("B", 0)], [["A"], ["B"]], 0),
    ("no-events", [], [["A"], ["B"]], 0),
    ("twenty-stages", [("A", t) for t in range(20)], [["A"]] * 20, 20),
    ("twenty-stages-in-one-instant", [("A", 0)] * 20, [["A"]] * 20, 20),
    ("nineteen-events-for-twenty-stages", [("A", 0)] * 19, [["A"]] * 20, 19),
]


@pytest.mark.parametrize(("events", "stages", "steps"), [row[1:] for row in VECTORS], ids=[row[0] for row in VECTORS])
def test_vector(engine: DuckEngine, tmp_path: Path, events: Events, stages: list[list[str]], steps: int) -> None:
    definition = {"name": "f", "window_seconds": 100, "stages": [{"name": "s", "events": names} for names in stages]}
    assert steps_of(engine, tmp_path, events, definition) == steps


def test_vector_13_later_steps_may_come_after_the_range(engine: DuckEngine, tmp_path: Path) -> None:
    events: Events = [("A", 0), ("B", 60)]
    until = "2025-11-21T12:00:00.000001Z"
    assert steps_of(engine, tmp_path, events, a_definition("A", "B"), end=until) == 2
    all_steps = a_definition("A", "B", range="all_steps")
    assert steps_of(engine, tmp_path, events, all_steps, end=until) == 1


def test_vector_14_the_past_before_the_login_is_the_users(engine: DuckEngine, tmp_path: Path) -> None:
    """A by a visitor, B by the user; who the visitor is became known only later."""
    anonymous = an_event("A", NOON_US) | {"user": None, "anonymous": "visitor"}
    snapshot = snapshot_of(tmp_path, [[anonymous, an_event("B", NOON_US + 10 * SECOND_US, user="ann")]])
    login = Edge("login", "ann", "visitor", NOON_US + 20 * SECOND_US)
    for known, counts in ((None, [1, 0]), (Identities.of(table_of([login])).table, [1, 1])):
        told: Any = funnel(
            engine, replace(snapshot, identities=known), parse_definition(a_definition("A", "B")), resolve_time_range()
        )
        assert [stage["users"] for stage in told["stages"]] == counts


def test_vector_18_no_window_at_all_still_holds_a_tie(engine: DuckEngine, tmp_path: Path) -> None:
    assert steps_of(engine, tmp_path, [("A", 5), ("B", 5)], a_definition("A", "B", window_seconds=0)) == 2


BETWEEN_1_AND_2 = {"exclusions": [{"event": "X", "from_stage": 1, "to_stage": 2}]}
WITH_OPTIONS: list[tuple[str, Events, str, dict[str, Any], int]] = [
    ("8-tie-strict-takes-the-earlier", [("A", 1), ("A", 2), ("B", 2)], "AB", {"tie": "strict"}, 2),
    ("8-tie-strict-refuses-a-tie", [("A", 2), ("B", 2)], "AB", {"tie": "strict"}, 1),
    ("10-cut", [("A", 0), ("X", 5), ("B", 10)], "AB", BETWEEN_1_AND_2, 1),
    ("10-drop", [("A", 0), ("X", 5), ("B", 10)], "AB", BETWEEN_1_AND_2 | {"exclusion_mode": "drop"}, 0),
    ("10-at-the-same-instant", [("A", 0), ("X", 0), ("X", 10), ("B", 10)], "AB", BETWEEN_1_AND_2, 2),
    ("11-re-entry-after-it", [("A", 0), ("X", 5), ("A", 6), ("B", 10)], "AB", BETWEEN_1_AND_2, 2),
    (
        "12-a-later-middle-event",
        [("A", 0), ("B", 1), ("X", 2), ("B", 3), ("C", 4)],
        "ABC",
        {"exclusions": [{"event": "X", "from_stage": 2, "to_stage": 3}]},
        3,
    ),
    ("15-grace", [("B", 0), ("A", 1)], "AB", {"tie": "grace:1"}, 2),
    ("15-grace-is-inclusive-and-no-more", [("B", 0), ("A", 1.000001)], "AB", {"tie": "grace:1"}, 1),
    ("17-repeats-strict-order", [("A", 0), ("A", 1), ("A", 1)], "AAA", {"order": "strict"}, 3),
    ("strict-is-interrupted", [("A", 0), ("X", 1), ("B", 2)], "AB", {"order": "strict"}, 1),
    (
        "strict-is-not-interrupted-in-the-instant",
        [("A", 0), ("X", 0), ("X", 2), ("B", 2)],
        "AB",
        {"order": "strict"},
        2,
    ),
    ("unordered", [("C", 0), ("B", 1), ("A", 2)], "ABC", {"order": "unordered"}, 3),
    ("unordered-first-required", [("C", 0), ("A", 1), ("B", 2)], "ABC", FIRST_REQUIRED, 2),
    ("session-ends-after-an-hour", [("A", 0), ("B", 3_600)], "AB", {"unit": "session", "window_seconds": None}, 2),
    ("session-has-ended", [("A", 0), ("B", 3_600.000001)], "AB", {"unit": "session", "window_seconds": None}, 1),
]


@pytest.mark.parametrize(
    ("events", "stages", "options", "steps"), [row[1:] for row in WITH_OPTIONS], ids=[row[0] for row in WITH_OPTIONS]
)
def test_vector_with_options(
    engine: DuckEngine, tmp_path: Path, events: Events, stages: str, options: dict[str, Any], steps: int
) -> None:
    assert steps_of(engine, tmp_path, events, a_definition(*stages, **options)) == steps


def test_every_vector_of_the_table_is_here() -> None:
    names = [*(row[0] for row in VECTORS), *(row[0] for row in WITH_OPTIONS)] + [
        name.removeprefix("test_vector_").replace("_", "-") for name in globals() if name.startswith("test_vector_")
    ]
    numbers = {int(found.group()) for name in names if (found := re.match(r"\d+(?=-)", name))}
    assert numbers == set(range(1, 19))


@pytest.mark.parametrize(
    ("events", "options", "seconds"),
    [
        ([("A", 0), ("A", 90), ("B", 150)], {}, 60),
        ([("A", 0), ("A", 5), ("B", 6)], {}, 6),
        ([("A", 0), ("A", 5), ("B", 6)], {"entry": "last"}, 1),
    ],
    ids=["6-re-entry", "7-earliest-start", "7-entry-last"],
)
def test_vector_times(
    engine: DuckEngine, tmp_path: Path, events: Events, options: dict[str, Any], seconds: float
) -> None:
    definition = parse_definition(a_definition("A", "B", **options))
    snapshot = snapshot_of(tmp_path, [rows_of(events)])
    answer: Any = funnel(engine, snapshot, definition, resolve_time_range(), extras=Extras(frozenset({"times"})))
    assert answer["times"]["total"] == {
        "count": 1,
        "average_s": seconds,
        "median_s": seconds,
        "p90_s": seconds,
    }


@pytest.mark.parametrize(
    ("zone", "day", "first", "end"),
    [
        ("Europe/Vienna", "2025-03-30", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"),
        ("Europe/Vienna", "2025-10-26", "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"),
        ("UTC", "2024-02-29", "2024-02-29T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("Pacific/Chatham", "2025-11-22", "2025-11-21T10:15:00Z", "2025-11-22T10:15:00Z"),
    ],
    ids=["day-of-23-hours", "day-of-25-hours", "leap-day", "zone-at-13:45"],
)
def test_a_local_day_holds_its_first_and_its_last_instant(
    engine: DuckEngine, tmp_path: Path, zone: str, day: str, first: str, end: str
) -> None:
    first_us, end_us = (from_datetime(datetime.fromisoformat(instant)) for instant in (first, end))
    times = {"before": first_us - 1, "first": first_us, "last": end_us - 1, "after": end_us}
    snapshot = snapshot_of(tmp_path, [[an_event("A", t, user=user) for user, t in times.items()]])
    for options in ({}, {"entry": "first"}):  # by SQL, by paths
        definition = parse_definition(a_definition("A", **options))
        answer: Any = funnel(engine, snapshot, definition, resolve_time_range(day, day, timezone=zone))
        assert answer["people_total"] == 2


def test_twenty_one_stages_are_refused() -> None:
    with pytest.raises(ValidationFailed) as refused:
        parse_definition(a_definition(*["A"] * (STAGES_MAX + 1)))
    assert [error.pointer for error in refused.value.errors] == ["/stages"]


def test_range_includes_its_start_and_excludes_its_end(engine: DuckEngine, tmp_path: Path) -> None:
    single = a_definition("A")
    noon = "2025-11-21T12:00:00Z"
    assert steps_of(engine, tmp_path, [("A", 0)], single, start=noon) == 1
    assert steps_of(engine, tmp_path, [("A", -0.000001)], single, start=noon) == 0
    assert steps_of(engine, tmp_path, [("A", -0.000001)], single, end=noon) == 1
    assert steps_of(engine, tmp_path, [("A", 0)], single, end=noon) == 0
    assert steps_of(engine, tmp_path, [("A", 0)], single, start=noon, end=noon) == 0


def test_last_microsecond_of_a_local_day_is_in_the_day(engine: DuckEngine, tmp_path: Path) -> None:
    local_midnight_s = 22.25 * 3600  # noon UTC of the 21st to 00:00 of the 23rd at +13:45
    for seconds, steps in ((local_midnight_s - 0.000001, 1), (local_midnight_s, 0)):
        found = steps_of(
            engine, tmp_path, [("A", seconds)], a_definition("A"), end="2025-11-22", timezone="Pacific/Chatham"
        )
        assert found == steps


def test_null_window_has_no_limit(engine: DuckEngine, tmp_path: Path) -> None:
    years: Events = [("A", 0), ("B", 3e9)]
    assert steps_of(engine, tmp_path, years, a_definition("A", "B", window_seconds=None)) == 2
    assert steps_of(engine, tmp_path, years, a_definition("A", "B", window_seconds=10**10)) == 2
    assert steps_of(engine, tmp_path, years, a_definition("A", "B", window_seconds=10**9)) == 1


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Any:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def steps_of(
    engine: DuckEngine, tmp_path: Path, events: Events, definition: dict[str, Any], **asked: str | None
) -> int:
    """Steps of the one person, by the engine; the oracle must say the same where it can be asked."""
    rows = rows_of(events)
    time_range = resolve_time_range(asked.get("start"), asked.get("end"), timezone=asked.get("timezone") or "UTC")
    answer = funnel(engine, snapshot_of(tmp_path, [rows]), parse_definition(definition), time_range)
    stages = answer["stages"]
    assert isinstance(stages, list)
    if len(rows) < 8 and definition.keys() <= {"name", "stages", "window_seconds", "range"}:
        lo, hi = time_range.from_us, time_range.to_us
        assert oracle.stage_counts(rows, definition, lo, hi) == [stage["users"] for stage in stages]
    return sum(stage["users"] for stage in stages)


def rows_of(events: Events) -> list[dict[str, Any]]:
    return [an_event(name, NOON_US + round(seconds * SECOND_US)) for name, seconds in events]

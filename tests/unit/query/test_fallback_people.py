"""Of those who entered a funnel, how many are known by nothing but the fallback id."""

from pathlib import Path
from typing import Any

import pytest

from iafa.event import FALLBACK_PREFIX
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.fallback_people import fallback_people
from iafa.query.funnel import funnel
from iafa.query.question import Extras, question_of
from iafa.query.time_range import resolve_time_range
from tests.support.events import PROJECT, make_event
from tests.support.lake import TestLake
from tests.unit.query.rows import a_definition, an_event, snapshot_of

HOUR_US = 3_600_000_000
ONE, TWO = f"{FALLBACK_PREFIX}1", f"{FALLBACK_PREFIX}2"


def nameless(name: str, hours: float, who: str | None, *, user: str | None = None, **properties: Any) -> dict[str, Any]:
    return an_event(name, int(hours * HOUR_US)) | {"user": user, "anonymous": who, "properties": properties}


EVENTS = [
    nameless("A", 1, ONE, plan="pro"),
    nameless("A", 5, ONE, plan="free"),
    nameless("B", 6, ONE),
    nameless("A", 2, TWO),
    nameless("A", 30, TWO, plan="free"),
    nameless("B", 3, f"{FALLBACK_PREFIX}3"),
    nameless("A", 4, "a visitor with an id"),
    nameless("A", 4, ONE, user="a user from the same address"),
    nameless("A", 4, "fallback", plan="pro"),
]


@pytest.mark.parametrize(
    ("over", "expected"),
    [
        ({}, 2),
        ({"order": "strict"}, 2),
        ({"order": "unordered"}, 3),
        ({"order": "unordered", "first_required": True}, 2),
        ({"unit": "session"}, 4),
        ({"hold": ["plan"]}, 3),
        ({"count": "totals"}, 2),
        ({"filters": [{"property": "plan", "op": "eq", "value": "pro"}]}, 1),
        ({"tie": "strict", "exclude_bots": True}, 2),
    ],
)
@pytest.mark.parametrize("place", ["files", "tail", "both"])
def test_they_are_counted_as_what_the_funnel_counts(
    engine: DuckEngine, tmp_path: Path, over: dict[str, Any], expected: int, place: str
) -> None:
    cut = {"files": len(EVENTS), "tail": 0, "both": 3}[place]
    snapshot = snapshot_of(tmp_path / "p", [EVENTS[:cut]] if cut else [], EVENTS[cut:])
    definition = parse_definition(a_definition("A", "B") | over)
    answer: Any = funnel(engine, snapshot, definition, resolve_time_range())
    assert answer["fallback_people"] == expected
    assert answer["fallback_people"] < answer["people_total"] or "filters" in over


def test_only_entries_of_the_range_count_and_each_period_has_its_own(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path / "p", [EVENTS])
    days = resolve_time_range("1970-01-02", "1970-01-02")
    extras = Extras(frozenset({"compare"}))
    answer: Any = funnel(engine, snapshot, parse_definition(a_definition("A", "B")), days, extras=extras)
    assert (answer["fallback_people"], answer["compare"]["fallback_people"]) == (1, 2)


def test_files_without_them_are_looked_through_once(engine: DuckEngine, tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id=f"{n}", event_type="A", user_id=f"u{n}") for n in range(3)])
    lake.flusher.run()

    def ask() -> tuple[int, int]:
        """The number, and how many statements it took."""
        snapshot = lake.take(PROJECT)
        question = question_of(parse_definition(a_definition("A")), resolve_time_range(), engine.clock.now_us())
        with engine.reading(snapshot) as reading:
            return fallback_people(reading, snapshot, question), statements(reading)

    assert [ask(), ask()] == [(0, 1), (0, 0)]
    lake.write([make_event(id="9", event_type="A", user_id=None, anonymous_id=ONE)])
    assert ask() == (1, 2)
    lake.flusher.run()
    assert [ask(), ask()] == [(1, 2), (1, 1)]


def statements(reading: Reading) -> int:
    return len(reading.statements)

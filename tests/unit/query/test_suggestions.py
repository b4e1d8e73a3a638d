"""Which ways people go: a slow reckoning beside it, the part of very many people, and what is no way."""

import random
from pathlib import Path
from typing import Any

import pytest

from iafa.errors import IafaError
from iafa.query import suggestions
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.next_steps import next_steps
from iafa.query.suggestions import definition_of, first_times, sequences, suggested_funnels
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, an_event, snapshot_of

DAY_US = 86_400_000_000
EVER = resolve_time_range()


def slowly(events: list[dict[str, Any]], start: str) -> list[str]:
    """One way, person by person and event by event, from the text of the documentation."""
    first: dict[str, dict[str, int]] = {}
    for event in events:
        own = first.setdefault(event["user"], {})
        own[event["name"]] = min(event["t"], own.get(event["name"], event["t"]))
    people = {user: own for user, own in first.items() if start in own}
    began, way = len(people), [start]
    by_people = {name: -sum(name in own for own in first.values()) for own in first.values() for name in own}
    names = sorted(by_people, key=lambda name: (by_people[name], name))
    while len(way) < 5:
        followers = {
            name: [
                user
                for user, own in people.items()
                if name in own and own[way[-1]] < own[name] <= own[start] + 7 * DAY_US
            ]
            for name in names
            if name not in way
        }
        best = max(followers, key=lambda name: (len(followers[name]), -names.index(name)), default=None)
        if best is None or len(followers[best]) < max(1, 0.05 * began):
            break
        way.append(best)
        people = {user: people[user] for user in followers[best]}
    return way


def test_ways_equal_the_slow_reckoning(engine: DuckEngine, tmp_path: Path) -> None:
    draw = random.Random(7)
    ways = 0
    for number in range(20):
        events = [
            an_event(
                draw.choice("AAABBCDE"), NOON_US + draw.randrange(200) * DAY_US // 10, user=f"u{draw.randrange(30)}"
            )
            for _ in range(120)
        ]
        for place, event in enumerate(events):
            event["t"] += place  # the first events of a person are of different instants
        snapshot = snapshot_of(tmp_path / str(number), [events[:60]], events[60:])
        found = sequences(first_times(engine, snapshot, EVER), 7 * 86_400)
        assert found
        for way in found:
            assert way == slowly(events, way[0])
        ways += len(found)
    assert ways >= 20


def test_of_very_many_people_a_part_is_looked_at(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = [
        an_event(name, NOON_US + place, user=f"u{user}") for user in range(400) for place, name in enumerate("AB")
    ]
    snapshot = snapshot_of(tmp_path, [events])
    monkeypatch.setattr(suggestions, "PEOPLE_MAX", 100)
    first = first_times(engine, snapshot, EVER)
    assert first.parts == 4
    assert 50 < first.times.shape[1] < 160
    (funnel,) = suggested_funnels(engine, snapshot, EVER)
    assert [stage["users"] for stage in funnel["stages"]] == [400, 400]  # type: ignore[attr-defined]


def test_a_question_that_nobody_waits_for_ends(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, [[an_event("A", NOON_US)]])
    left = Cancellation()
    left.cancel()
    with pytest.raises(IafaError, match="left before the answer"):
        suggested_funnels(engine, snapshot, EVER, cancellation=left)
    with pytest.raises(IafaError, match="left before the answer"):
        next_steps(engine, snapshot, definition_of(["A"]), EVER, cancellation=left)


def test_what_is_no_stage_is_not_suggested(engine: DuckEngine, tmp_path: Path) -> None:
    names = ("A", "identify", "B", "session_start", "C")
    events = [an_event(name, NOON_US + place, user="u") for place, name in enumerate(names)]
    snapshot = snapshot_of(tmp_path, [events])
    assert sequences(first_times(engine, snapshot, EVER), 100) == [["A", "B", "C"]]
    assert suggested_funnels(engine, snapshot_of(tmp_path / "none", []), EVER) == []
    alone = snapshot_of(tmp_path / "one", [[an_event("A", NOON_US)]])
    assert suggested_funnels(engine, alone, EVER) == []

"""The same comparison over a lake that the real pipeline wrote: days of parts, compacted files and an unflushed tail at
once, with identity edges of events and of the index, revoked ones, aliases, bots and repeated deliveries.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine
from tests.support.chance import cases_of, chance
from tests.support.deliveries import deliver, edges_of
from tests.support.lake import TestLake
from tests.support.paths_answers import check_all
from tests.support.paths_cases import (
    DAY_US,
    FIRST_US,
    HOUR_US,
    MODES,
    SHARE_MIN,
    Case,
    Shares,
    random_events,
    random_question,
    unit_of,
    with_reports,
)
from tests.support.paths_oracle import Event
from tests.support.reports_oracle import owner
from tests.unit.query.rows import an_engine

CASES = cases_of(600)  # of each mode, as in memory
PEOPLE = 500
INSTANTS = 5
EVENTS_MAX = 7  # of one person, when all is known about who is who: more is too much for the brute force


@dataclass(frozen=True)
class Written:
    """What is in the lake, and who everybody is by the oracle."""

    snapshot: Snapshot
    events: list[dict[str, Any]]
    owners: Mapping[str, str]  # by the id of the event
    unit_us: int  # between two instants
    moved: int  # events that have another owner than they would have without edges


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.fixture(scope="module")
def lakes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Written]:
    """By the unit of time of their events."""
    units = sorted({unit_of(mode) for mode in MODES})
    # Long ones twice as far apart, so that they are on three days.
    return {
        unit: write_lake(tmp_path_factory.mktemp("lake") / "data", unit if unit < HOUR_US else 2 * unit)
        for unit in units
    }


def test_the_lakes_are_mixed(lakes: dict[int, Written], say: Callable[[str], None]) -> None:
    for written in lakes.values():
        entries = written.snapshot.entries or ()
        compacted = {file.date for file in entries if file.is_day}
        parts = {file.date for file in entries if not file.is_day}
        tail = written.snapshot.tail
        days = {time.date() for time in tail.column("created_at").to_pylist()}
        bots = sum(event["is_bot"] for event in written.events)
        say(
            f"{written.unit_us / HOUR_US} h: {written.snapshot.rows} events, compacted files of {len(compacted)} days, "
            f"parts of {len(parts)}, a tail over {len(days)} with {tail.num_rows} events; {bots} events of bots, "
            f"{written.moved} whose owner an edge decides"
        )
        assert min(len(compacted), len(parts), len(days)) >= 3
        assert min(bots, written.moved) > 50
        assert written.snapshot.rows == len(written.events)


@pytest.mark.parametrize("mode", MODES)
def test_everything_equals_the_oracle(
    engine: DuckEngine, lakes: dict[int, Written], say: Callable[[str], None], mode: str
) -> None:
    written, shares = lakes[unit_of(mode)], Shares()
    for case, histories in cases(written, mode):
        answer = case.answer(histories)
        check_all(engine, written.snapshot, case, answer)
        shares.add(answer.histories, case.definition)
        shares.paths += len(answer.paths)
    say(str(shares))
    assert shares.cases >= CASES
    assert shares.paths > shares.cases / 10


def test_ties_and_overlaps_abound(lakes: dict[int, Written], say: Callable[[str], None]) -> None:
    """In the cases of all kinds together, which are made once more for this."""
    shares = Shares()
    for mode in MODES:
        for case, histories in cases(lakes[unit_of(mode)], mode):
            shares.add(histories, case.definition)
    say(f"ties {shares.ties:.0%}, repeated or overlapping steps {shares.overlaps:.0%} of {shares.cases} histories")
    assert min(shares.ties, shares.overlaps) >= SHARE_MIN


def cases(written: Written, mode: str) -> Iterator[tuple[Case, list[list[Event]]]]:
    """Questions until they are about as many entities as are wanted."""
    draw, made = chance(f"lake {mode}"), 0
    while made < CASES:
        instants = INSTANTS * written.unit_us // unit_of(mode)
        case = with_reports(draw, random_question(draw, mode, written.events, instants))
        histories = case.histories(lambda event: written.owners[event["id"]])
        made += len(histories)
        yield case, histories


def write_lake(root: Path, unit_us: int) -> Written:
    draw = chance(f"lake of {unit_us}")
    events = [_sent(draw, event) for event in random_events(draw, PEOPLE, INSTANTS, unit_us, EVENTS_MAX)]
    edges = edges_of(draw, events, PEOPLE, FIRST_US, every=2)
    owners = {event["id"]: owner(event, edges) for event in events}
    identified = {event["id"] for event in events if event["name"] == "identify"}
    own: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for event in sorted(events, key=lambda one: one["id"] not in identified):  # no edge may be lost
        if len(own[owners[event["id"]]]) < EVENTS_MAX or event["id"] in identified:
            own[owners[event["id"]]].append(event)
    kept = [event for some in own.values() for event in some]
    lake = TestLake(root, clock=FakeClock(FIRST_US + 6 * DAY_US))
    deliver(draw, lake, kept, edges)
    plain = {event["id"]: owner(event, []) for event in kept}
    moved = sum(owners[event["id"]] != plain[event["id"]] for event in kept)
    return Written(lake.take(), kept, owners, unit_us, moved)


def _sent(draw: random.Random, event: dict[str, Any]) -> dict[str, Any]:
    """Some are anonymous, some tell who a device is, and some devices are shared."""
    number = draw.randrange(PEOPLE) if draw.random() < 0.2 else int(event["user"].removeprefix("user-"))
    kind, device = draw.random(), f"device-{number}"
    if kind < 0.3:
        return event | {"user": None, "anonymous": device}
    if kind < 0.4:
        return event | {"name": "identify", "anonymous": device}
    return event

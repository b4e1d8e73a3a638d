"""The funnel over real Parquet files and a tail against the brute-force oracle, on times so few that ties abound."""

import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.instants import ways
from iafa.query.stages import are_disjoint
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.support import oracle
from tests.unit.query.rows import NOON_US, SECOND_US, an_engine, snapshot_of, table_of

SNAPSHOTS = 45
CASES_PER_SNAPSHOT = 15
INSTANTS = 7
NAMES = ("A", "B", "C")
SHARE_MIN = 0.3


@dataclass(frozen=True)
class Case:
    events: list[dict[str, Any]]
    definition: dict[str, Any]
    lo: int
    hi: int

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(self.lo, self.hi, None, None, "UTC")

    @property
    def has_tie(self) -> bool:
        relevant = [event for event in self.events if oracle.matched_stages(event, self.definition)]
        return max(Counter((event["user"], event["t"]) for event in relevant).values(), default=0) > 1

    @property
    def has_overlap(self) -> bool:
        """Some event of the case matches two stages: they are repeated or overlap."""
        return any(oracle.matched_stages(event, self.definition) > 1 for event in self.events)


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def test_random_funnels_equal_the_oracle(engine: DuckEngine, tmp_path: Path, say: Callable[[str], None]) -> None:
    draw = random.Random(20261121)
    cases: list[Case] = []
    for _ in range(SNAPSHOTS):
        events = random_events(draw, people=draw.randrange(1, 9))
        snapshot = split(draw, events, tmp_path)
        for _ in range(CASES_PER_SNAPSHOT):
            case = random_case(draw, events)
            assert counts(engine, snapshot, case) == expected(case), case
            cases.append(case)
    ties = sum(case.has_tie for case in cases) / len(cases)
    overlaps = sum(case.has_overlap for case in cases) / len(cases)
    sql_general = sum(not are_disjoint(parse_definition(case.definition).stages) for case in cases) / len(cases)
    say(
        f"{len(cases)} random cases equal; with ties {ties:.0%}, with repeated or overlapping steps {overlaps:.0%}, "
        f"by the general statement {sql_general:.0%}"
    )
    assert len(cases) >= 500
    assert ties >= SHARE_MIN
    assert overlaps >= SHARE_MIN
    assert 0.2 <= sql_general <= 0.9


@settings(max_examples=60, derandomize=True)
@given(
    history=st.lists(st.tuples(st.sampled_from("ABX"), st.integers(0, 3)), max_size=6),
    steps=st.lists(st.sets(st.sampled_from("AB"), min_size=1), min_size=1, max_size=4),
    window=st.none() | st.integers(0, 3),
    bounds=st.tuples(st.integers(0, 3), st.integers(0, 4)).map(sorted),
    mode=st.sampled_from(["entry", "all_steps"]),
)
def test_one_person_equals_the_oracle(
    engine: DuckEngine,
    tmp_path: Path,
    history: list[tuple[str, int]],
    steps: list[set[str]],
    window: int | None,
    bounds: list[int],
    mode: str,
) -> None:
    events = [{"user": "u", "t": NOON_US + t * SECOND_US, "name": name, "properties": {}} for name, t in history]
    definition = {
        "name": "f",
        "stages": [{"name": "s", "events": sorted(names)} for names in steps],
        "window_seconds": window,
        "range": mode,
    }
    lo, hi = (NOON_US + bound * SECOND_US for bound in bounds)
    case = Case(events, definition, lo, hi)
    assert counts(engine, Snapshot.of_table(table_of(events), tmp_path), case) == expected(case)


@settings(max_examples=300, derandomize=True)
@given(masks=st.lists(st.integers(1, 15), min_size=1, max_size=4), is_entry=st.booleans())
def test_ways_through_an_instant_equal_trying_all_orders(masks: list[int], is_entry: bool) -> None:
    events = [{"t": 0, "name": str(number), "mask": mask} for number, mask in enumerate(masks)]
    found = dict(ways(masks, 4, is_entry=is_entry))
    for level in range(1, 5):
        lowest = next((k for k in range(0 if is_entry else 1, level) if fillable(events, k, level)), None)
        assert found.get(level) == lowest


def fillable(events: list[dict[str, Any]], after: int, level: int) -> bool:
    """Do distinct events match the stages after + 1 to level?"""
    if after == level:
        return True
    return any(
        event["mask"] >> after & 1 and fillable([each for each in events if each is not event], after + 1, level)
        for event in events
    )


def test_the_statement_for_disjoint_stages_equals_the_general_one(engine: DuckEngine, tmp_path: Path) -> None:
    """A name that no event has makes stages overlap for the compiler and for nothing else."""
    draw = random.Random(7)
    for _ in range(10):
        events = random_events(draw, people=8)
        snapshot = split(draw, events, tmp_path)
        for _ in range(4):
            case = random_case(draw, events)
            names = draw.sample(NAMES, draw.randrange(2, 4))
            disjoint = case.definition | {"stages": [{"name": name, "event": name} for name in names]}
            general = case.definition | {"stages": [{"name": name, "events": [name, "never"]} for name in names]}
            assert counts(engine, snapshot, Case(events, disjoint, case.lo, case.hi)) == counts(
                engine, snapshot, Case(events, general, case.lo, case.hi)
            )


# --- random histories and funnels, shared with the invariants


def random_events(draw: random.Random, *, people: int) -> list[dict[str, Any]]:
    return [
        {
            "user": f"user-{person}",
            "t": NOON_US + draw.randrange(INSTANTS) * SECOND_US,
            "name": draw.choice((*NAMES, "X")),
            "properties": draw.choice(({}, {"plan": "pro"}, {"plan": "free"})),
        }
        for person in range(people)
        for _ in range(draw.randrange(7))
    ]


def random_case(draw: random.Random, events: list[dict[str, Any]]) -> Case:
    if draw.random() < 0.3:
        stages = [{"name": name, "event": name} for name in draw.sample(NAMES, draw.randrange(1, 4))]
    else:
        stages = [random_stage(draw) for _ in range(draw.randrange(1, 5))]
    definition = {
        "name": "funnel",
        "stages": stages,
        "window_seconds": draw.choice((None, 0, 1, 2, 3, INSTANTS)),
        "range": draw.choice(("entry", "all_steps")),
    }
    if draw.random() < 0.3:
        return Case(events, definition, TIME_MIN_US, TIME_END_US)
    lo, hi = sorted(draw.randrange(INSTANTS + 1) for _ in range(2))
    return Case(events, definition, NOON_US + lo * SECOND_US, NOON_US + hi * SECOND_US)


def random_stage(draw: random.Random) -> dict[str, Any]:
    stage: dict[str, Any] = {"name": "stage"}
    kind = draw.random()
    if kind < 0.1:
        stage["event"] = "*"
    elif kind < 0.6:
        stage["event"] = draw.choice(NAMES)
    else:
        stage["events"] = draw.sample(NAMES, 2)
    if draw.random() < 0.2:
        stage["filters"] = [{"property": "plan", "op": "eq", "value": "pro"}]
    return stage


def split(draw: random.Random, events: list[dict[str, Any]], tmp_path: Path) -> Snapshot:
    """The events in any order over up to three files and a tail."""
    places = [draw.randrange(4) for _ in events]
    shuffled = draw.sample(list(zip(places, events, strict=True)), len(events))
    ordered = sorted(shuffled, key=lambda placed: placed[0])
    parts = {place: [event for _, event in own] for place, own in groupby(ordered, key=lambda placed: placed[0])}
    files = [parts[place] for place in (0, 1, 2) if place in parts]
    return snapshot_of(tmp_path / "project", files, parts.get(3, []), prefix=f"events-{draw.getrandbits(60)}")


def counts(engine: DuckEngine, snapshot: Snapshot, case: Case) -> list[int]:
    answer = funnel(engine, snapshot, parse_definition(case.definition), case.time_range)
    stages = answer["stages"]
    assert isinstance(stages, list)
    return [stage["users"] for stage in stages]


def expected(case: Case) -> list[int]:
    return oracle.stage_counts(case.events, case.definition, case.lo, case.hi)

"""The tables of drivers against a slow obvious reference, over files, a tail, identity edges and bots; and their sums
against the bars of the funnel."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.driver_factors import FactorReader, Landmark
from iafa.query.driver_people import PeopleOfStage
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.question import question_of
from tests.property.test_paths_oracle import snapshot_on_days
from tests.support import drivers_oracle, reports_oracle
from tests.support.paths_cases import FIRST_US, HOUR_US, MODES, Case, random_case, random_edges

PEOPLE = 150
CASES = 2
KINDS = [mode for mode in MODES if "totals" not in mode and mode not in ("session", "hold")]
NOW_US = FIRST_US + 3 * 24 * HOUR_US  # some windows are over, some are not


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    made = DuckEngine(QueryLimits(), temp_directory=tmp_path_factory.mktemp("engine"), clock=FakeClock(NOW_US))
    yield made
    made.close()


@pytest.mark.parametrize("mode", KINDS)
def test_tables_equal_the_reference(engine: DuckEngine, tmp_path: Path, mode: str) -> None:
    draw = random.Random(f"drivers {mode}")
    seen: Counter[str] = Counter()
    while seen["cases"] < CASES:
        seen["tried"] += 1
        case, snapshot, known = a_world(draw, mode, tmp_path / str(seen["tried"]))
        level = draw.randint(1, max(1, sum(not stage.get("optional") for stage in case.definition["stages"]) - 1))
        options = {
            "lookback_s": draw.choice((12 * 3_600, 86_400, 172_800)),
            "landmark_s": draw.choice((0, 1_800, 6 * 3_600)),
        }
        # The brute force has one end for entries and for all steps; what is mature ends earlier for entries alone.
        include_open = case.definition["range"] == "all_steps" or draw.random() < 0.3
        histories = case.histories(lambda event, edges=known: reports_oracle.owner(event, edges))  # type: ignore[misc]
        hi = case.hi if include_open else mature_to(case)
        people = drivers_oracle.people_of(histories, case.definition, level, case.lo, hi)
        expected = drivers_oracle.of_properties(people, ("p", "g", "n", "v"), level)
        expected |= drivers_oracle.of_events(people, case.definition, level, as_of=NOW_US, **options)
        found, landmark = tables_of(engine, snapshot, case, level, include_open=include_open, **options)
        assert found == expected, case.definition
        assert landmark == drivers_oracle.undecided(people, options["landmark_s"], NOW_US)
        assert_adds_up(engine, snapshot, case, level, include_open=include_open)
        seen["cases"] += len(people) > PEOPLE // 6
        seen.update(name[0] for name in found)
        seen["converted"] += sum(person.converted for person in people)
        seen["lost"] += sum(not person.converted for person in people)
        seen["thresholds"] += sum(name[2] == "gte" for name in found)
    assert all(seen[kind] for kind in ("entry", "before", "converted", "lost")), seen


def a_world(draw: random.Random, mode: str, directory: Path) -> tuple[Case, Snapshot, list[dict[str, Any]]]:
    """A case with two stages or more, part of it anonymous, over files of three days and a tail."""
    case = random_case(draw, mode, PEOPLE, events_max=5)
    while sum(not stage.get("optional") for stage in case.definition["stages"]) < 2:
        case = random_case(draw, mode, PEOPLE, events_max=5)
    edges = random_edges(draw, case.events, PEOPLE)
    events = []
    for event in case.events:
        numbers = {"n": draw.randrange(40)} if draw.random() < 0.8 else {}
        event = {**event, "properties": {**event["properties"], **numbers}}
        if draw.random() < 0.3:
            event |= {"user": None, "anonymous": f"device-{draw.randrange(PEOPLE)}"}
        events.append(event)
    case = replace(case, events=events)
    histories = case.histories(lambda event: reports_oracle.owner(event, edges))
    most = 7 if mode == "unordered" else 9  # the brute force cannot take more of one person
    kept = {event["id"] for own in histories for event in own[:most]}
    case = replace(case, events=[event for event in events if event["id"] in kept])
    known = Identities.of(
        table_of(
            [Edge(one["id"], one["user"], one["other"], one["t"], one["kind"], one["is_revoked"]) for one in edges]
        )
    ).table
    return case, replace(snapshot_on_days(draw, case.events, directory), identities=known), edges


def mature_to(case: Case) -> int:
    """Section 5: whose window has ended. With all steps in a range that has ended nothing can be added."""
    window_s: int | None = case.definition["window_seconds"]
    if window_s is None or (case.definition["range"] == "all_steps" and case.hi - 1 < NOW_US):
        return case.hi
    return min(case.hi, max(case.lo, NOW_US - window_s * 1_000_000))


def tables_of(
    engine: DuckEngine,
    snapshot: Snapshot,
    case: Case,
    level: int,
    *,
    include_open: bool,
    lookback_s: int,
    landmark_s: int,
) -> tuple[dict[drivers_oracle.Name, drivers_oracle.Counts], drivers_oracle.Counts]:
    """Before anything is left out for being too small."""
    question = question_of(parse_definition(case.definition), case.time_range, engine.clock.now_us())
    with engine.reading(snapshot) as reading:
        people = PeopleOfStage(snapshot, question, include_open=include_open).find(reading, level)
        landmark = Landmark.of(people, landmark_s, question.as_of_us)
        reader = FactorReader(reading, snapshot, question, people)
        found = reader.properties(is_first_stage=level == 1)
        events = reader.events(level, landmark, lookback_s=lookback_s)
    wholes = {"after": landmark.whole.sample}
    for one in found.candidates + events.candidates:
        whole = wholes.get(one.factor.at, reader.whole)
        assert one.table.with_it.entered + one.table.without.entered == whole.entered
        assert one.table.with_it.converted + one.table.without.converted == whole.converted
    tables: dict[drivers_oracle.Name, drivers_oracle.Counts] = {
        (one.factor.at, one.factor.name, one.factor.op, one.factor.value): (
            one.table.with_it.entered,
            one.table.with_it.converted,
        )
        for one in found.candidates + events.candidates
        if not one.factor.is_column
    }
    return tables, (landmark.whole.sample.entered, landmark.whole.sample.converted)


def assert_adds_up(engine: DuckEngine, snapshot: Snapshot, case: Case, level: int, *, include_open: bool) -> None:
    """What is compared are the people of the bar, and the converted those of the next one."""
    is_final = include_open or mature_to(case) == case.hi
    definition = case.definition if is_final else {**case.definition, "mature_only": True}
    bars: Any = funnel(engine, snapshot, parse_definition(definition), case.time_range)["stages"]
    question = question_of(parse_definition(case.definition), case.time_range, engine.clock.now_us())
    asked = DriversQuestion(question, level, landmark_s=0, include_open=include_open)
    step: Any = drivers(engine, snapshot, asked)["step"]
    assert (step["people"], step["converted"]) == (bars[level - 1]["users"], bars[level]["users"])
    whole: Any = funnel(engine, snapshot, parse_definition(case.definition), case.time_range)["stages"]
    assert step["left_out_open"] == whole[level - 1]["users"] - step["people"]
    lost = [bars[place]["users"] - bars[place + 1]["users"] for place in range(len(bars) - 1)]
    default: Any = drivers(engine, snapshot, replace(asked, stage=None))["step"]
    assert default["from_order"] == lost.index(max(lost)) + 1

"""Next steps against a slow and obvious reckoning over the paths of the brute force, for every kind of funnel."""

import os
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.next_steps import next_steps
from tests.property.test_paths_oracle import snapshot_on_days
from tests.support import paths_oracle, reports_oracle
from tests.support.paths_cases import FIRST_US, HOUR_US, MODES, Case, random_case
from tests.unit.query.rows import an_engine

CASES = int(os.environ.get("IAFA_TEST_CASES", "600")) // 3  # of each mode
PEOPLE = 60
NO_LIMIT = float("inf")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def expected(case: Case, own: Callable[[paths_oracle.Event], str] | None = None) -> tuple[int, dict[Any, list[int]]]:
    """How many got to the last stage, and by (event, page) how long after it each of those did it first."""
    definition = case.definition | {"exclude_bots": True}
    required = [number for number, stage in enumerate(definition["stages"], start=1) if not stage.get("optional")]
    window = definition["window_seconds"]
    reached, after = 0, defaultdict(list)
    for history in replace(case, definition=definition).histories(own):
        asked = reports_oracle.Asked(definition, case.lo, case.hi)
        paths = paths_oracle.reported(history, definition, asked.may_begin, asked.may_follow)
        complete = [path for path in paths if set(required) <= set(path)]
        if not complete:
            continue
        reached += 1
        times = [complete[0][number]["t"] for number in required]
        first = min(times) if definition.get("order") == "unordered" else times[0]
        until = first + (NO_LIMIT if window is None else window * 1_000_000)
        if definition["range"] == "all_steps":
            until = min(until, case.hi - 1)
        for key, delays in _done(history, definition, max(times), until).items():
            after[key].append(min(delays))
    return reached, after


def _done(
    history: Sequence[paths_oracle.Event], definition: Mapping[str, Any], last: int, until: float
) -> dict[Any, list[int]]:
    later = [event for event in history if last < event["t"] <= until]
    if definition.get("order") == "strict":
        if definition.get("strict_scope") == "filtered":
            later = [event for event in later if paths_oracle.passes(event, definition)]
        later = [event for event in later if event["t"] == min(one["t"] for one in later)]
    own = [stage for stage in definition["stages"] if stage.get("event") != "*"]
    found = defaultdict(list)
    for event in later:
        is_own = any(paths_oracle.hits(event, stage, definition) for stage in own)
        if not is_own and paths_oracle.passes(event, definition):
            page = urlsplit(event["url"]).path if event.get("url") and event["name"] == "page_view" else None
            found[event["name"], page].append(event["t"] - last)
    return found


def shown(answer: Mapping[str, Any]) -> dict[Any, tuple[int, float]]:
    return {(one["event"], one["page"]): (one["users"], one["median_s"]) for one in answer["next_steps"]}


def reckoned(after: Mapping[Any, list[int]]) -> dict[Any, tuple[int, float]]:
    return {key: (len(all_), sorted(all_)[(len(all_) + 1) // 2 - 1] / 1_000_000) for key, all_ in after.items()}


def next_case(draw: random.Random, mode: str, people: int, events_max: int = 7) -> Case:
    """A case that many get to the end of: few stages, mostly a long window."""
    case = random_case(draw, mode, people, events_max)
    definition = dict(case.definition)
    if "exclusions" in definition:
        definition["stages"] = definition["stages"][:2]
        bounds = {"from_stage": 1, "to_stage": len(definition["stages"])}
        definition["exclusions"] = [one | bounds for one in definition["exclusions"]]
        if len(definition["stages"]) == 1:
            del definition["exclusions"]
    elif not any(stage.get("optional") for stage in definition["stages"]):
        definition["stages"] = definition["stages"][: draw.randint(1, 2)]
    if draw.random() < 0.7:
        definition["window_seconds"] = draw.choice((None, 20 * 24 * 3_600))
    return replace(case, definition=definition, lo=min(case.lo, FIRST_US), hi=case.hi + draw.choice((0, 2)) * HOUR_US)


def with_pages(draw: random.Random, case: Case) -> Case:
    """Some of the events are page views of a few addresses."""
    address = ("https://x.org/a", "https://x.org/b/c?q=1", None)
    events = [
        event | ({"name": "page_view", "url": draw.choice(address)} if event["name"] == "D" else {})
        for event in case.events
    ]
    return replace(case, events=events)


@pytest.mark.parametrize("mode", MODES)
def test_next_steps_equal_the_oracle(engine: DuckEngine, tmp_path: Path, say: Callable[[str], None], mode: str) -> None:
    draw = random.Random(f"next {mode}")
    people = steps = appended = 0
    for number in range(max(8, CASES // PEOPLE)):
        case = with_pages(draw, next_case(draw, mode, PEOPLE))
        snapshot = snapshot_on_days(draw, case.events, tmp_path / str(number))
        definition = parse_definition(case.definition)
        answer: Any = next_steps(engine, snapshot, definition, case.time_range, limit=50)
        reached, after = expected(case)
        assert (answer["reached"], shown(answer)) == (reached, reckoned(after)), case.definition
        counts = [one["users"] for one in answer["next_steps"]]
        assert counts == sorted(counts, reverse=True)
        appended += assert_appended(engine, snapshot, case, answer)
        people += reached
        steps += len(after)
    say(f"{people} people got to the end, {steps} next steps equal, {appended} appended to their funnel")
    assert people > 20
    assert steps > 4


def assert_appended(engine: DuckEngine, snapshot: Any, case: Case, answer: Mapping[str, Any]) -> int:
    """A stage that is suggested is one of the funnel's grammar, and at least so many people get to it."""
    plain = {"ordered", "tie strict", "strict"}
    if case.definition.get("order", "ordered") not in plain or case.definition.get("entry") != "best":
        return 0
    if {"exclusions", "count", "hold", "unit"} & set(case.definition) or "grace" in str(case.definition.get("tie")):
        return 0
    for step in answer["next_steps"]:
        longer = case.definition | {"exclude_bots": True, "stages": [*case.definition["stages"], step["stage"]]}
        counted: Any = funnel(engine, snapshot, parse_definition(longer), case.time_range)
        assert counted["stages"][-1]["users"] >= step["users"], longer
    return len(answer["next_steps"])


@pytest.mark.parametrize("mode", ["ordered", "unordered", "totals"])
def test_next_steps_follow_identity_edges(engine: DuckEngine, tmp_path: Path, mode: str) -> None:
    draw = random.Random(f"next identity {mode}")
    moved = 0
    for number in range(3):
        case = next_case(draw, mode, 150, events_max=4)
        edges = random_edges(draw, case)
        events = [
            event | ({"user": None, "anonymous": f"device-{draw.randrange(150)}"} if draw.random() < 0.4 else {})
            for event in case.events
        ]
        own = lambda event, known=edges: reports_oracle.owner(event, known)  # noqa: E731
        kept = {
            event["id"]
            for history in replace(case, events=events).histories(own)
            for event in sorted(history, key=lambda event: (event["t"], event["id"]))[:9]
        }
        case = replace(case, events=[event for event in events if event["id"] in kept])
        known = Identities.of(
            table_of(
                [Edge(one["id"], one["user"], one["other"], one["t"], one["kind"], one["is_revoked"]) for one in edges]
            )
        ).table
        snapshot = replace(snapshot_on_days(draw, case.events, tmp_path / str(number)), identities=known)
        definition = parse_definition(case.definition)
        answer: Any = next_steps(engine, snapshot, definition, case.time_range, limit=50)
        reached, after = expected(case, own)
        assert (answer["reached"], shown(answer)) == (reached, reckoned(after)), case.definition
        apart: Any = next_steps(engine, replace(snapshot, identities=None), definition, case.time_range, limit=50)
        moved += shown(apart) != shown(answer)
    assert moved


def random_edges(draw: random.Random, case: Case) -> list[dict[str, Any]]:
    """Who has which device from when on, and a few users who are the same person."""
    return [
        {
            "id": f"edge-{number}",
            "kind": kind,
            "user": f"user-{draw.randrange(PEOPLE)}",
            "other": f"{'device' if kind == 'identify' else 'user'}-{draw.randrange(PEOPLE)}",
            "t": draw.choice(case.events)["t"],
            "is_revoked": draw.random() < 0.2,
        }
        for number, kind in enumerate(draw.choices(("identify", "alias"), (10, 1), k=PEOPLE))
    ]

"""Every kind of funnel, over real Parquet files and a tail, against the brute force of the semantics: the counts, the
ids of each reported path, the times to convert. IAFA_TEST_CASES asks for more cases than the suite runs.
"""

import os
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import funnel
from iafa.query.funnel_counts import is_plain, stage_counts
from iafa.query.paths.optional import fill_optional
from iafa.query.paths.solving import Solved, plan_of, solve_paths, span_of
from iafa.query.question import Extras
from tests.support import paths_oracle
from tests.support.paths_arrays import Ids, ids_of, solved_ids
from tests.support.paths_cases import FIRST_US, HOUR_US, MODES, Case, has_overlap, has_tie, random_case
from tests.unit.query.rows import an_engine, snapshot_of

CASES = int(os.environ.get("IAFA_TEST_CASES", "2000"))  # of each mode; a case is the history of one entity
PEOPLE = 150
SHARE_MIN = 0.3


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


@pytest.mark.parametrize("mode", MODES)
def test_paths_equal_the_oracle(engine: DuckEngine, tmp_path: Path, say: Callable[[str], None], mode: str) -> None:
    draw = random.Random(mode)
    cases = ties = overlaps = reached = plain = 0
    while cases < CASES:
        case = random_case(draw, mode, PEOPLE)
        snapshot = snapshot_on_days(draw, case.events, tmp_path / str(cases))
        histories = case.histories()
        expected = case.paths(histories)
        assert ids_of_engine(engine, snapshot, case) == Counter(map(ids_of, expected)), case.definition
        assert_answer(engine, snapshot, case, expected)
        plain += counts_of_plain_equal(engine, snapshot, case, expected)
        cases += len(histories)
        ties += sum(has_tie(own, case.definition) for own in histories)
        overlaps += sum(has_overlap(own, case.definition) for own in histories)
        reached += len(expected)
    say(
        f"{cases} histories, {reached} paths equal; with ties {ties / cases:.0%}, "
        f"with repeated or overlapping steps {overlaps / cases:.0%}; {plain} definitions counted by SQL too"
    )
    assert reached > cases / 10
    assert overlaps / cases >= SHARE_MIN
    if mode not in ("hold", "session"):  # who split histories this far has few ties left in each
        assert ties / cases >= SHARE_MIN


IDENTITY_MODES = ("ordered", "strict", "exclusions drop", "unordered", "totals", "session", "hold")


@pytest.mark.parametrize("mode", IDENTITY_MODES)
def test_paths_by_identity_edges_equal_the_oracle(engine: DuckEngine, tmp_path: Path, mode: str) -> None:
    """Part of the events is anonymous, ids are shared by users and users by aliases, some edges are revoked."""
    draw = random.Random(f"identity {mode}")
    moved = 0
    for number in range(max(2, CASES // 1000)):
        case = random_case(draw, mode, PEOPLE, events_max=4)
        edges = random_edges(draw, case)
        events = [
            event | ({"user": None, "anonymous": f"device-{draw.randrange(PEOPLE)}"} if draw.random() < 0.4 else {})
            for event in case.events
        ]
        case = replace(case, events=events)
        histories = case.histories(lambda event, known=edges: paths_oracle.owner(event, known))  # type: ignore[misc]
        histories = [sorted(own, key=lambda event: (event["t"], event["id"]))[:9] for own in histories]
        kept = {event["id"] for own in histories for event in own}  # the brute force cannot take more of one person
        case = replace(case, events=[event for event in events if event["id"] in kept])
        known = Identities.of(
            table_of(
                [Edge(one["id"], one["user"], one["other"], one["t"], one["kind"], one["is_revoked"]) for one in edges]
            )
        ).table
        snapshot = replace(snapshot_on_days(draw, case.events, tmp_path / str(number)), identities=known)
        expected = case.paths(case.histories(lambda event, known=edges: paths_oracle.owner(event, known)))  # type: ignore[misc]
        assert ids_of_engine(engine, snapshot, case) == Counter(map(ids_of, expected)), case.definition
        assert_answer(engine, snapshot, case, expected)
        counts_of_plain_equal(engine, snapshot, case, expected)
        moved += ids_of_engine(engine, replace(snapshot, identities=None), case) != Counter(map(ids_of, expected))
    assert moved > 0


def random_edges(draw: random.Random, case: Case) -> list[dict[str, Any]]:
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


def ids_of_engine(engine: DuckEngine, snapshot: Snapshot, case: Case) -> Counter[Ids]:
    definition = parse_definition(case.definition)
    found: Counter[Ids] = Counter()
    with engine.reading(snapshot) as reading:
        for solved in solve_paths(reading, snapshot, definition, case.time_range):
            found.update(_ids_of_chunk(case, solved))
    return found


def _ids_of_chunk(case: Case, solved: Solved) -> list[Ids]:
    definition = parse_definition(case.definition)
    chunk, paths = solved.chunk, solved.paths
    extra = np.full((len(paths.person), 0), -1, dtype=np.int64)
    if any(stage.optional for stage in definition.stages):
        plan = plan_of(definition, span_of(definition, case.time_range))
        paths, extra = fill_optional(definition, plan, chunk.histories, chunk.optional, paths)
    return solved_ids(case.definition, chunk, paths, extra)


def assert_answer(engine: DuckEngine, snapshot: Snapshot, case: Case, expected: Sequence[paths_oracle.Path]) -> None:
    definition = parse_definition(case.definition)
    answer: Any = funnel(engine, snapshot, definition, case.time_range, extras=Extras(frozenset({"times"})))
    required = [number for number, stage in enumerate(definition.stages, start=1) if not stage.optional]
    chains = [[path[number]["t"] for number in required if number in path] for path in expected]
    if definition.order == "unordered":
        chains = [sorted(times) for times in chains]
    shown = [stage["users"] for stage in answer["stages"]]
    assert shown == [sum(len(times) >= k for times in chains) for k in range(1, len(required) + 1)]
    strides: list[list[int]] = [[] for _ in required[1:]]
    for times in chains:
        for place, (before, after) in enumerate(pairwise(times)):
            strides[place].append(after - before)
    totals = [times[-1] - times[0] for times in chains if len(times) == len(required)]
    for durations, said in zip([*strides, totals], [*answer["times"]["steps"], answer["times"]["total"]], strict=True):
        assert said["count"] == len(durations)
        if durations:
            assert said["average_s"] == pytest.approx(sum(durations) / len(durations) / 1e6)
            assert said["median_s"] == sorted(durations)[-(-len(durations) // 2) - 1] / 1e6
            assert said["p90_s"] == sorted(durations)[-(-9 * len(durations) // 10) - 1] / 1e6


def counts_of_plain_equal(
    engine: DuckEngine, snapshot: Snapshot, case: Case, expected: Sequence[paths_oracle.Path]
) -> bool:
    """Where the counts have a fast way of their own, it says the same."""
    definition = parse_definition(case.definition)
    if not is_plain(definition):
        return False
    with engine.reading(snapshot) as reading:
        counts = stage_counts(reading, snapshot, definition, case.time_range)
    assert counts.reached == [sum(len(path) >= k for path in expected) for k in range(1, len(definition.stages) + 1)], (
        case.definition
    )
    return True


def snapshot_on_days(draw: random.Random, events: list[dict[str, Any]], directory: Path) -> Snapshot:
    """Each of three UTC days in one file or two, a later file sorted as compaction does, and a tail."""
    by_day: dict[int, list[dict[str, Any]]] = {}
    for event in draw.sample(events, len(events)):
        by_day.setdefault((event["t"] - FIRST_US) // (24 * HOUR_US), []).append(event)
    days = sorted(by_day)
    tail = [event for event in by_day[days[-1]] if draw.random() < 0.4]
    by_day[days[-1]] = [event for event in by_day[days[-1]] if event not in tail]
    files = [own for day in days[:-1] for own in (by_day[day][::2], by_day[day][1::2])]
    files.append(sorted(by_day[days[-1]], key=lambda event: (event["name"], event["user"] or "", event["t"])))
    return snapshot_of(directory, [own for own in files if own], tail)

"""Everything the product says about a case, beside what the brute force says: the checks of the oracle tests."""

import random
from collections import Counter
from collections.abc import Mapping
from typing import Any, cast

import pytest

from iafa.clock import FakeClock, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.definition import FunnelDefinition
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.explain import explain
from iafa.query.funnel import funnel
from iafa.query.funnel_counts import is_plain
from iafa.query.paths.solving import solve_paths
from iafa.query.paths.warming import WARMING
from iafa.query.people import Kind, PeopleQuestion, people
from iafa.query.question import Extras, question_of
from tests.support.paths_arrays import Ids, solved_ids
from tests.support.paths_cases import Case
from tests.support.reports_oracle import Answer

EVERYTHING = frozenset({"times", "trend", "breakdown"})
ROWS_MAX = 100_000


def check_all(engine: DuckEngine, snapshot: Snapshot, case: Case, answer: Answer, *, explained: int = 1) -> None:
    """Counts (also the fast ones), times, breakdown, trend, lists of people with their paths, explanations."""
    cast(FakeClock, engine.clock).set_wall(case.now)
    definition = parse_definition(case.definition)
    try:
        extras = Extras(EVERYTHING, session_gap_s=case.gap_s)
        told: Any = funnel(engine, snapshot, definition, case.time_range, extras=extras)
        check_counts(told, answer)
        check_times(told["times"], answer)
        assert [
            (group["group"], group["value"], [stage["users"] for stage in group["stages"]])
            for group in told["breakdown"]["groups"]
        ] == answer.groups()
        check_trend(told["trend"], answer)
        plainly = Extras(session_gap_s=case.gap_s)
        check_counts(funnel(engine, snapshot, definition, case.time_range, extras=plainly), answer)
        if is_plain(definition):
            with WARMING.plain():  # by SQL
                check_counts(funnel(engine, snapshot, definition, case.time_range), answer)
        check_people(engine, snapshot, definition, case, answer, told, explained)
    except AssertionError as error:
        error.add_note(f"definition = {case.definition}; range = {case.lo, case.hi}; now = {case.now}, {case.zone}")
        raise


def paths_of_engine(engine: DuckEngine, snapshot: Snapshot, case: Case) -> Counter[Ids]:
    cast(FakeClock, engine.clock).set_wall(case.now)
    definition = parse_definition(case.definition)
    question = question_of(definition, case.time_range, case.now)
    found: Counter[Ids] = Counter()
    with engine.reading(snapshot) as reading:
        for solved in solve_paths(
            reading, snapshot, definition, case.time_range, span=question.span, session_gap_s=case.gap_s
        ):
            found.update(solved_ids(case.definition, solved))
    return found


def check_counts(told: Any, answer: Answer) -> None:
    expected = answer.counts()
    for member in ("users", "users_max"):
        assert [stage[member] for stage in told["stages"]] == expected[member]
    assert (told["people_total"], told["open"]) == (expected["entered"], expected["open"])
    assert told.get("dropped_by_exclusion", 0) == expected["dropped_by_exclusion"]
    filled = answer.stages_filled()
    if "stages_filled" in told:
        assert [one["users"] for one in told["stages_filled"]] == filled
    stages = answer.definition["stages"]
    optional = [users for stage, users in zip(stages, filled, strict=True) if stage.get("optional")]
    assert [one["users"] for one in told.get("optional_stages", ())] == optional


def check_times(told: Any, answer: Answer) -> None:
    expected = answer.times()
    assert len(told["steps"]) == len(expected["steps"])
    for said, summary in zip([*told["steps"], told["total"]], [*expected["steps"], expected["total"]], strict=True):
        assert {key: said[key] for key in ("count", "median_s", "p90_s")} == {
            key: summary[key] for key in ("count", "median_s", "p90_s")
        }
        assert said["average_s"] == pytest.approx(summary["average_s"], abs=1e-6)
    assert [(one["from_s"], one["to_s"], one["count"]) for one in told["histogram"]] == expected["histogram"]


def check_trend(told: Any, answer: Answer) -> None:
    expected = answer.trend()
    assert set(expected) <= {one["bucket"] for one in told["buckets"]}
    for one in told["buckets"]:
        counts = expected.get(one["bucket"])
        if counts is None:
            assert (any(one["users"]), any(one["users_max"]), one["open"]) == (False, False, 0)
        else:
            assert [one[member] for member in ("users", "users_max", "open")] == [
                counts[member] for member in ("users", "users_max", "open")
            ]


def check_people(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    case: Case,
    answer: Answer,
    told: Any,
    explained: int,
) -> None:
    """Every list has the oracle's people with their paths, and is as long as its bar is high."""
    bars = [stage["users"] for stage in told["stages"]]
    asked: list[tuple[Kind, int, int]] = [("converted", stage, bar) for stage, bar in enumerate(bars, start=1)]
    asked += [("dropped", stage, bars[stage - 2] - bars[stage - 1]) for stage in range(2, len(bars) + 1)]
    if definition.exclusions and definition.exclusion_mode == "drop":
        asked.append(("dropped_by_exclusion", 1, told["dropped_by_exclusion"]))
    seen: list[Mapping[str, Any]] = []
    for kind, stage, length in asked:
        page = people(
            engine, snapshot, PeopleQuestion(definition, case.time_range, stage, kind, case.gap_s), limit=ROWS_MAX
        )
        assert (page.total, len(page.rows), page.next_place) == (length, length, None)
        expected = Counter(
            (row["path"], to_iso(row["entry"]), row["is_open"], row["number"]) for row in answer.people(kind, stage)
        )
        assert Counter(_shown(row, case.definition) for row in page.rows) == expected, kind
        times = [str(row["entry_time"]) for row in page.rows]
        assert times == sorted(times, reverse=True)
        if kind != "converted" or stage == len(bars):
            seen += page.rows  # everybody who entered, once
    for row in random.Random(len(seen)).sample(seen, min(explained, len(seen))):
        who = str(row["entity"])
        told = explain(engine, snapshot, definition, case.time_range, who, session_gap_s=case.gap_s)
        check_explanation(told, row, len(bars))


def check_explanation(told: Any, row: Mapping[str, Any], steps: int) -> None:
    """The explanation of an entity agrees with its row."""
    if row.get("path_number", 1) == 1:
        assert (told["steps"], told["path"]) == (row["steps"], row["path"])
        status = "converted" if row["steps"] == steps else "dropped" if row["steps"] else "dropped_by_exclusion"
        assert told["status"] == status
        assert bool(told["reasons"]) == (row["steps"] < steps)
        # An event that breaks no rule would have been a further step.
        assert all(reason["causes"] for reason in told["reasons"]), told
    else:
        assert told["paths"][row["path_number"] - 1]["path"] == row["path"]


def _shown(row: Mapping[str, Any], definition: Mapping[str, Any]) -> tuple[Any, ...]:
    numbers = {
        kind: [n for n, stage in enumerate(definition["stages"], start=1) if stage.get("optional", False) == kind]
        for kind in (False, True)
    }
    path = tuple(
        sorted(
            (
                numbers[True][step["optional"] - 1] if step.get("optional") else numbers[False][step["stage"] - 1],
                step["event_id"],
            )
            for step in row["path"]
        )
    )
    assert [step["time"] for step in row["path"]] == sorted(step["time"] for step in row["path"]) or "tie" in definition
    return path, row["entry_time"], row["is_open"], row.get("path_number", 1)

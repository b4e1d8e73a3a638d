"""What holds for every history and plain ordered funnel (semantics, section 9), on random ones over real files."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.query.engine_duckdb import DuckEngine
from iafa.query.time_range import TIME_END_US, TIME_MIN_US
from tests.property.test_funnel_oracle import Case, counts, random_case, random_events, split
from tests.unit.query.rows import SECOND_US, an_engine

ROUNDS = 20


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def rounds(seed: int) -> Iterator[tuple[random.Random, Case]]:
    draw = random.Random(seed)
    for _ in range(ROUNDS):
        yield draw, random_case(draw, random_events(draw, people=6))


def test_p1_counts_never_rise_from_stage_to_stage(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(1):
        found = counts(engine, split(draw, case.events, tmp_path), case)
        assert found == sorted(found, reverse=True)


def test_p3_order_files_and_names_of_people_do_not_matter(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(3):
        found = counts(engine, split(draw, case.events, tmp_path), case)
        renamed: list[dict[str, Any]] = [event | {"user": f"{event['user']}-zz"} for event in case.events]
        assert counts(engine, split(draw, renamed, tmp_path), case) == found


def test_p4_a_larger_window_never_lowers_a_count(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(4):
        snapshot = split(draw, case.events, tmp_path)
        windows: tuple[int | None, ...] = (0, 1, 3, None)
        found = [
            counts(engine, snapshot, replace(case, definition=case.definition | {"window_seconds": window}))
            for window in windows
        ]
        assert all(a <= b for less, more in itertools.pairwise(found) for a, b in zip(less, more, strict=True))


def test_p5_the_first_stages_are_a_funnel_of_their_own(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(5):
        snapshot = split(draw, case.events, tmp_path)
        first = max(1, len(case.definition["stages"]) - 1)
        shorter = replace(case, definition=case.definition | {"stages": case.definition["stages"][:first]})
        assert counts(engine, snapshot, shorter) == counts(engine, snapshot, case)[:first]


def test_p7_a_wider_range_never_lowers_a_count(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(7):
        snapshot = split(draw, case.events, tmp_path)
        wider = replace(case, lo=max(case.lo - SECOND_US, TIME_MIN_US), hi=min(case.hi + SECOND_US, TIME_END_US))
        pairs = zip(counts(engine, snapshot, case), counts(engine, snapshot, wider), strict=True)
        assert all(narrow <= wide for narrow, wide in pairs)


def test_p9_only_differences_of_time_and_matching_events_matter(engine: DuckEngine, tmp_path: Path) -> None:
    for draw, case in rounds(9):
        if case.lo == TIME_MIN_US:
            continue
        by_us = draw.choice((-(10**15), -1, 1, 86_400 * SECOND_US))
        shifted = [event | {"t": event["t"] + by_us} for event in case.events]
        noise = [event | {"name": "never matched"} for event in case.events]
        moved = Case(shifted + noise, without_any(case.definition), case.lo + by_us, case.hi + by_us)
        still = replace(case, definition=moved.definition)
        assert counts(engine, split(draw, moved.events, tmp_path), moved) == counts(
            engine, split(draw, case.events, tmp_path), still
        )


def without_any(definition: dict[str, Any]) -> dict[str, Any]:
    """`*` matches the noise too."""
    stages = [stage | {"event": "A"} if stage.get("event") == "*" else stage for stage in definition["stages"]]
    return definition | {"stages": stages}

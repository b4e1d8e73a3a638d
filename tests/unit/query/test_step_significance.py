"""From stage to stage, two periods: each step tested and corrected, against everybody counted one by one."""

import math
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iafa.clock import FakeClock
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.funnel_members import comparison_of, counts_of
from iafa.query.question import Extras
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_event, snapshot_of

DAY_S = 86_400
DEFINITION = parse_definition(a_definition("A", "B", "C", window_seconds=DAY_S))
People = list[tuple[int, bool]]  # how many stages somebody reached, and whether their time is not over


def members(people: People) -> dict[str, Any]:
    reached = [sum(steps >= k for steps, _ in people) for k in (1, 2, 3)]
    most = [sum(steps >= k or is_open for steps, is_open in people) for k in (1, 2, 3)]
    return counts_of(DEFINITION, reached, most, entered=len(people), open_=most[-1] - reached[-1])


def told_of(now: People, then: People) -> list[dict[str, Any]]:
    compared: Any = comparison_of(DEFINITION, {"start": None, "end": None}, members(now), members(then))
    told: list[dict[str, Any]] = compared["step_significance"]
    return told


def naive_p(a: int, b: int, c: int, d: int) -> float:
    """Went on or not, of either period: chi-squared without a correction, one degree of freedom."""
    below = (a + b) * (c + d) * (a + c) * (b + d)
    return math.erfc(math.sqrt((a + b + c + d) * (a * d - b * c) ** 2 / below / 2)) if below else 1.0


def naive_holm(found: list[float]) -> list[float]:
    """A p-value is refused at its own level if every smaller one is; in words of p, the largest of its forerunners."""
    return [
        max(min(1.0, other * sum(one >= other for one in found)) for other in found if other <= own) for own in found
    ]


def ends(people: People) -> Iterator[list[int]]:
    """Whatever the open ones may still do."""
    return (list(end) for end in product(*(range(steps, 4) if is_open else [steps] for steps, is_open in people)))


def worst_p(now: People, then: People, step: int) -> float:
    found, ways = [0.0], set()
    for mine, others in product(list(ends(now)), list(ends(then))):
        a, n = sum(steps > step for steps in mine), sum(steps >= step for steps in mine)
        c, m = sum(steps > step for steps in others), sum(steps >= step for steps in others)
        found.append(naive_p(a, n - a, c, m - c))
        difference = (a / n if n else 0.0) - (c / m if m else 0.0)
        ways.add((difference > 0) - (difference < 0))
    return 1.0 if {1, -1} <= ways else max(found)


somebody = st.tuples(st.integers(1, 3), st.booleans()).map(lambda one: (one[0], one[1] and one[0] < 3))
closed = st.integers(1, 3).map(lambda steps: (steps, False))


def crowd(most_open: int) -> st.SearchStrategy[People]:
    few: st.SearchStrategy[People] = st.lists(somebody, max_size=most_open)
    many: st.SearchStrategy[People] = st.lists(closed, min_size=1, max_size=40)
    return st.builds(lambda one, other: [*one, *other], few, many)


@settings(max_examples=150, deadline=None)
@given(now=crowd(3), then=crowd(2))
def test_p_values_are_those_of_counting_every_end_one_by_one(now: People, then: People) -> None:
    told = told_of(now, then)
    assert [(one["from_order"], one["to_order"]) for one in told] == [(1, 2), (2, 3)]
    naive = naive_holm([worst_p(now, then, step) for step in (1, 2)])
    assert [one["p_value"] for one in told] == pytest.approx(naive, abs=2e-6)


def of(one: int, two: int, three: int) -> People:
    return [(1, False)] * (one - two) + [(2, False)] * (two - three) + [(3, False)] * three


def test_a_step_is_a_share_of_the_stage_before_and_the_correction_counts() -> None:
    """Of the first step nothing changed, the second went from 60 to 50 of a hundred: alone 0.0444, of two 0.0888."""
    first, second = told_of(of(400, 200, 100), of(400, 200, 120))
    assert (first["difference"], first["p_value"], first["is_significant"]) == (0.0, 1.0, False)
    assert naive_p(100, 100, 120, 80) == pytest.approx(0.0444, abs=5e-5)
    assert (second["difference"], second["is_significant"], second["is_too_small"]) == (-10.0, False, False)
    assert second["p_value"] == pytest.approx(0.0888, abs=1e-4)
    clear = told_of(of(400, 200, 80), of(400, 200, 120))[1]
    assert (clear["difference"], clear["is_significant"]) == (-20.0, True)


def test_a_clear_step_is_told_although_the_whole_may_be_chance() -> None:
    """More came to the second stage, fewer of them went on: both clear, and the whole is as before."""
    now, then = of(400, 250, 100), of(400, 200, 100)
    compared: Any = comparison_of(DEFINITION, {"start": None, "end": None}, members(now), members(then))
    assert (compared["significance"]["difference"], compared["significance"]["is_significant"]) == (0.0, False)
    assert [one["is_significant"] for one in compared["step_significance"]] == [True, True]
    few = told_of(of(4, 4, 4), of(4, 4, 0))[1]
    assert (few["is_too_small"], few["is_significant"]) == (True, False)


@pytest.fixture
def engine(tmp_path: Path) -> Any:
    clock = FakeClock(NOON_US + 3 * DAY_S * SECOND_US)
    made = DuckEngine(QueryLimits(), temp_directory=tmp_path / "spill", clock=clock)
    yield made
    made.close()


@pytest.mark.parametrize("count", ["unique", "totals"])
def test_the_answer_has_each_step_but_not_where_a_path_is_not_a_person(
    engine: DuckEngine, tmp_path: Path, count: str
) -> None:
    events = []
    for day, reached in ((0, 15), (-1, 5)):
        at = NOON_US + day * DAY_S * SECOND_US
        for number in range(40):
            events.append(an_event("A", at, user=f"{day} {number}"))
            events += [an_event("B", at + SECOND_US, user=f"{day} {number}")] if number < 20 else []
            events += [an_event("C", at + 2 * SECOND_US, user=f"{day} {number}")] if number < reached else []
    definition = parse_definition(a_definition("A", "B", "C", window_seconds=60, count=count))
    asked_for = resolve_time_range("2025-11-21", "2025-11-21")
    answer: Any = funnel(
        engine, snapshot_of(tmp_path, [events]), definition, asked_for, extras=Extras(frozenset({"compare"}))
    )
    told = answer["compare"].get("step_significance")
    if count == "totals":
        assert told is None
        return
    assert [(one["from_order"], one["difference"], one["is_significant"]) for one in told] == [
        (1, 0.0, False), (2, 50.0, True)
    ]  # fmt: skip
    assert told[1]["p_value"] == pytest.approx(2 * naive_p(15, 5, 5, 15), abs=2e-6)

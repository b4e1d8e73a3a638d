"""The path solvers alone on arrays against the brute force: in machine code and as plain Python."""

import random
import subprocess
import sys
from collections.abc import Callable

import numpy as np
import pytest

from iafa.query.definition_reading import parse_definition
from iafa.query.paths import compiled
from iafa.query.paths.lengths import solve_lengths
from iafa.query.paths.ordered import solve, solve_each
from iafa.query.paths.plan import Paths
from iafa.query.paths.solving import plan_of, span_of
from iafa.query.paths.together import can_solve, solve_together
from iafa.query.time_range import TimeRange
from tests.property.test_paths_oracle import CASES
from tests.support.paths_arrays import PEOPLE, check, chunk_of
from tests.support.paths_cases import MODES, random_case

PLAIN_CASES = max(150, CASES // 10)


@pytest.mark.skipif(not compiled.IS_COMPILED, reason="numba is not installed")
@pytest.mark.parametrize("mode", MODES)
def test_compiled_solver_equals_the_oracle(mode: str) -> None:
    assert check(mode, CASES) >= CASES


def test_solvers_without_the_compiler_equal_the_oracle(say: Callable[[str], None]) -> None:
    """In a process of its own: whether there is a compiler is settled when the solvers are imported."""
    command = [sys.executable, "-m", "tests.support.paths_arrays", str(PLAIN_CASES)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
    assert int(ended.stdout) >= PLAIN_CASES * len(MODES)
    say(f"{int(ended.stdout)} histories equal without the compiler")


@pytest.mark.parametrize("mode", [mode for mode in MODES if "unordered" not in mode and "totals" not in mode])
def test_together_equals_one_by_one(mode: str) -> None:
    """The paths of many people at once, and those that the search from every start gives; and the lengths alone."""
    draw = random.Random(f"together {mode}")
    people = together = 0
    while people < CASES:
        case = random_case(draw, mode, PEOPLE, is_dense=draw.random() < 0.5)
        histories = [own for own in case.histories() if own]
        definition = parse_definition(case.definition)
        if not histories or definition.order == "unordered" or definition.count == "totals":
            continue
        plan = plan_of(definition, span_of(definition, TimeRange(case.lo, case.hi, None, None, "UTC")))
        whole = chunk_of(case.definition, histories).histories
        ones, lengths = solve_each(plan, whole), solve(plan, whole, wants_rows=False)
        both = solve(plan, whole)
        assert np.array_equal(both.reached, ones.reached), case
        assert np.array_equal(both.rows, ones.rows), case
        assert np.array_equal(lengths.reached, ones.reached), case
        if can_solve(plan):
            assert np.array_equal(solve_lengths(plan, whole).reached, ones.reached), case
            left = solve_together(plan, whole, Paths.room(len(whole.offsets) - 1, plan.steps), wants_rows=True)
            together += len(whole.offsets) - 1 - len(left)
        people += len(histories)
    assert together > people / 10

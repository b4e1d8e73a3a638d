"""The path solvers alone on arrays against the brute force: in machine code and as plain Python."""

import subprocess
import sys
from collections.abc import Callable

import pytest

from iafa.query.paths import compiled
from tests.property.test_paths_oracle import CASES
from tests.support.paths_arrays import check
from tests.support.paths_cases import MODES

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

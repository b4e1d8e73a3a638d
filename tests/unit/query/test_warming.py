"""Solvers before and after their machine code is there: equal paths, and no compiled function called before."""

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from iafa.query.paths import compiled as compiled_module
from iafa.query.paths import ordered, unordered
from iafa.query.paths import warming as warming_module
from iafa.query.paths.compiled import IS_COMPILED, folder_for
from iafa.query.paths.grace import solve_grace
from iafa.query.paths.ordered import solve, solve_each, solve_totals
from iafa.query.paths.plan import NO_LIMIT_US, Histories, Plan
from iafa.query.paths.unordered import solve_unordered, solve_unordered_totals
from iafa.query.paths.warming import Warming, interpreted, solve_little


def some(draw: random.Random) -> tuple[Plan, Histories]:
    none = np.zeros(0, dtype=np.int64)
    bounds = np.full(3, NO_LIMIT_US, dtype=np.int64)
    plan = Plan(2, 3, 0, 8, 20, False, False, False, False, 0, bounds, np.zeros_like(bounds), none, none)
    times = np.sort(np.array([draw.randrange(8) for _ in range(6)], dtype=np.int64))
    masks = np.array([draw.randrange(1, 4) for _ in range(6)], dtype=np.int32)
    return plan, Histories(np.array([0, 6], dtype=np.int64), times, masks, np.zeros(6, dtype=np.int32))


def test_every_solver_is_warmed_up() -> None:
    assert [int(paths.reached[0]) for paths in solve_little()] == [2, 2, 2, 2, 2]


def test_interpreted_functions_are_equal() -> None:
    draw = random.Random(5)
    for _ in range(50):
        plan, histories = some(draw)
        calls: list[tuple[Any, tuple[Any, ...], dict[str, Any]]] = [
            (solve, (), {}),
            (solve_totals, (), {}),
            (solve_grace, (1, lambda: None), {}),
            (solve_unordered, (), {"first_required": True}),
        ]
        for function, more, named in calls:
            ours = interpreted(function)(plan, histories, *more, **named)
            theirs = function(plan, histories, *more, **named)
            assert all(np.array_equal(one, other) for one, other in zip(ours, theirs, strict=True))


def test_nothing_compiled_is_called_before_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    def compiled(*_: object) -> None:
        raise AssertionError("a compiled function was called")

    plan, histories = some(random.Random(1))
    ways = [interpreted(solve), interpreted(solve_unordered)]
    for module in (ordered, unordered):
        monkeypatch.setattr(module, "_solve", compiled)
    assert ways[0](plan, histories).reached[0] > 0
    assert ways[1](plan, histories, first_required=False).reached[0] > 0


@pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")
def test_a_server_changes_to_the_compiled_functions_when_they_are_there() -> None:
    warming = Warming()
    assert warming.of(solve) is solve
    solve_little()
    warming.start(after_s=0.2)
    assert warming.of(solve) is interpreted(solve)
    assert warming.thread is not None
    warming.thread.join(60)
    assert warming.of(solve) is solve


def test_a_server_that_cannot_compile_says_so_and_goes_on_plainly(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails() -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(warming_module, "IS_COMPILED", True)
    monkeypatch.setattr(warming_module, "solve_little", fails)
    warming = Warming()
    with caplog.at_level("ERROR", logger="iafa.query.paths"):
        warming.start(after_s=0)
        assert warming.thread is not None
        warming.thread.join(20)
    (record,) = [one for one in caplog.records if one.name == "iafa.query.paths"]
    assert "plain" in record.getMessage()
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "no space left on device"
    assert warming.of(solve) is interpreted(solve)
    plan, histories = some(random.Random(1))
    assert warming.of(solve)(plan, histories).reached[0] > 0


def test_machine_code_is_made_again_when_any_file_of_the_solvers_changes(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("a.py", "b.py")]
    for file in files:
        file.write_text("one")
    before = folder_for(files)
    assert folder_for(reversed(files)) == before
    files[1].write_text("two")
    assert folder_for(files) != before


@pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")
def test_machine_code_lies_in_the_folder_of_its_sources() -> None:
    solve_little()
    here = Path(compiled_module.__file__).parent.glob("*.py")
    assert folder_for(here) in str(ordered._solve.stats.cache_path)  # type: ignore[attr-defined]


@pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed")
def test_arrays_that_cannot_be_written_need_no_further_machine_code() -> None:
    solve_little()
    plan, histories = some(random.Random(3))
    for column in histories:
        column.flags.writeable = False
    compiled_ones = [ordered._solve, ordered._solve_totals, unordered._solve, unordered._solve_totals]
    known = [len(one.signatures) for one in compiled_ones]  # type: ignore[attr-defined]
    solve_each(plan, histories)
    solve_totals(plan, histories)
    for first_required in (False, True):
        solve_unordered(plan, histories, first_required=first_required)
        solve_unordered_totals(plan, histories, first_required=first_required)
    assert [len(one.signatures) for one in compiled_ones] == known  # type: ignore[attr-defined]
    assert not histories.steps.flags.writeable


def test_constants_and_narrow_numbers_need_no_further_machine_code() -> None:
    numba: Any = pytest.importorskip("numba")

    def plus_one(number: int) -> int:
        return number + 1

    called = numba.njit(plus_one)
    compiled_module._make_once(called)

    def calls(number: int, few: Any) -> Any:
        return called(1), called(number), called(few[0])

    assert numba.njit(calls)(2**40, np.array([3], dtype=np.int32)) == (2, 2**40 + 1, 4)
    assert len(called.signatures) == 1

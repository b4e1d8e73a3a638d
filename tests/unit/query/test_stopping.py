"""One person with a million events: solved in time that grows with the events, or stopped when time is over."""

import threading
import time
from collections.abc import Callable

import numpy as np
import pytest

from iafa.errors import QueryTimeout
from iafa.query.paths.ordered import solve, solve_each, solve_totals
from iafa.query.paths.plan import ENTRY_BEST, NO_LIMIT_US, Histories, Plan
from iafa.query.paths.stopping import stopping
from iafa.query.paths.unordered import solve_unordered
from iafa.query.paths.warming import interpreted

ROWS = 1_000_000
STOPS_WITHIN_S = 30  # the machine may be busy; without being stopped it would be minutes


def a_plan() -> Plan:
    none = np.zeros(0, dtype=np.int64)
    bounds = np.full(4, NO_LIMIT_US, dtype=np.int64)
    return Plan(
        3, NO_LIMIT_US, 0, ROWS, ROWS, False, False, True, False, ENTRY_BEST, bounds, np.zeros_like(bounds), none, none
    )


def one_person(rows: int = ROWS) -> Histories:
    """Steps 1, 2, 1, 2, ...: never the third."""
    steps = np.where(np.arange(rows) % 2 == 0, 1, 2).astype(np.int32)
    times = np.arange(rows, dtype=np.int64)
    return Histories(np.array([0, rows], dtype=np.int64), times, steps, np.zeros(rows, dtype=np.int32))


def test_a_million_events_of_one_person_are_solved_together() -> None:
    paths = solve(a_plan(), one_person())
    assert paths.reached.tolist() == [2]
    assert paths.rows.tolist() == [[0, 1, -1]]


@pytest.mark.parametrize("solver", [solve_each, solve_totals, solve_unordered])
def test_a_solver_is_stopped_when_time_is_over(solver: Callable[..., object]) -> None:
    plan, few = a_plan(), one_person(10)
    named = {"first_required": False} if solver is solve_unordered else {}
    slow = interpreted(solver)
    slow(plan, few, **named)
    is_over = threading.Event()

    def check_time() -> None:
        if is_over.is_set():
            raise QueryTimeout("time is over")

    timer = threading.Timer(0.3, is_over.set)
    timer.start()
    began = time.monotonic()
    with pytest.raises(QueryTimeout):
        slow(plan, one_person(), check_time=check_time, **named)
    assert time.monotonic() - began < STOPS_WITHIN_S
    timer.join()


def test_an_error_of_the_block_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError), stopping(lambda: None):
        raise ZeroDivisionError
    with stopping(lambda: None) as stop:
        pass
    assert stop[0] == 0

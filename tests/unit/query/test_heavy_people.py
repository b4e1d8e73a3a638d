"""One person with very many events: twice the events cost at most two and a half times the work, of whatever kind."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import iafa.query
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.paths.warming import WARMING
from tests.support.heavy import QUESTIONS, SHAPES, events_of
from tests.unit.query.rows import snapshot_of

FEW = 400
OURS = str(Path(iafa.query.__file__).parent)
SLACK = 2.5  # times the work for twice the events; what does not grow at all makes it less


def lines_of(ask: Callable[[], object]) -> int:
    """How many lines of the query code are run as plain Python: work, whatever the machine is doing beside it."""
    lines = 0

    def of_ours(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal lines
        lines += event == "line"
        return of_ours

    def of_any(frame: FrameType, _event: str, _argument: object) -> Any:
        return of_ours if frame.f_code.co_filename.startswith(OURS) else None

    before = sys.gettrace()
    sys.settrace(of_any)
    try:
        with WARMING.plain():
            ask()
    finally:
        sys.settrace(before)
    return lines


LATER = ()


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("question", [each for each in QUESTIONS if not each.startswith(LATER)])
def test_work_grows_with_the_events(tmp_path: Path, engine: DuckEngine, question: str, shape: str) -> None:
    names, step_us = SHAPES[shape]
    work = {}
    for many in (FEW, 2 * FEW):
        snapshot = snapshot_of(tmp_path, [events_of(names, many, step_us, many)], prefix=str(many))
        work[many] = lines_of(partial(QUESTIONS[question], engine, snapshot))
    assert 0 < work[2 * FEW] <= SLACK * work[FEW], work

"""A question that nobody waits for any more ends, whatever it asks."""

from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.errors import IafaError
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.event_names import event_names
from iafa.query.explain import explain
from iafa.query.people import PeopleExport, PeopleQuestion, people
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.report import report_answer
from iafa.query.reports.trends import parse_trends
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange
from tests.unit.query.rows import NOON_US, a_definition, an_event, snapshot_of

EVERYTHING = TimeRange(TIME_MIN_US, TIME_END_US, None, None, "UTC")
FUNNEL = parse_definition(a_definition("A", "B"))
TRENDS = parse_trends({"series": ["A", {"event": "B", "measure": "sessions"}]}, Setting())
OVERVIEW = parse_overview({}, Setting())
LIST = PeopleQuestion(FUNNEL, EVERYTHING, 1, "converted")
Ask = Callable[[DuckEngine, Snapshot, Cancellation], object]
QUESTIONS: dict[str, Ask] = {
    "people": lambda engine, snapshot, left: people(engine, snapshot, LIST, cancellation=left),
    "export": lambda engine, snapshot, left: PeopleExport(engine, snapshot, LIST, timeout_s=30, cancellation=left),
    "explain": lambda engine, snapshot, left: explain(engine, snapshot, FUNNEL, EVERYTHING, "u", cancellation=left),
    "event names": lambda engine, snapshot, left: event_names(engine, snapshot, cancellation=left),
    "overview": lambda engine, snapshot, left: report_answer(engine, snapshot, OVERVIEW, cancellation=left),
    "trends": lambda engine, snapshot, left: report_answer(engine, snapshot, TRENDS, cancellation=left),
}


@pytest.mark.parametrize("name", QUESTIONS)
def test_a_question_that_nobody_waits_for_ends(engine: DuckEngine, tmp_path: Path, name: str) -> None:
    snapshot = snapshot_of(tmp_path, [[an_event("A", NOON_US), an_event("B", NOON_US + 1)]])
    assert QUESTIONS[name](engine, snapshot, Cancellation())
    left = Cancellation()
    left.cancel()
    with pytest.raises(IafaError, match="left before the answer") as refused:
        QUESTIONS[name](engine, snapshot, left)
    assert refused.value.code == "bad_request"


def test_the_rest_of_an_export_ends_too(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot, left = snapshot_of(tmp_path, [[an_event("A", NOON_US)]]), Cancellation()
    export = PeopleExport(engine, snapshot, LIST, timeout_s=30, cancellation=left)
    assert len(export.rows(0)) == 1
    left.cancel()
    with pytest.raises(IafaError, match="left before the answer"):
        export.rows(0)

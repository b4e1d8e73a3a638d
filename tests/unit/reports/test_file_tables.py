"""A file of a report holds what its answer holds: also the period to compare with."""

from collections.abc import Callable
from typing import Any

import pytest

from iafa.clock import to_iso
from iafa.query.reports.flows import parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.report import Report, file_table, report_answer
from iafa.query.reports.retention import parse_retention
from iafa.query.reports.sessions import parse_sessions
from iafa.query.reports.trends import parse_trends
from tests.support.report_lake import DAY_US, SPRING_US, ReportLake, report_lake
from tests.unit.query.rows import an_engine

REPORTS: dict[str, tuple[Callable[..., Report], dict[str, Any]]] = {
    "sessions": (parse_sessions, {"breakdown": "channel"}),
    "overview": (parse_overview, {}),
    "retention": (parse_retention, {"start": "*", "return": "*"}),
    "paths": (parse_flows, {}),
    "trends": (parse_trends, {"series": ["*"]}),
}


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> ReportLake:
    return report_lake(tmp_path_factory.mktemp("shop") / "data", first_us=SPRING_US, people=12)


@pytest.mark.parametrize("name", REPORTS)
def test_both_periods_stand_in_the_file(tmp_path_factory: pytest.TempPathFactory, shop: ReportLake, name: str) -> None:
    parse, own = REPORTS[name]
    first_us = min(event["t"] for event in shop.events)
    days = [to_iso(first_us + n * DAY_US)[:10] for n in range(1, 4)]
    setting = Setting("UTC", 3_600, shop.clock.now_us())

    def table_of(start: str, end: str, **more: str) -> tuple[list[str], list[list[object]]]:
        report = parse({**own, "start_date": start, "end_date": end, **more}, setting)
        columns, rows = file_table(report, report_answer(engine, shop.snapshot, report))
        return list(columns), [list(row) for row in rows]

    engine = an_engine(tmp_path_factory.mktemp("engine"))
    columns, rows = table_of(days[1], days[2])
    _columns, others = table_of(days[0], days[0])
    both, all_rows = table_of(days[1], days[2], include="compare", compare_start=days[0], compare_end=days[0])
    engine.close()
    assert others != rows
    assert "range" not in columns
    assert both == ["range", *columns]
    assert all_rows == [["asked", *row] for row in rows] + [["compare", *row] for row in others]

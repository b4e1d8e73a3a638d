"""Retention and paths of the generated example, counted by hand, and of the real data sets where they are present."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from iafa.lake.snapshot import Snapshot
from iafa.query.reports.flows import parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from iafa.query.reports.retention import parse_retention
from tests.golden.test_funnel_answer import (
    DATA,
    DAY_US,
    FIRST_US,
    PAGES,
    PEOPLE,
    columns_to_table,
    needs_data,
    real_snapshot,
)
from tests.support import flows_oracle, retention_oracle
from tests.unit.query.rows import an_engine

NOW_US = FIRST_US + 4_000 * DAY_US
EXITS = [one - other for one, other in zip(PEOPLE, [*PEOPLE[1:], 0], strict=True)]


def real(file: str, time_column: str, tmp_path: Path) -> Snapshot:
    snapshot = real_snapshot(DATA / file, time_column, tmp_path)
    times = snapshot.tail["created_at"].cast("int64").to_numpy()
    return replace(snapshot, first_us=int(times.min()), last_us=int(times.max()))


def ask(tmp_path: Path, snapshot: Snapshot, parse: Any, **fields: Any) -> dict[str, Any]:
    engine = an_engine(tmp_path, memory_mb=512)
    try:
        return report_answer(engine, snapshot, parse(fields, Setting(now_us=NOW_US)))
    finally:
        engine.close()


def check_four_pages(answer: dict[str, Any]) -> None:
    """Each step loses some: a straight way with an exit at each page."""
    steps = [node for node in answer["nodes"] if node["kind"] == "value"]
    assert [(node["name"], node["entities"], node["ends"]) for node in steps] == list(
        zip(PAGES, PEOPLE, EXITS, strict=True)
    )
    assert [node["percent"] for node in steps] == [100.0, 50.0, 6.67, 0.5]
    assert [path["names"] for path in answer["paths"]] == [list(PAGES[:steps]) for steps in (1, 2, 3, 4)]
    assert [path["entities"] for path in answer["paths"]] == EXITS


def test_the_example(tmp_path: Path) -> None:
    """Person k comes on day k % 120 and takes a minute for a page; every tenth comes back a week later."""
    names = np.repeat(PAGES, PEOPLE)
    people = np.concatenate([np.arange(count) for count in PEOPLE])
    times = FIRST_US + people % 120 * DAY_US + np.repeat(range(4), PEOPLE) * 60_000_000
    again = np.arange(0, PEOPLE[0], 10)
    names, people = np.concatenate([names, np.repeat("again", len(again))]), np.concatenate([people, again])
    times = np.concatenate([times, FIRST_US + (again % 120 + 7) * DAY_US])
    snapshot = Snapshot.of_table(columns_to_table(names, people, times), tmp_path)

    check_four_pages(ask(tmp_path, snapshot, parse_flows, start="home_page"))
    fields = {"start_date": "2015-01-01", "end_date": "2015-04-30", "return": "again", "periods": 8}
    answer = ask(tmp_path, snapshot, parse_retention, start="home_page", **fields)
    assert (answer["people"], len(answer["cohorts"])) == (PEOPLE[0], 120)
    by_day = np.bincount(np.arange(PEOPLE[0]) % 120)
    assert [cohort["size"] for cohort in answer["cohorts"]] == by_day.tolist()
    came_back = np.bincount(again % 120, minlength=120)
    assert [[cell["people"] for cell in cohort["cells"]] for cohort in answer["cohorts"]] == [
        [0] * 7 + [count, 0] for count in came_back.tolist()
    ]
    assert answer["averages"][7] == {"n": 7, "cohorts": 120, "size": 90_400, "people": 9_040, "percent": 10.0}


@needs_data
def test_four_pages_of_the_shop_data(tmp_path: Path) -> None:
    snapshot = real("ecommerce_funnel_90400.parquet", "timestamp_assigned", tmp_path)
    check_four_pages(ask(tmp_path, snapshot, parse_flows, unit="user"))
    fields = {"start": "home_page", "return": "search_page", "interval": "month", "on_or_after": True, "periods": 0}
    answer = ask(tmp_path, snapshot, parse_retention, **fields)
    assert (answer["people"], sum(cohort["cells"][0]["people"] for cohort in answer["cohorts"])) == PEOPLE[:2]


@needs_data
def test_loan_applications_with_many_ties(tmp_path: Path) -> None:
    snapshot = real("bpi2012_loan_applications.parquet", "timestamp", tmp_path)
    assert ask(tmp_path, snapshot, parse_flows, unit="user", start="A_SUBMITTED")["entities"] == 13_087
    some = snapshot.tail.filter(pc.ends_with(snapshot.tail["user_id"], "7"))  # the loop is slow
    snapshot = replace(snapshot, tail=some, rows=some.num_rows)
    times = snapshot.tail["created_at"].cast("int64").to_pylist()
    columns = (snapshot.tail[name].to_pylist() for name in ("id", "event_type", "user_id"))
    events = [
        {"id": key, "name": name, "person": person, "t": t, "url": None}
        for (key, name, person), t in zip(zip(*columns, strict=True), times, strict=True)
    ]
    answer = ask(tmp_path, snapshot, parse_flows, unit="user", start="A_SUBMITTED", depth=4, top=30, collapse=False)
    asked = flows_oracle.Asked(
        0, 2**60, start=lambda event: event["name"] == "A_SUBMITTED", by_session=False, depth=4, top=30, collapse=False
    )
    expected = flows_oracle.flow(events, asked)
    found = {(node["depth"], node["name"]): node["entities"] for node in answer["nodes"] if node["kind"] == "value"}
    assert found == {key: count for key, count in expected.nodes.items() if key[1] is not None}
    assert answer["entities"] == expected.entities > 1_000

    fields = {"start": "A_SUBMITTED", "return": "A_PARTLYSUBMITTED", "interval": "week", "periods": 4}
    answer = ask(tmp_path, snapshot, parse_retention, mode="rolling", **fields)
    wanted = retention_oracle.Asked(
        start=lambda event: event["name"] == "A_SUBMITTED",
        back=lambda event: event["name"] == "A_PARTLYSUBMITTED",
        lo=0, hi=2**60, now=NOW_US, zone="UTC", interval="week", periods=4, rolling=True,
    )  # fmt: skip
    cohorts = {
        one["bucket"]: (one["size"], [cell["people"] for cell in one["cells"]])
        for one in answer["cohorts"]
        if one["size"]
    }
    assert cohorts == retention_oracle.retention(events, wanted)[None]

"""The trends of the user's example as golden JSON, and of the real data against counting row by row."""

import json
from collections import Counter, defaultdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa

from iafa.lake.snapshot import Snapshot
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from iafa.query.reports.trends import parse_trends
from tests.golden.test_funnel_answer import DATA, PAGES, PEOPLE, columns_to_table, needs_data, real_snapshot
from tests.unit.query.rows import an_engine

GOLDEN = Path(__file__).with_name("checkout_trends.json")
FIRST_US = 1_420_070_400_000_000  # 2015-01-01
DAY_US = 86_400_000_000
ZONE = "Europe/Amsterdam"
SHARE = 100  # one of so many people of the example, so that it is quick


def test_answer_of_the_example_is_the_golden_one(tmp_path: Path) -> None:
    counts = [-(-count // SHARE) for count in PEOPLE]
    names = np.repeat(PAGES, counts)
    people = np.concatenate([np.arange(count) for count in counts])
    times = FIRST_US + people % 120 * DAY_US + np.repeat(range(4), counts) * 60_000_000
    snapshot = Snapshot.of_table(columns_to_table(names, people, times), tmp_path)
    question = {
        "series": [{"event": page, "measure": "people"} for page in PAGES[:2]] + [{"event": "*"}],
        "interval": "month",
        "formulas": [{"name": "Searched", "expression": "B / A * 100"}],
        "start_date": "2015-01-01",
        "end_date": "2015-04-30",
    }
    answer = asked(tmp_path, snapshot, question, "UTC")
    del answer["elapsed_ms"]
    assert json.loads(json.dumps(answer)) == json.loads(GOLDEN.read_text())


@needs_data
def test_loan_applications_by_day_and_week(tmp_path: Path) -> None:
    snapshot = real_snapshot(DATA / "bpi2012_loan_applications.parquet", "timestamp", tmp_path)
    times = snapshot.tail["created_at"].cast(pa.int64()).to_pylist()
    bounds = {"start_date": "2011-09-01", "end_date": "2012-03-31"}  # both changes of clocks
    events: Counter[str] = Counter()
    people: dict[str, set[str]] = defaultdict(set)
    for time_us, user in zip(times, snapshot.tail["user_id"].to_pylist(), strict=True):
        day = (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)).astimezone(ZoneInfo(ZONE)).date()
        if bounds["start_date"] <= day.isoformat() <= bounds["end_date"]:
            events[day.isoformat()] += 1
            people[(day - timedelta(days=day.weekday())).isoformat()].add(user)
    answer = asked(tmp_path, snapshot, {"series": ["*"], **bounds}, ZONE)
    assert {one["date"]: one["events"] for one in answer["series"][0]["buckets"] if one["events"]} == events
    series = [{"event": "*", "measure": "people"}]
    answer = asked(tmp_path, snapshot, {"series": series, "interval": "week", **bounds}, ZONE)
    (found,) = answer["series"]
    weeks = {(datetime.fromisoformat(one["date"])).date().isoformat(): one["value"] for one in found["buckets"]}
    assert {week: value for week, value in weeks.items() if value} == {week: len(who) for week, who in people.items()}
    assert found["total"]["value"] == len(set().union(*people.values()))


def asked(tmp_path: Path, snapshot: Snapshot, question: dict[str, Any], zone: str) -> dict[str, Any]:
    engine = an_engine(tmp_path, memory_mb=512)
    answer = report_answer(engine, snapshot, parse_trends(question, Setting(zone, 3_600, engine.clock.now_us())))
    engine.close()
    return answer

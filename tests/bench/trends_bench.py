"""How fast is a trend? The funnel bench's events, interleaved in one run with the scan that each answer needs at least.
Not a test.

Run: python -m tests.bench.trends_bench [rows]; 10 million without a number. Only ratios of minimums of one run mean
anything. The floor reads the columns of the answer once and counts by UTC day, without identities, tail or filters.
"""

import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb

from iafa.clock import SystemClock
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import report_answer
from iafa.query.reports.trends import parse_trends
from tests.bench.funnel_bench import ROUNDS, ROWS, make_snapshot

_DAY = "epoch_us(created_at) // 86400000000"
FLOORS: Mapping[str, str] = {
    "floor: scan": "select max(event_type), max(created_at), bit_xor(user_hash), max(sample_rate)",
    "floor: events by day": f"select {_DAY}, count(*) filter (where event_type = 'page_view')",
    "floor: people by day": f"select {_DAY}, count(distinct user_hash) filter (where event_type = 'page_view')",
}
_PRO = [{"property": "plan", "op": "eq", "value": "pro"}]
QUESTIONS: Mapping[str, dict[str, Any]] = {
    "events of one type": {"series": ["page_view"]},
    "events of any type": {"series": ["*"]},
    "six series of events": {
        "series": ["page_view", "product_view", "add_to_cart", "checkout_start", "payment_info", "purchase"]
    },
    "events in Berlin by hour, 30 days": {
        "series": ["page_view"], "interval": "hour", "timezone": "Europe/Berlin", "start_date": "2025-11-01",
        "end_date": "2025-11-30",
    },
    "people of one type": {"series": [{"event": "page_view", "measure": "people"}]},
    "people of any type": {"series": [{"event": "*", "measure": "people"}]},
    "mau of a rare type": {"series": [{"event": "purchase", "measure": "mau"}]},
    "events by plan": {"series": ["add_to_cart"], "breakdown": "plan"},
    "filtered events": {"series": [{"event": "add_to_cart", "filters": _PRO}]},
    "sessions of one week": {
        "series": [{"event": "page_view", "measure": "sessions"}], "start_date": "2025-11-01", "end_date": "2025-11-07",
    },
}  # fmt: skip


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = make_snapshot(Path(folder) / "project", rows)
        clock = SystemClock()
        engine = DuckEngine(QueryLimits(timeout_s=600), temp_directory=Path(folder) / "spill", clock=clock)
        runs: dict[str, Callable[[], object]] = {
            name: lambda text=text: floor(snapshot, text)  # type: ignore[misc]
            for name, text in FLOORS.items()
        }
        for name, fields in QUESTIONS.items():
            runs[name] = lambda fields=fields: ask(engine, snapshot, fields)  # type: ignore[misc]
        alone = replace(snapshot, identities=None)
        runs["people of one type, no edges"] = lambda: ask(engine, alone, QUESTIONS["people of one type"])
        best: dict[str, float] = {}
        for _ in range(ROUNDS):
            for name, run in runs.items():
                began = time.perf_counter()
                run()
                best[name] = min(best.get(name, 1e9), time.perf_counter() - began)
        engine.close()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{rows:,} events, 90 days; minimum of {ROUNDS} interleaved rounds; load {load}")
    for name, taken in best.items():
        floors = "  ".join(f"{taken / best[one]:6.2f} x {one.removeprefix('floor: ')}" for one in FLOORS)
        print(f"{name:36} {taken * 1000:9.1f} ms  {floors}")


def ask(engine: DuckEngine, snapshot: Snapshot, fields: Mapping[str, Any]) -> object:
    return report_answer(engine, snapshot, parse_trends(fields, Setting(now_us=engine.clock.now_us())))


def floor(snapshot: Snapshot, text: str) -> list[Any]:
    grouped = " group by 1" if _DAY in text else ""
    with duckdb.connect(config={"threads": 2}) as connection:
        files = {"files": [str(file) for file in snapshot.files]}
        return connection.execute(f"{text} from read_parquet($files){grouped}", files).fetchall()


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROWS)

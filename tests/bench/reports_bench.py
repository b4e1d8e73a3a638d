"""What retention, paths, sessions and the overview cost beside the scan floor, on the data of the funnel bench: with a
tail, identity edges and bots; and on visits of a web site, whose events have addresses, campaigns and places. Not a
test.

Run: python -m tests.bench.reports_bench [rows] [name]; 10 million without a number, all questions without the first
word of a name. Each row is the least of interleaved rounds. The engine has the memory that a server gives it and
spills the rest; what it took in all is at the end.
"""

import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from iafa.clock import SystemClock
from iafa.errors import QueryTooLarge
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.reports.flows import parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.report import Report, report_answer
from iafa.query.reports.retention import parse_retention
from iafa.query.reports.sessions import parse_sessions
from tests.bench.funnel_bench import DAYS, ROWS, make_snapshot, scan_floor
from tests.bench.web_data import web_snapshot

ROUNDS = 2
MEMORY_MB = 1024
Parse = Callable[[Mapping[str, Any], Setting], Report]
QUESTIONS: Mapping[str, tuple[Parse, dict[str, Any]]] = {
    "retention day": (parse_retention, {"start": "page_view", "return": "page_view"}),
    "retention week": (parse_retention, {"start": "page_view", "return": "page_view", "interval": "week"}),
    "retention of carts, any event": (parse_retention, {"start": "add_to_cart", "interval": "week"}),
    "retention rolling, first ever": (
        parse_retention,
        {"start": "add_to_cart", "return": "purchase", "mode": "rolling", "kind": "first_ever"},
    ),
    "paths by session": (parse_flows, {}),
    "paths by session from carts": (parse_flows, {"start": "add_to_cart"}),
    "paths by user from carts": (parse_flows, {"start": "add_to_cart", "unit": "user"}),
    "paths by user back from purchases": (parse_flows, {"end": "purchase", "unit": "user"}),
    "sessions by channel": (parse_sessions, {"breakdown": "channel"}),
    "overview": (parse_overview, {}),
    "overview of an old week": (parse_overview, {"start_date": "2025-10-13", "end_date": "2025-10-19"}),
}
WEB = "web "  # asked of the visits of a web site
WEB_QUESTIONS: Mapping[str, tuple[Parse, dict[str, Any]]] = {
    f"{WEB}{name}": asked for name, asked in QUESTIONS.items() if name.startswith(("sessions", "overview"))
}


def main(rows: int = ROWS, kind: str = "") -> None:
    questions = {name: asked for name, asked in {**QUESTIONS, **WEB_QUESTIONS}.items() if name.startswith(kind)}
    with tempfile.TemporaryDirectory() as folder:
        snapshot = make_snapshot(Path(folder) / "project", rows)
        web = web_snapshot(Path(folder) / "web", rows)
        clock = SystemClock()
        limits = QueryLimits(timeout_s=600, memory_mb=MEMORY_MB, instances=1)
        engine = DuckEngine(limits, temp_directory=Path(folder) / "spill", clock=clock)
        before_mb = peak_mb()
        best: dict[str, float] = {}
        counts: dict[str, int | str] = {}
        for _ in range(ROUNDS):
            began = time.perf_counter()
            scan_floor(snapshot)
            best["scan floor"] = min(best.get("scan floor", 1e9), time.perf_counter() - began)
            for name, (parse, fields) in questions.items():
                report = parse(fields, Setting(now_us=clock.now_us()))
                began = time.perf_counter()
                try:
                    answer = report_answer(engine, web if name.startswith(WEB) else snapshot, report)
                except QueryTooLarge:
                    counts[name] = "refused: needs more memory than the limit"
                else:
                    counts[name] = _counted(answer)
                best[name] = min(best.get(name, 1e9), time.perf_counter() - began)
        engine.close()
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{rows:,} events, {DAYS} days and a tail; minimum of {ROUNDS} interleaved rounds; load {load}")
    for name, taken in best.items():
        print(f"{name:36} {taken * 1000:9.1f} ms {taken / best['scan floor']:8.1f} x floor  {counts.get(name, '')}")
    print(
        f"memory limit {MEMORY_MB} MiB; the process took {peak_mb() - before_mb:.0f} MiB more at most for the questions"
    )


def _counted(answer: Mapping[str, Any]) -> int:
    """People, sessions or whatever is followed: that something was found."""
    found = answer["total"]["sessions"] if "total" in answer else answer.get("people", answer.get("entities"))
    return int(found)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROWS, *sys.argv[2:3])

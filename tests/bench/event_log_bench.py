"""How fast is a page of the event log? Interleaved in one run: first pages, filtered and deep ones, beside the scan of
the newest file's key columns, over 90 days of files with identity edges, bots and an unflushed tail. Not a test.

Run: python -m tests.bench.event_log_bench [rows]; 10 million without a number. The goal is a page below 100 ms.
"""

import json
import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

from iafa.clock import SystemClock, to_iso
from iafa.lake.parts import describe
from iafa.lake.snapshot import Snapshot
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.events.fields import parse_fields
from iafa.query.events.page import EventsPage, PageAsked, Place, events_page
from iafa.query.events.question import EventsQuestion, parse_events_question
from tests.bench import funnel_bench

ROWS = 10_000_000
DAYS = funnel_bench.DAYS
ROUNDS = 5
GOAL_MS = 100


@dataclass(frozen=True)
class Log:
    engine: DuckEngine
    snapshot: Snapshot

    def page(self, asked: EventsQuestion, **page: Any) -> EventsPage:
        return events_page(self.engine, self.snapshot, asked, PageAsked(**page))


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = by_days(Path(folder) / "project", rows)
        limits = QueryLimits(timeout_s=600)
        engine = DuckEngine(limits, temp_directory=Path(folder) / "spill", clock=SystemClock())
        log = Log(engine, snapshot)
        engine.require_sound(snapshot, Cancellation())  # once in a process, before the first page
        report(rows, snapshot, measure(runs_of(log)))
        engine.close()


def by_days(directory: Path, rows: int) -> Snapshot:
    """The events of the funnel's bench, in one sorted file a day."""
    funnel_bench.FILES = DAYS
    made = funnel_bench.make_snapshot(directory, rows)
    columns = ["created_at", "received_at"]
    entries = [
        describe(file, file.name, pq.read_table(file, columns=columns, partitioning=None)) for file in made.files
    ]
    return replace(made, entries=tuple(entries))


def runs_of(log: Log) -> dict[str, Callable[[], int]]:
    snapshot = log.snapshot
    no_tail = replace(snapshot, tail=snapshot.tail.slice(0, 0))
    everything = parse_events_question()
    assert snapshot.first_us is not None
    assert snapshot.last_us is not None
    middle_us = (snapshot.first_us + snapshot.last_us) // 2
    deep = Place(middle_us, "", 0)
    pro = asked(filters=[{"property": "plan", "op": "eq", "value": "pro"}])
    none = asked(filters=[{"property": "plan", "op": "eq", "value": "none"}])
    flushed = Log(log.engine, no_tail)
    heavy = str(snapshot.tail.column("user_id").drop_null()[0])
    return {
        "floor: keys of the newest file": lambda: floor(no_tail),
        "first page, out of the tail": lambda: shown(log.page(everything)),
        "first page, without a tail": lambda: shown(flushed.page(everything)),
        "first page of 1,000": lambda: shown(flushed.page(everything, limit=1_000)),
        "first page, three fields": lambda: shown(
            flushed.page(everything, fields=parse_fields(["id,user_id,created_at"]))
        ),
        "one event type": lambda: shown(flushed.page(asked(event_types=["purchase"]))),
        "a property filter, all match": lambda: shown(flushed.page(pro)),
        "in the middle": lambda: shown(log.page(everything, place=deep)),
        "in the middle, back": lambda: shown(log.page(everything, place=deep, is_backward=True)),
        "oldest first": lambda: shown(log.page(everything, order="asc")),
        "one person": lambda: shown(log.page(asked(user_id=heavy))),
        "one day": lambda: shown(log.page(asked(start=to_iso(middle_us), end=to_iso(middle_us + 86_400_000_000)))),
        "a property filter, none matches": lambda: shown(log.page(none)),
    }


def asked(**given: Any) -> EventsQuestion:
    if "filters" in given:
        given["filters"] = json.dumps(given["filters"])
    return parse_events_question(**given)


def shown(page: EventsPage) -> int:
    return len(page.rows)


def floor(snapshot: Snapshot) -> int:
    """Reading the columns by which events stand in order, of one file."""
    with duckdb.connect(config={"threads": 2}) as connection:
        row = connection.execute(
            "select count(*), max(created_at)::varchar, max(id), max(received_at)::varchar from read_parquet($files)",
            {"files": [str(snapshot.files[-1])]},
        ).fetchone()
    assert row is not None
    return int(row[0])


def measure(runs: dict[str, Callable[[], int]]) -> dict[str, tuple[float, float, int]]:
    """The minima of each in ms, in turns, by the wall and of all cores together, and how many rows came."""
    times: dict[str, list[float]] = {name: [] for name in runs}
    spent: dict[str, list[float]] = {name: [] for name in runs}
    rows: dict[str, int] = {}
    for _ in range(ROUNDS):
        for name, run in runs.items():
            began, began_cpu = time.perf_counter(), time.process_time()
            rows[name] = run()
            spent[name].append((time.process_time() - began_cpu) * 1000)
            times[name].append((time.perf_counter() - began) * 1000)
    return {name: (min(times[name]), min(spent[name]), rows[name]) for name in runs}


def report(rows: int, snapshot: Snapshot, found: dict[str, tuple[float, float, int]]) -> None:
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(f"{rows:,} events, {len(snapshot.files)} files, {snapshot.tail.num_rows:,} in the tail; load {load}")
    for name, (best, cpu, count) in found.items():
        verdict = "" if name.startswith("floor") or best <= GOAL_MS else f"  above {GOAL_MS} ms"
        print(f"{name:34} {best:8.1f} ms {cpu:8.1f} ms of cores {count:7} rows{verdict}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if sys.argv[1:] else ROWS)

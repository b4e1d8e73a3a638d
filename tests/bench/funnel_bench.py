"""How fast is the funnel? Interleaved in one run: the scan floor, the funnel, windowFunnel of chdb over the same rows
as Parquet and as a sorted MergeTree, a user's pandas loop; with a tail, identity edges and marked bots. Not a test.

Run: python -m tests.bench.funnel_bench [rows]; 10 million without a number, 50 million with BENCH_BIG=1.
Only ratios of minimums of one run mean anything. ClickHouse gets rows whose owners are resolved, and the tail as rows.
"""

import functools
import os
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from iafa.clock import US_PER_DAY, SystemClock
from iafa.event import identity_hash
from iafa.lake.identity import Edge, table_of
from iafa.lake.identity_spans import Identities
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters
from iafa.query.definition import FunnelDefinition
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.paths.plan import Paths
from iafa.query.paths.reading import TIMES, read_histories
from iafa.query.paths.solving import plan_of, span_of
from iafa.query.paths.together import solve_together
from iafa.query.source import events_sql
from iafa.query.time_range import resolve_time_range

ROWS = 10_000_000
DAYS = 90
FILES = 6
ROUNDS = 3
PANDAS_ROWS = 10_000_000  # of more rows the loop gets a share of the people, and its time is multiplied
FIRST_US = 1_760_000_000_000_000
SHARES: Mapping[str, float] = {
    "page_view": 0.66,
    "product_view": 0.08,
    "add_to_cart": 0.05,
    "checkout_start": 0.03,
    "payment_info": 0.02,
    "purchase": 0.01,
}
FUNNELS: Mapping[str, tuple[str, ...]] = {
    "heavy3": ("page_view", "add_to_cart", "purchase"),
    "five": ("product_view", "add_to_cart", "checkout_start", "payment_info", "purchase"),
    "repeated": ("add_to_cart", "add_to_cart", "purchase"),
    "heavy repeated": ("page_view", "page_view", "purchase"),
}
HEAVY = FUNNELS["heavy3"]
BETWEEN = {"exclusions": [{"event": "checkout_start", "from_stage": 2, "to_stage": 3}]}
WHOLE = {"exclusions": [{"event": "checkout_start"}]}
BY_PATHS: Mapping[str, dict[str, Any]] = {
    "exclusion": BETWEEN,
    "exclusion drop": BETWEEN | {"exclusion_mode": "drop"},
    "exclusion 1 to n": WHOLE,
    "exclusion 1 to n drop": WHOLE | {"exclusion_mode": "drop"},
    "strict": {"order": "strict"},
    "an hour between": {"within_seconds": 3600},
}
ANONYMOUS_SHARE = 0.2
BOT_SHARE = 0.02


Runs = dict[str, Callable[[], list[int]]]


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = make_snapshot(Path(folder) / "project", rows)
        limits = QueryLimits(timeout_s=600)
        engine = DuckEngine(limits, temp_directory=Path(folder) / "spill", clock=SystemClock())
        runs: Runs = {"scan floor": lambda: scan_floor(snapshot)}
        for name, events in FUNNELS.items():
            runs[f"funnel {name}"] = lambda events=events: our_funnel(engine, snapshot, events)  # type: ignore[misc]
        for name, options in BY_PATHS.items():
            runs[f"paths {name}"] = lambda options=options: our_funnel(engine, snapshot, HEAVY, **options)  # type: ignore[misc]
        runs["no bots heavy3"] = lambda: our_funnel(engine, snapshot, HEAVY, exclude_bots=True)
        runs["no edges heavy3"] = lambda: our_funnel(engine, replace(snapshot, identities=None), HEAVY)
        if find_spec("chdb") is not None:  # a process without it measures the rest
            runs |= chdb_runs(engine, snapshot, Path(folder))
        for name in ("heavy3", "five"):
            runs[f"pandas {name}"] = lambda events=FUNNELS[name]: pandas_loop(snapshot, events)  # type: ignore[misc]
        report(rows, measure(runs))
        for name, options in BY_PATHS.items():
            print(f"one by one in {name}: {share_one_by_one(engine, snapshot, HEAVY, options):.2%} of the people")
        for name in ("repeated", "heavy repeated"):
            print(f"one by one in {name}: {share_one_by_one(engine, snapshot, FUNNELS[name], {}):.2%} of the people")
        engine.close()


def measure(runs: Runs) -> dict[str, tuple[float, list[int]]]:
    """The minimum of each, in turns; the slow loop only once."""
    best: dict[str, tuple[float, list[int]]] = {}
    for turn in range(ROUNDS):
        for name, run in runs.items():
            if turn and name.startswith("pandas"):
                continue
            began = time.perf_counter()
            counts = run()
            taken = time.perf_counter() - began
            best[name] = (min(taken, best.get(name, (taken, []))[0]), counts)
    return best


def report(rows: int, best: Mapping[str, tuple[float, list[int]]]) -> None:
    floor, plain = best["scan floor"][0], best["funnel heavy3"][0]
    load = ", ".join(f"{load:.1f}" for load in os.getloadavg())
    print(
        f"{rows:,} events, {DAYS} days, {FILES} files and a tail; minimum of {ROUNDS} interleaved rounds; load {load}"
    )
    every = people_share(rows)
    for name, (taken, counts) in best.items():
        if name.startswith("pandas"):
            taken *= every
        line = f"{name:28} {taken * 1000:9.1f} ms {taken / floor:8.1f} x floor {taken / plain:7.2f} x plain  {counts}"
        ours = best.get("funnel " + name.partition(" ")[2])
        if name.startswith("chdb") and ours is not None:
            assert counts == ours[1], (name, counts, ours[1])
            line += f"  the funnel takes {ours[0] / taken:.2f} of it"
        if name.startswith("pandas") and ours is not None:
            line += f"  the funnel is {taken / ours[0]:.0f} x faster (1 of {every} people timed)"
        print(line)


def people_share(rows: int) -> int:
    """The loop gets one of so many people."""
    return -(-rows // PANDAS_ROWS)


def share_one_by_one(
    engine: DuckEngine, snapshot: Snapshot, events: tuple[str, ...], options: Mapping[str, Any]
) -> float:
    """The part of the people who entered whose path cannot be found together with everybody's."""
    definition = definition_of(events, **options)
    everybody = span_of(definition, resolve_time_range())
    plan = plan_of(definition, everybody)
    people = left = 0
    with engine.reading(snapshot) as reading:
        for chunk in read_histories(reading, snapshot, definition, everybody, shown=TIMES):
            paths = Paths.room(len(chunk.entities), plan.steps, wants_rows=False)
            left += len(solve_together(plan, chunk.histories, paths, wants_rows=False))
            people += len(chunk.entities)
    return left / people


def definition_of(events: tuple[str, ...], **options: Any) -> FunnelDefinition:
    within = {"within_seconds": options.pop("within_seconds")} if "within_seconds" in options else {}
    stages = [{"name": event, "event": event} | (within if place else {}) for place, event in enumerate(events)]
    return parse_definition({"name": "f", "stages": stages} | options)


def our_funnel(engine: DuckEngine, snapshot: Snapshot, events: tuple[str, ...], **options: Any) -> list[int]:
    answer = funnel(engine, snapshot, definition_of(events, **options), resolve_time_range())
    return [stage["users"] for stage in answer["stages"]]  # type: ignore[attr-defined]


def scan_floor(snapshot: Snapshot) -> list[int]:
    """Reading the three columns that every funnel reads."""
    with duckdb.connect(config={"threads": 2}) as connection:
        row = connection.execute(
            "select count(*), bit_xor(user_hash), max(created_at)::varchar, max(event_type) from read_parquet($files)",
            {"files": [str(file) for file in snapshot.files]},
        ).fetchone()
    assert row is not None
    return [int(row[0])]


def chdb_runs(engine: DuckEngine, snapshot: Snapshot, folder: Path) -> Runs:
    """windowFunnel over the resolved rows of the snapshot, tail included: in sorted files, and in a sorted table."""
    from chdb import session as chdb_session

    resolved = folder / "resolved"
    resolved.mkdir()
    parameters = Parameters()
    rows = events_sql(snapshot, {"event_type", "user_hash", "created_at"}, parameters)
    with engine.reading(snapshot) as reading:
        batches = list(reading.batches(f"select * from ({rows})", parameters.values, 1_000_000))
    table = pa.Table.from_batches(batches).sort_by([("event_type", "ascending"), ("user_hash", "ascending")])
    size = -(-len(table) // FILES)
    for number in range(FILES):
        part = table.slice(number * size, size)
        path = resolved / f"events_{number}.parquet"
        pq.write_table(part, path, compression="zstd", compression_level=1, row_group_size=50_000)
    session: Any = chdb_session.Session(str(folder / "chdb"))  # type: ignore[no-untyped-call]
    session.query(
        "create table default.event (event_type LowCardinality(String), user_hash Int64, time_us UInt64) "
        "engine = MergeTree order by (event_type, user_hash, time_us)"
    )
    time_us = "toUInt64(toUnixTimestamp64Micro(created_at))"
    files = f"file('{resolved}/*.parquet', Parquet)"
    session.query(f"insert into default.event select event_type, user_hash, {time_us} from {files}")
    session.query("optimize table default.event final")
    runs: Runs = {}
    for name in ("heavy3", "five"):
        for kind, source, at in (("parquet", files, time_us), ("mergetree", "default.event", "time_us")):
            ask = functools.partial(window_funnel, session, source, at, FUNNELS[name])
            runs[f"chdb-{kind} {name}"] = ask
    return runs


def window_funnel(session: Any, source: str, time_us: str, events: tuple[str, ...]) -> list[int]:
    steps = ", ".join(f"event_type = '{event}'" for event in events)
    names = ", ".join(f"'{event}'" for event in events)
    answer = session.query(
        f"select level, count() from (select windowFunnel(604800000000)({time_us}, {steps}) as level "
        f"from {source} where event_type in ({names}) group by user_hash) group by level",
        "TSV",
    )
    levels = [tuple(map(int, line.split("\t"))) for line in str(answer).split("\n") if line]
    return [sum(people for level, people in levels if level >= k) for k in range(1, len(events) + 1)]


def pandas_loop(snapshot: Snapshot, events: tuple[str, ...]) -> list[int]:
    """The user's algorithm: rows into a DataFrame, a list of names for each user, a Python loop for each stage.

    It asks only whether all names are there, not for their order: its counts are not ours and not compared.
    """
    with duckdb.connect(config={"threads": 2}) as connection:
        frame = connection.execute(
            "select user_id, event_type from read_parquet($files) where event_type in (select unnest($events)) "
            "and user_hash % $every = 0 order by user_id, created_at",
            {
                "files": [str(file) for file in snapshot.files],
                "events": list(events),
                "every": people_share(snapshot.rows),
            },
        ).df()
    names_of = frame.groupby("user_id")["event_type"].apply(list)
    counts = []
    for place in range(len(events)):
        reached = 0
        for names in names_of:
            if all(earlier in names for earlier in events[:place]) and events[place] in names:
                reached += 1
        counts.append(reached)
    return counts


def make_snapshot(directory: Path, rows: int) -> Snapshot:
    """Heavy-tailed people, a fixed seed; each file is sorted as compaction sorts it, the last 1 % is the tail."""
    directory.mkdir()
    draw = np.random.default_rng(20261121)
    people = max(1, rows // 10)
    weights = draw.pareto(1.2, people) + 0.2
    person = draw.choice(people, rows, p=weights / weights.sum())
    times = np.sort(draw.integers(0, DAYS * US_PER_DAY // 1000, rows)) * 1000 + FIRST_US
    others = {f"other_{number}": (1 - sum(SHARES.values())) / 24 for number in range(24)}
    shares = {**SHARES, **others}
    names = np.array(list(shares))[draw.choice(len(shares), rows, p=list(shares.values()))]
    table = _table(names, person, times)
    return snapshot_of(directory, table, times, people)


def snapshot_of(directory: Path, table: pa.Table, times: np.ndarray, people: int) -> Snapshot:
    """The rows, in time order, as sorted files and a tail of one in a hundred; a fourth of the people have an edge."""
    rows = len(table)
    tail_rows = rows // 100
    size = -(-(rows - tail_rows) // FILES)
    files = []
    for number in range(FILES):
        path = directory / f"events_{number}.parquet"
        part = table.slice(number * size, min(size, rows - tail_rows - number * size))
        order: list[tuple[str, Any]] = [(key, "ascending") for key in ("event_type", "user_hash", "created_at")]
        pq.write_table(part.sort_by(order), path, compression="zstd", compression_level=1, row_group_size=50_000)
        files.append(path)
    tail = table.slice(rows - tail_rows)
    edges = [Edge(str(one), f"user_{one}", f"device_{one}", FIRST_US) for one in range(0, people, 4)]
    plain = Snapshot("p0projectaaaa", directory, tuple(files), tail, "1", rows, int(times[0]), int(times[-1]))
    return replace(plain, identities=Identities.of(table_of(edges)).table)


def _table(names: np.ndarray, person: np.ndarray, times: np.ndarray) -> pa.Table:
    rows = len(names)
    draw = np.random.default_rng(7)
    is_anonymous = draw.random(rows) < ANONYMOUS_SHARE
    kinds = [
        np.array([identity_hash(f"{kind}_{one}") for one in range(person.max() + 1)]) for kind in ("user", "device")
    ]
    hashes = np.where(is_anonymous, kinds[1][person], kinds[0][person])
    time_column = pa.array(times).cast(pa.timestamp("us", tz="UTC"))
    given = {
        "id": pa.array(np.arange(rows).astype(str)),
        "project_id": pa.array(np.full(rows, "p0projectaaaa")),
        "event_type": pa.array(names),
        "user_id": pa.array(np.char.add("user_", person.astype(str)), mask=is_anonymous),
        "anonymous_id": pa.array(np.char.add("device_", person.astype(str))),
        "user_hash": pa.array(hashes),
        "properties": pa.array(np.full(rows, '{"plan":"pro"}')),
        "created_at": time_column,
        "received_at": time_column,
        "is_bot": pa.array(draw.random(rows) < BOT_SHARE),
        "sample_rate": pa.array(np.ones(rows)),
    }
    return pa.table([given.get(field.name, pa.nulls(rows, field.type)) for field in EVENT_SCHEMA], schema=EVENT_SCHEMA)


if __name__ == "__main__":
    default = 50_000_000 if os.environ.get("BENCH_BIG") else ROWS
    main(int(sys.argv[1]) if sys.argv[1:] else default)

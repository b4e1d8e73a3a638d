"""How fast is the funnel? Interleaved in one run: the scan floor, the funnel, windowFunnel of chdb, a user's pandas
loop; with a tail, identity edges and marked bots. Not a test.

Run: python -m tests.bench.funnel_bench [rows]; BENCH_BIG=1 for 50 million. The default is small enough for minutes.
Only ratios of minimums of one run mean anything.
"""

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
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.funnel import funnel
from iafa.query.time_range import resolve_time_range

ROWS = 1_500_000
DAYS = 90
FILES = 6
ROUNDS = 5
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
EXCLUSION = {"exclusions": [{"event": "checkout_start", "from_stage": 2, "to_stage": 3}]}
BY_PATHS: Mapping[str, dict[str, Any]] = {
    "exclusion": EXCLUSION,
    "exclusion drop": EXCLUSION | {"exclusion_mode": "drop"},
    "strict": {"order": "strict"},
    "no bots": {"exclude_bots": True},
}
ANONYMOUS_SHARE = 0.2
BOT_SHARE = 0.02


def main(rows: int = ROWS) -> None:
    with tempfile.TemporaryDirectory() as folder:
        snapshot = make_snapshot(Path(folder) / "project", rows)
        engine = DuckEngine(QueryLimits(), temp_directory=Path(folder) / "spill", clock=SystemClock())
        runs: dict[str, Callable[[], list[int]]] = {"scan floor": lambda: scan_floor(snapshot)}
        for name, events in FUNNELS.items():
            runs[f"funnel {name}"] = lambda events=events: our_funnel(engine, snapshot, events)  # type: ignore[misc]
            if "repeated" not in name:
                runs[f"pandas {name}"] = lambda events=events: pandas_loop(snapshot, events)  # type: ignore[misc]
        for name, options in BY_PATHS.items():
            runs[f"paths {name}"] = lambda options=options: our_funnel(engine, snapshot, HEAVY, **options)  # type: ignore[misc]
        runs["no edges heavy3"] = lambda: our_funnel(engine, replace(snapshot, identities=None), HEAVY)
        if find_spec("chdb") is not None:
            for name in ("heavy3", "five"):
                runs[f"chdb {name}"] = lambda events=FUNNELS[name]: window_funnel(snapshot, events)  # type: ignore[misc]
        report(rows, measure(runs))
        engine.close()


def measure(runs: Mapping[str, Callable[[], list[int]]]) -> dict[str, tuple[float, list[int]]]:
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
    floor = best["scan floor"][0]
    print(f"{rows:,} events, {DAYS} days, {FILES} files and a tail; minimum of {ROUNDS} interleaved rounds (pandas: 1)")
    for name, (taken, counts) in best.items():
        line = f"{name:22} {taken * 1000:9.1f} ms  {taken / floor:7.1f} x floor  {counts}"
        pandas = best.get(name.replace("funnel", "pandas"))
        if name.startswith("funnel") and pandas is not None:
            line += f"  {pandas[0] / taken:.0f} x faster than the pandas loop"
        print(line)


def our_funnel(engine: DuckEngine, snapshot: Snapshot, events: tuple[str, ...], **options: Any) -> list[int]:
    stages = [{"name": event, "event": event} for event in events]
    answer = funnel(engine, snapshot, parse_definition({"name": "f", "stages": stages} | options), resolve_time_range())
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


def window_funnel(snapshot: Snapshot, events: tuple[str, ...]) -> list[int]:
    """Over the same files, without the tail and the edges: its counts are a little lower than ours."""
    steps = ", ".join(f"event_type = '{event}'" for event in events)
    names = ", ".join(f"'{event}'" for event in events)
    import chdb  # a process without it measures the rest

    query: Callable[[str], object] = chdb.query
    answer = query(
        f"select level, count() from (select windowFunnel(604800000000)("
        f"toUInt64(toUnixTimestamp64Micro(created_at)), {steps}) as level "
        f"from file('{snapshot.directory}/*.parquet', Parquet) where event_type in ({names}) group by user_hash) "
        "group by level format TSV"
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
            "order by user_id, created_at",
            {"files": [str(file) for file in snapshot.files], "events": list(events)},
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

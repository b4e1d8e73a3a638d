"""ClickHouse's windowFunnel counts the same people wherever the steps are distinct: a program that shares no code."""

import random
from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel_counts import stage_counts
from iafa.query.time_range import TimeRange
from tests.support.paths_cases import FIRST_US, HOUR_US, Case, random_case
from tests.unit.query.rows import an_engine, snapshot_of, table_of

chdb = pytest.importorskip("chdb", reason="chdb is not installed")
CASES = 200
PEOPLE = 20


def test_window_funnel_equals_ours_with_distinct_steps(tmp_path: Path, say: Callable[[str], None]) -> None:
    draw = random.Random(20261121)
    engine: DuckEngine = an_engine(tmp_path / "engine")
    reached = 0
    for number in range(CASES // PEOPLE):
        names = draw.sample("ABCD", draw.randint(1, 4))
        case = random_case(draw, "ordered", PEOPLE)
        window_s = draw.choice((0, 2, 4, 8)) * 6 * 3_600
        stages = [{"name": name, "event": name} for name in names]
        definition = parse_definition({"name": "f", "stages": stages, "window_seconds": window_s, "range": "all_steps"})
        bounds = TimeRange(FIRST_US + 6 * HOUR_US, FIRST_US + draw.randint(2, 12) * 6 * HOUR_US, None, None, "UTC")
        snapshot = snapshot_of(tmp_path / str(number), [case.events])
        with engine.reading(snapshot) as reading:
            ours = stage_counts(reading, snapshot, definition, bounds).reached
        assert ours == window_funnel(tmp_path / f"{number}.parquet", case, names, window_s, bounds)
        reached += ours[0]
    engine.close()
    say(f"{CASES} histories by windowFunnel, {reached} entered: equal")
    assert reached > CASES / 5


def window_funnel(path: Path, case: Case, names: Sequence[str], window_s: int, bounds: TimeRange) -> list[int]:
    pq.write_table(table_of(case.events), path)
    steps = ", ".join(f"event_type = '{name}'" for name in names)
    time = "toUInt64(toUnixTimestamp64Micro(created_at))"
    text = (
        f"select level, count() from (select windowFunnel({window_s * 1_000_000})({time}, {steps}) as level "
        f"from file('{path}', Parquet) where {time} >= {bounds.from_us} and {time} < {bounds.to_us} "
        "group by user_hash) group by level format TSV"
    )
    rows = [line.split("\t") for line in str(chdb.query(text)).split("\n") if line]
    levels = {int(level): int(people) for level, people in rows}
    return [sum(people for level, people in levels.items() if level >= k) for k in range(1, len(names) + 1)]

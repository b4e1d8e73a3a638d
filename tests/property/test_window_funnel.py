"""ClickHouse's windowFunnel counts the same people wherever the steps are distinct: a program that shares no code."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel_counts import stage_counts
from iafa.query.time_range import TimeRange
from tests.support.chance import chance
from tests.support.paths_cases import FIRST_US, HOUR_US, random_events
from tests.unit.query.rows import an_engine, snapshot_of, table_of

chdb = pytest.importorskip("chdb", reason="chdb is not installed")
QUESTIONS = 200
FILES = 20
PEOPLE = 20
UNIT_S = 6 * 3_600


def test_window_funnel_equals_ours_with_distinct_steps(tmp_path: Path, say: Callable[[str], None]) -> None:
    """Each question has its own steps, window and range; ten of them are asked of the same people."""
    draw = chance("windowFunnel")
    engine: DuckEngine = an_engine(tmp_path / "engine")
    entered = advanced = 0
    asked = set()
    for number in range(FILES):
        events = random_events(draw, PEOPLE, draw.choice((4, 8, 12)), UNIT_S * 1_000_000, 12)
        snapshot = snapshot_of(tmp_path / str(number), [events])
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table_of(events), path)
        for _ in range(QUESTIONS // FILES):
            names = draw.sample("ABCDX", draw.randint(1, 5))
            window_s = draw.choice((0, 1, UNIT_S - 1, UNIT_S, *(n * UNIT_S for n in range(2, 12)), 10**8))
            low = draw.randint(-1, 4)
            bounds = TimeRange(
                FIRST_US + low * 6 * HOUR_US, FIRST_US + draw.randint(low + 1, 13) * 6 * HOUR_US, None, None, "UTC"
            )
            stages = [{"name": name, "event": name} for name in names]
            definition = parse_definition(
                {"name": "f", "stages": stages, "window_seconds": window_s, "range": "all_steps"}
            )
            with engine.reading(snapshot) as reading:
                ours = stage_counts(reading, snapshot, definition, bounds).reached
            assert ours == window_funnel(path, names, window_s, bounds)
            asked.add((tuple(names), window_s, bounds))
            entered += ours[0]
            advanced += sum(ours[1:])
    engine.close()
    say(f"{len(asked)} questions of {PEOPLE} histories each by windowFunnel, {entered} entered: equal")
    assert len(asked) >= QUESTIONS * 0.95
    assert min(entered, advanced) > 2 * QUESTIONS


def window_funnel(path: Path, names: Sequence[str], window_s: int, bounds: TimeRange) -> list[int]:
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

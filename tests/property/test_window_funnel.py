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
from tests.support.chance import chance
from tests.support.paths_cases import FIRST_US, HOUR_US, random_events
from tests.unit.query.rows import an_engine, snapshot_of, table_of

chdb = pytest.importorskip("chdb", reason="chdb is not installed")
QUESTIONS = 200
FILES = 20
PEOPLE = 20
UNIT_S = 6 * 3_600
Question = tuple[tuple[str, ...], int, TimeRange]  # steps, window in seconds, range


def test_window_funnel_equals_ours_with_distinct_steps(tmp_path: Path, say: Callable[[str], None]) -> None:
    """Each question has its own steps, window and range; ten of them are asked of the same people."""
    draw = chance("windowFunnel")
    engine: DuckEngine = an_engine(tmp_path / "engine")
    entered = advanced = 0
    asked: set[Question] = set()
    for number in range(FILES):
        events = random_events(draw, PEOPLE, draw.choice((4, 8, 12)), UNIT_S * 1_000_000, 12)
        snapshot = snapshot_of(tmp_path / str(number), [events])
        path = tmp_path / f"{number}.parquet"
        pq.write_table(table_of(events), path)
        questions = [random_question(draw) for _ in range(QUESTIONS // FILES)]
        theirs = window_funnels(path, questions)
        with engine.reading(snapshot) as reading:
            for (names, window_s, bounds), levels in zip(questions, theirs, strict=True):
                stages = [{"name": name, "event": name} for name in names]
                definition = parse_definition(
                    {"name": "f", "stages": stages, "window_seconds": window_s, "range": "all_steps"}
                )
                assert stage_counts(reading, snapshot, definition, bounds).reached == levels
                entered += levels[0]
                advanced += sum(levels[1:])
        asked.update(questions)
    engine.close()
    say(f"{len(asked)} questions of {PEOPLE} histories each by windowFunnel, {entered} entered: equal")
    assert len(asked) >= QUESTIONS * 0.95
    assert min(entered, advanced) > 2 * QUESTIONS


def random_question(draw: random.Random) -> Question:
    names = draw.sample("ABCDX", draw.randint(1, 5))
    window_s = draw.choice((0, 1, UNIT_S - 1, UNIT_S, *(n * UNIT_S for n in range(2, 12)), 10**8))
    low = draw.randint(-1, 4)
    lo, hi = (FIRST_US + n * 6 * HOUR_US for n in (low, draw.randint(low + 1, 13)))
    return tuple(names), window_s, TimeRange(lo, hi, None, None, "UTC")


def window_funnels(path: Path, questions: Sequence[Question]) -> list[list[int]]:
    """People by stage for each question, all in one statement."""
    time = "toUInt64(toUnixTimestamp64Micro(created_at))"
    levels = []
    for names, window_s, bounds in questions:
        steps = ", ".join(
            f"event_type = '{name}' and {time} >= {bounds.from_us} and {time} < {bounds.to_us}" for name in names
        )
        levels.append(f"windowFunnel({window_s * 1_000_000})({time}, {steps})")
    text = f"select {', '.join(levels)} from file('{path}', Parquet) group by user_hash format TSV"
    rows = [[int(cell) for cell in line.split("\t")] for line in str(chdb.query(text)).split("\n") if line]
    return [
        [sum(row[place] >= k for row in rows) for k in range(1, len(names) + 1)]
        for place, (names, _window_s, _bounds) in enumerate(questions)
    ]

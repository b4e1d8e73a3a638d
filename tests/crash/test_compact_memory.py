"""A large day is merged in bounded memory: the process grows by clearly less than the rows that it merges."""

import multiprocessing
import re
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from iafa.jobs.merge import Merger
from iafa.lake.layout import part_path
from iafa.lake.parts import Arrival, PartWriter, split_by_day, to_table
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake, ids

PARTS, PART_ROWS = 12, 25_000
BODY_CHARS = 1_000
MEMORY_MB = 128
ANSWER_S_MAX = 120


def fill(root: Path, parts: int, rows: int) -> int:
    """Parts of one day, incompressible and unsorted; gives the bytes of all rows in memory."""
    lake, random = TestLake(root), np.random.default_rng(1)
    base = to_table([Arrival(PROJECT, NOON_US, make_event(id=str(number))) for number in range(rows)])
    written, size = [], 0
    for part in range(parts):
        noise = random.bytes(rows * BODY_CHARS // 2).hex()
        bodies = [f'{{"x":"{noise[at * BODY_CHARS : (at + 1) * BODY_CHARS]}"}}' for at in range(rows)]
        table = base.set_column(0, base.schema.field("id"), pa.array([f"{part}-{one}" for one in range(rows)]))
        table = table.set_column(7, base.schema.field("properties"), pa.array(bodies))
        table = table.set_column(8, base.schema.field("user_hash"), pa.array(random.integers(0, 2**62, rows)))
        ((day, own),) = split_by_day(table)
        written.append(PartWriter(lake.layout).write(PROJECT, part_path(day, f"x{part}"), own))
        size += own.nbytes
    lake.appender.publish(PROJECT, written)
    return size


def merge(root: Path, answers: Connection) -> None:
    """Runs in a child: merges, and says what and the most memory it ever had."""
    lake = TestLake(root)
    done = replace(lake.compactor, merger=Merger(MEMORY_MB)).run(everything=True)
    peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    answers.send((done.days, done.rows, done.failed, int(peak[1]) * 1024 if peak else 0))


def merged_in_child(root: Path) -> tuple[int, int, list[str], int]:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    child = context.Process(target=merge, args=(root, theirs))
    child.start()
    theirs.close()
    assert ours.poll(ANSWER_S_MAX), "the child is silent"
    said: tuple[int, int, list[str], int] = ours.recv()
    child.join(ANSWER_S_MAX)
    assert child.exitcode == 0
    return said


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc")
def test_a_large_day_is_merged_in_bounded_memory(tmp_path: Path, say: Callable[[str], None]) -> None:
    fill(tmp_path / "small", 2, 100)
    size = fill(tmp_path / "large", PARTS, PART_ROWS)
    *_, baseline = merged_in_child(tmp_path / "small")
    days, rows, failed, peak = merged_in_child(tmp_path / "large")
    assert (days, rows, failed) == (1, PARTS * PART_ROWS, [])
    assert len(ids(TestLake(tmp_path / "large").take())) == PARTS * PART_ROWS
    assert baseline > 0
    assert peak - baseline < 0.75 * size
    say(f"rows={rows} table_mb={size // 2**20} idle_mb={baseline // 2**20} peak_mb={peak // 2**20}")

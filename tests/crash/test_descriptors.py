"""Few descriptors and a thousand files: questions work or get a clear 503, merging works, and then all is well."""

import multiprocessing
import resource
import shutil
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from iafa.api.problems import KINDS
from iafa.clock import US_PER_DAY
from iafa.errors import IafaError
from iafa.lake.layout import part_path
from iafa.lake.parts import Arrival, PartWriter, split_by_day, to_table
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake

PARTS, DAYS = 1_000, 20
ANSWER_S_MAX = 120


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A thousand files in a lake that is only copied."""
    lake = TestLake(tmp_path_factory.mktemp("filled"))
    parts = []
    for number in range(PARTS):
        created = NOON_US - number % DAYS * US_PER_DAY
        table = to_table([Arrival(PROJECT, NOON_US, make_event(id=str(number), created_at=created))])
        ((day, rows),) = split_by_day(table)
        parts.append((part_path(day, f"x{number}"), rows))
    lake.appender.publish(PROJECT, PartWriter(lake.layout).write_parts(PROJECT, parts))
    return lake.root


def ask_compact_ask(root: Path, descriptors: int, answers: Connection) -> None:
    """Runs in a child: what a question says before and after a compaction, and what that one did."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    lake = TestLake(root)
    engine = DuckEngine(QueryLimits(threads=2), temp_directory=lake.layout.tmp / "duckdb", clock=lake.clock)
    answers.send(ask(lake, engine))
    done = lake.compactor.run(everything=True)
    answers.send((done.days, done.rows, done.failed))
    answers.send(ask(lake, engine))


def ask(lake: TestLake, engine: DuckEngine) -> object:
    snapshot = lake.take()
    try:
        with engine.reading(snapshot) as reading:
            files = [str(path) for path in snapshot.files]
            return reading.rows("select count(*), count(distinct id) from read_parquet($files)", {"files": files})
    except IafaError as error:
        return KINDS[error.code].status, error.detail


@pytest.mark.parametrize("descriptors", [64, 256])
def test_few_descriptors(filled: Path, tmp_path: Path, descriptors: int) -> None:
    root = tmp_path / "data"
    shutil.copytree(filled, root)
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe()
    child = context.Process(target=ask_compact_ask, args=(root, descriptors, theirs))
    child.start()
    theirs.close()
    said = []
    for _ in range(3):
        assert ours.poll(ANSWER_S_MAX), "the child is silent"
        said.append(ours.recv())
    child.join(ANSWER_S_MAX)
    assert child.exitcode == 0
    before, compacted, after = said
    assert before == [(PARTS, PARTS)] or (before[0] == 503 and "ulimit -n" in before[1]), before
    assert compacted == (DAYS, PARTS, [])
    assert after == [(PARTS, PARTS)]

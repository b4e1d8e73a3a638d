"""A process that writes, flushes and compacts until a failpoint kills it; made by a fork server, see `crash_at`."""

import multiprocessing
from pathlib import Path

from iafa.failpoints import Failpoints
from iafa.journal.writer import JournalLimits
from tests.support.events import PROJECT, encode, make_events
from tests.support.lake import TestLake

START_S_MAX = 60


def crash_at(root: Path, point: str, acknowledged: Path) -> tuple[int | None, list[str]]:
    """(exit code, the batches that were acknowledged before). The libraries are imported once, not for every case."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=write_until_killed, args=(root, point, acknowledged))
    process.start()
    process.join(START_S_MAX)
    return process.exitcode, acknowledged.read_text().split() if acknowledged.exists() else []


def retention_killed_at(root: Path, point: str, archive: Path) -> int | None:
    """Exit code of a process that removes old days of `past_days` until a failpoint kills it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=remove_until_killed, args=(root, point, archive))
    process.start()
    process.join(START_S_MAX)
    return process.exitcode


def remove_until_killed(root: Path, point: str, archive: Path) -> None:
    lake = TestLake(root, hit=Failpoints(point).hit)
    lake.retention(archive=archive).run(actor="test", force=True)
    lake.clock.advance(601)
    lake.retention(archive=archive).run(actor="test", force=True)


def write_until_killed(root: Path, point: str, acknowledged: Path) -> None:
    lake = TestLake(root, hit=Failpoints(point).hit, limits=JournalLimits(segment_events_max=10))
    journal = lake.open_journal()
    for batch in range(6):
        events = make_events(10, prefix=f"b{batch}")
        journal.append_blocking(PROJECT, lake.clock.now_us(), encode(events), 10)
        with acknowledged.open("a") as file:
            file.write(f"b{batch}\n")
        if batch in (2, 4):
            lake.flusher.run()
            lake.compactor.run(everything=True)
            lake.clock.advance(601)
            lake.compactor.run()
    journal.close()
    lake.flusher.run()

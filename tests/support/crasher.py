"""A process that writes, flushes and compacts until a failpoint kills it; made by a fork server, see `crash_at`."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

from iafa.failpoints import Failpoints
from iafa.journal.writer import JournalLimits
from tests.support.events import PROJECT, encode, make_events
from tests.support.lake import TestLake

START_S_MAX = 60


def killed_at(run: Callable[..., object], *arguments: object) -> int | None:
    """The exit code of a process that runs the function; -SIGKILL when a failpoint killed it."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=run, args=arguments)
    process.start()
    process.join(START_S_MAX)
    return process.exitcode


def crash_at(root: Path, point: str, acknowledged: Path) -> tuple[int | None, list[str]]:
    """(exit code, the batches that were acknowledged before). The libraries are imported once, not for every case."""
    code = killed_at(write_until_killed, root, point, acknowledged)
    return code, acknowledged.read_text().split() if acknowledged.exists() else []


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

"""A process that writes, flushes and compacts until a failpoint kills it; made by a fork server, see `crash_at`."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

from iafa.failpoints import Failpoints
from iafa.journal.epoch import write_epoch
from iafa.journal.writer import JournalLimits
from iafa.lake.layout import Layout, manifest_name
from tests.support.events import PROJECT, STUCK_PROJECT, encode, make_events, poison
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


def damage_manifest(layout: Layout, project_id: str) -> Path:
    """A first generation that cannot be read; without it the project is as new."""
    folder = layout.manifests(project_id)
    folder.mkdir(parents=True, exist_ok=True)
    damaged = folder / manifest_name(1)
    damaged.write_bytes(b"{")
    return damaged


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
    write_epoch(lake.layout.journal, 1)  # without one a lake that cannot be read lets no journal open
    damage_manifest(lake.layout, STUCK_PROJECT)
    journal = lake.open_journal()
    journal.append_blocking(STUCK_PROJECT, lake.clock.now_us(), encode(make_events(3, prefix="stuck")), 3)
    for batch in range(6):
        events = [*make_events(10, prefix=f"b{batch}"), poison(f"poison-of-b{batch}")]
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

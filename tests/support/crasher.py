"""One drive through every part that writes, until a failpoint kills it or lets the disk fail, and what must hold after.

For kills the drive runs in a process of its own, made by a fork server: the libraries are imported once.
"""

import contextlib
import multiprocessing
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from multiprocessing import forkserver
from multiprocessing.context import ForkServerContext
from pathlib import Path

import msgspec

from iafa.errors import IafaError
from iafa.failpoints import Failpoints, Hit
from iafa.journal.epoch import read_epoch, write_epoch
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.layout import Layout, manifest_name
from iafa.meta.json_file import JsonFile
from tests.support.events import PROJECT, STUCK_PROJECT, encode, make_events, poison
from tests.support.lake import TestLake, ids, read_rejected

START_S_MAX = 60
BATCHES = 6
BATCH_EVENTS = 10
STUCK = "stuck"  # a batch of a project whose manifest cannot be read until someone mends it
REPEATED = "b0"  # sent again, unchanged, after a flush
TRIES = 3


class Note(msgspec.Struct, frozen=True):
    text: str


def notes_of(root: Path, lake: TestLake) -> JsonFile[Note]:
    return JsonFile(root, "notes", Note, clock=lake.clock, hit=lake.hit)


@dataclass
class Told:
    """What the outside was told, line by line, in a file that outlives the drive."""

    path: Path
    refused: list[str] = field(default_factory=list)

    def tell(self, line: str) -> None:
        with self.path.open("a") as file:
            file.write(f"{line}\n")

    def read(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []


def damage_manifest(layout: Layout, project_id: str) -> Path:
    """A first generation that cannot be read; without it the project is as new."""
    folder = layout.manifests(project_id)
    folder.mkdir(parents=True, exist_ok=True)
    damaged = folder / manifest_name(1)
    damaged.write_bytes(b"{")
    if read_epoch(layout.journal) is None:
        write_epoch(layout.journal, 1)  # without one a lake that cannot be read lets no journal open
    return damaged


def killed_at(run: Callable[..., object], *arguments: object) -> int | None:
    """The exit code of a process that runs the function; -SIGKILL when a failpoint killed it."""
    process = _fork_server().Process(target=run, args=arguments)
    process.start()
    process.join(START_S_MAX)
    return process.exitcode


def crash_at(root: Path, spec: str, acknowledged: Path) -> tuple[int | None, list[str]]:
    """(exit code, what was acknowledged before: `b1` for a batch, `note-1` for a change of metadata)."""
    return killed_at(_drive_until_killed, root, spec, acknowledged), Told(acknowledged).read()


def retention_killed_at(root: Path, point: str, archive: Path) -> int | None:
    """Exit code of a process that removes old days of `past_days` until a failpoint kills it."""
    return killed_at(remove_until_killed, root, point, archive)


def remove_until_killed(root: Path, point: str, archive: Path) -> None:
    lake = TestLake(root, hit=Failpoints(point).hit)
    lake.retention(archive=archive).run(actor="test", force=True)
    lake.clock.advance(601)
    lake.retention(archive=archive).run(actor="test", force=True)


@cache
def _fork_server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    # pyarrow loads pandas with the first array that it makes; a child loads the main module of its parent, pytest.
    context.set_forkserver_preload(["__main__", __name__, "pandas", "pytest"])
    # The server looks for what it is to load in PYTHONPATH, not in our sys.path; what it does not find it skips.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    try:
        forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
    return context


def _drive_until_killed(root: Path, spec: str, acknowledged: Path) -> None:
    drive(root, Failpoints(spec).hit, Told(acknowledged))


def drive(root: Path, hit: Hit, told: Told) -> None:
    """Metadata, journal, flush, quarantine, a stuck project, compaction, trash. What fails is done again."""
    lake = TestLake(root, hit=hit, limits=JournalLimits(segment_events_max=BATCH_EVENTS))
    notes = notes_of(root, lake)
    journal = _start(lake)
    attempt = _Attempts(lake).attempt
    damage_manifest(lake.layout, STUCK_PROJECT)
    _send(lake, journal, STUCK, told)
    for number in range(BATCHES):
        batch = f"b{number}"
        if attempt(partial(notes.change_now, partial(take_note, f"note-{number}"))):
            told.tell(f"note-{number}")
        names = [batch, REPEATED] if number == 3 else [batch]
        for name in names:
            _send(lake, journal, name, told)
        if number in (2, 4):
            attempt(lake.flusher.run)
            attempt(lambda: lake.compactor.run(everything=True))
            lake.clock.advance(601)
            attempt(lake.compactor.run)
    journal.close()
    attempt(lake.flusher.run)


def _send(lake: TestLake, journal: JournalWriter, name: str, told: Told) -> None:
    project_id = STUCK_PROJECT if name == STUCK else PROJECT
    events = make_events(BATCH_EVENTS, prefix=name)
    if name not in told.read():
        events.append(poison(f"poison-of-{name}"))
    try:
        journal.append_blocking(project_id, lake.clock.now_us(), encode(events), BATCH_EVENTS)
    except (OSError, IafaError):
        told.refused.append(name)
    else:
        told.tell(name)


def _start(lake: TestLake) -> JournalWriter:
    for _ in range(TRIES - 1):  # whoever starts the server starts it again
        with contextlib.suppress(OSError):
            return lake.open_journal()
    return lake.open_journal()


def take_note(name: str, records: dict[str, Note]) -> None:
    records[name] = Note("taken")


@dataclass
class _Attempts:
    lake: TestLake

    def attempt(self, run: Callable[[], object]) -> bool:
        for _ in range(TRIES):
            try:
                run()
            except (OSError, IafaError):
                self.lake.clock.advance(2)
                continue
            return True
        return False


def judge(root: Path, told: list[str], refused: list[str] | None = None) -> None:
    """A new start on the same data: all that was acknowledged is there once, and a fresh event goes all the way."""
    lake = TestLake(root)
    (lake.layout.manifests(STUCK_PROJECT) / manifest_name(1)).unlink(missing_ok=True)
    lake.flusher.run()
    lake.compactor.run(everything=True)
    found = ids(lake.take())
    assert len(found) == len(set(found)), "an event is stored twice"
    batches = {line for line in told if line.startswith("b")}
    must_be_there = {f"{batch}-{number}" for batch in batches for number in range(BATCH_EVENTS)}
    assert must_be_there <= set(found), "an acknowledged event is lost"
    unanswered = set(found) - must_be_there
    assert len(unanswered) in (0, BATCH_EVENTS), "an unanswered request is there whole or not at all"
    assert not {one.rpartition("-")[0] for one in unanswered} & set(refused or []), "a refused request was stored"
    stuck = ids(lake.take(STUCK_PROJECT))
    assert stuck == sorted(set(stuck))
    assert len(stuck) == BATCH_EVENTS if STUCK in told else len(stuck) in (0, BATCH_EVENTS)
    poisoned = {row["event_id"] for row in read_rejected(lake.layout, PROJECT, 100)}
    assert {f"poison-of-{batch}" for batch in batches} <= poisoned, "a refused event left no trace"
    noted = {line for line in told if line.startswith("note-")}
    assert noted <= set(notes_of(root, lake).read().records), "an acknowledged change of metadata is lost"
    lake.write(make_events(1, prefix="afterwards"))
    lake.flusher.run()
    assert "afterwards-0" in ids(lake.take())
    assert lake.take().tail.num_rows == 0

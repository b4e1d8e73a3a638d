"""Processes whose file system is limited or failing, made by a fork server; what they saw comes back as text."""

import logging
import multiprocessing
import os
import resource
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from iafa.errors import StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.journal.writer import JournalLimits, JournalWriter
from tests.support.events import PROJECT, encode, make_event
from tests.support.lake import TestLake

CHILD_S_MAX = 60


def in_child(act: Callable[[Path, Path], None], root: Path, said: Path) -> tuple[int | None, list[str]]:
    """(exit code, the lines that the process wrote to `said`)"""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    process = context.Process(target=act, args=(root, said))
    process.start()
    process.join(CHILD_S_MAX)
    return process.exitcode, said.read_text().splitlines() if said.exists() else []


def send(journal: JournalWriter, name: str, said: Path) -> bool:
    """One request with one event; writes down whether it was acknowledged or refused."""
    try:
        journal.append_blocking(PROJECT, 1, encode([make_event(id=name)]), 1)
        answer = "acknowledged"
    except StorageUnavailable:
        answer = "refused"
    with said.open("a") as file:
        file.write(f"{answer} {name}\n")
    return answer == "acknowledged"


def write_past_the_file_limit(root: Path, said: Path) -> None:
    """A real short write: the kernel takes what still fits, then says EFBIG."""
    journal = TestLake(root).open_journal()
    assert send(journal, "first", said)
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    number = 0
    while send(journal, f"limited-{number}", said):
        number += 1
    send(journal, "still-too-large", said)
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
    assert send(journal, "afterwards", said)
    journal.close()


class _Rotations(logging.Handler):
    """Counts the tries to begin a segment. The writer answers a request first and rotates then: whoever moves the clock
    or frees descriptors right after an answer races with it."""

    def __init__(self) -> None:
        super().__init__()
        self.done = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.done += record.getMessage().startswith("no next journal segment")

    def hit(self, name: str) -> None:
        self.done += name == "journal.sealed"

    def wait(self, count: int) -> None:
        end = time.monotonic() + CHILD_S_MAX
        while self.done < count:
            assert time.monotonic() < end, f"{self.done} of {count} rotations"
            time.sleep(0.001)


def write_without_descriptors(root: Path, said: Path) -> None:
    """Every record wants a segment of its own, but for a while no file can be opened."""
    rotations = _Rotations()
    logging.getLogger("iafa.journal").addHandler(rotations)
    lake = TestLake(root, hit=rotations.hit, limits=JournalLimits(segment_events_max=1))
    journal = lake.open_journal()
    said.touch()
    with ExitStack() as taken:
        log = taken.enter_context(said.open("a"))
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))
        try:
            while True:
                taken.enter_context(open(os.devnull, "rb"))
        except OSError:
            pass
        for number in range(3):
            journal.append_blocking(PROJECT, 1, encode([make_event(id=f"starved-{number}")]), 1)
            log.write(f"acknowledged starved-{number}\n")
            rotations.wait(number + 1)
            lake.clock.advance(2)
    for number in range(3):
        send(journal, f"afterwards-{number}", said)
        rotations.wait(4 + number)
        lake.clock.advance(2)
    journal.close()


def refuse_and_die(root: Path, said: Path) -> None:
    """The disk takes a request's bytes, then fails, and the tail cannot be cut off; the request gets its 503."""
    hit = Failpoints("journal.written:2:enospc,journal.truncating:1:eio").hit
    journal = TestLake(root, hit=hit).open_journal()
    send(journal, "kept", said)
    send(journal, "refused", said)
    os.kill(os.getpid(), signal.SIGKILL)

"""What is synced when, in each mode, seen at the calls that the operating system gets."""

import errno
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from iafa.cli.options import read_settings
from iafa.clock import SystemClock
from iafa.durable import Durability
from iafa.errors import StorageUnavailable, WrongUsage
from iafa.journal.reader import sealed_segments
from iafa.journal.writer import JournalLimits, JournalWriter
from tests.support.events import NOON_US, PROJECT, encode, make_event
from tests.support.lake import TestLake, ids

DEADLINE_S = 20


@dataclass
class Disk:
    """Records writes and syncs of segments in their order; may refuse syncs."""

    calls: list[str] = field(default_factory=list)
    failures: int = 0

    def synced(self) -> int:
        return self.calls.count("sync")


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    watched = Disk()
    write: Callable[[int, memoryview], int] = os.write
    sync: Callable[[int], None] = os.fdatasync

    def watched_write(descriptor: int, data: memoryview) -> int:
        if bytes(data[:5]) == b'{"v":':
            watched.calls.append("write")
        return write(descriptor, data)

    def watched_sync(descriptor: int) -> None:
        if watched.failures:
            watched.failures -= 1
            watched.calls.append("failed sync")
            raise OSError(errno.EIO, "the disk says no")
        sync(descriptor)
        watched.calls.append("sync")

    monkeypatch.setattr(os, "write", watched_write)
    monkeypatch.setattr(os, "fdatasync", watched_sync)
    return watched


def open_journal(root: Path, mode: str, **limits: int) -> tuple[TestLake, JournalWriter]:
    """On the real clock: intervals pass."""
    lake = TestLake(root)
    made = JournalLimits(**limits)
    return lake, JournalWriter(lake.layout.journal, SystemClock(), made, durability=Durability.of(mode))


def send(journal: JournalWriter, name: str) -> None:
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id=name)]), 1)


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.mark.parametrize(
    ("mode", "at_answer", "at_close"),
    [
        pytest.param("sync", ["write", "sync"], ["write", "sync"], id="synced before the answer"),
        pytest.param("interval:60000", ["write"], ["write", "sync"], id="synced later, and at the stop"),
        pytest.param("off", ["write"], ["write", "sync"], id="synced only where a segment ends"),
    ],
)
def test_an_answer_is_sent_after(
    tmp_path: Path, disk: Disk, mode: str, at_answer: list[str], at_close: list[str]
) -> None:
    lake, journal = open_journal(tmp_path, mode)
    send(journal, "a")
    assert disk.calls == at_answer
    assert ids(lake.take()) == ["a"], "what is acknowledged is in the answers"
    journal.close()
    assert disk.calls == at_close


def test_an_idle_journal_is_synced_when_its_interval_is_over(tmp_path: Path, disk: Disk) -> None:
    _lake, journal = open_journal(tmp_path, "interval:20")
    send(journal, "a")
    until(lambda: disk.synced() == 1)
    time.sleep(0.1)
    assert disk.calls == ["write", "sync"], "once, not again and again"
    journal.close()
    assert disk.synced() == 1


@pytest.mark.parametrize("mode", ["interval:60000", "off"])
def test_a_segment_is_synced_before_it_is_sealed(tmp_path: Path, disk: Disk, mode: str) -> None:
    _lake, journal = open_journal(tmp_path, mode, segment_events_max=1)
    send(journal, "a")
    until(lambda: bool(sealed_segments(journal.epoch, journal.directory)[0]))
    assert disk.calls == ["write", "sync"]
    journal.close()


def test_what_a_late_sync_could_not_save_is_written_again_and_synced_elsewhere(tmp_path: Path, disk: Disk) -> None:
    lake, journal = open_journal(tmp_path, "interval:1")
    send(journal, "a")
    until(lambda: disk.synced() == 1)
    disk.failures = 1
    send(journal, "b")
    until(lambda: disk.synced() == 2)
    assert disk.calls == ["write", "sync", "write", "failed sync", "write", "sync"]
    assert ids(lake.take()) == ["a", "b"], "written twice, counted once"
    first, second = (journal.directory / f"00000{number}.ndjson" for number in (1, 2))
    assert b'"id":"b"' in first.read_bytes()
    assert b'"id":"b"' in second.read_bytes()
    send(journal, "c")
    journal.close()
    lake.flusher.run()
    assert ids(lake.take()) == ["a", "b", "c"]


def test_while_nothing_can_be_synced_nothing_is_acknowledged(tmp_path: Path, disk: Disk) -> None:
    lake, journal = open_journal(tmp_path, "interval:1")
    disk.failures = 1_000_000
    send(journal, "a")
    until(lambda: disk.calls.count("failed sync") >= 2)
    with pytest.raises(StorageUnavailable):
        send(journal, "b")
    disk.failures = 0
    send(journal, "c")
    journal.close()
    lake.flusher.run()
    assert ids(lake.take()) == ["a", "c"]


@pytest.mark.parametrize("mode", ["sync", "interval:1", "interval:60000", "off"])
def test_a_mode_is_read_and_shown_as_it_was_given(mode: str) -> None:
    assert read_settings(durability=mode).durability == Durability.of(mode).name == mode


@pytest.mark.parametrize(
    "mode", ["", "none", "SYNC", "interval", "interval:", "interval:0", "interval:60001", "interval:1s"]
)
def test_a_wrong_mode_stops_the_start_and_names_the_setting(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IAFA_DURABILITY", mode)
    with pytest.raises(WrongUsage, match=r"(?i)durability.*interval:<1 to 60000 milliseconds>"):
        read_settings()

"""Back-pressure: what is refused while there is no room, and that it passes without a restart."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.errors import StorageUnavailable
from iafa.journal.format import Kind
from iafa.journal.room import bytes_of, free_bytes
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT, encode, make_event
from tests.support.lake import TestLake, ids

EVENT = encode([make_event()])


class FullDisk:
    """The real answer of statvfs, with another amount of free space; counts how often it was asked."""

    def __init__(self, free: int) -> None:
        self.free = free
        self.asked = 0
        self._real: Callable[[Path], os.statvfs_result] = os.statvfs

    def statvfs(self, path: Path) -> os.statvfs_result:
        self.asked += 1
        fields = list(self._real(path))
        fields[4] = self.free // self._real(path).f_frsize
        return os.statvfs_result(fields)


def open_journal(lake: TestLake, counters: Counters, **limits: int) -> JournalWriter:
    return JournalWriter(lake.layout.journal, lake.clock, JournalLimits(**limits), counters=counters)


def send(journal: JournalWriter, name: str) -> None:
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id=name)]), 1)


def refused(journal: JournalWriter, name: str) -> StorageUnavailable:
    with pytest.raises(StorageUnavailable) as caught:
        send(journal, name)
    assert caught.value.retry_after_s
    assert caught.value.code == "storage_unavailable"
    return caught.value


def test_below_the_watermark_collecting_stops_and_everything_else_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake, counters, disk = TestLake(tmp_path), Counters(), FullDisk(10_000_000)
    monkeypatch.setattr(os, "statvfs", disk.statvfs)
    journal = open_journal(lake, counters, disk_free_min_bytes=1_000_000)
    send(journal, "a")
    disk.free = 999_999
    lake.clock.advance(1)
    assert "disk" in refused(journal, "refused").detail
    for _ in range(20):
        refused(journal, "refused")
    assert disk.asked == 2, "once a second at most"
    assert counters.read() == {"journal_failures": {"disk": 21}}
    assert ids(lake.take()) == ["a"], "queries stay up"
    lake.flusher.run()
    assert lake.take().files, "what was there is sealed, so that the flusher can make room"
    disk.free = 10_000_000
    lake.clock.advance(1)
    send(journal, "b")
    journal.close()
    assert ids(lake.take()) == ["a", "b"]


def test_too_much_unflushed_is_refused_until_the_flusher_has_caught_up(tmp_path: Path) -> None:
    lake, counters = TestLake(tmp_path), Counters()
    journal = open_journal(lake, counters, journal_bytes_max=1_000)
    taken = 0
    while bytes_of(lake.layout.journal) <= 1_000:
        send(journal, f"event-{taken:02}")
        taken += 1
    assert "waits for the flusher" in refused(journal, "refused").detail
    assert 1_000 < bytes_of(lake.layout.journal) < 1_400, "its own writes count before the next measurement"
    lake.clock.advance(1)
    refused(journal, "refused")
    lake.flusher.run()
    lake.clock.advance(1)
    send(journal, "z-afterwards")
    journal.close()
    assert ids(lake.take()) == [*(f"event-{number:02}" for number in range(taken)), "z-afterwards"]


def test_another_process_with_much_unflushed_counts_too(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id=f"{number:03}") for number in range(30)])
    journal = open_journal(lake, Counters(), journal_bytes_max=1_000)
    refused(journal, "refused")
    lake.flusher.run()
    lake.clock.advance(1)
    send(journal, "later")
    journal.close()


def test_offers_leave_the_second_half_to_requests(tmp_path: Path) -> None:
    lake, counters = TestLake(tmp_path), Counters()
    journal = open_journal(lake, counters, journal_bytes_max=1_000)
    while bytes_of(lake.layout.journal) <= 500:
        send(journal, "a")
    journal.offer(PROJECT, NOON_US, EVENT, 3, kind=Kind.REJECTED)
    assert counters.read() == {"journal_offers_dropped": {"rejected": 3}}
    send(journal, "b")
    journal.close()


def test_a_measurement_that_fails_refuses_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = TestLake(tmp_path)
    journal = open_journal(lake, Counters(), disk_free_min_bytes=1)

    def no_descriptor(_path: Path) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(os, "scandir", no_descriptor)
    send(journal, "a")
    monkeypatch.undo()
    journal.close()


def test_free_bytes_are_those_of_an_ordinary_user(tmp_path: Path) -> None:
    found = os.statvfs(tmp_path)
    assert abs(free_bytes(tmp_path) - found.f_bavail * found.f_frsize) < 2**30

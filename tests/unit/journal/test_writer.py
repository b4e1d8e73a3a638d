"""The journal's writer: durable before the answer, one sync for many, nothing left of a refused group."""

import asyncio
import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa import durable
from iafa.errors import StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.journal.acked import read_acked
from iafa.journal.reader import Damage, journals, read_segment, sealed_segments, segments
from iafa.journal.writer import JournalLimits
from tests.support.events import NOON_US, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake, ids


def all_sequences(lake: TestLake) -> list[int]:
    found = []
    for epoch, directory in journals(lake.layout.journal):
        for segment in segments(epoch, directory):
            found += [record.q for record in read_segment(segment, Damage())]
    return found


async def test_append_returns_after_the_bytes_are_in_the_file(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    await journal.append(PROJECT, NOON_US, encode(make_events(3)), 3)
    position = read_acked(journal.directory)
    assert position is not None
    assert (journal.directory / "000001.ndjson").stat().st_size == position.offset > 0
    journal.close()


async def test_waiting_requests_share_one_sync(tmp_path: Path) -> None:
    journal = TestLake(tmp_path).open_journal()
    await asyncio.gather(*(journal.append(PROJECT, NOON_US, b"[]", 1) for _ in range(200)))
    assert journal.records == 200
    assert journal.syncs <= 20
    journal.close()


@pytest.mark.parametrize(
    ("limits", "advance_s"),
    [
        pytest.param(JournalLimits(segment_events_max=2), 0, id="events"),
        pytest.param(JournalLimits(segment_bytes_max=10), 0, id="bytes"),
        pytest.param(JournalLimits(segment_age_s=5), 6, id="age"),
    ],
)
def test_segment_is_sealed_when_it_is_full_or_old(tmp_path: Path, limits: JournalLimits, advance_s: float) -> None:
    lake = TestLake(tmp_path, limits=limits)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    lake.clock.advance(advance_s)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    sealed, is_dead = sealed_segments(journal.epoch, journal.directory)
    assert sealed
    assert not is_dead
    journal.close()
    assert all_sequences(lake) == [1, 2, 3]


def test_closed_journal_is_dead_and_all_of_it_is_sealed(tmp_path: Path) -> None:
    journal = TestLake(tmp_path).open_journal()
    journal.append_blocking(PROJECT, NOON_US, b"[]", 0)
    assert sealed_segments(journal.epoch, journal.directory) == ([], False)
    journal.close()
    sealed, is_dead = sealed_segments(journal.epoch, journal.directory)
    assert is_dead
    assert len(sealed) == 1


def test_epochs_are_never_reused(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    epochs = []
    for _ in range(3):
        journal = lake.open_journal()
        epochs.append(journal.epoch)
        journal.close()
        lake.flusher.run()
    assert epochs == [1, 2, 3]


@pytest.mark.parametrize("point", ["journal.before_write", "journal.half_written", "journal.written"])
@pytest.mark.parametrize("action", ["eio", "enospc"])
def test_failed_write_is_refused_whole_and_the_next_one_succeeds(tmp_path: Path, point: str, action: str) -> None:
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:2:{action}").hit)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    with pytest.raises(StorageUnavailable):
        journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.close()
    assert all_sequences(lake) == [1, 3]


def test_descriptor_whose_sync_failed_is_never_synced_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    real: Callable[[int], None] = os.fdatasync
    synced: list[int] = []

    def failing(descriptor: int) -> None:
        synced.append(descriptor)
        if len(synced) == 1:
            raise OSError(errno.EIO, "the disk says no")
        real(descriptor)

    monkeypatch.setattr(os, "fdatasync", failing)
    with pytest.raises(StorageUnavailable):
        journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    journal.close()
    assert len(segments(journal.epoch, journal.directory)) == 2
    assert all_sequences(lake) == [1, 3]


def test_segment_with_a_refused_tail_is_not_sealed_before_the_tail_is_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path, hit=Failpoints("journal.written:2:eio").hit, limits=JournalLimits(segment_age_s=5))
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    real: Callable[[int, int], None] = os.ftruncate
    disk_is_sick = True

    def truncate(descriptor: int, size: int) -> None:
        if disk_is_sick:
            raise OSError(errno.EIO, "the disk says no")
        real(descriptor, size)

    monkeypatch.setattr(os, "ftruncate", truncate)
    lake.clock.advance(6)
    with pytest.raises(StorageUnavailable):
        journal.append_blocking(PROJECT, NOON_US, encode(make_events(1, prefix="refused")), 1)
    assert len(segments(journal.epoch, journal.directory)) == 1
    disk_is_sick = False
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
    journal.close()
    assert all_sequences(lake) == [1, 3]


def test_half_done_rotation_does_not_make_the_present_segment_look_sealed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=1))
    journal = lake.open_journal()
    real = durable.sync_dir
    failures = 1

    def sync_dir(path: Path) -> None:
        nonlocal failures
        if path == journal.directory and failures:
            failures -= 1
            raise OSError(errno.EIO, "the disk says no")
        real(path)

    monkeypatch.setattr("iafa.journal.segment.sync_dir", sync_dir)
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id="a")]), 1)
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id="b")]), 1)
    lake.flusher.run()
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id="c")]), 1)
    assert ids(lake.take()) == ["a", "b", "c"]
    lake.clock.advance(2)
    journal.append_blocking(PROJECT, NOON_US, encode([make_event(id="d")]), 1)
    journal.close()
    lake.flusher.run()
    assert ids(lake.take()) == ["a", "b", "c", "d"]


def test_closing_commits_what_waits(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    senders = [
        threading.Thread(target=journal.append_blocking, args=(PROJECT, NOON_US, encode(make_events(1)), 1))
        for _ in range(20)
    ]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    journal.close()
    assert len(all_sequences(lake)) == 20
    with pytest.raises(StorageUnavailable):
        journal.append_blocking(PROJECT, NOON_US, b"[]", 0)

"""F4 to F7 and F35: whatever the disk does, what was acknowledged is there and what was refused is not."""

import errno
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.errors import StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.journal.acked import read_acked, read_published
from iafa.journal.format import encode_record
from iafa.journal.reader import Damage, journals, read_segment, sealed_segments, segments
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT, encode, make_event
from tests.support.lake import TestLake, ids
from tests.support.sick_disk import in_child, refuse_and_die, write_past_the_file_limit, write_without_descriptors


def acknowledged_of(said: list[str]) -> list[str]:
    return sorted(line.split()[1] for line in said if line.startswith("acknowledged"))


def stored(root: Path) -> list[str]:
    """Before and after the flush the answer is the same."""
    lake = TestLake(root)
    before = ids(lake.take())
    lake.flusher.run()
    assert ids(lake.take()) == before
    return before


def send(journal: JournalWriter, name: str) -> bool:
    try:
        journal.append_blocking(PROJECT, NOON_US, encode([make_event(id=name)]), 1)
    except StorageUnavailable:
        return False
    return True


WRITING = (
    "journal.before_write",
    "journal.half_written",
    "journal.written",
    "journal.synced",
    "journal.before_ack",
    "journal.truncating",
)
ROTATING = ("journal.segment_dir_synced", "journal.segment_created", "journal.sealed")


@pytest.mark.parametrize("nth", [1, 2, 5])
@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize("point", [*WRITING, *ROTATING])
def test_a_failure_at_any_point_loses_nothing_keeps_nothing_refused_and_passes(
    tmp_path: Path, point: str, action: str, nth: int
) -> None:
    spec = f"{point}:{nth}:{action}"
    if point == "journal.truncating":
        spec = f"journal.written:{nth}:enospc,journal.truncating:1:{action}"
    failpoints = Failpoints(spec)
    lake = TestLake(tmp_path, hit=failpoints.hit, limits=JournalLimits(segment_events_max=2))
    if point in ROTATING and nth == 1 and point != "journal.sealed":
        with pytest.raises(OSError, match="failpoint"):
            lake.open_journal()
    journal = lake.open_journal()
    answers = {}
    for number in range(12):
        answers[f"event-{number:02}"] = send(journal, f"event-{number:02}")
        lake.clock.advance(2)
        if number == 8:
            lake.flusher.run()
    journal.close()
    refused = [name for name, is_stored in answers.items() if not is_stored]
    assert len(refused) == (1 if point in WRITING else 0)
    assert stored(tmp_path) == sorted(set(answers) - set(refused))


def test_the_half_written_point_has_half_of_the_bytes_on_the_disk(tmp_path: Path) -> None:
    sizes: list[int] = []

    def hit(name: str) -> None:
        if name in ("journal.half_written", "journal.written"):
            sizes.append((tmp_path / "journal" / "000001" / "000001.ndjson").stat().st_size)

    journal = TestLake(tmp_path, hit=hit).open_journal()
    assert send(journal, "whole")
    journal.close()
    assert sizes[0] == sizes[1] // 2 > 0


@pytest.mark.parametrize("also_failing", ["", "cut", "sync of the cut"])
def test_after_a_failed_sync_nothing_more_goes_into_the_segment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, also_failing: str
) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    assert send(journal, "first")
    real_sync: Callable[[int], None] = os.fdatasync
    real_cut: Callable[[int, int], None] = os.ftruncate
    real_full: Callable[[int], None] = os.fsync
    synced: list[tuple[int, int]] = []  # (descriptor, inode)
    sick = True

    def fdatasync(descriptor: int) -> None:
        synced.append((descriptor, os.fstat(descriptor).st_ino))
        if sick:
            raise OSError(errno.EIO, "the disk says no")
        real_sync(descriptor)

    def ftruncate(descriptor: int, size: int) -> None:
        if sick and also_failing == "cut":
            raise OSError(errno.EIO, "the disk says no")
        real_cut(descriptor, size)

    def fsync(descriptor: int) -> None:
        if sick and also_failing:
            raise OSError(errno.EIO, "the disk says no")
        real_full(descriptor)

    monkeypatch.setattr(os, "fdatasync", fdatasync)
    monkeypatch.setattr(os, "ftruncate", ftruncate)
    monkeypatch.setattr(os, "fsync", fsync)
    assert not send(journal, "refused")
    assert sealed_segments(journal.epoch, journal.directory) == ([], False), "its end is not certain yet"
    published = read_published(journal.directory)
    assert published is not None
    assert (published.refused is not None) == bool(also_failing)
    sick = False
    assert send(journal, "later")
    assert synced[1][1] != synced[0][1], "the second sync was of another file"
    assert [one.number for one in sealed_segments(journal.epoch, journal.directory)[0]] == [1]
    journal.close()
    assert stored(tmp_path) == ["first", "later"]


def test_refused_bytes_that_could_not_be_cut_off_are_read_by_nobody_after_a_kill(tmp_path: Path) -> None:
    exit_code, said = in_child(refuse_and_die, tmp_path / "data", tmp_path / "said")
    assert exit_code == -signal.SIGKILL
    assert said == ["acknowledged kept", "refused refused"]
    [(_epoch, directory)] = journals(tmp_path / "data" / "journal")
    size = (directory / "000001.ndjson").stat().st_size
    acked = read_acked(directory)
    assert acked is not None
    assert size > acked.offset, "the refused bytes are there"
    assert stored(tmp_path / "data") == ["kept"]


def test_a_position_that_power_loss_set_back_hides_nothing_from_the_flusher(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    for name in ("a", "b", "c"):
        assert send(journal, name)
    journal.close()
    (journal.directory / "acked").write_bytes(bytes(24))
    lake.flusher.run()
    assert ids(lake.take()) == ["a", "b", "c"]


def test_short_write_at_a_file_limit_leaves_whole_records_and_the_journal_recovers(tmp_path: Path) -> None:
    exit_code, said = in_child(write_past_the_file_limit, tmp_path / "data", tmp_path / "said")
    assert exit_code == 0
    assert [line.split()[0] for line in said[-3:]] == ["refused", "refused", "acknowledged"]
    damage = Damage()
    [(epoch, directory)] = journals(tmp_path / "data" / "journal")
    sequences = [record.q for one in segments(epoch, directory) for record in read_segment(one, damage)]
    assert damage == Damage()
    assert len(sequences) == len(acknowledged_of(said))
    assert stored(tmp_path / "data") == acknowledged_of(said)


def test_without_descriptors_the_present_segment_goes_on(tmp_path: Path) -> None:
    exit_code, said = in_child(write_without_descriptors, tmp_path / "data", tmp_path / "said")
    assert exit_code == 0
    assert len(acknowledged_of(said)) == 6
    [(epoch, directory)] = journals(tmp_path / "data" / "journal")
    assert len(segments(epoch, directory)) == 4, "one for all that were starved, then one each, and the open one"
    assert stored(tmp_path / "data") == acknowledged_of(said)


def test_refusals_are_counted_by_their_cause(tmp_path: Path) -> None:
    counters = Counters()
    lake = TestLake(tmp_path, hit=Failpoints("journal.half_written:1:enospc,journal.synced:2:eio").hit)
    journal = JournalWriter(lake.layout.journal, lake.clock, JournalLimits(), counters=counters, hit=lake.hit)
    assert [send(journal, name) for name in "abcd"] == [False, True, False, True]
    journal.close()
    assert counters.read() == {"journal_failures": {"sync": 1, "write": 1}}


@pytest.mark.parametrize(
    ("damage_at", "torn", "damaged"),
    [
        pytest.param("last", 1, 0, id="the last segment of a dead journal: never acknowledged"),
        pytest.param("earlier", 0, 1, id="an earlier segment: damage, its bytes are kept"),
    ],
)
def test_an_unfinished_record_is_normal_only_at_the_very_end(
    tmp_path: Path, damage_at: str, torn: int, damaged: int
) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=1))
    journal = lake.open_journal()
    for name in ("a", "b"):
        assert send(journal, name)
    journal.close()
    found = [one for one in segments(journal.epoch, journal.directory) if one.path.stat().st_size]
    with open(found[0 if damage_at == "earlier" else -1].path, "ab") as file:
        file.write(encode_record(9, PROJECT, NOON_US, encode([make_event(id="torn")]))[:-5])
    flushed = lake.flusher.run()
    assert (flushed.damage.torn_tails, len(flushed.damage.damaged)) == (torn, damaged)
    assert len(list(lake.layout.journal.glob("damaged/*.bad"))) == damaged
    assert ids(lake.take()) == ["a", "b"]

"""The number of a process start: never given twice, whatever happens to the file that keeps it."""

from pathlib import Path

import pytest

from iafa.errors import DataDamaged
from iafa.journal.acked import Position, read_acked
from iafa.journal.epoch import EPOCH_NAME, STEP_WHEN_UNSURE, next_epoch, read_epoch, write_epoch
from iafa.lake.epochs import highest_epoch
from iafa.seal import sealed
from tests.support.events import make_events
from tests.support.lake import TestLake, ids


def nothing_known() -> int:
    return 0


def test_a_new_directory_begins_at_1_and_goes_on(tmp_path: Path) -> None:
    assert [next_epoch(tmp_path, nothing_known) for _ in range(3)] == [1, 2, 3]


def test_bare_number_of_format_1_is_still_read(tmp_path: Path) -> None:
    (tmp_path / EPOCH_NAME).write_bytes(b"41")
    assert next_epoch(tmp_path, nothing_known) == 42
    assert read_epoch(tmp_path) == 42


def test_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / EPOCH_NAME).write_bytes(sealed(b'{"format":9,"epoch":4}'))
    with pytest.raises(DataDamaged, match=rf"{EPOCH_NAME} has format 9"):
        next_epoch(tmp_path, nothing_known)


def test_a_flipped_bit_never_leads_to_a_number_that_was_given_before(tmp_path: Path) -> None:
    write_epoch(tmp_path, 7654)
    data = (tmp_path / EPOCH_NAME).read_bytes()
    for bit in range(0, 8 * len(data), 7):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        (tmp_path / EPOCH_NAME).write_bytes(flipped)
        assert next_epoch(tmp_path, lambda: 7654) > 7654


@pytest.mark.parametrize("content", [None, b"", b"\0\0\0\0", b'{"format":2'], ids=["lost", "empty", "zeroed", "torn"])
def test_without_the_file_the_lake_and_the_journals_tell_what_was_given(tmp_path: Path, content: bytes | None) -> None:
    lake = TestLake(tmp_path)
    for number in range(5):
        lake.write(make_events(2, prefix=str(number)))
    lake.flusher.run()
    (lake.layout.journal / EPOCH_NAME).unlink()
    if content is not None:
        (lake.layout.journal / EPOCH_NAME).write_bytes(content)
    assert highest_epoch(lake.layout, lake.manifests) == 5
    journal = lake.open_journal()
    journal.close()
    assert journal.epoch > 5 + STEP_WHEN_UNSURE - 1
    lake.write(make_events(2, prefix="later"))
    lake.flusher.run()
    assert len(ids(lake.take())) == 12


def test_the_acknowledged_position_is_checked_and_its_first_format_still_read(tmp_path: Path) -> None:
    journal = TestLake(tmp_path).open_journal()
    path, position = journal.directory / "acked", read_acked(journal.directory)
    assert position == Position(1, 0)
    data = path.read_bytes()
    for bit in range(64, 8 * len(data)):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        assert read_acked(journal.directory) is None
    path.write_bytes(data)
    journal.close()
    path.write_bytes(data[:24])
    assert read_acked(journal.directory) == position


@pytest.mark.parametrize("content", [None, b"", bytes(32), b"\1" * 32, b"x" * 7])
def test_a_dead_journal_without_its_position_is_read_to_its_end(tmp_path: Path, content: bytes | None) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(4))
    (path,) = lake.layout.journal.glob("*/acked")
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    assert len(ids(lake.take())) == 4


def test_a_living_journal_with_a_damaged_position_is_an_error_that_names_it(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    path = journal.directory / "acked"
    with open(path, "r+b") as file:
        file.seek(20)
        file.write(b"\x7f")
    with pytest.raises(DataDamaged, match="acked"):
        lake.take()
    journal.append_blocking("p0projectaaaa", lake.clock.now_us(), b"[]", 0)
    lake.take()
    journal.close()

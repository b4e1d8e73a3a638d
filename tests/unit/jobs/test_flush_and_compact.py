"""From the journal to the files: every acknowledged event once, whatever is killed and however often it is sent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from iafa.clock import US_PER_DAY, SystemClock
from iafa.journal.reader import journals
from iafa.journal.writer import JournalLimits
from iafa.lake.dropped import drop
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake, ids


def test_snapshot_sees_events_before_and_after_the_flush_and_the_compaction(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=10))
    journal = lake.open_journal()
    expected = []
    for batch in range(5):
        events = make_events(10, prefix=f"b{batch}")
        journal.append_blocking(PROJECT, lake.clock.now_us(), encode(events), 10)
        expected += [event.id for event in events]
        assert ids(lake.take()) == sorted(expected)
        if batch % 2:
            lake.flusher.run()
            assert ids(lake.take()) == sorted(expected)
    lake.compactor.run(everything=True)
    assert ids(lake.take()) == sorted(expected)
    journal.close()
    lake.flusher.run()
    assert ids(lake.take()) == sorted(expected)
    assert lake.take().tail.num_rows == 0


def test_flush_retires_the_journal_and_leaves_no_folder_behind(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(3))
    flushed = lake.flusher.run()
    assert (flushed.segments, flushed.events, flushed.duplicates) == (1, 3, 0)
    assert journals(lake.layout.journal) == []


@pytest.mark.parametrize("days_later", [0, 1, 6])
def test_repeated_id_is_stored_once_within_the_window(tmp_path: Path, days_later: int) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="same"), make_event(id="same")])
    lake.flusher.run()
    lake.clock.advance(days_later * 86_400)
    lake.write([make_event(id="same", created_at=lake.clock.now_us()), make_event(id="new")])
    assert ids(lake.take()) == ["new", "same"]
    lake.flusher.run()
    assert ids(lake.take()) == ["new", "same"]


def test_id_may_return_after_the_window(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="same")])
    lake.flusher.run()
    lake.clock.advance(8 * 86_400)
    lake.write([make_event(id="same")])
    lake.flusher.run()
    assert ids(lake.take()) == ["same", "same"]


def test_committed_copy_survives_a_later_one(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="same", event_type="first")])
    lake.flusher.run()
    lake.write([make_event(id="same", event_type="second")])
    snapshot = lake.take()
    assert snapshot.rows == 1
    assert snapshot.tail.num_rows == 0


def test_events_go_to_the_folder_of_their_own_utc_day(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    last_us = NOON_US - NOON_US % US_PER_DAY + US_PER_DAY - 1
    lake.write([make_event(id="a", created_at=last_us), make_event(id="b", created_at=last_us + 1)])
    lake.flusher.run()
    directory = lake.layout.project(PROJECT)
    names = sorted(path.relative_to(directory).as_posix() for path in directory.glob("*/*/*.parquet"))
    assert names == ["2025/11/events_2025-11-21.j1-1-1.parquet", "2025/11/events_2025-11-22.j1-1-1.parquet"]


def test_projects_do_not_see_each_other_and_versions_do_not_tell_of_others(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(2, prefix="a"), project_id=PROJECT)
    before = lake.take(PROJECT).data_version
    lake.write(make_events(3, prefix="b"), project_id=OTHER_PROJECT)
    assert ids(lake.take(PROJECT)) == ["a-0", "a-1"]
    assert lake.take(PROJECT).data_version == before
    assert len(ids(lake.take(OTHER_PROJECT))) == 3


def test_data_version_changes_with_every_acknowledged_event(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    versions = []
    for number in range(3):
        journal.append_blocking(PROJECT, NOON_US, encode([make_event(id=str(number))]), 1)
        versions.append(lake.take().data_version)
    journal.close()
    lake.flusher.run()
    versions.append(lake.take().data_version)
    assert len(set(versions)) == 4


def test_damaged_record_is_kept_aside_and_the_others_are_stored(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    for number in range(3):
        journal.append_blocking(PROJECT, NOON_US, encode([make_event(id=str(number))]), 1)
    journal.close()
    segment = journal.directory / "000001.ndjson"
    lines = segment.read_bytes().splitlines(keepends=True)
    segment.write_bytes(lines[0] + lines[1].replace(b"page_view", b"page_wiew") + lines[2])
    flushed = lake.flusher.run()
    assert ids(lake.take()) == ["0", "2"]
    assert len(flushed.damage.damaged) == 1
    (kept,) = (lake.layout.journal / "damaged").iterdir()
    assert b"page_wiew" in kept.read_bytes()


def test_torn_tail_of_a_killed_writer_is_no_event(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="whole")])
    (segment,) = lake.layout.journal.glob("*/*.ndjson")
    segment.write_bytes(segment.read_bytes() + b'{"v":1,"q":2,"k":"events"')
    flushed = lake.flusher.run()
    assert flushed.damage.torn_tails == 1
    assert ids(lake.take()) == ["whole"]


def test_compaction_waits_for_enough_parts_and_keeps_the_inputs_until_the_grace_is_over(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(8):
        lake.write(make_events(5, prefix=str(number)))
        lake.flusher.run()
        lake.compactor.run()
    snapshot = lake.take()
    assert [path.name for path in snapshot.files] == ["events_2025-11-21.parquet"]
    folder = snapshot.files[0].parent
    assert len(list(folder.iterdir())) == 9
    lake.clock.advance(601)
    done = lake.compactor.run()
    assert done.unlinked == 8
    assert [path.name for path in folder.iterdir()] == ["events_2025-11-21.parquet"]
    assert len(ids(lake.take())) == 40


def test_second_compaction_of_a_day_uses_a_new_path(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(2):
        lake.write(make_events(5, prefix=str(number)))
        lake.flusher.run()
        lake.compactor.run(everything=True)
    (path,) = lake.take().files
    assert path.name.startswith("events_2025-11-21.g")
    assert len(ids(lake.take())) == 10


def test_late_event_of_a_merged_day_is_merged_again_only_when_the_day_is_quiet(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(5))
    lake.flusher.run()
    lake.clock.advance(86_400)
    lake.compactor.run()
    lake.write([make_event(id="late")])
    lake.flusher.run()
    lake.compactor.run()
    assert len(lake.take().files) == 2
    lake.clock.advance(3_601)
    lake.compactor.run()
    assert len(lake.take().files) == 1
    assert len(ids(lake.take())) == 6


def damage(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0x10
    path.write_bytes(bytes(data))


def test_compaction_refuses_an_input_that_is_not_what_was_written_and_goes_on_with_others(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for project_id in (PROJECT, OTHER_PROJECT):
        lake.write(make_events(50), project_id=project_id)
        lake.flusher.run()
    (path,) = lake.take().files
    damage(path)
    done = lake.compactor.run(everything=True)
    assert len(done.failed) == 1
    assert "is not what was written" in done.failed[0]
    assert lake.take().files == (path,)
    assert done.days == 1


def test_damaged_file_of_one_project_stops_neither_its_own_events_nor_those_of_others(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(5))
    lake.flusher.run()
    lake.take().files[0].write_bytes(b"PAR1 not any more")
    lake = TestLake(tmp_path)
    lake.write(make_events(2, prefix="own"))
    lake.write(make_events(3, prefix="other"), project_id=OTHER_PROJECT)
    assert lake.flusher.run().events == 5
    assert len(ids(lake.take(OTHER_PROJECT))) == 3
    assert journals(lake.layout.journal) == []


def test_second_flusher_finds_the_lock_held_and_does_nothing(tmp_path: Path) -> None:
    from iafa.locks import held

    lake = TestLake(tmp_path)
    lake.write(make_events(1))
    with held(lake.layout.writer_lock) as is_ours:
        assert is_ours
        assert lake.flusher.run().segments == 0
    assert lake.flusher.run().segments == 1


def test_deleted_project_is_not_written_again_and_its_files_go(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(2))
    lake.flusher.run()
    drop(lake.layout, PROJECT)
    lake.write(make_events(1, prefix="late"))
    assert lake.flusher.run().of_deleted_projects == 1
    lake.compactor.run()
    assert not lake.layout.project(PROJECT).exists()
    lake.clock.advance(601)
    lake.compactor.run()
    assert [path.name for path in lake.layout.trash.iterdir()] == [f"project_{PROJECT}.dropped"]


def test_unfinished_files_of_killed_processes_are_removed_after_a_day(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    (lake.layout.tmp / "duckdb" / "query-old").mkdir(parents=True)
    (lake.layout.tmp / "unfinished.parquet").write_bytes(b"x")
    lake.clock.set_wall(SystemClock().now_us())
    lake.compactor.run()
    assert len(list(lake.layout.tmp.rglob("*"))) == 3
    lake.clock.advance(86_401)
    lake.compactor.run()
    assert [path.name for path in lake.layout.tmp.rglob("*")] == ["duckdb"]


def test_a_lease_that_ends_while_leftovers_are_looked_for_stops_no_compaction(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path)
    lake.layout.tmp.mkdir(parents=True)
    (lake.layout.tmp / "unfinished.parquet").write_bytes(b"x")
    listed = Path.iterdir

    def with_one_that_is_gone(folder: Path) -> Iterator[Path]:
        if folder == lake.layout.tmp:
            yield folder / "lease-of-an-answer"
        yield from listed(folder)

    monkeypatch.setattr(Path, "iterdir", with_one_that_is_gone)
    lake.clock.set_wall(SystemClock().now_us())
    lake.clock.advance(86_401)
    lake.compactor.run()
    assert list(listed(lake.layout.tmp)) == []

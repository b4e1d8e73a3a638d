"""A project whose manifest cannot be read: its events wait in files of their own, everybody else's go their way."""

from pathlib import Path

import pytest

from iafa.errors import DataDamaged, StorageUnavailable
from iafa.failpoints import Failpoints
from iafa.journal.epoch import write_epoch
from iafa.journal.format import decode_lines
from iafa.journal.reader import journals
from iafa.lake.dropped import drop
from iafa.lake.held import held_files, hold
from tests.support.crasher import damage_manifest
from tests.support.events import OTHER_PROJECT, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake, ids


def test_stuck_project_holds_its_own_events_only_and_gets_them_back_when_mended(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(5))
    lake.flusher.run()
    (manifest,) = lake.layout.manifests(PROJECT).iterdir()
    whole = manifest.read_bytes()
    manifest.write_bytes(whole[:20])
    lake = TestLake(tmp_path)
    lake.write(make_events(2, prefix="own"))
    lake.write(make_events(3, prefix="other"), project_id=OTHER_PROJECT)
    assert lake.flusher.run().stuck_projects == {PROJECT}
    assert journals(lake.layout.journal) == [], "segments are retired: they fill nobody's journal"
    assert len(ids(lake.take(OTHER_PROJECT))) == 3
    with pytest.raises(DataDamaged):
        lake.take()
    lake.write(make_events(2, prefix="later"))
    assert lake.flusher.run().stuck_projects == {PROJECT}
    manifest.write_bytes(whole)
    with pytest.raises(StorageUnavailable):
        lake.take()  # never an answer without the events that are held
    assert lake.flusher.run().events == 4
    assert len(ids(lake.take())) == 9
    assert held_files(lake.layout, PROJECT) == []


def test_what_was_held_and_left_in_the_journal_by_a_kill_is_stored_once(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, hit=Failpoints("journal.before_unlink:1:eio").hit)
    write_epoch(lake.layout.journal, 1)  # without one a lake that cannot be read lets no journal open
    damaged = damage_manifest(lake.layout, PROJECT)
    lake.write(make_events(4))
    with pytest.raises(OSError, match="before_unlink"):
        lake.flusher.run()
    assert len(held_files(lake.layout, PROJECT)) == 1
    damaged.unlink()
    lake = TestLake(tmp_path)
    lake.flusher.run()
    assert len(ids(lake.take())) == 4
    assert journals(lake.layout.journal) == []


def test_released_records_that_are_absorbed_already_are_not_stored_again(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, lake.clock.now_us(), encode([make_event(id="one")]), 1)
    (segment,) = journal.directory.glob("*.ndjson")
    records = [record for record, _end in decode_lines(segment.read_bytes()) if record is not None]
    journal.close()
    lake.flusher.run()
    lake.clock.advance(9 * 86_400)  # beyond the window: only the watermark can know
    journal = lake.open_journal()
    lake.write([make_event(id="two")])
    hold(lake.layout, journal.epoch - 1, PROJECT, records)
    journal.close()
    before = lake.manifests.latest(PROJECT)
    assert before.absorbs(journal.epoch - 1, records[0].q)
    lake.flusher.run()
    assert ids(lake.take()) == ["one", "two"]


def test_deleted_project_takes_its_held_events_with_it(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    write_epoch(lake.layout.journal, 1)
    damage_manifest(lake.layout, PROJECT)
    lake.write(make_events(4))
    lake.flusher.run()
    drop(lake.layout, PROJECT)
    assert lake.flusher.run().of_deleted_projects == 4
    assert not lake.layout.held(PROJECT).exists()

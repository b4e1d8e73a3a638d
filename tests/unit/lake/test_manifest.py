"""Committing a generation: atomic, once each, and old ones stay as long as a query may read them."""

import threading
from pathlib import Path

import msgspec
import pytest

from iafa.errors import DataDamaged
from iafa.jobs.repair import Repairer
from iafa.jobs.verify import Verifier
from iafa.lake.append import LakeAppender
from iafa.lake.dropped import drop, sweep
from iafa.lake.manifest import Change, Manifest, Manifests
from tests.support.events import PROJECT, make_events
from tests.support.lake import WINDOW_US, TestLake, ids


def marked(name: str, value: int) -> Change:
    def change(base: Manifest) -> Manifest:
        return msgspec.structs.replace(base, absorbed=base.absorbed | {name: value})

    return change


def test_two_writers_at_once_lose_nothing(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)

    def commit(writer: int) -> None:
        manifests = Manifests(lake.layout, lake.clock)
        for number in range(5):
            manifests.commit(PROJECT, marked(f"{writer}{number}", number))

    writers = [threading.Thread(target=commit, args=(writer,)) for writer in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    latest = Manifests(lake.layout, lake.clock).latest(PROJECT)
    assert latest.generation == 15
    assert len(latest.absorbed) == 15


def test_other_process_sees_a_new_generation_at_once(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    elsewhere = Manifests(lake.layout, lake.clock)
    assert elsewhere.latest(PROJECT).generation == 0
    lake.write(make_events(1))
    lake.flusher.run()
    assert elsewhere.latest(PROJECT).generation == 1


def test_generations_that_no_query_can_be_reading_are_removed(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.clock.set_wall(4_000_000_000_000_000)  # far behind the files' own times
    for number in range(6):
        lake.write(make_events(1, prefix=str(number)))
        lake.flusher.run()
    names = sorted(path.name for path in lake.layout.manifests(PROJECT).iterdir())
    assert names == ["0000000005.json", "0000000006.json"]
    assert len(ids(lake.take())) == 6


def test_epochs_whose_journal_is_gone_are_forgotten(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(4):
        lake.write(make_events(1, prefix=str(number)))
        lake.flusher.run()
    assert list(lake.manifests.latest(PROJECT).absorbed) == ["4"]


def test_a_lost_newest_generation_is_noticed_by_who_has_seen_it_and_healed_by_a_repair(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(2):
        lake.write(make_events(2, prefix=str(number)))
        lake.flusher.run()
    before = ids(lake.take())
    max(lake.layout.manifests(PROJECT).iterdir()).unlink()
    with pytest.raises(DataDamaged, match=r"0000000002\.json was there and is lost"):
        lake.take()
    lake.write(make_events(1, prefix="later"))
    assert lake.flusher.run().stuck_projects == {PROJECT}
    fresh = Manifests(lake.layout, lake.clock)  # the command is a process of its own and has seen nothing
    appender = LakeAppender(lake.layout, fresh, WINDOW_US)
    Repairer(lake.layout, fresh, appender, lake.clock).run(
        Verifier(lake.layout, fresh, lake.clock, WINDOW_US).run(PROJECT)
    )
    assert fresh.latest(PROJECT).generation == 2, "the same number with other contents"
    lake.flusher.run()
    assert len(ids(lake.take())) == len(before) + 1


def test_a_deleted_project_whose_manifests_are_gone_is_empty_and_not_damaged(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(2))
    lake.flusher.run()
    drop(lake.layout, PROJECT)
    sweep(lake.layout, lake.clock, grace_us=0)
    assert lake.manifests.latest(PROJECT).generation == 0

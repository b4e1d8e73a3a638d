"""Committing a generation: atomic, once each, and old ones stay as long as a query may read them."""

import threading
from pathlib import Path

import msgspec

from iafa.lake.manifest import Change, Manifest, Manifests
from tests.support.events import PROJECT, make_events
from tests.support.lake import TestLake, ids


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

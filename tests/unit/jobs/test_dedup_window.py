"""An id is stored once within the window: across workers, restarts, days and compaction, with or without its hashes."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.journal.reader import journals
from iafa.lake.id_files import MAPPED_ROWS_MIN
from iafa.lake.ids import StoredIds, id_hashes
from iafa.lake.parts import read_files
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake, ids

DAY_S = 86_400.0
SAME = ["same"]


def send(lake: TestLake, project_id: str = PROJECT) -> None:
    """An event without a time of its own: the server gives it the time of its receipt."""
    lake.write([make_event(id="same", created_at=lake.clock.now_us())], project_id=project_id)


def id_files(lake: TestLake, project_id: str = PROJECT) -> list[Path]:
    return sorted(lake.layout.id_hashes(project_id).glob("*.ids"))


def test_copies_in_two_living_journals_are_one_event(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    workers = [lake.open_journal(), lake.open_journal()]
    for journal in workers:
        journal.append_blocking(PROJECT, NOON_US, encode([make_event(id="same")]), 1)
    assert ids(lake.take()) == SAME
    for journal in workers:
        journal.close()
        lake.flusher.run()
        assert ids(lake.take()) == SAME


@pytest.mark.parametrize("merges", [False, True])
def test_retry_after_midnight_by_another_process_start(tmp_path: Path, merges: bool) -> None:
    lake = TestLake(tmp_path)
    send(lake)
    lake.flusher.run()
    lake.clock.advance(DAY_S)
    if merges:
        lake.compactor.run(everything=True)
    lake = TestLake(tmp_path, clock=lake.clock)
    send(lake)
    assert ids(lake.take()) == SAME
    assert lake.flusher.run().duplicates == 1
    assert lake.flusher.counters.read()["flush_duplicates"] == {"": 1}
    assert ids(lake.take()) == SAME


@pytest.mark.parametrize(("seconds_past", "copies"), [(0, 1), (0.000001, 2)])
def test_border_of_the_window_is_exact(tmp_path: Path, seconds_past: float, copies: int) -> None:
    lake = TestLake(tmp_path)
    send(lake)
    lake.flusher.run()
    lake.clock.advance(7 * DAY_S)
    lake.clock.set_wall(lake.clock.now_us() + round(seconds_past * 1e6))
    send(lake)
    assert len(ids(lake.take())) == copies
    lake.flusher.run()
    assert len(ids(lake.take())) == copies


def remove(path: Path) -> None:
    path.unlink()


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-4])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-3] ^= 1
    path.write_bytes(bytes(data))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def swap_for_another(path: Path) -> None:
    """Sound hashes, but of another Parquet file: as if a name had been used twice."""
    data = bytearray(path.read_bytes())
    data[16] ^= 1
    path.write_bytes(bytes(data))


@pytest.mark.parametrize("harm", [remove, tear, flip, empty, swap_for_another])
def test_hashes_that_are_missing_or_wrong_are_made_again(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    lake = TestLake(tmp_path)
    send(lake)
    lake.flusher.run()
    (path,) = id_files(lake)
    whole = path.read_bytes()
    harm(path)
    lake = TestLake(tmp_path)
    send(lake)
    assert ids(lake.take()) == SAME, "a reader does without"
    lake.flusher.run()
    assert ids(lake.take()) == SAME
    assert path.read_bytes() == whole


def test_hashes_of_files_that_left_the_manifest_or_the_window_go(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(3):
        lake.write(make_events(2, prefix=str(number)))
        lake.flusher.run()
    assert len(id_files(lake)) == 3
    lake.compactor.run(everything=True)
    lake.write(make_events(2, prefix="after"))
    lake.flusher.run()
    assert len(id_files(lake)) == 2
    lake.clock.advance(8 * DAY_S)
    send(lake)
    lake.flusher.run()
    assert len(id_files(lake)) == 1


def test_two_ids_with_one_hash_are_two_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from iafa.lake import ids as module

    monkeypatch.setattr(module, "_digest", lambda _id: 7)
    lake = TestLake(tmp_path)
    lake.write([make_event(id="one"), make_event(id="two"), make_event(id="one")])
    lake.flusher.run()
    lake.write([make_event(id="two"), make_event(id="three")])
    assert ids(lake.take()) == ["one", "three", "two"]
    lake.flusher.run()
    assert ids(lake.take()) == ["one", "three", "two"]


def test_memory_and_descriptors_stay_bounded_whatever_is_looked_at(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(6):
        lake.write(make_events(3, prefix=str(number)))
        lake.flusher.run()
    lake.write(make_events(MAPPED_ROWS_MIN, prefix="many"))
    lake.write(make_events(MAPPED_ROWS_MIN, prefix="more"))
    lake.flusher.run()
    files = lake.manifests.latest(PROJECT).files
    wanted = read_files(lake.layout.project(PROJECT), files, columns=["id"]).column("id")
    before = len(list(Path("/proc/self/fd").iterdir()))
    stored = StoredIds(lake.layout, read_rows_max=5, mapped_files_max=1)
    for _ in range(2):
        assert stored.mask(PROJECT, files, wanted, id_hashes(wanted)).all()
    assert len(list(Path("/proc/self/fd").iterdir())) - before <= 2
    assert stored.read_rows <= 5


def write_and_wait(root: Path, acknowledged: "multiprocessing.synchronize.Event") -> None:
    lake = TestLake(root)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(5, prefix="dead")), 5)
    acknowledged.set()
    multiprocessing.Event().wait()


def test_journal_of_a_killed_worker_is_adopted_while_another_one_lives(tmp_path: Path) -> None:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.support.crasher"])
    lake = TestLake(tmp_path)
    living = lake.open_journal()
    living.append_blocking(PROJECT, NOON_US, encode(make_events(5, prefix="live")), 5)
    acknowledged = context.Event()
    worker = context.Process(target=write_and_wait, args=(tmp_path, acknowledged))
    worker.start()
    assert acknowledged.wait(60)
    lake.flusher.run()
    assert len(journals(lake.layout.journal)) == 2, "both live: nothing is sealed"
    worker.kill()
    worker.join()
    flushed = lake.flusher.run()
    assert (flushed.segments, flushed.events) == (1, 5)
    assert [epoch for epoch, _ in journals(lake.layout.journal)] == [living.epoch]
    assert len(ids(lake.take())) == 10
    living.append_blocking(PROJECT, NOON_US, encode([make_event(id="dead-0"), make_event(id="still")]), 2)
    living.close()
    assert lake.flusher.run().duplicates == 1
    assert len(ids(lake.take())) == 11


def test_other_projects_may_use_the_same_id(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for project_id in (PROJECT, OTHER_PROJECT):
        send(lake, project_id)
    lake.flusher.run()
    assert ids(lake.take()) == ids(lake.take(OTHER_PROJECT)) == SAME

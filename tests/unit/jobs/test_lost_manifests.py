"""After the manifests of a project are lost and repaired, nothing that follows destroys or doubles anything."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from iafa import durable
from iafa.clock import US_PER_DAY
from iafa.jobs.repair import Repairer
from iafa.jobs.verify import Verifier
from iafa.lake.rollups import Rollups
from tests.support.events import NOON_US, PROJECT, make_event, make_events
from tests.support.lake import WINDOW_US, TestLake, ids


def write(lake: TestLake, *names: str, days_ago: int = 0) -> None:
    created_us = lake.clock.now_us() - days_ago * US_PER_DAY
    lake.write([make_event(id=name, created_at=created_us) for name in names])
    lake.flusher.run()


def lose_and_repair(lake: TestLake) -> TestLake:
    shutil.rmtree(lake.layout.manifests(PROJECT), ignore_errors=True)
    return repaired(lake)


def repaired(lake: TestLake) -> TestLake:
    lake = TestLake(lake.root, clock=lake.clock)
    report = Verifier(lake.layout, lake.manifests, lake.clock, WINDOW_US).run()
    Repairer(lake.layout, lake.manifests, lake.appender, lake.clock).run(report)
    return TestLake(lake.root, clock=lake.clock)


def test_a_merge_takes_no_name_of_a_file_that_is_there(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    sent = []
    for round_ in range(5):
        for number in range(8):
            sent.append(f"b{round_}-{number}")
            write(lake, sent[-1])
        lake.compactor.run()
    listed = {file.path for file in lake.manifests.latest(PROJECT).files}
    directory = lake.layout.project(PROJECT)
    for path in directory.glob("2*/*/*.parquet"):
        if path.relative_to(directory).as_posix() not in listed:
            path.unlink()
    lake = lose_and_repair(lake)
    # Generations begin anew: every number that a merged file was ever named by comes again.
    for number in range(40):
        sent.append(f"later-{number}")
        write(lake, sent[-1])
        lake.compactor.run()
    files = [file.path for file in lake.manifests.latest(PROJECT).files]
    assert len(files) == len(set(files))
    assert sorted(ids(lake.take())) == sorted(sent)


def test_an_id_that_came_again_after_the_window_is_taken_in_again(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    write(lake, "X")
    lake.clock.advance(9 * 86_400)
    write(lake, "X", "Y")
    before = sorted(ids(lake.take()))
    assert before == ["X", "X", "Y"]
    assert sorted(ids(lose_and_repair(lake).take())) == before


def test_roll_ups_are_taken_in_again_and_never_removed_as_strays(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    write(lake, *(f"old-{number}" for number in range(3)), days_ago=60)
    write(lake, *(f"new-{number}" for number in range(30)))
    lake.clock.advance(9 * 86_400)
    lake.retention(30).run(actor="test", force=True)
    (before,) = lake.manifests.latest(PROJECT).rollups
    lake.clock.advance(601)
    lake.retention(30).run(actor="test", force=True)  # empties the trash
    shutil.rmtree(lake.layout.manifests(PROJECT))
    for path in lake.layout.rollups.rglob("*.parquet"):
        os.utime(path, (1, 1))
    lake = TestLake(tmp_path, clock=lake.clock)
    write(lake, "after")  # a first generation that knows of no roll-up
    lake.retention(30).run(actor="test", force=True)
    lake = repaired(lake)
    assert lake.manifests.latest(PROJECT).rollups == (before,)


def test_a_stray_file_of_a_day_that_is_rolled_up_is_not_counted_again(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for number in range(9):
        write(lake, f"old-{number}", days_ago=60)
    write(lake, *(f"new-{number}" for number in range(90)))
    lake.clock.advance(9 * 86_400)

    def die(name: str) -> None:
        if name == "compact.before_commit":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        TestLake(tmp_path, clock=lake.clock, hit=die).compactor.run()
    lake.retention(30).run(actor="test", force=True)
    lake = repaired(lake)
    lake.retention(30).run(actor="test", force=True)
    manifest = lake.manifests.latest(PROJECT)
    rows = Rollups(lake.layout, PROJECT, manifest.rollups).table(manifest.rollups).to_pylist()
    assert {row["events"] for row in rows} == {9}
    assert sum(file.rows for file in manifest.files) == 90


def test_a_journal_goes_only_behind_a_manifest_whose_folder_is_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sync of the folder fails once, behind the link: the next run finds the events absorbed."""
    lake = TestLake(tmp_path)
    calls: list[str] = []
    folder = lake.layout.manifests(PROJECT)
    sync_dir, unlink = durable.sync_dir, durable.unlink

    def sync(path: Path) -> None:
        if path == folder and "failed" not in calls:
            calls.append("failed")
            raise OSError(errno.EIO, "Input/output error")
        calls.append("manifest synced" if path == folder else "other")
        sync_dir(path)

    def gone(path: Path) -> None:
        calls.append("segment unlinked" if path.suffix == ".ndjson" else "other")
        unlink(path)

    lake.write(make_events(3, created_at=NOON_US))
    for module in ("iafa.durable", "iafa.jobs.flush"):
        monkeypatch.setattr(f"{module}.sync_dir", sync)
        monkeypatch.setattr(f"{module}.unlink", gone)
    with pytest.raises(OSError, match="Input/output"):
        lake.flusher.run()
    lake.flusher.run()
    told = [call for call in calls if call != "other"]
    assert told == ["failed", "manifest synced", "segment unlinked"]
    assert len(ids(lake.take())) == 3

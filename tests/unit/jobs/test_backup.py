"""A backup of a directory that goes on working, and what comes back from it: every acknowledged event, once."""

import json
import os
import signal
import stat
from pathlib import Path

import msgspec
import pytest

from iafa.clock import US_PER_DAY
from iafa.errors import DataDamaged, WrongUsage
from iafa.failpoints import Failpoints, Hit, no_failpoints
from iafa.ingest.salts import Salts
from iafa.ingest.usage import Usage, open_usage
from iafa.jobs.backup import Backup, Made
from iafa.jobs.backup_contents import LIST_NAME, read_contents
from iafa.jobs.restore import Restore, Restored
from iafa.jobs.verify import Verifier
from iafa.journal.epoch import read_epoch
from iafa.lake.dropped import drop
from iafa.locks import take
from iafa.meta.json_file import JsonFile
from iafa.meta.saved import open_saved
from iafa.seal import sealed
from tests.support.crasher import killed_at
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, encode, make_events
from tests.support.lake import WINDOW_US, TestLake, ids

SECRET = b"an obvious placeholder, not a secret"


class Note(msgspec.Struct):
    text: str


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """A merged day, parts of two days, waiting events of a dead and of a living journal, metadata and a secret."""
    lake = TestLake(tmp_path / "data")
    lake.write(make_events(4, prefix="merged"))
    lake.flusher.run()
    lake.compactor.run(everything=True)
    for prefix, created_at in (("old", NOON_US - US_PER_DAY), ("part", NOON_US)):
        lake.write(make_events(3, prefix=prefix, created_at=created_at))
        lake.flusher.run()
    lake.write(make_events(2, prefix="other"), project_id=OTHER_PROJECT)
    lake.flusher.run()
    lake.write(make_events(5, prefix="waiting"))
    JsonFile(lake.root, "projects", Note, clock=lake.clock).change_now(lambda records: records.update(x=Note("a")))
    secret = lake.root / "config" / "secret_key"
    secret.parent.mkdir()
    secret.write_bytes(SECRET)
    return lake


def back_up(lake: TestLake, target: Path, *, may_link: bool = True, hit: Hit = no_failpoints) -> Made:
    return Backup(lake.layout, lake.manifests, lake.clock, target, may_link, hit).run()


def restore(lake: TestLake, target: Path, *, force: bool = False) -> Restored:
    return Restore(target, lake.root, lake.clock).run(force=force)


def reopened(lake: TestLake) -> TestLake:
    return TestLake(lake.root, clock=lake.clock)


def wiped(lake: TestLake) -> None:
    os.rename(lake.root, lake.root.with_name("lost"))


def problems(lake: TestLake) -> list[str]:
    report = Verifier(lake.layout, lake.manifests, lake.clock, WINDOW_US).run()
    return [f"{finding.path}: {finding.what}" for finding in report.problems]


async def test_boards_notes_and_links_come_back_with_their_tokens(lake: TestLake, tmp_path: Path) -> None:
    saved = open_saved(lake.root, lake.clock)
    view = await saved.views.add(PROJECT, name="Buyers", card={"kind": "note", "question": {"text": "a"}})
    board = await saved.boards.add(PROJECT, name="Monday", range=None, cards=())
    note = await saved.notes.add(PROJECT, start="2025-11-20", end=None, text="New prices")
    share, token = await saved.shares.make(PROJECT, kind="view", target_id=view.id, question={})
    back_up(lake, tmp_path / "backup")
    wiped(lake)
    restore(lake, tmp_path / "backup")
    again = open_saved(lake.root, lake.clock)
    assert [await again.views.of_project(PROJECT), await again.boards.of_project(PROJECT)] == [[view], [board]]
    assert [await again.notes.of_project(PROJECT), await again.shares.by_token(token)] == [[note], share]
    assert problems(reopened(lake)) == []
    boards = lake.root / "metadata" / "boards.json"
    boards.write_bytes(boards.read_bytes().replace(b"Monday", b"Sunday"))
    assert [found for found in problems(reopened(lake)) if "boards.json" in found]


@pytest.mark.parametrize("may_link", [True, False], ids=["links", "copies"])
def test_what_was_backed_up_comes_back(lake: TestLake, tmp_path: Path, may_link: bool) -> None:
    before = ids(lake.take())
    made = back_up(lake, tmp_path / "backup", may_link=may_link)
    assert (made.left_out, made.linked) == ([], 4 if may_link else 0)
    wiped(lake)
    restore(lake, tmp_path / "backup")
    again = reopened(lake)
    assert problems(again) == []
    assert ids(again.take()) == before
    assert len(ids(again.take(OTHER_PROJECT))) == 2
    again.flusher.run()
    assert ids(again.take()) == before
    assert problems(again) == []
    secret = lake.root / "config" / "secret_key"
    assert (secret.read_bytes(), stat.S_IMODE(secret.stat().st_mode)) == (SECRET, 0o600)
    assert {stat.S_IMODE(path.stat().st_mode) for path in lake.root.rglob("*")} == {0o600, 0o700}


def test_the_living_journal_is_copied_as_far_as_it_is_acknowledged(lake: TestLake, tmp_path: Path) -> None:
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, lake.clock.now_us(), encode(make_events(2, prefix="live")), 2)
    with open(journal.directory / "000001.ndjson", "ab") as segment:
        segment.write(b'{"v":1,"q":99,"never":"acknowledged"')
    before = ids(lake.take())
    back_up(lake, tmp_path / "backup")
    journal.close()
    wiped(lake)
    restore(lake, tmp_path / "backup")
    assert ids(reopened(lake).take()) == before
    assert problems(reopened(lake)) == []


@pytest.mark.parametrize("nth", [0, 1, 2, 3, 4])
def test_flush_and_compaction_between_any_two_steps_lose_and_repeat_nothing(
    lake: TestLake, tmp_path: Path, nth: int
) -> None:
    """At the nth step everything waiting is flushed, all is merged, and the merged parts are removed at once."""
    before, steps = ids(lake.take()), []

    def disturb(name: str) -> None:
        steps.append(name)
        if len(steps) == nth + 1:
            lake.flusher.run()
            lake.compactor.run(everything=True)
            lake.clock.advance(601)
            lake.compactor.run()

    back_up(lake, tmp_path / "backup", hit=disturb)
    wiped(lake)
    restore(lake, tmp_path / "backup")
    again = reopened(lake)
    assert ids(again.take()) == before
    again.flusher.run()
    assert ids(again.take()) == before
    assert problems(again) == []


def test_a_file_that_is_damaged_already_is_left_out_and_named(lake: TestLake, tmp_path: Path) -> None:
    first, second = sorted(lake.take().files)[:2]
    first.write_bytes(first.read_bytes()[:-7] + b"changed")
    second.unlink()
    made = back_up(lake, tmp_path / "backup", may_link=False)
    assert sorted(made.left_out) == [path.relative_to(lake.root).as_posix() for path in (first, second)]
    assert read_contents(tmp_path / "backup").left_out == tuple(made.left_out)
    wiped(lake)
    restore(lake, tmp_path / "backup")
    assert len(problems(reopened(lake))) == 2


def test_a_deleted_project_stays_deleted(lake: TestLake, tmp_path: Path) -> None:
    drop(lake.layout, OTHER_PROJECT)
    lake.write(make_events(1, prefix="late"), project_id=OTHER_PROJECT)
    lake.compactor.run()
    back_up(lake, tmp_path / "backup")
    wiped(lake)
    restore(lake, tmp_path / "backup")
    again = reopened(lake)
    again.flusher.run()
    assert OTHER_PROJECT not in again.layout.project_ids()


@pytest.mark.parametrize("place", ["data", "data/backup", "data/new/backup", ".", "full", "a_file"])
def test_places_for_a_backup_that_are_refused(lake: TestLake, tmp_path: Path, place: str) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    (tmp_path / "a_file").touch()
    with pytest.raises(WrongUsage):
        back_up(lake, tmp_path / place)


@pytest.mark.parametrize("point", ["snapshot_taken:1", "file_copied:1", "file_copied:4", "before_seal:1"])
def test_a_backup_that_was_killed_is_not_taken_for_one(lake: TestLake, tmp_path: Path, point: str) -> None:
    before = ids(lake.take())
    assert killed_at(back_up_killed, lake.root, tmp_path / "backup", f"backup.{point}:kill") == -signal.SIGKILL
    with pytest.raises(DataDamaged, match=r"not a finished backup: backup\.json"):
        restore(lake, tmp_path / "backup", force=True)
    with pytest.raises(WrongUsage, match="not an empty folder"):
        back_up(lake, tmp_path / "backup")
    assert ids(reopened(lake).take()) == before
    assert problems(reopened(lake)) == []


def back_up_killed(root: Path, target: Path, point: str) -> None:
    back_up(TestLake(root), target, hit=Failpoints(point).hit)


@pytest.mark.parametrize("point", ["restore_file_copied:1", "restore_file_copied:5", "restore_before_swap:1"])
@pytest.mark.parametrize("is_wiped", [True, False])
def test_a_restore_that_was_killed_is_done_again(lake: TestLake, tmp_path: Path, point: str, is_wiped: bool) -> None:
    before = ids(lake.take())
    back_up(lake, tmp_path / "backup")
    if is_wiped:
        wiped(lake)
    assert killed_at(restore_killed, lake.root, tmp_path / "backup", f"backup.{point}:kill") == -signal.SIGKILL
    assert lake.root.exists() is not is_wiped
    if not is_wiped:
        assert ids(reopened(lake).take()) == before
    restore(lake, tmp_path / "backup", force=True)
    assert ids(reopened(lake).take()) == before
    assert not list(tmp_path.glob(".*restoring"))


def restore_killed(root: Path, backup: Path, point: str) -> None:
    lake = TestLake(root.with_name("unused"))
    Restore(backup, root, lake.clock, Failpoints(point).hit).run(force=True)


def test_every_damaged_or_missing_file_of_a_backup_is_found(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup", may_link=False)
    wiped(lake)
    for file in [*(tmp_path / "backup").rglob("*")]:
        if not file.is_file():
            continue
        data = file.read_bytes()
        for damaged in (data[:-1] + bytes([data[-1] ^ 1]), None):
            file.write_bytes(damaged) if damaged is not None else file.unlink()
            with pytest.raises(DataDamaged, match=file.name):
                restore(lake, tmp_path / "backup")
            file.write_bytes(data)
            assert not lake.root.exists()
    restore(lake, tmp_path / "backup")


def test_a_backup_of_a_newer_format_or_with_a_path_outside_is_refused(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup")
    path = tmp_path / "backup" / LIST_NAME
    contents = json.loads(path.read_bytes())
    path.write_bytes(sealed(json.dumps(contents | {"format": 9}).encode()))
    with pytest.raises(DataDamaged, match="has format 9"):
        restore(lake, tmp_path / "backup", force=True)
    contents["files"][0]["path"] = "../outside"
    path.write_bytes(sealed(json.dumps(contents).encode()))
    with pytest.raises(DataDamaged, match="outside of a data directory"):
        restore(lake, tmp_path / "backup", force=True)


def test_a_directory_that_is_not_empty_is_moved_aside_only_when_forced(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup")
    lake.write(make_events(1, prefix="later"))
    with pytest.raises(WrongUsage, match="not empty"):
        restore(lake, tmp_path / "backup")
    restored = restore(lake, tmp_path / "backup", force=True)
    assert restored.moved_to is not None
    assert "later-0" not in ids(reopened(lake).take())
    assert "later-0" in ids(TestLake(restored.moved_to, clock=lake.clock).take())


def test_a_directory_that_is_served_is_not_replaced(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup")
    lock = take(lake.layout.server_lock)
    assert lock is not None
    with pytest.raises(WrongUsage, match="being served"):
        restore(lake, tmp_path / "backup", force=True)
    lock.release()


def test_numbers_of_process_starts_after_the_backup_are_not_given_again(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup")
    for number in range(7):
        lake.write(make_events(1, prefix=f"later{number}"))
    lost = read_epoch(lake.layout.journal) or 0
    restore(lake, tmp_path / "backup", force=True)
    journal = reopened(lake).open_journal()
    journal.close()
    assert journal.epoch > lost


def test_restoring_into_an_empty_folder_and_never_into_the_backup(lake: TestLake, tmp_path: Path) -> None:
    back_up(lake, tmp_path / "backup")
    (tmp_path / "empty").mkdir()
    Restore(tmp_path / "backup", tmp_path / "empty", lake.clock).run()
    assert ids(TestLake(tmp_path / "empty", clock=lake.clock).take()) == ids(lake.take())
    for place in (tmp_path / "backup", tmp_path / "backup" / "in", tmp_path):
        with pytest.raises(WrongUsage):
            Restore(tmp_path / "backup", place, lake.clock).run(force=True)


def test_counts_of_the_month_come_back_and_a_salt_that_is_thrown_away_does_not(lake: TestLake, tmp_path: Path) -> None:
    usage = Usage(open_usage(lake.layout.usage, lake.layout.tmp), lake.clock)
    usage.add(PROJECT, 7)
    usage.share()
    salts = Salts(lake.layout.salts, lake.layout.tmp, lake.clock)
    before = salts.of("daily", b"own"), salts.of("monthly", b"own")
    secret = [path.read_bytes() for path in lake.layout.salts.iterdir()]
    assert len(secret) == 2
    back_up(lake, tmp_path / "backup")
    copied = [path.read_bytes() for path in (tmp_path / "backup").rglob("*") if path.is_file()]
    assert not [data for data in copied for salt in secret if salt in data]
    wiped(lake)
    restore(lake, tmp_path / "backup")
    assert Usage(open_usage(lake.layout.usage, lake.layout.tmp), lake.clock).of(PROJECT) == 7
    after = Salts(lake.layout.salts, lake.layout.tmp, lake.clock)
    assert {after.of("daily", b"own"), after.of("monthly", b"own")}.isdisjoint(before)
    assert after.of("fixed", b"own") == b"own", "it is the project's own, in its record"

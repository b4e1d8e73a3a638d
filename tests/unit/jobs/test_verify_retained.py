"""Roll-ups, the audit log, held records and the quarantine: verified, repaired and backed up like events."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pytest

from iafa.audit import AuditLog, audit_files
from iafa.audit import verify as audit_problems
from iafa.cli.options import read_settings
from iafa.jobs.backup import Backup
from iafa.jobs.findings import Kind, Report
from iafa.jobs.repair import Step
from iafa.jobs.restore import Restore
from iafa.jobs.verify import Verifier
from iafa.journal.epoch import write_epoch
from iafa.lake.held import held_files
from iafa.lake.manifest import Manifests
from iafa.lake.rollups import Rollups
from iafa.locks import held
from iafa.wiring import open_house
from tests.support.crasher import damage_manifest
from tests.support.events import PROJECT, encode, make_events
from tests.support.history import past_days
from tests.support.lake import WINDOW_US, TestLake, ids

ALL_DAYS = (date(2000, 1, 1), date(2100, 1, 1))


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """Ten days that are only roll-ups, thirty days of events, an audit log with two lines."""
    lake, _events = past_days(tmp_path / "data")
    assert lake.retention(35).run(actor="test", force=True).is_whole
    assert lake.retention(30).run(actor="test", force=True).is_whole
    return lake


def verify(lake: TestLake) -> Report:
    return Verifier(lake.layout, Manifests(lake.layout, lake.clock, grace_s=600), lake.clock, WINDOW_US).run()


def repair(lake: TestLake, backup: Path | None = None) -> list[Step]:
    """As the command does it, with its audit log."""
    report = verify(lake)
    house = open_house(read_settings(data_dir=lake.root), lake.clock)
    with held(lake.layout.writer_lock):
        return house.repairer(backup, actor="command:test").run(report)


def back_up(lake: TestLake, target: Path) -> Path:
    made = Backup(lake.layout, lake.manifests, lake.clock, target, False).run()
    assert made.left_out == []
    return target


def rollup(lake: TestLake) -> Path:
    (file,) = lake.manifests.latest(PROJECT).rollups
    return lake.layout.lake_file(PROJECT, file.path)


def rolled_up_events(lake: TestLake) -> int:
    files = Manifests(lake.layout, lake.clock).latest(PROJECT).rollups
    return sum(one.events for one in Rollups(lake.layout, PROJECT, files).counts(*ALL_DAYS, [None]))


def flip(path: Path, share: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def log(lake: TestLake) -> Path:
    return audit_files(lake.layout.audit)[-1]


def log_lines(lake: TestLake) -> list[dict[str, object]]:
    lines = [line for path in audit_files(lake.layout.audit) for line in path.read_bytes().splitlines()]
    return [msgspec.json.decode(line) for line in lines]


def a_line_gone(lake: TestLake) -> None:
    log(lake).write_bytes(b"".join(log(lake).read_bytes().splitlines(keepends=True)[1:]))


CASES: dict[str, tuple[Callable[[TestLake], object], Kind]] = {
    "roll-up flipped": (lambda lake: flip(rollup(lake)), Kind.ROLLUP_DAMAGED),
    "roll-up cut": (lambda lake: cut(rollup(lake)), Kind.ROLLUP_DAMAGED),
    "roll-up lost": (lambda lake: rollup(lake).unlink(), Kind.ROLLUP_MISSING),
    "line changed": (lambda lake: flip(log(lake), 0.1), Kind.AUDIT_BROKEN),
    "line gone": (a_line_gone, Kind.AUDIT_BROKEN),
    "end gone": (lambda lake: log(lake).write_bytes(b""), Kind.AUDIT_BROKEN),
    "head damaged": (lambda lake: cut(lake.layout.audit / "head.json"), Kind.AUDIT_BROKEN),
}


def test_a_directory_with_roll_ups_and_a_log_is_sound(lake: TestLake) -> None:
    report = verify(lake)
    assert report.problems == []
    assert (report.looked_at["rollups"], report.looked_at["audit_logs"]) == (1, 1)
    assert rolled_up_events(lake) > 0


@pytest.mark.parametrize("name", CASES)
def test_each_damage_is_found_repaired_and_noted(lake: TestLake, tmp_path: Path, name: str) -> None:
    damage, kind = CASES[name]
    counted, backup = rolled_up_events(lake), back_up(lake, tmp_path / "backup")
    damage(lake)
    assert {finding.kind for finding in verify(lake).problems} == {kind}
    steps = repair(lake, backup)
    assert verify(lake).problems == []
    assert rolled_up_events(lake) == counted
    (last,) = log_lines(lake)[-1:]
    assert (last["actor"], last["action"]) == ("command:test", f"repair.{steps[-1].action}")
    assert last["object"] == f"file:{steps[-1].path}"


def test_a_roll_up_that_is_in_no_backup_is_taken_off_and_kept_aside(lake: TestLake) -> None:
    path = rollup(lake)
    flip(path)
    (step,) = repair(lake)
    assert step.action == "taken_off"
    assert verify(lake).problems == []
    assert rolled_up_events(lake) == 0
    assert (lake.layout.damaged / path.relative_to(lake.root)).exists()


def test_a_new_log_begins_and_the_broken_one_is_kept(lake: TestLake) -> None:
    a_line_gone(lake)
    repair(lake)
    assert audit_problems(lake.layout.audit) == []
    assert [line["n"] for line in log_lines(lake)] == [1]
    assert audit_files(lake.layout.damaged / "audit")


def test_a_line_that_a_crash_left_unfinished_is_no_problem(lake: TestLake) -> None:
    with open(log(lake), "ab") as file:
        file.write(b'{"v":1,"n":3')
    report = verify(lake)
    assert (report.problems, [finding.kind for finding in report.findings if finding.path == "audit"]) == (
        [],
        [Kind.AUDIT_UNFINISHED],
    )


def test_a_roll_up_of_a_killed_run_is_only_mentioned_and_goes_by_itself(lake: TestLake) -> None:
    stray = rollup(lake).with_name("rollup_2025-10.g99.parquet")
    stray.write_bytes(rollup(lake).read_bytes())
    report = verify(lake)
    assert report.problems == []
    assert Kind.ROLLUP_LEFT_OVER in {finding.kind for finding in report.findings}


def test_a_replaced_roll_up_whose_time_is_over_is_mentioned_where_it_lies(lake: TestLake) -> None:
    lake.clock.advance(7 * 86_400)
    overdue = [finding.path for finding in verify(lake).findings if finding.kind is Kind.TRASH_OVERDUE]
    assert any(path.startswith("rollups/project_") for path in overdue)
    assert all((lake.root / path).exists() for path in overdue)


def test_a_backup_holds_the_roll_ups_of_its_generation_and_a_restore_is_noted(lake: TestLake, tmp_path: Path) -> None:
    clock_record = lake.layout.clock_record.read_bytes()
    (lake.layout.run / "worker-0.json").parent.mkdir(exist_ok=True)
    (lake.layout.run / "worker-0.json").write_bytes(b"{}")
    counted, before = rolled_up_events(lake), ids(lake.take())
    backup = back_up(lake, tmp_path / "backup")
    assert {path.name for path in backup.iterdir()} & {"run", "index", "tmp", "locks"} == set()
    assert len(list((backup / "rollups").rglob("*.parquet"))) == 1, "replaced ones stay behind"
    os.rename(lake.root, lake.root.with_name("lost"))
    Restore(backup, lake.root, lake.clock, actor="command:test").run()
    assert verify(lake).problems == []
    assert (rolled_up_events(lake), ids(TestLake(lake.root, clock=lake.clock).take())) == (counted, before)
    assert lake.layout.clock_record.read_bytes() == clock_record
    assert [line["action"] for line in log_lines(lake)] == ["retention.remove", "retention.remove", "backup.restore"]


def test_a_backup_with_a_broken_log_is_restored_all_the_same(lake: TestLake, tmp_path: Path) -> None:
    cut(lake.layout.audit / "head.json")
    backup = back_up(lake, tmp_path / "backup")
    os.rename(lake.root, lake.root.with_name("lost"))
    Restore(backup, lake.root, lake.clock).run()
    assert {finding.kind for finding in verify(lake).problems} == {Kind.AUDIT_BROKEN}


def test_damaged_records_of_a_stuck_project_are_found_kept_and_counted(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    write_epoch(lake.layout.journal, 1)  # without one a lake that cannot be read lets no journal open
    broken = damage_manifest(lake.layout, PROJECT)
    for prefix in ("one", "two", "three"):
        lake.write(make_events(2, prefix=prefix))
        lake.flusher.run()
    first, second, third = (one.path for one in held_files(lake.layout, PROJECT))
    flip(first)
    cut(second)
    problems = {finding.path: finding.kind for finding in verify(lake).problems}
    assert verify(lake).looked_at["held_records"] == 1
    assert problems[first.relative_to(lake.root).as_posix()] is Kind.JOURNAL_DAMAGED
    assert problems[second.relative_to(lake.root).as_posix()] is Kind.JOURNAL_DAMAGED
    assert third.relative_to(lake.root).as_posix() not in problems
    whole = [first.read_bytes(), second.read_bytes()]
    broken.unlink()
    lake = TestLake(lake.root)
    lake.flusher.run()
    assert len(ids(lake.take())) == 2
    kept = [path.read_bytes() for path in sorted((lake.layout.journal / "damaged").iterdir())]
    assert kept == whole
    assert lake.counters.read()["journal_damaged_records"] == {"": 2}


def test_a_held_file_that_lost_its_last_records_is_found(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    write_epoch(lake.layout.journal, 1)
    damage_manifest(lake.layout, PROJECT)
    journal = lake.open_journal()
    for prefix in ("one", "two"):
        events = make_events(2, prefix=prefix)
        journal.append_blocking(PROJECT, lake.clock.now_us(), encode(events), len(events))
    journal.close()
    lake.flusher.run()
    (one,) = held_files(lake.layout, PROJECT)
    one.path.write_bytes(one.path.read_bytes().splitlines(keepends=True)[0])
    assert Kind.JOURNAL_CUT in {finding.kind for finding in verify(lake).problems}


def test_a_quarantine_file_comes_back_from_a_backup_or_goes_aside(lake: TestLake, tmp_path: Path) -> None:
    path = lake.layout.quarantine(PROJECT) / "2025" / "11" / "rejected_2025-11-21.parquet"
    path.parent.mkdir(parents=True)
    whole = rollup(lake).read_bytes()
    path.write_bytes(whole)
    backup = back_up(lake, tmp_path / "backup")
    for source, action in ((backup, "restored"), (None, "moved_aside")):
        cut(path)
        assert [step.action for step in repair(lake, source)] == [action]
        assert verify(lake).problems == []
        assert path.exists() == (action == "restored")


def test_an_entry_can_be_added_while_the_log_is_verified(lake: TestLake) -> None:
    AuditLog(lake.layout.audit, lake.clock).add("test", "test.note", "nothing", {})
    assert verify(lake).problems == []

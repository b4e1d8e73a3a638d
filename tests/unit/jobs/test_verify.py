"""`iafa verify` finds every damaged, missing and unlisted file, and the repair loses nothing that can be kept."""

import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from iafa.clock import US_PER_DAY
from iafa.event import Dropped
from iafa.jobs import verify_lake
from iafa.jobs.findings import MEANINGS, Kind, Report
from iafa.jobs.repair import Repairer, Step
from iafa.jobs.verify import Verifier
from iafa.jobs.verify_files import read_completely
from iafa.journal.epoch import read_epoch
from iafa.lake.drop_counts import DropCounts, Tally
from iafa.lake.layout import drop_counts_path
from iafa.lake.manifest import Manifests
from iafa.lake.snapshot import Snapshots
from iafa.locks import held
from iafa.meta.json_file import JsonFile
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, make_events
from tests.support.lake import WINDOW_US, TestLake, ids

DAY, PART, OLD = "events_2025-11-21.parquet", "events_2025-11-21.j3-1-1.parquet", "events_2025-11-20.j2-1-1.parquet"


class Note(msgspec.Struct):
    text: str


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """A merged day, a part of the same day, a part of another day, waiting events, another project, metadata."""
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
    for text in ("first", "second"):
        notes(lake).change_now(lambda records, text=text: records.update({PROJECT: Note(text)}))  # type: ignore[misc]
    return lake


def notes(lake: TestLake) -> JsonFile[Note]:
    return JsonFile(lake.root, "projects", Note, clock=lake.clock)


def verify(lake: TestLake, project_id: str | None = None) -> Report:
    return Verifier(lake.layout, Manifests(lake.layout, lake.clock, grace_s=600), lake.clock, WINDOW_US).run(project_id)


def repair(lake: TestLake, backup: Path | None = None) -> list[Step]:
    lake.manifests = Manifests(lake.layout, lake.clock, grace_s=600)
    lake.__post_init__()
    repairer = Repairer(lake.layout, lake.manifests, lake.appender, lake.clock, backup)
    report = verify(lake)
    with held(lake.layout.writer_lock):
        return repairer.run(report)


def path_of(lake: TestLake, name: str) -> Path:
    (path,) = lake.layout.project(PROJECT).rglob(name)
    return path


def newest_manifest(lake: TestLake) -> Path:
    return max(lake.layout.manifests(PROJECT).iterdir())


def flip(path: Path, share: float = 0.5) -> None:
    data = bytearray(path.read_bytes())
    data[int(len(data) * share)] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def lines_damaged(lake: TestLake) -> None:
    (path,) = lake.layout.journal.glob("*/*.ndjson")
    flip(path)


def unlisted_copy(lake: TestLake) -> None:
    """A part whose ids the lake does not know: as if the manifest that names it had been lost."""
    table = pq.read_table(path_of(lake, PART), partitioning=None)
    new = table.set_column(0, table.schema.field(0), [[f"unlisted-{row}" for row in range(table.num_rows)]])
    pq.write_table(new, path_of(lake, PART).with_name("events_2025-11-21.j9-1-1.parquet"))


def quarantine_damaged(lake: TestLake) -> None:
    path = lake.root / "quarantine" / f"project_{PROJECT}" / "2025" / "11" / "rejected_2025-11-21.parquet"
    path.parent.mkdir(parents=True)
    path.write_bytes(path_of(lake, PART).read_bytes())
    cut(path)


def counts_damaged(lake: TestLake) -> None:
    tally = Tally(PROJECT, NOON_US, Dropped(code="duplicate", count=2))
    DropCounts(lake.layout).add(1, 1, [tally])
    assert verify(lake).problems == []
    flip(lake.layout.quarantine(PROJECT) / drop_counts_path(date(2025, 11, 21)), 0.3)


Damage = Callable[[TestLake], object]
CASES: dict[str, tuple[Damage, Kind]] = {
    "manifest flipped": (lambda lake: flip(newest_manifest(lake)), Kind.MANIFEST_DAMAGED),
    "manifest cut": (lambda lake: cut(newest_manifest(lake)), Kind.MANIFEST_DAMAGED),
    "manifest empty": (lambda lake: newest_manifest(lake).write_bytes(b""), Kind.MANIFEST_DAMAGED),
    "old manifest flipped": (
        lambda lake: flip(min(lake.layout.manifests(PROJECT).iterdir())),
        Kind.MANIFEST_OLD_DAMAGED,
    ),
    "day flipped": (lambda lake: flip(path_of(lake, DAY)), Kind.FILE_DAMAGED),
    "part cut": (lambda lake: cut(path_of(lake, PART)), Kind.FILE_DAMAGED),
    "part lost": (lambda lake: path_of(lake, PART).unlink(), Kind.FILE_MISSING),
    "part of no manifest": (unlisted_copy, Kind.FILE_UNLISTED),
    "newest manifest lost": (lambda lake: newest_manifest(lake).unlink(), Kind.FILE_UNLISTED),
    "quarantine flipped": (quarantine_damaged, Kind.RECORDS_DAMAGED),
    "counts of drops flipped": (counts_damaged, Kind.RECORDS_DAMAGED),
    "journal flipped": (lines_damaged, Kind.JOURNAL_DAMAGED),
    "journal cut": (lambda lake: cut(next(lake.layout.journal.glob("*/*.ndjson"))), Kind.JOURNAL_CUT),
    "position flipped": (lambda lake: flip(next(lake.layout.journal.glob("*/acked"))), Kind.JOURNAL_POSITION),
    "epoch flipped": (lambda lake: flip(lake.layout.journal / "epoch"), Kind.EPOCH_DAMAGED),
    "epoch lost": (lambda lake: (lake.layout.journal / "epoch").unlink(), Kind.EPOCH_DAMAGED),
    "metadata flipped": (lambda lake: flip(notes(lake).path), Kind.METADATA_DAMAGED),
    "metadata lost": (lambda lake: notes(lake).path.unlink(), Kind.METADATA_DAMAGED),
    "previous metadata cut": (lambda lake: cut(notes(lake).previous_path), Kind.METADATA_PREVIOUS),
}


def test_a_sound_directory_has_no_problem_and_nothing_is_changed(lake: TestLake) -> None:
    before = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*") if path.is_file()}
    report = verify(lake)
    assert report.problems == []
    assert {kind.kind for kind in report.findings} <= {Kind.PROJECT_UNKNOWN}
    assert report.looked_at["rows"] == 12
    assert report.looked_at["files"] == 4
    assert report.looked_at["journal_records"] == 1
    after = {path: path.stat().st_mtime_ns for path in lake.root.rglob("*") if path.is_file()}
    assert {path: time for path, time in after.items() if "lock" not in path.name} == {
        path: time for path, time in before.items() if "lock" not in path.name
    }


@pytest.mark.parametrize("name", CASES)
def test_each_damage_is_found_and_named(lake: TestLake, name: str) -> None:
    damage, kind = CASES[name]
    damage(lake)
    report = verify(lake)
    assert {finding.kind for finding in report.problems} == {kind}
    for finding in report.problems:
        assert (lake.root / finding.path).parent.is_dir()
        assert finding.advice


MENDED_WITHOUT_LOSS = (
    "manifest flipped",
    "manifest cut",
    "manifest empty",
    "old manifest flipped",
    "newest manifest lost",
    "epoch flipped",
    "epoch lost",
    "previous metadata cut",
)


@pytest.mark.parametrize("name", MENDED_WITHOUT_LOSS)
def test_repair_without_loss(lake: TestLake, name: str) -> None:
    before = ids(lake.take())
    CASES[name][0](lake)
    steps = repair(lake)
    assert steps
    assert verify(lake).problems == []
    assert ids(lake.take()) == before
    assert sum(step.rows for step in steps) >= 0
    lake.write(make_events(1, prefix="later"))
    lake.flusher.run()
    lake.compactor.run(everything=True)
    assert len(ids(lake.take())) == len(before) + 1


@pytest.mark.parametrize(
    ("name", "file", "lost"), [("day flipped", DAY, 4), ("part cut", PART, 3), ("part lost", PART, 3)]
)
def test_a_lost_file_is_taken_off_the_list_and_its_rows_are_stated(
    lake: TestLake, name: str, file: str, lost: int
) -> None:
    before = ids(lake.take())
    CASES[name][0](lake)
    damaged = lake.layout.project(PROJECT).joinpath("2025/11", file)
    content = damaged.read_bytes() if damaged.exists() else None
    (step,) = repair(lake)
    assert (step.action, step.rows) == ("taken_off", -lost)
    assert f"{lost} events of 2025-11-21" in step.what
    assert verify(lake).problems == []
    assert len(ids(lake.take())) == len(before) - lost
    kept = lake.layout.damaged / damaged.relative_to(lake.root)
    assert (kept.read_bytes() if kept.exists() else None) == content


@pytest.mark.parametrize("name", ["day flipped", "part cut", "part lost"])
def test_an_intact_copy_of_a_backup_is_put_back(lake: TestLake, tmp_path: Path, name: str) -> None:
    before, backup = ids(lake.take()), tmp_path / "backup"
    for path in lake.layout.project(PROJECT).rglob("*.parquet"):
        copy = backup / path.relative_to(lake.root)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    CASES[name][0](lake)
    (step,) = repair(lake, backup)
    assert (step.action, step.rows) == ("restored", 0)
    assert verify(lake).problems == []
    assert ids(lake.take()) == before


def test_a_damaged_copy_of_a_backup_is_not_put_back(lake: TestLake, tmp_path: Path) -> None:
    path = path_of(lake, PART)
    copy = tmp_path / "backup" / path.relative_to(lake.root)
    copy.parent.mkdir(parents=True)
    copy.write_bytes(path.read_bytes())
    flip(copy)
    cut(path)
    (step,) = repair(lake, tmp_path / "backup")
    assert step.action == "taken_off"


def test_an_unlisted_file_is_taken_in_once(lake: TestLake) -> None:
    unlisted_copy(lake)
    assert [step.rows for step in repair(lake)] == [3]
    assert len([one for one in ids(lake.take()) if one.startswith("unlisted")]) == 3
    assert repair(lake) == []


def test_what_is_partly_known_is_taken_in_without_what_is_known(lake: TestLake) -> None:
    known = pq.read_table(path_of(lake, PART), partitioning=None)
    column = [["part-0", "new-1", "part-2"]]
    mixed = known.set_column(0, known.schema.field(0), column)
    pq.write_table(mixed, path_of(lake, PART).with_name("events_2025-11-21.j9-1-1.parquet"))
    assert [step.rows for step in repair(lake)] == [1]
    found = ids(lake.take())
    assert len(found) == len(set(found))
    assert "new-1" in found
    assert verify(lake).problems == []


def test_all_manifests_lost_the_files_themselves_bring_the_events_back(lake: TestLake) -> None:
    before = ids(lake.take())
    for path in lake.layout.manifests(PROJECT).iterdir():
        cut(path)
    repair(lake)
    assert verify(lake).problems == []
    assert ids(lake.take()) == before


def test_metadata_goes_back_to_the_copy_before_the_last_change(lake: TestLake) -> None:
    damaged = notes(lake).path
    flip(damaged)
    content = damaged.read_bytes()
    (step,) = repair(lake)
    assert (step.action, step.path) == ("restored", "metadata/projects.json")
    assert notes(lake).read().records == {PROJECT: Note("first")}
    assert (lake.layout.damaged / "metadata/projects.json").read_bytes() == content


def test_metadata_of_which_both_copies_are_damaged_comes_from_the_backup(lake: TestLake, tmp_path: Path) -> None:
    copy = tmp_path / "backup" / "metadata" / "projects.json"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(notes(lake).path.read_bytes())
    flip(notes(lake).path)
    flip(notes(lake).previous_path)
    repair(lake)
    assert any(problem.kind is Kind.METADATA_DAMAGED for problem in verify(lake).problems)
    repair(lake, tmp_path / "backup")
    assert verify(lake).problems == []
    assert notes(lake).read().records == {PROJECT: Note("second")}


def test_the_number_after_a_repair_is_above_all_known_ones(lake: TestLake) -> None:
    (lake.layout.journal / "epoch").write_text("0")
    assert [finding.kind for finding in verify(lake).problems] == [Kind.EPOCH_DAMAGED]
    repair(lake)
    assert (read_epoch(lake.layout.journal) or 0) >= 1_005


def test_readers_that_knew_the_damaged_generation_see_the_repaired_one(lake: TestLake) -> None:
    elsewhere = Snapshots(lake.layout, Manifests(lake.layout, lake.clock), dedup_window_us=WINDOW_US)
    before = elsewhere.take(PROJECT)
    flip(newest_manifest(lake))
    repair(lake)
    after = elsewhere.take(PROJECT)
    assert after.data_version != before.data_version
    assert ids(after) == ids(before)


def test_repeated_ids_are_found_in_a_file_and_over_files(lake: TestLake) -> None:
    table = pq.read_table(path_of(lake, PART), partitioning=None)
    again = lake.appender.write(PROJECT, table, "u1")
    lake.appender.publish(PROJECT, again)
    (problem,) = verify(lake).problems
    assert (problem.kind, "3 ids" in problem.what) == (Kind.IDS_REPEATED, True)


def test_a_repeat_after_the_dedup_window_is_a_new_event(lake: TestLake) -> None:
    lake.clock.advance(8 * 86_400)
    lake.write(make_events(3, prefix="part"))
    lake.flusher.run()
    assert len([one for one in ids(lake.take()) if one.startswith("part")]) == 6
    assert verify(lake).problems == []


def test_a_file_that_leaves_the_manifest_meanwhile_is_no_problem(
    lake: TestLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    def merged_first(*arguments: object) -> object:
        monkeypatch.setattr(verify_lake, "read_completely", read_completely)
        lake.compactor.run(everything=True)
        lake.clock.advance(601)
        lake.compactor.run()
        return read_completely(*arguments)  # type: ignore[arg-type]  # handed on

    monkeypatch.setattr(verify_lake, "read_completely", merged_first)
    assert verify(lake).problems == []


def test_one_project_alone_is_read_when_asked_for(lake: TestLake) -> None:
    flip(path_of(lake, DAY))
    assert verify(lake, OTHER_PROJECT).problems == []
    assert len(verify(lake, PROJECT).problems) == 1


def test_every_kind_says_what_to_do() -> None:
    assert set(MEANINGS) == set(Kind)

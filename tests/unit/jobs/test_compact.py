"""Compaction: below a hundred files a day, exactly the rows that went in, one at a time."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from iafa.clock import to_iso
from iafa.errors import StorageUnavailable
from iafa.failpoints import NAMES, Failpoints
from iafa.jobs.compact import FILES_MAX, Compactor
from iafa.jobs.merge import SORTED_ROWS, Merger
from iafa.jobs.upload import Uploader, UploadRequest
from iafa.jobs.upload_runs import DayRuns
from iafa.lake.dropped import drop
from iafa.lake.layout import part_path
from iafa.lake.manifest import LakeFile, Manifest
from iafa.lake.parts import Arrival, PartWriter, split_by_day, to_table
from iafa.locks import held
from tests.support.events import NOON_US, PROJECT, make_event, make_events
from tests.support.lake import WINDOW_US, TestLake, ids, rows
from tests.unit.upload.files import ndjson

DAY_US = 86_400_000_000
ALL_COLUMNS = "*"


def lake_of(root: Path, parts: int, events: int = 5) -> TestLake:
    """A day in parts of which none is due to be merged."""
    lake = TestLake(root)
    for number in range(parts):
        publish_part(lake, f"x{number}", [(f"{number}-{one}", NOON_US + one) for one in range(events)])
    return lake


def publish_part(lake: TestLake, segment: str, keys: Sequence[tuple[str, int]]) -> LakeFile:
    """A part with these (id, received_at), past the check that makes ids distinct."""
    table = to_table(
        Arrival(PROJECT, received_us, make_event(id=one, event_type=f"type-{len(one) % 3}", user_id=one, url="u"))
        for one, received_us in keys
    )
    ((day, own),) = split_by_day(table)
    file = PartWriter(lake.layout).write(PROJECT, part_path(day, segment), own)
    lake.appender.publish(PROJECT, [file])
    return file


def written(folder: Path, content: bytes) -> Path:
    path = folder / "upload"
    path.write_bytes(content)
    return path


def planted(lake: TestLake, statement: str) -> Compactor:
    return replace(lake.compactor, merger=Merger(128, WINDOW_US, statement))


def generations(lake: TestLake) -> list[Manifest]:
    return [msgspec.json.decode(path.read_bytes(), type=Manifest) for path in lake.layout.manifests(PROJECT).iterdir()]


def files_per_day(manifest: Manifest) -> int:
    days = [file.date for file in manifest.files]
    return max((days.count(day) for day in set(days)), default=0)


def test_a_flood_of_small_segments_stays_below_the_bound_in_every_generation(tmp_path: Path) -> None:
    """The compactor never runs here: room is made while files are added, also in the midst of one flush."""
    lake = TestLake(tmp_path)
    flushes, journals_at_once = FILES_MAX - 20, 50
    for number in range(flushes):
        lake.write([make_event(id=str(number))])
        lake.flusher.run()
    for number in range(flushes, flushes + journals_at_once):
        lake.write([make_event(id=str(number))])
    lake.flusher.run()
    history = generations(lake)
    assert max(files_per_day(manifest) for manifest in history) == FILES_MAX - 1
    assert len(history) > flushes + journals_at_once
    assert len(ids(lake.take())) == flushes + journals_at_once


def test_a_damaged_file_does_not_stop_what_comes_in_when_room_is_made(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, FILES_MAX - 1, events=1)
    path = lake.take().files[0]
    path.write_bytes(b"PAR1 not any more")
    publish_part(lake, "new", [("new", NOON_US)])
    files = lake.take().files
    assert path in files
    assert len(files) == 3
    assert lake.compactor.counters.read()["compact_failures"][""] == 1


def test_damaged_files_count_against_the_bound(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, FILES_MAX - 1, events=1)
    paths = lake.take().files
    for path in paths[:40]:
        path.write_bytes(b"PAR1 not any more")
    for number in range(70):
        publish_part(lake, f"n{number}", [(f"new{number}", NOON_US)])
    assert max(files_per_day(manifest) for manifest in generations(lake)) == FILES_MAX - 1
    assert set(paths[:40]) <= set(lake.take().files)
    assert lake.compactor.counters.read()["damaged_files"] == {"": 40}


def test_room_for_a_project_that_is_deleted_meanwhile_is_not_sought_for_ever(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, FILES_MAX - 1, events=1)
    drop(lake.layout, PROJECT)
    publish_part(lake, "new", [("new", NOON_US)])


@pytest.fixture
def tiny_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Uploads write a file for every ten rows of a day."""
    limits = DayRuns.pieces.__kwdefaults__
    assert limits is not None
    monkeypatch.setitem(limits, "rows_max", 10)


@pytest.mark.usefixtures("tiny_pieces")
def test_an_upload_of_more_files_of_a_day_than_the_bound_keeps_it(tmp_path: Path) -> None:
    lake = lake_of(tmp_path / "data", FILES_MAX - 5, events=1)
    uploader = Uploader(lake.layout, lake.appender, lake.clock, condense=lake.compactor.condense)
    lines = [{"id": f"u{number}", "timestamp": to_iso(NOON_US - number % 2 * DAY_US)} for number in range(2400)]
    receipt = uploader.run(UploadRequest(PROJECT, written(tmp_path, ndjson(*lines)), "ndjson"))
    assert (receipt.accepted, receipt.duplicates) == (2400, 0)
    assert max(files_per_day(manifest) for manifest in generations(lake)) < FILES_MAX
    found = ids(lake.take())
    assert len(found) == len(set(found)) == 2400 + FILES_MAX - 5
    listed = {lake.layout.project(PROJECT) / file.path for file in lake.manifests.latest(PROJECT).files}
    left = {path for path in lake.layout.project(PROJECT).rglob("events_*.u*.parquet") if path not in listed}
    assert left == set(), "pieces that were merged are gone"
    again = uploader.run(UploadRequest(PROJECT, tmp_path / "upload", "ndjson"))
    assert (again.accepted, again.duplicates) == (0, 2400)


@pytest.mark.usefixtures("tiny_pieces")
def test_an_upload_whose_files_cannot_be_merged_stores_nothing(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    uploader = Uploader(
        lake.layout,
        lake.appender,
        lake.clock,
        condense=planted(lake, f"select * from ({SORTED_ROWS}) limit 14").condense,
    )
    lines = [{"id": f"u{number}", "timestamp": to_iso(NOON_US)} for number in range(400)]
    with pytest.raises(StorageUnavailable, match="cannot be merged"):
        uploader.run(UploadRequest(PROJECT, written(tmp_path, ndjson(*lines)), "ndjson"))
    assert ids(lake.take()) == []
    assert list(lake.layout.events.rglob("*.parquet")) == []


def test_like_sized_files_are_merged_and_a_bigger_one_is_left_alone(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 7)
    big = publish_part(lake, "big", [(f"big-{one}", NOON_US) for one in range(100)])
    assert lake.compactor.run().days == 0
    publish_part(lake, "last", [(f"last-{one}", NOON_US) for one in range(6)])
    before = rows(lake.take(), ALL_COLUMNS)
    done = lake.compactor.run()
    assert (done.days, done.files_in, done.rows) == (1, 8, 41)
    manifest = lake.manifests.latest(PROJECT)
    assert [(file.path, file.is_day) for file in manifest.files] == [
        (big.path, False),
        (f"2025/11/events_2025-11-21.m{manifest.generation}.parquet", False),
    ]
    assert rows(lake.take(), ALL_COLUMNS) == before


def test_a_day_that_is_over_is_one_sorted_file_with_checksums(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 3, events=40)
    before, bounds = rows(lake.take(), ALL_COLUMNS), lake.take()
    lake.clock.advance(86_400)
    assert lake.compactor.run().days == 1
    after = lake.take()
    assert [path.name for path in after.files] == ["events_2025-11-21.parquet"]
    assert rows(after, ALL_COLUMNS) == before
    assert (after.rows, after.first_us, after.last_us) == (bounds.rows, bounds.first_us, bounds.last_us)
    with pq.ParquetFile(after.files[0]) as file:
        keys = file.read(["event_type", "user_hash", "created_at", "id"]).to_pylist()
        assert file.metadata.row_group(0).column(0).is_stats_set
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
    assert keys == sorted(keys, key=lambda row: tuple(row.values()))
    assert lake.compactor.run().days == 0


def test_row_groups_of_a_merged_day_are_small(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    publish_part(lake, "x", [(str(one), NOON_US) for one in range(70_000)])
    lake.compactor.run(everything=True)
    with pq.ParquetFile(lake.take().files[0]) as file:
        groups = [file.metadata.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert all(20_000 <= count <= 60_000 for count in groups[:-1])
    assert sum(groups) == 70_000


def test_of_two_rows_of_one_id_the_first_received_wins_within_the_window(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    publish_part(lake, "a", [("twice", NOON_US + 5), ("once", NOON_US), ("later", NOON_US), ("chain", NOON_US)])
    publish_part(lake, "b", [("twice", NOON_US + 4), ("later", NOON_US + WINDOW_US + 1)])
    publish_part(lake, "c", [("chain", NOON_US + 6 * DAY_US), ("twice", NOON_US + 4), ("new", NOON_US)])
    publish_part(lake, "d", [("chain", NOON_US + 12 * DAY_US)])
    done = lake.compactor.run(everything=True)
    assert (done.failed, done.repeats, done.rows) == ([], 3, 7)
    found = rows(lake.take(), "id, epoch_us(received_at)")
    assert found == [
        ("chain", NOON_US),
        ("chain", NOON_US + 12 * DAY_US),  # outside the window: a new event, as the flusher sees it
        ("later", NOON_US),
        ("later", NOON_US + WINDOW_US + 1),
        ("new", NOON_US),
        ("once", NOON_US),
        ("twice", NOON_US + 4),
    ]


DOUBLING = "select * exclude (n) from rows, (select unnest([1, 2]) as n) where (n = 1 or id = '1-1')"
WRONG_MERGES = {
    "loses a row": f"select * from ({SORTED_ROWS}) limit 14",
    "doubles a row": DOUBLING,
    "loses one, doubles one": f"{DOUBLING} and id <> '0-0'",
    "changes a value": "select * replace (case when id = '1-1' then 'x' else properties end as properties) from rows",
    "moves a time": "select * replace (received_at + interval 1 microsecond as received_at) from rows",
    "swaps two columns": "select * replace (source as url, url as source) from rows",
    "swaps values between rows": (
        "select * replace (case id when '1-1' then '1-2' when '1-2' then '1-1' else id end as id) from rows"
    ),
}


@pytest.mark.parametrize("wrong", WRONG_MERGES)
def test_a_wrong_merge_is_refused_and_its_inputs_stay(tmp_path: Path, wrong: str) -> None:
    lake = lake_of(tmp_path, 3)
    before, files = rows(lake.take(), ALL_COLUMNS), lake.take().files
    compactor = planted(lake, WRONG_MERGES[wrong])
    done = compactor.run(everything=True)
    assert len(done.failed) == 1
    assert "does not hold the rows that went in" in done.failed[0]
    assert compactor.counters.read()["compact_failures"][""] == 1
    assert lake.take().files == files
    assert rows(lake.take(), ALL_COLUMNS) == before
    assert list(lake.layout.tmp.iterdir()) == []
    assert compactor.run().failed == [], "the day is left alone for a while"
    assert lake.compactor.run(everything=True).days == 1


def test_files_with_other_rows_than_the_manifest_says_are_refused(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 2)

    def wrong_count(base: Manifest) -> Manifest:
        files = [msgspec.structs.replace(file, rows=file.rows + 1) for file in base.files]
        return msgspec.structs.replace(base, files=tuple(files))

    lake.manifests.commit(PROJECT, wrong_count)
    (failure,) = lake.compactor.run(everything=True).failed
    assert "the files hold 10 rows and the manifest says 12" in failure


@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize("point", sorted(name for name in NAMES if name.startswith("compact.")))
def test_a_failing_disk_costs_a_try_and_nothing_else(tmp_path: Path, point: str, action: str) -> None:
    lake = lake_of(tmp_path, 3)
    before = rows(lake.take(), ALL_COLUMNS)
    failing = TestLake(tmp_path, hit=Failpoints(f"{point}:1:{action}").hit, clock=lake.clock)
    failed = failing.compactor.run(everything=True).failed
    lake.clock.advance(601)
    failed += failing.compactor.run(everything=True).failed
    assert len(failed) == 1, f"{point} was never reached"
    assert rows(failing.take(), ALL_COLUMNS) == before
    assert failing.compactor.run(everything=True).failed == []
    assert len(failing.take().files) == 1
    assert rows(failing.take(), ALL_COLUMNS) == before


def test_a_day_that_others_change_during_the_merge_is_given_up(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 3)
    rival = TestLake(tmp_path, clock=lake.clock)

    def merge_it_first(point: str) -> None:
        if point == "compact.merged_synced":
            lot = rival.manifests.latest(PROJECT).files
            rival.manifests.commit(PROJECT, lambda base: msgspec.structs.replace(base, files=lot[1:]))

    compactor = replace(lake.compactor, hit=merge_it_first)
    done = compactor.run(everything=True)
    assert (done.days, done.failed) == (0, [])
    assert len(lake.take().files) == 2
    assert list(lake.layout.tmp.iterdir()) == []


def test_a_project_that_is_deleted_during_the_merge_is_not_written_again(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 3)

    def delete_it(point: str) -> None:
        if point == "compact.merged_synced":
            drop(lake.layout, PROJECT)

    done = replace(lake.compactor, hit=delete_it).run(everything=True)
    assert (done.days, done.failed) == (0, [])


def test_flushes_go_on_during_a_long_merge(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 3)
    elsewhere = TestLake(tmp_path, clock=lake.clock)
    flushed = []

    def flush_meanwhile(point: str) -> None:
        if point == "compact.tmp_written":
            elsewhere.write([make_event(id="meanwhile")])
            flushed.append(elsewhere.flusher.run().events)

    merger = replace(lake.compactor.merger, hit=flush_meanwhile)
    done = replace(lake.compactor, merger=merger).run(everything=True)
    assert flushed == [1]
    assert done.days == 1
    assert len(ids(lake.take())) == 16
    names = sorted(path.name for path in lake.take().files)
    assert [name.split(".")[1][0] for name in names] == ["j", "m"], "the merge is not the whole day any more"


def test_a_second_compactor_does_nothing(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 8)
    with held(lake.layout.compact_lock) as is_ours:
        assert is_ours
        done = lake.compactor.run()
    assert (done.is_other_running, done.days) == (True, 0)
    assert lake.compactor.run().days == 1


def test_leftovers_of_a_killed_merge_are_removed_by_the_next(tmp_path: Path) -> None:
    lake = lake_of(tmp_path, 8)
    left = lake.layout.tmp / "compact" / "duckdb_temp_storage.tmp"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"x")
    lake.compactor.run()
    assert not left.exists()


def test_merged_events_are_those_of_the_journal(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(3, properties=msgspec.Raw(b'{"a":1,"b":"\\u00e4"}'), url="https://example.org/?a=b"))
    lake.flusher.run()
    before = rows(lake.take(), ALL_COLUMNS)
    lake.compactor.run(everything=True)
    assert rows(lake.take(), ALL_COLUMNS) == before

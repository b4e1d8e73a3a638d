"""Refused events: kept once with their reason, within bounds, and gone with their days or their project."""

import asyncio
from datetime import date
from pathlib import Path

import duckdb
import msgspec
import pytest

from iafa.clock import US_PER_DAY
from iafa.event import Rejected
from iafa.failpoints import Failpoints
from iafa.jobs.replay import Replayer, Selection
from iafa.journal.format import Kind
from iafa.lake.dropped import drop
from iafa.lake.quarantine import Quarantine, Refusal
from iafa.lake.quarantine_rows import QuarantineRows, RefusedCounts, Wanted
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, make_event
from tests.support.lake import TestLake, ids, read_rejected

DAY = "2025-11-21"


def refusal(number: int, received_at: int = NOON_US, project_id: str = PROJECT) -> Refusal:
    return Refusal(project_id, received_at + number, Rejected(code="too_long", event_id=str(number), body="{}"))


def names(lake: TestLake, project_id: str = PROJECT) -> list[str]:
    return sorted(path.name for path in lake.layout.quarantine(project_id).rglob("*.parquet"))


def write_rejected(lake: TestLake, rejected: list[Rejected]) -> None:
    journal = lake.open_journal()
    content = msgspec.json.encode(rejected)
    asyncio.run(journal.append(PROJECT, lake.clock.now_us(), content, len(rejected), kind=Kind.REJECTED))
    journal.close()


def test_refused_events_of_the_journal_become_rows_that_anyone_can_read(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    rejected = Rejected(
        code="invalid_timestamp", pointer="/events/3/timestamp", message="cannot be read", event_type="visit", body="{'"
    )
    write_rejected(lake, [rejected, Rejected(code="too_deep", event_id="deep")])
    lake.write([make_event(id="sound")])
    lake.flusher.run()
    assert ids(lake.take()) == ["sound"]
    (path,) = lake.layout.quarantine(PROJECT).rglob("*.parquet")
    assert path.relative_to(lake.layout.quarantine(PROJECT)).as_posix() == f"2025/11/rejected_{DAY}.j1-1.parquet"
    with duckdb.connect() as connection:
        query = "select code, pointer, message, event_id, event_type, body from read_parquet(?) order by code"
        rows = connection.execute(query, [str(path)]).fetchall()
    assert rows == [
        ("invalid_timestamp", "/events/3/timestamp", "cannot be read", None, "visit", "{'"),
        ("too_deep", "", "", "deep", None, ""),
    ]
    assert lake.counters.read()["events_quarantined"] == {"invalid_timestamp": 1, "too_deep": 1}


@pytest.mark.parametrize("point", ["quarantine.tmp_synced", "quarantine.appended", "flush.before_manifest"])
def test_failed_flush_that_is_run_again_keeps_one_copy(tmp_path: Path, point: str) -> None:
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:1:eio").hit)
    write_rejected(lake, [Rejected(code="too_deep", event_id="deep")])
    lake.write([make_event(id="sound")])
    with pytest.raises(OSError, match=point):
        lake.flusher.run()
    lake.write([make_event(id="more")])
    lake.flusher.run()
    assert [row["event_id"] for row in read_rejected(lake.layout, PROJECT, 10)] == ["deep"]
    assert ids(lake.take()) == ["more", "sound"]
    assert lake.counters.read()["events_quarantined"] == {"too_deep": 1}


def test_rows_a_day_are_bounded_across_segments_and_restarts(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for segment in range(3):
        quarantine = Quarantine(lake.layout, rows_max=5, counters=lake.counters)
        quarantine.keep(f"j1-{segment}", [refusal(number) for number in range(2 * segment, 2 * segment + 2)])
        quarantine.keep(f"j2-{segment}", [refusal(0, NOON_US + US_PER_DAY), refusal(0, project_id=OTHER_PROJECT)])
    assert len(read_rejected(lake.layout, PROJECT, 100)) == 5 + 3
    assert len(read_rejected(lake.layout, OTHER_PROJECT, 100)) == 3
    assert lake.counters.read()["quarantine_dropped"] == {"": 1}


def test_newest_come_first_and_no_more_than_asked_for(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for day in range(3):
        lake.quarantine.keep(f"j1-{day}", [refusal(number, NOON_US + day * US_PER_DAY) for number in range(3)])
    found = read_rejected(lake.layout, PROJECT, 4)
    assert [row["event_id"] for row in found] == ["2", "1", "0", "2"]
    assert read_rejected(lake.layout, OTHER_PROJECT, 4) == []


def test_damaged_file_hides_only_its_own_rows(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for segment in range(2):
        lake.quarantine.keep(f"j1-{segment}", [refusal(segment)])
    next(lake.layout.quarantine(PROJECT).rglob("*.j1-0.parquet")).write_bytes(b"PAR1")
    assert [row["event_id"] for row in read_rejected(lake.layout, PROJECT, 10)] == ["1"]


@pytest.mark.parametrize("is_whole", [False, True])
def test_damaged_file_stops_neither_pages_nor_counts_nor_deletion(tmp_path: Path, is_whole: bool) -> None:
    lake = TestLake(tmp_path)
    lake.quarantine.keep("j1-0", [refusal(0)])
    if is_whole:
        lake.quarantine.amend(PROJECT, date.fromisoformat(DAY), lambda table: table.slice(0, 0))
    lake.quarantine.keep("j1-1", [refusal(1), refusal(2)])
    (path,) = lake.layout.quarantine(PROJECT).rglob(f"rejected_{DAY}.parquet" if is_whole else "*.j1-0.parquet")
    path.write_bytes(b"PAR1")
    rows = QuarantineRows(lake.layout)
    assert [row["event_id"] for row in rows.page(PROJECT, Wanted(), None, 10)] == ["2", "1"]
    assert [row["event_id"] for row in rows.by_ids(PROJECT, ["j1-1-0", "j1-0-0"])] == ["1"]
    assert [row["event_id"] for some in rows.batches(PROJECT, Wanted()) for row in some] == ["1", "2"]
    assert [one.kept for one in rows.counts(PROJECT)] == [2]
    refused = RefusedCounts(lake.layout.quarantine(PROJECT)).between(0, NOON_US * 2, NOON_US)
    assert refused.by_code == {"too_long": 2}
    assert "damaged" in str(refused.incomplete)
    replayer = Replayer(lake.layout, lake.appender, lake.quarantine, lake.clock)
    assert replayer.delete(PROJECT, Selection({"j1-1-0"})) == 1
    assert replayer.delete(PROJECT, Selection()) == 1
    assert rows.page(PROJECT, Wanted(), None, 10) == []
    assert b"PAR1" in [one.read_bytes() for one in lake.layout.quarantine(PROJECT).rglob("*.parquet")], "kept as it is"
    lake.quarantine.keep("j1-1", [refusal(1), refusal(2)])
    assert rows.page(PROJECT, Wanted(), None, 10) == [], "deleted rows never come back"


def test_what_another_process_deletes_makes_room(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    flusher = Quarantine(lake.layout, rows_max=5)
    flusher.keep("j1-0", [refusal(number) for number in range(5)])
    own = Quarantine(lake.layout, rows_max=5)
    assert Replayer(lake.layout, lake.appender, own, lake.clock).delete(PROJECT, Selection()) == 5
    flusher.keep("j1-1", [refusal(number) for number in range(6)])
    assert len(read_rejected(lake.layout, PROJECT, 100)) == 5


def test_a_deletion_writes_each_day_once_and_leaves_other_days_alone(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for day in range(3):
        lake.quarantine.keep(f"j1-{day}", [refusal(number, NOON_US + day * US_PER_DAY) for number in range(1_500)])
    met: list[str] = []
    own = Quarantine(lake.layout, hit=met.append)
    wanted = Wanted(from_us=NOON_US + US_PER_DAY)
    assert Replayer(lake.layout, lake.appender, own, lake.clock).delete(PROJECT, Selection(wanted=wanted)) == 3_000
    assert met.count("quarantine.tmp_synced") == 2
    assert len(read_rejected(lake.layout, PROJECT, 10_000)) == 1_500


def test_day_that_is_over_becomes_one_file_and_knows_its_segments(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for segment in range(3):
        lake.quarantine.keep(f"j1-{segment}", [refusal(segment)])
    lake.quarantine.sweep(lake.clock)
    assert len(names(lake)) == 3, "the day goes on"
    lake.clock.advance(86_400)
    lake.quarantine.sweep(lake.clock)
    assert names(lake) == [f"rejected_{DAY}.parquet"]
    lake.quarantine.keep("j1-1", [refusal(1)])
    lake.quarantine.keep("j1-3", [refusal(3)])
    assert names(lake) == [f"rejected_{DAY}.j1-3.parquet", f"rejected_{DAY}.parquet"]
    lake.quarantine.sweep(lake.clock)
    assert names(lake) == [f"rejected_{DAY}.parquet"]
    assert [row["event_id"] for row in read_rejected(lake.layout, PROJECT, 10)] == ["3", "2", "1", "0"]


def test_merge_that_is_killed_before_the_small_files_go_shows_no_row_twice(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for segment in range(3):
        lake.quarantine.keep(f"j1-{segment}", [refusal(segment)])
    lake.clock.advance(86_400)
    failing = Quarantine(lake.layout, hit=Failpoints("quarantine.dir_synced:1:eio").hit)
    with pytest.raises(OSError, match="dir_synced"):
        failing.sweep(lake.clock)
    assert len(names(lake)) == 4
    assert len(read_rejected(lake.layout, PROJECT, 10)) == 3
    lake.quarantine.sweep(lake.clock)
    assert names(lake) == [f"rejected_{DAY}.parquet"]
    assert len(read_rejected(lake.layout, PROJECT, 10)) == 3


def test_old_days_and_deleted_projects_go(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for project_id in (PROJECT, OTHER_PROJECT):
        lake.quarantine.keep("j1-1", [refusal(1, project_id=project_id)])
    drop(lake.layout, OTHER_PROJECT)
    lake.quarantine.keep("j1-2", [refusal(1, project_id=OTHER_PROJECT)])
    assert len(names(lake, OTHER_PROJECT)) == 1, "nothing is added to a deleted project"
    lake.clock.advance(30 * 86_400)
    lake.quarantine.sweep(lake.clock)
    assert not lake.layout.quarantine(OTHER_PROJECT).exists()
    assert len(read_rejected(lake.layout, PROJECT, 10)) == 1
    lake.clock.advance(86_400)
    lake.quarantine.sweep(lake.clock)
    assert list(lake.layout.quarantine(PROJECT).rglob("*.parquet")) == []


def test_time_that_no_calendar_has_and_text_without_utf8_do_not_stop_the_quarantine(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    odd = [(2**70, Rejected(code="poison", body="\ud800")), (-1, Rejected(code="poison"))]
    lake.quarantine.keep("j1-1", [Refusal(PROJECT, received_at, rejected) for received_at, rejected in odd])
    assert [row["body"] for row in read_rejected(lake.layout, PROJECT, 10)] == ["?", ""]

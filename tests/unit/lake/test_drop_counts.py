"""Counts of what was not stored: of every reason, once, by project and UTC day, whatever is killed or run again."""

import threading
import time
from datetime import date
from pathlib import Path

import msgspec
import pytest

from iafa.clock import US_PER_DAY
from iafa.event import DROPPED_SEEN_MAX, Dropped, DroppedEvent, Rejected
from iafa.failpoints import Failpoints
from iafa.ingest.limits import RateLimiter
from iafa.ingest.rejections import KEPT_PER_MINUTE, Rejections
from iafa.journal.format import Kind, Record
from iafa.journal.reader import Tail
from iafa.journal.room import Room
from iafa.journal.writer import JournalLimits
from iafa.lake.drop_counts import DropCounts
from iafa.lake.dropped import drop
from iafa.lake.layout import drop_counts_path
from iafa.lake.quarantine_rows import QuarantineRows, Wanted
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, make_event
from tests.support.lake import TestLake, read_rejected

DAY = date(2025, 11, 21)


def counted(lake: TestLake, project_id: str = PROJECT) -> dict[date, dict[str, int]]:
    return DropCounts(lake.layout).by_day(project_id)


def write_counts(lake: TestLake, *found: Dropped, received_at: int = NOON_US, project_id: str = PROJECT) -> None:
    journal = lake.open_journal()
    journal.offer(project_id, received_at, msgspec.json.encode(found), len(found), kind=Kind.DROPPED)
    journal.close()


def told(lake: TestLake) -> list[Record]:
    records, _present = Tail(lake.layout.journal).read()
    return [record for found in records.values() for record in found]


@pytest.mark.parametrize("point", [None, "flush.before_manifest", "journal.before_unlink", "quarantine.appended"])
def test_each_drop_is_counted_once_even_if_the_flush_is_run_again(tmp_path: Path, point: str | None) -> None:
    lake = TestLake(tmp_path, hit=Failpoints(f"{point}:1:eio" if point else "").hit)
    journal = lake.open_journal()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters)
    rejections.keep(PROJECT, NOON_US, [Rejected(code="too_deep")] * (KEPT_PER_MINUTE + 3))
    rejections.drop(PROJECT, NOON_US, "duplicate", 2)
    rejections.drop(PROJECT, NOON_US, "duplicate")
    rejections.drop(OTHER_PROJECT, NOON_US, "rate_limited", 7)
    rejections.tell()
    rejections.tell()
    journal.close()
    lake.write([make_event(id="sound")])
    if point is not None:
        with pytest.raises(OSError, match="failpoint"):
            lake.flusher.run()
    lake.flusher.run()
    assert counted(lake) == {DAY: {"too_deep": KEPT_PER_MINUTE + 3, "duplicate": 3}}
    assert counted(lake, OTHER_PROJECT) == {DAY: {"rate_limited": 7}}
    assert len(read_rejected(lake.layout, PROJECT, 10_000)) == KEPT_PER_MINUTE
    reader = QuarantineRows(lake.layout)
    marks = {one.reason: one.is_complete for one in reader.counts(PROJECT)}
    assert marks == {"too_deep": False, "duplicate": None}
    cases = [(Wanted(), False), (Wanted(reason="too_long"), True), (Wanted(from_us=NOON_US + US_PER_DAY), True)]
    assert [reader.is_complete(PROJECT, wanted) for wanted, _ in cases] == [expected for _, expected in cases]
    assert reader.is_complete(OTHER_PROJECT, Wanted()), "what is only counted misses nothing"
    assert lake.counters.read()["events_dropped"] == {
        "too_deep": KEPT_PER_MINUTE + 3,
        "duplicate": 3,
        "rate_limited": 7,
    }


def test_starts_segments_and_days_add_up(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for _start in range(3):
        write_counts(lake, Dropped(code="duplicate", count=2))
        lake.flusher.run()
    write_counts(lake, Dropped(code="duplicate", count=1), received_at=NOON_US + US_PER_DAY)
    lake.flusher.run()
    assert counted(lake) == {DAY: {"duplicate": 6}, date(2025, 11, 22): {"duplicate": 1}}


def test_counts_go_with_their_days_and_their_project(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    write_counts(lake, Dropped(code="duplicate", count=2))
    lake.flusher.run()
    lake.clock.advance(31 * 86_400)
    lake.quarantine.sweep(lake.clock)
    assert counted(lake) == {}
    write_counts(lake, Dropped(code="duplicate", count=2), received_at=lake.clock.now_us())
    drop(lake.layout, PROJECT)
    lake.flusher.run()
    assert counted(lake) == {}


def test_a_damaged_count_begins_anew_and_stops_nothing(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    write_counts(lake, Dropped(code="duplicate", count=2))
    lake.flusher.run()
    path = lake.layout.quarantine(PROJECT) / drop_counts_path(DAY)
    path.write_bytes(path.read_bytes().replace(b'"duplicate":2', b'"duplicate":9'))
    assert counted(lake) == {DAY: {}}
    write_counts(lake, Dropped(code="duplicate", count=1))
    lake.flusher.run()
    assert counted(lake) == {DAY: {"duplicate": 1}}


def test_events_are_named_only_while_somebody_watches_and_within_a_bound(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    watched: set[str] = set()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters, watched.__contains__)
    names = [(f"e{number}", "visit") for number in range(DROPPED_SEEN_MAX + 10)]
    rejections.drop(PROJECT, NOON_US, "duplicate", len(names), names=names)
    rejections.tell()
    watched.add(PROJECT)
    rejections.drop(PROJECT, NOON_US, "duplicate", len(names), names=iter(names))
    rejections.drop(OTHER_PROJECT, NOON_US, "duplicate", 1, names=names[:1])
    rejections.keep(PROJECT, NOON_US, [Rejected(code="too_deep", event_id="whole")])
    rejections.tell()
    journal.close()
    kinds = [
        (record.k, record.p, [(one.code, one.count, one.kept, one.seen) for one in record.d]) for record in told(lake)
    ]
    seen = [DroppedEvent(event_id=f"e{number}", event_type="visit") for number in range(DROPPED_SEEN_MAX)]
    assert kinds == [
        ("dropped", PROJECT, [("duplicate", len(names), 0, [])]),
        ("rejected", PROJECT, []),
        ("dropped", PROJECT, [("duplicate", len(names), 0, seen), ("too_deep", 1, 1, [])]),
        ("dropped", OTHER_PROJECT, [("duplicate", 1, 0, [])]),
    ]


def test_a_clock_that_jumped_once_misdates_only_what_came_then(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters)
    rejections.drop(PROJECT, NOON_US + 30 * US_PER_DAY, "duplicate")
    rejections.drop(PROJECT, NOON_US, "duplicate", 2)
    rejections.tell()
    rejections.drop(PROJECT, NOON_US, "duplicate", 3)
    rejections.tell()
    journal.close()
    lake.flusher.run()
    assert counted(lake) == {DAY: {"duplicate": 5}, date(2025, 12, 21): {"duplicate": 1}}


def test_a_thread_that_cannot_be_started_costs_no_request_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters)
    start = threading.Timer.start

    def refused(_timer: threading.Timer) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refused)
    rejections.drop(PROJECT, NOON_US, "duplicate", 2)
    monkeypatch.setattr(threading.Timer, "start", start)
    rejections.drop(PROJECT, NOON_US, "duplicate", 3)
    deadline = time.monotonic() + 30
    while not told(lake):
        assert time.monotonic() < deadline, "nothing was told"
        time.sleep(0.02)
    assert [(one.code, one.count) for record in told(lake) for one in record.d] == [("duplicate", 5)]
    journal.close()


def test_counts_that_the_journal_refuses_wait_until_there_is_room(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters)
    with monkeypatch.context() as full:
        full.setattr(Room, "is_half_full", True)
        rejections.drop(PROJECT, NOON_US, "duplicate", 2, kept=True)
        rejections.tell()
        rejections.drop(PROJECT, NOON_US + 1, "duplicate", 3)
        rejections.tell()
        assert told(lake) == []
    rejections.tell()
    journal.close()
    assert [(one.r, [(d.count, d.kept) for d in one.d]) for one in told(lake)] == [(NOON_US + 1, [(5, 2)])]
    assert "journal_offers_dropped" not in lake.counters.read()
    rejections.drop(PROJECT, NOON_US, "duplicate")
    rejections.tell()
    assert lake.counters.read()["journal_offers_dropped"] == {"dropped": 1}


def test_many_repeats_seal_no_segment(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=10))
    journal = lake.open_journal()
    rejections = Rejections(journal, RateLimiter(lake.clock), lake.counters)
    for _time in range(3):
        rejections.drop(PROJECT, NOON_US, "duplicate", 100_000)
        rejections.tell()
        journal.append_blocking(PROJECT, NOON_US, b"[]", 0)
    assert len(list(journal.directory.glob("*.ndjson"))) == 1
    journal.close()
    assert len(told(lake)) == 6

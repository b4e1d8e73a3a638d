"""What waits for the flusher, as gauges and readiness show it: from the files, whoever writes them."""

from pathlib import Path

from iafa.clock import US_PER_S
from iafa.journal.reader import Backlog, backlog
from iafa.journal.writer import JournalLimits
from tests.support.events import NOON_US, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake


def test_bytes_segments_and_the_age_of_the_oldest_record(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=2))
    assert backlog(lake.layout.journal, NOON_US) == Backlog()
    first, second = lake.open_journal(), lake.open_journal()
    assert backlog(lake.layout.journal, NOON_US) == Backlog(), "empty segments are nothing"
    first.append_blocking(PROJECT, NOON_US - 5 * US_PER_S, encode(make_events(2)), 2)
    first.append_blocking(PROJECT, NOON_US - 1 * US_PER_S, encode(make_events(1)), 1)
    second.append_blocking(PROJECT, NOON_US - 9 * US_PER_S, encode([make_event(user_id='"r":1,')]), 1)
    sizes = [path.stat().st_size for path in lake.layout.journal.rglob("*.ndjson")]
    assert backlog(lake.layout.journal, NOON_US) == Backlog(sum(sizes), 3, 9 * US_PER_S)
    assert backlog(lake.layout.journal, NOON_US, before=2).oldest_us == 5 * US_PER_S
    first.close()
    second.close()
    lake.flusher.run()
    assert backlog(lake.layout.journal, NOON_US) == Backlog()


def test_a_clock_that_went_back_gives_no_negative_age(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write(make_events(1))
    assert backlog(lake.layout.journal, 0).oldest_us == 0


def test_a_segment_without_a_readable_first_record_still_counts_in_bytes(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.close()
    (journal.directory / "000001.ndjson").write_bytes(b"\0" * 700)
    assert backlog(lake.layout.journal, NOON_US) == Backlog(700, 1, 0)

"""The events of a month: counted across workers, restarts and months, in a table of bounded size."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from iafa.clock import FakeClock, from_datetime
from iafa.ingest.usage import SETS, Usage, month_of, open_usage, quota_gauges
from iafa.slots import WAYS
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT


def opened(folder: Path, clock: FakeClock) -> Usage:
    return Usage(open_usage(folder / "usage" / "events.slots", folder / "tmp"), clock)


def test_workers_learn_of_each_others_events_within_a_quarter_second(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    one, other = opened(tmp_path, clock), opened(tmp_path, clock)
    one.add(PROJECT, 3)
    other.add(PROJECT, 4)
    assert (one.of(PROJECT), other.of(PROJECT)) == (3, 4)
    clock.advance(0.25)
    assert one.of(PROJECT) == 3
    assert other.of(PROJECT) == 7
    clock.advance(0.25)
    assert (one.of(PROJECT), other.of(PROJECT), one.of(OTHER_PROJECT)) == (7, 7, 0)


def test_a_restart_goes_on_counting(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    before = opened(tmp_path, clock)
    before.add(PROJECT, 5)
    before.share()
    after = opened(tmp_path, clock)
    after.add(PROJECT, 1)
    assert after.of(PROJECT) == 6


def test_a_killed_worker_takes_at_most_its_last_quarter_second_along(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    killed = opened(tmp_path, clock)
    for _ in range(10):
        killed.add(PROJECT, 1)
        clock.advance(0.1)
    assert 10 - 3 <= opened(tmp_path, clock).of(PROJECT) <= 10


def test_a_month_begins_anew_and_counts_what_came_before_to_the_one_before(tmp_path: Path) -> None:
    clock = FakeClock(from_datetime(datetime(2025, 12, 31, 23, 59, 59, 900_000, UTC)))
    usage = opened(tmp_path, clock)
    usage.add(PROJECT, 5)
    clock.advance(0.1)
    assert usage.of(PROJECT) == 0
    usage.add(PROJECT, 1)
    assert usage.of(PROJECT) == 1
    early = FakeClock(from_datetime(datetime(2025, 12, 31, 23, 59, 59, 0, UTC)))
    assert opened(tmp_path, early).of(PROJECT) == 5


@pytest.mark.parametrize(
    ("at", "ends"),
    [
        ("2025-11-30T23:59:59.999999+00:00", "2025-12-01T00:00:00+00:00"),
        ("2025-12-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        ("2024-02-29T12:00:00+00:00", "2024-03-01T00:00:00+00:00"),
    ],
)
def test_a_month_is_of_utc(at: str, ends: str) -> None:
    number, ends_us = month_of(from_datetime(datetime.fromisoformat(at)))
    assert ends_us == from_datetime(datetime.fromisoformat(ends))
    assert month_of(ends_us)[0] == number + 1


def test_more_projects_than_the_table_holds_forget_the_smallest(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    usage = opened(tmp_path, clock)
    usage.add(PROJECT, 1_000_000)
    for number in range(SETS * WAYS):
        usage.add(f"p{number:012d}", 1)
    usage.share()
    assert usage.of(PROJECT) == 1_000_000


def test_a_file_of_another_size_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "usage" / "events.slots"
    path.parent.mkdir()
    path.write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="no table"):
        open_usage(path, tmp_path / "tmp")


def test_gauges_of_quotas_name_no_project(tmp_path: Path) -> None:
    clock = FakeClock(NOON_US)
    worker, background = opened(tmp_path, clock), opened(tmp_path, clock)
    assert quota_gauges(background, []) == (0, 0.0)
    quotas = [(PROJECT, 10), (OTHER_PROJECT, 4)]
    assert quota_gauges(background, quotas) == (0, 0.0)
    worker.add(PROJECT, 15)
    worker.add(OTHER_PROJECT, 2)
    worker.share()
    assert quota_gauges(background, quotas) == (1, 1.5)
    assert quota_gauges(background, quotas[1:2]) == (0, 0.5)

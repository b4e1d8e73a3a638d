"""Which files are merged when: rewriting stays logarithmic, and a day that is over becomes one file."""

import math

import pytest

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.jobs.tiers import Lot, due, full_tier, relief, tier
from iafa.lake.manifest import LakeFile
from tests.support.events import NOON_US

HOUR_US = 3600 * US_PER_S
MIDNIGHT_US = NOON_US + US_PER_DAY // 2
FANOUT = 8


def lake_file(name: str, rows: int, *, received_us: int = NOON_US, is_day: bool = False) -> LakeFile:
    return LakeFile(
        path=name,
        date="2025-11-21",
        rows=rows,
        bytes=rows,
        xxh64="",
        first_created_us=NOON_US,
        last_created_us=NOON_US,
        first_received_us=received_us,
        last_received_us=received_us,
        is_day=is_day,
    )


def merged(lot: Lot, name: str) -> LakeFile:
    return lake_file(name, sum(file.rows for file in lot))


@pytest.mark.parametrize("fanout", [2, 8, 90])
@pytest.mark.parametrize("rows", [1, 10, 70])
def test_rows_are_rewritten_a_logarithmic_number_of_times(fanout: int, rows: int) -> None:
    parts, files, rewritten = 1440, [], 0
    for number in range(parts):
        files.append(lake_file(f"p{number}", rows))
        while lot := full_tier(files, fanout):
            files = [file for file in files if file not in lot] + [merged(lot, f"m{number}-{rewritten}")]
            rewritten += sum(file.rows for file in lot)
    assert sum(file.rows for file in files) == parts * rows
    assert rewritten / (parts * rows) <= math.log(parts * rows, fanout)
    assert len(files) <= (fanout - 1) * (tier(parts * rows, fanout) + 1)


@pytest.mark.parametrize("rows", [[1] * 99, list(range(1, 100)), [8**level for level in range(20)] * 5])
def test_a_full_day_always_has_something_to_merge(rows: list[int]) -> None:
    files = [lake_file(str(number), count) for number, count in enumerate(rows)]
    assert len(relief(files, FANOUT)) > 1
    assert len(relief(files, 90)) > 1


# (rows and minutes after midnight of the parts, rows of the merged day, minutes after midnight now, whether all of it)
IS_OVER = [
    ([(5, -600)], 0, -1, False),  # the day still runs
    ([(5, -600)], 0, 0, True),
    ([(5, -600), (5, 1)], 0, 5, False),  # the last segments of the day are still coming
    ([(5, -600), (5, 1)], 0, 6, True),
    ([(5, 10)], 40, 69, False),  # late ones
    ([(5, 10)], 40, 70, True),
    ([(4, 10)], 40, 70, False),  # too few to rewrite the day for
    ([(4, 10)], 40, 10 + 1440, True),
    ([(4, 10), (9, 1449)], 40, 10 + 1440, True),  # they never stop
    ([], 40, 5000, False),
]


@pytest.mark.parametrize(("parts", "rows_merged", "now_min", "expected"), IS_OVER)
def test_a_day_becomes_one_file_when_it_is_over_and_quiet(
    parts: list[tuple[int, int]], rows_merged: int, now_min: int, expected: bool
) -> None:
    files = [
        lake_file(f"p{number}", rows, received_us=MIDNIGHT_US + minute * 60 * US_PER_S)
        for number, (rows, minute) in enumerate(parts)
    ]
    if rows_merged:
        files.append(lake_file("day", rows_merged, is_day=True))
    lots = due(files, now_us=MIDNIGHT_US + now_min * 60 * US_PER_S, fanout=FANOUT)
    assert lots == ([tuple(files)] if expected else [])


def test_on_request_every_day_with_a_part_is_merged_as_a_whole() -> None:
    parts = [lake_file("a", 1), lake_file("b", 1_000, is_day=True)]
    assert due(parts, now_us=NOON_US, fanout=FANOUT, everything=True) == [tuple(parts)]
    assert due(parts[1:], now_us=NOON_US, fanout=FANOUT, everything=True) == []

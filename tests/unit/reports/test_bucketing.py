"""Buckets as arithmetic inside SQL equal the buckets as instants, at every change of clocks."""

from bisect import bisect_right
from datetime import UTC, datetime

import duckdb
import pytest

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.errors import ValidationFailed
from iafa.query.definition import Bucket
from iafa.query.reports.bucketing import INTERVALS, bucketing
from tests.support.chance import chance

HOUR_US = 3_600 * US_PER_S


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * US_PER_S


RANGES = [
    ("UTC", at("2025-12-28"), at("2026-01-20")),
    ("Europe/Berlin", at("2026-03-27"), at("2026-04-02")),
    ("Europe/Berlin", at("2025-10-24T07:31:02"), at("2025-11-03T05:00:01")),
    ("America/Sao_Paulo", at("2018-11-01"), at("2018-11-07")),  # midnight was skipped
    ("Australia/Lord_Howe", at("2026-04-03"), at("2026-04-07")),  # by half an hour
    ("Asia/Kathmandu", at("1985-12-30"), at("1986-01-03")),  # by a quarter of an hour, for ever
    ("Pacific/Apia", at("2011-12-28"), at("2012-01-02")),  # a day was left out
    ("Africa/Casablanca", at("2026-02-10"), at("2026-03-25")),  # there and back within five weeks
    ("America/New_York", at("2020-01-01"), at("2022-06-01")),
]


@pytest.mark.parametrize("kind", INTERVALS)
@pytest.mark.parametrize(("zone", "from_us", "to_us"), RANGES)
def test_sql_equals_the_instants(zone: str, from_us: int, to_us: int, kind: Bucket) -> None:
    if kind == "hour" and to_us - from_us > 30 * US_PER_DAY:
        from_us = to_us - 30 * US_PER_DAY
    found = bucketing(from_us, to_us, kind, zone)
    draw = chance(f"{zone} {kind}")
    times = [draw.randrange(from_us, to_us) for _ in range(500)]
    times += [edge + step for bucket in found.buckets for edge in (bucket.from_us,) for step in (-1, 0, 1)]
    times = [time for time in times if from_us <= time < to_us]
    with duckdb.connect(":memory:") as connection:
        text = f"select {found.sql} from (select unnest($times) as time_us)"
        places = [place for (place,) in connection.execute(text, {"times": times}).fetchall()]
    starts = [bucket.from_us for bucket in found.buckets]
    assert places == [bisect_right(starts, time) - 1 for time in times]


def test_an_empty_range_has_no_bucket() -> None:
    assert bucketing(HOUR_US, HOUR_US, "day", "UTC").buckets == ()


def test_too_many_buckets_are_a_mistake_of_the_interval() -> None:
    with pytest.raises(ValidationFailed) as refused:
        bucketing(0, 1_001 * 3_600 * US_PER_S, "hour", "UTC")
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/interval", "range_too_long")]

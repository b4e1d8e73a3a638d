"""Buckets of a zone: changes of clocks, odd zones, cut ends and their bound."""

import itertools
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.clock import US_PER_S, from_datetime, to_iso
from iafa.errors import ValidationFailed
from iafa.query.buckets import BUCKETS_MAX, buckets
from iafa.query.definition import Bucket
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, previous_range, resolve_time_range

HOUR_US = 3_600 * US_PER_S


def lengths(start: str, end: str, kind: Bucket, timezone: str) -> list[tuple[str, float]]:
    """(name, hours) of each bucket of the local days."""
    asked = resolve_time_range(start, end, timezone=timezone)
    return [
        (one.name, (one.to_us - one.from_us) / HOUR_US) for one in buckets(asked.from_us, asked.to_us, kind, timezone)
    ]


def test_days_at_changes_of_clocks_have_23_and_25_hours() -> None:
    assert lengths("2026-03-28", "2026-03-30", "day", "Europe/Vienna") == [
        ("2026-03-28", 24), ("2026-03-29", 23), ("2026-03-30", 24)
    ]  # fmt: skip
    assert lengths("2026-10-25", "2026-10-25", "day", "Europe/Vienna") == [("2026-10-25", 25)]
    assert lengths("2018-11-04", "2018-11-04", "day", "America/Sao_Paulo") == [("2018-11-04", 23)]


def test_hours_at_changes_of_clocks() -> None:
    autumn = lengths("2026-10-25", "2026-10-25", "hour", "Europe/Vienna")
    assert autumn[2:4] == [("2026-10-25T02:00+02:00", 1), ("2026-10-25T02:00+01:00", 1)]
    assert len(autumn) == 25
    spring = lengths("2026-03-29", "2026-03-29", "hour", "Europe/Vienna")
    assert [name[11:16] for name, _ in spring[:4]] == ["00:00", "01:00", "03:00", "04:00"]
    half = lengths("2026-10-04", "2026-10-04", "hour", "Australia/Lord_Howe")
    assert half[1:4] == [("2026-10-04T01:00+10:30", 1), ("2026-10-04T02:30+11:00", 0.5), ("2026-10-04T03:00+11:00", 1)]


def test_weeks_begin_on_monday_and_months_on_the_first() -> None:
    assert lengths("2024-02-28", "2024-03-05", "week", "Pacific/Chatham") == [
        ("2024-02-26", 5 * 24),
        ("2024-03-04", 48),
    ]
    assert lengths("2024-01-31", "2024-03-01", "month", "UTC") == [
        ("2024-01-01", 24), ("2024-02-01", 29 * 24), ("2024-03-01", 24)
    ]  # fmt: skip


def test_too_many_buckets_are_refused() -> None:
    start = from_datetime(datetime(2026, 1, 1, tzinfo=UTC))
    assert len(buckets(start, start + BUCKETS_MAX * HOUR_US, "hour", "UTC")) == BUCKETS_MAX
    with pytest.raises(ValidationFailed) as refused:
        buckets(start, start + BUCKETS_MAX * HOUR_US + 1, "hour", "UTC")
    assert [(error.pointer, error.code) for error in refused.value.errors] == [("/trend", "range_too_long")]
    assert buckets(start, start, "day", "UTC") == []


@given(
    at=st.integers(0, 2_000_000_000),
    length=st.integers(1, 40 * 86_400),
    kind=st.sampled_from(["hour", "day", "week", "month"]),
    timezone=st.sampled_from(
        ["UTC", "Europe/Vienna", "Pacific/Chatham", "Australia/Lord_Howe", "Asia/Kathmandu", "America/Sao_Paulo"]
    ),
)
def test_buckets_are_the_range_without_gaps(at: int, length: int, kind: Bucket, timezone: str) -> None:
    found = buckets(at * US_PER_S, (at + length) * US_PER_S, kind, timezone)
    assert (found[0].from_us, found[-1].to_us) == (at * US_PER_S, (at + length) * US_PER_S)
    assert all(one.to_us == other.from_us for one, other in itertools.pairwise(found))
    assert all(one.from_us < one.to_us for one in found)
    assert len({one.name for one in found}) == len(found)


@pytest.mark.parametrize(
    ("start", "end", "before"),
    [
        ("2026-03-29", "2026-03-29", ("2026-03-28", "2026-03-28")),
        ("2026-03-01", "2026-03-31", ("2026-01-29", "2026-02-28")),
        (
            "2026-03-01T12:00:00Z",
            "2026-03-01T13:00:00Z",
            ("2026-03-01T11:00:00.000000Z", "2026-03-01T12:00:00.000000Z"),
        ),
    ],
)
def test_the_period_before(start: str, end: str, before: tuple[str, str]) -> None:
    asked = resolve_time_range(start, end, timezone="Europe/Vienna")
    found = previous_range(asked)
    assert found is not None
    assert (found.start, found.end, found.to_us) == (*before, asked.from_us)
    assert to_iso(found.to_us) == to_iso(asked.from_us)
    assert previous_range(resolve_time_range(start, None)) is None


_EDGE_ZONES = pytest.mark.parametrize("timezone", ["UTC", "America/St_Johns", "Pacific/Kiritimati"])


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("0001-01-01", "0001-01-01"),
        ("1000-01-01", "2026-01-01"),
        ("0001-01-01T00:00:00Z", "2026-01-01T00:00:00Z"),
        ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"),
    ],
)
@_EDGE_ZONES
def test_no_period_begins_before_the_year_1(start: str, end: str, timezone: str) -> None:
    asked = resolve_time_range(start, end, timezone=timezone)
    assert TIME_MIN_US <= asked.from_us <= asked.to_us <= TIME_END_US
    with pytest.raises(ValidationFailed) as failure:
        previous_range(asked)
    assert [(one.pointer, one.code) for one in failure.value.errors] == [("/start_date", "range_too_long")]


@pytest.mark.parametrize("start", ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59-14:00"])
@_EDGE_ZONES
def test_the_period_before_the_end_of_time(start: str, timezone: str) -> None:
    asked = resolve_time_range(start, "9999-12-31T23:59:59-14:00", timezone=timezone)
    assert TIME_MIN_US <= asked.from_us <= asked.to_us == TIME_END_US
    found = previous_range(asked)
    assert found is not None
    assert found.to_us == asked.from_us


@pytest.mark.parametrize("kind", ["hour", "day", "week", "month"])
@pytest.mark.parametrize("timezone", ["UTC", "America/St_Johns", "Asia/Kolkata", "Pacific/Kiritimati"])
def test_buckets_at_the_ends_of_time_cover_all_that_may_hold_an_event(kind: Bucket, timezone: str) -> None:
    for start, end in (
        ("9999-12-30T00:00:00Z", "9999-12-31T12:00:00Z"),
        ("9999-12-31T22:00:00Z", None),
        ("9999-12-31", "9999-12-31"),
        ("0001-01-01T00:00:00Z", "1970-01-02"),
        ("0001-01-01", "1970-01-02"),
    ):
        asked = resolve_time_range(start, end, timezone=timezone)
        found = buckets(asked.from_us, asked.to_us, kind, timezone)
        assert (found[0].from_us, found[-1].to_us) == (max(asked.from_us, 0), asked.to_us)
        assert all(one.from_us < one.to_us for one in found)
        assert all(one.to_us == other.from_us for one, other in itertools.pairwise(found))
        assert len({one.name for one in found}) == len(found)
    asked = resolve_time_range("0001-01-01", "0001-01-01", timezone=timezone)
    assert buckets(asked.from_us, asked.to_us, kind, timezone) == []

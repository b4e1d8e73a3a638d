"""Plain days and timestamps of a zone to instants: DST both ways, odd offsets, skipped days, wrong input."""

from datetime import datetime

import pytest

from iafa.clock import from_datetime, to_iso
from iafa.errors import ValidationFailed
from iafa.event import TIME_MAX_US
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, check_timezone, resolve_time_range

ROWS: list[tuple[str, str, str | None, str | None, str, str]] = [
    ("day-is-inclusive", "UTC", "2026-11-01", "2026-11-01", "2026-11-01T00:00:00Z", "2026-11-02T00:00:00Z"),
    ("leap-day", "UTC", "2028-02-29", "2028-02-29", "2028-02-29T00:00:00Z", "2028-03-01T00:00:00Z"),
    ("spring-day-has-23-hours", "Europe/Vienna", "2026-03-29", "2026-03-29", "2026-03-28T23:00:00Z",
     "2026-03-29T22:00:00Z"),
    ("autumn-day-has-25-hours", "Europe/Vienna", "2026-10-25", "2026-10-25", "2026-10-24T22:00:00Z",
     "2026-10-25T23:00:00Z"),
    ("thirteen-forty-five", "Pacific/Chatham", "2026-01-01", "2026-01-01", "2025-12-31T10:15:00Z",
     "2026-01-01T10:15:00Z"),
    ("behind-utc", "America/New_York", "2026-07-04", "2026-07-04", "2026-07-04T04:00:00Z", "2026-07-05T04:00:00Z"),
    ("midnight-skipped-by-dst", "America/Sao_Paulo", "2018-11-04", "2018-11-04", "2018-11-04T03:00:00Z",
     "2018-11-05T02:00:00Z"),
    ("day-that-never-was", "Pacific/Apia", "2011-12-30", "2011-12-30", "2011-12-30T10:00:00Z",
     "2011-12-30T10:00:00Z"),
    ("timestamps-are-half-open", "UTC", "2026-01-01T10:00:00Z", "2026-01-01T11:00:00+00:00", "2026-01-01T10:00:00Z",
     "2026-01-01T11:00:00Z"),
    ("offset-beats-zone", "Asia/Tokyo", "2026-01-01T10:00:00+01:00", "2026-01-01T10:00:00-0100",
     "2026-01-01T09:00:00Z", "2026-01-01T11:00:00Z"),
    ("naive-is-local", "Asia/Kathmandu", "2026-01-01T00:00", "2026-01-01 00:00:01.5", "2025-12-31T18:15:00Z",
     "2025-12-31T18:15:01.5Z"),
    ("ambiguous-is-the-first", "Europe/Vienna", "2026-10-25T02:30:00", "2026-10-25T03:00:00", "2026-10-25T00:30:00Z",
     "2026-10-25T02:00:00Z"),
    ("missing-is-the-first-that-exists", "Europe/Vienna", "2026-03-29T02:30:00", "2026-03-29T03:00:00",
     "2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z"),
    ("half-hour-gap", "Australia/Lord_Howe", "2026-10-04T02:15", "2026-10-04T02:30", "2026-10-03T15:30:00Z",
     "2026-10-03T15:30:00Z"),
    ("microseconds", "UTC", "2026-01-01T00:00:00.000001", "2026-01-01T23:59:59.999999", "2026-01-01T00:00:00.000001Z",
     "2026-01-01T23:59:59.999999Z"),
    ("timestamp-to-day", "UTC", "2026-01-01T12:00:00", "2026-01-01", "2026-01-01T12:00:00Z", "2026-01-02T00:00:00Z"),
    ("empty", "UTC", "2026-01-01T12:00:00", "2026-01-01T12:00:00", "2026-01-01T12:00:00Z", "2026-01-01T12:00:00Z"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "start", "end", "since", "until"), [row[1:] for row in ROWS], ids=[r[0] for r in ROWS]
)
def test_resolved_instants(zone: str, start: str, end: str, since: str, until: str) -> None:
    found = resolve_time_range(start, end, timezone=zone)
    assert (to_iso(found.from_us), to_iso(found.to_us)) == tuple(
        to_iso(from_datetime(datetime.fromisoformat(text))) for text in (since, until)
    )
    assert found.shown(0, 0) == {"start": start, "end": end}


def test_absent_is_all_data_and_the_answer_shows_its_own_days() -> None:
    found = resolve_time_range(timezone="Pacific/Chatham")
    assert (found.from_us, found.to_us) == (TIME_MIN_US, TIME_END_US)
    noon = from_datetime(datetime.fromisoformat("2026-01-01T12:00:00Z"))
    assert found.shown(noon, noon) == {"start": "2026-01-02", "end": "2026-01-02"}
    assert found.shown(None, None) == {"start": None, "end": None}
    assert found.shown(0, TIME_MAX_US) == {"start": "1970-01-01", "end": "9999-12-31"}


def test_one_side_may_be_open() -> None:
    assert resolve_time_range("2026-01-01").to_us == TIME_END_US
    assert resolve_time_range(end_date="2026-01-01").from_us == TIME_MIN_US


def test_last_day_of_the_calendar_has_an_end() -> None:
    assert resolve_time_range("0001-01-01", "9999-12-31", timezone="Asia/Tokyo").to_us == TIME_END_US


@pytest.mark.parametrize(
    ("start", "end", "pointer", "code"),
    [
        ("2026-01-02", "2026-01-01", "/start_date", "start_after_end"),
        ("2026-01-02T00:00", "2026-01-01", "/start_date", "start_after_end"),
        ("2026-01-01T00:00:01", "2026-01-01T00:00:00", "/start_date", "start_after_end"),
        ("2026-01-02", "2026-01-01T12:00", "/start_date", "start_after_end"),
        ("2026-02-30", None, "/start_date", "invalid_timestamp"),
        ("2026-1-1", None, "/start_date", "invalid_timestamp"),
        (None, "20260101", "/end_date", "invalid_timestamp"),
        (None, "yesterday", "/end_date", "invalid_timestamp"),
        (None, "", "/end_date", "invalid_timestamp"),
        (None, "2026-01-01T24:01", "/end_date", "invalid_timestamp"),
        (None, "2026-01-01T00:00:00+99:00", "/end_date", "invalid_timestamp"),
        (None, "٢٠٢٦-٠١-٠١", "/end_date", "invalid_timestamp"),
    ],
)
def test_wrong_range_is_refused(start: str | None, end: str | None, pointer: str, code: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        resolve_time_range(start, end)
    assert [(error.pointer, error.code) for error in refused.value.errors] == [(pointer, code)]


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "/etc/passwd", "Europe", "UTC\x00"])
def test_unknown_zone_is_refused(zone: str) -> None:
    with pytest.raises(ValidationFailed) as refused:
        check_timezone(zone)
    assert [error.pointer for error in refused.value.errors] == ["/timezone"]

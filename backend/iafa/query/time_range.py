"""The range of a question: plain days and timestamps of the project's zone to UTC microseconds, half-open."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from iafa.clock import US_PER_S, to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.event import TIME_MAX_US
from iafa.query.field_errors import FieldErrors

TIME_MIN_US = -62_135_596_800 * US_PER_S  # the year 1: before every event
TIME_END_US = TIME_MAX_US + 1

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMESTAMP = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"([Zz]|[+-][0-9]{2}:?[0-9]{2})?"
)
_EPOCH = datetime(1970, 1, 1)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class TimeRange:
    """[from_us, to_us), and what was asked for. A side that was not asked for is open."""

    from_us: int
    to_us: int
    start: str | None
    end: str | None
    timezone: str

    def shown(self, first_us: int | None, last_us: int | None) -> dict[str, str | None]:
        """What was asked for; else the local days of the data's own first and last event."""
        return {
            "start": self.start if self.start is not None else self._local_day(first_us),
            "end": self.end if self.end is not None else self._local_day(last_us),
        }

    def _local_day(self, time_us: int | None) -> str | None:
        if time_us is None:
            return None
        moment = datetime.fromtimestamp(time_us // US_PER_S, UTC)
        try:
            return moment.astimezone(ZoneInfo(self.timezone)).date().isoformat()
        except OverflowError:  # the last hours of the year 9999 in an eastern zone
            return moment.date().isoformat()


def resolve_time_range(
    start_date: str | None = None, end_date: str | None = None, *, timezone: str = "UTC"
) -> TimeRange:
    """A plain day is inclusive, a timestamp is used as it is, absent is open; else ValidationFailed."""
    errors = FieldErrors()
    zone = _zone(timezone, errors)
    start = _parse(start_date, "/start_date", errors)
    end = _parse(end_date, "/end_date", errors)
    errors.raise_any("the date range is not valid")
    from_us = TIME_MIN_US if start is None else _instant_us(start, zone)
    to_us = TIME_END_US if end is None else _end_us(end, zone)
    if start is not None and end is not None and _is_reversed(start, end, from_us, to_us):
        errors.add("/start_date", "start_after_end", "must not be after end_date")
    errors.raise_any("the date range is not valid")
    return TimeRange(within_calendar(from_us), within_calendar(to_us), start_date, end_date, timezone)


def within_calendar(time_us: int) -> int:
    """The instant, or the nearer end of the years 1 to 9999 for one that an offset moves out of them."""
    return min(max(time_us, TIME_MIN_US), TIME_END_US)


def check_timezone(timezone: str) -> str:
    """The name, if it is one of the IANA database."""
    errors = FieldErrors()
    _zone(timezone, errors)
    errors.raise_any("the time zone is not valid")
    return timezone


def start_of_day_us(day: date, zone: ZoneInfo) -> int:
    """The first instant of a local day, also where clocks skip midnight."""
    return _instant_us(day, zone)


def previous_range(asked: TimeRange) -> TimeRange | None:
    """The period of equal length right before: as many local days for days. None for a range with an open side.

    ValidationFailed where it would begin before the year 1.
    """
    if asked.start is None or asked.end is None:
        return None
    if not (_DAY.fullmatch(asked.start) and _DAY.fullmatch(asked.end)):
        before_us = 2 * asked.from_us - asked.to_us
        if before_us < TIME_MIN_US:
            raise _nothing_before()
        start, end = to_iso(min(before_us, TIME_MAX_US)), to_iso(min(asked.from_us, TIME_MAX_US))
        return TimeRange(before_us, asked.from_us, start, end, asked.timezone)
    first, last = date.fromisoformat(asked.start), date.fromisoformat(asked.end)
    if (first - date.min).days <= (last - first).days:
        raise _nothing_before()
    before = first - timedelta(days=1)
    return resolve_time_range((before - (last - first)).isoformat(), before.isoformat(), timezone=asked.timezone)


def _nothing_before() -> ValidationFailed:
    message = "the period before would begin before the year 1; name compare_start and compare_end"
    return ValidationFailed(
        "the date range is not valid", errors=[FieldError("/start_date", "range_too_long", message)]
    )


def _zone(timezone: str, errors: FieldErrors) -> ZoneInfo:
    try:
        return ZoneInfo(timezone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        errors.add("/timezone", "unknown_timezone", "must be a name of the IANA time zone database")
        return ZoneInfo("UTC")


def _parse(text: str | None, pointer: str, errors: FieldErrors) -> date | datetime | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
        if _TIMESTAMP.fullmatch(text):
            return datetime.fromisoformat(text.upper())
    except ValueError:
        pass
    errors.add(pointer, "invalid_timestamp", "must be a day as 2026-11-01 or a timestamp of ISO 8601")
    return None


def _is_reversed(start: date | datetime, end: date | datetime, from_us: int, to_us: int) -> bool:
    if isinstance(end, datetime):
        return from_us > to_us
    if isinstance(start, datetime):
        return from_us >= to_us
    return start > end


def _end_us(end: date | datetime, zone: ZoneInfo) -> int:
    if isinstance(end, datetime):
        return _instant_us(end, zone)
    if end == date.max:
        return TIME_END_US
    return _instant_us(end + timedelta(days=1), zone)


def _instant_us(value: date | datetime, zone: ZoneInfo) -> int:
    """An ambiguous local time is the first of the two, a missing one the first instant that exists."""
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    offset = value.utcoffset()
    if offset is not None:
        return _microseconds(value.replace(tzinfo=None)) - offset // _MICROSECOND
    local_us = _microseconds(value)
    before = local_us - _offset_us(value, zone, fold=0)
    after = local_us - _offset_us(value, zone, fold=1)
    return before if before <= after else _transition_us(after, before, zone)


def _transition_us(low_us: int, high_us: int, zone: ZoneInfo) -> int:
    """The first instant with the offset of `high_us`: the clocks change between the two readings."""
    low, high = low_us // US_PER_S, high_us // US_PER_S
    new_offset = datetime.fromtimestamp(high, zone).utcoffset()
    while low < high:
        middle = (low + high) // 2
        if datetime.fromtimestamp(middle, zone).utcoffset() == new_offset:
            high = middle
        else:
            low = middle + 1
    return high * US_PER_S


def _offset_us(local: datetime, zone: ZoneInfo, *, fold: int) -> int:
    offset = local.replace(tzinfo=zone, fold=fold).utcoffset()
    assert offset is not None
    return offset // _MICROSECOND


def _microseconds(naive: datetime) -> int:
    return (naive - _EPOCH) // _MICROSECOND

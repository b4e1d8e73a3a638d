"""Hours, days, weeks and months of a time zone, as instants. A day at a change of clocks has 23 or 25 hours."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from iafa.clock import US_PER_S
from iafa.errors import FieldError, ValidationFailed
from iafa.query.definition import Bucket
from iafa.query.time_range import TIME_END_US, start_of_day_us

BUCKETS_MAX = 1_000
_HOUR_S = 3_600


@dataclass(frozen=True)
class TimeBucket:
    """[from_us, to_us); `name` is its first local day, or its local hour with the offset."""

    name: str
    from_us: int
    to_us: int


def buckets(from_us: int, to_us: int, kind: Bucket, timezone: str) -> list[TimeBucket]:
    """Those that [from, to) touches, cut at its ends and at those of what an event's time may be; ValidationFailed if
    they are too many.
    """
    from_us, to_us = max(from_us, 0), min(to_us, TIME_END_US)
    if from_us >= to_us:
        return []
    zone = ZoneInfo(timezone)
    starts = _hours(from_us, zone) if kind == "hour" else _days(from_us, kind, zone)
    found: list[TimeBucket] = []
    name, start_us = next(starts)
    for next_name, next_us in starts:
        if len(found) == BUCKETS_MAX:
            message = f"a trend has at most {BUCKETS_MAX} buckets; ask for a shorter range or longer buckets"
            raise ValidationFailed("the range is too long", errors=[FieldError("/trend", "range_too_long", message)])
        found.append(TimeBucket(name, max(start_us, from_us), min(next_us, to_us)))
        if next_us >= to_us:
            break
        name, start_us = next_name, next_us
    return found


def _days(from_us: int, kind: Bucket, zone: ZoneInfo) -> Iterator[tuple[str, int]]:
    day = _local(from_us, zone).date()
    if kind == "week":
        day -= timedelta(days=min(day.weekday(), (day - date.min).days))
    if kind == "month":
        day = day.replace(day=1)
    while True:
        yield day.isoformat(), start_of_day_us(day, zone)
        try:
            day = _next_day(day, kind)
        except OverflowError:  # the calendar ends with the year 9999
            break
    yield "", TIME_END_US


def _next_day(day: date, kind: Bucket) -> date:
    if kind == "day":
        return day + timedelta(days=1)
    if kind == "week":
        return day + timedelta(days=7 - day.weekday())
    return (day + timedelta(days=31)).replace(day=1)


def _hours(from_us: int, zone: ZoneInfo) -> Iterator[tuple[str, int]]:
    at_s = from_us // US_PER_S
    local = _local(from_us, zone)
    at_s -= local.minute * 60 + local.second
    while at_s * US_PER_S < TIME_END_US:
        local = _local(at_s * US_PER_S, zone)
        yield local.isoformat(timespec="minutes"), at_s * US_PER_S
        # Where clocks change by half an hour an hour ends early, so that the next one begins where the clock says so.
        at_s += _HOUR_S - local.minute * 60 - local.second
    yield "", TIME_END_US


def _local(time_us: int, zone: ZoneInfo) -> datetime:
    moment = datetime.fromtimestamp(time_us // US_PER_S, UTC)
    try:
        return moment.astimezone(zone)
    except OverflowError:  # the last hours of the year 9999 in an eastern zone
        return moment

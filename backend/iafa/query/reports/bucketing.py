"""Which bucket of a time zone an event falls into, as integer arithmetic in SQL: exact where clocks change."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.errors import FieldError, ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.buckets import TimeBucket, buckets
from iafa.query.definition import Bucket
from iafa.query.time_range import TIME_END_US, TimeRange

INTERVALS: tuple[Bucket, ...] = ("day", "hour", "week", "month")
_HOUR_US = 3_600 * US_PER_S
_EPOCH_ORDINAL = date(1970, 1, 1).toordinal()
_MONDAY_OFFSET = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True)
class Bucketing:
    """The buckets of a range, and `sql`: the place of `time_us` among them, for times of the range."""

    buckets: Sequence[TimeBucket]
    sql: str

    def is_incomplete(self, place: int, as_of_us: int) -> bool:
        """True for the bucket that holds the present, and for those after it."""
        return self.buckets[place].to_us > as_of_us


def bucketing(from_us: int, to_us: int, kind: Bucket, timezone: str, *, time: str = "time_us") -> Bucketing:
    """ValidationFailed, of the field `interval`, if there would be too many buckets."""
    try:
        found = buckets(from_us, to_us, kind, timezone)
    except ValidationFailed as error:
        errors = [FieldError("/interval", one.code, one.message) for one in error.errors]
        raise ValidationFailed(str(error), errors=errors, code="invalid_query") from None
    if not found:
        return Bucketing((), "0")
    zone = ZoneInfo(timezone)
    pieces = list(_pieces(found[0].from_us, found[-1].to_us, zone))
    if kind == "hour":
        return Bucketing(found, _hours_sql(found, pieces, time))
    first = date.fromisoformat(found[0].name)
    return Bucketing(found, _choose(((end_us, _day_sql(kind, first, offset, time)) for end_us, offset in pieces), time))


def day_number_sql(from_us: int, to_us: int, timezone: str, *, time: str = "time_us") -> str:
    """The local day of `time_us`, counted from 1970-01-01, for times of the range."""
    pieces = _pieces(from_us, to_us, ZoneInfo(timezone))
    return _choose([(end_us, f"(({time} + {offset}) // {US_PER_DAY})") for end_us, offset in pieces], time)


def day_number(time_us: int, timezone: str) -> int:
    return (time_us + _offset_s(time_us // US_PER_S, ZoneInfo(timezone)) * US_PER_S) // US_PER_DAY


def range_of_data(time_range: TimeRange, snapshot: Snapshot) -> tuple[int, int]:
    """The range, its open sides closed by the data's own first and last event; empty (0, 0) where nothing is."""
    from_us, to_us = time_range.from_us, time_range.to_us
    if time_range.start is None:
        if snapshot.first_us is None:
            return 0, 0
        from_us = max(from_us, min(snapshot.first_us, to_us))
    if time_range.end is None:
        if snapshot.last_us is None:
            return 0, 0
        to_us = min(to_us, max(snapshot.last_us + 1, from_us))
    return from_us, to_us


def _day_sql(kind: Bucket, first: date, offset_us: int, time: str) -> str:
    day = f"(({time} + {offset_us}) // {US_PER_DAY})"
    if kind == "day":
        return f"{day} - {first.toordinal() - _EPOCH_ORDINAL}"
    if kind == "week":
        return f"({day} + {_MONDAY_OFFSET}) // 7 - {(first.toordinal() - _EPOCH_ORDINAL + _MONDAY_OFFSET) // 7}"
    local = f"make_timestamp({time} + {offset_us})"
    return f"year({local}) * 12 + month({local}) - {first.year * 12 + first.month}"


def _hours_sql(found: Sequence[TimeBucket], pieces: Sequence[tuple[int, int]], time: str) -> str:
    """Hours begin where the local clock says so; at a change of clocks by less than an hour one ends early."""
    parts, place = [], 0
    starts = [bucket.from_us for bucket in found]
    for end_us, offset_us in pieces:
        if place == len(found):
            break
        base_us = (starts[place] + offset_us) // _HOUR_US
        parts.append((end_us, f"({time} + {offset_us}) // {_HOUR_US} - {base_us - place}"))
        while place < len(found) and starts[place] < end_us:
            place += 1
    return _choose(parts, time)


def _choose(parts: "Iterator[tuple[int, str]] | Sequence[tuple[int, str]]", time: str) -> str:
    listed = list(parts)
    if len(listed) == 1:
        return f"({listed[0][1]})"
    cases = " ".join(f"when {time} < {end_us} then {text}" for end_us, text in listed[:-1])
    return f"(case {cases} else {listed[-1][1]} end)"


def _pieces(from_us: int, to_us: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Where the offset of the zone holds to, and the offset in microseconds."""
    at_s, end_s = from_us // US_PER_S, -(-to_us // US_PER_S)
    offset = _offset_s(at_s, zone)
    for change_s, new_offset in _changes(at_s, end_s, zone):
        yield change_s * US_PER_S, offset * US_PER_S
        offset = new_offset
    yield to_us, offset * US_PER_S


def _changes(from_s: int, to_s: int, zone: ZoneInfo) -> Iterator[tuple[int, int]]:
    """Looks at each day's end: two changes within one day have never been."""
    low, before = from_s, _offset_s(from_s, zone)
    while low < to_s:
        high = min(low + 86_400, to_s)
        after = _offset_s(high, zone)
        if after != before:
            left, right = low, high
            while left < right:
                middle = (left + right) // 2
                if _offset_s(middle, zone) == after:
                    right = middle
                else:
                    left = middle + 1
            yield left, after
        low, before = high, after


def _offset_s(at_s: int, zone: ZoneInfo) -> int:
    at_s = min(max(at_s, 0), TIME_END_US // US_PER_S - 1)
    try:
        offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset()
    except OverflowError:  # the last hours of the year 9999 in an eastern zone
        return 0
    assert offset is not None
    return int(offset.total_seconds())

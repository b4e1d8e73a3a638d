"""Days whose raw events the retention removed: their counts by UTC day, where a bucket is made of whole ones."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from iafa.clock import US_PER_DAY
from iafa.lake.rollups import DayCount
from iafa.lake.snapshot import Snapshot
from iafa.query.buckets import TimeBucket
from iafa.query.reports.trend_counts import Point
from iafa.query.reports.trend_question import Series, TrendQuestion
from iafa.query.time_range import TIME_END_US

_EPOCH = date(1970, 1, 1)
RAW, ROLLUP, BOTH, REMOVED = "raw", "rollup", "both", "removed"


@dataclass(frozen=True)
class Shown:
    """A point, where it comes from, and whether its number of people is exact and nothing is missing."""

    point: Point
    source: str = RAW
    is_exact: bool = True


@dataclass(frozen=True)
class RemovedDays:
    """`counts` by event type (None: all events) and day, for the series of one question."""

    counts: Mapping[tuple[str | None, int], DayCount] = field(default_factory=dict)
    has_edges: bool = False  # people were counted as they were stored
    until_us: int = TIME_END_US  # later events do not exist, and a day's counts know no hours

    @property
    def days(self) -> set[int]:
        return {day for event_type, day in self.counts if event_type is None}

    def shown(self, point: Point, series: Series, bucket: TimeBucket, *, is_usable: bool) -> Shown:
        """The point of one bucket (or of the whole range) with what is known of its removed days."""
        first, last = bucket.from_us // US_PER_DAY, (bucket.to_us - 1) // US_PER_DAY
        days = [day for day in self.days if first <= day <= last]
        if not days:
            return Shown(point)
        starts, ends = min(days) * US_PER_DAY, (max(days) + 1) * US_PER_DAY
        if not is_usable or starts < bucket.from_us or ends > min(bucket.to_us, self.until_us):
            # What is left of the events is counted; where nothing is left nothing is known.
            is_known = point.events or (point.events is None and point.value)
            return Shown(point if is_known else Point(None), REMOVED, False)
        counts = [one for day in days if (one := self.counts.get((series.rolled_up_type, day))) is not None]
        events = sum(one.events for one in counts)
        people = None if point.people is None else point.people + sum(one.people for one in counts)
        total = (point.events or 0) + events
        shown = Point(
            people if series.measure == "people" else total,
            total,
            people,
            None if point.scaled is None else point.scaled + events,
        )
        is_exact = (
            people is None
            or not counts
            or (len(counts) == 1 and counts[0].is_exact and not point.events and not self.has_edges)
        )
        return Shown(shown, BOTH if point.events else ROLLUP, is_exact)


def can_use(question: TrendQuestion, series: Series) -> bool:
    """Whether the daily counts of UTC hold what the series asks for."""
    frame = question.frame
    is_plain = not (frame.filters or frame.exclude_bots or question.breakdown or question.interval == "hour")
    return is_plain and frame.time_range.timezone == "UTC" and series.is_additive_by_day


def removed_days(snapshot: Snapshot, question: TrendQuestion, from_us: int, to_us: int) -> RemovedDays:
    rollups = snapshot.rollups
    if rollups is None or not rollups.files or from_us >= to_us:
        return RemovedDays()
    types = {None, *(one.rolled_up_type for one in question.series if one.matcher.events)}
    first, last = (_day(time_us) for time_us in (from_us, min(to_us, question.frame.exists_to_us) - 1))
    found = rollups.counts(first, last, types)
    counts = {(one.event_type, (one.date - _EPOCH).days): one for one in found}
    return RemovedDays(counts, snapshot.identities is not None, question.frame.exists_to_us)


def known_bounds(snapshot: Snapshot, question: TrendQuestion) -> tuple[int | None, int | None]:
    """The first and the last instant of the data; with the removed days where their counts can be shown."""
    first_us, last_us, rollups = snapshot.first_us, snapshot.last_us, snapshot.rollups
    if rollups is not None and rollups.files and any(can_use(question, one) for one in question.series):
        first = (date.fromisoformat(str(rollups.first_date)) - _EPOCH).days * US_PER_DAY
        last = (date.fromisoformat(str(rollups.last_date)) - _EPOCH + timedelta(days=1)).days * US_PER_DAY - 1
        first_us = first if first_us is None else min(first_us, first)
        last_us = last if last_us is None else max(last_us, last)
    return first_us, last_us


def _day(time_us: int) -> date:
    return datetime.fromtimestamp(max(time_us, 0) // 1_000_000, UTC).date()

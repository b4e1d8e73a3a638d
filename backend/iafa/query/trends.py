"""Trends: events and people a day, from the raw events and, for days that retention removed, from the roll-ups."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, NamedTuple

from iafa.clock import US_PER_DAY
from iafa.lake.rollups import DayCount
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import ANY_EVENT
from iafa.query.engine_duckdb import Cancellation, DuckEngine, Reading
from iafa.query.field_errors import FieldErrors
from iafa.query.source import stored_events_sql

EVENT_TYPES_MAX = 20
DAYS_MAX = 3_660
_EPOCH = date(1970, 1, 1)
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_Key = tuple[str | None, date]  # event type (None: all) and day


class _Raw(NamedTuple):
    """Counts of stored events. `scaled` is None where nothing was sampled."""

    events: int = 0
    people: int = 0
    scaled: int | None = None


_NOTHING = _Raw()


@dataclass(frozen=True)
class TrendQuestion:
    """`*` among the types is any event. Days of UTC, both included; an absent one is the data's own."""

    event_types: tuple[str, ...]
    start: date | None
    end: date | None


def parse_question(
    events: Sequence[str], start_date: str | None, end_date: str | None, *, interval: str, timezone: str
) -> TrendQuestion:
    """Raises ValidationFailed that lists every wrong parameter."""
    errors = FieldErrors()
    names = [errors.text(name, "/event", most=200) for name in errors.sequence(events, "/event", most=EVENT_TYPES_MAX)]
    errors.choice(interval, "/interval", ("day",))
    errors.choice(timezone, "/timezone", ("UTC",))
    start, end = _day(start_date, "/start_date", errors), _day(end_date, "/end_date", errors)
    if start is not None and end is not None and start > end:
        errors.add("/start_date", "start_after_end", "must not be after end_date")
    errors.raise_any("the question is not valid")
    return TrendQuestion(tuple(dict.fromkeys(names)) or (ANY_EVENT,), start, end)


def trends(
    engine: DuckEngine, snapshot: Snapshot, question: TrendQuestion, *, cancellation: Cancellation | None = None
) -> dict[str, Any]:
    """One series a type, one bucket a day; a day without events is 0."""
    start, end = _range(snapshot, question)
    with engine.reading(snapshot, cancellation) as reading:
        raw = _raw_counts(reading, snapshot, question.event_types, start, end)
    wanted = {_name(event_type) for event_type in question.event_types} | {None}
    rollups = snapshot.rollups
    counts = rollups.counts(start, end, wanted) if rollups is not None and rollups.files else []
    rolled = {(count.event_type, count.date): count for count in counts}
    days = [start + timedelta(days=n) for n in range((end - start).days + 1)]
    return {
        "project_id": snapshot.project_id,
        "interval": "day",
        "timezone": "UTC",
        "range": {"start": start.isoformat(), "end": end.isoformat()} if days else {"start": None, "end": None},
        "series": [
            {"event_type": one, "buckets": [_bucket(_name(one), day, raw, rolled) for day in days]}
            for one in question.event_types
        ],
        "data_version": snapshot.data_version,
    }


def _bucket(event_type: str | None, day: date, raw: dict[_Key, _Raw], rolled: dict[_Key, DayCount]) -> dict[str, Any]:
    """A rolled-up day may have late events that are still raw; their people may be in the roll-up too."""
    events, people, scaled = raw.get((event_type, day), _NOTHING)
    count = rolled.get((event_type, day))
    is_rolled_up = (None, day) in rolled
    source = "raw" if not is_rolled_up else "both" if events else "rollup"
    return {
        "date": day.isoformat(),
        "events": events + (count.events if count else 0),
        "events_scaled": None if scaled is None else scaled + (count.events if count else 0),
        "people": people + (count.people if count else 0),
        "source": source,
        "is_exact": count is None or (count.is_exact and not events),
    }


def _raw_counts(
    reading: Reading, snapshot: Snapshot, event_types: Sequence[str], start: date, end: date
) -> dict[_Key, _Raw]:
    names = [one for one in event_types if one != ANY_EVENT]
    found: dict[_Key, _Raw] = {}
    for is_any in [*([False] if names else []), *([True] if ANY_EVENT in event_types else [])]:
        parameters = Parameters(
            from_us=(start - _EPOCH).days * US_PER_DAY, to_us=((end - _EPOCH).days + 1) * US_PER_DAY
        )
        wanted = "true" if is_any else f"event_type in ({', '.join(parameters.bind(one) for one in names)})"
        # Roll-ups count people as they were stored: so do the days beside them.
        events = stored_events_sql(snapshot, {"event_type", "user_hash", "created_at", "sample_rate"}, parameters)
        sql = sql_text("trend_days", events=events, is_wanted=wanted, event_type="null" if is_any else "event_type")
        for name, day, count, people, scaled, is_sampled in reading.rows(sql, parameters.values):
            assert isinstance(day, int)
            assert isinstance(count, int)
            assert isinstance(people, int)
            key = (None if is_any else str(name), _EPOCH + timedelta(days=day))
            assert isinstance(scaled, int)
            found[key] = _Raw(count, people, scaled if is_sampled else None)
    return found


def _range(snapshot: Snapshot, question: TrendQuestion) -> tuple[date, date]:
    """The days of the answer; an empty range (end before start) when there is neither a date nor an event."""
    starts = [] if snapshot.first_us is None else [_EPOCH + timedelta(days=snapshot.first_us // US_PER_DAY)]
    ends = [] if snapshot.last_us is None else [_EPOCH + timedelta(days=snapshot.last_us // US_PER_DAY)]
    if snapshot.rollups is not None and snapshot.rollups.files:
        starts.append(date.fromisoformat(str(snapshot.rollups.first_date)))
        ends.append(date.fromisoformat(str(snapshot.rollups.last_date)))
    start = question.start or min(starts, default=question.end or _EPOCH)
    end = question.end or max(ends, default=question.start or _EPOCH - timedelta(days=1))
    errors = FieldErrors()
    if (end - start).days >= DAYS_MAX:
        errors.add("/start_date", "range_too_long", f"a trend has at most {DAYS_MAX} days")
    errors.raise_any("the question is not valid")
    return start, end


def _day(text: str | None, pointer: str, errors: FieldErrors) -> date | None:
    if text is None:
        return None
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    errors.add(pointer, "invalid_timestamp", "must be a day such as 2026-10-01")
    return None


def _name(event_type: str) -> str | None:
    return None if event_type == ANY_EVENT else event_type

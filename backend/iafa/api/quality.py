"""How good a project's data is, day by day: what was stored, what was not, and why."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response

from iafa.api.access import ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.quality_models import QualityAnswer
from iafa.api.services import ServicesOf
from iafa.clock import US_PER_DAY, to_datetime
from iafa.errors import FieldError, ValidationFailed
from iafa.event import COUNTED_ONLY
from iafa.jobs.quarantine_desk import QuarantineDesk
from iafa.lake.quarantine import KEPT_DAYS
from iafa.lake.quarantine_rows import DayCount
from iafa.query.stored_days import Stored
from iafa.questions import Questions

router = APIRouter(prefix="/api/v1/projects/{project_id}", tags=["monitor"], route_class=QuestionRoute)
DAYS_DEFAULT, DAYS_MAX = 30, 366
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC).date()
_LAST = date.max - timedelta(days=1)
_NOTHING = Stored(0, 0)
Day = Annotated[date | None, Query(description="A UTC day.", examples=["2026-11-20"])]


@router.get(
    "/quality",
    response_model=QualityAnswer,
    summary="Data quality over time",
    description="By UTC day of receipt: events that are stored, those of bots, and what was not stored by reason. Both "
    "days count; without them the last 30 days, at most 366. What retention has removed is not counted as stored, and "
    "what was refused is known for 30 days. Refused events appear when the journal "
    "has been flushed.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def read_quality(
    request: Request,
    project: ReadableProject,
    services: ServicesOf,
    start_date: Day = None,
    end_date: Day = None,
) -> Response:
    today = to_datetime(services.clock.now_us()).date()
    first, last = _range(start_date, end_date, today)
    snapshot = await services.snapshot(project.id)
    questions = cast(Questions, request.app.state.questions)
    from_us, to_us = ((day - _EPOCH).days * US_PER_DAY for day in (first, last + timedelta(days=1)))
    stored = await while_waiting(request, partial(questions.stored_by_day, snapshot, from_us, to_us))
    desk = cast(QuarantineDesk, request.app.state.quarantine)
    counts, repeats = await asyncio.to_thread(desk.counts, project.id)
    dropped = [one for one in counts if first <= one.day <= last]
    days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
    return json_answer(
        {
            "project_id": project.id,
            "start": first.isoformat(),
            "end": last.isoformat(),
            "timezone": "UTC",
            "is_complete": all(one.is_complete is not False for one in dropped),
            "totals": _counts(_sum(stored.values()), dropped),
            "days": [
                _day(day, stored, dropped, repeats) | {"is_refused_known": day >= today - timedelta(days=KEPT_DAYS)}
                for day in days
            ],
        }
    )


def _range(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    last = end or (today if start is None else min(today, _later(start, DAYS_MAX - 1)))
    first = start or _later(last, 1 - DAYS_DEFAULT)
    if first > last:
        raise _wrong("/start_date", "start_after_end", "must not be after end_date")
    if (last - first).days >= DAYS_MAX:
        raise _wrong("/start_date", "invalid_query", f"ask for at most {DAYS_MAX} days")
    return _within(first), _within(last)


def _within(day: date) -> date:
    """Of the days that an event can have come in on; the one after it exists, too."""
    return min(max(day, _EPOCH), _LAST)


def _later(day: date, days: int) -> date:
    """Within the calendar."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _wrong(pointer: str, code: str, message: str) -> ValidationFailed:
    errors = [FieldError(pointer, code, message)]
    return ValidationFailed("the date range is not valid", errors=errors, code="invalid_query")


def _day(
    day: date, stored: Mapping[str, Stored], dropped: Iterable[DayCount], repeats: Mapping[str, int]
) -> dict[str, Any]:
    name = day.isoformat()
    counted = _counts(stored.get(name, _NOTHING), [one for one in dropped if one.day == day])
    return {"date": name, **counted, "repeats": repeats.get(name, 0)}


def _counts(stored: Stored, dropped: Iterable[DayCount]) -> dict[str, Any]:
    reasons: Counter[str] = Counter()
    replayed = 0
    for one in dropped:
        reasons[one.reason] += one.dropped
        replayed += one.replayed
    invalid = sum(count for reason, count in reasons.items() if reason not in COUNTED_ONLY)
    seen = stored.events + invalid - replayed
    return {
        "stored": stored.events,
        "bots": stored.bots,
        "duplicates": reasons["duplicate"],
        "sampled_out": reasons["sampled_out"],
        "rate_limited": reasons["rate_limited"],
        "quota_exceeded": reasons["quota_exceeded"],
        "invalid": invalid,
        "replayed": replayed,
        "reasons": {reason: count for reason, count in sorted(reasons.items()) if count},
        "invalid_share": round((invalid - replayed) / seen, 6) if seen > 0 else None,
    }


def _sum(stored: Iterable[Stored]) -> Stored:
    both = list(stored)
    return Stored(sum(one.events for one in both), sum(one.bots for one in both))

"""Analytics routes: the answer of a funnel, saved or not, and the names of events."""

from asyncio import to_thread
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableFunnel, ReadableProject
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.funnel_docs import QUESTION_BODY
from iafa.api.funnel_models import EventNameList, FunnelAnswer
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import OBJECT_PROBLEMS
from iafa.api.question_fields import Day, WindowOverride
from iafa.api.services import ServicesOf
from iafa.errors import FieldError, ValidationFailed
from iafa.meta.projects import Project
from iafa.query.definition_reading import parse_definition
from iafa.query.question import Extras, parse_include
from iafa.query.time_range import TimeRange, resolve_time_range

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
QUERY_PROBLEMS = (
    *OBJECT_PROBLEMS, "insufficient_scope", "invalid_query", "query_busy", "storage_unavailable", "query_timeout"
)  # fmt: skip
RANGE_FIELDS = ("start_date", "end_date", "compare_start", "compare_end")
QUESTION_FIELDS = (*RANGE_FIELDS, "include")


class Beside(NamedTuple):
    """What a saved funnel is asked for beside its counts, and what replaces parts of its definition."""

    include: list[str]
    compare_start: str | None
    compare_end: str | None
    override: dict[str, object]


def beside(
    window_seconds: WindowOverride = None,
    include: Annotated[
        list[str],
        Query(
            max_length=20,
            description="`times`, `trend`, `breakdown`, `compare`, `receipt`: repeated, or with commas between.",
        ),
    ] = [],  # noqa: B006
    compare_start: Day = None,
    compare_end: Day = None,
    trend: Annotated[str | None, Query(max_length=10, description="`hour`, `day`, `week` or `month`.")] = None,
    breakdown: Annotated[str | None, Query(max_length=200, description="A property to group by.")] = None,
    attribution: Annotated[
        str | None, Query(max_length=20, description="Whose value counts, with `breakdown`; `entry` if absent.")
    ] = None,
) -> Beside:
    override: dict[str, object] = {}
    if window_seconds is not None:
        override["window_seconds"] = window_seconds
    if trend is not None:
        override["trend"] = trend
    if breakdown is not None:
        override["breakdown"] = {"property": breakdown, "attribution": attribution}
    elif attribution is not None:
        raise ValidationFailed(
            "the question is not valid",
            errors=[FieldError("/attribution", "conflicting_fields", "belongs to breakdown")],
            code="invalid_query",
        )
    return Beside(include, compare_start, compare_end, override)


@router.get(
    "/funnel/{funnel_id}",
    response_model=FunnelAnswer,
    summary="Ask a saved funnel",
    description="How many people did the stages in order inside the window, among those who entered in the range. "
    "Both days count. Without `start_date` and `end_date` the range is all of the project's data. Every event "
    "acknowledged before the request is counted, flushed or not.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def ask_saved_funnel(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    wanted: Annotated[Beside, Depends(beside)],
    start_date: Day = None,
    end_date: Day = None,
) -> Response:
    funnel, project = found
    definition = await to_thread(parse_definition, {**funnel.definition, **wanted.override})
    time_range = resolve_time_range(start_date, end_date, timezone=project.timezone)
    extras = extras_of(project, wanted.include, wanted.compare_start, wanted.compare_end)
    snapshot = await services.snapshot(project.id)
    ask = partial(services.run_funnel, snapshot, definition, time_range, funnel.id, extras)
    return json_answer(await while_waiting(request, ask))


@router.post(
    "/funnel",
    response_model=FunnelAnswer,
    summary="Ask a funnel that is not saved",
    description="The same answer as for a saved funnel; `funnel_id` is null.",
    openapi_extra=QUESTION_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def ask_funnel(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    start_date, end_date, compare_start, compare_end = (text_or_none(raw, field) for field in RANGE_FIELDS)
    definition = await to_thread(parse_definition, {key: raw[key] for key in raw if key not in QUESTION_FIELDS})
    time_range = resolve_time_range(start_date, end_date, timezone=project.timezone)
    extras = extras_of(project, raw.get("include"), compare_start, compare_end)
    snapshot = await services.snapshot(project.id)
    ask = partial(services.run_funnel, snapshot, definition, time_range, None, extras)
    return json_answer(await while_waiting(request, ask))


@router.get(
    "/event-names",
    response_model=EventNameList,
    summary="List the names of events",
    description="The names that a project's events have, most frequent first; `q` finds a part of a name in either "
    "case.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_event_names(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    q: Annotated[str, Query(max_length=200, description="Part of a name.")] = "",
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
) -> Response:
    snapshot = await services.snapshot(project.id)
    found = await while_waiting(request, partial(services.event_names, snapshot, q, limit))
    names = [{"name": one["event_type"], "count": one["count"], "last_seen": one["last_seen"]} for one in found]
    return json_answer({"event_names": names, "data_version": snapshot.data_version})


def extras_of(project: Project, include: object, compare_start: str | None, compare_end: str | None) -> Extras:
    compare_with = None
    if compare_start is not None or compare_end is not None:
        compare_with = _compared(compare_start, compare_end, project.timezone)
    return Extras(
        parse_include(include), compare_with, project.session_gap_seconds, project.may_miss_single_events_until_us
    )


def _compared(start: str | None, end: str | None, timezone: str) -> TimeRange:
    """The range to compare with; errors name its own fields."""
    try:
        return resolve_time_range(start, end, timezone=timezone)
    except ValidationFailed as error:
        pointers = {"/start_date": "/compare_start", "/end_date": "/compare_end"}
        errors = [FieldError(pointers.get(one.pointer, one.pointer), one.code, one.message) for one in error.errors]
        raise ValidationFailed("the range to compare with is not valid", errors=errors) from None


def text_or_none(raw: Mapping[str, Any], field: str) -> str | None:
    value = raw.get(field)
    if value is None or isinstance(value, str):
        return value
    raise ValidationFailed(
        "the range is not valid", errors=[FieldError(f"/{field}", "not_a_string", "send a day such as 2026-10-01")]
    )

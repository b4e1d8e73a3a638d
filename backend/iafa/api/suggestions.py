"""Routes that suggest: the next stage of a funnel, and funnels for a project that has none."""

from asyncio import to_thread
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableFunnel, ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.funnel_docs import NEXT_STEPS_BODY
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Chosen, Day, definition_of_body, number_field
from iafa.api.services import Services, ServicesOf
from iafa.api.suggestion_models import NextStepsAnswer, SuggestionsAnswer
from iafa.checks.templates import template_matches
from iafa.meta.projects import Project
from iafa.query.definition import FunnelDefinition
from iafa.query.event_names import LIMIT_MAX as NAMES_MAX
from iafa.query.next_steps import LIMIT_DEFAULT, LIMIT_MAX
from iafa.query.question import Extras
from iafa.query.time_range import TimeRange, resolve_time_range

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)


@router.get(
    "/funnel/{funnel_id}/next-steps",
    response_model=NextStepsAnswer,
    summary="What people do after a saved funnel",
    description="The events that most of those who got to the last stage did next: later than it, within the window, "
    "the first of each name. Bots and what matches a stage of the funnel are left out.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def ask_saved_next_steps(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    chosen: Chosen,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
) -> Response:
    funnel, project = found
    definition, time_range = await chosen.of(funnel.definition, project.timezone)
    said = await _next_steps(request, services, project, definition, time_range, limit)
    return json_answer({"funnel_id": funnel.id, **said})


@router.post(
    "/funnel/next-steps",
    response_model=NextStepsAnswer,
    summary="What people do after a funnel that is not saved",
    description="The same answer as for a saved funnel, for a definition that is being made: one stage is enough.",
    openapi_extra=NEXT_STEPS_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def ask_next_steps(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = dict(raw)
    limit = number_field(fields, "limit", LIMIT_DEFAULT, most=LIMIT_MAX)
    definition, time_range = await definition_of_body(fields, project.timezone)
    said = await _next_steps(request, services, project, definition, time_range, limit)
    return json_answer({"funnel_id": None, **said})


@router.get(
    "/funnel-suggestions",
    response_model=SuggestionsAnswer,
    summary="Suggest funnels for a project",
    description="Templates beside what the project's events have of them, and funnels that the events themselves "
    "suggest: beginning with what people do first, then always what most of them do next. Without dates the range is "
    "all of the project's data.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def suggest_funnels(
    project: ReadableProject, services: ServicesOf, request: Request, start_date: Day = None, end_date: Day = None
) -> Response:
    time_range = resolve_time_range(start_date, end_date, timezone=project.timezone)
    snapshot = await services.snapshot(project.id)
    found = await while_waiting(request, partial(services.event_names, snapshot, "", NAMES_MAX))
    names = [str(one["event_type"]) for one in found]
    funnels = await while_waiting(request, partial(services.suggested_funnels, snapshot, time_range))
    named = [{**one, "definition": {"project_id": project.id, **one["definition"]}} for one in funnels]
    templates = await to_thread(template_matches, names)
    return json_answer({"templates": templates, "funnels": named, "data_version": snapshot.data_version})


async def _next_steps(
    request: Request,
    services: Services,
    project: Project,
    definition: FunnelDefinition,
    time_range: TimeRange,
    limit: int,
) -> dict[str, Any]:
    snapshot = await services.snapshot(project.id)
    extras = Extras(session_gap_s=project.session_gap_seconds)
    return await while_waiting(request, partial(services.next_steps, snapshot, definition, time_range, extras, limit))

"""The routes of the reports on sessions and of the overview."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableProject
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.leaving import while_waiting
from iafa.api.report_docs import OVERVIEW_BODY, SESSIONS_BODY
from iafa.api.report_frame import REPORT_BODY_PROBLEMS, REPORT_PROBLEMS, FrameFields, answer_report
from iafa.api.services import ServicesOf
from iafa.api.session_models import BREAKDOWN_TEXT, LIMIT_TEXT, LISTS_TEXT, OverviewAnswer, Present, SessionsAnswer
from iafa.query.definition import Bucket
from iafa.query.reports.overview import LISTS_DEFAULT, parse_overview
from iafa.query.reports.sessions import GROUPS_MAX, parse_sessions
from iafa.query.reports.visits import DIMENSIONS, Dimension

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
Interval = Annotated[Bucket | None, Query(description="`day` if absent.")]
Groups = Annotated[int | None, Query(ge=1, le=GROUPS_MAX, description=f"{LIMIT_TEXT} 10 if absent.")]
RULE = (
    "A session is what one person did without a pause longer than the project's `session_gap_seconds`. It belongs to "
    "the range in which it begins and is counted whole. With filters those sessions are counted that hold an event "
    "which passes them."
)


@router.get(
    "/sessions",
    response_model=SessionsAnswer,
    summary="Ask for sessions",
    description=f"How many sessions, how long, how deep, and how many of one event; by time, and by one of "
    f"{', '.join(f'`{name}`' for name in DIMENSIONS)}. {RULE}",
    responses=REPORT_PROBLEMS,
)
async def get_sessions(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    interval: Interval = None,
    breakdown: Annotated[Dimension | None, Query(description=BREAKDOWN_TEXT)] = None,
    limit: Groups = None,
) -> Response:
    fields = {**frame, "interval": interval, "breakdown": breakdown, "limit": limit}
    return await answer_report(request, services, project, fields, parse_sessions)


@router.post(
    "/sessions",
    response_model=SessionsAnswer,
    summary="Ask for sessions with a body",
    description=f"The same answer; the body takes filters as they are. {RULE}",
    openapi_extra=SESSIONS_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_sessions(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    return await answer_report(request, services, project, raw, parse_sessions)


@router.get(
    "/overview",
    response_model=OverviewAnswer,
    summary="Ask for the overview of a web site",
    description="Visitors, visits and page views by time, the pages that were viewed, and what is known of the visits: "
    f"{', '.join(f'`{name}`' for name in LISTS_DEFAULT)}, or those in `lists`. `present` is who did something in the "
    f"last five minutes. {RULE}",
    responses=REPORT_PROBLEMS,
)
async def get_overview(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    interval: Interval = None,
    lists: Annotated[list[Dimension], Query(max_length=len(DIMENSIONS), description=f"{LISTS_TEXT} Repeated.")] = [],  # noqa: B006
    limit: Groups = None,
) -> Response:
    fields = {**frame, "interval": interval, "lists": lists or None, "limit": limit}
    return await answer_report(request, services, project, fields, parse_overview)


@router.post(
    "/overview",
    response_model=OverviewAnswer,
    summary="Ask for the overview with a body",
    description=f"The same answer; the body takes filters as they are. {RULE}",
    openapi_extra=OVERVIEW_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_overview(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    return await answer_report(request, services, project, raw, parse_overview)


@router.get(
    "/present",
    response_model=Present,
    summary="Count who is there now",
    description="The people who did something in the last five minutes, and their page views. Only the newest events "
    "are read: cheap enough to be asked every half minute, on any amount of data.",
    responses=REPORT_PROBLEMS,
)
async def get_present(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    exclude_bots: Annotated[bool, Query(description="Leave out events marked as sent by bots.")] = False,
) -> Response:
    snapshot = await services.snapshot(project.id)
    return json_answer(await while_waiting(request, partial(services.present, snapshot, exclude_bots)))

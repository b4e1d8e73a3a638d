"""The routes of retention."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableProject
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.report_docs import RETENTION_BODY
from iafa.api.report_frame import (
    REPORT_BODY_PROBLEMS,
    REPORT_PROBLEMS,
    Fields,
    FrameFields,
    answer_report,
    groups_member,
    matcher_member,
)
from iafa.api.retention_models import (
    KIND_TEXT,
    MODE_TEXT,
    OR_AFTER_TEXT,
    PERIODS_TEXT,
    RETURN_TEXT,
    START_TEXT,
    RetentionAnswer,
)
from iafa.api.services import ServicesOf
from iafa.query.reports.retention import Interval, Kind, Mode, parse_retention

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)


def event_fields(
    start: Annotated[str, Query(max_length=20_000, description=START_TEXT)],
    back: Annotated[str | None, Query(alias="return", max_length=20_000, description=RETURN_TEXT)] = None,
    breakdown: Annotated[str | None, Query(max_length=200, description="A property of the start event.")] = None,
    breakdown_limit: Annotated[int | None, Query(description="So many groups; 10 if absent.")] = None,
) -> Fields:
    return {
        "start": matcher_member(start, "start"),
        "return": matcher_member(back, "return"),
        "breakdown": groups_member(breakdown, breakdown_limit),
    }


def period_fields(
    interval: Annotated[Interval | None, Query(description="`day` if absent.")] = None,
    periods: Annotated[int | None, Query(description=PERIODS_TEXT)] = None,
    kind: Annotated[Kind | None, Query(description=KIND_TEXT)] = None,
    mode: Annotated[Mode | None, Query(description=MODE_TEXT)] = None,
    on_or_after: Annotated[bool, Query(description=OR_AFTER_TEXT)] = False,
) -> Fields:
    return {"interval": interval, "periods": periods, "kind": kind, "mode": mode, "on_or_after": on_or_after}


@router.get(
    "/retention",
    response_model=RetentionAnswer,
    summary="Ask who comes back",
    description="Cohorts by the local day, week or month of a first event, and for each period after it how many of "
    "the cohort did the return event. Without dates the range is all of the project's data.",
    responses=REPORT_PROBLEMS,
)
async def get_retention(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    events: Annotated[Fields, Depends(event_fields)],
    periods: Annotated[Fields, Depends(period_fields)],
) -> Response:
    fields = {**frame, **events, **periods}
    return await answer_report(request, services, project, fields, parse_retention)


@router.post(
    "/retention",
    response_model=RetentionAnswer,
    summary="Ask who comes back, with a body",
    description="The same answer; the body takes matchers and filters as they are.",
    openapi_extra=RETENTION_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_retention(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    return await answer_report(request, services, project, raw, parse_retention)

"""The routes of the report on anomalies."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableProject
from iafa.api.anomaly_models import EVENTS_TEXT, LIMIT_TEXT, AnomaliesAnswer, Measure, Sensitivity
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.report_docs import ANOMALIES_BODY
from iafa.api.report_frame import REPORT_BODY_PROBLEMS, REPORT_PROBLEMS, FrameFields, answer_report
from iafa.api.services import ServicesOf
from iafa.query.reports.anomalies import TYPES_MAX, parse_anomalies

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
RULE = (
    "Each complete day of the range is judged by up to six weeks before it, with a robust trend, the weekday's season "
    "and the usual deviation. Without `start_date` the last four weeks are judged; at most 366 days."
)


@router.get(
    "/anomalies",
    response_model=AnomaliesAnswer,
    summary="Ask for anomalies",
    description=f"Days on which a type of event was counted far from what was to be expected, in words. {RULE}",
    responses=REPORT_PROBLEMS,
)
async def get_anomalies(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    measure: Annotated[Measure | None, Query(description="`events` if absent.")] = None,
    sensitivity: Annotated[Sensitivity | None, Query(description="`medium` if absent.")] = None,
    events: Annotated[list[str], Query(max_length=TYPES_MAX, description=f"{EVENTS_TEXT} Repeated.")] = [],  # noqa: B006
    limit: Annotated[int | None, Query(ge=1, le=TYPES_MAX, description=f"{LIMIT_TEXT} 10 if absent.")] = None,
) -> Response:
    own = {"measure": measure, "sensitivity": sensitivity, "events": events or None, "limit": limit}
    return await answer_report(request, services, project, {**frame, **own}, parse_anomalies)


@router.post(
    "/anomalies",
    response_model=AnomaliesAnswer,
    summary="Ask for anomalies with a body",
    description=f"The same answer; the body takes filters as they are. {RULE}",
    openapi_extra=ANOMALIES_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_anomalies(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    return await answer_report(request, services, project, raw, parse_anomalies)

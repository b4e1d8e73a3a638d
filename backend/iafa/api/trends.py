"""Routes of the trends report: asked by an address for simple questions, by a body for all of them."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableProject
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.report_docs import TRENDS_BODY
from iafa.api.report_frame import REPORT_BODY_PROBLEMS, REPORT_PROBLEMS, FrameFields, answer_report
from iafa.api.services import ServicesOf
from iafa.api.trend_models import TrendsAnswer
from iafa.errors import FieldError, ValidationFailed
from iafa.query.reports.frame import Setting
from iafa.query.reports.trend_question import series_of_names
from iafa.query.reports.trends import Trends, parse_trends

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)


def trend_fields(
    event: Annotated[list[str], Query(max_length=100, description="An event's name or `*`; up to 20, repeated.")] = [],  # noqa: B006
    measure: Annotated[
        str | None, Query(max_length=20, description="`events` with their people if absent; as in the body.")
    ] = None,
    property: Annotated[str | None, Query(max_length=200, description="The numeric one, for `sum`, `avg`, ...")] = None,
    interval: Annotated[str, Query(max_length=20, description="`hour`, `day`, `week` or `month`.")] = "day",
    timezone: Annotated[str | None, Query(max_length=64, description="The project's if absent.")] = None,
    formula: Annotated[list[str], Query(max_length=10, description="Such as `A / B * 100`; up to 10, repeated.")] = [],  # noqa: B006
    breakdown: Annotated[str | None, Query(max_length=200, description="A property to group by.")] = None,
    limit: Annotated[int | None, Query(ge=1, le=100, description="So many groups, with `breakdown`.")] = None,
) -> dict[str, Any]:
    """What the body would say. Absent members are left out."""
    given = {
        "series": series_of_names(event, measure, property),
        "interval": interval,
        "timezone": timezone,
        "formulas": formula,
        "breakdown": None if breakdown is None else {"property": breakdown, "limit": limit},
    }
    if limit is not None and breakdown is None:
        errors = [FieldError("/limit", "conflicting_fields", "belongs to breakdown")]
        raise ValidationFailed("the question is not valid", errors=errors, code="invalid_query")
    return {name: value for name, value in given.items() if value is not None}


@router.get(
    "/trends",
    response_model=TrendsAnswer,
    summary="Ask for events and people over time",
    description="One series for each `event` (`*`, the default, is any event), by hour, day, week or month of the "
    "project's zone. Both days count; without them the range is all of the project's data. Days whose events were "
    "removed by the retention come from the daily counts that stayed where these say what is asked (days of UTC, no "
    "filters); elsewhere their `source` is `removed`.",
    responses=REPORT_PROBLEMS,
)
async def ask_trends(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    own: Annotated[dict[str, Any], Depends(trend_fields)],
) -> Response:
    return await answer_report(request, services, project, {**frame, **own}, _parse_address)


@router.post(
    "/trends",
    response_model=TrendsAnswer,
    summary="Ask for series, their formulas and groups over time",
    description="Up to 20 series, each with events, filters and a measure of its own; formulas between them by their "
    "letters (A is the first); groups by a property. The answer is exact.",
    openapi_extra=TRENDS_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_trends_of_series(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    return await answer_report(request, services, project, raw, parse_trends)


def _parse_address(fields: Mapping[str, Any], setting: Setting) -> Trends:
    """Errors name the parameters of the address."""
    try:
        return parse_trends(fields, setting)
    except ValidationFailed as error:
        errors = [FieldError(_of_address(one.pointer), one.code, one.message) for one in error.errors]
        raise ValidationFailed(str(error), errors=list(dict.fromkeys(errors)), code="invalid_query") from None


def _of_address(pointer: str) -> str:
    if pointer.startswith("/series"):
        last = pointer.rpartition("/")[2]
        return f"/{last}" if last in ("measure", "property") else "/event"
    if pointer == "/breakdown/property":
        return "/breakdown"
    return "/formula" if pointer.startswith("/formulas") else pointer

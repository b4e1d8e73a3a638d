"""The route that tells which events and properties a project has been sent."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from iafa.api.access import ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.schema_models import SchemaAnswer
from iafa.api.services import ServicesOf
from iafa.query.schema_watch import DAYS_DEFAULT, DAYS_MAX

router = APIRouter(prefix="/projects", tags=["projects"], route_class=QuestionRoute)


@router.get(
    "/{project_id}/schema",
    response_model=SchemaAnswer,
    summary="Which events and properties are there",
    description="The event types with their volume and when each was first and last seen, days whose events retention "
    "has removed included; and the properties of the last `days` before the last event, with the types of their "
    "values. A property whose values have several types is a conflict.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def read_schema(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    days: Annotated[int, Query(ge=1, le=DAYS_MAX)] = DAYS_DEFAULT,
) -> Response:
    snapshot = await services.snapshot(project.id)
    return json_answer(await while_waiting(request, partial(services.schema_watch, snapshot, days)))

"""Routes to the drivers of drop-off, of a funnel that is saved or not."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableFunnel
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.driver_models import LANDMARK_TEXT, LOOKBACK_TEXT, OPEN_TEXT, STAGE_TEXT, DriversAnswer
from iafa.api.funnel_docs import DRIVERS_BODY
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Chosen, definition_of_body, number_field, wrong_field
from iafa.api.services import Services, ServicesOf
from iafa.query.definition import FunnelDefinition
from iafa.query.drivers import LOOKBACK_S, SECONDS_MAX, SHOWN, SHOWN_MAX, DriversQuestion
from iafa.query.question import question_of
from iafa.query.time_range import TimeRange

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)


class Wanted(NamedTuple):
    """Which step is asked for, and what is looked at."""

    stage: int | None
    lookback_s: int
    landmark_s: int | None
    include_open: bool
    limit: int

    def of(self, services: Services, definition: FunnelDefinition, time_range: TimeRange) -> DriversQuestion:
        return DriversQuestion(question_of(definition, time_range, services.clock.now_us()), *self)


def wanted(
    stage: Annotated[int | None, Query(ge=1, le=19, description=STAGE_TEXT)] = None,
    lookback_seconds: Annotated[int, Query(ge=0, le=SECONDS_MAX, description=LOOKBACK_TEXT)] = LOOKBACK_S,
    landmark_seconds: Annotated[int | None, Query(ge=0, le=SECONDS_MAX, description=LANDMARK_TEXT)] = None,
    include_open: Annotated[bool, Query(description=OPEN_TEXT)] = False,
    limit: Annotated[int, Query(ge=1, le=SHOWN_MAX)] = SHOWN,
) -> Wanted:
    return Wanted(stage, lookback_seconds, landmark_seconds, include_open, limit)


@router.get(
    "/funnel/{funnel_id}/drivers",
    response_model=DriversAnswer,
    summary="Ask why people stop in a saved funnel",
    description="Properties and events that go with reaching the next stage or not, each with the size of its effect, "
    "an interval, and an exact test corrected for all that were tested. An association is no cause.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def ask_saved_drivers(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    chosen: Chosen,
    wanted: Annotated[Wanted, Depends(wanted)],
) -> Response:
    funnel, project = found
    asked = wanted.of(services, *await chosen.of(funnel.definition, project.timezone))
    snapshot = await services.snapshot(project.id)
    return json_answer(await while_waiting(request, partial(services.drivers, snapshot, asked, funnel.id)))


@router.post(
    "/funnel/drivers",
    response_model=DriversAnswer,
    summary="Ask why people stop in a funnel that is not saved",
    description="The same answer as for a saved funnel; `funnel_id` is null.",
    openapi_extra=DRIVERS_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def ask_drivers(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = dict(raw)
    wanted = _wanted_of(fields)
    asked = wanted.of(services, *await definition_of_body(fields, project.timezone))
    snapshot = await services.snapshot(project.id)
    return json_answer(await while_waiting(request, partial(services.drivers, snapshot, asked, None)))


def _wanted_of(fields: dict[str, Any]) -> Wanted:
    """What is left of the fields is the definition."""
    include_open = fields.pop("include_open", False)
    if not isinstance(include_open, bool):
        raise wrong_field("include_open", "wrong_type", "must be true or false")
    lookback_s = number_field(fields, "lookback_seconds", None, least=0, most=SECONDS_MAX)
    limit = number_field(fields, "limit", None, most=SHOWN_MAX)
    return Wanted(
        number_field(fields, "stage", None, most=19),
        LOOKBACK_S if lookback_s is None else lookback_s,
        number_field(fields, "landmark_seconds", None, least=0, most=SECONDS_MAX),
        include_open,
        SHOWN if limit is None else limit,
    )

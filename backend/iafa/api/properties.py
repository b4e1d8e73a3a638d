"""Routes for autocomplete: the properties of events and their values."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from iafa.api.access import ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.property_models import PropertyListAnswer, ValueListAnswer
from iafa.api.services import ServicesOf
from iafa.errors import FieldError, ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.query.field_errors import FieldErrors
from iafa.query.filters import parse_property
from iafa.query.properties import LIMIT_MAX

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
EVENT_TYPES_MAX = 100
EventTypes = Annotated[
    list[str], Query(max_length=EVENT_TYPES_MAX, description="Only of events of this type; repeated for several.")
]
Part = Annotated[str, Query(max_length=200, description="Part of the text, in either case.")]
NOTE = (
    "Looks at the newest events, about 300,000 of them, so that it is fast on any amount of data; `is_complete` says "
    "whether that is all of them."
)


@router.get(
    "/properties",
    response_model=PropertyListAnswer,
    summary="List the properties of events",
    description="The properties that events have, most frequent first, with the types of their values; and the "
    f"built-in columns. `filter` is the name to use in filters and breakdowns. {NOTE}",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_properties(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    event_type: EventTypes = [],  # noqa: B006
    q: Part = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 100,
) -> Response:
    snapshot = await services.snapshot(project.id)
    ask = partial(services.property_list, snapshot, q, tuple(event_type), limit)
    return json_answer(await while_waiting(request, ask))


@router.get(
    "/properties/values",
    response_model=ValueListAnswer,
    summary="List the values of a property",
    description=f"As texts, most frequent first. {NOTE}",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_values(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    property: Annotated[
        str, Query(max_length=NAME_CHARS_MAX + len("property:"), description="A property, or `column:browser`.")
    ],
    event_type: EventTypes = [],  # noqa: B006
    q: Part = "",
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
) -> Response:
    name = _checked(property)
    snapshot = await services.snapshot(project.id)
    ask = partial(services.value_list, snapshot, name, q, tuple(event_type), limit)
    return json_answer(await while_waiting(request, ask))


def _checked(name: str) -> str:
    errors = FieldErrors()
    parse_property(name, errors, "/property")
    if len(errors):
        found = [FieldError(error.pointer, error.code, error.message) for error in errors.found]
        raise ValidationFailed("the question is not valid", errors=found, code="invalid_query")
    return name

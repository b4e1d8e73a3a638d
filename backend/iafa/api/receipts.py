"""Routes to the receipt of a funnel's number: with the answer as JSON, or as a notebook."""

from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableFunnel
from iafa.api.analytics import QUERY_PROBLEMS, QUESTION_FIELDS
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.funnel_docs import RECEIPT_BODY
from iafa.api.funnel_models import FunnelAnswer
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Chosen, definition_of_body
from iafa.api.services import Services, ServicesOf
from iafa.errors import FieldError, ValidationFailed
from iafa.meta.projects import Project
from iafa.query.definition import FunnelDefinition
from iafa.query.question import Extras, parse_include
from iafa.query.receipts.notebook import filename
from iafa.query.time_range import TimeRange

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
Format = Literal["json", "notebook"]
NOTEBOOK = "application/x-ipynb+json"
_EMPTY = {"cells": [], "metadata": {"language_info": {"name": "python"}}, "nbformat": 4, "nbformat_minor": 5}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The answer, or the notebook",
        "content": {NOTEBOOK: {"schema": {"type": "object"}, "example": _EMPTY}},
    }
}


@router.get(
    "/funnel/{funnel_id}/receipt",
    response_model=FunnelAnswer,
    summary="Get the receipt of a saved funnel's number",
    description="`format=json` is the answer with its `receipt`: SQL, files, rows, what was not stored. "
    "`format=notebook` is a Jupyter notebook that finds the numbers again from the data directory, without the server.",
    responses=_ANSWER | problem_responses(*QUERY_PROBLEMS),
)
async def get_funnel_receipt(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    chosen: Chosen,
    format: Annotated[Format, Query()] = "json",
) -> Response:
    funnel, project = found
    definition, time_range = await chosen.of(funnel.definition, project.timezone)
    return await _receipt(services, request, project, _Asked(definition, time_range, funnel.id), format)


@router.post(
    "/funnel/receipt",
    response_model=FunnelAnswer,
    summary="Get the receipt of a funnel that is not saved",
    description="The same as for a saved funnel; `format` is a field of the body.",
    openapi_extra=RECEIPT_BODY,
    responses=_ANSWER | problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def get_receipt(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = dict(raw)
    format = fields.pop("format", "json")
    if format not in ("json", "notebook"):
        error = FieldError("/format", "unknown_value", "must be one of: json, notebook")
        raise ValidationFailed("the question is not valid", errors=[error], code="invalid_query")
    parse_include(fields.get("include"))
    # The body of an answer may be sent as it is; a receipt is of the counts alone.
    fields = {key: fields[key] for key in fields if key not in QUESTION_FIELDS or key in ("start_date", "end_date")}
    definition, time_range = await definition_of_body(fields, project.timezone)
    return await _receipt(services, request, project, _Asked(definition, time_range, None), format)


class _Asked(NamedTuple):
    definition: FunnelDefinition
    time_range: TimeRange
    funnel_id: str | None


async def _receipt(services: Services, request: Request, project: Project, asked: _Asked, format: Format) -> Response:
    until_us = project.may_miss_single_events_until_us
    extras = Extras(frozenset({"receipt"}), None, project.session_gap_seconds, until_us)
    snapshot = await services.snapshot(project.id)
    question = (snapshot, asked.definition, asked.time_range, asked.funnel_id, extras)
    if format == "json":
        return json_answer(await while_waiting(request, partial(services.run_funnel, *question)))
    content = await while_waiting(request, partial(services.funnel_notebook, *question))
    headers = {"content-disposition": f'attachment; filename="{filename(project.id)}"'}
    return Response(content, media_type=NOTEBOOK, headers=headers)

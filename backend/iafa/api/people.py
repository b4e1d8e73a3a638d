"""Routes to the people behind a funnel's numbers: lists, page by page or as a file, and the explanation of one."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, NamedTuple, cast

import msgspec
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from iafa.api.access import CallerReads, ReadableBodyProject, ReadableFunnel
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.funnel_docs import EXPLAIN_BODY, EXPORT_BODY, PEOPLE_BODY
from iafa.api.leaving import while_waiting
from iafa.api.people_export import MEDIA_TYPES, Format, filename, lines
from iafa.api.people_models import KIND_TEXT, OPEN_TEXT, ExplainAnswer, ListKind, PeopleAnswer
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Chosen, choice_field, definition_of_body, number_field, text_field, wrong_field
from iafa.api.services import Services, ServicesOf
from iafa.api.trail import record
from iafa.event import ID_CHARS_MAX
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.query.cursor import decode_cursor, encode_cursor
from iafa.query.definition import to_dict
from iafa.query.people import KINDS, LIMIT_DEFAULT, LIMIT_MAX, Kind, PeopleQuestion, Place

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)
Stage = Annotated[int, Query(ge=1, le=20, description="The `order` of the stage in the funnel's answer.")]
KindOfList = Annotated[ListKind, Query(description=KIND_TEXT)]


class _List(NamedTuple):
    """Which list of a funnel."""

    stage: int
    kind: ListKind
    is_open: bool | None


def _list_of(
    stage: Stage = 1,
    kind: KindOfList = "converted",
    is_open: Annotated[bool | None, Query(alias="open", description=OPEN_TEXT)] = None,
) -> _List:
    return _List(stage, kind, is_open)


ListOf = Annotated[_List, Depends(_list_of)]
FORMATS: tuple[Format, ...] = ("csv", "ndjson")
_FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {media_type: {"schema": {"type": "string"}} for media_type in ("text/csv", "application/x-ndjson")},
    }
}


@router.get(
    "/funnel/{funnel_id}/users",
    response_model=PeopleAnswer,
    summary="List the people behind a stage of a saved funnel",
    description="As many as the bar of the stage, newest entry first, with the path that each took. Page by page: ask "
    "again with `next_cursor` and the same parameters.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_funnel_people(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    chosen: Chosen,
    wanted: ListOf,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    funnel, project = found
    definition, time_range = await chosen.of(funnel.definition, project.timezone)
    asked = PeopleQuestion(
        definition, time_range, wanted.stage, wanted.kind, project.session_gap_seconds, wanted.is_open
    )
    return await _page(request, services, project.id, asked, _Page(limit, cursor))


@router.post(
    "/funnel/users",
    response_model=PeopleAnswer,
    summary="List the people behind a stage of a funnel that is not saved",
    description="The same answer as for a saved funnel.",
    openapi_extra=PEOPLE_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def list_people(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = dict(raw)
    page = _Page(number_field(fields, "limit", LIMIT_DEFAULT, most=LIMIT_MAX), text_field(fields, "cursor"))
    return await _page(request, services, project.id, await _asked(fields, project), page)


@router.get(
    "/funnel/{funnel_id}/users/{user_id:path}",
    response_model=ExplainAnswer,
    summary="Explain one person in a saved funnel",
    description="What they did, what was counted, and why it went no further. `user_id` is a user id, an anonymous id "
    "or the `entity` of a list.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def explain_funnel_person(
    user_id: Annotated[str, Path(min_length=1, max_length=ID_CHARS_MAX)],
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    chosen: Chosen,
) -> Response:
    funnel, project = found
    definition, time_range = await chosen.of(funnel.definition, project.timezone)
    snapshot = await services.snapshot(project.id)
    ask = partial(services.explain, snapshot, definition, time_range, user_id, project.session_gap_seconds)
    return json_answer(await while_waiting(request, ask))


@router.post(
    "/funnel/explain",
    response_model=ExplainAnswer,
    summary="Explain one person in a funnel that is not saved",
    description="The same answer as for a saved funnel.",
    openapi_extra=EXPLAIN_BODY,
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def explain_person(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = dict(raw)
    who = text_field(fields, "user_id")
    if not who:
        raise wrong_field("user_id", "missing", "this field is required")
    definition, time_range = await definition_of_body(fields, project.timezone)
    snapshot = await services.snapshot(project.id)
    ask = partial(services.explain, snapshot, definition, time_range, who, project.session_gap_seconds)
    return json_answer(await while_waiting(request, ask))


@router.get(
    "/funnel/{funnel_id}/export",
    response_class=StreamingResponse,
    summary="Write the people behind a stage of a saved funnel into a file",
    description="The whole list as CSV or NDJSON, sent as it is read. Cells that a spreadsheet would take for a "
    "formula begin with `'`. A file that ends early was cut: the connection breaks off.",
    responses=_FILE_ANSWER | problem_responses(*QUERY_PROBLEMS),
)
async def export_funnel_people(
    found: ReadableFunnel,
    services: ServicesOf,
    request: Request,
    caller: CallerReads,
    chosen: Chosen,
    wanted: ListOf,
    format: Annotated[Format, Query()] = "csv",
) -> Response:
    funnel, project = found
    definition, time_range = await chosen.of(funnel.definition, project.timezone)
    asked = PeopleQuestion(
        definition, time_range, wanted.stage, wanted.kind, project.session_gap_seconds, wanted.is_open
    )
    await record(services, caller, "people.export", of_project(project.id), _exported(asked, format, funnel.id))
    return await _file(request, services, project.id, asked, format)


@router.post(
    "/funnel/export",
    response_class=StreamingResponse,
    summary="Write the people behind a stage of a funnel that is not saved into a file",
    description="The same file as for a saved funnel.",
    openapi_extra=EXPORT_BODY,
    responses=_FILE_ANSWER | problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def export_people(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
    caller: CallerReads,
) -> Response:
    fields = dict(raw)
    file_format = cast(Format, choice_field(fields, "format", FORMATS))
    asked = await _asked(fields, project)
    await record(services, caller, "people.export", of_project(project.id), _exported(asked, file_format, None))
    return await _file(request, services, project.id, asked, file_format)


def _exported(asked: PeopleQuestion, file_format: Format, funnel_id: str | None) -> dict[str, Any]:
    return {"funnel": funnel_id, "stage": asked.stage, "kind": asked.kind, "open": asked.is_open, "format": file_format}


@dataclass(frozen=True)
class _Page:
    limit: int
    cursor: str | None


async def _page(request: Request, services: Services, project_id: str, asked: PeopleQuestion, page: _Page) -> Response:
    question = _fingerprint(asked)
    after, first_version = None, None
    if page.cursor is not None:
        *place, first_version = decode_cursor(services.cursor_key, project_id, question, page.cursor)
        after = Place(*(int(one) for one in place))
    snapshot = await services.snapshot(project_id)
    found = await while_waiting(request, partial(services.people_page, snapshot, asked, after, page.limit))
    first_version = first_version or snapshot.data_version
    next_cursor = None
    if found.next_place is not None:
        next_cursor = encode_cursor(services.cursor_key, project_id, question, [*found.next_place, first_version])
    return json_answer(
        {
            "stage": asked.stage,
            "kind": asked.kind,
            "total": found.total,
            "people": found.rows,
            "next_cursor": next_cursor,
            "data_version": snapshot.data_version,
            "has_changed": first_version != snapshot.data_version,
        }
    )


async def _file(
    request: Request, services: Services, project_id: str, asked: PeopleQuestion, file_format: Format
) -> Response:
    snapshot = await services.snapshot(project_id)
    # What goes wrong while the people are found is still a proper error answer.
    rows = await while_waiting(request, partial(services.people_export, snapshot, asked))
    name = filename(asked.stage, asked.kind, file_format)
    return StreamingResponse(
        lines(rows, asked.definition, file_format),
        media_type=MEDIA_TYPES[file_format],
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


async def _asked(fields: dict[str, Any], project: Project) -> PeopleQuestion:
    """The list that a body asks for; what is left of the fields is the definition."""
    stage = number_field(fields, "stage", 1, most=20)
    kind = cast(Kind, choice_field(fields, "kind", KINDS))
    is_open = fields.pop("open", None)
    if is_open is not None and not isinstance(is_open, bool):
        raise wrong_field("open", "wrong_type", "must be true or false")
    definition, time_range = await definition_of_body(fields, project.timezone)
    return PeopleQuestion(definition, time_range, stage, kind, project.session_gap_seconds, is_open)


def _fingerprint(asked: PeopleQuestion) -> str:
    """Equal for equal lists: a cursor is worth nothing for another one."""
    time_range = asked.time_range
    bounds = (time_range.from_us, time_range.to_us)
    whole = [to_dict(asked.definition), *bounds, asked.stage, asked.kind, asked.session_gap_s, asked.is_open]
    return "people " + hashlib.sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()

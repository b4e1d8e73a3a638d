"""Routes to the people of a project: the list, one person's profile and events, and the export of all that is known."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from functools import partial
from typing import Annotated, Any, cast
from urllib.parse import unquote

import msgspec
from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import iterate_in_threadpool

from iafa.api.access import CallerReads, ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.erasures import PersonId
from iafa.api.leaving import while_waiting
from iafa.api.person_models import PersonEvents, PersonList, PersonProfile
from iafa.api.problem_docs import problem_responses
from iafa.api.quarantine import shown as shown_refusal
from iafa.api.services import ServicesOf
from iafa.api.trail import record
from iafa.clock import to_iso
from iafa.errors import NotFound
from iafa.event import NAME_CHARS_MAX
from iafa.jobs.erasure_desk import ErasureDesk
from iafa.lake.erasure import hashes_of
from iafa.lake.person import edges_of_person
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.query.cursor import decode_cursor, encode_cursor
from iafa.query.entity_names import entity_text
from iafa.query.person import END, PAGE_MAX, At, PersonQuestion, Row, shown_event
from iafa.query.person_list import BEFORE_ALL, LIMIT_MAX, Seen
from iafa.questions import Questions

router = APIRouter(prefix="/api/v1/projects/{project_id}/people", tags=["people"], route_class=QuestionRoute)
PROBLEMS = tuple(dict.fromkeys((*QUERY_PROBLEMS, "conflict")))
HASHES_RECORDED = 20
Cursor = Annotated[str | None, Query(max_length=2000)]
_FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file", "content": {"application/x-ndjson": {"schema": {"type": "string"}}}}
}


@router.get(
    "",
    response_model=PersonList,
    summary="List people",
    description="Who was seen last comes first, page by page: ask again with `next_cursor` and the same `search`.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_project_people(
    request: Request,
    project: ReadableProject,
    services: ServicesOf,
    search: Annotated[
        str | None,
        Query(min_length=1, max_length=NAME_CHARS_MAX, description="A part of an id, or of a value of `identify`."),
    ] = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = 50,
    cursor: Cursor = None,
) -> Response:
    question = f"people {msgspec.json.encode(search).decode()}"
    after = BEFORE_ALL
    if cursor is not None:
        last_us, key = decode_cursor(services.cursor_key, project.id, question, cursor)
        after = Seen(int(last_us), int(key))
    questions = _questions(request)
    snapshot = await questions.snapshot(project.id)
    page = await while_waiting(request, partial(questions.person_list, snapshot, search, after, limit))
    place = page.next_place
    following = None if place is None else encode_cursor(services.cursor_key, project.id, question, place)
    return json_answer({"people": page.rows, "next_cursor": following, "data_version": snapshot.data_version})


def is_of_id(request: Request, name: str) -> bool:
    """Whether what looks like the name of a route belongs to the id: then its slash came percent-encoded."""
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    return unquote(raw.rsplit(b"/", 1)[-1].decode("latin-1")) != name


@router.get(
    "/{user_id:path}/export",
    response_class=StreamingResponse,
    summary="Export all that is known of a person",
    description="NDJSON, sent as it is read. Each line has a `type`: `person` first, then `identity` for what joined "
    "their ids, `event` for every event with all fields, oldest first, `refused` for refused events that name them, "
    "and `end` with the counts: without it the file is not whole.",
    responses=_FILE_ANSWER | problem_responses(*PROBLEMS),
)
async def export_person(
    request: Request, user_id: PersonId, project: ReadableProject, caller: CallerReads, services: ServicesOf
) -> Response:
    if is_of_id(request, "export"):
        return await get_person(request, f"{user_id}/export", project)
    asked = await _asked(request, project, user_id)
    batches = _questions(request).person_export(asked)
    first = await anext(batches, None)  # what fails at once is an answer, not a file that ends early
    if first is None and not await asyncio.to_thread(_desk(request).is_named, asked.snapshot, asked.person):
        raise NotFound
    # Hashes, as of an erasure: when the person is erased, nothing names them.
    hashes = hashes_of(_desk(request).key, project.id, asked.person.ids)[:HASHES_RECORDED]
    await record(services, caller, "person.export", of_project(project.id), {"person": list(hashes)})
    return StreamingResponse(
        _lines(request, asked, first or [], batches),
        media_type="application/x-ndjson",
        headers={"content-disposition": 'attachment; filename="person.ndjson"'},
    )


@router.get(
    "/{user_id:path}/events",
    response_model=PersonEvents,
    summary="List the events of a person",
    description="By whichever of their ids, newest first, page by page. Of somebody without events: 404.",
    responses=problem_responses(*PROBLEMS),
)
async def list_person_events(
    request: Request,
    user_id: PersonId,
    project: ReadableProject,
    services: ServicesOf,
    limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    cursor: Cursor = None,
) -> Response:
    if is_of_id(request, "events"):
        return await get_person(request, f"{user_id}/events", project)
    question, after = f"person events by time, id, arrival {user_id}", END
    if cursor is not None:
        created_us, id_, received_us = decode_cursor(services.cursor_key, project.id, question, cursor)
        after = At(int(created_us), str(id_), int(received_us))
    asked = await _asked(request, project, user_id)
    rows = await while_waiting(request, partial(_questions(request).person_events, asked, after, limit))
    last = At.of(rows[-1]) if len(rows) == limit else None
    following = None if last is None else encode_cursor(services.cursor_key, project.id, question, last)
    shown = [shown_event(row) for row in rows]
    return json_answer({"events": shown, "next_cursor": following, "data_version": asked.snapshot.data_version})


@router.get(
    "/{user_id:path}",
    response_model=PersonProfile,
    summary="Show a person",
    description="What is known of whom `user_id` means, a user id or an anonymous id that only one person has used.",
    responses=problem_responses(*PROBLEMS),
)
async def get_person(request: Request, user_id: PersonId, project: ReadableProject) -> Response:
    asked = await _asked(request, project, user_id)
    found = await while_waiting(request, partial(_questions(request).person_profile, asked))
    known = {"entity": entity_text(asked.person.key), "identities": _identities(asked)}
    return json_answer(known | found | {"data_version": asked.snapshot.data_version})


async def _asked(request: Request, project: Project, called: str) -> PersonQuestion:
    questions = _questions(request)
    snapshot = await questions.snapshot(project.id)
    ask = partial(questions.person_called, snapshot, called, project.session_gap_seconds)
    return await while_waiting(request, ask)


async def _lines(
    request: Request, asked: PersonQuestion, first: list[Row], others: AsyncGenerator[list[Row], None]
) -> AsyncIterator[bytes]:
    events, refused = len(first), 0
    try:
        yield head_of(asked, _questions(request).clock.now_us()) + event_lines(first)
        async for rows in others:
            events += len(rows)
            yield event_lines(rows)
    finally:
        await others.aclose()
    async for rows in iterate_in_threadpool(_desk(request).refusals(asked.snapshot.project_id, asked.person)):
        refused += len(rows)
        yield refusal_lines(rows)
    yield end_of(events, refused)


def head_of(asked: PersonQuestion, now_us: int) -> bytes:
    """The first lines of an export: who it is, and what joined their ids."""
    person = asked.person
    about = {"project_id": asked.snapshot.project_id, "entity": entity_text(person.key), "ids": sorted(person.ids)}
    edges = b"".join(_line("identity", edge) for edge in _identities(asked))
    return _line("person", about | {"exported_at": to_iso(now_us)}) + edges


def event_lines(rows: Iterable[Row]) -> bytes:
    return b"".join(_line("event", shown_event(row)) for row in rows)


def refusal_lines(rows: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(_line("refused", shown_refusal(row)) for row in rows)


def end_of(events: int, refused: int) -> bytes:
    return _line("end", {"events": events, "refused": refused})


def _line(kind: str, content: dict[str, Any]) -> bytes:
    return msgspec.json.encode({"type": kind} | content) + b"\n"


def _identities(asked: PersonQuestion) -> list[dict[str, Any]]:
    known = asked.snapshot.edges
    edges = [] if known is None else edges_of_person(known, asked.person)
    return [
        {
            "event_id": edge.event_id,
            "kind": edge.kind,
            "user_id": edge.user_id,
            "other": edge.other,
            "at": to_iso(edge.at_us),
            "is_revoked": edge.is_revoked,
        }
        for edge in edges
    ]


def _questions(request: Request) -> Questions:
    return cast(Questions, request.app.state.people)


def _desk(request: Request) -> ErasureDesk:
    return cast(ErasureDesk, request.app.state.erasures)

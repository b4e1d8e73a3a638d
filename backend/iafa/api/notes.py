"""Routes of notes on dates, which charts show."""

import re
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from iafa.api.access import CallerIsUser, MemberProject, ReadableProject
from iafa.api.answers import etag, expected_version
from iafa.api.bodies import QuestionRoute
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import OBJECT_PROBLEMS
from iafa.api.question_fields import Day
from iafa.api.saved_records import (
    DROP_PROBLEMS,
    EDIT_PROBLEMS,
    MAKE_PROBLEMS,
    authors_of,
    days_errors,
    refuse,
    saved_answer,
)
from iafa.api.services import Services, ServicesOf
from iafa.api.trail import record
from iafa.api.view_models import Note, NoteChoice, NoteList
from iafa.errors import FieldError
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.meta.views import StoredNote
from iafa.query.field_errors import FieldErrors
from iafa.query.field_reading import read_instant
from iafa.query.time_range import resolve_time_range

TEXT_RECORDED = 200
router = APIRouter(prefix="/projects/{project_id}/notes", tags=["boards"], route_class=QuestionRoute)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@router.get(
    "",
    summary="List the notes on dates",
    description="Those that touch the range, or all, by time.",
    responses=problem_responses(*OBJECT_PROBLEMS, "insufficient_scope", "invalid_query"),
)
async def list_notes(
    project: ReadableProject, services: ServicesOf, start_date: Day = None, end_date: Day = None
) -> NoteList:
    asked = resolve_time_range(start_date, end_date, timezone=project.timezone)
    touching = []
    for note in await services.saved.notes.of_project(project.id):
        from_us, to_us = _span(note, project)
        if from_us < asked.to_us and asked.from_us < to_us:
            touching.append((from_us, note.id, note))
    found = [note for _from, _id, note in sorted(touching, key=lambda one: one[:2])]
    authors = await authors_of(services, found)
    return NoteList(notes=[_shown(note, authors) for note in found])


@router.post(
    "",
    status_code=201,
    summary="Put a note on a date",
    description="On a day of the project's time zone, on several days, or on an instant. At most 1,000 a project.",
    responses=MAKE_PROBLEMS,
)
async def create_note(
    body: NoteChoice, response: Response, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> Note:
    note = await services.saved.notes.add(project.id, author_id=caller.user.id, **_fields(project, body))
    response.headers["etag"] = etag(note.version)
    return await _answer(services, note)


@router.put(
    "/{note_id}",
    summary="Change a note",
    description="Swaps the whole note; its author stays. With `If-Match` only that version.",
    responses=EDIT_PROBLEMS,
)
async def change_note(
    note_id: str, body: NoteChoice, request: Request, response: Response, project: MemberProject, services: ServicesOf
) -> Note:
    fields, version = _fields(project, body), expected_version(request)
    note = await services.saved.notes.replace(project.id, note_id, expected_version=version, **fields)
    response.headers["etag"] = etag(note.version)
    return await _answer(services, note)


@router.delete(
    "/{note_id}",
    status_code=204,
    summary="Delete a note",
    description="It is gone from every chart.",
    responses=DROP_PROBLEMS,
)
async def delete_note(note_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.saved.notes.remove(project.id, note_id)
    details = {"note": note_id, "text": gone.text[:TEXT_RECORDED]}
    await record(services, caller, "note.delete", of_project(project.id), details)
    return Response(status_code=204)


def _fields(project: Project, body: NoteChoice) -> dict[str, Any]:
    if DAY.fullmatch(body.start):
        errors = days_errors(project, body.start, body.end, "")
        if body.end is not None and not DAY.fullmatch(body.end):
            errors.append(FieldError("/end_date", "invalid_timestamp", "must be a day as 2026-11-01"))
    else:
        found = FieldErrors()
        read_instant(body.start, "/start_date", found)
        errors = list(found.found)
        if body.end is not None:
            errors.append(FieldError("/end_date", "conflicting_fields", "belongs to a note on a day"))
    names = {"/start_date": "/start", "/end_date": "/end"}
    refuse([FieldError(names[one.pointer], one.code, one.message) for one in errors], "the note is not valid")
    return body.model_dump()


def _span(note: StoredNote, project: Project) -> tuple[int, int]:
    """[from, to) of the note, by the zone that the project has now."""
    if not DAY.fullmatch(note.start):
        at_us = read_instant(note.start, "", FieldErrors()) or 0
        return at_us, at_us + 1
    span = resolve_time_range(note.start, note.end or note.start, timezone=project.timezone)
    return span.from_us, span.to_us


async def _answer(services: Services, note: StoredNote) -> Note:
    return _shown(note, await authors_of(services, [note]))


def _shown(note: StoredNote, authors: Mapping[str, str]) -> Note:
    return Note(**saved_answer(note, authors), start=note.start, end=note.end, text=note.text)

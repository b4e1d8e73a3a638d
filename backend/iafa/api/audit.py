"""Routes to the audit log of an organization."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from iafa.api.access import CallerIsUser, SignedIn
from iafa.api.answers import json_answer
from iafa.api.audit_models import AuditPage
from iafa.api.bodies import QuestionRoute
from iafa.api.csv_text import csv_lines
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import SESSION_PROBLEMS
from iafa.api.question_fields import time_field
from iafa.api.services import Services, ServicesOf
from iafa.api.trail import record
from iafa.audit import Entry
from iafa.clock import to_iso
from iafa.errors import NotFound
from iafa.event import TIME_MAX_US
from iafa.jobs.audit_pages import END, Wanted
from iafa.meta.recorded import of_organization, of_project
from iafa.meta.users import User
from iafa.query.cursor import decode_cursor, encode_cursor

router = APIRouter(prefix="/audit", tags=["audit"], route_class=QuestionRoute)
Format = Literal["ndjson", "csv"]
MEDIA_TYPES: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
COLUMNS = (*("id", "at", "actor", "actor_name", "actor_email", "action", "object", "object_name", "details", "hash"),)
FILE_ENTRIES = 1000  # that are read at once
PROBLEMS = (*SESSION_PROBLEMS, "insufficient_scope", "not_found", "invalid_query", "validation_error")
_FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
    }
}


@dataclass(frozen=True)
class Chosen:
    """What an address asks for."""

    project_id: str | None
    wanted: Wanted


def chosen(
    project_id: Annotated[
        str | None, Query(max_length=64, description="Only of this project, also of a deleted.")
    ] = None,
    actor: Annotated[
        str | None, Query(max_length=200, description="Only of this actor, as in an entry: `user:{id}`.")
    ] = None,
    action: Annotated[
        str | None, Query(max_length=100, description="`key.revoke`, or `key` for all of keys.", examples=["key"])
    ] = None,
    start: Annotated[str | None, Query(max_length=40, description="At this time or later (ISO 8601).")] = None,
    end: Annotated[str | None, Query(max_length=40, description="Before this time.")] = None,
) -> Chosen:
    from_us, to_us = time_field("start", start, 0), time_field("end", end, TIME_MAX_US)
    return Chosen(project_id, Wanted(frozenset(), actor, action, to_iso(from_us), to_iso(to_us)))


ChosenEntries = Annotated[Chosen, Depends(chosen)]


@router.get(
    "",
    response_model=AuditPage,
    summary="Read the audit log",
    description="Who did what in the organization and its projects, newest first, page by page: ask again with "
    "`next_cursor` and the same filters.",
    responses=problem_responses(*PROBLEMS),
)
async def list_audit(
    caller: CallerIsUser,
    services: ServicesOf,
    asked: ChosenEntries,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    scope = await _scope(services, caller, asked.project_id)
    question = f"audit {msgspec.json.encode([asked.project_id, asked.wanted]).decode()}"
    before = END
    if cursor is not None:
        before = int(decode_cursor(services.cursor_key, caller.user.organization_id, question, cursor)[0])
    page = await asyncio.to_thread(services.audit_pages.page, scope.of(asked.wanted), before, limit)
    following = None
    if page.before is not None:
        following = encode_cursor(services.cursor_key, caller.user.organization_id, question, [page.before])
    return json_answer({"entries": [scope.shown(one) for one in page.entries], "next_cursor": following})


@router.get(
    "/export",
    response_class=StreamingResponse,
    summary="Download the audit log",
    description="All entries that meet the filters, newest first, sent as they are read. CSV cells that a spreadsheet "
    "would take for a formula begin with `'`.",
    responses=_FILE_ANSWER | problem_responses(*PROBLEMS, "storage_unavailable"),
)
async def export_audit(
    request: Request,
    caller: CallerIsUser,
    services: ServicesOf,
    asked: ChosenEntries,
    format: Annotated[Format, Query()] = "ndjson",
) -> Response:
    scope = await _scope(services, caller, asked.project_id)
    await record(services, caller, "audit.export", of_organization(caller.user), {"format": format})
    return StreamingResponse(
        _lines(services, scope, scope.of(asked.wanted), format),
        media_type=MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="audit.{format}"'},
    )


@dataclass(frozen=True)
class _Scope:
    """What the caller may see, with names."""

    names: Mapping[str, str | None]  # of objects
    members: Mapping[str, User]  # by actor

    def of(self, wanted: Wanted) -> Wanted:
        return msgspec.structs.replace(wanted, objects=frozenset(self.names))

    def shown(self, entry: Entry) -> dict[str, Any]:
        member = self.members.get(entry.actor)
        return {
            "id": entry.n,
            "at": entry.at,
            "actor": entry.actor,
            "actor_name": None if member is None else member.full_name,
            "actor_email": None if member is None else member.email,
            "action": entry.action,
            "object": entry.object,
            "object_name": self.names.get(entry.object),
            "details": entry.details,
            "hash": entry.hash,
        }


async def _scope(services: Services, caller: SignedIn, project_id: str | None) -> _Scope:
    """The organization, its projects and those it has had; or one of these projects."""
    organization_id = caller.user.organization_id
    deleted = await asyncio.to_thread(services.audit_pages.deleted_projects, organization_id)
    names: dict[str, str | None] = {of_project(one): None for one in deleted}
    names |= {of_project(one.id): one.name for one in await services.projects.of_organization(organization_id)}
    if project_id is not None:
        own = of_project(project_id)
        if own not in names:
            raise NotFound
        names = {own: names[own]}
    else:
        names[of_organization(caller.user)] = (await services.accounts.organization_of(caller.user)).name
    members = await services.accounts.users.of_organization(organization_id)
    return _Scope(names, {f"user:{one.id}": one for one in members})


async def _lines(services: Services, scope: _Scope, wanted: Wanted, format: Format) -> AsyncIterator[bytes]:
    if format == "csv":
        yield csv_lines([list(COLUMNS)])
    before: int | None = END
    while before is not None:
        read = partial(services.audit_pages.page, wanted, before, FILE_ENTRIES)
        entries, before = await asyncio.to_thread(read)
        shown = [scope.shown(one) for one in entries]
        if format == "csv":
            texts = [one | {"details": msgspec.json.encode(one["details"]).decode()} for one in shown]
            yield csv_lines([one[name] for name in COLUMNS] for one in texts)
        else:
            yield b"".join(msgspec.json.encode(one) + b"\n" for one in shown)

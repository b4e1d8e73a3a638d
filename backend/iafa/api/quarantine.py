"""Routes to what was not stored: rows of refused events, counts of every reason, replay and deletion."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from functools import partial
from typing import Annotated, Any, Literal, cast

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from iafa.api.access import CallerIsUser, CallerReads, MemberProject, ReadableProject
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.bodies import QuestionRoute
from iafa.api.csv_text import csv_lines
from iafa.api.problem_docs import problem_responses
from iafa.api.quarantine_models import (
    IDS_MAX,
    DeletedRows,
    DropCounts,
    QuarantinePage,
    ReplayAnswer,
    ReplayRequest,
    State,
)
from iafa.api.question_fields import time_field
from iafa.api.services import Services, ServicesOf
from iafa.api.trail import record
from iafa.clock import iso_or_none, to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.ingest.judging_again import Changes, why_not_replayable
from iafa.jobs.quarantine_desk import QuarantineDesk
from iafa.jobs.replay import Owner, Selection
from iafa.lake.quarantine_rows import END_US, Place, Wanted
from iafa.meta.recorded import of_project
from iafa.query.cursor import decode_cursor, encode_cursor

router = APIRouter(prefix="/api/v1/projects/{project_id}/quarantine", tags=["quarantine"], route_class=QuestionRoute)
Format = Literal["ndjson", "csv"]
COLUMNS = (
    *("id", "received_at", "reason", "pointer", "message", "event_id", "event_type", "source", "body"),
    "replayed_at",
)
MEDIA_TYPES: Mapping[Format, str] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
_FILE_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {kind: {"schema": {"type": "string"}} for kind in ("text/csv", "application/x-ndjson")},
    }
}
PROBLEMS = ("invalid_credentials", "token_expired", "insufficient_scope", "not_found")
QUERY_PROBLEMS = (*PROBLEMS, "invalid_query", "validation_error", "storage_unavailable")


def chosen(
    reason: Annotated[
        str | None, Query(max_length=100, description="Only rows of this code.", examples=["too_long"])
    ] = None,
    event_type: Annotated[str | None, Query(max_length=NAME_CHARS_MAX, description="Only events of this name.")] = None,
    start: Annotated[str | None, Query(max_length=40, description="Received at this time or later (ISO 8601).")] = None,
    end: Annotated[str | None, Query(max_length=40, description="Received before this time.")] = None,
    state: Annotated[State, Query(description="`waiting`: not replayed yet.")] = "all",
) -> Wanted:
    return _wanted(reason, event_type, start, end, state)


Chosen = Annotated[Wanted, Depends(chosen)]


@router.get(
    "",
    response_model=QuarantinePage,
    summary="List refused events",
    description="Newest first, page by page: ask again with `next_cursor` and the same filters. A row is there when "
    "the journal has been flushed.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_quarantine(
    request: Request,
    project: ReadableProject,
    services: ServicesOf,
    wanted: Chosen,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    after = _after(services, project.id, wanted, cursor)
    reader = _desk(request).rows
    rows = await asyncio.to_thread(reader.page, project.id, wanted, after, limit)
    is_complete = await asyncio.to_thread(reader.is_complete, project.id, wanted) if after is None else None
    last = Place(rows[-1]["received_us"], rows[-1]["id"]) if len(rows) == limit else None
    return json_answer(
        {
            "rows": [shown(row) for row in rows],
            "is_complete": is_complete,
            "next_cursor": _next_cursor(services, project.id, wanted, last),
        }
    )


@router.get(
    "/counts",
    response_model=DropCounts,
    summary="Count what was not stored",
    description="By UTC day of receipt and reason, of every reason: also of repeats, sampled-out events and limits, of "
    "which no row is kept.",
    responses=problem_responses(*PROBLEMS, "storage_unavailable"),
)
async def count_quarantine(request: Request, project: ReadableProject) -> Response:
    counts, repeats = await asyncio.to_thread(_desk(request).counts, project.id)
    return json_answer(
        {
            "counts": [
                {
                    "date": one.day.isoformat(),
                    "reason": one.reason,
                    "count": one.dropped,
                    "kept": one.kept,
                    "replayed": one.replayed,
                    "is_complete": one.is_complete,
                }
                for one in counts
            ],
            "is_complete": all(one.is_complete is not False for one in counts),
            "repeats": [{"date": day, "count": count} for day, count in sorted(repeats.items(), reverse=True)],
        }
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    summary="Download refused events",
    description="All rows, oldest day first, sent as they are read. CSV cells that a spreadsheet would take for a "
    "formula begin with `'`.",
    responses=_FILE_ANSWER | problem_responses(*QUERY_PROBLEMS),
)
async def export_quarantine(
    request: Request,
    project: ReadableProject,
    caller: CallerReads,
    services: ServicesOf,
    wanted: Chosen,
    format: Annotated[Format, Query()] = "ndjson",
) -> Response:
    await record(services, caller, "quarantine.export", of_project(project.id), {"format": format})
    batches = _desk(request).rows.batches(project.id, wanted)
    return StreamingResponse(
        _lines(batches, format),
        media_type=MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="quarantine.{format}"'},
    )


@router.post(
    "/replay",
    response_model=ReplayAnswer,
    summary="Store refused events after all",
    description="Each text is changed, judged by all rules of its route and stored under its own id and time of "
    "receipt; rate limits and sampling do not count here. All become visible at once, before the answer. Replaying a "
    "row again adds nothing.",
    responses=problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS),
)
async def replay_quarantine(
    request: Request, body: ReplayRequest, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> Response:
    if (body.ids is None) == (body.filter is None):
        raise _wrong("/ids", "give either ids or a filter")
    by = body.filter
    wanted = _wanted(by.reason, by.event_type, by.start, by.end, "waiting") if by else Wanted(state="waiting")
    after = _after(services, project.id, wanted, body.cursor)
    selection = Selection(None if body.ids is None else frozenset(body.ids), wanted, after)
    changes = Changes(body.changes.rename, body.changes.merge)
    replay = partial(
        _desk(request).replay, f"user:{caller.user.id}", Owner.of(project), selection, changes, is_trial=body.dry_run
    )
    replayed = await asyncio.to_thread(replay)
    return json_answer(
        {
            "accepted": replayed.count("accepted"),
            "duplicates": replayed.count("duplicate"),
            "rejected": replayed.count("rejected"),
            "results": replayed.outcomes,
            "not_found": replayed.not_found,
            "next_cursor": _next_cursor(services, project.id, wanted, replayed.last),
        }
    )


@router.delete(
    "",
    response_model=DeletedRows,
    summary="Delete refused events",
    description="Either by their ids, or all that meet the filters; without any nothing is deleted. Counts stay.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def delete_quarantine(
    request: Request,
    project: MemberProject,
    caller: CallerIsUser,
    wanted: Chosen,
    id: Annotated[list[str] | None, Query(max_length=IDS_MAX, description="May be repeated.")] = None,
    everything: Annotated[bool, Query(alias="all", description="Needed to delete without an id or a filter.")] = False,
) -> Response:
    if id is None and wanted == Wanted() and not everything:
        raise _wrong("/id", "give ids, a filter, or all=true", code="invalid_query")
    if id is not None and (wanted != Wanted() or everything):
        raise _wrong("/id", "give either ids, or filters, or all=true", code="invalid_query")
    selection = Selection(None if id is None else frozenset(id), wanted)
    deleted = await asyncio.to_thread(_desk(request).delete, f"user:{caller.user.id}", project.id, selection)
    return json_answer({"deleted": deleted})


def shown(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row as the contract shows it."""
    replayed_us = row["replayed_us"]
    why_not = why_not_replayable(row["body"]) if replayed_us is None else "it was replayed"
    return {
        "id": row["id"],
        "received_at": to_iso(row["received_us"]),
        "reason": row["code"],
        "pointer": row["pointer"],
        "message": row["message"],
        "event_id": row["event_id"],
        "event_type": row["event_type"],
        "source": row["source"],
        "body": row["body"],
        "replayed_at": iso_or_none(replayed_us),
        "is_replayable": why_not is None,
        "not_replayable_because": why_not,
    }


def _desk(request: Request) -> QuarantineDesk:
    return cast(QuarantineDesk, request.app.state.quarantine)


def _wanted(reason: str | None, event_type: str | None, start: str | None, end: str | None, state: State) -> Wanted:
    return Wanted(reason, event_type, time_field("start", start, 0), time_field("end", end, END_US), state)


def _wrong(pointer: str, message: str, *, code: str = "validation_error") -> ValidationFailed:
    return ValidationFailed("the request is not valid", errors=[FieldError(pointer, code, message)], code=code)


def _after(services: Services, project_id: str, wanted: Wanted, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    received_at, id_ = decode_cursor(services.cursor_key, project_id, _question(wanted), cursor)
    return Place(int(received_at), str(id_))


def _next_cursor(services: Services, project_id: str, wanted: Wanted, last: Place | None) -> str | None:
    return None if last is None else encode_cursor(services.cursor_key, project_id, _question(wanted), last)


def _question(wanted: Wanted) -> str:
    return f"quarantine {msgspec.json.encode(wanted).decode()}"


async def _lines(batches: Iterator[list[dict[str, Any]]], format: Format) -> AsyncIterator[bytes]:
    if format == "csv":
        yield csv_lines([list(COLUMNS)])
    while (rows := await asyncio.to_thread(next, batches, None)) is not None:
        answers = [shown(row) for row in rows]
        if format == "csv":
            yield csv_lines([one[name] for name in COLUMNS] for one in answers)
        else:
            yield b"".join(msgspec.json.encode(one) + b"\n" for one in answers)

"""The raw events: the event log, page by page, and their export as a file."""

from asyncio import to_thread
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import StreamingResponse

from iafa.api.access import CallerReads, ReadableProject
from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute
from iafa.api.event_files import EVENT_MEDIA_TYPES, EventFormat, event_file
from iafa.api.event_models import EventLog
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Day
from iafa.api.services import ServicesOf
from iafa.api.trail import record
from iafa.meta.recorded import of_project
from iafa.query.cursor import decode_cursor, encode_cursor
from iafa.query.events.fields import parse_fields
from iafa.query.events.page import LIMIT_DEFAULT, LIMIT_MAX, Order, PageAsked, Place
from iafa.query.events.question import FILTERS_CHARS_MAX, EventsQuestion, parse_events_question

router = APIRouter(tags=["events"], route_class=QuestionRoute)
Chosen = Annotated[
    list[str],
    Query(
        max_length=200,
        description="Fields to show, repeated or with commas between: columns, `person`, `properties`, or "
        "`properties.NAME` for one property.",
        examples=["id,created_at,properties.plan"],
    ),
]
FORWARD, BACKWARD = "next", "prev"
_FILE: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The file",
        "content": {
            media_type.partition(";")[0]: {"schema": {"type": "string"}} for media_type in EVENT_MEDIA_TYPES.values()
        },
    }
}


@dataclass(frozen=True)
class WhichEvents:
    """What the address says about the events that are wanted."""

    event_types: list[str]
    user_id: str | None
    start: str | None
    end: str | None
    filters: str | None
    exclude_bots: bool

    async def of(self, timezone: str) -> EventsQuestion:
        parse = partial(
            parse_events_question,
            event_types=self.event_types,
            user_id=self.user_id,
            start=self.start,
            end=self.end,
            filters=self.filters,
            exclude_bots=self.exclude_bots,
            timezone=timezone,
        )
        return await to_thread(parse)


def which_events(
    event_type: Annotated[
        list[str], Query(description="Only events of this name; repeat it for several.", examples=["add_to_cart"])
    ] = [],  # noqa: B006
    user_id: Annotated[
        str | None,
        Query(description="All events of the person that this user is, those before the sign-in included."),
    ] = None,
    start: Day = None,
    end: Day = None,
    filters: Annotated[
        str | None,
        Query(
            max_length=FILTERS_CHARS_MAX,
            description="A JSON array of filters, as in the stages of a funnel.",
            examples=['[{"property":"plan","op":"eq","value":"pro"}]'],
        ),
    ] = None,
    exclude_bots: Annotated[bool, Query(description="Without events whose user agent says that it is a bot.")] = False,
) -> WhichEvents:
    return WhichEvents(event_type, user_id, start, end, filters, exclude_bots)


Which = Annotated[WhichEvents, Depends(which_events)]


@router.get(
    "/events",
    response_model=EventLog,
    summary="Read the event log",
    description="Raw events, newest first (`order=desc`), every acknowledged one, flushed or not. Page by page: ask "
    "again with `next_cursor` or `prev_cursor` and the same parameters. A walk shows each event that was there when it "
    "began exactly once, whatever arrives meanwhile. `start` and `end` as days are both included, in the project's "
    "time zone.",
    responses=problem_responses(*QUERY_PROBLEMS),
)
async def list_events(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    which: Which,
    fields: Chosen = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
    order: Annotated[Order, Query(description="By `created_at`, events of one instant by `id`.")] = "desc",
) -> Response:
    asked, shown = await which.of(project.timezone), parse_fields(fields)
    question, place, is_backward = asked.fingerprint(order), None, False
    if cursor is not None:
        direction, *found = decode_cursor(services.cursor_key, project.id, question, cursor)
        place, is_backward = Place(int(found[0]), str(found[1]), int(found[2])), direction == BACKWARD
    snapshot = await services.snapshot(project.id)
    wanted = PageAsked(order, place, is_backward, limit, shown)
    page = await while_waiting(request, partial(services.events_page, snapshot, asked, wanted))

    def cursor_at(direction: str, at: Place | None) -> str | None:
        return None if at is None else encode_cursor(services.cursor_key, project.id, question, [direction, *at])

    return json_answer(
        {
            "events": page.rows,
            "next_cursor": cursor_at(FORWARD, page.after),
            "prev_cursor": cursor_at(BACKWARD, page.before),
            "data_version": snapshot.data_version,
        }
    )


@router.get(
    "/export",
    response_class=StreamingResponse,
    summary="Write raw events into a file",
    description="The events of one instant as CSV, NDJSON or Parquet, sent while they are read; oldest file first, in "
    "no order inside a file. Without `fields` Parquet has every stored column. Cells of CSV that a spreadsheet would "
    "take for a formula begin with `'`. A file that ends early was cut: the connection breaks off.",
    responses=_FILE | problem_responses(*QUERY_PROBLEMS),
)
async def export_events(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    caller: CallerReads,
    which: Which,
    fields: Chosen = [],  # noqa: B006
    format: Annotated[EventFormat, Query()] = "csv",
) -> Response:
    asked, file = await which.of(project.timezone), event_file(format, fields)
    await record(services, caller, "events.export", of_project(project.id), {"format": format})
    snapshot = await services.snapshot(project.id)
    pieces = await while_waiting(request, partial(services.events_export, snapshot, asked, file))
    return StreamingResponse(
        pieces,
        media_type=EVENT_MEDIA_TYPES[format],
        headers={"content-disposition": f'attachment; filename="events.{format}"'},
    )

"""The routes of paths, and of one person's journey."""

from asyncio import to_thread
from collections.abc import Mapping
from functools import partial
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from iafa.api.access import ReadableBodyProject, ReadableProject
from iafa.api.answers import json_answer
from iafa.api.bodies import QuestionRoute, json_object
from iafa.api.flow_models import (
    COLLAPSE_TEXT,
    DEPTH_TEXT,
    DROP_TEXT,
    END_TEXT,
    EXCLUDE_TEXT,
    INCLUDE_TEXT,
    NODES_TEXT,
    START_TEXT,
    TOP_TEXT,
    UNIT_TEXT,
    JourneyAnswer,
    PathsAnswer,
)
from iafa.api.leaving import while_waiting
from iafa.api.question_fields import Day
from iafa.api.report_docs import PATHS_BODY
from iafa.api.report_frame import (
    REPORT_BODY_PROBLEMS,
    REPORT_PROBLEMS,
    Fields,
    FrameFields,
    answer_report,
    json_member,
    matcher_member,
)
from iafa.api.services import Services, ServicesOf
from iafa.errors import NotFound
from iafa.event import ID_CHARS_MAX
from iafa.meta.projects import Project
from iafa.query.cursor import decode_cursor, encode_cursor
from iafa.query.reports.flows import Nodes, Unit, parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.journey import LIMIT_DEFAULT, LIMIT_MAX, parse_journey

router = APIRouter(prefix="/analytics", tags=["analytics"], route_class=QuestionRoute)


def end_fields(
    start: Annotated[str | None, Query(max_length=20_000, description=START_TEXT)] = None,
    end: Annotated[str | None, Query(max_length=20_000, description=END_TEXT)] = None,
    after_drop: Annotated[
        str | None, Query(max_length=20_000, description=f"{DROP_TEXT} JSON: `funnel_id` or `funnel`, and `stage`.")
    ] = None,
) -> Fields:
    return {
        "start": matcher_member(start, "start"),
        "end": matcher_member(end, "end"),
        "after_drop": json_member(after_drop, "after_drop"),
    }


def shape_fields(
    unit: Annotated[Unit | None, Query(description=f"{UNIT_TEXT} `session` if absent.")] = None,
    nodes: Annotated[Nodes | None, Query(description=f"{NODES_TEXT} `event` if absent.")] = None,
    depth: Annotated[int | None, Query(description=f"{DEPTH_TEXT} 5 if absent, at most 10.")] = None,
    top: Annotated[int | None, Query(description=f"{TOP_TEXT} 10 if absent, at most 30.")] = None,
    collapse: Annotated[bool, Query(description=COLLAPSE_TEXT)] = True,
    include_events: Annotated[list[str] | None, Query(max_length=100, description=INCLUDE_TEXT)] = None,
    exclude_events: Annotated[list[str] | None, Query(max_length=100, description=EXCLUDE_TEXT)] = None,
) -> Fields:
    return {
        **{"unit": unit, "nodes": nodes, "depth": depth, "top": top, "collapse": collapse},
        **{"include_events": include_events, "exclude_events": exclude_events},
    }


@router.get(
    "/paths",
    response_model=PathsAnswer,
    summary="Ask which ways people take",
    description="The ways of sessions or people through events or pages, step by step, as nodes and links of a Sankey "
    "diagram: from a start, back from an end, between the two, or after a drop-off in a funnel.",
    responses=REPORT_PROBLEMS,
)
async def get_paths(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    frame: FrameFields,
    ends: Annotated[Fields, Depends(end_fields)],
    shape: Annotated[Fields, Depends(shape_fields)],
) -> Response:
    fields = await with_saved_funnel(services, project, {**frame, **ends, **shape})
    return await answer_report(request, services, project, fields, parse_flows)


@router.post(
    "/paths",
    response_model=PathsAnswer,
    summary="Ask which ways people take, with a body",
    description="The same answer; the body takes matchers, filters and a funnel as they are.",
    openapi_extra=PATHS_BODY,
    responses=REPORT_BODY_PROBLEMS,
)
async def ask_paths(
    raw: Annotated[Mapping[str, Any], Depends(json_object)],
    project: ReadableBodyProject,
    services: ServicesOf,
    request: Request,
) -> Response:
    fields = await with_saved_funnel(services, project, raw)
    return await answer_report(request, services, project, fields, parse_flows)


async def with_saved_funnel(services: Services, project: Project, fields: Mapping[str, Any]) -> Mapping[str, Any]:
    """A saved funnel's definition in the place of its id; one of another project is not found."""
    drop = fields.get("after_drop")
    if not isinstance(drop, Mapping) or not isinstance(drop.get("funnel_id"), str) or "funnel" in drop:
        return fields
    funnel = await services.funnels.get(drop["funnel_id"])
    if funnel is None or funnel.project_id != project.id:
        raise NotFound
    others = {name: value for name, value in drop.items() if name != "funnel_id"}
    return {**fields, "after_drop": {**others, "funnel": funnel.definition}}


@router.get(
    "/journey",
    response_model=JourneyAnswer,
    summary="Follow one person",
    description="What a person did, oldest first, by session, with the time since the event before. `user_id` is a "
    "user id or an anonymous id; the events of all ids that belong to the person are shown. Page by page: ask again "
    "with `next_cursor` and the same parameters.",
    responses=REPORT_PROBLEMS,
)
async def get_journey(
    project: ReadableProject,
    services: ServicesOf,
    request: Request,
    user_id: Annotated[str, Query(min_length=1, max_length=ID_CHARS_MAX)],
    start_date: Day = None,
    end_date: Day = None,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX)] = LIMIT_DEFAULT,
    cursor: Annotated[str | None, Query(max_length=2000)] = None,
) -> Response:
    question = f"journey by time, id, arrival {user_id} {start_date} {end_date}"
    after = None if cursor is None else decode_cursor(services.cursor_key, project.id, question, cursor)
    setting = Setting(project.timezone, project.session_gap_seconds, services.clock.now_us())
    fields = {"user_id": user_id, "start_date": start_date, "end_date": end_date}
    report = await to_thread(parse_journey, fields, setting, limit=limit, after=after)
    snapshot = await services.snapshot(project.id)
    answer = await while_waiting(request, partial(services.run_report, snapshot, report))
    place = answer.pop("next_place")
    answer["next_cursor"] = None if place is None else encode_cursor(services.cursor_key, project.id, question, place)
    return json_answer(answer)

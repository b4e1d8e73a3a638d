"""What every report's routes share: the frame's fields in an address, the asking, and the answer as a file."""

from asyncio import to_thread
from collections.abc import Callable, Mapping
from functools import partial
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import Depends, Query, Request, Response

from iafa.api.analytics import QUERY_PROBLEMS
from iafa.api.answers import json_answer
from iafa.api.auth import BODY_PROBLEMS
from iafa.api.csv_text import csv_lines
from iafa.api.leaving import while_waiting
from iafa.api.problem_docs import problem_responses
from iafa.api.question_fields import Day, choice_field
from iafa.api.services import Services
from iafa.errors import FieldError, ValidationFailed
from iafa.meta.projects import Project
from iafa.query.reports.frame import Setting
from iafa.query.reports.report import Report, file_table
from iafa.query.reports.table_files import parquet_file

FORMATS = ("json", "csv", "ndjson", "parquet")
REPORT_PROBLEMS = problem_responses(*QUERY_PROBLEMS)
REPORT_BODY_PROBLEMS = problem_responses(*BODY_PROBLEMS, *QUERY_PROBLEMS)
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "ndjson": "application/x-ndjson",
    "parquet": "application/vnd.apache.parquet",
}
Fields = dict[str, Any]
AnyReport = TypeVar("AnyReport", bound=Report)


def period_fields(
    start_date: Day = None, end_date: Day = None, compare_start: Day = None, compare_end: Day = None
) -> Fields:
    return {
        "start_date": start_date,
        "end_date": end_date,
        "compare_start": compare_start,
        "compare_end": compare_end,
    }


def frame_fields(
    period: Annotated[Fields, Depends(period_fields)],
    filters: Annotated[
        str | None, Query(max_length=20_000, description="A JSON array of conditions on the events, percent-encoded.")
    ] = None,
    exclude_bots: Annotated[bool, Query(description="Leave out events marked as sent by bots.")] = False,
    as_of: Annotated[
        str | None, Query(max_length=40, description="An instant with zone: later events do not exist then.")
    ] = None,
    include: Annotated[
        list[str], Query(max_length=10, description="`compare`, `receipt`: repeated, or with commas between.")
    ] = [],  # noqa: B006
    format: Annotated[str, Query(max_length=10, description="`json`, `csv`, `ndjson` or `parquet`.")] = "json",
) -> Fields:
    """The frame of a report as its body would have it. Absent members are left out."""
    given: Fields = {
        **period,
        "exclude_bots": exclude_bots,
        "as_of": as_of,
        "include": include,
        "format": format,
    }
    conditions = {} if filters is None else {"filters": json_member(filters, "filters")}
    return conditions | {name: value for name, value in given.items() if value not in (None, False, [])}


FrameFields = Annotated[Fields, Depends(frame_fields)]


def json_member(text: str | None, name: str) -> Any:
    """What a parameter of the address holds as JSON; None where it is absent."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        errors = [FieldError(f"/{name}", "invalid_json", "must be JSON")]
        raise ValidationFailed("the question is not valid", errors=errors, code="invalid_query") from None


def matcher_member(text: str | None, name: str) -> Any:
    """An event in an address: its name, or a matcher as JSON. No event's name that begins with a brace can be said."""
    return json_member(text, name) if text is not None and text.startswith("{") else text


def groups_member(name: str | None, limit: int | None) -> Any:
    """The property to group by and how many groups, as the body would have them."""
    if name is None and limit is None:
        return None
    return {member: value for member, value in (("property", name), ("limit", limit)) if value is not None}


async def answer_report(
    request: Request,
    services: Services,
    project: Project,
    fields: Mapping[str, Any],
    parse: Callable[[Mapping[str, Any], Setting], Report],
) -> Response:
    """The report that the fields ask for; `format` says how it is written."""
    fields = dict(fields)
    written = choice_field(fields, "format", FORMATS)
    singly_until_us = project.may_miss_single_events_until_us
    setting = Setting(project.timezone, project.session_gap_seconds, services.clock.now_us(), singly_until_us)
    report = await to_thread(parse, fields, setting)
    snapshot = await services.snapshot(project.id)
    answer = await while_waiting(request, partial(services.run_report, snapshot, report))
    if written == "json":
        return json_answer(answer)
    content = await to_thread(_file, report, answer, written)
    headers = {"Content-Disposition": f'attachment; filename="{report.name}.{written}"'}
    return Response(content, headers=headers, media_type=MEDIA_TYPES[written])


def _file(report: Report, answer: Mapping[str, Any], written: str) -> bytes:
    columns, rows = file_table(report, answer)
    if written == "csv":
        return csv_lines([list(columns), *(list(row) for row in rows)])
    if written == "ndjson":
        return b"".join(msgspec.json.encode(dict(zip(columns, row, strict=True))) + b"\n" for row in rows)
    return parquet_file(columns, rows)

"""What a saved view asks: read by the reader of its kind's own route, and asked in the way of that route."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

import msgspec

from iafa.api.analytics import beside, extras_of, text_or_none
from iafa.api.flows import with_saved_funnel
from iafa.api.services import Services
from iafa.api.text import several_lines
from iafa.api.view_models import QUESTION_BYTES_MAX
from iafa.api.view_range import MONTH, days_of
from iafa.errors import FieldError, NotFound, ValidationFailed
from iafa.meta.ids import is_id
from iafa.meta.projects import Project
from iafa.query.cancellation import Cancellation
from iafa.query.definition_reading import parse_definition
from iafa.query.events.fields import parse_fields
from iafa.query.events.page import Order
from iafa.query.events.question import parse_events_question
from iafa.query.field_errors import FieldErrors
from iafa.query.field_reading import read_choice, read_flag, read_list, read_optional_text, read_text
from iafa.query.question import question_of
from iafa.query.reports.flows import parse_flows
from iafa.query.reports.frame import Setting
from iafa.query.reports.overview import parse_overview
from iafa.query.reports.report import Report, check_length
from iafa.query.reports.retention import parse_retention
from iafa.query.reports.sessions import parse_sessions
from iafa.query.reports.trends import parse_trends
from iafa.query.time_range import resolve_time_range
from iafa.query.trend import trend_buckets

if TYPE_CHECKING:
    from iafa.lake.snapshot import Snapshot

Ask = Callable[["Snapshot", Cancellation], Awaitable[dict[str, Any]]]
Question = Mapping[str, Any]
REPORTS: Mapping[str, Callable[[Question, Setting], Report]] = {
    "trends": parse_trends,
    "retention": parse_retention,
    "paths": parse_flows,
    "sessions": parse_sessions,
    "overview": parse_overview,
}
_BESIDE = ("window_seconds", "include", "compare_start", "compare_end", "trend", "breakdown", "attribution")
_FUNNEL = frozenset({"funnel_id", "start_date", "end_date", *_BESIDE})
_EVENTS = frozenset({"event_type", "user_id", "start", "end", "filters", "exclude_bots", "fields", "order"})
TEXT_CHARS_MAX = 5_000
TEXTS_MAX = 200  # of fields to show


@dataclass(frozen=True)
class Asked:
    """A question that was read. `ask` is None where there are no numbers; `groups_by` is a property.

    `check_length` raises ValidationFailed where the range is too long for an answer over these data."""

    ask: Ask | None = None
    groups_by: str | None = None
    check_length: Callable[["Snapshot"], object] | None = None


async def read_question(services: Services, project: Project, kind: str, question: Question) -> Asked:
    """Raises ValidationFailed with pointers into the question."""
    if "project_id" in question:
        raise _refused("/project_id", "unknown_field", "a saved question is one of its project")
    if kind == "funnel":
        return await _funnel(services, project, question)
    if kind == "events":
        return await to_thread(_events, project, question)
    if kind == "note":
        return _text(question)
    return await _report(services, project, kind, question)


async def question_errors(
    services: Services, project: Project, kind: str, question: Question, chosen: Mapping[str, Any] | None
) -> list[FieldError]:
    """What is wrong with a question that is to be saved. One without dates is looked at as if asked for a month: its
    board may have them."""
    if len(msgspec.json.encode(question)) > QUESTION_BYTES_MAX:
        return [FieldError("", "too_long", f"must have at most {QUESTION_BYTES_MAX} bytes")]
    names = date_names(kind)
    if chosen is None and not any(question.get(name) is not None for name in names):
        chosen = MONTH
    try:
        await read_question(services, project, kind, dated(services, project, kind, question, chosen))
    except ValidationFailed as error:
        return list(error.errors) or [FieldError("", "invalid", error.detail)]
    except NotFound:
        return [FieldError("/after_drop/funnel_id", "not_found", "there is no such funnel in this project")]
    return []


def dated(
    services: Services, project: Project, kind: str, question: Question, chosen: Mapping[str, Any] | None
) -> Question:
    """The question for the chosen range; without one, for its own dates."""
    if chosen is None or kind == "note":
        return question
    days = days_of(chosen, project.timezone, services.clock.now_us())
    names = date_names(kind)
    others = {name: value for name, value in question.items() if name not in names}
    return {**others, **{name: day for name, day in zip(names, days, strict=True) if day is not None}}


def date_names(kind: str) -> tuple[str, str]:
    return ("start", "end") if kind == "events" else ("start_date", "end_date")


async def _funnel(services: Services, project: Project, question: Question) -> Asked:
    errors = FieldErrors()
    errors.unknown(question, "", _FUNNEL)
    funnel_id = question.get("funnel_id")
    funnel = await services.funnels.get(funnel_id) if isinstance(funnel_id, str) and is_id(funnel_id) else None
    if funnel is None or funnel.project_id != project.id:
        errors.add("/funnel_id", "not_found", "there is no such funnel in this project")
        raise ValidationFailed("the question is not valid", errors=list(errors.found))
    errors.raise_any("the question is not valid")
    options: dict[str, Any] = {name: question.get(name) for name in _BESIDE}
    wanted = beside(**options)
    definition = await to_thread(parse_definition, {**funnel.definition, **wanted.override})
    start, end, compare_start, compare_end = (
        text_or_none(question, name) for name in ("start_date", "end_date", "compare_start", "compare_end")
    )
    time_range = resolve_time_range(start, end, timezone=project.timezone)
    extras = extras_of(project, wanted.include, compare_start, compare_end)
    asked = question_of(definition, time_range, services.clock.now_us(), extras)

    async def ask(snapshot: "Snapshot", cancellation: Cancellation) -> dict[str, Any]:
        return await services.run_funnel(snapshot, definition, time_range, funnel.id, extras, cancellation)

    groups = definition.breakdown if "breakdown" in extras.include else None
    check = partial(trend_buckets, asked) if asked.wants("trend") else None
    return Asked(ask, None if groups is None else groups.property, check)


async def _report(services: Services, project: Project, kind: str, question: Question) -> Asked:
    fields = await with_saved_funnel(services, project, question) if kind == "paths" else question
    setting = Setting(project.timezone, project.session_gap_seconds, services.clock.now_us())
    report = await to_thread(REPORTS[kind], fields, setting)
    report.frame.of_other_period()

    async def ask(snapshot: "Snapshot", cancellation: Cancellation) -> dict[str, Any]:
        return await services.run_report(snapshot, report, cancellation)

    groups = question.get("breakdown")
    groups_by = groups.get("property") if isinstance(groups, Mapping) else groups
    return Asked(ask, groups_by, partial(check_length, report))


def _events(project: Project, question: Question) -> Asked:
    """Names as in the address of the event log; its events are not asked for here."""
    errors = FieldErrors()
    errors.unknown(question, "", _EVENTS)
    fields = errors.sequence(read_list(question, "fields"), "/fields", most=TEXTS_MAX)
    parse_fields([errors.text(name, "/fields", most=300) for name in fields])
    read_choice(question, "order", get_args(Order), errors)
    is_without_bots = read_flag(question, "exclude_bots", "", errors)
    user_id, start, end = (read_optional_text(question, name, 300, errors) for name in ("user_id", "start", "end"))
    errors.raise_any("the question is not valid")
    filters = question.get("filters")
    ask = partial(parse_events_question, user_id=user_id, start=start, end=end, timezone=project.timezone)
    ask(
        event_types=read_list(question, "event_type"),  # type: ignore[arg-type]  # it looks for itself
        filters=None if filters is None else msgspec.json.encode(filters).decode(),
        exclude_bots=is_without_bots,
    )
    return Asked()


def _text(question: Question) -> Asked:
    errors = FieldErrors()
    errors.unknown(question, "", {"text"})
    text = read_text(question, "text", "", errors, most=TEXT_CHARS_MAX)
    if not len(errors):
        try:
            several_lines(text)
        except ValueError as error:
            errors.add("/text", "invalid_character", str(error))
    errors.raise_any("the note is not valid")
    return Asked()


def _refused(pointer: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed("the question is not valid", errors=[FieldError(pointer, code, message)])

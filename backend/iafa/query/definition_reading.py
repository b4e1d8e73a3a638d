"""Reading a funnel definition from JSON: every wrong field is listed, with its place."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeVar, cast

from iafa.clock import from_datetime
from iafa.event import NAME_CHARS_MAX, TIME_MAX_US
from iafa.query.definition import (
    SEMANTICS_VERSION,
    STAGES_MAX,
    WINDOW_DEFAULT_S,
    Attribution,
    Breakdown,
    Exclusion,
    FunnelDefinition,
    Stage,
    Tie,
)
from iafa.query.definition_rules import check_combinations
from iafa.query.engine_duckdb import regex_error
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.filters import Condition, parse_filters
from iafa.query.pages import Page, parse_page
from iafa.query.time_range import within_calendar

EVENTS_MAX = 100
EXCLUSIONS_MAX = 10
HOLD_MAX = 3
GROUPS_MAX = 100
GRACE_MAX_S = 3_600
DESCRIPTION_CHARS_MAX = 2_000
PROJECT_ID_CHARS_MAX = 32
WINDOW_MAX_S = 10**10

_Choice = TypeVar("_Choice", bound=str)
_CHOICES: Mapping[str, tuple[str, ...]] = {  # the first is the default
    "range": ("entry", "all_steps"),
    "order": ("ordered", "strict", "unordered"),
    "unit": ("user", "session"),
    "entry": ("best", "first", "last"),
    "count": ("unique", "totals"),
    "strict_scope": ("all", "filtered"),
    "sessions": ("derived", "client"),
    "exclusion_mode": ("cut", "drop"),
}
_FLAGS = ("mature_only", "first_required", "exclude_bots")
_TRENDS = ("hour", "day", "week", "month")
_TIE = re.compile(r"grace:(0|[1-9][0-9]{0,4})")
_STEP = re.compile(r"step:([1-9][0-9]?)")
_OTHER_FIELDS = {
    *("project_id", "name", "description", "stages", "window_seconds", "filters", "tie", "as_of", "trend"),
    *("semantics_version", "exclusions", "hold", "breakdown"),
}
_EVENT_FIELDS = {"event", "events", "page", "match", "host", "filters"}
_STAGE_FIELDS = {"name", "order", "optional", "within_seconds", "after_seconds", *_EVENT_FIELDS}
_EXCLUSION_FIELDS = {"from_stage", "to_stage", *_EVENT_FIELDS}


def parse_definition(raw: Mapping[str, object]) -> FunnelDefinition:
    """The definition, or ValidationFailed with one FieldError for each wrong field."""
    errors = FieldErrors()
    definition = _definition(raw, errors)
    if not len(errors):
        check_combinations(definition, errors)
    errors.raise_any("the funnel definition is not valid")
    return definition


def _definition(raw: object, errors: FieldErrors) -> FunnelDefinition:
    fields = errors.mapping(raw, "")
    if fields is None:
        return FunnelDefinition("", ())
    errors.unknown(fields, "", {*_OTHER_FIELDS, *_CHOICES, *_FLAGS})
    if fields.get("semantics_version") not in (None, SEMANTICS_VERSION):
        errors.add("/semantics_version", "unsupported_value", f"only {SEMANTICS_VERSION} is supported by this version")
    options: dict[str, object] = {key: _choice(fields, key, errors) for key in _CHOICES}
    options |= {flag: _flag(fields, flag, "", errors) for flag in _FLAGS}
    tie, grace = _tie(fields.get("tie"), errors)
    stages = _stages(fields.get("stages"), errors)
    # A session ends by itself: without a window of its own it has no other limit.
    window = None if options["unit"] == "session" else WINDOW_DEFAULT_S
    if "window_seconds" in fields:
        window = _seconds(fields["window_seconds"], "/window_seconds", errors)
    first_to_last = " \N{RIGHTWARDS ARROW} ".join(dict.fromkeys((stages[0].name, stages[-1].name))) if stages else ""
    return FunnelDefinition(
        name=_name(fields, "", first_to_last, errors),
        stages=stages,
        window_seconds=window,
        filters=parse_filters(_list(fields, "filters"), errors, "/filters", regex_error=regex_error),
        description=_optional_text(fields, "description", DESCRIPTION_CHARS_MAX, errors),
        project_id=_optional_text(fields, "project_id", PROJECT_ID_CHARS_MAX, errors),
        tie=tie,
        grace_seconds=grace,
        as_of_us=_instant(fields.get("as_of"), "/as_of", errors),
        trend=None if fields.get("trend") is None else errors.choice(fields["trend"], "/trend", _TRENDS),  # type: ignore[arg-type]
        exclusions=_exclusions(_list(fields, "exclusions"), len(stages), errors),
        hold=_hold(_list(fields, "hold"), errors),
        breakdown=_breakdown(fields.get("breakdown"), len(stages), errors),
        **options,  # type: ignore[arg-type]  # each is checked against its own choices
    )


def _list(fields: Mapping[str, object], key: str) -> object:
    """An absent list and null are the empty one."""
    value = fields.get(key)
    return () if value is None else value


def _choice(fields: Mapping[str, object], key: str, errors: FieldErrors) -> str:
    choices = _CHOICES[key]
    return choices[0] if fields.get(key) is None else errors.choice(fields[key], pointer_to("", key), choices)


def _flag(fields: Mapping[str, object], key: str, pointer: str, errors: FieldErrors) -> bool:
    value = fields.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    errors.add(pointer_to(pointer, key), "wrong_type", "must be true or false")
    return False


def _tie(raw: object, errors: FieldErrors) -> tuple[Tie, int]:
    if raw is None or raw == "any":
        return "any", 0
    if raw == "strict":
        return "strict", 0
    found = _TIE.fullmatch(raw) if isinstance(raw, str) else None
    if found is None or int(found[1]) > GRACE_MAX_S:
        errors.add("/tie", "unsupported_value", f"must be any, strict or grace:N with N from 0 to {GRACE_MAX_S}")
        return "any", 0
    return "grace", int(found[1])


def _instant(raw: object, pointer: str, errors: FieldErrors) -> int | None:
    if raw is None:
        return None
    try:
        parsed = datetime.fromisoformat(raw) if isinstance(raw, str) else None
    except ValueError:
        parsed = None
    if parsed is None or parsed.tzinfo is None:
        errors.add(pointer, "invalid_timestamp", "must be an instant with its zone, as 2026-11-20T09:00:00Z")
        return None
    return min(within_calendar(from_datetime(parsed)), TIME_MAX_US)


def _name(fields: Mapping[str, object], pointer: str, default: str, errors: FieldErrors) -> str:
    """What a person called it, or else what it consists of."""
    if fields.get("name") is None:
        return default[:NAME_CHARS_MAX]
    return errors.text(fields["name"], pointer_to(pointer, "name"), most=NAME_CHARS_MAX)


def _required_text(fields: Mapping[str, object], key: str, pointer: str, errors: FieldErrors) -> str:
    at = pointer_to(pointer, key)
    if fields.get(key) is None:
        errors.add(at, "missing", "is required")
        return ""
    return errors.text(fields[key], at, most=NAME_CHARS_MAX)


def _optional_text(fields: Mapping[str, object], key: str, most: int, errors: FieldErrors) -> str | None:
    if fields.get(key) is None:
        return None
    return errors.text(fields[key], pointer_to("", key), most=most, least=0)


def _seconds(raw: object, pointer: str, errors: FieldErrors, *, most: int = WINDOW_MAX_S) -> int | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int):
        errors.add(pointer, "wrong_type", "must be an integer, or null for no limit")
        return None
    if not 0 <= raw <= most:
        errors.add(pointer, "number_out_of_range", f"must be from 0 to {most}")
        return None
    return raw


def _number(raw: object, pointer: str, least: int, most: int, errors: FieldErrors) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        errors.add(pointer, "wrong_type", "must be an integer")
    elif not least <= raw <= most:
        errors.add(pointer, "number_out_of_range", f"must be from {least} to {most}")
    else:
        return raw
    return least


def _stages(raw: object, errors: FieldErrors) -> tuple[Stage, ...]:
    if raw is None:
        errors.add("/stages", "missing", "is required")
        return ()
    items = errors.sequence(raw, "/stages", most=STAGES_MAX, least=1)
    stages = [_stage(item, pointer_to("/stages", index), errors) for index, item in enumerate(items)]
    return tuple(stages[place] for place in _places(items, errors))


def _places(items: Sequence[object], errors: FieldErrors) -> Sequence[int]:
    """The indexes of the items in the order of their `order`, or of the list when no stage has one."""
    orders = [item.get("order") if isinstance(item, Mapping) else None for item in items]
    if all(order is None for order in orders):
        return range(len(items))
    wanted = range(1, len(items) + 1)
    for index, order in enumerate(orders):
        at = pointer_to(pointer_to("/stages", index), "order")
        if isinstance(order, bool) or not isinstance(order, int) or order not in wanted:
            errors.add(at, "not_a_permutation", f"must be one of 1 to {len(items)}, each once")
        elif order in orders[:index]:
            errors.add(at, "not_a_permutation", "is used by two stages")
    return sorted(range(len(items)), key=lambda index: _order_key(orders[index]))


def _order_key(order: object) -> int:
    return order if isinstance(order, int) else 0


def _stage(raw: object, pointer: str, errors: FieldErrors) -> Stage:
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return Stage("")
    errors.unknown(fields, pointer, _STAGE_FIELDS)
    events, page = _event(fields, pointer, errors)
    return Stage(
        name=_name(fields, pointer, " / ".join(events) if page is None else page.pattern, errors),
        events=events,
        page=page,
        filters=_filters(fields, pointer, errors),
        optional=_flag(fields, "optional", pointer, errors),
        within_seconds=_seconds(fields.get("within_seconds"), pointer_to(pointer, "within_seconds"), errors),
        after_seconds=_seconds(fields.get("after_seconds"), pointer_to(pointer, "after_seconds"), errors),
    )


def _filters(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> tuple[Condition, ...]:
    return parse_filters(_list(fields, "filters"), errors, pointer_to(pointer, "filters"), regex_error=regex_error)


def _event(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> tuple[tuple[str, ...], Page | None]:
    """Which event a stage or an exclusion means: names, or a page."""
    kinds = [key for key in ("event", "events", "page") if fields.get(key) is not None]
    if len(kinds) != 1:
        code, message = ("missing", "needs one of event, events and page")
        if kinds:
            code, message = ("conflicting_fields", f"takes only one of {', '.join(kinds)}")
        errors.add(pointer, code, message)
    if kinds != ["page"]:
        for key in ("match", "host"):
            if fields.get(key) is not None:
                errors.add(pointer_to(pointer, key), "unknown_field", "belongs to a page stage only")
    page = parse_page(dict(fields), errors, pointer) if kinds == ["page"] else None
    return _events(fields, kinds, pointer, errors), page


def _events(fields: Mapping[str, object], kinds: Sequence[str], pointer: str, errors: FieldErrors) -> tuple[str, ...]:
    if kinds == ["event"]:
        return (errors.text(fields["event"], pointer_to(pointer, "event"), most=NAME_CHARS_MAX),)
    if kinds != ["events"]:
        return ()
    at = pointer_to(pointer, "events")
    items = errors.sequence(fields["events"], at, most=EVENTS_MAX, least=1)
    names = [errors.text(item, pointer_to(at, index), most=NAME_CHARS_MAX) for index, item in enumerate(items)]
    return tuple(dict.fromkeys(names))


def _exclusions(raw: object, stages: int, errors: FieldErrors) -> tuple[Exclusion, ...]:
    items = errors.sequence(raw, "/exclusions", most=EXCLUSIONS_MAX)
    return tuple(_exclusion(item, pointer_to("/exclusions", index), stages, errors) for index, item in enumerate(items))


def _exclusion(raw: object, pointer: str, stages: int, errors: FieldErrors) -> Exclusion:
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return Exclusion()
    errors.unknown(fields, pointer, _EXCLUSION_FIELDS)
    events, page = _event(fields, pointer, errors)
    bounds = {"from_stage": 1, "to_stage": max(stages, 1)}
    for key in bounds:
        if fields.get(key) is not None:
            bounds[key] = _number(fields[key], pointer_to(pointer, key), 1, max(stages, 1), errors)
    return Exclusion(events, page, _filters(fields, pointer, errors), bounds["from_stage"], bounds["to_stage"])


def _hold(raw: object, errors: FieldErrors) -> tuple[str, ...]:
    items = errors.sequence(raw, "/hold", most=HOLD_MAX)
    names = [errors.text(item, pointer_to("/hold", index), most=NAME_CHARS_MAX) for index, item in enumerate(items)]
    return tuple(dict.fromkeys(names))


def _breakdown(raw: object, stages: int, errors: FieldErrors) -> Breakdown | None:
    if raw is None:
        return None
    fields = errors.mapping(raw, "/breakdown")
    if fields is None:
        return None
    errors.unknown(fields, "/breakdown", {"property", "attribution", "limit"})
    attribution, stage = _attribution(fields.get("attribution"), stages, errors)
    limit = 10
    if fields.get("limit") is not None:
        limit = _number(fields["limit"], "/breakdown/limit", 1, GROUPS_MAX, errors)
    return Breakdown(_required_text(fields, "property", "/breakdown", errors), attribution, stage, limit)


def _attribution(raw: object, stages: int, errors: FieldErrors) -> tuple[Attribution, int]:
    if raw is None:
        return "entry", 1
    step = _STEP.fullmatch(raw) if isinstance(raw, str) else None
    if step is not None and int(step[1]) <= stages:
        return "step", int(step[1])
    known = ("entry", "first_known", "last_known", "each")
    if isinstance(raw, str) and raw in known:
        return cast(Attribution, raw), 1
    message = f"must be one of: {', '.join(known)}, step:1 to step:{max(stages, 1)}"
    errors.add("/breakdown/attribution", "unsupported_value", message)
    return "entry", 1

"""Reading a funnel definition from JSON: every wrong field is listed, with its place."""

import re
from collections.abc import Mapping, Sequence
from typing import TypeVar, cast

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
from iafa.query.field_reading import (
    read_choice,
    read_flag,
    read_instant,
    read_list,
    read_number,
    read_optional_text,
    read_seconds,
)
from iafa.query.filters import parse_filters, parse_property, read_property
from iafa.query.matcher_reading import EVENT_FIELDS, read_event, read_filters, read_name, shown_name

EXCLUSIONS_MAX = 10
HOLD_MAX = 3
GROUPS_MAX = 100
GRACE_MAX_S = 3_600
DESCRIPTION_CHARS_MAX = 2_000
PROJECT_ID_CHARS_MAX = 32

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
_STAGE_FIELDS = {"name", "order", "optional", "within_seconds", "after_seconds", *EVENT_FIELDS}
_EXCLUSION_FIELDS = {"from_stage", "to_stage", *EVENT_FIELDS}


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
    options: dict[str, object] = {key: read_choice(fields, key, _CHOICES[key], errors) for key in _CHOICES}
    options |= {flag: read_flag(fields, flag, "", errors) for flag in _FLAGS}
    tie, grace = _tie(fields.get("tie"), errors)
    stages = _stages(fields.get("stages"), errors)
    # A session ends by itself: without a window of its own it has no other limit.
    window = None if options["unit"] == "session" else WINDOW_DEFAULT_S
    if "window_seconds" in fields:
        window = read_seconds(fields["window_seconds"], "/window_seconds", errors)
    first_to_last = " \N{RIGHTWARDS ARROW} ".join(dict.fromkeys((stages[0].name, stages[-1].name))) if stages else ""
    return FunnelDefinition(
        name=read_name(fields, "", first_to_last, errors),
        stages=stages,
        window_seconds=window,
        filters=parse_filters(read_list(fields, "filters"), errors, "/filters", regex_error=regex_error),
        description=read_optional_text(fields, "description", DESCRIPTION_CHARS_MAX, errors),
        project_id=read_optional_text(fields, "project_id", PROJECT_ID_CHARS_MAX, errors),
        tie=tie,
        grace_seconds=grace,
        as_of_us=read_instant(fields.get("as_of"), "/as_of", errors),
        trend=None if fields.get("trend") is None else errors.choice(fields["trend"], "/trend", _TRENDS),  # type: ignore[arg-type]
        exclusions=_exclusions(read_list(fields, "exclusions"), len(stages), errors),
        hold=_hold(read_list(fields, "hold"), errors),
        breakdown=_breakdown(fields.get("breakdown"), len(stages), errors),
        **options,  # type: ignore[arg-type]  # each is checked against its own choices
    )


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
    events, page = read_event(fields, pointer, errors)
    return Stage(
        name=read_name(fields, pointer, shown_name(events, page), errors),
        events=events,
        page=page,
        filters=read_filters(fields, pointer, errors),
        optional=read_flag(fields, "optional", pointer, errors),
        within_seconds=read_seconds(fields.get("within_seconds"), pointer_to(pointer, "within_seconds"), errors),
        after_seconds=read_seconds(fields.get("after_seconds"), pointer_to(pointer, "after_seconds"), errors),
    )


def _exclusions(raw: object, stages: int, errors: FieldErrors) -> tuple[Exclusion, ...]:
    items = errors.sequence(raw, "/exclusions", most=EXCLUSIONS_MAX)
    return tuple(_exclusion(item, pointer_to("/exclusions", index), stages, errors) for index, item in enumerate(items))


def _exclusion(raw: object, pointer: str, stages: int, errors: FieldErrors) -> Exclusion:
    fields = errors.mapping(raw, pointer)
    if fields is None:
        return Exclusion()
    errors.unknown(fields, pointer, _EXCLUSION_FIELDS)
    events, page = read_event(fields, pointer, errors)
    bounds = {"from_stage": 1, "to_stage": max(stages, 1)}
    for key in bounds:
        if fields.get(key) is not None:
            bounds[key] = read_number(fields[key], pointer_to(pointer, key), 1, max(stages, 1), errors)
    return Exclusion(events, page, read_filters(fields, pointer, errors), bounds["from_stage"], bounds["to_stage"])


def _hold(raw: object, errors: FieldErrors) -> tuple[str, ...]:
    items = errors.sequence(raw, "/hold", most=HOLD_MAX)
    names = [parse_property(item, errors, pointer_to("/hold", index)) for index, item in enumerate(items)]
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
        limit = read_number(fields["limit"], "/breakdown/limit", 1, GROUPS_MAX, errors)
    return Breakdown(read_property(fields, "/breakdown", errors), attribution, stage, limit)


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

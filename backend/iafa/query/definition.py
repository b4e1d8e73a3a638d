"""The definition of a funnel: read from JSON with every error listed, and written back. No dates, no SQL."""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from iafa.event import NAME_CHARS_MAX
from iafa.query.engine_duckdb import regex_error
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.filters import Condition, filter_to_dict, parse_filters
from iafa.query.pages import Page, parse_page

SEMANTICS = "iafa"
SEMANTICS_VERSION = 1
STAGES_MAX = 20
EVENTS_MAX = 100
DESCRIPTION_CHARS_MAX = 2_000
PROJECT_ID_CHARS_MAX = 32
WINDOW_DEFAULT_S = 604_800
WINDOW_MAX_S = 10**10
ANY_EVENT = "*"


class Stage(msgspec.Struct, frozen=True):
    """One step: an event with any of the names (`*` is every event), or a page view."""

    name: str
    events: tuple[str, ...] = ()
    page: Page | None = None
    filters: tuple[Condition, ...] = ()


class FunnelDefinition(msgspec.Struct, frozen=True):
    """Stages are in order. `window_seconds` None means that there is no limit."""

    name: str
    stages: tuple[Stage, ...]
    window_seconds: int | None = WINDOW_DEFAULT_S
    range: Literal["entry", "all_steps"] = "entry"
    filters: tuple[Condition, ...] = ()
    description: str | None = None
    project_id: str | None = None


# Fields of the full contract that this version knows with one value only. Absent means that value.
_FIXED_FIELDS: Mapping[str, object] = {
    "order": "ordered",
    "unit": "user",
    "entry": "best",
    "tie": "any",
    "count": "unique",
    "mature_only": False,
    "first_required": False,
    "strict_scope": "all",
    "sessions": "derived",
    "as_of": None,
    "exclude_bots": False,
    "semantics_version": SEMANTICS_VERSION,
    "trend": None,
    "exclusions": [],
    "exclusion_mode": "cut",
    "hold": [],
    "breakdown": None,
}
_FIXED_STAGE_FIELDS: Mapping[str, object] = {"optional": False, "within_seconds": None, "after_seconds": None}
_FIELDS = {
    "project_id",
    "name",
    "description",
    "stages",
    "window_seconds",
    "range",
    "filters",
    *_FIXED_FIELDS,
}
_STAGE_FIELDS = {
    "name",
    "order",
    "event",
    "events",
    "page",
    "match",
    "host",
    "filters",
    *_FIXED_STAGE_FIELDS,
}


def parse_definition(raw: Mapping[str, object]) -> FunnelDefinition:
    """The definition, or ValidationFailed with one FieldError for each wrong field."""
    errors = FieldErrors()
    definition = _definition(raw, errors)
    errors.raise_any("the funnel definition is not valid")
    return definition


def to_dict(definition: FunnelDefinition) -> dict[str, object]:
    """Plain JSON that parses back to an equal definition."""
    plain: dict[str, object] = {
        "name": definition.name,
        "stages": [_stage_to_dict(stage, order) for order, stage in enumerate(definition.stages, start=1)],
        "window_seconds": definition.window_seconds,
        "range": definition.range,
        "filters": [filter_to_dict(condition) for condition in definition.filters],
        "semantics_version": SEMANTICS_VERSION,
    }
    for field in ("description", "project_id"):
        if (value := getattr(definition, field)) is not None:
            plain[field] = value
    return plain


def _definition(raw: object, errors: FieldErrors) -> FunnelDefinition:
    fields = errors.mapping(raw, "")
    if fields is None:
        return FunnelDefinition("", ())
    errors.unknown(fields, "", _FIELDS)
    _check_fixed(fields, "", _FIXED_FIELDS, errors)
    chosen = errors.choice(fields.get("range", "entry"), "/range", ("entry", "all_steps"))
    return FunnelDefinition(
        name=_required_text(fields, "name", "", errors),
        stages=_stages(fields.get("stages"), errors),
        window_seconds=_window(fields, errors),
        range="all_steps" if chosen == "all_steps" else "entry",
        filters=parse_filters(fields.get("filters", ()), errors, "/filters", regex_error=regex_error),
        description=_optional_text(fields, "description", DESCRIPTION_CHARS_MAX, errors),
        project_id=_optional_text(fields, "project_id", PROJECT_ID_CHARS_MAX, errors),
    )


def _check_fixed(fields: Mapping[str, object], pointer: str, fixed: Mapping[str, object], errors: FieldErrors) -> None:
    for key, only in fixed.items():
        value = fields.get(key, only)
        if type(value) is not type(only) or value != only:
            shown = msgspec.json.encode(only).decode()
            errors.add(pointer_to(pointer, key), "unsupported_value", f"only {shown} is supported by this version")


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


def _window(fields: Mapping[str, object], errors: FieldErrors) -> int | None:
    value = fields.get("window_seconds", WINDOW_DEFAULT_S)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        errors.add("/window_seconds", "wrong_type", "must be an integer, or null for no limit")
        return None
    if not 0 <= value <= WINDOW_MAX_S:
        errors.add("/window_seconds", "number_out_of_range", f"must be from 0 to {WINDOW_MAX_S}")
    return value


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
    _check_fixed(fields, pointer, _FIXED_STAGE_FIELDS, errors)
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
    return Stage(
        name=_required_text(fields, "name", pointer, errors),
        events=_events(fields, kinds, pointer, errors),
        page=parse_page(dict(fields), errors, pointer) if kinds == ["page"] else None,
        filters=parse_filters(
            fields.get("filters", ()), errors, pointer_to(pointer, "filters"), regex_error=regex_error
        ),
    )


def _events(fields: Mapping[str, object], kinds: Sequence[str], pointer: str, errors: FieldErrors) -> tuple[str, ...]:
    if kinds == ["event"]:
        return (errors.text(fields["event"], pointer_to(pointer, "event"), most=NAME_CHARS_MAX),)
    if kinds != ["events"]:
        return ()
    at = pointer_to(pointer, "events")
    items = errors.sequence(fields["events"], at, most=EVENTS_MAX, least=1)
    names = [errors.text(item, pointer_to(at, index), most=NAME_CHARS_MAX) for index, item in enumerate(items)]
    return tuple(dict.fromkeys(names))


def _stage_to_dict(stage: Stage, order: int) -> dict[str, object]:
    plain: dict[str, object] = {"name": stage.name, "order": order}
    if stage.page is not None:
        plain["page"] = stage.page.pattern
        plain["match"] = stage.page.match
        if stage.page.host is not None:
            plain["host"] = stage.page.host
    elif len(stage.events) == 1:
        plain["event"] = stage.events[0]
    else:
        plain["events"] = list(stage.events)
    plain["filters"] = [filter_to_dict(condition) for condition in stage.filters]
    return plain

"""Reading of what an event is: names or a page, with filters. Stages, exclusions and the events of reports are such."""

from collections.abc import Mapping, Sequence

from iafa.event import NAME_CHARS_MAX
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import regex_error
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.field_reading import read_list
from iafa.query.filters import Condition, parse_filters
from iafa.query.pages import Page, parse_page

EVENTS_MAX = 100
EVENT_FIELDS = frozenset({"event", "events", "page", "match", "host", "filters"})


def read_matcher(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> Stage:
    """An event of a report, named by a person or else by what it consists of."""
    errors.unknown(fields, pointer, EVENT_FIELDS | {"name"})
    events, page = read_event(fields, pointer, errors)
    name = read_name(fields, pointer, shown_name(events, page), errors)
    return Stage(name=name, events=events, page=page, filters=read_filters(fields, pointer, errors))


def shown_name(events: Sequence[str], page: Page | None) -> str:
    return " / ".join(events) if page is None else page.pattern


def read_name(fields: Mapping[str, object], pointer: str, default: str, errors: FieldErrors) -> str:
    """What a person called it, or else what it consists of."""
    if fields.get("name") is None:
        return default[:NAME_CHARS_MAX]
    return errors.text(fields["name"], pointer_to(pointer, "name"), most=NAME_CHARS_MAX)


def read_filters(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> tuple[Condition, ...]:
    return parse_filters(read_list(fields, "filters"), errors, pointer_to(pointer, "filters"), regex_error=regex_error)


def read_event(fields: Mapping[str, object], pointer: str, errors: FieldErrors) -> tuple[tuple[str, ...], Page | None]:
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

"""Which raw events are asked for: what the parameters of an address say, read strictly."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

import msgspec

from iafa.errors import ValidationFailed
from iafa.event import ID_CHARS_MAX, NAME_CHARS_MAX
from iafa.query.engine_duckdb import regex_error
from iafa.query.field_errors import FieldErrors
from iafa.query.filters import Condition, filter_to_dict, parse_filters
from iafa.query.time_range import TimeRange, resolve_time_range

EVENT_TYPES_MAX = 100
FILTERS_CHARS_MAX = 20_000
_BOUNDS = {"/start_date": "/start", "/end_date": "/end"}


@dataclass(frozen=True)
class EventsQuestion:
    """All of it must hold. Without event types any, without a user everybody."""

    time_range: TimeRange
    event_types: tuple[str, ...] = ()
    user_id: str | None = None
    filters: tuple[Condition, ...] = ()
    exclude_bots: bool = False

    def fingerprint(self, order: str) -> str:
        """Equal for equal lists: a cursor is worth nothing for another one."""
        whole = [
            *(self.time_range.from_us, self.time_range.to_us, self.event_types, self.user_id, self.exclude_bots),
            [filter_to_dict(condition) for condition in self.filters],
            order,
        ]
        return "events " + sha256(msgspec.json.encode(whole, order="deterministic")).hexdigest()


def parse_events_question(
    *,
    event_types: Sequence[str] = (),
    user_id: str | None = None,
    start: str | None = None,
    end: str | None = None,
    filters: str | None = None,
    exclude_bots: bool = False,
    timezone: str = "UTC",
) -> EventsQuestion:
    """`filters` is the text of a JSON array. Raises ValidationFailed that lists every wrong parameter. Blocks."""
    errors = FieldErrors()
    given = errors.sequence(event_types, "/event_type", most=EVENT_TYPES_MAX)
    names = [errors.text(name, "/event_type", most=NAME_CHARS_MAX) for name in given]
    if user_id is not None:
        user_id = errors.text(user_id, "/user_id", most=ID_CHARS_MAX)
    time_range = _range(start, end, timezone, errors)
    conditions = _filters(filters, errors)
    errors.raise_any("the question is not valid")
    return EventsQuestion(time_range, tuple(sorted(set(names))), user_id, conditions, exclude_bots)


def _range(start: str | None, end: str | None, timezone: str, errors: FieldErrors) -> TimeRange:
    try:
        return resolve_time_range(start, end, timezone=timezone)
    except ValidationFailed as error:
        for one in error.errors:
            message = one.message.replace("end_date", "end")
            errors.add(_BOUNDS.get(one.pointer, one.pointer), one.code, message)
        return resolve_time_range()


def _filters(text: str | None, errors: FieldErrors) -> tuple[Condition, ...]:
    if text is None:
        return ()
    if len(text) > FILTERS_CHARS_MAX:
        errors.add("/filters", "too_long", f"must have at most {FILTERS_CHARS_MAX} characters")
        return ()
    try:
        raw = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        errors.add("/filters", "invalid_json", 'must be a JSON array such as [{"property":"plan","op":"eq","value":1}]')
        return ()
    return parse_filters(raw, errors, "/filters", regex_error=regex_error)

"""Readers of single fields of untrusted JSON, each with its pointer; an absent field and null are the default."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from iafa.clock import from_datetime
from iafa.event import TIME_MAX_US
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.time_range import within_calendar

WINDOW_MAX_S = 10**10


def read_list(fields: Mapping[str, object], key: str) -> object:
    """An absent list and null are the empty one."""
    value = fields.get(key)
    return () if value is None else value


def read_choice(fields: Mapping[str, object], key: str, choices: Sequence[str], errors: FieldErrors) -> str:
    """The first of the choices is the default."""
    return choices[0] if fields.get(key) is None else errors.choice(fields[key], pointer_to("", key), choices)


def read_flag(fields: Mapping[str, object], key: str, pointer: str, errors: FieldErrors) -> bool:
    value = fields.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    errors.add(pointer_to(pointer, key), "wrong_type", "must be true or false")
    return False


def read_instant(raw: object, pointer: str, errors: FieldErrors) -> int | None:
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


def read_text(fields: Mapping[str, object], key: str, pointer: str, errors: FieldErrors, *, most: int) -> str:
    """A text that must be there."""
    at = pointer_to(pointer, key)
    if fields.get(key) is None:
        errors.add(at, "missing", "is required")
        return ""
    return errors.text(fields[key], at, most=most)


def read_optional_text(fields: Mapping[str, object], key: str, most: int, errors: FieldErrors) -> str | None:
    if fields.get(key) is None:
        return None
    return errors.text(fields[key], pointer_to("", key), most=most, least=0)


def read_seconds(raw: object, pointer: str, errors: FieldErrors, *, most: int = WINDOW_MAX_S) -> int | None:
    if raw is None:
        return None
    if isinstance(raw, bool) or not isinstance(raw, int):
        errors.add(pointer, "wrong_type", "must be an integer, or null for no limit")
        return None
    if not 0 <= raw <= most:
        errors.add(pointer, "number_out_of_range", f"must be from 0 to {most}")
        return None
    return raw


def read_number(raw: object, pointer: str, least: int, most: int, errors: FieldErrors) -> int:
    if isinstance(raw, bool) or not isinstance(raw, int):
        errors.add(pointer, "wrong_type", "must be an integer")
    elif not least <= raw <= most:
        errors.add(pointer, "number_out_of_range", f"must be from {least} to {most}")
    else:
        return raw
    return least

"""What callers put into events, as JSON: exact where JSON can hold it, as text where it cannot."""

import base64
import dataclasses
import json
import logging
import math
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any
from uuid import UUID

from iafa.client.errors import InvalidEvent

INTEGER_MAX = 2**53  # beyond it readers of JSON lose digits, and the server refuses the event
DEPTH_MAX = 100  # the server takes 20 levels; this is what ends a structure that holds itself
log = logging.getLogger("iafa.client")


def encoded(value: Any) -> bytes:
    """One line of JSON in UTF-8. Raises InvalidEvent for a structure that holds itself."""
    return json.dumps(plain(value), ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def plain(value: Any, depth: int = 0) -> Any:
    """The value made of what JSON has: None, bool, int, float, str, list and dict."""
    kind = type(value)
    if value is None or kind is bool:
        return value
    if kind is str:
        return text(value)
    if kind is int:
        return value if -INTEGER_MAX <= value <= INTEGER_MAX else str(value)
    if kind is float:
        return value if math.isfinite(value) else None
    if depth > DEPTH_MAX:
        raise InvalidEvent(f"the properties are nested deeper than {DEPTH_MAX} levels, or hold themselves")
    if isinstance(value, Mapping):
        return {_name(name): plain(member, depth + 1) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [plain(member, depth + 1) for member in value]
    return plain(_simpler(value), depth + 1)


def text(value: str) -> str:
    """The text without what no JSON in UTF-8 may hold: NUL and halves of characters become U+FFFD."""
    if value.isascii():
        return value.replace("\x00", "\ufffd") if "\x00" in value else str(value)
    return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\x00", "\ufffd")


def _name(name: Any) -> str:
    if isinstance(name, str):
        return text(name)
    found = plain(name)
    return found if isinstance(found, str) else json.dumps(found)


def _simpler(value: Any) -> Any:
    """One step towards what JSON has."""
    if hasattr(value, "dtype") and hasattr(value, "tolist"):
        return _of_array(value)
    for kinds, convert in _CONVERSIONS:
        if isinstance(value, kinds):
            return convert(value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if type(value).__name__ == "NAType":
        return None
    if isinstance(value, Iterable):
        return list(value)
    log.warning("a property of type %s is sent as its text", type(value).__qualname__)
    return str(value)


def _of_array(value: Any) -> Any:
    """A number or an array of numpy, a column of pandas. Known by their shape: neither library is needed here."""
    kind = getattr(value.dtype, "kind", "")
    if kind in "Mm" and not getattr(value, "ndim", 0):
        if str(value) == "NaT":
            return None
        return str(value) if kind == "M" else int(value.astype("timedelta64[ns]").astype("int64")) / 1e9
    if kind in "Mm":
        return list(value)
    return value.tolist()


def _of_decimal(value: Decimal) -> int | float | str | None:
    """A number where that keeps every digit, else text."""
    if not value.is_finite():
        return None
    if value == value.to_integral_value() and abs(value) <= INTEGER_MAX:
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def _of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _of_set(value: Iterable[Any]) -> list[Any]:
    return sorted((plain(member) for member in value), key=lambda member: json.dumps(member, sort_keys=True))


# pandas' missing time is a datetime, and the only one that is not equal to itself.
_CONVERSIONS: tuple[tuple[tuple[type, ...], Callable[[Any], Any]], ...] = (
    ((Enum,), lambda value: value.value),
    ((str,), str.__str__),
    ((int,), int),
    ((float,), float),
    ((date, time), lambda value: value.isoformat() if value == value else None),
    ((timedelta,), lambda value: value.total_seconds() if value == value else None),
    ((Decimal,), _of_decimal),
    ((UUID, PurePath), str),
    ((bytes, bytearray, memoryview), lambda value: _of_bytes(bytes(value))),
    ((set, frozenset), _of_set),
)


def as_datetime(value: Any) -> datetime | None:
    """A time as callers give it; None for one that cannot be read."""
    if isinstance(value, datetime):
        return value if value == value else None
    if isinstance(value, date):
        return datetime(value.year, value.month, value.day)
    if getattr(getattr(value, "dtype", None), "kind", "") == "M":
        value = str(value)
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return None

"""An event as it is sent: made when the caller tracks it, so that nothing of it can change afterwards."""

import uuid
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any, NamedTuple, TypedDict

from iafa.client.clock import now
from iafa.client.errors import InvalidEvent
from iafa.client.values import as_datetime, encoded, plain, text

Id = str | int | float | uuid.UUID  # numbers of a column with gaps are floats
Time = datetime | date | str | int | float
SECONDS_LIMIT = 1e11  # a larger number counts milliseconds, as the server reads it
SOURCE = "server"


class EventFields(TypedDict, total=False):
    """What an event may have beside its name, person and properties.

    `timestamp` is a datetime (without a zone: UTC), an ISO 8601 text, or seconds or milliseconds since 1970; absent:
    now. `id` makes an event that is tracked twice count once; absent: a random one. `source` is `server` if absent.
    """

    anonymous_id: Id | None
    session_id: Id | None
    timestamp: Time | None
    id: Id | None
    source: str | None
    url: str | None
    referrer: str | None
    user_agent: str | None
    timezone: str | None


FIELDS = frozenset(EventFields.__annotations__)
_IDS = frozenset({"anonymous_id", "session_id", "id"})


class Prepared(NamedTuple):
    """An event's id, its JSON, and the UTC day of its time: a request may hold only so many days."""

    id: str
    body: bytes
    day: int


def prepare(event: Any, user_id: Any, properties: Any, fields: Mapping[str, Any]) -> Prepared:
    """Raises InvalidEvent for what the server could only refuse."""
    if not isinstance(event, str) or not event.strip():
        raise InvalidEvent("an event needs a name, a text that is not empty")
    if properties is not None and not isinstance(properties, Mapping):
        raise InvalidEvent("properties must be a mapping of names to values")
    unknown = [name for name in fields if name not in FIELDS]
    if unknown:
        raise InvalidEvent(f"an event has no field {unknown[0]}; put it into the properties")
    at = _instant(fields.get("timestamp"))
    found = {"user_id": _id_text(user_id, "user_id")}
    found |= {name: _id_text(fields.get(name), name) for name in _IDS}
    if found["user_id"] is None and found["anonymous_id"] is None:
        raise InvalidEvent("an event needs a user_id or an anonymous_id")
    id_ = found["id"] = found["id"] or uuid.uuid4().hex
    texts = {name: _text(fields[name], name) for name in fields if name not in _IDS and name != "timestamp"}
    message = {"event_type": event, "timestamp": at.isoformat(), "source": SOURCE}
    message |= {name: value for name, value in (found | texts).items() if value is not None}
    body = encoded(message | {"properties": properties or {}})
    return Prepared(id_, body, at.toordinal())


def _instant(value: Any) -> datetime:
    if value is None:
        return now()
    try:
        number = plain(value)
        if isinstance(number, int | float) and not isinstance(number, bool):
            seconds = number if abs(number) < SECONDS_LIMIT else number / 1000
            return datetime.fromtimestamp(seconds, UTC)
        found = as_datetime(value)
        if found is not None:
            found = found if found.tzinfo is None else found.astimezone(UTC)
            return datetime.combine(found.date(), found.time(), UTC)  # pandas' times have digits that nobody reads
    except (ValueError, OverflowError, OSError):
        pass
    raise InvalidEvent("the timestamp cannot be read; give a datetime, an ISO 8601 text or seconds since 1970")


def _id_text(value: Any, name: str) -> str | None:
    """An id as text: 42, numpy's 42 and 42.0 of a column with gaps are one and the same."""
    found = plain(value)
    if isinstance(found, float) and found.is_integer():
        found = int(found)
    if found is None or found == "":
        return None
    if isinstance(found, str | int) and not isinstance(found, bool):
        return str(found)
    raise InvalidEvent(f"{name} must be a text or a whole number")


def _text(value: Any, name: str) -> str | None:
    if value is None:
        return None
    if isinstance(value, str):
        return text(value) or None
    raise InvalidEvent(f"{name} must be a text")

"""Segment's messages, as its archives hold them, and the tables `tracks`, `pages`, `identifies`, `groups` and `aliases`
that it fills in warehouses."""

from collections.abc import Mapping
from typing import Any

from iafa.ingest.deliveries import CONTEXT, Message
from iafa.ingest.segment import read_message
from iafa.jobs.presets.cells import found_object, kept, text, time

_PREFIX = f"{CONTEXT}_"
_NESTED = ("page", "campaign", "library")
_NAMES = {"user_agent": "userAgent"}
_OF_TABLES = frozenset({"anonymous_id", "user_id", "event_text"})  # a table may have a property called `type`
_TAKEN = frozenset(
    {
        *("id", "anonymous_id", "user_id", "event", "event_text", "group_id", "previous_id", "name"),
        *("timestamp", "original_timestamp", "received_at", "sent_at", "uuid", "uuid_ts", "loaded_at"),
    }
)


def read_segment(row: Mapping[str, Any]) -> Message:
    """A row of a table has names with underscores and no type: which table it is of shows in its columns."""
    is_message = "messageId" in row or ("type" in row and _OF_TABLES.isdisjoint(row))
    return read_message(_decoded(row) if is_message else _message_of(row))


def _decoded(row: Mapping[str, Any]) -> dict[str, Any]:
    """A message, also one whose objects a table holds as texts."""
    objects = ("properties", "traits", CONTEXT)
    return {name: found_object(cell) if name in objects else cell for name, cell in row.items() if cell is not None}


def _message_of(row: Mapping[str, Any]) -> dict[str, Any]:
    name = text(row.get("event_text")) or text(row.get("event"))
    rest = {key: value for key, value in kept(row, _TAKEN).items() if not key.startswith(_PREFIX)}
    kind = _kind(row, name)
    message = {
        "type": kind,
        "messageId": text(row.get("id")),
        "anonymousId": text(row.get("anonymous_id")),
        "userId": text(row.get("user_id")),
        "groupId": text(row.get("group_id")),
        "previousId": text(row.get("previous_id")),
        "event": name,
        "name": text(row.get("name")),
        "timestamp": time(row.get("timestamp") or row.get("original_timestamp")),
        "traits" if kind in ("identify", "group") else "properties": rest,
        CONTEXT: _context(row),
    }
    if kind == "track" and message["name"] is not None:
        rest["name"] = message.pop("name")
    return {key: value for key, value in message.items() if value is not None}


def _kind(row: Mapping[str, Any], name: str | None) -> str:
    if name is not None:
        return "track"
    if text(row.get("group_id")) is not None:
        return "group"
    if text(row.get("previous_id")) is not None:
        return "alias"
    return "page" if any(text(row.get(one)) is not None for one in ("url", "path")) else "identify"


def _context(row: Mapping[str, Any]) -> dict[str, Any]:
    """`context_page_url` was `context.page.url`; what is of no known object keeps its long name."""
    found: dict[str, Any] = {}
    for name, value in kept(row, frozenset()).items():
        if not name.startswith(_PREFIX):
            continue
        rest = name.removeprefix(_PREFIX)
        group, _, member = rest.partition("_")
        if group in _NESTED and member:
            found.setdefault(group, {})[member] = value
        else:
            found[_NAMES.get(rest, rest)] = value
    return found

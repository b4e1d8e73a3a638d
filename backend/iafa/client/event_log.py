"""Raw events: the log page by page, and exports into files. Knows which parameters choose events."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypedDict

import httpx

from iafa.client.asking import Questions
from iafa.client.connection import CONNECT_S, Connection, retry_after_s
from iafa.client.delivery import content_of
from iafa.client.errors import ApiError, Unreachable

PAGE_ROWS = 1_000
READ_S = 120.0  # without a byte of an export


class EventsAsked(TypedDict, total=False):
    """Which events. `start` and `end` are days of the project's zone, both included, or instants."""

    event_type: str | Iterable[str] | None
    user_id: str | None
    filters: Iterable[Mapping[str, Any]] | None
    exclude_bots: bool
    fields: Iterable[str] | None


def parameters_of(asked: EventsAsked, more: Mapping[str, Any]) -> dict[str, Any]:
    """As the address has them, without those that are None."""
    names, filters, fields = asked.get("event_type"), asked.get("filters"), asked.get("fields")
    found = {
        **more,
        "event_type": names if names is None or isinstance(names, str) else list(names),
        "user_id": asked.get("user_id"),
        "filters": None if filters is None else json.dumps(list(filters)),
        "exclude_bots": "true" if asked.get("exclude_bots") else None,
        "fields": None if fields is None else [fields] if isinstance(fields, str) else list(fields),
    }
    return {name: value for name, value in found.items() if value is not None}


def read_log(
    questions: Questions, parameters: Mapping[str, Any], limit: int | None
) -> tuple[list[dict[str, Any]], str]:
    """(at most `limit` events, the data version of the last page)"""
    rows: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        size = PAGE_ROWS if limit is None else min(PAGE_ROWS, limit - len(rows))
        page = questions.get("/events", {**parameters, **cursor, "limit": size})
        rows += page["events"]
        if page["next_cursor"] is None or len(rows) == limit:
            return rows, str(page["data_version"])
        cursor = {"cursor": page["next_cursor"]}


def write_export(connection: Connection, parameters: Mapping[str, Any], path: Path) -> int:
    """How many bytes. A file that does not become whole is left empty."""
    written = 0
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    try:
        with connection.client.stream("GET", "/export", params=dict(parameters), timeout=timeout) as answer:
            if answer.status_code != httpx.codes.OK:
                answer.read()
                raise ApiError(answer.status_code, content_of(answer), retry_after_s(answer))
            with open(path, "wb") as file:
                try:
                    for piece in answer.iter_bytes():
                        written += file.write(piece)
                except BaseException:
                    file.truncate(0)
                    raise
    except httpx.TransportError as error:
        raise Unreachable(f"the export broke off: {type(error).__name__}: {error}") from error
    return written

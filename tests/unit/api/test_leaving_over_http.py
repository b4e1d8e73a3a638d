"""Every question over HTTP is cancelled when its client goes away before the answer."""

import asyncio
import json
from dataclasses import replace
from posixpath import normpath
from typing import Any

import pytest

from iafa.api.app import create_app
from iafa.query.cancellation import Cancellation
from tests.unit.api.house import Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]
ROUTES = [
    ("run_funnel", "POST", "/funnel"),
    ("run_funnel", "GET", "/funnel/{id}"),
    ("people_page", "POST", "/funnel/users"),
    ("people_page", "GET", "/funnel/{id}/users"),
    ("people_export", "POST", "/funnel/export"),
    ("people_export", "GET", "/funnel/{id}/export"),
    ("explain", "POST", "/funnel/explain"),
    ("explain", "GET", "/funnel/{id}/users/ann"),
    ("event_names", "GET", "/event-names"),
    ("event_names", "GET", "/funnel-suggestions"),
    ("events_page", "GET", "/../events"),
    ("events_export", "GET", "/../export"),
    ("run_report", "GET", "/trends"),
]


@pytest.mark.parametrize(("question", "method", "path"), ROUTES, ids=[f"{one[1]} {one[2]}" for one in ROUTES])
async def test_a_question_is_cancelled_when_its_client_leaves(
    room: Room, ada: Tenant, question: str, method: str, path: str
) -> None:
    definition = {"project_id": ada.project.id, "name": "Checkout", "stages": STAGES}
    async with room.client(ada.bearer) as client:
        saved = await client.post("/api/v1/funnels", json=definition)
        assert saved.status_code == 201, saved.text
    asked: list[Cancellation] = []
    has_begun = asyncio.Event()

    async def endless(*arguments: Any) -> None:
        asked.extend(one for one in arguments if isinstance(one, Cancellation))
        has_begun.set()
        await asyncio.Event().wait()

    instead: dict[str, Any] = {question: endless}
    app = create_app(replace(room.services, **instead))
    url = normpath("/api/v1/analytics" + path.format(id=saved.json()["id"]))
    body = b""
    if method == "POST":
        body = json.dumps(definition | ({"user_id": "ann"} if path.endswith("explain") else {})).encode()
    messages = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def receive() -> dict[str, Any]:
        message = next(messages, None)
        if message is None:
            await has_begun.wait()
            return {"type": "http.disconnect"}
        return message

    async def send(_message: Any) -> None:
        pass

    headers = {"host": "iafa.test", "content-type": "application/json", **ada.bearer}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": url,
        "raw_path": url.encode(),
        "root_path": "",
        "query_string": b"" if "{id}" in path else f"project_id={ada.project.id}".encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
        "client": ("192.0.2.7", 4711),
        "server": ("iafa.test", 80),
    }
    if method == "POST":
        scope["query_string"] = b""
    async with asyncio.timeout(20):
        await app(scope, receive, send)
    assert [one.is_cancelled for one in asked] == [True]

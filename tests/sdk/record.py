"""Records what the published SDKs send, and what is stored of it: `python -m tests.sdk.record [client ...]`.

Writes tests/golden/clients/*.json. Each recording is held against the tables of docs/segment.md before it is written
(`assert_stored`), but what it says is to be read: from then on it is what must be stored.
"""

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.sdk.conftest import CHROMIUMS, Shop, build_go, shop_of
from tests.sdk.recorder import Passed
from tests.sdk.stored import Row, assert_posthog_stored, assert_stored
from tests.sdk.test_other_sdks import IS_NO_ROBOT, LEAN
from tests.sdk.test_published_sdks import LEAVING
from tests.support.shop import running_in

FOLDER = Path(__file__).parents[1] / "golden" / "clients"
HEADERS = ("content-type", "content-encoding", "authorization", "user-agent", "origin", "referer")
AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
DEEP: dict[str, Any] = {
    "total": 49.9,
    "words": "Zürich 日本 🎉",
    "nothing": None,
    "items": [{"sku": "ä-1", "n": 2}],
    "a": {"b": []},
}
CONTEXT: dict[str, Any] = {
    **{"ip": "203.0.113.77", "locale": "de-CH", "timezone": "Europe/Zurich"},
    "userAgent": AGENT,
    "page": {"url": "https://shop.example/a?b=1", "referrer": "https://ref.example/", "title": "A", "path": "/a"},
    "campaign": {"source": "letter", "medium": "email", "name": "spring", "term": "shoes", "content": "blue"},
}
ANNA: dict[str, Any] = {"userId": "anna", "context": CONTEXT}
SERVER_CALLS: list[dict[str, Any]] = [
    {"call": "track", "event": "Order Completed", "properties": DEEP, "timestamp": "2026-11-20T22:30:00.250Z", **ANNA},
    {"call": "track", "event": "Seen", "anonymousId": "visitor-1"},
    {"call": "identify", "userId": "anna", "anonymousId": "visitor-1", "traits": {"plan": None, **DEEP}},
    {"call": "page", "name": "Home", "properties": {"url": "https://shop.example/own"}, **ANNA},
    {"call": "screen", "name": "Basket", "properties": {"items": 3}, **ANNA},
    {"call": "group", "userId": "anna", "groupId": "acme", "traits": {"name": "Acme", "seats": 12}},
    {"call": "alias", "userId": "anna", "previousId": "visitor-9"},
]
PAGE_CALLS: list[dict[str, Any]] = [
    {"call": "page", "category": "Docs", "name": "Home", "properties": {"own": 1}},
    {"call": "track", "event": "Order Completed", "properties": DEEP},
    {"call": "identify", "userId": "anna", "traits": {"plan": "pro", "größe": "日本"}},
    {"call": "group", "groupId": "acme", "traits": {"name": "Acme"}},
    {"call": "alias", "userId": "anna-2", "previousId": "anna"},
]
SCREEN: dict[str, Any] = {"call": "screen", "name": "Basket", "category": "Shop", "properties": {"items": 3}}
POSTHOG_CALLS: list[dict[str, Any]] = [
    {"call": "capture", "event": "Order Completed", "distinct_id": "anna", "properties": DEEP,
     "timestamp": "2026-11-20T22:30:00.250+00:00"},
    {"call": "capture", "event": "Seen", "distinct_id": "v-1", "properties": {"$process_person_profile": False}},
    {"call": "capture", "event": "$screen", "distinct_id": "anna", "properties": {"$screen_name": "Basket"}},
    {"call": "set", "distinct_id": "anna", "properties": {"plan": "pro"}},
    {"call": "set_once", "distinct_id": "anna", "properties": {"first": "größe"}},
    {"call": "group_identify", "group_type": "company", "group_key": "acme", "properties": {"seats": 3}},
    {"call": "alias", "previous_id": "v-1", "distinct_id": "anna"},
]  # fmt: skip
POSTHOG_PAGE_CALLS: list[dict[str, Any]] = [
    {"call": "capture", "event": "Order Completed", "properties": DEEP},
    {"call": "identify", "distinctId": "anna", "set": {"plan": "pro"}, "setOnce": {"first": 1}},
    {"call": "group", "groupType": "company", "groupKey": "acme", "properties": {"seats": 3}},
    {"call": "alias", "alias": "anna-old", "distinctId": "anna"},
]
Send = Callable[[Shop], None]


def of_server(sdk: str, **more: Any) -> Send:
    return lambda shop: _said_nothing(shop.send(sdk, SERVER_CALLS, **more))


def of_page(calls: list[dict[str, Any]], library: str, options: Callable[[Shop], dict[str, Any]]) -> Send:
    def send(shop: Shop) -> None:
        chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)))
        settings = {"writeKey": shop.write_key, "cdnURL": shop.recorder.url}
        said = shop.send(
            "browser", calls, key=shop.write_key, library=library, chromium=chromium, settings=settings,
            options=options(shop), leaving=LEAVING if library == "segment" else [],
        )  # fmt: skip
        _said_nothing(said)

    return send


def _said_nothing(said: dict[str, Any]) -> None:
    assert said["errors"] == [], said


CLIENTS: dict[str, tuple[str, str, Send]] = {
    "analytics-python": ("segment-analytics-python 2.4.0", "server", of_server("python")),
    "analytics-python-gzip": ("segment-analytics-python 2.4.0", "server", of_server("python", options={"gzip": True})),
    "analytics-node": ("@segment/analytics-node 3.1.0", "server", of_server("node")),
    "analytics-go": ("gopkg.in/segmentio/analytics-go.v3 3.1.0", "server", of_server("go")),
    "analytics-next": (
        "@segment/analytics-next 1.84.3", "web", of_page([*PAGE_CALLS, SCREEN], "segment", lambda _shop: {}),
    ),
    "analytics-next-batching": (
        "@segment/analytics-next 1.84.3", "web",
        of_page([*PAGE_CALLS, SCREEN], "segment", lambda _shop: {"integrations": {"Segment.io": {"deliveryStrategy": {
            "strategy": "batching", "config": {"size": 10, "timeout": 300}}}}}),
    ),
    "rudderstack-js": (
        "@rudderstack/analytics-js 3.34.1", "web",
        of_page(PAGE_CALLS, "rudder", lambda shop: {"configUrl": shop.recorder.url}),
    ),
    "posthog-python": ("posthog 7.91.1", "server", lambda shop: _said_nothing(shop.send("posthog", POSTHOG_CALLS))),
    "posthog-js": (
        "posthog-js 1.449.2", "web",
        of_page(POSTHOG_PAGE_CALLS, "posthog", lambda shop: {"api_host": shop.recorder.url, **IS_NO_ROBOT, **LEAN}),
    ),
}  # fmt: skip


def without_keys(shop: Shop, text: str) -> str:
    """Keys and ports differ with each run; what stands for them is put back when it is sent again."""
    port = shop.recorder.url.rpartition(":")[2]
    told = {shop.secret_key: "{secret_key}", shop.write_key: "{write_key}", f"127.0.0.1:{port}": "iafa.example"}
    for found, shown in told.items():
        text = text.replace(found, shown)
    return text


def request_of(shop: Shop, one: Passed) -> dict[str, Any]:
    """A request as readable text: its JSON instead of what it was packed in, and a mark instead of the key."""
    headers = {name: one.headers[name] for name in HEADERS if name in one.headers}
    if headers.get("authorization", "").startswith("Basic "):
        headers["authorization"] = "Basic {secret_key}" if shop.write_key not in one.path else "Basic {write_key}"
    body = json.loads(without_keys(shop, json.dumps(one.content, ensure_ascii=False)))
    is_packed = one.body.startswith(b"\x1f\x8b")
    return {
        "at": datetime.fromtimestamp(one.at_s, UTC).isoformat(),
        "path": without_keys(shop, one.path),
        "headers": headers,
        "is_gzip": is_packed,
        "body": body,
    }


def kept_of(shop: Shop, row: Row) -> dict[str, Any]:
    """What does not depend on the project's secrets: of an address only that there is one."""
    shown = {name: value for name, value in row.items() if name not in ("project_id", "received_at")}
    shown["ip_address"] = None if row["ip_address"] is None else "hashed"
    text = json.dumps(shown, ensure_ascii=False, default=lambda at: at.astimezone(UTC).isoformat())
    found: dict[str, Any] = json.loads(without_keys(shop, text))
    return found


def record(shop: Shop, name: str) -> dict[str, Any]:
    client, source, send = CLIENTS[name]
    send(shop)
    is_posthog = name.startswith("posthog")
    messages = shop.recorder.sent_to_posthog() if is_posthog else shop.recorder.sent()
    assert messages, "nothing was sent"
    rows = shop.rows(len(messages))
    (assert_posthog_stored if is_posthog else assert_stored)(rows, messages, source=source)
    posts = [one for one in shop.recorder.posts() if one.path.split("?")[0] not in ("/v1/m", "/flags/")]
    return {
        "client": client,
        "requests": [request_of(shop, one) for one in posts],
        "events": [kept_of(shop, row) for row in sorted(rows, key=lambda row: (row["created_at"], row["id"]))],
    }


def main() -> None:
    names = sys.argv[1:] or list(CLIENTS)
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, running_in(Path(folder) / "data") as served:
        program = build_go(Path(folder)) if "analytics-go" in names else None
        for name in names:
            with shop_of(served) as shop:
                shop.go_program = program
                found = record(shop, name)
            text = json.dumps(found, ensure_ascii=False, indent=1)
            (FOLDER / f"{name}.json").write_text(text + "\n")
            print(f"{name}: {len(found['requests'])} requests, {len(found['events'])} events")


if __name__ == "__main__":
    main()

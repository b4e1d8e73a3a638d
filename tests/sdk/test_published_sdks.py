"""Segment's published SDKs, unchanged, against a running server: each event once, each field as it was sent."""

import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.sdk.conftest import Shop
from tests.sdk.stored import Row, assert_stored

AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36"
HOSTILE: dict[str, Any] = {
    "total": 49.9,
    "whole": 9_007_199_254_740_992,
    "negative": -0.5,
    "ok": True,
    "nothing": None,
    "empty": "",
    "quoted": "\"\\/\n\t'",
    "words": "Zürich 日本 🎉 \u202eabc",
    "items": [{"sku": "ä-1", "n": 2}, {"sku": "日本", "tags": []}],
    "deep": {"a": {"b": {"c": [1, [2, [None]]]}}},
    "Order ID": "with a space",
    "$special.name/~": 1,
}
CONTEXT: dict[str, Any] = {
    "ip": "203.0.113.77",
    "userAgent": AGENT,
    "locale": "de-CH",
    "timezone": "Europe/Zurich",
    "page": {"url": "https://shop.example/a?b=1", "referrer": "https://ref.example/", "title": "A", "path": "/a"},
    "campaign": {"source": "letter", "medium": "email", "name": "spring", "term": "shoes", "content": "blue", "id": 7},
    "screen": {"width": 1280, "density": 1.5},
}


def at(minutes: int) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat(timespec="milliseconds")


def all_calls() -> list[dict[str, Any]]:
    """Every type of call, and fifty that look alike."""
    anna = {"userId": "anna", "context": CONTEXT}
    return [
        {"call": "identify", "userId": "anna", "anonymousId": "visitor-1", "traits": {"plan": None, **HOSTILE}},
        {"call": "track", "event": "Order Completed", "properties": HOSTILE, "timestamp": at(30), **anna},
        {"call": "page", "name": "Home", "category": "Docs", "properties": {"url": "https://shop.example/own"}, **anna},
        {"call": "page", "anonymousId": "visitor-2", "name": "Only a name"},
        {"call": "screen", "name": "Basket", "properties": {"items": 3}, "timestamp": at(2), **anna},
        {"call": "group", "userId": "anna", "groupId": "acme", "traits": {"name": "Acme", "seats": 12}},
        {"call": "alias", "userId": "anna", "previousId": "visitor-9"},
        {"call": "track", "event": "önly anonymous", "anonymousId": "visitor-3"},
        *({"call": "track", "userId": f"u{n % 7}", "event": "Viewed", "properties": {"n": n}} for n in range(50)),
    ]


def assert_callers_own(rows: list[Row], calls: list[dict[str, Any]]) -> None:
    """What the caller passed is in the rows, whatever the SDK put around it."""
    kept = [
        (
            row["event_type"],
            row["user_id"],
            {name: value for name, value in row["properties"].items() if name != "context"},
        )
        for row in rows
        if row["event_type"] in ("Order Completed", "Viewed")
    ]
    called = [
        (call["event"], call["userId"], call["properties"])
        for call in calls
        if "properties" in call and "event" in call
    ]
    assert sorted(kept, key=json.dumps) == sorted(called, key=json.dumps)


@pytest.mark.parametrize(
    ("sdk", "options"),
    [
        pytest.param("python", {}, id="python"),
        pytest.param("python", {"gzip": True}, id="python, gzip"),
        pytest.param("node", {}, id="node"),
    ],
)
def test_every_event_of_a_server_is_stored_once_as_it_was_sent(shop: Shop, sdk: str, options: dict[str, Any]) -> None:
    calls = all_calls()
    assert shop.send(sdk, calls, options=options) == {"errors": []}
    messages, rows = shop.recorder.sent(), shop.rows(len(calls))
    assert len(messages) == len(calls)
    assert_stored(rows, messages, source="server")
    assert_callers_own(rows, calls)
    packed = {one.headers.get("content-encoding") for one in shop.recorder.posts()}
    assert packed == ({"gzip"} if options else {None})
    # The address of a visitor is stored as a hash, and only where the caller named one.
    addresses = {row["ip_address"] for row in rows if row["user_agent"]}
    assert len(addresses) == 1
    assert all(len(address) == 32 for address in addresses)
    assert {row["ip_address"] for row in rows if not row["user_agent"]} == {None}
    assert "203.0.113.77" not in json.dumps(rows, default=str)


@pytest.mark.parametrize("sdk", ["python", "node"])
def test_repeat_is_stored_once(shop: Shop, sdk: str) -> None:
    """An answer is lost on the way, a request comes twice, and the caller repeats a message by its id."""
    calls: list[dict[str, Any]] = [
        {"call": "track", "userId": "anna", "event": "Paid", "properties": {"n": n}, "messageId": f"payment-{n % 15}"}
        for n in range(20)
    ]
    shop.recorder.faults.extend(["lose the answer", "send twice"])
    assert shop.send(sdk, calls) == {"errors": []}
    assert len(shop.recorder.posts()) >= 3
    rows = shop.rows(15)
    assert sorted(row["id"] for row in rows) == sorted(f"payment-{n}" for n in range(15))
    # Requests that come at the same time may both be told "accepted"; what is stored is exact.
    answers = [json.loads(one.answer) for one in shop.recorder.posts()]
    for answer, one in zip(answers, shop.recorder.posts(), strict=True):
        assert answer["accepted"] + answer["duplicates"] == len(one.messages)
    assert sum(answer["duplicates"] for answer in answers) >= 5


EARLY = 66  # six more than a minute's limit, which a full bucket lets through: the next event waits for seven seconds


def use_up(shop: Shop) -> None:
    """Leave no room for the request that comes next, however slow the machine is."""
    batch = [{"type": "track", "userId": "anna", "event": "Early", "messageId": f"e{n}"} for n in range(EARLY)]
    httpx.post(f"{shop.recorder.target}/v1/batch", json={"batch": batch}, auth=(shop.secret_key, ""), timeout=30)


@pytest.mark.parametrize("sdk", ["python", "node"])
def test_sdk_waits_as_long_as_the_server_says_and_nothing_is_lost(slow_shop: Shop, sdk: str) -> None:
    slow_shop.recorder.faults.append(lambda: use_up(slow_shop))
    calls = [{"call": "track", "userId": "anna", "event": "Late", "properties": {"n": n}} for n in range(5)]
    started_s = time.monotonic()
    assert slow_shop.send(sdk, calls) == {"errors": []}
    refused = slow_shop.recorder.posts(status=429)
    assert refused, "the server never said that it is too much"
    assert json.loads(refused[0].answer)["success"] is False
    assert time.monotonic() - started_s >= 2
    assert len(refused) <= 3, "the SDK did not wait"
    rows = [row for row in slow_shop.rows(EARLY + 5) if row["event_type"] == "Late"]
    assert sorted(row["properties"]["n"] for row in rows) == [0, 1, 2, 3, 4]
    assert_stored(rows, slow_shop.recorder.sent(), source="server")


def test_revoked_key_stores_nothing_and_the_sdk_says_so(shop: Shop) -> None:
    said = shop.send("python", [{"call": "track", "userId": "anna", "event": "Lost"}], key="iafa_w_" + "x" * 43)
    assert len(said["errors"]) == 1
    assert "invalid_credentials" in said["errors"][0]
    assert [one.status for one in shop.recorder.posts(status=None)] == [401]
    assert shop.rows(0) == []


def test_batch_of_half_a_megabyte_and_a_message_that_is_too_large(shop: Shop) -> None:
    """Python sends up to 506,426 bytes, Node a single message of 200 KB. The large one is refused alone."""
    calls: list[dict[str, Any]] = [
        {"call": "track", "userId": "anna", "event": "Big", "properties": {"n": n, "text": "x" * 5_000}}
        for n in range(99)
    ]
    assert shop.send("python", calls, options={"upload_size": 100}) == {"errors": []}
    assert max(len(one.body) for one in shop.recorder.posts()) > 470_000
    huge = {"call": "track", "userId": "anna", "event": "Huge", "properties": {f"k{n}": "y" * 8_000 for n in range(25)}}
    assert shop.send("node", [calls[0] | {"event": "Beside"}, huge]) == {"errors": []}
    assert [json.loads(one.answer)["rejected"] for one in shop.recorder.posts()][-1] == 1
    counts = {name: sum(row["event_type"] == name for row in shop.rows(100)) for name in ("Big", "Beside", "Huge")}
    assert counts == {"Big": 99, "Beside": 1, "Huge": 0}


BROWSER_CALLS: list[dict[str, Any]] = [
    {"call": "page", "category": "Docs", "name": "Home", "properties": {"own": 1}},
    {"call": "track", "event": "Order Completed", "properties": HOSTILE},
    {"call": "identify", "userId": "anna", "traits": HOSTILE},
    {"call": "group", "groupId": "acme", "traits": {"name": "Acme"}},
    {"call": "screen", "name": "Basket", "category": "Shop", "properties": {"items": 3}},
    {
        "call": "track",
        "event": "With context",
        "properties": {"a": 1},
        "context": {"campaign": {"name": "other", "x": 1}},
    },
    {"call": "alias", "userId": "anna-2", "previousId": "anna"},
    *({"call": "track", "event": "Viewed", "properties": {"n": n}} for n in range(50)),
]
BATCHING = {"Segment.io": {"deliveryStrategy": {"strategy": "batching", "config": {"size": 10, "timeout": 300}}}}


@pytest.mark.parametrize("way", ["settings document", "own host option", "inline settings", "batching"])
def test_page_with_analytics_next(shop: Shop, chromium: str, way: str) -> None:
    """Every way to point the SDK at us; with the settings document no request needs a preflight."""
    host = shop.recorder.url.removeprefix("http://")
    key = shop.write_key
    settings: dict[str, Any] = {"writeKey": key, "cdnURL": shop.recorder.url}
    options: dict[str, Any] = {}
    if way == "own host option":
        options = {"integrations": {"Segment.io": {"apiKey": key, "apiHost": f"{host}/v1", "protocol": "http"}}}
    if way == "inline settings":
        inline = {"Segment.io": {"apiKey": "", "apiHost": f"{host}/k/{key}", "protocol": "http"}}
        settings["cdnSettings"] = {"integrations": inline, "metrics": {"sampleRate": 0}}
    if way == "batching":
        options = {"integrations": BATCHING}
    more = {"settings": settings, "options": options, "leaving": LEAVING, "oneByOne": way == "own host option"}
    said = shop.send("browser", BROWSER_CALLS, key=key, chromium=chromium, **more)
    assert said["errors"] == []
    messages = shop.recorder.sent()
    assert len(messages) == len(BROWSER_CALLS) + len(LEAVING)
    rows = shop.rows(len(messages))
    assert_stored(rows, messages, source="web")
    kept = [
        {name: value for name, value in row["properties"].items() if name != "context"}
        for row in rows
        if row["event_type"] in ("Order Completed", "Viewed")
    ]
    called = [call["properties"] for call in BROWSER_CALLS if call.get("event") in ("Order Completed", "Viewed")]
    assert sorted(kept, key=json.dumps) == sorted(called, key=json.dumps)
    assert {row["user_id"] for row in rows if row["event_type"] == "Viewed"} == {"anna"}
    assert said["anonymousId"] in {row["anonymous_id"] for row in rows}
    assert all(row["ip_address"] and "HeadlessChrome" in row["user_agent"] for row in rows)
    first = next(row for row in rows if row["event_type"] == "page_view")
    assert first["url"].startswith(f"{said['origin']}/home")
    assert (first["utm_source"], first["utm_campaign"]) == ("letter", "spring")
    assert {one.status for one in shop.recorder.passed} <= {200, 204}
    asked = [one.headers["access-control-request-headers"] for one in shop.recorder.passed if one.method == "OPTIONS"]
    if way == "own host option":
        assert 0 < len(asked) <= len({one.path for one in shop.recorder.posts()})
    else:
        assert set(asked) <= {"x-retry-count"}, "only what is sent again after the page has gone may be asked for"
        assert len(asked) <= sum("x-retry-count" in one.headers for one in shop.recorder.posts())
    # The second page finds the document in the browser's cache.
    assert shop.recorder.count("GET") == (0 if way == "inline settings" else 1)
    if way == "batching":
        assert len(shop.recorder.posts()) <= len(messages) // 5


LEAVING: list[dict[str, Any]] = [{"call": "track", "event": "Leaving", "properties": {"n": 1}}]

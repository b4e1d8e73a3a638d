"""Messages of other tools' clients to events: the shapes that each client makes, and what is nobody's to keep."""

import json
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import from_datetime, to_iso
from iafa.event import Rejected
from iafa.ingest.collector import BatchAnswer, Collector
from iafa.ingest.deliveries import take_address
from iafa.ingest.gate import Origin
from iafa.ingest.posthog import read_posthog
from iafa.ingest.segment import read_segment
from tests.support.events import NOON_US
from tests.support.lake import TestLake, rows
from tests.unit.ingest.test_collector import SECRET, collector_of, rejected_of

SERVER = Origin("192.0.2.1", "Go-http-client/1.1")
NOON = to_iso(NOON_US)
COLUMNS = (
    *("id", "event_type", "user_id", "anonymous_id", "source", "url", "referrer", "user_agent", "timezone"),
    *("utm_source", "utm_campaign", "properties"),
)
GO_LIBRARY = {"library": {"name": "analytics-go", "version": "3.3.0"}}
RUDDER = {"name": "RudderLabs JavaScript SDK", "version": "3.34.1"}


def go(**message: Any) -> dict[str, Any]:
    """A batch as analytics-go writes it: the key in the header alone, the context of all beside them."""
    return {"messageId": "batch-1", "sentAt": NOON, "batch": [{"timestamp": NOON, **message}], "context": GO_LIBRARY}


def rudder(**message: Any) -> dict[str, Any]:
    """A message as RudderStack's client for pages writes it: its time has another name."""
    return {
        **{"channel": "web", "originalTimestamp": NOON, "sentAt": NOON, "anonymousId": "an-1", "userId": ""},
        **{"context": {"library": RUDDER, "traits": {}, "page": {"url": "https://a/b"}}, "integrations": {"All": True}},
        **message,
    }


SHAPES: list[Any] = [
    pytest.param(
        go(type="track", messageId="g1", userId="u1", event="Order", properties={"total": 5}),
        {"id": "g1", "event_type": "Order", "user_id": "u1", "source": "server", "properties": {"total": 5}},
        id="Go: track",
    ),
    pytest.param(
        go(type="identify", messageId="g1", userId="u1", anonymousId="a1", traits={"plan": "pro"}),
        {"event_type": "identify", "user_id": "u1", "anonymous_id": "a1", "properties": {"plan": "pro"}},
        id="Go: identify",
    ),
    pytest.param(
        go(type="page", messageId="g1", userId="u1", name="Home", properties={"url": "https://a/b", "title": "T"}),
        {"event_type": "page_view", "url": "https://a/b", "properties": {"name": "Home", "title": "T"}},
        id="Go: page",
    ),
    pytest.param(
        go(type="screen", messageId="g1", userId="u1", name="Basket"),
        {"event_type": "screen_view", "properties": {"name": "Basket"}},
        id="Go: screen",
    ),
    pytest.param(
        go(type="group", messageId="g1", userId="u1", groupId="acme", traits={"seats": 3}),
        {"event_type": "group", "properties": {"seats": 3, "group_id": "acme"}},
        id="Go: group",
    ),
    pytest.param(
        go(type="alias", messageId="g1", userId="u1", previousId=77),
        {"event_type": "alias", "user_id": "u1", "properties": {"previous_id": "77"}},
        id="Go: alias",
    ),
    pytest.param(
        go(type="track", messageId="g1", userId=7, event="Order", context={"library": {"name": "own"}, "ip": "::1"}),
        {"user_id": "7", "properties": {"context": {"library": {"name": "own"}}}},
        id="Go: the message's context counts before the batch's",
    ),
    pytest.param(
        rudder(type="track", messageId="r1", event="Clicked", properties={"a": None}),
        {
            **{"id": "r1", "event_type": "Clicked", "user_id": None, "anonymous_id": "an-1", "source": "web"},
            **{"url": "https://a/b", "properties": {"a": None, "context": {"library": RUDDER, "traits": {}}}},
        },
        id="Rudder: track",
    ),
    pytest.param(
        {
            "type": "track",
            "event": "x",
            "userId": "u",
            "messageId": "m",
            "extra": 1,
            "none": None,
            "_metadata": {"a": 1},
        },
        {"properties": {"extra": 1}, "source": "server"},
        id="unknown members are kept, absent and technical ones not",
    ),
    pytest.param(
        {
            "type": "track",
            "event": "x",
            "userId": "u",
            "properties": {"context": {"b": 2}},
            "context": {"a": 1, "b": 1},
        },
        {"properties": {"context": {"a": 1, "b": 2}}},
        id="a property of the name context is not overwritten",
    ),
    pytest.param(
        {"type": "track", "event": "x", "userId": "u", "context": {"campaign": {"name": "n" * 201, "source": "s"}}},
        {"utm_source": "s", "utm_campaign": None, "properties": {"context": {"campaign": {"name": "n" * 201}}}},
        id="what does not fit its column stays where it was",
    ),
    pytest.param(
        {
            **{"type": "page", "userId": "u", "properties": {"url": "https://own/", "referrer": ""}},
            **{
                "context": {"page": {"url": "https://other/", "referrer": "https://r/", "path": "/"}, "timezone": "UTC"}
            },
        },
        {
            **{"url": "https://own/", "referrer": "https://r/", "timezone": "UTC"},
            "properties": {"context": {"page": {"url": "https://other/", "path": "/"}}},
        },
        id="a page's own address comes first and the other is kept",
    ),
]
CAPTURED: list[Any] = [
    pytest.param(
        {
            "api_key": "k",
            "historical_migration": False,
            "sent_at": NOON,
            "batch": [
                {
                    **{"event": "$pageview", "uuid": "p1", "distinct_id": "u1", "timestamp": NOON, "type": "capture"},
                    "properties": {
                        **{"$lib": "posthog-python", "$current_url": "https://a/b", "$referrer": "$direct"},
                        **{"$geoip_disable": True, "utm_source": "mail", "utm_campaign": None, "$ip": "203.0.113.9"},
                    },
                }
            ],
        },
        {
            **{"id": "p1", "event_type": "page_view", "user_id": "u1", "anonymous_id": None, "source": "server"},
            **{"url": "https://a/b", "referrer": None, "utm_source": "mail", "utm_campaign": None},
            "properties": {"$lib": "posthog-python", "$geoip_disable": True},
        },
        id="Python",
    ),
    pytest.param(
        [
            {
                **{"uuid": "p1", "event": "clicked", "timestamp": NOON},
                "properties": {
                    **{"token": "k", "distinct_id": "d1", "$is_identified": False, "$lib": "web", "$session_id": "s"},
                    **{"$raw_user_agent": "Mozilla/5.0", "$timezone": "Europe/Zurich"},
                },
            }
        ],
        {
            **{"event_type": "clicked", "user_id": None, "anonymous_id": "d1", "source": "web"},
            **{"user_agent": "Mozilla/5.0", "timezone": "Europe/Zurich"},
            "properties": {"$is_identified": False, "$lib": "web", "$session_id": "s"},
        },
        id="page, not identified",
    ),
    pytest.param(
        {"event": "$identify", "$set": {"plan": "pro"}, "properties": {"distinct_id": "u1", "$anon_distinct_id": "d1"}},
        {"event_type": "identify", "user_id": "u1", "anonymous_id": "d1", "properties": {"$set": {"plan": "pro"}}},
        id="page, identify",
    ),
    pytest.param(
        {"event": "$create_alias", "distinct_id": "anon-1", "properties": {"distinct_id": "anon-1", "alias": "u1"}},
        {"event_type": "alias", "user_id": "anon-1", "properties": {"alias": "u1", "previous_id": "u1"}},
        id="alias",
    ),
    pytest.param(
        {
            **{"event": "$groupidentify", "distinct_id": "u1"},
            "properties": {"$group_type": "company", "$group_key": "acme", "$group_set": {"seats": 3}},
        },
        {
            "event_type": "group",
            "properties": {
                **{"$group_type": "company", "$group_key": "acme", "$group_set": {"seats": 3}},
                "group_id": "company:acme",
            },
        },
        id="group",
    ),
]


async def deliver(collector: Collector, content: Any, *, call: str = "track", origin: Origin = SERVER) -> BatchAnswer:
    body = json.dumps(content).encode()
    return await collector.deliver(SECRET, origin, read_segment(body, call))


def one_row(lake: TestLake) -> dict[str, Any]:
    (found,) = rows(lake.take(), ", ".join(COLUMNS))
    row = dict(zip(COLUMNS, found, strict=True))
    row["properties"] = json.loads(str(row["properties"]))
    return row


@pytest.mark.parametrize(("content", "expected"), SHAPES)
async def test_segment_message_becomes_this_event(tmp_path: Path, content: dict[str, Any], expected: Any) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    answer = await deliver(collector, content, call="batch" if "batch" in content else "track")
    assert answer.accepted == 1, answer
    row = one_row(lake)
    if content.get("context") == GO_LIBRARY and "context" not in content["batch"][0]:
        assert row["properties"].pop("context") == GO_LIBRARY
    assert {name: row[name] for name in expected} == expected
    collector.journal.close()


@pytest.mark.parametrize(("content", "expected"), CAPTURED)
async def test_posthog_event_becomes_this_event(tmp_path: Path, content: Any, expected: dict[str, Any]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    answer = await collector.deliver(SECRET, SERVER, read_posthog(json.dumps(content).encode()))
    assert answer.accepted == 1, answer
    row = one_row(lake)
    assert {name: row[name] for name in expected} == expected
    collector.journal.close()


@pytest.mark.parametrize(
    ("library", "source"),
    [
        *(("analytics.js", "web"), ("RudderLabs JavaScript SDK", "web"), ("analytics-node", "server")),
        *(("analytics-ios", "ios"), ("analytics-swift", "ios"), ("analytics-android", "android")),
        *(
            ("analytics-kotlin", "android"),
            ("analytics_flutter", "mobile"),
            ("@segment/analytics-react-native", "mobile"),
        ),
        *(("", "server"), (5, "server"), (None, "server")),
    ],
)
async def test_source_follows_from_the_library(tmp_path: Path, library: Any, source: str) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    await deliver(collector, {"event": "x", "userId": "u", "context": {"library": {"name": library}}})
    assert one_row(lake)["source"] == source
    collector.journal.close()


async def test_address_and_key_are_nowhere_on_disk_not_even_of_what_is_refused(tmp_path: Path) -> None:
    collector = collector_of(TestLake(tmp_path))
    context = {"ip": "203.0.113.9", "locale": "de"}
    sound = {"type": "track", "event": "x", "userId": "u", "context": context, "writeKey": "secret-key"}
    refused = sound | {"timestamp": "never", "properties": {"$ip": "203.0.113.9", "token": "secret-key", "a": 1}}
    answer = await deliver(collector, {"batch": [sound, refused], "writeKey": "secret-key"}, call="batch")
    assert (answer.accepted, answer.rejected) == (1, 1)
    (kept,) = rejected_of(collector)
    assert isinstance(kept, Rejected)
    assert (kept.code, kept.pointer) == ("invalid_timestamp", "/batch/1/timestamp")
    assert json.loads(kept.body) == {
        **{"type": "track", "event": "x", "userId": "u", "timestamp": "never"},
        **{"context": {"locale": "de"}, "properties": {"a": 1}},
    }
    journal = b"".join(path.read_bytes() for path in collector.journal.directory.glob("*.ndjson"))
    assert b"203.0.113.9" not in journal
    assert b"secret-key" not in journal


@pytest.mark.parametrize(
    ("written", "taken"),
    [
        (" 203.0.113.9 ", "203.0.113.9"),
        ("0000:0000:0000:0000:0000:ffff:203.000.113.009", None),
        ("ABCD:0000:0000:0000:0000:0000:255.255.255.255", "abcd::ffff:ffff"),
        ("fe80::1%" + "x" * 500_000, None),
        ("fe80::1%eth0", None),
        ("", None),
        (7, None),
    ],
)
def test_address_of_a_visitor_is_short_and_names_no_interface(written: Any, taken: str | None) -> None:
    members = {"ip": written, "a": 1}
    assert take_address(members, "ip") == taken
    assert members == {"a": 1}


async def test_history_of_posthog_keeps_its_times(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    times = {"past": NOON_US - 80 * 86_400_000_000, "ahead": NOON_US + 400 * 86_400_000_000}
    for name, time_us in times.items():
        event = {"event": "x", "uuid": name, "distinct_id": "u", "timestamp": to_iso(time_us)}
        sent = {"batch": [event], "historical_migration": True, "sent_at": to_iso(NOON_US + 10**12)}
        answer = await collector.deliver(SECRET, SERVER, read_posthog(json.dumps(sent).encode()))
        assert answer.accepted == 1, answer
    assert {row[0]: from_datetime(row[1]) for row in rows(lake.take(), "id, created_at")} == times  # type: ignore[arg-type]
    collector.journal.close()

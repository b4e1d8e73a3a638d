"""What a project has stored, read from its Parquet files; and what a Segment message must have become."""

import json
import re
import time
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from iafa.clock import SystemClock
from iafa.event import identity_hash
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.snapshot import Snapshots

WAIT_S = 90.0
DAY_US = 86_400_000_000
NAMES = {"page": "page_view", "screen": "screen_view"}
UTM = {
    "source": "utm_source",
    "medium": "utm_medium",
    "name": "utm_campaign",
    "term": "utm_term",
    "content": "utm_content",
}
MOVED = ("ip", "userAgent", "timezone")
TAKEN = frozenset(
    {
        *("type", "event", "messageId", "userId", "anonymousId", "previousId", "groupId", "timestamp", "sentAt"),
        *("properties", "traits", "context", "integrations", "_metadata", "writeKey", "originalTimestamp", "channel"),
    }
)
Row = dict[str, Any]
# What none of these messages says.
NOT_SENT: Row = {
    **dict.fromkeys(("session_id", "country", "region", "city")),
    **{"is_bot": False, "sample_rate": 1.0},
}
# What the server finds out by itself: other tests hold it against its own rules.
OWN = frozenset({"project_id", "received_at", "user_hash", "ip_address", "browser", "os", "device"})
TEST_S = 600.0


def stored_rows(data_dir: Path, project_id: str, count: int) -> list[Row]:
    """The rows of the Parquet files once all of `count` events are in them, and no more than these."""
    layout = Layout(data_dir)
    snapshots = Snapshots(layout, Manifests(layout, SystemClock()), dedup_window_us=DAY_US)
    deadline = time.monotonic() + WAIT_S
    while True:
        taken = snapshots.take(project_id)
        if taken.tail.num_rows == 0 and taken.rows >= count:
            break
        assert time.monotonic() < deadline, f"{taken.rows} of {count} events, {taken.tail.num_rows} not in Parquet"
        time.sleep(0.2)
    rows = [row for path in taken.files for row in pq.read_table(path).to_pylist()]
    assert len(rows) == taken.rows
    for row in rows:
        row["properties"] = json.loads(row["properties"])
    return rows


def instant(text: str) -> datetime:
    """Go writes nanoseconds; they are rounded to microseconds."""
    whole, _, rest = text.partition(".")
    digits = re.match(r"\d*", rest)
    fraction = digits[0] if digits else ""
    since = datetime.fromisoformat(whole + rest[len(fraction) :] if fraction else text).astimezone(UTC)
    return since + timedelta(microseconds=round(Fraction(int(fraction or "0"), 10 ** len(fraction)) * 1_000_000))


def expected_row(message: dict[str, Any], *, source: str) -> Row:
    """The row of a message, by the tables of docs/segment.md. Written apart from the server's own reading."""
    context = json.loads(json.dumps(message.get("context") or {}))
    own = dict(message.get("properties") or {})
    kind = message["type"]
    row: Row = {
        "id": message["messageId"],
        "event_type": message["event"] if kind == "track" else NAMES.get(kind, kind),
        "user_id": message.get("userId") or None,
        "anonymous_id": message.get("anonymousId") or None,
        "created_at": instant(message.get("timestamp") or message["originalTimestamp"]),
        "source": source,
        "user_agent": context.get("userAgent"),
        "timezone": context.get("timezone"),
        **dict.fromkeys(UTM.values()),
        **NOT_SENT,
    }
    page = context.get("page", {})
    for members in (own if kind == "page" else {}, page):
        if members.get("referrer") == "$direct":
            del members["referrer"]
    traits = message.get("traits") or (context.pop("traits", None) if kind == "identify" else None) or {}
    for name in ("url", "referrer"):
        first = own.pop(name, None) if kind == "page" else None
        row[name] = first or page.get(name) or None
        if page.get(name) in (row[name], ""):
            page.pop(name, None)
    for name, column in UTM.items():
        row[column] = context.get("campaign", {}).pop(name, None)
    for name in ("page", "campaign"):
        if context.get(name) == {}:
            del context[name]
    for name in MOVED:
        context.pop(name, None)
    beside = {name: value for name, value in message.items() if name not in TAKEN and value is not None}
    row["properties"] = beside | own | traits
    if kind == "group":
        row["properties"]["group_id"] = message["groupId"]
    if kind == "alias":
        row["properties"]["previous_id"] = message["previousId"]
    if context:
        row["properties"]["context"] = context
    return row


def _assert_row(row: Row, expected: Row) -> None:
    """No column is left out."""
    assert expected.keys() | OWN == row.keys()
    assert {name: row[name] for name in expected} == expected
    assert row["user_hash"] == identity_hash(row["user_id"] or row["anonymous_id"])
    late_s = (datetime.now(UTC) - row["received_at"]).total_seconds()
    assert 0 <= late_s < TEST_S, "the server's clock says when it came"


def assert_stored(rows: list[Row], messages: list[dict[str, Any]], *, source: str) -> None:
    """Each message is one row, and each field of the row is the message's."""
    assert sorted(row["id"] for row in rows) == sorted(message["messageId"] for message in messages)
    by_id = {row["id"]: row for row in rows}
    for message in messages:
        _assert_row(by_id[message["messageId"]], expected_row(message, source=source))


POSTHOG_NAMES = {
    **{"$pageview": "page_view", "$screen": "screen_view", "$identify": "identify"},
    **{"$create_alias": "alias", "$groupidentify": "group"},
}
POSTHOG_COLUMNS = {
    **{"$current_url": "url", "$referrer": "referrer", "$raw_user_agent": "user_agent", "$timezone": "timezone"},
    **{f"utm_{name}": f"utm_{name}" for name in ("source", "medium", "campaign", "term", "content")},
}


def expected_posthog_row(message: dict[str, Any], *, source: str) -> Row:
    """The same for an event of PostHog's."""
    own = {name: value for name, value in message.items() if name not in ("uuid", "event", "timestamp", "distinct_id")}
    own.pop("type", None)
    own = own | own.pop("properties", {})
    person = own.pop("distinct_id", None) or message.get("distinct_id")
    is_known = own.get("$is_identified") is not False and own.get("$process_person_profile") is not False
    is_identify = message["event"] == "$identify"
    row: Row = {
        "id": message["uuid"],
        "event_type": POSTHOG_NAMES.get(message["event"], message["event"]),
        "user_id": person if is_known or is_identify else None,
        "anonymous_id": own.pop("$anon_distinct_id", None) if is_identify else None if is_known else person,
        "created_at": instant(message["timestamp"]),
        "source": source,
        **NOT_SENT,
    }
    if message["event"] == "$create_alias":
        own["previous_id"] = own["alias"]
    if message["event"] == "$groupidentify":
        own["group_id"] = f"{own['$group_type']}:{own['$group_key']}"
    for name in ("token", "$ip"):
        own.pop(name, None)
    for name, column in POSTHOG_COLUMNS.items():
        value = own.pop(name, None)
        row[column] = None if value == "$direct" else value
    row["properties"] = own
    return row


def assert_posthog_stored(rows: list[Row], messages: list[dict[str, Any]], *, source: str) -> None:
    assert sorted(row["id"] for row in rows) == sorted(message["uuid"] for message in messages)
    by_id = {row["id"]: row for row in rows}
    for message in messages:
        _assert_row(by_id[message["uuid"]], expected_posthog_row(message, source=source))

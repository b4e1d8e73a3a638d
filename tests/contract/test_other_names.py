"""Other names of our own routes and fields: whoever uses them gets the same events."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from tests.contract.test_collect import Site
from tests.contract.test_sdk_routes import opened, stored

NOW = datetime.now(UTC).replace(microsecond=120_000)
CONTEXT = {"library": {"name": "own"}, "page": {"url": "https://a/b"}, "ip": "203.0.113.9"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
async def site(data_dir: Path) -> AsyncIterator[Site]:
    async with opened(data_dir) as site:
        yield site


async def test_every_name_of_a_route_takes_events(site: Site, data_dir: Path) -> None:
    headers = {"x-api-key": site.secret_key}
    event = {"event": "visit", "user_id": "u1"}
    for client in (site.lean, site.routed):
        for path in ("/track", "/api/v1/events", "/api/v1/track"):
            assert (await client.post(path, json=event, headers=headers)).json()["status"] == "ok"
        for path in ("/api/v1/events/batch", "/api/v1/track/batch"):
            for body in ({"events": [event, event]}, [event, event]):
                answer = await client.post(path, json=body, headers=headers)
                assert answer.json()["accepted"] == 2
        assert (await client.get("/health")).json()["status"] == "ok"
        for path in ("/track", "/api/v1/events", "/api/v1/events/batch"):
            assert (await client.post(path, json=event)).status_code == 401
            assert (
                await client.post(path, content=b"{", headers=headers | {"content-type": "application/json"})
            ).status_code == 400
            # The address of the event log is the other one's name: reading it needs a key as well.
            assert (await client.get(path)).status_code == (401 if path == "/api/v1/events" else 405)
        log = await client.get("/api/v1/events", params={"project_id": site.project_id}, headers=headers)
        assert {one["event_type"] for one in log.json()["events"]} == {"visit"}
    assert len(stored(data_dir, site.project_id)) == 2 * (3 + 4 * 2)
    assert (await site.lean.options("/api/v1/events")).status_code == 204
    for method, is_ours in (("POST", True), ("GET", False)):
        asked = await site.lean.options("/api/v1/events", headers={"access-control-request-method": method})
        assert (asked.headers.get("access-control-allow-methods") == "POST") == is_ours


NAMES: dict[str, tuple[tuple[str, ...], Any, Any]] = {
    "id": (("id", "event_id", "messageId"), "e-{}", None),
    "event_type": (("event_type", "event_name", "event", "name"), "signup", "signup"),
    "source": (("source", "event_source", "platform"), "ios", "ios"),
    "properties": (("properties", "event_properties"), {"a": [1, None]}, '{"a":[1,null]}'),
    "created_at": (("timestamp", "created_at"), NOW.isoformat(), NOW),
    "user_id": (("user_id", "userId"), "ann", "ann"),
    "anonymous_id": (("anonymous_id", "anonymousId"), "visitor", "visitor"),
    "session_id": (("session_id", "sessionId"), "s1", "s1"),
}


async def test_every_name_of_a_field_is_that_field(site: Site, data_dir: Path) -> None:
    sent = []
    for column, (names, value, _) in NAMES.items():
        for name in names:
            event = {"event_type": "signup", "user_id": "ann", "id": f"{column} {name}"}
            event.pop(column, None)
            event[name] = f"id {name}" if column == "id" else value
            sent.append((column, name, event))
    bodies = [event for _, _, event in sent]
    bodies += [
        event | {"note": "through the pipeline", "id": f"{event.get('id', name)}!"}
        for _, name, event in sent
        if "id" in event
    ]
    answer = await site.lean.post("/api/v1/events/batch", json=bodies, headers={"x-api-key": site.secret_key})
    assert answer.json()["accepted"] == len(bodies), answer.text
    columns = ", ".join(["id", *(name for name in NAMES if name != "id")])
    found = {
        row[0]: dict(zip(columns.split(", "), row, strict=True)) for row in stored(data_dir, site.project_id, columns)
    }
    for column, name, event in sent:
        expected = NAMES[column][2]
        if column == "id":
            assert f"id {name}" in found
            continue
        assert found[event["id"]][column] == expected, (column, name)
        slow = found[f"{event['id']}!"][column]
        if column == "properties":
            assert json.loads(slow) == json.loads(expected) | {"note": "through the pipeline"}
        else:
            assert slow == expected, (column, name)


@pytest.mark.parametrize("hours", [5.5, -9.5, 14, -12, 0])
async def test_time_with_an_offset_is_that_instant(site: Site, data_dir: Path, hours: float) -> None:
    """Across midnight, too: the day of an event is the UTC day of its instant."""
    zone = timezone(timedelta(hours=hours))
    instant = NOW.replace(hour=0, minute=15) - timedelta(days=1)
    texts = [instant.astimezone(zone).isoformat(), instant.astimezone(zone).isoformat(" "), instant.isoformat()[:-6]]
    events = [{"event": "visit", "user_id": "u1", "timestamp": text} for text in texts]
    events += [event | {"note": "through the pipeline"} for event in events]
    answer = await site.lean.post("/api/v1/events/batch", json=events, headers={"x-api-key": site.secret_key})
    assert answer.json()["accepted"] == len(events), answer.text
    assert {row[0] for row in stored(data_dir, site.project_id, "created_at")} == {instant}


async def test_context_of_another_tools_sender_stays_in_the_properties(site: Site, data_dir: Path) -> None:
    event = {"event": "visit", "userId": "u1", "messageId": "m", "context": CONTEXT, "properties": {"a": 1}}
    headers = {"x-api-key": site.secret_key}
    await site.lean.post("/api/v1/events", json=event, headers=headers)
    await site.lean.post("/api/v1/events/batch", json=[event | {"messageId": "n"}], headers=headers)
    found = [json.loads(row[0]) for row in stored(data_dir, site.project_id, "properties")]
    addresses = [properties["context"].pop("ip") for properties in found]
    expected = {"a": 1, "context": {name: value for name, value in CONTEXT.items() if name != "ip"}}
    assert found == [expected] * 2
    assert all(re.fullmatch("[0-9a-f]{32}", address) for address in addresses), "what the project's privacy makes of it"

"""What other tools' clients were recorded to send, and written-down requests of callers without one: each message
through the front door becomes the event that is written beside it, column by column.

`python -m tests.sdk.record` records again what the published SDKs send.
"""

import base64
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from iafa.api.server import running
from iafa.clock import FakeClock
from iafa.lake.schema import COLUMNS
from iafa.settings import Settings
from tests.contract.test_collect import client_of
from tests.contract.test_sdk_routes import stored
from tests.sdk.stored import NAMES

FOLDER = Path(__file__).parent / "clients"
CLIENTS = sorted(FOLDER.glob("*.json"))
CALLS = {"track", "identify", "page", "screen", "group", "alias"}
# What is not the message's: the project's own, and when it came.
NOT_COMPARED = ("project_id", "received_at")
RATE = 120  # events a minute: seven are waited for for four seconds
COMPARED = tuple(name for name in COLUMNS if name not in NOT_COMPARED)


def read(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def micros(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1_000_000)


def filled(value: Any, keys: dict[str, str]) -> Any:
    """The marks replaced by this project's keys."""
    text = json.dumps(value, ensure_ascii=False)
    for name, key in keys.items():
        text = text.replace(f"{{{name}}}", key)
    return json.loads(text)


def sent(request: dict[str, Any], keys: dict[str, str]) -> dict[str, Any]:
    """A request as httpx takes it."""
    one = filled(request, keys)
    headers = one.get("headers", {})
    if headers.get("authorization", "").startswith("Basic "):
        user = headers["authorization"].removeprefix("Basic ")
        headers["authorization"] = "Basic " + base64.b64encode(f"{user}:".encode()).decode()
    content = one["text"].encode() if "text" in one else json.dumps(one["body"]).encode() if "body" in one else b""
    if one.get("is_gzip"):
        content = gzip.compress(content)
    return {"method": one.get("method", "POST"), "url": one["path"], "headers": headers, "content": content}


def kept(row: tuple[Any, ...]) -> dict[str, Any]:
    """A stored row as a recording writes one: of an address only that there is one."""
    found = dict(zip(COMPARED, row, strict=True))
    found["properties"] = json.loads(found["properties"])
    found["created_at"] = found["created_at"].astimezone(UTC).isoformat()
    found["ip_address"] = None if found["ip_address"] is None else "hashed"
    return found


async def test_every_recorded_message_is_the_event_beside_it(tmp_path: Path) -> None:
    recordings = {path.stem: read(path) for path in CLIENTS}
    clock = FakeClock(min(micros(one["requests"][0]["at"]) for one in recordings.values()))
    settings = Settings.model_validate({"data_dir": tmp_path / "data"})
    async with running(settings, clock=clock) as app, client_of(app) as client:
        token = await registered(client)
        projects = {name: await made(client, token, name) for name in recordings}
        for name, recording in sorted(recordings.items(), key=lambda one: str(one[1]["requests"][0]["at"])):
            await send(client, clock, recording, projects[name])
            rows = [kept(row) for row in stored(tmp_path / "data", projects[name]["id"], ", ".join(COMPARED))]
            compare(name, rows, recording["events"])


async def send(client: httpx.AsyncClient, clock: FakeClock, recording: dict[str, Any], project: dict[str, Any]) -> None:
    """Every request twice: what comes again adds nothing."""
    keys = {"write_key": project["api_key"], "secret_key": project["secret_key"]}
    for request in recording["requests"]:
        clock.set_wall(micros(request["at"]))
        for _ in range(2):
            answer = await client.request(**sent(request, keys))
            assert answer.status_code == 200, answer.text
            if "answer" in request:
                assert answer.json() == request["answer"]


def compare(name: str, rows: list[dict[str, Any]], events: list[dict[str, Any]]) -> None:
    found = {row["id"]: row for row in rows}
    assert len(found) == len(rows), name
    assert found.keys() == {event["id"] for event in events}, name
    for event in events:
        assert set(event) == set(COMPARED), "a column without an expectation would never be compared"
        assert found[event["id"]] == event, name


async def test_recorded_batch_of_go_comes_packed_is_told_to_wait_and_is_stored_once(tmp_path: Path) -> None:
    """What is between analytics-go and us, such as a proxy, may pack its body; 429 says when to come again."""
    recording = read(FOLDER / "analytics-go.json")
    (request,) = recording["requests"]
    count = len(recording["events"])
    clock = FakeClock(micros(request["at"]))
    async with running(Settings.model_validate({"data_dir": tmp_path / "data"}), clock=clock) as app:
        async with client_of(app) as client:
            project = await made(client, await registered(client), "Shop", rate_limit_per_minute=RATE)
            keys = {"write_key": project["api_key"], "secret_key": project["secret_key"]}
            packed = sent(request | {"is_gzip": True}, keys)
            packed["headers"]["content-encoding"] = "gzip"
            others = [{"type": "track", "event": "Other", "userId": "u"}] * RATE
            first = await client.post("/v1/batch", json={"batch": others, "writeKey": keys["secret_key"]})
            assert first.json()["accepted"] == RATE
            refused = await client.request(**packed)
            assert (refused.status_code, refused.json()["success"]) == (429, False)
            seconds = int(refused.headers["retry-after"])
            assert 0 < seconds < 30
            assert len(stored(tmp_path / "data", project["id"])) == RATE, "nothing of a refused request is stored"
            clock.advance(seconds)
            answer = await client.request(**packed)
            assert (answer.status_code, answer.json()["accepted"]) == (200, count), answer.text
            clock.advance(seconds)
            answer = await client.request(**packed)
            assert (answer.status_code, answer.json()["duplicates"]) == (200, count)
        rows = [kept(row) for row in stored(tmp_path / "data", project["id"], ", ".join(COMPARED))]
    compare("analytics-go", [row for row in rows if row["event_type"] != "Other"], recording["events"])


async def registered(client: httpx.AsyncClient) -> str:
    body = {"email": "owner@example.com", "password": "a long enough passphrase", "full_name": "Test Owner"}
    token: str = (await client.post("/api/v1/auth/register", json=body)).json()["access_token"]
    client.cookies.clear()
    return token


async def made(
    client: httpx.AsyncClient, token: str, name: str, rate_limit_per_minute: int | None = None
) -> dict[str, Any]:
    limits = {
        "rate_limit_per_minute": rate_limit_per_minute,
        "rate_limit_per_ip_per_minute": None,
        "retention_days": None,
    }
    answer = await client.post(
        "/api/v1/projects", json={"name": name, **limits}, headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 201, answer.text
    project: dict[str, Any] = answer.json()
    return project


def messages(recording: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for request in recording["requests"]:
        body = request.get("body")
        if isinstance(body, dict):
            yield from body.get("batch", [body])


def test_every_kind_of_message_of_every_client_is_recorded() -> None:
    of = {path.stem: read(path) for path in CLIENTS}
    segments = [name for name in of if name.startswith("analytics-")]
    assert len(segments) >= 6
    for name in segments:
        assert {message["type"] for message in messages(of[name])} == CALLS, name
    assert {message["type"] for message in messages(of["rudderstack-js"])} == CALLS - {"screen"}
    events = {"posthog-python": {"$set", "$groupidentify", "$create_alias", "$screen", "Order Completed", "Seen"}}
    events["posthog-js"] = {"$pageview", "$identify", "$groupidentify", "$create_alias", "Order Completed"}
    for name, expected in events.items():
        assert expected <= {message["event"] for message in messages(of[name])}, name
    paths = {request["path"].split("?")[0] for request in of["hand-written"]["requests"]}
    singles = {f"/v1/{call}" for call in (*CALLS, "import")}
    assert (
        singles | {"/batch/", "/e/", "/capture/", "/i/v0/e/", "/flags/", "/pixel/v1/track", "/pixel/v1/page"} <= paths
    )
    stored_names = {event["event_type"] for event in of["hand-written"]["events"]}
    assert {NAMES.get(call, call) for call in CALLS - {"track"}} <= stored_names

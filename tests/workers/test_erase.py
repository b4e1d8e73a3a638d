"""Erasing a person at two real workers, beside what comes in, flushes and merges: asked over HTTP, found nowhere."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.support.byte_search import places_of
from tests.support.server import Account, ServerProcess

WAIT_S = 120
PERSON = "person-to-forget-77"
DEVICE = "device-to-forget-77"
EMAIL = "forget.me@example.org"
PATIENT = {
    "EVENT_FLUSH_INTERVAL": "0.5",
    "IAFA_COMPACT_INTERVAL_S": "1",
    "IAFA_COMPACT_PARTS_MIN": "2",
    "IAFA_QUERY_TIMEOUT_S": "9",
    "IAFA_TRASH_GRACE_S": "10",
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, ServerProcess, Account]]:
    data_dir = tmp_path_factory.mktemp("erase") / "data"
    with ServerProcess(data_dir, workers=2, environment=PATIENT) as server:
        owner = Account(server.url)
        yield data_dir, server, owner
        owner.client.close()


def send(owner: Account, *events: dict[str, Any]) -> None:
    headers = {"x-api-key": owner.secret_key}
    answer = httpx.post(f"{owner.client.base_url}track/batch", json=list(events), headers=headers, timeout=30)
    assert answer.status_code == 200, answer.text


def visit(number: int) -> list[dict[str, Any]]:
    return [
        {"event": "visit", "anonymous_id": DEVICE, "id": f"visit-to-forget-{number}"},
        {"event": "identify", "user_id": PERSON, "anonymous_id": DEVICE, "properties": {"email": EMAIL}},
        {"event": "visit", "user_id": f"stays-{number}"},
        {"usr": PERSON, "event": "visit", "properties": {"email": EMAIL}},
    ]


def erase(owner: Account, called: str) -> dict[str, Any]:
    answer = owner.client.delete(f"/projects/{owner.project_id}/people/{called}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_a_person_is_seen_nowhere_at_once_and_found_nowhere_when_it_is_done(
    site: tuple[Path, ServerProcess, Account],
) -> None:
    data_dir, server, owner = site
    for number in range(6):
        send(owner, *visit(number))
        time.sleep(0.3)  # several segments and parts; nothing below waits for it
    assert owner.event_counts() == {"visit": 12, "identify": 6}

    erasure = erase(owner, PERSON)

    assert (erasure["status"], erasure["rows_hidden"]) == ("hidden", 12)
    for _ in range(8):  # each answer comes from either worker
        with httpx.Client(base_url=owner.client.base_url, headers=owner.client.headers, timeout=30) as client:
            names = client.get("/analytics/event-names", params={"project_id": owner.project_id}).json()
            assert {row["name"]: row["count"] for row in names["event_names"]} == {"visit": 6}
            rows = client.get(f"/projects/{owner.project_id}/quarantine").json()["rows"]
            assert [row for row in rows if PERSON in row["body"]] == []
    send(owner, {"event": "visit", "user_id": "stays-later"})

    url = f"/projects/{owner.project_id}/erasures/{erasure['erasure_id']}"
    deadline = time.monotonic() + WAIT_S
    while (now := owner.client.get(url).json())["status"] != "done":
        assert time.monotonic() < deadline, f"{now} {server.log_path.read_text()[-2000:]}"
        assert owner.event_counts() == {"visit": 6 + 1}
        time.sleep(0.2)
    assert places_of(data_dir, [PERSON, DEVICE, EMAIL, "visit-to-forget"]) == []
    assert owner.event_counts() == {"visit": 7}
    lines = [line for path in data_dir.glob("audit/*.jsonl") for line in path.read_bytes().splitlines()]
    actions = [one["action"] for one in map(msgspec.json.decode, lines)]
    assert actions.count("person.erase") == actions.count("person.erased") == 1


def test_asked_again_and_asked_for_by_id_and_refused(site: tuple[Path, ServerProcess, Account]) -> None:
    _data_dir, server, owner = site
    send(owner, {"event": "visit", "user_id": "a/b c"})
    first = erase(owner, "a%2Fb%20c")
    assert erase(owner, "a%2Fb%20c")["erasure_id"] == first["erasure_id"]
    erasures = f"/projects/{owner.project_id}/erasures"
    found = owner.client.get(erasures, params={"user_id": "a/b c"}).json()["erasures"]
    assert [one["erasure_id"] for one in found] == [first["erasure_id"]]
    assert owner.client.get(erasures, params={"user_id": "unknown"}).json() == {"erasures": []}
    assert owner.client.get(f"{erasures}/0000000000000000").status_code == 404
    assert owner.client.delete(f"/projects/{owner.project_id}/people/unknown").status_code == 404
    for headers, status in (({}, 401), ({"x-api-key": owner.secret_key}, 401)):
        url = f"{server.url}/api/v1/projects/{owner.project_id}/people/stays-1"
        assert httpx.delete(url, headers=headers).status_code == status
    stranger = Account(server.url, email="stranger@example.com")
    assert stranger.client.delete(f"/projects/{owner.project_id}/people/stays-1").status_code == 404
    stranger.client.close()

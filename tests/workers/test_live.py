"""The live view and the quarantine over two real workers: a socket on either sees the events of both, and every reason
not to store an event is in the counter, the live view and the quarantine.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from iafa.clock import SystemClock
from iafa.event import COUNTED_ONLY, DropReason
from iafa.jobs.live import NOT_REFUSED
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.layout import Layout
from tests.support.events import encode, poison
from tests.support.waiting import WAIT_S, eventually
from tests.workers.test_two_workers import Site, site, worker_of

__all__ = ["site"]
Sent = Callable[["Case"], None]
LONG = "x" * 300
SOCKET_S = 30


@contextmanager
def watching(site: Site, project_id: str, **over: Any) -> Iterator[ClientConnection]:
    issued = site.owner.client.post(f"/projects/{project_id}/live/ticket")
    assert issued.status_code == 201, issued.text
    with socket_of(site, issued.json()["path"], **over) as socket:
        assert json.loads(socket.recv(SOCKET_S)) == {"type": "ready"}
        yield socket


def socket_of(site: Site, path: str, **over: Any) -> ClientConnection:
    socket: ClientConnection = connect(
        f"ws://127.0.0.1:{site.server.port}{path}", proxy=None, open_timeout=SOCKET_S, **over
    )
    return socket


def close_code(socket: ClientConnection) -> int | None:
    with socket:
        try:
            while True:
                socket.recv(SOCKET_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


def seen_until(socket: ClientConnection, is_enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    deadline = time.monotonic() + WAIT_S
    while not is_enough(found):
        assert time.monotonic() < deadline, f"only {found[-5:]} of {len(found)}"
        with suppress(TimeoutError):
            message = json.loads(socket.recv(5))
            assert message.get("skipped", 0) == 0
            found += message.get("events", [])
    return found


def test_a_socket_on_either_worker_sees_the_events_of_both(site: Site) -> None:
    project = site.project()
    with site.workers() as clients, watching(site, project["id"]) as one, watching(site, project["id"]) as two:
        for number, client in enumerate(clients.values()):
            body = {"event": "visit", "user_id": f"u{number}", "id": f"e{number}", "properties": {"n": number}}
            assert client.post("/track", json=body, headers={"x-api-key": project["secret_key"]}).status_code == 200
        bot = {"event": "crawl", "user_id": "b", "id": "bot", "user_agent": "Googlebot/2.1"}
        client.post("/track", json=bot, headers={"x-api-key": project["secret_key"]})
        for socket in (one, two):
            found = {item["event_id"]: item for item in seen_until(socket, lambda found: len(found) >= 3)}
            assert {id_: item["result"] for id_, item in found.items()} == {
                "e0": "stored",
                "e1": "stored",
                "bot": "bot",
            }
            assert found["e1"]["event"]["properties"] == {"n": 1}
            assert len({found["e0"]["worker"], found["e1"]["worker"]}) == 2, "both workers took one"
            assert "ip_address" not in found["e0"]["event"]


def test_a_repeat_that_came_by_another_worker_is_shown_as_one(site: Site) -> None:
    project = site.project()
    with site.workers() as clients, watching(site, project["id"]) as socket:
        for client in clients.values():
            body = {"event": "visit", "user_id": "u", "id": "same"}
            assert client.post("/track", json=body, headers={"x-api-key": project["secret_key"]}).status_code == 200
        found = seen_until(socket, lambda found: len(found) >= 2)
        assert sorted(item["result"] for item in found) == ["duplicate", "stored"]


def test_a_filter_chooses_and_other_projects_are_never_shown(site: Site) -> None:
    project, other = site.project(), site.project()
    with watching(site, project["id"]) as socket:
        socket.send(json.dumps({"filter": {"event_type": "buy", "person": "ann", "result": "stored"}}))
        time.sleep(0.5)
        for name, user in (("visit", "ann"), ("buy", "bob"), ("buy", "ann")):
            for one in (project, other):
                event = {"event": name, "user_id": user, "id": f"{name}-{user}-{one['id']}"}
                site.owner.client.post("/track", json=event, headers={"x-api-key": one["secret_key"]})
        found = seen_until(socket, lambda found: len(found) >= 1)
        assert [item["event_id"] for item in found] == [f"buy-ann-{project['id']}"]
        with pytest.raises(TimeoutError):
            socket.recv(1)


def test_a_ticket_lets_in_once_at_any_worker_and_pages_of_others_never(site: Site) -> None:
    project = site.project()
    issue = f"/projects/{project['id']}/live/ticket"
    path = site.owner.client.post(issue).json()["path"]
    with socket_of(site, path) as first:
        assert json.loads(first.recv(SOCKET_S)) == {"type": "ready"}
        assert close_code(socket_of(site, path)) == 4401
    assert close_code(socket_of(site, "/api/v1/live?ticket=guessed")) == 4401
    assert close_code(socket_of(site, "/api/v1/live")) == 4401
    path = site.owner.client.post(issue).json()["path"]
    assert close_code(socket_of(site, path, origin="https://evil.example")) == 4403
    with socket_of(site, path, origin=site.server.url) as own_page:
        assert json.loads(own_page.recv(SOCKET_S)) == {"type": "ready"}
    stranger = httpx.post(f"{site.server.url}/api/v1{issue}")
    assert stranger.status_code == 401
    assert (
        httpx.post(f"{site.server.url}/api/v1{issue}", headers={"x-api-key": project["secret_key"]}).status_code == 401
    )


@pytest.mark.parametrize("said", ["{", '{"filter":{"color":"red"}}', "[1]", "x" * 5000, b"\x00"])
def test_a_message_that_is_none_ends_the_socket(site: Site, said: str | bytes) -> None:
    with watching(site, site.project()["id"]) as socket:
        socket.send(said)
        assert close_code(socket) == 4400


@dataclass
class Case:
    """One way to have an event not stored."""

    site: Site
    client: httpx.Client
    project: dict[str, Any] = field(default_factory=dict)

    def batch(self, *events: dict[str, Any]) -> None:
        headers = {"x-api-key": self.project["secret_key"]}
        answer = self.client.post("/api/v1/track/batch", json=list(events), headers=headers)
        assert answer.status_code == 200, answer.text

    def track(self, event: dict[str, Any]) -> int:
        headers = {"x-api-key": self.project["secret_key"]}
        return self.client.post("/track", json=event, headers=headers).status_code


def event(**over: Any) -> dict[str, Any]:
    return {"event": "visit", "user_id": "u"} | over


def one(**over: Any) -> Sent:
    return lambda case: case.batch({name: value for name, value in event(**over).items() if value is not None})


def deep(levels: int) -> Any:
    return {"a": deep(levels - 1)} if levels else 1


def repeat(case: Case) -> None:
    case.batch(event(id="same"))
    case.batch(event(id="same"))


def over_the_limit(case: Case) -> None:
    assert case.track(event()) == 200
    assert case.track(event()) == 429


def over_the_quota(case: Case) -> None:
    deadline = time.monotonic() + WAIT_S
    while case.track(event()) != 402:
        assert time.monotonic() < deadline, "the quota never ends"
        time.sleep(0.1)


def poisoned(case: Case) -> None:
    """No route lets one in: a journal of its own beside those of the workers."""
    writer = JournalWriter(Layout(case.site.data_dir).journal, SystemClock(), JournalLimits())
    writer.append_blocking(case.project["id"], SystemClock().now_us(), encode([poison("bad")]), 1)
    time.sleep(2)  # long enough to be looked at before the flusher takes it
    writer.close()


DAYS = [event(timestamp=f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T12:00:00Z") for day in range(32)]
CASES: dict[str, Sent] = {
    DropReason.VALIDATION: one(event=None),
    DropReason.INVALID_TIMESTAMP: one(timestamp="soon"),
    DropReason.TIMESTAMP_OUT_OF_WINDOW: one(timestamp="1969-01-01T00:00:00Z"),
    DropReason.TOO_MANY_DATES: lambda case: case.batch(*DAYS),
    DropReason.INVALID_CHARACTER: one(event="a\x01"),
    DropReason.TOO_DEEP: one(properties=deep(30)),
    DropReason.NUMBER_OUT_OF_RANGE: one(properties={"n": 2**60}),
    DropReason.TOO_LONG: one(event=LONG),
    DropReason.TOO_MANY_KEYS: one(properties={f"k{number}": 1 for number in range(300)}),
    DropReason.EVENT_TOO_LARGE: one(properties={f"k{number}": "x" * 8000 for number in range(5)}),
    DropReason.MISSING_IDENTITY: one(user_id=None),
    DropReason.DUPLICATE: repeat,
    DropReason.RATE_LIMITED: over_the_limit,
    DropReason.QUOTA_EXCEEDED: over_the_quota,
    DropReason.POISON: poisoned,
    DropReason.SAMPLED_OUT: one(),
    DropReason.SCHEMA: one(properties={"price": "free"}),
}
SETTINGS: dict[str, dict[str, Any]] = {
    DropReason.RATE_LIMITED: {"rate_limit_per_minute": 1},
    DropReason.QUOTA_EXCEEDED: {"monthly_quota": 1},
    DropReason.SAMPLED_OUT: {"sampling": [{"rate": 0}]},
    DropReason.SCHEMA: {"schemas": [{"event_type": "visit", "schema": {"properties": {"price": {"type": "number"}}}}]},
}


def test_every_reason_has_a_case() -> None:
    assert set(CASES) == {str(reason) for reason in DropReason}
    assert set(NOT_REFUSED) == COUNTED_ONLY, "what the view calls by another name than refused has no row"


@pytest.mark.parametrize("reason", CASES)
def test_every_reason_is_counted_shown_and_in_the_quarantine(site: Site, reason: str) -> None:
    project = site.project(retention_days=None, **SETTINGS.get(reason, {}))
    counter = f"iafa_events_dropped_total/{reason}"
    before = site.metrics().get(counter, 0.0)
    with site.workers(1) as clients, watching(site, project["id"]) as socket:
        (client,) = clients.values()
        CASES[reason](Case(site, client, project))
        found = seen_until(socket, lambda found: any(item.get("reason") == reason for item in found))
        (item, *_) = [item for item in found if item.get("reason") == reason]
        assert item["result"] == NOT_REFUSED.get(reason, "rejected")
        if item["result"] == "rejected":
            assert item["message"]
    eventually(lambda: site.metrics().get(counter, 0.0) > before, f"{reason} is counted")

    def in_the_quarantine() -> dict[str, Any]:
        counts = site.owner.client.get(f"/projects/{project['id']}/quarantine/counts").json()["counts"]
        return next((count for count in counts if count["reason"] == reason), {})

    eventually(lambda: bool(in_the_quarantine()), f"{reason} is in the quarantine's counts")
    is_kept = reason not in NOT_REFUSED
    assert (in_the_quarantine()["kept"] > 0) == is_kept
    rows = site.owner.client.get(f"/projects/{project['id']}/quarantine", params={"reason": reason}).json()["rows"]
    assert bool(rows) == is_kept


def test_a_slow_socket_is_told_what_it_missed_and_holds_nobody_up(site: Site) -> None:
    project = site.project()
    sent = 0
    with site.workers(1) as clients, watching(site, project["id"], max_queue=1) as socket:
        (client,) = clients.values()
        text = "x" * 2000
        for number in range(40):
            batch = [event(id=f"{number}-{one}", properties={"text": text}) for one in range(100)]
            answer = client.post("/api/v1/track/batch", json=batch, headers={"x-api-key": project["secret_key"]})
            assert answer.status_code == 200
            sent += 100
        assert worker_of(client.options("/api/v1/track"))
        shown = skipped = 0
        has_gap = False
        deadline = time.monotonic() + WAIT_S
        while shown + skipped < sent and not has_gap and time.monotonic() < deadline:
            with suppress(TimeoutError):
                message = json.loads(socket.recv(5))
                shown += len(message.get("events", []))
                skipped += message.get("skipped", 0)
                has_gap |= message.get("gap", False)
        assert has_gap or shown + skipped == sent
        assert shown > 0
        assert skipped > 0 or has_gap

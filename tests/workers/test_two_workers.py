"""Two real workers: whichever answers, limits, keys, settings, sessions and counts are the same, and one may die.

The tests share a server; those that end processes come last.
"""

import json
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.support.server import Account, ServerProcess
from tests.support.waiting import WAIT_S, eventually

Answers = list[tuple[str, int]]  # (worker, status)


@dataclass
class Site:
    """The server with its owner's account."""

    server: ServerProcess
    data_dir: Path
    owner: Account

    @contextmanager
    def workers(self, count: int = 2) -> Iterator[dict[str, httpx.Client]]:
        """A client for each worker: its one connection stays with the worker that took it. What tells workers apart
        is the beginning of the ids that they give to collect requests. One that is just being started may take
        seconds on a busy machine, so time is what ends the search, not a number of connections."""
        clients: dict[str, httpx.Client] = {}
        deadline = time.monotonic() + WAIT_S
        try:
            while len(clients) < count:
                assert time.monotonic() < deadline, f"only {len(clients)} workers answer"
                client = httpx.Client(base_url=self.server.url, timeout=30, trust_env=False)
                if clients.setdefault(worker_of(client.options("/api/v1/track")), client) is not client:
                    client.close()
                    time.sleep(0.02)
            yield clients
        finally:
            for client in clients.values():
                client.close()

    def project(self, **settings: Any) -> dict[str, Any]:
        """A further project; its limits are off."""
        limits = {"rate_limit_per_minute": None, "rate_limit_per_ip_per_minute": None}
        body = {"name": f"shop {time.monotonic_ns()}", **limits, **settings}
        made = self.owner.client.post("/projects", json=body)
        assert made.status_code == 201, made.text
        project: dict[str, Any] = made.json()
        return project

    def metrics(self, client: httpx.Client | None = None) -> dict[str, float]:
        text = (client or self.owner.client).get(f"{self.server.url}/metrics").text
        samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
        return {"/".join((sample.name, *sample.labels.values())): sample.value for sample in samples}

    def pid(self, process: str) -> int:
        return int(json.loads((self.data_dir / "run" / f"{process}.json").read_text())["pid"])


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    data_dir = tmp_path_factory.mktemp("workers") / "data"
    environment = {"EVENT_FLUSH_INTERVAL": "3"}
    with ServerProcess(data_dir, workers=2, environment=environment) as server:
        owner = Account(server.url)
        yield Site(server, data_dir, owner)
        owner.client.close()


def worker_of(answer: httpx.Response) -> str:
    return answer.headers["x-request-id"][:16]


def numbered(headers: dict[str, str], number: int) -> dict[str, str]:
    return {name: value.format(number) for name, value in headers.items()}


def track(
    client: httpx.Client, key: str, *, headers: dict[str, str] | None = None, event_id: str | None = None
) -> httpx.Response:
    event = {"event": "visit", "user_id": "u"} | ({} if event_id is None else {"id": event_id})
    return client.post("/track", json=event, headers={"x-api-key": key} | (headers or {}))


def in_turn(clients: dict[str, httpx.Client], count: int, send: Callable[[httpx.Client], httpx.Response]) -> Answers:
    """Requests to the workers in turn."""
    found = []
    for number in range(count):
        worker, client = list(clients.items())[number % len(clients)]
        found.append((worker, send(client).status_code))
    return found


@pytest.mark.parametrize(
    ("setting", "headers"),
    [
        ("rate_limit_per_minute", {}),
        ("rate_limit_per_ip_per_minute", {"origin": "https://shop.example", "x-forwarded-for": "192.0.2.{}"}),
    ],
    ids=["events of a key", "requests of an address that claims to be many"],
)
def test_a_limit_lets_its_number_through_and_not_that_number_for_each_worker(
    site: Site, setting: str, headers: dict[str, str]
) -> None:
    limit = 30
    key = site.project(**{setting: limit})["api_key"]
    with site.workers() as clients:
        before_s = time.monotonic()
        sent = count()
        answers = in_turn(clients, 2 * limit, lambda client: track(client, key, headers=numbered(headers, next(sent))))
        refilled = (time.monotonic() - before_s) * limit / 60
    passed = [worker for worker, status in answers if status == 200]
    assert limit <= len(passed) <= limit + int(refilled) + 1
    assert len(set(passed)) == 2
    assert {worker for worker, status in answers if status == 429} == set(passed)


def test_a_months_quota_counts_the_events_of_all_workers(site: Site) -> None:
    project = site.project(monthly_quota=6)
    with site.workers() as clients:

        def known() -> int:
            """Of the worker that knows least."""
            headers = {"authorization": site.owner.client.headers["authorization"]}
            path = f"/api/v1/projects/{project['id']}/status"
            answers = [client.get(path, headers=headers).json() for client in clients.values()]
            return min(int(answer["events_this_month"]) for answer in answers)

        def send(client: httpx.Client) -> httpx.Response:
            answer = track(client, project["api_key"])
            if answer.status_code == 200:
                taken.append(1)
                # What a worker takes is told a quarter second later: only then the other one knows of it.
                eventually(lambda: known() >= len(taken), "the event is counted for all workers")
            return answer

        taken: list[int] = []
        answers = in_turn(clients, 10, send)
    assert [status for _worker, status in answers] == [200] * 6 + [402] * 4


def test_guesses_at_a_password_count_for_all_workers_together(site: Site) -> None:
    guess = {"email": "nobody@example.com", "password": "not the right password"}
    with site.workers() as clients:
        answers = in_turn(clients, 8, lambda client: client.post("/api/v1/auth/login", json=guess))
    # Four for each worker: alone, none of them would have refused a fifth.
    statuses = [status for _worker, status in answers]
    assert statuses[:5] == [401] * 5
    assert 429 in statuses


def test_within_two_seconds_every_worker_knows_of_every_change(site: Site) -> None:
    """A revoked key, other allowed origins, a lower limit, the end of a session, a lower role, the end of a member."""
    revoked, moved, limited = site.project(), site.project(), site.project(rate_limit_per_minute=1_000_000)
    elsewhere, page = "https://elsewhere.example", "https://shop.example"
    other = Account(site.server.url, email="other@example.com")
    demoted, removed = (_member(site, f"{name}@example.com") for name in ("demoted", "removed"))
    ways: dict[str, Callable[[httpx.Client], httpx.Response]] = {
        "revoked": lambda client: track(client, revoked["api_key"]),
        "other key of it": lambda client: track(client, revoked["secret_key"]),
        "another page": lambda client: track(client, moved["api_key"], headers={"origin": elsewhere}),
        "its page": lambda client: track(client, moved["api_key"], headers={"origin": page}),
        "limit": lambda client: client.post(
            "/api/v1/track/batch",
            json=[{"event": "visit", "user_id": "u"}] * 40,
            headers={"x-api-key": limited["secret_key"]},
        ),
        "session": lambda client: client.get(
            "/api/v1/auth/me", headers={"authorization": other.client.headers["authorization"]}
        ),
        "admin": lambda client: client.get("/api/v1/invitations", headers=demoted[1]),
        "member": lambda client: client.get("/api/v1/auth/me", headers=removed[1]),
    }
    with site.workers() as clients:
        for way, ask in ways.items():
            assert [ask(client).status_code for client in clients.values()] == [200, 200], way
    owner = site.owner.client
    key_id = next(
        key["id"] for key in owner.get(f"/projects/{revoked['id']}/keys").json()["keys"] if key["kind"] == "write"
    )
    assert owner.delete(f"/projects/{revoked['id']}/keys/{key_id}").status_code == 204
    assert owner.put(f"/projects/{moved['id']}", json={"allowed_origins": [page]}).status_code == 200
    assert owner.put(f"/projects/{limited['id']}", json={"rate_limit_per_minute": 1}).status_code == 200
    assert owner.put(f"/members/{demoted[0]}", json={"role": "editor"}).status_code == 200
    assert owner.delete(f"/members/{removed[0]}").status_code == 204
    ended = other.client.put("/auth/me", json=_new_password())
    assert ended.status_code == 200, ended.text
    other_session = _sign_in(site, "other@example.com")
    logout = other.client.post("/auth/logout", json={"refresh_token": other_session["refresh_token"]})
    assert logout.status_code == 204
    ways["ended session"] = lambda client: client.get(
        "/api/v1/auth/me", headers={"authorization": f"Bearer {other_session['access_token']}"}
    )
    time.sleep(2)  # what is promised; a request that begins later must be answered by the new state
    expected = {
        "revoked": [401, 401],
        "other key of it": [200, 200],
        "another page": [403, 403],
        "its page": [200, 200],
        "limit": [200, 429],  # one batch larger than the limit passes a full bucket, on whichever worker
        "session": [200, 200],
        "admin": [403, 403],
        "member": [401, 401],
        "ended session": [401, 401],
    }
    with site.workers() as clients:
        found = {way: [ask(client).status_code for client in clients.values()] for way, ask in ways.items()}
    other.client.close()
    assert found == expected


def _member(site: Site, email: str) -> tuple[str, dict[str, str]]:
    """An invited admin: the id, and the header of their session."""
    invited = site.owner.client.post("/invitations", json={"email": email, "role": "admin"}).json()
    body = {"email": email, "password": "a long enough passphrase", "full_name": "A", "invitation": invited["token"]}
    joined = httpx.post(f"{site.server.url}/api/v1/auth/register", json=body, timeout=30)
    assert joined.status_code == 201, joined.text
    return joined.json()["user"]["id"], {"authorization": f"Bearer {joined.json()['access_token']}"}


def _new_password() -> dict[str, str]:
    return {"current_password": "a long enough passphrase", "password": "another long enough passphrase"}


def _sign_in(site: Site, email: str) -> dict[str, Any]:
    body = {"email": email, "password": _new_password()["password"]}
    answer = httpx.post(f"{site.server.url}/api/v1/auth/login", json=body, timeout=30)
    assert answer.status_code == 200, answer.text
    content: dict[str, Any] = answer.json()
    return content


def test_a_batch_sent_to_both_workers_at_once_counts_once_before_and_after_the_flush(site: Site) -> None:
    project = site.project()
    batch = [{"event": "once", "id": f"twice-{number}", "user_id": f"user-{number}"} for number in range(200)]
    with site.workers() as clients, ThreadPoolExecutor(2) as pool:

        def send(client: httpx.Client) -> dict[str, Any]:
            headers = {"x-api-key": project["secret_key"]}
            answer = client.post("/api/v1/track/batch", json=batch, headers=headers)
            assert answer.status_code == 200, answer.text
            content: dict[str, Any] = answer.json()
            return content

        sent = list(pool.map(send, clients.values()))
        assert [answer["accepted"] for answer in sent] == [200, 200], "each worker remembers only its own ids"
        for client in clients.values():
            assert _counts(site, client, project["id"]) == {"once": 200}
    eventually(lambda: site.metrics()["iafa_journal_bytes"] == 0, "all is flushed")
    with site.workers() as clients:
        for client in clients.values():
            assert _counts(site, client, project["id"]) == {"once": 200}
            people = client.post(
                "/api/v1/analytics/funnel",
                json={"project_id": project["id"], "name": "x", "stages": [{"name": "a", "event": "once"}]},
                headers={"authorization": site.owner.client.headers["authorization"]},
            ).json()
            assert people["stages"][0]["users"] == 200


def _counts(site: Site, client: httpx.Client, project_id: str) -> dict[str, int]:
    answer = client.get(
        "/api/v1/analytics/event-names",
        params={"project_id": project_id},
        headers={"authorization": site.owner.client.headers["authorization"]},
    )
    assert answer.status_code == 200, answer.text
    return {row["name"]: row["count"] for row in answer.json()["event_names"]}


def accepted(site: Site) -> list[float]:
    """The number of accepted events as each worker tells it."""
    with site.workers() as clients:
        return [site.metrics(client)["iafa_events_accepted_total"] for client in clients.values()]


def settled(site: Site) -> float:
    """The same when all have published."""
    found: list[float] = []

    def is_settled() -> bool:
        before = found[-2:]
        found.extend(accepted(site))
        time.sleep(1.1)  # longer than a process keeps its counts to itself
        return len({*before, *found[-2:]}) == 1 and len(before) == 2

    eventually(is_settled, "both workers tell the same")
    return found[-1]


def test_what_one_worker_made_the_other_knows_at_once(site: Site) -> None:
    """A new account, its session, its project and the project's keys."""
    with site.workers() as clients:
        one, other = clients.values()
        body = {"email": "new@example.com", "password": "a long enough passphrase", "full_name": "New Owner"}
        registered = one.post("/api/v1/auth/register", json=body)
        assert registered.status_code == 201, registered.text
        other.cookies.clear()
        other.headers["authorization"] = one.headers["authorization"] = f"Bearer {registered.json()['access_token']}"
        assert other.get("/api/v1/auth/me").status_code == 200
        login = other.post("/api/v1/auth/login", json={"email": body["email"], "password": body["password"]})
        assert login.status_code == 200, login.text
        project = one.post("/api/v1/projects", json={"name": "New"}).json()
        assert track(other, project["api_key"]).status_code == 200
        assert other.get(f"/api/v1/projects/{project['id']}").status_code == 200


def test_either_worker_answers_for_all_processes(site: Site) -> None:
    key = site.project()["secret_key"]
    before = settled(site)
    with site.workers() as clients:
        assert {status for _, status in in_turn(clients, 20, lambda client: track(client, key))} == {200}
    eventually(lambda: accepted(site) == [before + 20] * 2, "ten events were accepted by each worker")
    found = site.metrics()
    processes = ("worker-0", "worker-1", "background", "supervisor")
    assert [found[f"iafa_process_up/{process}"] for process in processes] == [1] * 4
    assert found["iafa_collect_requests_total/2xx"] >= 20
    assert found["iafa_collect_requests_total/4xx"] > 0
    assert "iafa_event_loop_lag_seconds/worker-1" in found
    assert found["iafa_day_parts"] >= 0


def test_a_second_server_on_the_directory_is_refused_and_names_the_first(site: Site) -> None:
    second = ServerProcess(site.data_dir)
    second.log_path = site.data_dir.with_suffix(".second.log")
    with pytest.raises(AssertionError, match="the server ended"):
        second.start()
    said = second.log_path.read_text()
    assert f"pid {site.pid('supervisor')}" in said
    assert second.exit_code == 2
    assert site.owner.client.get("/health").status_code == 200


def test_a_worker_that_dies_is_replaced_and_loses_nothing(site: Site) -> None:
    project = site.project()
    counted = accepted(site)[0]
    with site.workers() as clients:
        for number, client in enumerate(clients.values()):
            for event in range(25):
                answer = track(client, project["secret_key"], event_id=f"{number}-{event}")
                assert answer.status_code == 200
        before, journals = set(clients), set(os.listdir(site.data_dir / "journal"))
        eventually(lambda: accepted(site) == [counted + 50] * 2, "both have published")
        os.kill(site.pid("worker-0"), signal.SIGKILL)

        def only_one_answers() -> bool:
            return sum(_is_alive(client) for client in clients.values()) == 1

        eventually(only_one_answers, "the other lives")
        survivor = next(client for client in clients.values() if _is_alive(client))
        assert _counts(site, survivor, project["id"]) == {"visit": 50}
    with site.workers() as clients:  # two again
        assert len(before & set(clients)) == 1
        for client in clients.values():
            assert _counts(site, client, project["id"]) == {"visit": 50}

    def its_journal_is_flushed() -> bool:
        return any(not (site.data_dir / "journal" / name).exists() for name in journals if name.isdigit())

    eventually(its_journal_is_flushed, "the flusher takes the dead worker's journal while the other one lives")
    assert site.owner.client.get("/health/ready").status_code == 200
    with site.workers() as clients:
        for client in clients.values():
            assert _counts(site, client, project["id"]) == {"visit": 50}
    found = site.metrics()
    assert found["iafa_process_restarts_total/worker-0"] == 1
    assert found["iafa_events_accepted_total"] == counted + 50, "its successor goes on counting"


def _is_alive(client: httpx.Client) -> bool:
    """Over the connection that the worker has; a new one might reach another worker."""
    connection = client._transport._pool.connections  # type: ignore[attr-defined]  # httpx has no public word for it
    try:
        client.options("/api/v1/track")
    except httpx.TransportError:
        return False
    return bool(connection) and client._transport._pool.connections == connection  # type: ignore[attr-defined]


def test_a_background_process_that_dies_is_started_again(site: Site) -> None:
    killed = site.pid("background")
    os.kill(killed, signal.SIGKILL)
    project = site.project()
    with site.workers(1) as clients:
        assert track(next(iter(clients.values())), project["secret_key"]).status_code == 200
    eventually(lambda: site.pid("background") != killed, "another one is there")
    eventually(lambda: site.metrics()["iafa_journal_bytes"] == 0, "and it flushes")
    assert site.metrics()["iafa_process_restarts_total/background"] == 1

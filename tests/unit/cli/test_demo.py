"""`iafa demo`: made once, the same login ever after, and a server that works."""

import http.server
import json
import os
import queue
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from iafa.cli.demo import greeting
from iafa.cli.demo_events import History
from iafa.cli.demo_history import EMAIL, Demo, prepare
from iafa.cli.demo_live import LiveStream
from iafa.cli.options import house_at, run
from iafa.clock import FakeClock
from iafa.demo.funnels import FUNNELS
from iafa.wiring import House, open_house
from tests.support.events import NOON_US
from tests.support.lake import rows
from tests.support.waiting import eventually

END = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)
SMALL = History(days=3, people=60, end=END)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    found = house_at(tmp_path / "data")
    yield found
    found.engine.close()


def test_a_first_run_makes_everything(house: House) -> None:
    demo = prepare(house, SMALL)

    assert demo.loaded is not None
    assert demo.loaded.rejected == demo.loaded.duplicates == 0
    assert len(rows(house.snapshots.take(demo.project.id))) == demo.loaded.accepted > 100
    project = demo.project
    assert (project.name, project.timezone, project.retention_days) == ("Demo shop", "Europe/Berlin", None)
    assert project.rate_limit_per_minute is project.rate_limit_per_ip_per_minute is None
    funnels = run(lambda: house.funnels.of_project(project.id))
    assert sorted(funnel.name for funnel in funnels) == sorted(raw["name"] for raw in FUNNELS)
    signed_in = run(lambda: house.accounts.login(email=EMAIL, password=demo.login.password, address="::1"))
    assert signed_in.user.organization_id == project.organization_id
    note = house.layout.root / "config" / "demo_login.json"
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert not list(house.layout.tmp.glob("upload-*"))


def test_a_second_run_changes_nothing(house: House) -> None:
    first = prepare(house, SMALL)
    funnels = run(lambda: house.funnels.of_project(first.project.id))
    run(lambda: house.funnels.remove(funnels[0].id))

    generation = house.manifests.latest(first.project.id).generation
    later = History(SMALL.days, SMALL.people, END + timedelta(days=1))
    second = prepare(open_house(house.settings), later)

    assert second.loaded is None
    assert (second.project.id, second.login) == (first.project.id, first.login)
    assert len(run(lambda: house.funnels.of_project(first.project.id))) == len(funnels) - 1
    assert house.manifests.latest(first.project.id).generation == generation


def test_a_run_that_was_killed_before_its_history_was_there_is_finished(house: House) -> None:
    first = prepare(house, SMALL)
    for path in house.layout.manifests(first.project.id).iterdir():
        path.unlink()

    second = prepare(open_house(house.settings), SMALL)

    assert second.loaded is not None
    assert (second.project.id, second.login.password) == (first.project.id, first.login.password)


def test_a_lost_note_of_the_password_makes_a_new_one_that_works(house: House) -> None:
    first = prepare(house, SMALL)
    (house.layout.root / "config" / "demo_login.json").unlink()

    second = prepare(open_house(house.settings), SMALL)

    assert second.login.password != first.login.password
    again = open_house(house.settings)
    signed_in = run(lambda: again.accounts.login(email=EMAIL, password=second.login.password, address="::1"))
    assert signed_in.user.email == EMAIL


def test_the_greeting_names_week_nine(house: House) -> None:
    demo = prepare(house, SMALL)
    long = Demo(demo.project, type(demo.login)(EMAIL, "secret", History(90, 60, END)), None)

    text = "\n".join(greeting("http://127.0.0.1:8000", long, Path("/data")))

    assert "secret" in text
    assert "http://127.0.0.1:8000/docs" in text
    assert "Mobile Safari" in text
    assert "2026-10-1" in text
    assert "Mobile Safari" not in "\n".join(greeting("http://x", demo, Path("/data")))


def test_live_events_that_were_not_taken_are_sent_again() -> None:
    taken: queue.Queue[list[Any]] = queue.Queue()
    statuses = iter((503, 200))

    class Receiver(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            taken.put([self.path, self.headers["x-api-key"], [event["id"] for event in body["events"]]])
            self.send_response(next(statuses, 200))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    class Minutes(FakeClock):
        def now_us(self) -> int:
            self.advance(60)
            return super().now_us()

    with http.server.HTTPServer(("127.0.0.1", 0), Receiver) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        stream = LiveStream("iafa_w_key", seed=3, clock=Minutes(NOON_US), every_s=0.01)
        stream.start(f"http://127.0.0.1:{server.server_port}")
        first, second = taken.get(timeout=20), taken.get(timeout=20)
        stream.stop()
        server.shutdown()
    assert first[:2] == second[:2] == ["/api/v1/track/batch", "iafa_w_key"]
    assert first[2]
    assert second[2][: len(first[2])] == first[2]


@pytest.mark.slow
def test_the_command_serves_what_it_prints(tmp_path: Path) -> None:
    words = ("demo", "--port", "0", "--days", "2", "--people", "50", "--no-live", "--data-dir", str(tmp_path / "data"))
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    command = [sys.executable, "-m", "iafa", *words]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path, env=environment) as process:
        try:
            url, password = printed_login(process)
            with signed_in(url, password) as client:
                answer = ask_checkout(client)
                # The background process is up some time after the server.
                eventually(lambda: processes_of(client) == ["background", "worker-0"], "not each process once")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=40) == 0
        finally:
            process.kill()
    counts = [stage["users"] for stage in answer["stages"]]
    assert counts == sorted(counts, reverse=True)
    assert counts[0] > 5


def printed_login(process: "subprocess.Popen[str]") -> tuple[str, str]:
    assert process.stdout is not None
    printed = ""
    while "/docs" not in printed:
        line = process.stdout.readline()
        assert line, printed
        printed += line
    return printed.partition("IAFA serves ")[2].split()[0], printed.partition("password ")[2].split()[0]


@contextmanager
def signed_in(url: str, password: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, transport=httpx.HTTPTransport(retries=6), timeout=30) as client:
        answer = client.post("/api/v1/auth/login", json={"email": EMAIL, "password": password})
        assert answer.status_code == 200, answer.text
        client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"
        yield client


def processes_of(client: httpx.Client) -> list[str]:
    """Those that are up."""
    found = client.get("/api/v1/system").json()["processes"]
    return [one["name"] for one in found if one["is_up"] and one["resident_bytes"]]


def ask_checkout(client: httpx.Client) -> Any:
    """What a person would click: the only project, its funnel, the answer."""
    (project,) = client.get("/api/v1/projects").json()["projects"]
    funnels = client.get("/api/v1/funnels", params={"project_id": project["id"]}).json()["funnels"]
    checkout = next(funnel for funnel in funnels if funnel["name"] == "Checkout")
    return client.get(f"/api/v1/analytics/funnel/{checkout['id']}").json()

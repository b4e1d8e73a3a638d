"""A running server, a project for each test, and the recorder between the client and the server."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from iafa.client import Client, Dropped
from iafa.client import outbox as outbox_module
from tests.sdk.recorder import Recorder
from tests.sdk.stored import Row, stored_rows
from tests.support.server import Account, ServerProcess

PROGRAM_S = 120


@dataclass
class Shop:
    """A project with its keys, its server and what passed between."""

    server: ServerProcess
    recorder: Recorder
    data_dir: Path
    owner: Account
    project: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.project["id"])

    @property
    def secret_key(self) -> str:
        return str(self.project["secret_key"])

    def rows(self, count: int) -> list[Row]:
        return stored_rows(self.data_dir, self.id, count)

    def event_counts(self) -> dict[str, int]:
        """What the API counts, acknowledged events included."""
        answer = self.owner.client.get("/analytics/event-names", params={"project_id": self.id})
        assert answer.status_code == 200, answer.text
        return {row["name"]: row["count"] for row in answer.json()["event_names"]}

    def run(self, program: str, *, exit_code: int = 0) -> str:
        """Run a Python program that has `Client`, `key` and `host`; what it printed."""
        begin = f"from iafa.client import Client\nkey = {self.secret_key!r}\nhost = {self.recorder.url!r}\n"
        said = subprocess.run(
            [sys.executable, "-c", begin + program], capture_output=True, text=True, timeout=PROGRAM_S, check=False
        )
        assert said.returncode == exit_code, said.stderr
        return said.stdout


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path, Account]]:
    data_dir = tmp_path_factory.mktemp("client") / "data"
    with ServerProcess(data_dir, environment={"EVENT_FLUSH_INTERVAL": "0.5"}) as server:
        owner = Account(server.url)
        yield server, data_dir, owner
        owner.client.close()


@contextmanager
def opened(running: tuple[ServerProcess, Path, Account], **settings: Any) -> Iterator[Shop]:
    server, data_dir, owner = running
    body = {"name": f"Shop {uuid4()}", "rate_limit_per_minute": None, "rate_limit_per_ip_per_minute": None, **settings}
    made = owner.client.post("/projects", json=body)
    assert made.status_code == 201, made.text
    with Recorder(server.url) as recorder:
        yield Shop(server, recorder, data_dir, owner, made.json())


@pytest.fixture
def shop(running: tuple[ServerProcess, Path, Account]) -> Iterator[Shop]:
    with opened(running, timezone="Europe/Vienna") as shop:
        yield shop


@pytest.fixture
def slow_shop(running: tuple[ServerProcess, Path, Account]) -> Iterator[Shop]:
    """A project that takes 60 events a minute."""
    with opened(running, rate_limit_per_minute=60) as shop:
        yield shop


@dataclass
class Made:
    """Clients that the test ends with, and what they said was dropped."""

    clients: list[Client]
    dropped: list[Dropped]

    def __call__(self, key: str, host: str, **options: Any) -> Client:
        client = Client(key, host, on_error=self.dropped.append, **options)
        self.clients.append(client)
        return client


@pytest.fixture
def make(monkeypatch: pytest.MonkeyPatch) -> Iterator[Made]:
    monkeypatch.setattr(outbox_module, "BACKOFF_S", 0.01)
    monkeypatch.setattr(outbox_module, "BACKOFF_MAX_S", 0.05)
    made = Made([], [])
    yield made
    for client in made.clients:
        client.close(0)


Make = Callable[..., Client]

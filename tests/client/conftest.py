"""A project for each test of the Python client on one running server, and clients that end with the test."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from iafa.client import Client, Dropped
from iafa.client import outbox as outbox_module
from tests.support import shop as support
from tests.support.shop import Running, opened, running_in

PROGRAM_S = 120


class Shop(support.Shop):
    """A project that programs with the client send to."""

    def event_counts(self) -> dict[str, int]:
        """What the API counts, acknowledged events included."""
        answer = self.owner.client.get("/analytics/event-names", params={"project_id": self.id})
        assert answer.status_code == 200, answer.text
        return {row["name"]: row["count"] for row in answer.json()["event_names"]}

    def run(self, program: str, *, exit_code: int = 0, strictly: bool = False) -> str:
        """Run a Python program that has `Client`, `key` and `host`; what it printed. `strictly`: every warning is an
        error, also one at its end, where nobody can catch it."""
        begin = f"from iafa.client import Client\nkey = {self.secret_key!r}\nhost = {self.recorder.url!r}\n"
        flags = ["-W", "error", "-X", "dev"] if strictly else []
        said = subprocess.run(
            [sys.executable, *flags, "-c", begin + program],
            capture_output=True,
            text=True,
            timeout=PROGRAM_S,
            check=False,
        )
        assert said.returncode == exit_code, said.stderr
        assert not strictly or said.stderr == ""
        return said.stdout


@pytest.fixture(scope="session")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_in(tmp_path_factory.mktemp("client") / "data") as running:
        yield running


@pytest.fixture
def shop(running: Running) -> Iterator[Shop]:
    with opened(Shop, running, timezone="Europe/Vienna") as shop:
        yield shop


@pytest.fixture
def slow_shop(running: Running) -> Iterator[Shop]:
    """A project that takes 60 events a minute."""
    with opened(Shop, running, rate_limit_per_minute=60) as shop:
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

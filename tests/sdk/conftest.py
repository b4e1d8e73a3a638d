"""One running server for all SDKs, a project for each test, and the recorder in between."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest

from tests.sdk.recorder import Recorder
from tests.sdk.stored import Row, stored_rows
from tests.support.server import Account, ServerProcess

HERE = Path(__file__).parent
SDKS = HERE / "node_modules" / "@segment"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVER_S = 120


@dataclass
class Shop:
    """A project with its keys."""

    recorder: Recorder
    data_dir: Path
    owner: Account
    project: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.project["id"])

    @property
    def write_key(self) -> str:
        return str(self.project["api_key"])

    @property
    def secret_key(self) -> str:
        return str(self.project["secret_key"])

    def rows(self, count: int) -> list[Row]:
        return stored_rows(self.data_dir, self.id, count)

    def send(self, sdk: str, calls: list[dict[str, Any]], *, key: str = "", **more: Any) -> dict[str, Any]:
        """Let an SDK make these calls in a process of its own; what it said at the end."""
        told = {"host": self.recorder.url, "key": key or self.secret_key, "calls": calls, "options": {}, **more}
        programs = {
            "python": ("send_with_python.py",),
            "node": ("send_with_node.mjs",),
            "browser": ("send_in_browser.mjs",),
            "posthog": ("send_with_posthog.py",),
        }
        command = [
            sys.executable if programs[sdk][0].endswith(".py") else "node",
            *(str(HERE / name) for name in programs[sdk]),
        ]
        said = subprocess.run(
            command,
            input=json.dumps(told),
            capture_output=True,
            text=True,
            timeout=DRIVER_S,
            check=False,
            env=os.environ | {"NO_PROXY": "*"},
        )
        assert said.returncode == 0, said.stderr
        answer: dict[str, Any] = json.loads(said.stdout)
        return answer


@pytest.fixture(scope="session")
def chromium() -> str:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUMS)), None)
    if not path:
        pytest.skip("no Chromium found: install the package chromium or set CHROMIUM to its path")
    return path


@pytest.fixture(scope="session")
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Path, Account]]:
    data_dir = tmp_path_factory.mktemp("sdk") / "data"
    with ServerProcess(data_dir, environment={"EVENT_FLUSH_INTERVAL": "0.5"}) as server:
        owner = Account(server.url)
        yield server, data_dir, owner
        owner.client.close()


@pytest.fixture
def shop(_running: tuple[ServerProcess, Path, Account]) -> Iterator[Shop]:
    yield from _shop(_running, rate_limit_per_minute=None)


@pytest.fixture
def slow_shop(_running: tuple[ServerProcess, Path, Account]) -> Iterator[Shop]:
    """A project that takes 60 events a minute."""
    yield from _shop(_running, rate_limit_per_minute=60)


def _shop(running: tuple[ServerProcess, Path, Account], **settings: Any) -> Iterator[Shop]:
    server, data_dir, owner = running
    if not SDKS.is_dir():
        pytest.skip("the SDKs are not installed: run `npm ci --ignore-scripts` in tests/sdk, or `make test`")
    body = {"name": f"Shop {uuid4()}", "rate_limit_per_ip_per_minute": None, **settings}
    made = owner.client.post("/projects", json=body)
    assert made.status_code == 201, made.text
    with Recorder(server.url) as recorder:
        assert httpx.get(f"{recorder.url}/health").status_code == 200
        recorder.passed.clear()
        yield Shop(recorder, data_dir, owner, made.json())

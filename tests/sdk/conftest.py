"""A project for each test of an SDK, on one running server for all of them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import shop as support
from tests.support.shop import Running, opened, running_in

HERE = Path(__file__).parent
SDKS = HERE / "node_modules" / "@segment"
CHROMIUMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DRIVER_S = 120


@dataclass
class Shop(support.Shop):
    """A project that other tools' SDKs send to."""

    go_program: Path | None = None

    def send(self, sdk: str, calls: list[dict[str, Any]], *, key: str = "", **more: Any) -> dict[str, Any]:
        """Let an SDK make these calls in a process of its own; what it said at the end."""
        told = {"host": self.recorder.url, "key": key or self.secret_key, "calls": calls, "options": {}, **more}
        commands = {
            "python": [sys.executable, str(HERE / "send_with_python.py")],
            "node": ["node", str(HERE / "send_with_node.mjs")],
            "browser": ["node", str(HERE / "send_in_browser.mjs")],
            "posthog": [sys.executable, str(HERE / "send_with_posthog.py")],
            "go": [str(self.go_program)],
        }
        said = subprocess.run(
            commands[sdk],
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
def _running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_in(tmp_path_factory.mktemp("sdk") / "data") as running:
        yield running


@pytest.fixture
def shop(_running: Running) -> Iterator[Shop]:
    with shop_of(_running) as shop:
        yield shop


@pytest.fixture
def slow_shop(_running: Running) -> Iterator[Shop]:
    """A project that takes 60 events a minute."""
    with shop_of(_running, rate_limit_per_minute=60) as shop:
        yield shop


@pytest.fixture
def go_shop(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Shop:
    """A project whose events may be sent by a program in Go."""
    if not shutil.which("go"):
        pytest.skip("Go is not installed")
    try:
        shop.go_program = build_go(tmp_path_factory.mktemp("go"))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"analytics-go could not be installed: {error.stderr[-200:]}")
    return shop


def build_go(folder: Path) -> Path:
    """The program that sends with analytics-go. Raises CalledProcessError when its modules cannot be had."""
    program = folder / "send_with_go"
    subprocess.run(
        ["go", "build", "-o", str(program), "."],
        cwd=HERE / "go",
        env=os.environ | {"CGO_ENABLED": "0", "GOFLAGS": "-mod=readonly -buildvcs=false"},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    return program


@contextmanager
def shop_of(running: Running, **settings: Any) -> Iterator[Shop]:
    if not SDKS.is_dir():
        pytest.skip("the SDKs are not installed: run `npm ci --ignore-scripts` in tests/sdk, or `make test`")
    with opened(Shop, running, **settings) as shop:
        assert httpx.get(f"{shop.recorder.url}/health").status_code == 200
        shop.recorder.passed.clear()
        yield shop

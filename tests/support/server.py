"""A real server process on a free port, for tests that must see what a user sees. The test process is never killed."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx
import psutil

START_S = 60.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class ServerProcess:
    """`iafa serve` with its children. `kill` is SIGKILL, to the parent alone or to the whole group."""

    def __init__(
        self, data_dir: Path, *, workers: int = 1, port: int | None = None, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.workers = workers
        self.ready_s = 0.0  # how long the last start took
        self.log_path = data_dir.with_suffix(".log")
        self._command = [
            *(sys.executable, "-m", "iafa", "serve", "--host", "127.0.0.1", "--port", str(self.port)),
            *("--data-dir", str(data_dir), "--workers", str(workers)),
        ]
        self._environment = os.environ | dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ServerProcess":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> "ServerProcess":
        with open(self.log_path, "ab") as log:
            self._process = subprocess.Popen(
                self._command, env=self._environment, stdout=log, stderr=log, start_new_session=True
            )
        started_s = time.monotonic()
        while time.monotonic() < started_s + START_S:
            if self._process.poll() is not None:
                raise AssertionError(f"the server ended: {self.log_path.read_text()[-2000:]}")
            if self.is_ready():
                self.ready_s = time.monotonic() - started_s
                return self
            time.sleep(0.05)
        raise AssertionError(f"the server was not ready within {START_S} s: {self.log_path.read_text()[-2000:]}")

    @property
    def exit_code(self) -> int | None:
        return None if self._process is None else self._process.poll()

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/health/ready", timeout=2, verify=False).status_code == 200
        except httpx.TransportError:
            return False

    def children(self, kind: str) -> list[psutil.Process]:
        """The running child processes of this kind: `worker` or `background`."""
        assert self._process is not None
        found = []
        for child in psutil.Process(self._process.pid).children():
            with contextlib.suppress(psutil.NoSuchProcess):
                if child.status() != psutil.STATUS_ZOMBIE and kind in child.cmdline():
                    found.append(child)
        return found

    def processes(self) -> list[psutil.Process]:
        """All that serve and write."""
        assert self._process is not None
        return [psutil.Process(self._process.pid), *self.children("worker"), *self.children("background")]

    def kill_child(self, kind: str) -> float:
        """SIGKILL one child; return how long it takes until another one is there and the server is ready."""
        before = {child.pid for child in self.children(kind)}
        victim = min(before)
        started_s = time.monotonic()
        os.kill(victim, signal.SIGKILL)
        while time.monotonic() < started_s + START_S:
            pids = {child.pid for child in self.children(kind)}
            if victim not in pids and len(pids) == len(before) and self.is_ready():
                return time.monotonic() - started_s
            time.sleep(0.05)
        raise AssertionError(f"no new {kind} within {START_S} s: {self.log_path.read_text()[-2000:]}")

    def stop(self) -> None:
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.kill(whole_group=True)
            raise AssertionError("the server did not stop within 30 s of SIGTERM") from None

    def kill(self, *, whole_group: bool) -> None:
        assert self._process is not None
        if whole_group:
            os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()


class Account:
    """A registered user with one project whose rate limits are off."""

    def __init__(self, url: str, *, email: str = "owner@example.com") -> None:
        self.client = httpx.Client(base_url=f"{url}/api/v1", timeout=30)
        body = {"email": email, "password": "a long enough passphrase", "full_name": "Test Owner"}
        signed_in = self.client.post("/auth/register", json=body)
        assert signed_in.status_code == 201, signed_in.text
        self.client.headers["authorization"] = f"Bearer {signed_in.json()['access_token']}"
        self.client.cookies.clear()
        settings = {"rate_limit_per_minute": None, "rate_limit_per_ip_per_minute": None}
        made = self.client.post("/projects", json={"name": "Test shop", **settings})
        assert made.status_code == 201, made.text
        self.project: dict[str, Any] = made.json()

    @property
    def project_id(self) -> str:
        return str(self.project["id"])

    @property
    def secret_key(self) -> str:
        return str(self.project["secret_key"])

    @property
    def write_key(self) -> str:
        return str(self.project["api_key"])

    def funnel(self, *events: str, **over: Any) -> dict[str, Any]:
        """The answer to an unsaved funnel over these event types."""
        stages = [{"name": event, "event": event} for event in events]
        body = {"project_id": self.project_id, "name": "test", "stages": stages, **over}
        answer = self.client.post("/analytics/funnel", json=body)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    def event_counts(self) -> dict[str, int]:
        answer = self.client.get("/analytics/event-names", params={"project_id": self.project_id})
        assert answer.status_code == 200, answer.text
        return {row["name"]: row["count"] for row in answer.json()["event_names"]}

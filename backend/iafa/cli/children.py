"""Child processes of a server: workers and the background process, and the supervisor that keeps them alive.

A child ends by itself when its standard input closes: that happens when the parent is gone, however it died.
"""

import asyncio
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import click

from iafa.cli.options import read_settings
from iafa.settings import Settings
from iafa.wiring import open_house

log = logging.getLogger("iafa.serve")
RESTART_PAUSE_S = 1.0
STOP_WAIT_S = 20.0


class Children:
    """Starts named child processes and starts those again that end before they were told to."""

    def __init__(self, settings: Settings) -> None:
        self._environment = os.environ | environment_of(settings)
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._ended_s: dict[str, float] = {}

    def start(self, name: str, *arguments: str) -> None:
        self._commands[name] = [sys.executable, "-m", "iafa", *arguments]
        self._spawn(name)

    def tend(self) -> None:
        """Start again what has ended, after a short pause; call it regularly."""
        for name, process in list(self._running.items()):
            if process.poll() is None:
                continue
            ended_s = self._ended_s.setdefault(name, time.monotonic())
            if time.monotonic() - ended_s >= RESTART_PAUSE_S:
                log.warning("child=%s ended code=%s, starting it again", name, process.returncode)
                del self._ended_s[name]
                try:
                    self._spawn(name)
                except OSError as error:
                    log.error("child=%s cannot be started: %s", name, error.strerror)

    def stop(self) -> None:
        """Ask all to end and wait; one that does not is killed: what it acknowledged is in its journal."""
        for process in self._running.values():
            process.terminate()
        deadline = time.monotonic() + STOP_WAIT_S
        for process in self._running.values():
            try:
                process.wait(timeout=max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()
        self._running.clear()

    def _spawn(self, name: str) -> None:
        old = self._running.get(name)
        if old is not None and old.stdin is not None:
            old.stdin.close()
        self._running[name] = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
            self._commands[name], stdin=subprocess.PIPE, env=self._environment
        )


def environment_of(settings: Settings) -> dict[str, str]:
    """What children must see of the settings that flags may have changed."""
    return {
        "DATA_DIR": str(settings.data_dir.resolve()),
        "API_HOST": settings.api_host,
        "API_PORT": str(settings.api_port),
        "IAFA_WORKERS": str(settings.workers),
    }


def when_parent_is_gone(act: Callable[[], None]) -> None:
    """Call `act` once, from a thread, when the other end of standard input is closed."""

    def watch() -> None:
        while os.read(0, 4096):
            pass
        act()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


@click.command("background", hidden=True)
def background_command() -> None:
    house = open_house(read_settings())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    when_parent_is_gone(stop.set)
    house.background().run(stop)


@click.command("worker", hidden=True)
@click.option("--port", type=int, required=True)
@click.option("--replayed-from", type=int, required=True)
def worker_command(port: int, replayed_from: int) -> None:
    from iafa.api.server import serve

    settings = read_settings(api_port=port)
    asyncio.run(serve(settings, replayed_from=replayed_from, shares_port=True, until=when_parent_is_gone))


def pid_path(data_dir: Path) -> Path:
    return data_dir / "locks" / "server.pid"

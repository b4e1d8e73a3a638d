"""Child processes of a server: workers and the background process, and the supervisor that keeps them alive.

A child ends by itself when its standard input closes: that happens when the parent is gone, however it died.
"""

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
from iafa.clock import Clock, SystemClock
from iafa.metrics import Counters
from iafa.settings import Settings

log = logging.getLogger("iafa.serve")
RESTART_PAUSE_S = 1.0
RESTART_PAUSE_S_MAX = 30.0
STEADY_S = 60.0  # a child that lived this long is not in a crash loop
STOP_WAIT_S = 20.0


class Children:
    """Starts named child processes and starts those again that end before they were told to.

    One that ends again soon is started after an ever longer pause: what stops it may pass, and the log stays short.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        counters: Counters | None = None,
        shared_fd: int | None = None,
    ) -> None:
        self._environment = os.environ | environment_of(settings)
        self._clock = clock or SystemClock()
        self._counters = counters or Counters()
        self._shared_fd = shared_fd
        self._commands: dict[str, list[str]] = {}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._started_s: dict[str, float] = {}
        self._short_lives: dict[str, int] = {}
        self._due_s: dict[str, float] = {}

    def start(self, name: str, *arguments: str) -> None:
        self._commands[name] = [sys.executable, "-m", "iafa", *arguments]
        self._spawn(name)

    def tend(self) -> None:
        """Start again what has ended, when its pause is over; call it regularly."""
        for name, process in list(self._running.items()):
            if process.poll() is None:
                continue
            if name not in self._due_s:
                self._plan_restart(name, process.returncode)
            elif self._clock.monotonic_s() >= self._due_s[name]:
                try:
                    self._spawn(name)
                except OSError as error:
                    log.error("child=%s cannot be started: %s", name, error.strerror)
                    self._due_s[name] = self._clock.monotonic_s() + RESTART_PAUSE_S_MAX
                else:
                    del self._due_s[name]
                    self._counters.add("process_restarts", name)

    def _plan_restart(self, name: str, code: int) -> None:
        now_s = self._clock.monotonic_s()
        is_short = now_s - self._started_s[name] < STEADY_S
        self._short_lives[name] = lives = self._short_lives.get(name, 0) + 1 if is_short else 1
        pause_s = min(RESTART_PAUSE_S * 2.0 ** min(lives - 1, 10), RESTART_PAUSE_S_MAX)
        self._due_s[name] = now_s + pause_s
        log.warning("child=%s ended code=%s, starting it again in %.0f s", name, code, pause_s)

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
            self._commands[name],
            stdin=subprocess.PIPE,
            env=self._environment,
            pass_fds=[] if self._shared_fd is None else [self._shared_fd],
        )
        self._started_s[name] = self._clock.monotonic_s()


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
    from iafa.wiring import open_house  # whoever only looks after children needs none of it

    house = open_house(read_settings())
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    when_parent_is_gone(stop.set)
    gauges: dict[str, float] = {}
    measurer = house.measurer()
    publisher = house.publisher("background", lambda: dict(gauges), measurer.publish).start()
    try:
        house.background(gauges, measurer).run(stop)
    finally:
        publisher.close()


@click.command("worker", hidden=True)
@click.option("--name", required=True)
@click.option("--port", type=int, required=True)
@click.option("--replayed-from", type=int, required=True)
@click.option("--shared-fd", type=int, default=None)
def worker_command(name: str, port: int, replayed_from: int, shared_fd: int | None) -> None:
    from iafa.api.server import run, serve

    serving = serve(
        read_settings(api_port=port),
        replayed_from=replayed_from,
        process=name,
        shared_fd=shared_fd,
        until=when_parent_is_gone,
    )
    run(serving)


def pid_path(data_dir: Path) -> Path:
    return data_dir / "locks" / "server.pid"

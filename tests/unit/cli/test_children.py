"""The supervisor: what ends is started again, what keeps ending is started ever more slowly."""

import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from iafa.cli.children import RESTART_PAUSE_S_MAX, STEADY_S, Children
from iafa.clock import FakeClock
from iafa.metrics import Counters
from tests.unit.api.house import make_settings

ENDS_AT_ONCE = [sys.executable, "-S", "-c", "raise SystemExit(3)"]
STAYS = [sys.executable, "-S", "-c", "import sys; sys.stdin.read()"]


class Nursery:
    """Children on a clock that is turned by hand; the processes are real."""

    def __init__(self, tmp_path: Path) -> None:
        self.clock = FakeClock()
        self.counters = Counters()
        self.children = Children(make_settings(tmp_path), clock=self.clock, counters=self.counters)

    def start(self, command: list[str]) -> None:
        self.children._commands["child"] = command
        self.children._spawn("child")

    def wait_until_ended(self) -> None:
        self.children._running["child"].wait(timeout=30)

    def starts(self) -> int:
        return self.counters.read().get("process_restarts", {}).get("child", 0)

    def pause_s(self) -> float:
        """Seconds until the ended child was started again."""
        before, waited = self.starts(), 0.0
        self.children.tend()
        while self.starts() == before:
            assert waited <= RESTART_PAUSE_S_MAX
            self.clock.advance(0.5)
            waited += 0.5
            self.children.tend()
        return waited


@pytest.fixture
def nursery(tmp_path: Path) -> Iterator[Nursery]:
    nursery = Nursery(tmp_path)
    yield nursery
    nursery.children.stop()


def test_a_child_that_keeps_ending_is_started_again_ever_more_slowly(
    nursery: Nursery, caplog: pytest.LogCaptureFixture
) -> None:
    nursery.start(ENDS_AT_ONCE)
    pauses = []
    with caplog.at_level(logging.WARNING, logger="iafa.serve"):
        for _ in range(8):
            nursery.wait_until_ended()
            pauses.append(nursery.pause_s())
    assert pauses == [1, 2, 4, 8, 16, 30, 30, 30]
    assert [record.getMessage() for record in caplog.records][:2] == [
        "child=child ended code=3, starting it again in 1 s",
        "child=child ended code=3, starting it again in 2 s",
    ]
    assert len(caplog.records) == 8


def test_after_a_steady_life_the_pause_is_short_again(nursery: Nursery) -> None:
    nursery.start(ENDS_AT_ONCE)
    for _ in range(3):
        nursery.wait_until_ended()
        nursery.pause_s()
    nursery.clock.advance(STEADY_S)
    nursery.wait_until_ended()
    assert nursery.pause_s() == 1


def test_a_child_that_cannot_be_started_is_tried_again(nursery: Nursery) -> None:
    nursery.start(ENDS_AT_ONCE)
    nursery.wait_until_ended()
    nursery.children._commands["child"] = ["/nonexistent/python"]
    nursery.children.tend()
    nursery.clock.advance(1)
    nursery.children.tend()
    assert nursery.starts() == 0
    nursery.children._commands["child"] = ENDS_AT_ONCE
    nursery.children.tend()
    assert nursery.starts() == 0, "not at once"
    nursery.clock.advance(RESTART_PAUSE_S_MAX)
    nursery.children.tend()
    assert nursery.starts() == 1


def test_stopping_ends_every_child(nursery: Nursery) -> None:
    nursery.start(STAYS)
    process = nursery.children._running["child"]
    time.sleep(0.05)
    nursery.children.stop()
    assert process.poll() is not None

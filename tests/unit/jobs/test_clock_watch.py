"""Which clocks are believed: a table of what two readings looked like."""

from pathlib import Path

import pytest

from iafa.clock import US_PER_S, FakeClock
from iafa.jobs.clock_watch import ClockWatch
from tests.support.events import NOON_US

HOUR_S = 3_600
DAY_S = 86_400


class Machine(FakeClock):
    """May be restarted, off for a while: the time since its start begins anew."""

    def restart(self, off_s: float) -> None:
        self.set_wall(self.now_us() + int(off_s * US_PER_S))
        self._monotonic_s = 5.0

    def step(self, seconds: float) -> None:
        self.set_wall(self.now_us() + int(seconds * US_PER_S))


def a_watch(tmp_path: Path) -> tuple[ClockWatch, Machine]:
    machine = Machine(NOON_US)
    machine.advance(10 * DAY_S)
    return ClockWatch(tmp_path / "config" / "clock.json", machine), machine


@pytest.mark.parametrize(
    ("age_s", "is_believed"),
    [(0, True), (47 * HOUR_S, True), (49 * HOUR_S, False), (400 * DAY_S, False), (-1, False)],
)
def test_a_first_look_is_judged_by_the_newest_event(tmp_path: Path, age_s: int, is_believed: bool) -> None:
    watch, machine = a_watch(tmp_path)
    assert (watch.look(machine.now_us() - age_s * US_PER_S) is None) == is_believed


def test_an_idle_server_stays_believed(tmp_path: Path) -> None:
    watch, machine = a_watch(tmp_path)
    newest_us = machine.now_us()
    for _ in range(10):
        assert watch.look(newest_us) is None
        machine.advance(7 * DAY_S)


@pytest.mark.parametrize(
    ("seconds", "is_believed"),
    [(1, True), (-200, True), (200, True), (-3 * HOUR_S, False), (60 * DAY_S, False), (400 * DAY_S, False)],
)
def test_a_step_of_the_clock_ends_the_belief_for_a_day(tmp_path: Path, seconds: int, is_believed: bool) -> None:
    watch, machine = a_watch(tmp_path)
    watch.look(machine.now_us())
    machine.step(seconds)
    machine.advance(HOUR_S)
    # What arrived under the new time is no evidence for it.
    assert (watch.look(machine.now_us()) is None) == is_believed
    machine.advance(DAY_S - 60)
    assert (watch.look(machine.now_us()) is None) == is_believed
    machine.advance(60)
    assert watch.look(machine.now_us()) is None


def test_a_clock_that_goes_on_stepping_is_never_believed(tmp_path: Path) -> None:
    watch, machine = a_watch(tmp_path)
    watch.look(machine.now_us())
    for _ in range(10):
        machine.step(100 * DAY_S)
        machine.advance(20 * HOUR_S)
        assert watch.look(machine.now_us()) is not None


@pytest.mark.parametrize(("off_s", "is_believed"), [(30, True), (40 * HOUR_S, True), (20 * DAY_S, False)])
def test_a_restart_of_the_machine(tmp_path: Path, off_s: int, is_believed: bool) -> None:
    watch, machine = a_watch(tmp_path)
    watch.look(machine.now_us())
    machine.restart(off_s)
    assert (watch.look(machine.now_us()) is None) == is_believed
    for _ in range(2):  # a machine that is off every night is believed in the end, too
        machine.advance(8 * HOUR_S)
        watch.look(machine.now_us())
        machine.restart(16 * HOUR_S)
    assert watch.look(machine.now_us()) is None


def test_a_damaged_record_is_no_trust(tmp_path: Path) -> None:
    watch, machine = a_watch(tmp_path)
    assert watch.look(machine.now_us()) is None
    watch.path.write_bytes(b"{")
    assert watch.look(machine.now_us()) is not None
    machine.advance(DAY_S)
    assert watch.look(machine.now_us()) is None


def test_a_dry_look_leaves_no_trace(tmp_path: Path) -> None:
    watch, machine = a_watch(tmp_path)
    assert watch.look(machine.now_us(), keeps=False) is None
    assert not watch.path.exists()

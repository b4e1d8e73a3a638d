"""Every failpoint: killed there, or with a disk that fails there, nothing acknowledged is lost and nothing is twice."""

import signal
from pathlib import Path

import pytest

from iafa.failpoints import NAMES, Failpoints
from tests.support.chance import times
from tests.support.crasher import Told, crash_at, drive, judge

NAMES_MIN = 25
# Between two steps of which none touches the disk: there is nothing that could fail, only a moment to die.
KILL_ONLY = frozenset({"journal.before_ack", "journal.sealed", "journal.unlinked"})
# Killed at in tests of their own, which know what such a command has promised: tests/unit/jobs, tests/crash.
ELSEWHERE = ("audit.", "backup.", "enrich.", "erase.", "replay.", "retention.")
DRIVEN = frozenset(name for name in NAMES if not name.startswith(ELSEWHERE))
DISK_FAILS_AT = sorted(DRIVEN - KILL_ONLY)
# What has to fail before a point is reached at all.
BEFORE = {"journal.truncating": "journal.written:2:enospc,"}
# In torture also the second and the fifth time that a place is passed, where it is passed so often.
LATER = (2, 5) if times(1) > 1 else ()


def test_there_are_enough_places_to_die_at() -> None:
    assert len(NAMES) >= NAMES_MIN


@pytest.mark.parametrize("point", sorted(DRIVEN))
def test_killed_at_every_failpoint(tmp_path: Path, point: str) -> None:
    exit_code, told = crash_at(tmp_path / "data", f"{BEFORE.get(point, '')}{point}:1:kill", tmp_path / "told")
    assert exit_code == -signal.SIGKILL, f"{point} was never reached"
    judge(tmp_path / "data", told)
    for nth in LATER:
        root = tmp_path / f"data-{nth}"
        _exit_code, told = crash_at(root, f"{BEFORE.get(point, '')}{point}:{nth}:kill", tmp_path / f"told-{nth}")
        judge(root, told)


@pytest.mark.parametrize("action", ["eio", "enospc"])
@pytest.mark.parametrize("point", DISK_FAILS_AT)
def test_disk_fails_at_every_failpoint(tmp_path: Path, point: str, action: str) -> None:
    for nth in (1, *LATER):
        root, told = tmp_path / f"data-{nth}", Told(tmp_path / f"told-{nth}")
        failpoints = Failpoints(f"{BEFORE.get(point, '')}{point}:{nth}:{action}")
        drive(root, failpoints.hit, told)
        judge(root, told.read(), told.refused)
        if nth == 1:
            assert point in failpoints.fired, f"{point} was never reached"

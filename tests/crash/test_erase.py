"""Killed at every step of an erasure, or with a disk that fails there: once asked for it is carried out, by itself."""

import shutil
import signal
from pathlib import Path

import pytest

from iafa.failpoints import NAMES, Failpoints
from tests.support.byte_search import places_of
from tests.support.crasher import killed_at
from tests.support.erasing import (
    DEVICE,
    EMAIL,
    EVENT_PREFIX,
    FILLED_S,
    GRACE_S,
    USER,
    ErasingLake,
    audit_lines,
    drive,
    erase_until_killed,
    fill,
)
from tests.support.events import PROJECT
from tests.support.lake import TestLake

POINTS = sorted(name for name in NAMES if name.startswith("erase."))
DISK_FAILS_AT = ("erase.record_written", "erase.before_commit", "erase.tmp_synced", "erase.renamed", "erase.proved")
NOTHING_RECORDED = "erase.target_written"


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("filled") / "data"
    fill(TestLake(root), rounds=1)
    return root


@pytest.fixture
def root(tmp_path: Path, filled: Path) -> Path:
    shutil.copytree(filled, tmp_path / "data")
    return tmp_path / "data"


def opened(root: Path) -> ErasingLake:
    erasing = ErasingLake(root)
    erasing.lake.clock.advance(FILLED_S + 10 * GRACE_S)
    return erasing


def others_of(root: Path) -> list[str]:
    return [one for one in opened(root).visible_ids() if not one.startswith(EVENT_PREFIX)]


def is_gone(root: Path) -> bool:
    return places_of(root, [USER, DEVICE, EMAIL]) == []


def judge(root: Path, others: list[str]) -> None:
    erasing = opened(root)
    erasing.eraser.run()  # the first thing that a new background process does
    assert erasing.visible_ids() == others
    erasing.finish()
    assert erasing.visible_ids() == others
    assert is_gone(root)
    records = erasing.desk.erasures.all(PROJECT)
    assert {record.state for record in records} == {"done"}
    proofs = [one["details"]["erasure"] for one in audit_lines(erasing.lake, "person.erased")]  # type: ignore[index]
    assert set(proofs) == {record.id for record in records}
    assert erasing.lake.manifests.latest(PROJECT).tombstones == ()


@pytest.mark.parametrize("point", POINTS)
def test_killed_at_every_step(root: Path, point: str) -> None:
    others = others_of(root)
    assert killed_at(erase_until_killed, root, f"{point}:1:kill") == -signal.SIGKILL, f"{point} was never reached"
    told = opened(root).desk.erasures.all(PROJECT)
    assert all(one.state == "hidden" and one.done_at_us is None for one in told) or is_gone(root), "told too early"
    if point == NOTHING_RECORDED:
        erasing = opened(root)
        erasing.eraser.run()
        assert len(erasing.visible_ids()) > len(others), "nobody was told that the person is erased"
        assert erasing.desk.erasures.pending() == []
        erasing.erase()
    judge(root, others)


@pytest.mark.parametrize("point", DISK_FAILS_AT)
def test_the_disk_fails(root: Path, point: str) -> None:
    others = others_of(root)
    failpoints = Failpoints(f"{point}:1:eio")
    assert drive(ErasingLake(root, failpoints.hit), tries=2), "the second request was answered"
    assert failpoints.fired == [point]
    judge(root, others)

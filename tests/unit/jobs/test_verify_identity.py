"""Identity edges: verified, put back from a backup, or made again from the events that brought them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.event import Event
from iafa.jobs.backup import Backup
from iafa.jobs.findings import Kind, Report
from iafa.jobs.repair import Repairer
from iafa.jobs.verify import Verifier
from iafa.lake.identity import Edge, IdentityEdges
from iafa.lake.manifest import Manifests
from iafa.locks import held
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import WINDOW_US, TestLake


def identify(number: int) -> Event:
    ids = {"id": f"e{number}", "user_id": f"u{number}", "anonymous_id": f"a{number}"}
    return make_event(**ids, event_type="identify", created_at=NOON_US + number)


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """Two flushes with edges, and one edge that was revoked by hand."""
    lake = TestLake(tmp_path / "data")
    for batch in ((1, 2, 3), (4,)):
        lake.write([identify(number) for number in batch])
        lake.flusher.run()
    revoked = Edge("e4", "u4", "a4", NOON_US + 4, is_revoked=True)
    IdentityEdges(lake.layout, lake.manifests).add_edges(PROJECT, [revoked])
    return lake


def edges(lake: TestLake) -> dict[str, bool]:
    known = IdentityEdges(lake.layout, Manifests(lake.layout, lake.clock, grace_s=600))
    return {edge.id: edge.is_revoked for edge in known.edges(PROJECT, known.manifests.latest(PROJECT))}


ALL = {"e1": False, "e2": False, "e3": False, "e4": True}


def first_file(lake: TestLake) -> Path:
    return lake.layout.lake_file(PROJECT, lake.manifests.latest(PROJECT).identity[0])


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 4
    path.write_bytes(data)


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def verify(lake: TestLake) -> Report:
    return Verifier(lake.layout, Manifests(lake.layout, lake.clock, grace_s=600), lake.clock, WINDOW_US).run()


def repair(lake: TestLake, backup: Path | None = None) -> list[str]:
    report = verify(lake)
    with held(lake.layout.writer_lock):
        repairer = Repairer(lake.layout, lake.manifests, lake.appender, lake.clock, backup)
        return [step.action for step in repairer.run(report)]


def test_sound_edges_are_no_finding(lake: TestLake) -> None:
    report = verify(lake)
    assert report.problems == []
    assert report.looked_at["identity_files"] == len(lake.manifests.latest(PROJECT).identity) > 0
    assert edges(lake) == ALL


@pytest.mark.parametrize("damage", [flip, cut, os.unlink])
def test_a_damaged_file_is_put_back_from_a_backup(
    lake: TestLake, tmp_path: Path, damage: Callable[[Path], None]
) -> None:
    assert Backup(lake.layout, lake.manifests, lake.clock, tmp_path / "backup", False).run().left_out == []
    damage(first_file(lake))
    assert [finding.kind for finding in verify(lake).problems] == [Kind.IDENTITY_DAMAGED]
    assert repair(lake, tmp_path / "backup") == ["restored"]
    assert verify(lake).problems == []
    assert edges(lake) == ALL


@pytest.mark.parametrize("damage", [flip, cut, os.unlink])
def test_without_a_backup_the_events_say_who_is_who(lake: TestLake, damage: Callable[[Path], None]) -> None:
    damage(first_file(lake))
    assert "adopted" in repair(lake)
    assert verify(lake).problems == []
    assert edges(lake) | {"e4": True} == ALL


def test_a_revocation_in_a_sound_file_stays(lake: TestLake) -> None:
    paths = lake.manifests.latest(PROJECT).identity
    assert len(paths) > 1
    flip(first_file(lake))
    repair(lake)
    assert edges(lake) == ALL


def test_after_the_loss_of_all_manifests_the_files_are_taken_in(lake: TestLake) -> None:
    shutil.rmtree(lake.layout.manifests(PROJECT))
    lake = TestLake(lake.root)
    repair(lake)
    assert verify(lake).problems == []
    assert edges(lake) == ALL

"""The two promises of a snapshot that only a moment can break: the tail before the manifest, and nothing unanswered."""

from collections.abc import Callable
from pathlib import Path

import pytest

from iafa.event import identity_hash
from iafa.journal.reader import Tail
from iafa.lake.manifest import Manifests
from iafa.lake.recent import PROJECTS_KEPT
from tests.support.events import NOON_US, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake, ids


@pytest.mark.parametrize("after", [(Tail, "read"), (Manifests, "latest")], ids=["tail", "manifest"])
def test_flush_between_the_two_reads_of_a_snapshot_hides_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, after: tuple[type, str]
) -> None:
    lake, flushing = TestLake(tmp_path), TestLake(tmp_path)
    lake.write(make_events(5))
    owner, name = after
    real: Callable[..., object] = getattr(owner, name)
    flushed: list[bool] = []

    def then_flush(self: object, *arguments: object) -> object:
        found = real(self, *arguments)
        if not flushed:
            flushed.append(True)
            flushing.flusher.run()
        return found

    monkeypatch.setattr(owner, name, then_flush)
    assert len(ids(lake.take())) == 5
    assert flushed


def test_bytes_without_an_answer_are_in_no_snapshot(tmp_path: Path) -> None:
    seen: list[int] = []

    def look(point: str) -> None:
        if point in ("journal.written", "journal.synced"):
            seen.append(TestLake(tmp_path).take().rows)

    journal = TestLake(tmp_path, hit=look).open_journal()
    for batch in range(2):
        journal.append_blocking(PROJECT, NOON_US, encode(make_events(3, prefix=str(batch))), 3)
    journal.close()
    assert seen == [0, 0, 3, 3]


def test_snapshots_stay_right_when_more_projects_are_asked_than_are_kept(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    projects = [f"project{number:05}" for number in range(PROJECTS_KEPT + 2)]
    for project in projects:
        joined = make_event(id=f"joins-{project}", event_type="identify", user_id=project, anonymous_id="device")
        lake.write([joined, make_event(id=f"repeated-{project}")], project_id=project)
    for _ in range(2):
        for project in projects:
            found = lake.take(project)
            assert ids(found) == [f"joins-{project}", f"repeated-{project}"]
            assert found.identities is not None
            assert identity_hash(project) in found.identities.column("owner_hash").to_pylist()
    kept = (lake.snapshots._identities, lake.snapshots._fresh)
    assert [len(one) for one in kept] == [PROJECTS_KEPT, PROJECTS_KEPT]

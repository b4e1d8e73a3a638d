"""What a project keeps: bounded, named once, never overwritten unseen, and one file for all processes."""

import asyncio
from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.errors import Conflict, NotFound
from iafa.meta.json_file import JsonFile
from iafa.meta.project_records import ProjectRecords
from iafa.meta.saved import open_saved
from iafa.meta.shares import WRITE_OPENED_US, StoredShare
from iafa.meta.views import StoredNote, StoredView

MINE, OTHER = "project00001", "project00002"


def views(root: Path, clock: FakeClock, *, most: int = 2) -> ProjectRecords[StoredView]:
    file = JsonFile(root, "views", StoredView, clock=clock)
    return ProjectRecords(file, StoredView, clock, what="saved view", most=most)


async def test_a_project_has_so_many_and_each_name_once(tmp_path: Path, clock: FakeClock) -> None:
    kept = views(tmp_path, clock)
    first = await kept.add(MINE, name="Buyers", card={})
    await kept.add(OTHER, name="Buyers", card={})
    with pytest.raises(Conflict, match="of this name"):
        await kept.add(MINE, name="BUYERS", card={})
    second = await kept.add(MINE, name="Sellers", card={})
    with pytest.raises(Conflict, match="at most 2 saved views"):
        await kept.add(MINE, name="Thirds", card={})
    with pytest.raises(Conflict, match="of this name"):
        await kept.replace(MINE, second.id, name="buyers", card={})
    assert (await kept.replace(MINE, first.id, name="BUYERS", card={})).version == 2
    await kept.remove(MINE, first.id)
    clock.advance(1)
    await kept.add(MINE, name="Thirds", card={})
    assert [one.name for one in await kept.of_project(MINE)] == ["Sellers", "Thirds"]


async def test_many_at_once_stay_within_the_bound(tmp_path: Path, clock: FakeClock) -> None:
    stores = [views(tmp_path, clock, most=5) for _ in range(3)]
    asked = [stores[number % 3].add(MINE, name=f"v{number}", card={}) for number in range(12)]
    outcomes = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(one, StoredView) for one in outcomes) == 5
    assert sum(isinstance(one, Conflict) for one in outcomes) == 7
    assert len((await JsonFile(tmp_path, "views", StoredView, clock=clock).load_anew()).records) == 5


async def test_ids_of_another_project_and_of_no_grammar_are_not_found(tmp_path: Path, clock: FakeClock) -> None:
    kept = views(tmp_path, clock)
    record = await kept.add(MINE, name="Buyers", card={})
    for project_id, record_id in ((OTHER, record.id), (MINE, "a" * 20), (MINE, "../users"), (MINE, "")):
        for change in (
            kept.get(project_id, record_id),
            kept.remove(project_id, record_id),
            kept.replace(project_id, record_id, name="x"),
        ):
            with pytest.raises(NotFound):
                await change
    assert await kept.get(MINE, record.id) == record


async def test_only_the_version_that_was_read_is_overwritten(tmp_path: Path, clock: FakeClock) -> None:
    notes = open_saved(tmp_path, clock).notes
    note = await notes.add(MINE, start="2025-11-20", end=None, text="a")
    await notes.replace(MINE, note.id, expected_version=1, text="b")
    with pytest.raises(Conflict) as refused:
        await notes.replace(MINE, note.id, expected_version=1, text="c")
    assert refused.value.code == "version_conflict"
    assert isinstance(found := await notes.get(MINE, note.id), StoredNote)
    assert (found.text, found.version) == ("b", 2)


async def test_openings_are_counted_and_rarely_written(tmp_path: Path, clock: FakeClock) -> None:
    shares = open_saved(tmp_path, clock).shares
    share, token = await shares.make(MINE, kind="view", target_id="a" * 20, question={})
    written = []
    for _ in range(5):
        found = await shares.by_token(token)
        assert found is not None
        await shares.count_opened(found)
        written.append((await shares.get(MINE, share.id)).opened)
        clock.advance(WRITE_OPENED_US / 1_000_000 / 2)
    assert written == [1, 1, 3, 3, 5]
    last = await shares.get(MINE, share.id)
    assert (shares.opened_by_now(last), last.version) == (5, 1)
    assert isinstance(last, StoredShare)

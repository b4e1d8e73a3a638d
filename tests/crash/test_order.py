"""The order of system calls: what an answer, a manifest or a removal relies on would have outlived power loss.

A killed process proves nothing of the kind: the page cache outlives it. So the real calls are recorded and replayed
on a model of the disk, and the model is tried on records with a call missing or late.
"""

import errno
import os
import re
from collections import Counter
from dataclasses import replace
from functools import partial
from pathlib import Path, PurePath

import pytest

from iafa.errors import StorageUnavailable
from iafa.journal.writer import JournalLimits
from tests.support.calls import ANSWER, CREATE, LINK, MAKE_DIR, RENAME, SYNC, UNLINK, WRITE, Call, Recorder
from tests.support.crasher import notes_of, take_note
from tests.support.events import NOON_US, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake
from tests.support.order import JOURNAL, MANIFEST, METADATA, NEED_NOT_LAST, PART, SEGMENT, breaches


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> list[Call]:
    """From an empty folder: a change of metadata, two journals, two flushes over a day border, a merge, the trash."""
    root = tmp_path_factory.mktemp("order") / "data"
    with Recorder(root).recording() as recorder:
        lake = TestLake(root, limits=JournalLimits(segment_events_max=10))
        notes = notes_of(root, lake)
        for start in range(2):
            notes.change_now(partial(take_note, f"note-{start}"))
            recorder.answer(METADATA)
            journal = lake.open_journal()
            for batch in range(3):
                events = make_events(9, prefix=f"{start}-{batch}")
                late = make_event(id=f"late-{start}-{batch}", created_at=NOON_US - 86_400_000_000)
                journal.append_blocking(PROJECT, lake.clock.now_us(), encode([*events, late]), 10)
                recorder.answer(JOURNAL)
            lake.flusher.run()
            journal.close()
            lake.flusher.run()
        lake.compactor.run(everything=True)
        lake.clock.advance(601)
        lake.compactor.run()
    return recorder.calls


def test_every_answer_manifest_and_removal_relies_on_what_lasts(recorded: list[Call]) -> None:
    assert breaches(recorded) == []


@pytest.mark.parametrize(
    ("pattern", "kind"),
    [
        (SEGMENT, WRITE),
        (SEGMENT, "sync"),
        (SEGMENT, "unlink"),
        (PART, "rename"),
        (PART, "unlink"),
        (MANIFEST, "link"),
    ],
    ids=lambda value: getattr(value, "pattern", value),
)
def test_the_record_holds_what_it_is_to_judge(recorded: list[Call], pattern: re.Pattern[str], kind: str) -> None:
    assert sum(call.kind == kind and bool(pattern.fullmatch(call.target or call.path)) for call in recorded) >= 2


def test_every_kind_of_folder_is_synced_with_its_parent(recorded: list[Call]) -> None:
    made = Counter(call.path for call in recorded if call.kind == MAKE_DIR)
    project = f"events/project_{PROJECT}"
    assert {"journal", "metadata", "events", project, f"{project}/manifest", f"{project}/2025/11"} <= set(made)


def needed_syncs(calls: list[Call]) -> list[int]:
    """Every sync of something that must last and has changed since it was synced the last time."""
    found = []
    filled = {call.path for call in calls if call.kind == WRITE}
    changed: set[str] = set()
    known: set[str] = set()
    for number, call in enumerate(calls):
        if call.kind in (CREATE, MAKE_DIR, RENAME, LINK):
            name = call.target or call.path
            is_empty = SEGMENT.fullmatch(name) and name not in filled
            if not is_empty and not NEED_NOT_LAST.fullmatch(name):
                changed.add(PurePath(name).parent.as_posix())
        elif call.kind == WRITE:
            changed.add(call.path)
        elif call.kind == SYNC and not call.path.endswith("/acked"):
            is_new_file = call.path not in known and bool(PurePath(call.path).suffix)
            if call.path in changed or is_new_file:
                found.append(number)
            changed.discard(call.path)
            known.add(call.path)
    return found


def is_barrier(call: Call, path: str) -> bool:
    """Whether the call may rely on the path having been synced."""
    if call.kind == UNLINK:
        return bool(SEGMENT.fullmatch(call.path) or PART.fullmatch(call.path))
    return call.kind in (ANSWER, LINK) or (call.kind == RENAME and call.path == path)


@pytest.mark.parametrize("is_late", [False, True], ids=["missing", "late"])
def test_every_sync_that_is_missing_or_late_is_noticed(recorded: list[Call], is_late: bool) -> None:
    needed = needed_syncs(recorded)
    kinds = Counter(_kind_of(recorded[number].path) for number in needed)
    assert min(kinds[kind] for kind in ("segment", "manifest", "part", "metadata", "folder")) >= 2, kinds
    for number in needed:
        call = recorded[number]
        barriers = [at for at, other in enumerate(recorded) if is_barrier(other, call.path)]
        first = max((at for at in barriers if at < number), default=0)
        # The answer may come before the next segment's folder is synced, so that late means after two barriers.
        last, later = [*(at for at in barriers if at > number), *[len(recorded)] * 2][:2]
        if is_late and later == len(recorded):
            continue  # nothing comes after it that could rely on it
        rest = [other for other in recorded[first:last] if (other.kind, other.path) != (SYNC, call.path)]
        late = [call] if is_late else []
        changed = [*recorded[:first], *rest, *recorded[last : later + 1], *late, *recorded[later + 1 :]]
        assert breaches(changed), f"call {number} may be {call} missing or late, and nobody notices"


def _kind_of(path: str) -> str:
    if SEGMENT.fullmatch(path):
        return "segment"
    if path.endswith(".json.tmp") or ".json." in path:
        return "metadata" if path.startswith("metadata/") else "manifest"
    return "part" if path.endswith(".parquet") else "folder"


@pytest.mark.parametrize("pattern", [SEGMENT, PART], ids=["segment", "part"])
def test_removal_before_the_manifest_is_noticed(recorded: list[Call], pattern: re.Pattern[str]) -> None:
    """Each removal put before the manifest that made its file superfluous."""
    tried = 0
    for number, call in enumerate(recorded):
        filled = [at for at in range(number) if _fills(recorded[at], call.path)]
        if call.kind != UNLINK or not pattern.fullmatch(call.path) or not filled:
            continue
        # A part is needed from the first manifest that lists it, a segment from its last record on.
        start = next(at for at in range(filled[-1], number) if pattern is SEGMENT or recorded[at].kind == LINK)
        early = [*recorded[: start + 1], call, *recorded[start + 1 : number], *recorded[number + 1 :]]
        assert breaches(early), call
        tried += 1
    assert tried >= 2


def _fills(call: Call, path: str) -> bool:
    return (call.kind == WRITE and call.path == path) or (call.kind == RENAME and call.target == path)


def test_part_that_gets_its_name_after_the_manifest_is_noticed(recorded: list[Call]) -> None:
    tried = 0
    for number, call in enumerate(recorded):
        if call.kind == RENAME and PART.fullmatch(call.target):
            link = next(at for at in range(number, len(recorded)) if recorded[at].kind == LINK)
            late = [*recorded[:number], *recorded[number + 1 : link + 1], call, *recorded[link + 1 :]]
            assert breaches(late), call
            tried += 1
    assert tried >= 3


def test_refused_bytes_are_cut_off_first_and_their_file_is_never_synced_again(tmp_path: Path) -> None:
    root = tmp_path / "data"
    lake = TestLake(root)
    real = os.fdatasync
    is_sick = True

    def sync(descriptor: int) -> None:
        if is_sick:
            raise OSError(errno.EIO, "the disk says no")
        real(descriptor)

    recorder = Recorder(root)
    with pytest.MonkeyPatch.context() as patch:
        journal = lake.open_journal()
        patch.setattr(os, "fdatasync", sync)
        with recorder.recording():
            with pytest.raises(StorageUnavailable):
                journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
            is_sick = False
            journal.append_blocking(PROJECT, NOON_US, encode(make_events(1)), 1)
            recorder.answer(JOURNAL)
        journal.close()
    assert breaches(recorder.calls) == []
    (failed,) = [number for number, call in enumerate(recorder.calls) if call.failed]
    cut = next(number for number, call in enumerate(recorder.calls) if call.kind == "truncate")
    uncut = recorder.calls[:cut] + recorder.calls[cut + 1 :]
    assert breaches(uncut)
    again = replace(recorder.calls[failed], failed=False)
    assert breaches([*recorder.calls[: cut + 1], again, *recorder.calls[cut + 1 :]])

"""A model of what power loss leaves: content lasts once its file is synced, a name once its folder is synced.

`breaches` replays calls on it and says where something relied on what would not have lasted. Knows the paths of
docs/data-format.md and nothing of the product.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePath

from tests.support.calls import SYNC, Call

SEGMENT = re.compile(r"journal/\d+/\d+\.ndjson")
MANIFEST = re.compile(r"events/[^/]+/manifest/\d{10}\.json")
PART = re.compile(r"events/.+\.parquet")
# What is made anew whenever it is missing or damaged: unfinished files, locks, what was computed from other files,
# and the window onto a journal's progress.
NEED_NOT_LAST = re.compile(r"(tmp|locks|index)/.*|index|LOCK|.*/lock|.*/acked")
JOURNAL, METADATA = "journal", "metadata"  # what an answer was given for


def breaches(calls: Iterable[Call]) -> list[str]:
    disk = _Disk()
    for number, call in enumerate(calls):
        disk.apply(number, call)
    disk.expect_names("the end")
    return disk.breaches


@dataclass
class _Disk:
    breaches: list[str] = field(default_factory=list)
    unsynced: set[str] = field(default_factory=set)  # files whose content may not last
    synced: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)  # new names, and folders, that may not last
    written: list[str] = field(default_factory=list)  # segments since the last answer for the journal
    replaced: list[str] = field(default_factory=list)  # metadata since the last answer for it
    sick: set[tuple[str, int]] = field(default_factory=set)  # files and descriptors whose sync failed
    uncut: set[str] = field(default_factory=set)  # of these, with the refused bytes still in them
    waiting: set[str] = field(default_factory=set)  # segments with records that came after the last manifest
    parts: set[str] = field(default_factory=set)  # files of the lake under their final names
    listed: dict[str, set[str]] = field(default_factory=dict)  # by project: what its newest manifest lists

    def apply(self, number: int, call: Call) -> None:
        where = f"call {number}, {call.kind} {call.path} {call.target}".rstrip()
        if call.failed:
            if call.kind == SYNC:
                self.sick.add((call.path, call.descriptor))
                self.uncut.add(call.path)
            return
        getattr(self, f"_{call.kind}")(where, call)

    def expect_names(self, where: str) -> None:
        for name in sorted(self.names):
            if not NEED_NOT_LAST.fullmatch(name):
                self.breaches.append(f"{where}: the folder of {name} has not been synced")

    def _expect_content(self, where: str, path: str) -> None:
        if path in self.unsynced or path not in self.synced:
            self.breaches.append(f"{where}: {path} has not been synced")

    def _write(self, where: str, call: Call) -> None:
        if self.uncut:
            self.breaches.append(f"{where}: written while refused bytes lie in {sorted(self.uncut)}")
        self.unsynced.add(call.path)
        if SEGMENT.fullmatch(call.path):
            self.written.append(call.path)
            self.waiting.add(call.path)

    def _truncate(self, _where: str, call: Call) -> None:
        if call.path in self.uncut:  # what is left is what was acknowledged, and synced for that
            self.uncut.discard(call.path)
            self.unsynced.discard(call.path)
            self.written = [path for path in self.written if path != call.path]

    def _sync(self, where: str, call: Call) -> None:
        if (call.path, call.descriptor) in self.sick:
            self.breaches.append(f"{where}: synced again by a descriptor whose sync has failed")
        self.unsynced.discard(call.path)
        self.synced.add(call.path)
        self.names = {name for name in self.names if PurePath(name).parent.as_posix() != call.path}

    def _create(self, _where: str, call: Call) -> None:
        self.names.add(call.path)

    def _mkdir(self, _where: str, call: Call) -> None:
        self.names.add(call.path)

    def _rename(self, where: str, call: Call) -> None:
        if not NEED_NOT_LAST.fullmatch(call.target):
            self._expect_content(where, call.path)
        self._named(call)
        self.names.discard(call.path)
        if PART.fullmatch(call.target):
            self.parts.add(call.target)
        if call.target.startswith("metadata/"):
            self.replaced.append(call.target)

    def _link(self, where: str, call: Call) -> None:
        self._expect_content(where, call.path)
        self.expect_names(where)
        self._named(call)
        if MANIFEST.fullmatch(call.target):
            self.waiting.clear()
            project = PurePath(call.target).parents[1]
            self.listed[project.name] = {(project / path).as_posix() for path in call.lists}
            for path in sorted(self.listed[project.name] - self.parts):
                self.breaches.append(f"{where}: lists {path}, which is not there")

    def _named(self, call: Call) -> None:
        self.names.add(call.target)
        self.synced.add(call.target)

    def _unlink(self, where: str, call: Call) -> None:
        self.names.discard(call.path)
        is_part = PART.fullmatch(call.path)
        if is_part or SEGMENT.fullmatch(call.path):
            self.expect_names(where)
        if call.path in self.waiting:
            self.breaches.append(f"{where}: its records are in no manifest")
        if is_part and call.path in self.listed.get(PurePath(call.path).parts[1], ()):
            self.breaches.append(f"{where}: the newest manifest lists it")

    def _answer(self, where: str, call: Call) -> None:
        changed = self.written if call.path == JOURNAL else self.replaced
        if not changed:
            self.breaches.append(f"{where}: nothing has been written for it")
        for path in changed:
            self._expect_content(where, path)
            # Not all names: the next segment may be coming to life beside the answer.
            for name in sorted(self.names & {path, *(folder.as_posix() for folder in PurePath(path).parents)}):
                self.breaches.append(f"{where}: the folder of {name} has not been synced")
        changed.clear()

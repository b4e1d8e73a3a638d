"""Reading the audit log, newest first: what concerns some objects, in pages. Each page reads a bounded part of it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from iafa.audit import Entry, audit_files

END = 2**53  # a number that no entry has
SCAN_BYTES_MAX = 32 * 1024**2  # of one page: a filter that nothing meets must not read the whole log
PROJECT_DELETED = "project.delete"
_FIRST_NUMBER = re.compile(rb'\{"v":\d+,"n":(\d{1,15}),')
_HEAD_BYTES = 64


class Wanted(msgspec.Struct, frozen=True):
    """Entries about any of the objects. `action` is one, or the part before its point: `key` means `key.make` too.
    Times are texts as in the log."""

    objects: frozenset[str]
    actor: str | None = None
    action: str | None = None
    start: str = ""
    end: str = "~"

    def takes(self, entry: Entry) -> bool:
        return (
            entry.object in self.objects
            and self.actor in (None, entry.actor)
            and (self.action is None or entry.action == self.action or entry.action.startswith(f"{self.action}."))
            and self.start <= entry.at < self.end
        )


class Page(NamedTuple):
    """`before`: ask for what is older than that; None at the end of the log. A page may be short, or empty."""

    entries: list[Entry]
    before: int | None


@dataclass
class AuditPages:
    """Blocking."""

    root: Path
    scan_bytes_max: int = SCAN_BYTES_MAX
    _deleted: dict[str, tuple[int, list[tuple[str, str]]]] = field(default_factory=dict)

    def page(self, wanted: Wanted, before: int, limit: int) -> Page:
        """The newest entries whose number is lower than `before`."""
        found: list[Entry] = []
        room = self.scan_bytes_max
        for path in self._files(before):
            if room <= 0:
                return Page(found, before)
            content, first = _content(path), before
            for entry in _entries(content):
                if entry.n >= before:
                    continue
                before = entry.n
                if wanted.takes(entry):
                    found.append(entry)
                    if len(found) == limit:
                        return Page(found, before if before > 1 else None)
            if before < first:  # else nothing in the file can be read, and no later page would get past it
                room -= len(content)
        return Page(found, None)

    def deleted_projects(self, organization_id: str) -> set[str]:
        """Projects that the organization has had."""
        files = audit_files(self.root)
        names = {path.name for path in files}
        self._deleted = {name: known for name, known in self._deleted.items() if name in names}
        for path in files:
            if self._deleted.get(path.name, (-1, []))[0] != _size(path):
                content = _content(path)
                self._deleted[path.name] = (len(content), list(_deletions(content)))
        return {project for _, known in self._deleted.values() for owner, project in known if owner == organization_id}

    def _files(self, before: int) -> Iterator[Path]:
        """Those that hold something older, the newest first."""
        for path in reversed(audit_files(self.root)):
            first = _FIRST_NUMBER.match(_content(path, _HEAD_BYTES))
            if first is None or int(first[1]) < before:
                yield path


def _content(path: Path, size: int = -1) -> bytes:
    """What is there now; nothing of a file that was removed to make room."""
    try:
        with path.open("rb") as file:
            return file.read(size)
    except FileNotFoundError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _entries(content: bytes) -> Iterator[Entry]:
    """Newest first; a line that is none is left out, `iafa verify` names it."""
    for line in reversed(content.splitlines(keepends=True)):
        try:
            entry = msgspec.json.decode(line, type=Entry)
        except msgspec.DecodeError:
            continue
        if line.endswith(b"\n"):
            yield entry


def _deletions(content: bytes) -> Iterator[tuple[str, str]]:
    """(organization, project)"""
    if f'"action":"{PROJECT_DELETED}"'.encode() not in content:
        return
    for entry in _entries(content):
        if entry.action == PROJECT_DELETED and isinstance(entry.details, dict):
            yield str(entry.details.get("organization")), entry.object.removeprefix("project:")

"""The audit log: who did what to which object. JSON lines that are only added, each with the hash of the one before.

A changed, missing or moved line breaks the chain. `head.json` names the last entry, so that a cut end shows too. That
finds mistakes and quiet edits; whoever may write to the folder can still make a whole new chain. Files are bounded in
size and number: the entry `audit.remove` says with which entry the oldest file ended that was removed.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from iafa.clock import Clock, to_datetime, to_iso
from iafa.durable import append_synced, cut, unlink, write_private
from iafa.errors import DataDamaged
from iafa.failpoints import Hit, no_failpoints
from iafa.locks import held

FORMAT_VERSION = 1
HEAD_NAME = "head.json"
LOCK_NAME = "lock"
FIRST_PREVIOUS = "0" * 64
UNFINISHED = "is unfinished; the next entry mends that"
FILE_BYTES_MAX = 4 * 1024**2  # a file that has more gets no more entries
FILES_MAX = 256
REMOVED = "audit.remove"
_SEPARATOR = b',"hash":"'
_TAIL_BYTES = 64 * 1024
_NAME = re.compile(r"audit_(\d{4}-\d{2})(?:\.(\d{1,9}))?\.jsonl")


class Entry(msgspec.Struct, frozen=True):
    """One line. `hash` is the SHA-256 of the line up to before `,"hash"`."""

    v: int
    n: int
    at: str
    actor: str
    action: str
    object: str
    details: Any
    previous: str
    hash: str = ""


class _Head(msgspec.Struct, frozen=True):
    n: int
    hash: str


@dataclass(frozen=True)
class AuditLog:
    """`add` may be called by several processes at once: a lock puts them in a row."""

    root: Path
    clock: Clock
    hit: Hit = no_failpoints
    file_bytes_max: int = FILE_BYTES_MAX
    files_max: int = FILES_MAX

    def add(self, actor: str, action: str, object: str, details: Mapping[str, Any]) -> int:
        """Write one entry, durable when it returns, and give its number. Raises OSError when it cannot be written."""
        with held(self.root / LOCK_NAME):
            files = audit_files(self.root)
            last = self._mended(files)
            path = self._path_of_next(files)
            last = self._append(path, last, actor, action, object, details)
            if path not in files and len(files) >= self.files_max:
                self._remove_oldest(path, files[: len(files) - self.files_max + 1], last)
            return last.n

    def _append(
        self, path: Path, last: "_Head", actor: str, action: str, object: str, details: Mapping[str, Any]
    ) -> "_Head":
        entry = Entry(
            v=FORMAT_VERSION,
            n=last.n + 1,
            at=to_iso(self.clock.now_us()),
            actor=actor,
            action=action,
            object=object,
            details=dict(details),
            previous=last.hash,
        )
        line, hash = _line(entry)
        append_synced(path, line)
        self.hit("audit.appended")
        head = _Head(entry.n, hash)
        write_private(self.root / HEAD_NAME, msgspec.json.encode(head))
        return head

    def _path_of_next(self, files: list[Path]) -> Path:
        """A new file for each month and whenever one is full."""
        month = f"{to_datetime(self.clock.now_us()):%Y-%m}"
        if not files:
            return self.root / f"audit_{month}.jsonl"
        newest_month, number = _place(files[-1])
        if month > newest_month:
            return self.root / f"audit_{month}.jsonl"
        if files[-1].stat().st_size < self.file_bytes_max:
            return files[-1]
        return self.root / f"audit_{newest_month}.{number + 1:03}.jsonl"

    def _remove_oldest(self, path: Path, files: list[Path], last: "_Head") -> None:
        """First the entry that lets the chain begin later, then the files."""
        end = _last_entry(files[-1])
        if end is None:
            return  # damaged: `verify` names it, and nothing is removed meanwhile
        names = [file.name for file in files]
        self._append(path, last, "server", REMOVED, "audit", {"files": names, "n": end.n, "hash": end.hash})
        for file in files:
            unlink(file)

    def _mended(self, files: list[Path]) -> "_Head":
        """The last entry, after a line that a crash left unfinished was cut off: nobody was told that it is there."""
        head = _read_head(self.root) or _Head(0, FIRST_PREVIOUS)
        if not files:
            return head
        newest = files[-1]
        if _tail(newest)[-1:] not in (b"", b"\n"):
            cut(newest, newest.read_bytes().rfind(b"\n") + 1)
        last = next((_last_entry(file) for file in reversed(files[-2:]) if file.stat().st_size), None)
        # An entry whose head was not written any more is valid. One that the head knows and that is gone stays a gap.
        return head if last is None or last.n <= head.n else _Head(last.n, last.hash)


def audit_files(root: Path) -> list[Path]:
    """By age: a file's name is never earlier than that of the one before it, whatever the clock says."""
    return sorted((path for path in root.glob("audit_*.jsonl") if _NAME.fullmatch(path.name)), key=_place)


def _place(path: Path) -> tuple[str, int]:
    """The month, and which of its files it is."""
    found = _NAME.fullmatch(path.name)
    assert found is not None
    return found[1], int(found[2] or 0)


def _content(path: Path) -> bytes:
    """Nothing of a file that was just removed to make room: then lines are missing for who does not hold the lock."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return b""


def _tail(path: Path, size: int = _TAIL_BYTES) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - size))
        return file.read()


def _last_entry(path: Path) -> Entry | None:
    """None when the last line is none: verify names it, and the chain goes on from the head."""
    lines = _tail(path).splitlines()
    if len(lines) < 2:
        lines = path.read_bytes().splitlines()
    try:
        return msgspec.json.decode(lines[-1], type=Entry) if lines else None
    except msgspec.DecodeError:
        return None


def verify(path: Path) -> list[str]:
    """What is wrong with the log in a folder, or with one of its files alone; nothing if it is whole."""
    root = path if path.is_dir() else path.parent
    known = audit_files(root)
    files = known if path.is_dir() else [path]
    problems: list[str] = []
    is_from_start = files[:1] == known[:1]
    previous = _beginning(known) if is_from_start else None
    for file in files:
        for number, line in enumerate(_content(file).splitlines(keepends=True), start=1):
            previous, found = _checked(line, previous)
            problems += [f"{file.name} line {number}: {problem}" for problem in found]
    if files[-1:] == known[-1:]:
        try:
            head = _read_head(root)
        except DataDamaged as error:
            return [*problems, error.detail]
        last = previous or _Head(0, FIRST_PREVIOUS)
        if head is not None and (head.n > last.n or (head.n == last.n and head.hash != last.hash)):
            problems.append(f"the end is missing: entry {head.n} was written, the last one here is {last.n}")
    return problems


def _beginning(files: list[Path]) -> _Head:
    """What the first entry must follow: nothing, or the end of a file that was removed to make room."""
    nothing = _Head(0, FIRST_PREVIOUS)
    first = next((line for file in files[:1] for line in _content(file).splitlines()), b"")
    try:
        entry = msgspec.json.decode(first, type=Entry)
    except msgspec.DecodeError:
        return nothing
    if entry.n == 1:
        return nothing
    wanted = {"n": entry.n - 1, "hash": entry.previous}
    is_told = any(
        {name: one.details.get(name) for name in wanted} == wanted for file in files for one in _removals(file)
    )
    return _Head(entry.n - 1, entry.previous) if is_told else nothing


def _removals(file: Path) -> Iterator[Entry]:
    marked = f'"action":"{REMOVED}"'.encode()
    for line in _content(file).splitlines():
        if marked in line:
            with suppress(msgspec.DecodeError):
                entry = msgspec.json.decode(line, type=Entry)
                if entry.action == REMOVED and isinstance(entry.details, dict):
                    yield entry


def _checked(line: bytes, previous: _Head | None) -> tuple[_Head | None, list[str]]:
    if not line.endswith(b"\n"):
        return previous, [UNFINISHED]
    try:
        entry = msgspec.json.decode(line, type=Entry)
    except msgspec.DecodeError as error:
        return previous, [f"is no entry: {error}"]
    return _Head(entry.n, entry.hash), list(_breaches(line, entry, previous))


def _breaches(line: bytes, entry: Entry, previous: _Head | None) -> Iterator[str]:
    body, _, _ = line.rpartition(_SEPARATOR)
    if hashlib.sha256(body).hexdigest() != entry.hash:
        yield "was changed: its hash does not fit"
    if previous is None:
        return
    if entry.n != previous.n + 1:
        yield f"is entry {entry.n}, expected {previous.n + 1}: lines are missing or moved"
    elif entry.previous != previous.hash:
        yield "does not follow from the line before it"


def _line(entry: Entry) -> tuple[bytes, str]:
    """JSON of ASCII characters only, so that no name can break the line or a terminal."""
    members = {name: getattr(entry, name) for name in Entry.__struct_fields__ if name != "hash"}
    body = json.dumps(members, ensure_ascii=True, separators=(",", ":")).encode()[:-1]
    hash = hashlib.sha256(body).hexdigest()
    return body + _SEPARATOR + hash.encode() + b'"}\n', hash


def _read_head(root: Path) -> _Head | None:
    path = root / HEAD_NAME
    if not path.exists():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=_Head)
    except msgspec.DecodeError as error:
        raise DataDamaged(f"{path} is damaged: {error}; run `iafa verify`") from error

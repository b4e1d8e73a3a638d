"""The audit log: who did what to which object. JSON lines that are only added, each with the hash of the one before.

A changed, missing or moved line breaks the chain. `head.json` names the last entry, so that a cut end shows too. That
finds mistakes and quiet edits; whoever may write to the folder can still make a whole new chain.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from iafa.clock import Clock, to_datetime, to_iso
from iafa.durable import append_synced, cut, write_private
from iafa.errors import DataDamaged
from iafa.failpoints import Hit, no_failpoints
from iafa.locks import held

FORMAT_VERSION = 1
HEAD_NAME = "head.json"
LOCK_NAME = "lock"
FIRST_PREVIOUS = "0" * 64
UNFINISHED = "is unfinished; the next entry mends that"
_SEPARATOR = b',"hash":"'


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

    def add(self, actor: str, action: str, object: str, details: Mapping[str, Any]) -> int:
        """Write one entry, durable when it returns, and give its number. Raises OSError when it cannot be written."""
        with held(self.root / LOCK_NAME):
            path = self._newest_file()
            last = self._mended(path)
            now_us = self.clock.now_us()
            entry = Entry(
                v=FORMAT_VERSION,
                n=last.n + 1,
                at=to_iso(now_us),
                actor=actor,
                action=action,
                object=object,
                details=dict(details),
                previous=last.hash,
            )
            line, hash = _line(entry)
            of_month = self.root / f"audit_{to_datetime(now_us):%Y-%m}.jsonl"
            append_synced(of_month if path is None else max(path, of_month), line)
            self.hit("audit.appended")
            write_private(self.root / HEAD_NAME, msgspec.json.encode(_Head(entry.n, hash)))
            return entry.n

    def _newest_file(self) -> Path | None:
        return max(audit_files(self.root), default=None)

    def _mended(self, path: Path | None) -> _Head:
        """The last entry, after a line that a crash left unfinished was cut off: nobody was told that it is there."""
        head = _read_head(self.root) or _Head(0, FIRST_PREVIOUS)
        if path is None:
            return head
        content = path.read_bytes()
        whole = content[: content.rfind(b"\n") + 1]
        if len(whole) < len(content):
            cut(path, len(whole))
        lines = whole.splitlines()
        if not lines and len(audit_files(self.root)) > 1:
            lines = audit_files(self.root)[-2].read_bytes().splitlines()
        try:
            last = msgspec.json.decode(lines[-1], type=Entry) if lines else None
        except msgspec.DecodeError:
            last = None  # verify names it; the chain goes on from the head
        # An entry whose head was not written any more is valid. One that the head knows and that is gone stays a gap.
        return head if last is None or last.n <= head.n else _Head(last.n, last.hash)


def audit_files(root: Path) -> list[Path]:
    """By age: a file's name is never earlier than that of the one before it, whatever the clock says."""
    return sorted(root.glob("audit_????-??.jsonl"))


def verify(path: Path) -> list[str]:
    """What is wrong with the log in a folder, or with one of its files alone; nothing if it is whole."""
    root = path if path.is_dir() else path.parent
    known = audit_files(root)
    files = known if path.is_dir() else [path]
    problems: list[str] = []
    is_from_start = files[:1] == known[:1]
    previous = _Head(0, FIRST_PREVIOUS) if is_from_start else None
    for file in files:
        for number, line in enumerate(file.read_bytes().splitlines(keepends=True), start=1):
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

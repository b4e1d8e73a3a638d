"""The last number given to a process start. It is never given twice: journals, manifests and file names rely on it."""

import re
from collections.abc import Callable
from pathlib import Path

import msgspec

from iafa.durable import replace
from iafa.errors import DataDamaged
from iafa.seal import is_sealed, sealed

FORMAT_VERSION = 2  # 1 was the bare number
EPOCH_NAME = "epoch"
STEP_WHEN_UNSURE = 1_000  # above everything that is known, when the file is gone or damaged


class _Document(msgspec.Struct):
    format: int
    epoch: int


def read_epoch(root: Path) -> int | None:
    """None when the file is missing or is not what was written; a later format is refused."""
    path = root / EPOCH_NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    if re.fullmatch(rb"[0-9]{1,15}", data):  # format 1
        return int(data)
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if not is_sealed(data):
        return None
    if document.format > FORMAT_VERSION:
        raise DataDamaged(f"{path} has format {document.format}; this version reads up to {FORMAT_VERSION}")
    return document.epoch


def write_epoch(root: Path, epoch: int) -> None:
    replace(root / EPOCH_NAME, sealed(msgspec.json.encode(_Document(FORMAT_VERSION, epoch))))


def highest_journal(root: Path) -> int:
    """The highest number that a journal's folder has; 0 when there is none."""
    if not root.is_dir():
        return 0
    return max((int(entry.name) for entry in root.iterdir() if entry.name.isdigit()), default=0)


def next_epoch(root: Path, known_elsewhere: Callable[[], int]) -> int:
    """The next number that no process start has had before. The caller holds the births lock.

    Without a sound file it is taken from what numbers left behind: the journals and, by `known_elsewhere`, the lake.
    """
    known = read_epoch(root)
    if known is None:
        known = max(highest_journal(root), known_elsewhere())
        known += STEP_WHEN_UNSURE if known or (root / EPOCH_NAME).exists() else 0
    epoch = max(known, highest_journal(root)) + 1
    write_epoch(root, epoch)
    return epoch

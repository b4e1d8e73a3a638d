"""The published acknowledged position of one journal: a tiny shared mapping, written by its one writer.

It outlives a killed process (the page cache keeps it), so that a reader never has to ask who is alive.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from iafa.durable import PRIVATE_FILE
from iafa.journal.format import ACKED_NAME

_LAYOUT = struct.Struct("<QQQ")  # version (odd while it is being written), segment, offset
_TRIES = 10_000


@dataclass(frozen=True)
class Position:
    """Everything in earlier segments, and the first `offset` bytes of `segment`, is acknowledged."""

    segment: int
    offset: int


class AckedWriter:
    """Owned by the journal's writer; `publish` is one copy of 24 bytes."""

    def __init__(self, directory: Path) -> None:
        descriptor = os.open(directory / ACKED_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.ftruncate(descriptor, _LAYOUT.size)
            self._map = mmap.mmap(descriptor, _LAYOUT.size)
        finally:
            os.close(descriptor)
        self._version = 0

    def publish(self, position: Position) -> None:
        self._map[0:8] = struct.pack("<Q", self._version + 1)
        self._map[8:24] = struct.pack("<QQ", position.segment, position.offset)
        self._map[0:8] = struct.pack("<Q", self._version + 2)
        self._version += 2

    def close(self) -> None:
        self._map.close()


def read_acked(directory: Path) -> Position:
    """The published position; the very start when the journal has published nothing yet."""
    try:
        descriptor = os.open(directory / ACKED_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Position(0, 0)
    try:
        return _read_stable(descriptor)
    finally:
        os.close(descriptor)


def _read_stable(descriptor: int) -> Position:
    data = b""
    for _ in range(_TRIES):
        data, again = os.pread(descriptor, _LAYOUT.size, 0), os.pread(descriptor, _LAYOUT.size, 0)
        if len(data) < _LAYOUT.size:
            return Position(0, 0)
        if data == again and data[0] % 2 == 0:
            break
    # An odd version that stays: the writer was killed between its stores; what it published had been synced before.
    _version, segment, offset = _LAYOUT.unpack(data)
    return Position(segment, offset)

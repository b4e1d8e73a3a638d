"""The published acknowledged position of one journal: a tiny shared mapping, written by its one writer.

It outlives a killed process (the page cache keeps it), so that a reader never has to ask who is alive.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

from iafa.durable import PRIVATE_FILE, write_all
from iafa.journal.format import ACKED_NAME

# version (odd while it is being written), segment, offset; then segment and offset of a refused tail, 0 for none
_LAYOUT = struct.Struct("<QQQQQ")
_TRIES = 10_000


@dataclass(frozen=True)
class Position:
    """Everything in earlier segments, and the first `offset` bytes of `segment`, is acknowledged."""

    segment: int
    offset: int


@dataclass(frozen=True)
class Published:
    """`refused`: its segment ends at that offset for ever, although bytes that were refused may lie behind it."""

    acked: Position
    refused: Position | None = None

    def end_of(self, segment: int) -> int | None:
        """How many bytes of a closed segment count; None for all."""
        return self.refused.offset if self.refused is not None and self.refused.segment == segment else None


class AckedWriter:
    """Owned by the journal's writer; each call is one copy of a few bytes."""

    def __init__(self, directory: Path) -> None:
        descriptor = os.open(directory / ACKED_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            # Written, not stretched: storing into a hole of a full disk would end the process.
            write_all(descriptor, bytes(_LAYOUT.size))
            os.fsync(descriptor)
            self._map = mmap.mmap(descriptor, _LAYOUT.size)
        finally:
            os.close(descriptor)
        self._version = 0

    def publish(self, position: Position) -> None:
        self._store(8, position)

    def refuse_behind(self, position: Position) -> None:
        """What lies behind this position was refused and may not be cut off yet. The segment gets no more records."""
        self._store(24, position)

    def _store(self, at: int, position: Position) -> None:
        self._map[0:8] = struct.pack("<Q", self._version + 1)
        self._map[at : at + 16] = struct.pack("<QQ", position.segment, position.offset)
        self._map[0:8] = struct.pack("<Q", self._version + 2)
        self._version += 2

    def close(self) -> None:
        self._map.close()


def read_acked(directory: Path) -> Position:
    """The published position; the very start when the journal has published nothing yet."""
    return read_published(directory).acked


def read_published(directory: Path) -> Published:
    try:
        descriptor = os.open(directory / ACKED_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return Published(Position(0, 0))
    try:
        return _read_stable(descriptor)
    finally:
        os.close(descriptor)


def _read_stable(descriptor: int) -> Published:
    data = b""
    for _ in range(_TRIES):
        data, again = os.pread(descriptor, _LAYOUT.size, 0), os.pread(descriptor, _LAYOUT.size, 0)
        if data == again and (not data or data[0] % 2 == 0):
            break
    # An odd version that stays: the writer was killed between its stores; what it published had been synced before.
    # A file of an earlier version is shorter and says nothing of refused tails.
    _version, segment, offset, refused, end = _LAYOUT.unpack(data.ljust(_LAYOUT.size, b"\0"))
    return Published(Position(segment, offset), Position(refused, end) if refused else None)

"""The published acknowledged position of one journal: a tiny shared mapping, written by its one writer.

It outlives a killed process (the page cache keeps it), so that a reader never has to ask who is alive.
"""

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

import google_crc32c

from iafa.durable import PRIVATE_FILE, write_all
from iafa.journal.format import ACKED_NAME

# version (odd while it is being written), segment, offset, segment and offset of a refused tail (0 for none), and the
# CRC32C of these four
_LAYOUT = struct.Struct("<QQQQQQ")
_FIRST_LAYOUT = struct.Struct("<QQQ")  # format 1: no refused tail, no checksum
_PLACES = struct.Struct("<QQQQ")
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
        self._published = Published(Position(0, 0))
        self._store(self._published)  # from now on a missing or wrong checksum means damage

    def publish(self, position: Position) -> None:
        self._store(Published(position, self._published.refused))

    def refuse_behind(self, position: Position) -> None:
        """What lies behind this position was refused and may not be cut off yet. The segment gets no more records."""
        self._store(Published(self._published.acked, position))

    def _store(self, published: Published) -> None:
        self._map[0:8] = struct.pack("<Q", self._version + 1)
        self._map[8 : _LAYOUT.size] = _places(published)
        self._map[0:8] = struct.pack("<Q", self._version + 2)
        self._version += 2
        self._published = published

    def close(self) -> None:
        self._map.close()


def read_acked(directory: Path) -> Position | None:
    """The published position; None when it is missing or not what was written, and so nobody knows."""
    published = read_published(directory)
    return None if published is None else published.acked


def read_published(directory: Path) -> Published | None:
    try:
        descriptor = os.open(directory / ACKED_NAME, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _read_stable(descriptor)
    finally:
        os.close(descriptor)


def _places(published: Published) -> bytes:
    acked, refused = published.acked, published.refused or Position(0, 0)
    places = _PLACES.pack(acked.segment, acked.offset, refused.segment, refused.offset)
    return places + struct.pack("<Q", google_crc32c.value(places))


def _read_stable(descriptor: int) -> Published | None:
    data = b""
    for _ in range(_TRIES):
        data, again = os.pread(descriptor, _LAYOUT.size + 1, 0), os.pread(descriptor, _LAYOUT.size + 1, 0)
        if data == again and (not data or data[0] % 2 == 0):
            break
    # An odd version that stays: the writer was killed between its stores; what it published had been synced before.
    if len(data) == _FIRST_LAYOUT.size:
        return Published(Position(*_FIRST_LAYOUT.unpack(data)[1:]))
    if len(data) != _LAYOUT.size:
        return None
    _version, segment, offset, refused, end, _checksum = _LAYOUT.unpack(data)
    published = Published(Position(segment, offset), Position(refused, end) if refused else None)
    return published if data[8:] == _places(published) else None

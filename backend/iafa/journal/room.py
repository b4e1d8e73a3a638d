"""Whether more may be taken: the bytes that wait for the flusher, and the disk space that others need to go on."""

import math
import os
from dataclasses import dataclass
from pathlib import Path

from iafa.clock import Clock
from iafa.journal.format import HELD_NAME, SEGMENT_SUFFIX

MEASURE_EVERY_S = 1.0


@dataclass(frozen=True)
class Refusal:
    """`label` is the counter's."""

    label: str
    detail: str


FULL = Refusal("full", "too much waits for the flusher")
DISK = Refusal("disk", "the disk is almost full")


class Room:
    """Measured by the commit thread at most once a second; others only read what is known.

    In between what this process writes is added, so that a fast writer does not run far past a limit.
    """

    def __init__(self, root: Path, clock: Clock, *, bytes_max: int, disk_free_min: int) -> None:
        self._root = root
        self._clock = clock
        self._bytes_max = bytes_max
        self._disk_free_min = disk_free_min
        self._bytes = 0
        self._free: float = math.inf
        self._written = 0
        self._measured_s = -MEASURE_EVERY_S
        self._refusal: Refusal | None = None

    def known(self) -> Refusal | None:
        """Why a request is refused at once. What is older than a measurement's life refuses nobody."""
        if self._refusal is None or self._clock.monotonic_s() - self._measured_s >= MEASURE_EVERY_S:
            return None
        return self._refusal

    @property
    def is_half_full(self) -> bool:
        return 2 * (self._bytes + self._written) > self._bytes_max

    def look(self) -> Refusal | None:
        """For the commit thread: measure if it is time, and say whether anything may be written."""
        if self._clock.monotonic_s() - self._measured_s >= MEASURE_EVERY_S:
            self._measure()
        self._refusal = self._judge()
        return self._refusal

    def add(self, written: int) -> None:
        self._written += written

    def _measure(self) -> None:
        try:
            self._bytes, self._free = bytes_of(self._root), free_bytes(self._root)
        except OSError:
            return  # no descriptor left, or a folder that went while we looked: what was known still holds
        self._written = 0
        self._measured_s = self._clock.monotonic_s()

    def _judge(self) -> Refusal | None:
        if self._bytes + self._written > self._bytes_max:
            return FULL
        if self._free - self._written < self._disk_free_min:
            return DISK
        return None


def bytes_of(root: Path) -> int:
    """Bytes of all segments of all journals, and of what is held for projects that cannot be written."""
    total = 0
    with os.scandir(root) as entries:
        folders = [entry.path for entry in entries if entry.name.isdigit()]
    if os.path.isdir(holds := root / HELD_NAME):
        with os.scandir(holds) as entries:
            folders += [entry.path for entry in entries]
    for folder in folders:
        with os.scandir(folder) as files:
            total += sum(size_of(file) for file in files if file.name.endswith(SEGMENT_SUFFIX))
    return total


def size_of(file: os.DirEntry[str]) -> int:
    try:
        return file.stat().st_size
    except FileNotFoundError:
        return 0


def free_bytes(path: Path) -> int:
    """What an ordinary user may still write."""
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize

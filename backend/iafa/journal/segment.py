"""One segment file while it is being written: what was accepted, what is synced, how a refused tail is cut off."""

import os
from pathlib import Path

from iafa.durable import PRIVATE_FILE, sync_dir, sync_file, write_all
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.format import SEGMENT_SUFFIX


def segment_path(directory: Path, number: int) -> Path:
    return directory / f"{number:06d}{SEGMENT_SUFFIX}"


class SegmentFile:
    """Bytes are written, then accepted or cut off. Nothing is written behind a tail that was not accepted."""

    def __init__(self, directory: Path, number: int, opened_s: float, hit: Hit) -> None:
        self.number = number
        self.path = segment_path(directory, number)
        self.opened_s = opened_s
        self.size = 0  # bytes accepted
        self.synced = 0  # bytes certain to survive power loss
        self.events = 0
        self.is_spent = False  # a sync failed, or its end could not be made durable: nothing more goes in
        self._end = 0  # bytes written, accepted or not
        self._hit = hit
        self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.ftruncate(self._descriptor, 0)
            sync_dir(directory)
            hit("journal.segment_dir_synced")
        except OSError:
            self.close()
            raise

    def write(self, data: bytes) -> None:
        self._hit("journal.before_write")
        if self._hit is no_failpoints:
            write_all(self._descriptor, data)
        else:
            half = len(data) // 2
            write_all(self._descriptor, memoryview(data)[:half])
            self._hit("journal.half_written")
            write_all(self._descriptor, memoryview(data)[half:])
        self._end += len(data)
        self._hit("journal.written")

    def sync(self) -> None:
        """Sync what is written. A descriptor that failed once may have dropped its pages: it is never synced again."""
        try:
            os.fdatasync(self._descriptor)
            self._hit("journal.synced")
        except OSError:
            self.is_spent = True
            raise
        self.synced = self._end

    def accept(self, events: int) -> None:
        """What is written counts from now on."""
        self.size = self._end
        self.events += events

    def cut(self) -> None:
        """Drop what was written and not accepted."""
        self._hit("journal.truncating")
        os.ftruncate(self._descriptor, self.size)
        os.lseek(self._descriptor, self.size, os.SEEK_SET)
        self._end = self.size
        self.synced = min(self.synced, self.size)

    def sync_cut(self) -> None:
        """Make a cut durable; where a sync has failed, by a descriptor that has no failure behind it."""
        if self.is_spent:
            sync_file(self.path)
            return
        try:
            os.fsync(self._descriptor)
        except OSError:
            self.is_spent = True
            raise

    @property
    def is_dirty(self) -> bool:
        return self.synced < self.size

    def unsynced(self) -> bytes:
        """Accepted bytes that no sync has confirmed."""
        with open(self.path, "rb") as file:
            file.seek(self.synced)
            return file.read(self.size - self.synced)

    def close(self) -> None:
        os.close(self._descriptor)

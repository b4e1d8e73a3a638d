"""The journal's one writer in this process: a thread that commits all waiting requests with a single sync.

A journal directory belongs to one process start (its epoch) and is never written again after it: what it leaves behind
is flushed by the flusher, so that opening an old journal for appending never happens.
"""

import asyncio
import contextlib
import os
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from iafa.clock import Clock
from iafa.durable import PRIVATE_FILE, make_dirs, replace, sync_dir, write_all
from iafa.errors import StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.acked import AckedWriter, Position
from iafa.journal.format import LOCK_NAME, SEGMENT_SUFFIX, Kind, encode_record
from iafa.locks import held, take
from iafa.metrics import Counters

RETRY_AFTER_S = 2
MEASURE_EVERY_S = 1.0
ROTATE_AGAIN_S = 1.0  # after a failed rotation
OFFERED_SHARE = 8  # one part in so many of `waiting_bytes_max` is for records that nobody waits for


@dataclass(frozen=True)
class JournalLimits:
    """When a segment is sealed, whichever comes first, and how much may wait for the flusher."""

    segment_bytes_max: int = 64 * 1024 * 1024
    segment_events_max: int = 100_000
    segment_age_s: float = 60.0
    waiting_bytes_max: int = 64 * 1024 * 1024
    journal_bytes_max: int = 4 * 1024**3


class _Waiting(NamedTuple):
    project_id: str
    received_at: int
    events: bytes
    event_count: int
    kind: Kind
    is_offered: bool
    done: Callable[[Exception | None], None]


def births_lock(root: Path) -> Path:
    """Held while a journal comes to life, so that nobody takes one that is not locked yet for a dead one."""
    return root.parent / "locks" / "journal-births.lock"


def next_epoch(root: Path) -> int:
    """The next number that no process start has had before. The caller holds the births lock."""
    path = root / "epoch"
    epoch = int(path.read_text()) + 1 if path.exists() else 1
    replace(path, str(epoch).encode())
    return epoch


def segment_path(directory: Path, number: int) -> Path:
    return directory / f"{number:06d}{SEGMENT_SUFFIX}"


class JournalWriter:
    """`append` returns once the bytes are synced. Start it once; `close` seals nothing and loses nothing."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        limits: JournalLimits,
        *,
        counters: Counters | None = None,
        hit: Hit = no_failpoints,
    ) -> None:
        self._clock = clock
        self._counters = counters or Counters()
        self._limits = limits
        self._hit = hit
        make_dirs(root)
        with held(births_lock(root)):
            self.epoch = next_epoch(root)
            self.directory = root / f"{self.epoch:06d}"
            make_dirs(self.directory)
            lock = take(self.directory / LOCK_NAME)
        assert lock is not None, "an epoch is never reused"
        self._lock_file = lock
        self._acked = AckedWriter(self.directory)
        self._root = root
        self._rotate_not_before_s = 0.0
        self._segment = 0
        self._descriptor = -1
        self._sequence = 0
        self._open_next()
        self._waiting: deque[_Waiting] = deque()
        self._waiting_bytes = 0
        self._offered_bytes = 0
        self._measured_s = -MEASURE_EVERY_S
        self._is_over_cap = False
        self._changed = threading.Condition()
        self._closing = False
        self._broken = False  # an unacknowledged tail could not be cut off yet
        self._sync_failed = False
        self.syncs = 0
        self.records = 0
        self._thread = threading.Thread(target=self._run, name="journal", daemon=True)
        self._thread.start()

    async def append(
        self, project_id: str, received_at: int, events: bytes, count: int, *, kind: Kind = Kind.EVENTS
    ) -> None:
        """Return when the canonical JSON array `events` is durable. Raises StorageUnavailable: then nothing is."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()

        def done(error: Exception | None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits for this answer any more
                loop.call_soon_threadsafe(_resolve, future, error)

        self._enqueue(_Waiting(project_id, received_at, events, count, kind, False, done))
        # The record may be written already when the caller leaves: it is then stored without an answer, never half.
        await asyncio.shield(future)

    def append_blocking(self, project_id: str, received_at: int, events: bytes, count: int) -> None:
        """The same for threads; for commands and tests."""
        ready = threading.Event()
        failure: list[Exception] = []

        def done(error: Exception | None) -> None:
            if error is not None:
                failure.append(error)
            ready.set()

        self._enqueue(_Waiting(project_id, received_at, events, count, Kind.EVENTS, False, done))
        ready.wait()
        if failure:
            raise failure[0]

    def offer(self, project_id: str, received_at: int, content: bytes, count: int, *, kind: Kind) -> None:
        """Hand over a record that nobody waits for. Never raises: what finds no room or no disk is only counted."""

        def done(error: Exception | None) -> None:
            if error is not None:
                self._counters.add("journal_offers_dropped", kind, count)

        try:
            self._enqueue(_Waiting(project_id, received_at, content, count, kind, True, done))
        except StorageUnavailable as error:
            done(error)

    def _enqueue(self, waiting: _Waiting) -> None:
        with self._changed:
            if self._closing:
                raise StorageUnavailable("shutting down", code="not_ready", retry_after_s=RETRY_AFTER_S)
            if waiting.is_offered:
                is_too_much = self._offered_bytes > self._limits.waiting_bytes_max // OFFERED_SHARE
            else:
                is_too_much = self._waiting_bytes > self._limits.waiting_bytes_max
            if is_too_much:
                raise StorageUnavailable("too many requests wait for the disk", retry_after_s=RETRY_AFTER_S)
            if self._is_journal_full():
                raise StorageUnavailable("too much waits for the flusher", retry_after_s=RETRY_AFTER_S)
            self._waiting.append(waiting)
            if waiting.is_offered:
                self._offered_bytes += len(waiting.events)
            else:
                self._waiting_bytes += len(waiting.events)
            self._changed.notify()

    def _is_journal_full(self) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._measured_s >= MEASURE_EVERY_S:
            self._measured_s = now_s
            try:
                sizes = (_size(path) for path in self._root.glob(f"*/*{SEGMENT_SUFFIX}"))
                self._is_over_cap = sum(sizes) > self._limits.journal_bytes_max
            except OSError:
                pass  # a folder that went while we looked, or no descriptor left: what was known still holds
        return self._is_over_cap

    def close(self) -> None:
        """Commit what waits, then stop. The records stay for the flusher."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()
        os.close(self._descriptor)
        self._acked.close()
        self._lock_file.release()

    # The commit thread

    def _run(self) -> None:
        try:
            self._commit_groups()
        except BaseException:
            self._fail_all()
            raise

    def _fail_all(self) -> None:
        """Without this thread nothing can become durable: say so instead of letting anybody wait."""
        with self._changed:
            self._closing = True
            waiting = list(self._waiting)
            self._waiting.clear()
        for one in waiting:
            one.done(StorageUnavailable("the journal has stopped", retry_after_s=RETRY_AFTER_S))

    def _commit_groups(self) -> None:
        while True:
            group = self._next_group()
            if group is None:
                return
            if group:
                self._commit(group)
            if self._is_full():
                self._rotate()

    def _next_group(self) -> list[_Waiting] | None:
        """All that waits now; empty when only the segment's age has run out; None when closed and drained."""
        with self._changed:
            while not self._waiting:
                if self._closing:
                    return None
                if self._segment_events and self._age_left_s() <= 0:
                    return []
                self._changed.wait(timeout=self._age_left_s() if self._segment_events else None)
            group = list(self._waiting)
            self._waiting.clear()
            self._waiting_bytes = self._offered_bytes = 0
            return group

    def _age_left_s(self) -> float:
        due_s = max(self._opened_s + self._limits.segment_age_s, self._rotate_not_before_s)
        return due_s - self._clock.monotonic_s()

    def _is_full(self) -> bool:
        if self._segment_events == 0 or self._clock.monotonic_s() < self._rotate_not_before_s:
            return False
        return (
            self._offset >= self._limits.segment_bytes_max
            or self._segment_events >= self._limits.segment_events_max
            or self._age_left_s() <= 0
        )

    def _commit(self, group: list[_Waiting]) -> None:
        records = [
            encode_record(self._sequence + position, one.project_id, one.received_at, one.events, one.kind)
            for position, one in enumerate(group, start=1)
        ]
        data = b"".join(records)
        try:
            if self._broken:
                self._cut_tail()
            if self._sync_failed:
                self._open_next()
            self._write_synced(data)
        except OSError as error:
            self._give_up(group, error)
            return
        self._offset += len(data)
        self._sequence += len(group)
        self._segment_events += sum(one.event_count for one in group)
        self.records += len(group)
        self._acked.publish(Position(self._segment, self._offset))
        self._hit("journal.before_ack")
        for one in group:
            one.done(None)

    def _write_synced(self, data: bytes) -> None:
        self._hit("journal.before_write")
        if self._hit is no_failpoints:
            write_all(self._descriptor, data)
        else:
            half = len(data) // 2
            write_all(self._descriptor, memoryview(data)[:half])
            self._hit("journal.half_written")
            write_all(self._descriptor, memoryview(data)[half:])
        self._hit("journal.written")
        try:
            os.fdatasync(self._descriptor)
        except OSError:
            # A descriptor whose sync failed may have dropped its pages: it is never synced again.
            self._sync_failed = True
            raise
        self.syncs += 1
        self._hit("journal.synced")

    def _give_up(self, group: list[_Waiting], error: OSError) -> None:
        """Nothing of the group may be found later: cut it off before anything else is written."""
        self._sequence += len(group)  # never used again, whatever is left of the group on the disk
        try:
            self._cut_tail()
        except OSError:
            self._broken = True
        failure = StorageUnavailable(f"the journal cannot be written: {error.strerror}", retry_after_s=RETRY_AFTER_S)
        for one in group:
            one.done(failure)

    def _cut_tail(self) -> None:
        os.ftruncate(self._descriptor, self._offset)
        os.lseek(self._descriptor, self._offset, os.SEEK_SET)
        self._broken = False

    def _rotate(self) -> None:
        try:
            if self._broken:  # a sealed segment is flushed whole: it must hold nothing that was refused
                self._cut_tail()
            self._open_next()
        except OSError:
            self._rotate_not_before_s = self._clock.monotonic_s() + ROTATE_AGAIN_S
            return  # the present segment goes on
        self._hit("journal.sealed")

    def _open_next(self) -> None:
        path = segment_path(self.directory, self._segment + 1)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            os.ftruncate(descriptor, 0)
            sync_dir(self.directory)
        except OSError:
            os.close(descriptor)
            raise
        if self._descriptor >= 0:
            os.close(self._descriptor)
        self._descriptor = descriptor
        self._segment += 1
        self._sync_failed = False
        self._offset = 0
        self._segment_events = 0
        self._opened_s = self._clock.monotonic_s()
        self._acked.publish(Position(self._segment, 0))
        self._hit("journal.segment_created")


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _resolve(future: asyncio.Future[None], error: Exception | None) -> None:
    if future.cancelled():
        return
    if error is None:
        future.set_result(None)
    else:
        future.set_exception(error)

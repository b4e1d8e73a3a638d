"""The journal's one writer in this process: a thread that commits all waiting requests with a single sync.

A journal directory belongs to one process start (its epoch) and is never written again after it: what it leaves behind
is flushed by the flusher, so that opening an old journal for appending never happens.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from iafa.clock import Clock
from iafa.durable import Durability, make_dirs
from iafa.errors import NoRoom, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.acked import AckedWriter, Position
from iafa.journal.epoch import next_epoch
from iafa.journal.format import LOCK_NAME, Kind, record_pieces
from iafa.journal.room import Refusal, Room
from iafa.journal.segment import SegmentFile
from iafa.locks import held, take
from iafa.metrics import Counters

log = logging.getLogger("iafa.journal")
RETRY_AFTER_S = 2
ROTATE_AGAIN_S = 1.0  # after a failed rotation
OFFERED_SHARE = 8  # one part in so many of `waiting_bytes_max` is for records that nobody waits for
SYNC = Durability.of("sync")
WAITING = Refusal("waiting", "too many requests wait for the disk")


@dataclass(frozen=True)
class JournalLimits:
    """When a segment is sealed, whichever comes first, and how much may wait for the flusher."""

    segment_bytes_max: int = 64 * 1024 * 1024
    segment_events_max: int = 100_000
    segment_age_s: float = 60.0
    waiting_bytes_max: int = 64 * 1024 * 1024
    journal_bytes_max: int = 4 * 1024**3
    disk_free_min_bytes: int = 0


class _Blocked:
    """A thread that waits for its record."""

    def __init__(self) -> None:
        self.ready = threading.Event()
        self.error: StorageUnavailable | None = None

    def answer(self, error: StorageUnavailable | None) -> None:
        self.error = error
        self.ready.set()


class _Waiting(msgspec.Struct, gc=False, frozen=True):
    project_id: str
    received_at: int
    content: bytes
    count: int
    kind: Kind
    loop: asyncio.AbstractEventLoop | None = None
    waiter: asyncio.Future[None] | _Blocked | None = None  # None: nobody waits


def births_lock(root: Path) -> Path:
    """Held while a journal comes to life, so that nobody takes one that is not locked yet for a dead one."""
    return root.parent / "locks" / "journal-births.lock"


class JournalWriter:
    """`append` returns once the bytes are as durable as the setting says. `close` seals nothing and loses nothing."""

    def __init__(
        self,
        root: Path,
        clock: Clock,
        limits: JournalLimits,
        *,
        durability: Durability = SYNC,
        counters: Counters | None = None,
        hit: Hit = no_failpoints,
        known_epoch: Callable[[], int] = lambda: 0,
    ) -> None:
        self._clock = clock
        self._limits = limits
        self._durability = durability
        self._counters = counters or Counters()
        self._hit = hit
        make_dirs(root)
        with held(births_lock(root)):
            self.epoch = next_epoch(root, known_epoch)
            self.directory = root / f"{self.epoch:06d}"
            make_dirs(self.directory)
            lock = take(self.directory / LOCK_NAME)
        assert lock is not None, "an epoch is never reused"
        self._lock_file = lock
        self._acked = AckedWriter(self.directory)
        self._room = Room(root, clock, bytes_max=limits.journal_bytes_max, disk_free_min=limits.disk_free_min_bytes)
        self._segment = SegmentFile(self.directory, 1, clock.monotonic_s(), hit)
        self._acked.publish(Position(1, 0))
        self._hit("journal.segment_created")
        self._sequence = 0
        self._is_tail_left = False  # a refused tail could not be cut off yet
        self._rotate_not_before_s = 0.0
        self._sync_due_s: float | None = None
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0
        self._offered_bytes = 0
        self._closing = False
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
        self._enqueue(_Waiting(project_id, received_at, events, count, kind, loop, future))
        # The record may be written already when the caller leaves: it is then stored without an answer, never half.
        await future

    def append_blocking(self, project_id: str, received_at: int, events: bytes, count: int) -> None:
        """The same for threads; for commands and tests."""
        blocked = _Blocked()
        self._enqueue(_Waiting(project_id, received_at, events, count, Kind.EVENTS, None, blocked))
        blocked.ready.wait()
        if blocked.error is not None:
            raise blocked.error

    def offer(self, project_id: str, received_at: int, content: bytes, count: int, *, kind: Kind) -> None:
        """Hand over a record that nobody waits for. Never raises: what finds no room or no disk is only counted."""
        if not self.try_offer(project_id, received_at, content, count, kind=kind):
            self._counters.add("journal_offers_dropped", kind, count)

    def try_offer(self, project_id: str, received_at: int, content: bytes, count: int, *, kind: Kind) -> bool:
        """The same; False, and nothing is counted, when there is no room for it now."""
        with self._lock:
            is_taken = (
                not self._closing
                and self._offered_bytes <= self._limits.waiting_bytes_max // OFFERED_SHARE
                and not self._room.is_half_full
                and self._room.known() is None
            )
            if is_taken:
                self._waiting.append(_Waiting(project_id, received_at, content, count, kind))
                self._offered_bytes += len(content)
        if is_taken and not self._wake.is_set():
            self._wake.set()
        return is_taken

    @property
    def is_closing(self) -> bool:
        return self._closing

    def _enqueue(self, waiting: _Waiting) -> None:
        refusal = self._room.known()
        with self._lock:
            if self._closing:
                raise StorageUnavailable("shutting down", code="not_ready", retry_after_s=RETRY_AFTER_S)
            if self._waiting_bytes > self._limits.waiting_bytes_max:
                refusal = WAITING
            if refusal is None:
                self._waiting.append(waiting)
                self._waiting_bytes += len(waiting.content)
        if refusal is not None:
            self._counters.add("journal_failures", refusal.label)
            raise NoRoom(refusal.detail, retry_after_s=RETRY_AFTER_S)
        if not self._wake.is_set():
            self._wake.set()

    def close(self) -> None:
        """Commit what waits and sync it, then stop. The records stay for the flusher."""
        with self._lock:
            self._closing = True
        self._wake.set()
        self._thread.join()
        self._segment.close()
        self._acked.close()
        self._lock_file.release()

    # The commit thread

    @property
    def waiting(self) -> int:
        """Requests whose records are not written yet."""
        return len(self._waiting)

    def _run(self) -> None:
        try:
            while (group := self._next_group()) is not None:
                if group:
                    self._commit(group)
                self._sync_if_due()
                if self._is_full():
                    self._rotate()
            if self._segment.is_dirty:
                self._sync_late()
                self._sync_if_due()  # by another way, if the first one failed
        finally:
            # Without this thread nothing can become durable: say so instead of letting anybody wait.
            with self._lock:
                self._closing = True
                left, self._waiting = self._waiting, []
            self._answer(left, StorageUnavailable("the journal has stopped", retry_after_s=RETRY_AFTER_S))

    def _next_group(self) -> list[_Waiting] | None:
        """All that waits now; empty when only time has run out; None when closed and drained."""
        if not self._waiting and not self._closing:
            self._wake.wait(self._idle_s())
        self._wake.clear()
        with self._lock:
            group, self._waiting = self._waiting, []
            self._waiting_bytes = self._offered_bytes = 0
            return None if self._closing and not group else group

    def _idle_s(self) -> float | None:
        """How long nothing has to be done if nobody comes."""
        dues = [] if self._sync_due_s is None else [self._sync_due_s]
        if self._segment.events:
            dues.append(self._age_due_s())
        return max(0.0, min(dues) - self._clock.monotonic_s()) if dues else None

    def _age_due_s(self) -> float:
        return max(self._segment.opened_s + self._limits.segment_age_s, self._rotate_not_before_s)

    def _is_full(self) -> bool:
        now_s = self._clock.monotonic_s()
        if self._segment.events == 0 or now_s < self._rotate_not_before_s:
            return False
        return (
            self._segment.size >= self._limits.segment_bytes_max
            or self._segment.events >= self._limits.segment_events_max
            or now_s >= self._age_due_s()
        )

    def _commit(self, group: list[_Waiting]) -> None:
        refusal = self._room.look()
        if refusal is not None:
            self._refuse(group, refusal.label, NoRoom(refusal.detail, retry_after_s=RETRY_AFTER_S))
            if self._segment.events:
                self._rotate()  # the flusher can only make room of what is sealed
            return
        label = "write"
        first, self._sequence = self._sequence + 1, self._sequence + len(group)  # a number is never used again
        try:
            self._make_writable()
            data = _lines(group, first)
            self._segment.write(data)
            if self._durability.interval_s == 0:
                label = "sync"
                self._segment.sync()
                self.syncs += 1
            self._hit("journal.before_ack")
        except Exception as error:
            # Nothing of the group may be found later: it is cut off before anything else is written.
            self._drop_tail()
            log.error("the journal cannot be written: %r", error)
            reason = error.strerror if isinstance(error, OSError) else "internal error"
            detail = f"the journal cannot be written: {reason}"
            self._refuse(group, label, StorageUnavailable(detail, retry_after_s=RETRY_AFTER_S))
            return
        self._accept(group, len(data))
        self._answer(group, None)

    def _accept(self, group: list[_Waiting], written: int) -> None:
        self._segment.accept(sum([one.count for one in group]))
        self._room.add(written)
        self.records += len(group)
        self._acked.publish(Position(self._segment.number, self._segment.size))
        if self._durability.interval_s and self._sync_due_s is None:
            self._sync_due_s = self._clock.monotonic_s() + self._durability.interval_s

    def _refuse(self, group: list[_Waiting], label: str, error: StorageUnavailable) -> None:
        waited_for = [one for one in group if one.waiter is not None]
        for one in group:
            if one.waiter is None:
                self._counters.add("journal_offers_dropped", one.kind, one.count)
        if waited_for:
            self._counters.add("journal_failures", label, len(waited_for))
            self._answer(waited_for, error)

    @staticmethod
    def _answer(group: Sequence[_Waiting], error: StorageUnavailable | None) -> None:
        """One wake-up a loop, however many wait in it."""
        by_loop: dict[asyncio.AbstractEventLoop, list[asyncio.Future[None]]] = {}
        for one in group:
            if isinstance(one.waiter, _Blocked):
                one.waiter.answer(error)
            elif one.waiter is not None and one.loop is not None:
                by_loop.setdefault(one.loop, []).append(one.waiter)
        for loop, futures in by_loop.items():
            with contextlib.suppress(RuntimeError):  # the loop has ended: nobody waits for these answers any more
                loop.call_soon_threadsafe(_resolve, futures, error)

    def _drop_tail(self) -> None:
        segment = self._segment
        try:
            segment.cut()
            segment.sync_cut()
        except OSError as error:
            # Readers stop here, should this process die before the tail is cut off; later records go elsewhere.
            self._acked.refuse_behind(Position(segment.number, segment.size))
            segment.is_spent = True
            self._is_tail_left = True
            log.error("a refused tail cannot be cut off yet: %s", error.strerror)

    def _make_writable(self) -> None:
        """Raises OSError while the present segment takes no more and there is no next one."""
        if self._is_tail_left:
            self._cut_tail()
        if self._segment.is_spent:
            self._open_next()

    def _sync_if_due(self) -> None:
        if self._sync_due_s is not None and self._clock.monotonic_s() >= self._sync_due_s:
            self._sync_late()

    def _sync_late(self) -> None:
        """Sync what was acknowledged before; where that fails it is written again, to a segment that can be synced."""
        self._sync_due_s = None
        is_first_try = not self._segment.is_spent
        try:
            if is_first_try:
                self._segment.sync()
                self.syncs += 1
            else:
                self._make_writable()
        except OSError as error:
            self._counters.add("journal_failures", "sync")
            log.error("the journal cannot be synced: %s", error.strerror)
            if self._durability.interval_s is not None:
                self._sync_due_s = self._clock.monotonic_s() + (0 if is_first_try else ROTATE_AGAIN_S)

    def _rotate(self) -> None:
        """Begin the next segment. A sealed one is flushed whole: it holds nothing refused, and it is synced."""
        try:
            if self._segment.is_dirty and not self._segment.is_spent:
                self._sync_late()
            if self._is_tail_left:
                self._cut_tail()
            self._open_next()
            self._hit("journal.sealed")
        except OSError as error:
            self._rotate_not_before_s = self._clock.monotonic_s() + ROTATE_AGAIN_S
            log.warning("no next journal segment, the present one goes on: %s", error.strerror)

    def _cut_tail(self) -> None:
        self._segment.cut()
        self._is_tail_left = False

    def _open_next(self) -> None:
        """Begin the next segment, with a copy of what was acknowledged in the present one and never got synced."""
        opened = SegmentFile(self.directory, self._segment.number + 1, self._clock.monotonic_s(), self._hit)
        try:
            if self._segment.is_dirty and self._durability.interval_s is not None:
                opened.write(self._segment.unsynced())
                opened.sync()
                opened.accept(events=1)  # not none: it has something to be sealed for
        except OSError:
            opened.close()
            raise
        self._segment.close()
        self._segment = opened
        self._sync_due_s = None
        self._acked.publish(Position(opened.number, opened.size))
        self._hit("journal.segment_created")


def _lines(group: list[_Waiting], sequence: int) -> bytes:
    pieces: list[bytes] = []
    for position, one in enumerate(group, start=sequence):
        pieces += record_pieces(position, one.project_id, one.received_at, one.content, one.kind)
    return b"".join(pieces)


def _resolve(futures: list[asyncio.Future[None]], error: StorageUnavailable | None) -> None:
    for future in futures:
        if future.done():  # its caller has left
            continue
        if error is None:
            future.set_result(None)
        else:
            future.set_exception(error)

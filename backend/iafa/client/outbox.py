"""Events on their way: a bounded queue, one thread that sends, and a count of what became of each event."""

import atexit
import logging
import os
import random
import sys
import threading
import weakref
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic

from iafa.client.connection import Connection
from iafa.client.delivery import BATCH_BYTES_MAX, BATCH_DAYS_MAX, EVENT_BYTES_MAX, Outcome
from iafa.client.events import Prepared

QUEUE_BYTES_MAX = 64 * 1024 * 1024
ATTEMPTS_MAX = 10  # for what is not known to pass with time
BACKOFF_S = 0.5
BACKOFF_MAX_S = 60.0
log = logging.getLogger("iafa.client")
_live: "weakref.WeakSet[Outbox]" = weakref.WeakSet()


@dataclass(frozen=True)
class Dropped:
    """Events that will not be stored, and why. `code` is the server's, where it gave one.

    `reason`: `invalid`, `too_large`, `queue_full`, `closed` (tracked after `close`), `rejected` (the server refused
    the event), `refused` (it refused the request), `given_up` (it failed again and again), `shutdown` (time was up at
    `close` or at the program's end; a request under way may still have arrived).
    """

    reason: str
    count: int
    code: str | None = None
    message: str = ""
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Counts:
    """tracked = accepted + duplicates + sampled_out + pending + everything in dropped."""

    tracked: int
    accepted: int
    duplicates: int
    sampled_out: int
    pending: int
    dropped: Mapping[str, int]


@dataclass(frozen=True)
class Limits:
    """When a request is made, and how much may wait."""

    batch_size: int = 500
    flush_interval_s: float = 1.0
    queue_size: int = 10_000
    exit_timeout_s: float = 15.0


class Outbox:
    """Takes events from any thread. Its own thread begins with the first event and keeps their order."""

    def __init__(
        self,
        deliver: Callable[[Sequence[Prepared]], Outcome],
        limits: Limits,
        on_drop: Callable[[Dropped], None],
        connection: Connection,
    ) -> None:
        self._deliver = deliver
        self._limits = limits
        self._on_drop = on_drop
        self._connection = connection
        self.exit_timeout_s = limits.exit_timeout_s
        self._reset()
        _live.add(self)

    def _reset(self) -> None:
        # Reentrant: a signal or the garbage collector may come while it is held.
        self._changed = threading.Condition(threading.RLock())
        self._queue: deque[tuple[float, Prepared]] = deque()
        self._thread: threading.Thread | None = None
        self._bytes = 0
        self._taken = self._settled = 0
        self._flush_to = 0
        self._counts: Counter[str] = Counter()
        self._dropped: Counter[str] = Counter()
        self._deadline: float | None = None  # set: nothing is taken any more, and what waits is given up then
        self._is_abandoned = False
        self._is_over = False  # what is told of a request from now on has been given up already

    def forget_after_fork(self) -> None:
        """In a child process: what waits is the parent's to send."""
        is_closed = self._deadline is not None
        self._reset()
        self._deadline = monotonic() if is_closed else None
        self._connection.after_fork()

    def put(self, event: Prepared) -> bool:
        """Take an event, or drop it with a reason. Waits for nothing."""
        size = len(event.body)
        reason = "too_large" if size > EVENT_BYTES_MAX else ""
        with self._changed:
            waiting = self._taken - self._settled
            if self._deadline is not None:
                reason = "closed"
            elif not reason and (waiting >= self._limits.queue_size or self._bytes + size > QUEUE_BYTES_MAX):
                reason = "queue_full"
            if not reason:
                self._counts["tracked"] += 1
                self._taken += 1
                self._bytes += size
                self._queue.append((monotonic(), event))
                self._start()
                if len(self._queue) in (1, self._limits.batch_size):
                    self._changed.notify_all()
                return True
        self.refuse(Dropped(reason, 1, None, _WHY[reason], (event.id,)))
        return False

    def refuse(self, dropped: Dropped) -> None:
        """Count an event that never came into the queue."""
        self._drop(dropped, is_new=True)

    def flush(self, timeout_s: float | None) -> bool:
        """Wait until everything taken before is stored or dropped; False when the time was not enough."""
        if threading.current_thread() is self._thread:
            return False  # a callback asks: the thread cannot wait for itself
        with self._changed:
            target = self._taken
            self._flush_to = max(self._flush_to, target)
            self._changed.notify_all()
            return self._changed.wait_for(lambda: self._settled >= target, timeout_s)

    def begin_to_close(self, timeout_s: float) -> None:
        """Take nothing more."""
        with self._changed:
            if self._deadline is None:
                self._deadline = monotonic() + timeout_s
            self._changed.notify_all()

    def close(self, timeout_s: float) -> None:
        """Take nothing more, send what waits, and drop what is left when the time is up."""
        self.begin_to_close(timeout_s)
        thread = self._thread
        if thread is None or not thread.is_alive():
            self._run()  # a thread could not be started, at the very end of a program
        elif thread is not threading.current_thread():
            thread.join(max(0.0, (self._deadline or 0.0) - monotonic()) + 0.5)
        with self._changed:
            left = 0 if self._is_over else self.counts().pending
            self._is_over = True
            self._settled = self._taken
            self._queue.clear()
            self._changed.notify_all()
        if left:
            self._drop(Dropped("shutdown", left, None, "the time was up"))

    def abandon(self) -> None:
        """Nobody can track any more: the thread ends when all is sent."""
        with self._changed:
            self._is_abandoned = True
            self._changed.notify_all()
            thread = self._thread
        if thread is None or not thread.is_alive():
            self._connection.close()

    def hang_up(self) -> None:
        """Close the sockets, of which the interpreter would warn at its end. A question asked later opens its own."""
        self._connection.close()

    def counts(self) -> Counts:
        with self._changed:
            tracked, *stored = (self._counts[name] for name in ("tracked", "accepted", "duplicates", "sampled_out"))
            pending = tracked - sum(stored) - sum(self._dropped.values())
            return Counts(tracked, stored[0], stored[1], stored[2], pending, dict(self._dropped))

    def _start(self) -> None:
        if self._thread is not None and self._thread.is_alive():
            return
        thread = threading.Thread(target=self._run, name="iafa-client", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            return  # the interpreter is ending; `close` sends from its own thread
        self._thread = thread
        _close_with_child_process()

    def _run(self) -> None:
        while batch := self._next_batch():
            self._send(batch)
        if self._is_abandoned:
            self._connection.close()

    def _next_batch(self) -> list[Prepared]:
        """Wait for enough events or for long enough; empty: it is over."""
        with self._changed:
            while not self._is_due():
                if not self._queue and (self._deadline is not None or self._is_abandoned):
                    return []
                self._changed.wait(self._wait_s())
            if self._deadline is not None and monotonic() >= self._deadline:
                return []
            batch: list[Prepared] = []
            size, days = BATCH_BYTES_MAX - EVENT_BYTES_MAX - 1, set[int]()
            while self._queue and len(batch) < self._limits.batch_size:
                event = self._queue[0][1]
                size += len(event.body) + 1
                days.add(event.day)
                if size > BATCH_BYTES_MAX or len(days) > BATCH_DAYS_MAX:
                    break
                batch.append(self._queue.popleft()[1])
            return batch

    def _is_due(self) -> bool:
        if not self._queue:
            return False
        return (
            len(self._queue) >= self._limits.batch_size
            or self._settled < self._flush_to
            or self._deadline is not None
            or self._is_abandoned
            or self._wait_s() == 0
        )

    def _wait_s(self) -> float | None:
        if not self._queue:
            return None
        return max(0.0, self._queue[0][0] + self._limits.flush_interval_s - monotonic())

    def _send(self, batch: list[Prepared]) -> None:
        """Until each event of the batch is settled. Its ids stay the same, so that none counts twice."""
        total, size = len(batch), sum(len(event.body) for event in batch)
        parts, attempts = [batch], 0
        while parts:
            part = parts.pop(0)
            outcome = self._deliver(part)
            if outcome.kind == "smaller":
                half = len(part) // 2
                parts[:0] = [part[:half], part[half:]]
                continue
            left = self._settle(part, outcome, attempts)
            if not left:
                attempts = 0
                continue
            attempts += 1
            parts.insert(0, left)
            if not self._pause(outcome, attempts):
                break
        with self._changed:
            if not self._is_over and not parts:
                self._settled += total
                self._bytes -= size
            self._changed.notify_all()

    def _settle(self, part: list[Prepared], outcome: Outcome, attempts: int) -> list[Prepared]:
        """Count what is settled; return what has to be sent again."""
        if outcome.kind == "later" and (outcome.is_patient or attempts + 1 < ATTEMPTS_MAX):
            log.warning("%d events wait to be sent again: %s", len(part), outcome.message)
            return part
        if outcome.kind != "answered":
            reason = "given_up" if outcome.kind == "later" else "refused"
            ids = tuple(event.id for event in part)
            self._drop(Dropped(reason, len(part), outcome.code, outcome.message, ids))
            return []
        with self._changed:
            if self._is_over:
                return []
            for name in ("accepted", "duplicates", "sampled_out"):
                self._counts[name] += getattr(outcome, name)
        for one in outcome.refused:
            self._drop(Dropped("rejected", 1, one.code, one.message, (part[one.position].id,)))
        again = [part[position] for position in outcome.again]
        if again and attempts + 1 >= ATTEMPTS_MAX:
            ids = tuple(event.id for event in again)
            self._drop(Dropped("given_up", len(again), None, "the server asked for a retry again and again", ids))
            return []
        return again

    def _pause(self, outcome: Outcome, attempts: int) -> bool:
        """Wait before the next attempt; False when there is no time for one."""
        longest_s = min(BACKOFF_MAX_S, BACKOFF_S * 2 ** min(attempts - 1, 20))
        delay_s = outcome.retry_after_s if outcome.retry_after_s is not None else random.uniform(0.5, 1) * longest_s  # noqa: S311
        until = monotonic() + delay_s
        with self._changed:
            while (left_s := until - monotonic()) > 0:
                if self._deadline is not None and monotonic() >= self._deadline:
                    return False
                end_s = left_s if self._deadline is None else min(left_s, self._deadline - monotonic())
                self._changed.wait(max(0.0, end_s))
            return self._deadline is None or monotonic() < self._deadline

    def _drop(self, dropped: Dropped, *, is_new: bool = False) -> None:
        with self._changed:
            if self._is_over and not is_new and dropped.reason != "shutdown":
                return
            self._counts["tracked"] += dropped.count if is_new else 0
            self._dropped[dropped.reason] += dropped.count
            total = self._dropped[dropped.reason]
        # A queue that overflows does so thousands of times; its log must not.
        if dropped.count > 1 or total & (total - 1) == 0:
            log.error("dropped %d events (%s), %d so far: %s", dropped.count, dropped.reason, total, dropped.message)
        try:
            self._on_drop(dropped)
        except Exception:
            log.exception("on_error failed")


_WHY = {
    "too_large": f"the event has more than {EVENT_BYTES_MAX} bytes",
    "queue_full": "events come faster than they can be sent, or the server does not answer",
    "closed": "the client is closed",
}


def _close_all() -> None:
    """At a program's end, all at once: it takes as long as the slowest of them."""
    outboxes = list(_live)
    for outbox in outboxes:
        outbox.begin_to_close(outbox.exit_timeout_s)
    for outbox in outboxes:
        outbox.close(outbox.exit_timeout_s)
        outbox.hang_up()


def _close_with_child_process() -> None:
    """Children of multiprocessing end without calling what `atexit` has registered."""
    process = sys.modules.get("multiprocessing.process")
    if process is None or process.parent_process() is None or os.getpid() in _closing:
        return
    from multiprocessing.util import Finalize

    _closing.add(os.getpid())
    Finalize(None, _close_all, exitpriority=0)


def _forget_in_child() -> None:
    for outbox in list(_live):
        outbox.forget_after_fork()


_closing: set[int] = set()  # processes that close at their end by other means than `atexit`
atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_in_child)

"""The end of a question before its answer: its time is over, or nobody waits for it any more."""

import threading
from typing import Protocol

from iafa.clock import Clock
from iafa.errors import IafaError, QueryTimeout

_INTERRUPT_AGAIN_S = 0.05


class Interruptible(Protocol):
    """A cursor of the engine."""

    def interrupt(self) -> None: ...


class Cancellation:
    """Of one request: says that nobody waits for its answer any more, and since when its questions are answered: all
    of them have one time limit. Safe to use from many threads; lasts.
    """

    def __init__(self) -> None:
        self.is_cancelled = False
        self.project_id: str | None = None  # whose events were read
        self.rows = 0  # of the files and tails that were read
        self._began_s: float | None = None
        self._wakes: list[threading.Event] = []
        self._lock = threading.Lock()

    def cancel(self) -> None:
        with self._lock:
            self.is_cancelled = True
            for wake in self._wakes:
                wake.set()

    def began_s(self, clock: Clock) -> float:
        """When the first question began; now, if this is the first one."""
        with self._lock:
            if self._began_s is None:
                self._began_s = clock.monotonic_s()
            return self._began_s

    def read(self, project_id: str, rows: int) -> None:
        """Count what a question reads."""
        with self._lock:
            self.project_id = project_id
            self.rows += rows

    def restart(self) -> None:
        """The next question is one of its own."""
        with self._lock:
            self._began_s = None

    def when_cancelled(self, wake: threading.Event) -> None:
        with self._lock:
            self._wakes.append(wake)
            if self.is_cancelled:
                wake.set()


class Deadline:
    """Interrupts the cursor when its time is over or nobody waits, and again: between two statements it has no
    effect."""

    def __init__(self, cursor: Interruptible, timeout_s: float, left_s: float, cancellation: Cancellation) -> None:
        """Of the time that the whole request may take, `left_s` are left."""
        self.timeout_s = timeout_s
        self.has_passed = left_s <= 0
        self._left_s = left_s
        self._cursor = cursor
        self._cancellation = cancellation
        self._wake = threading.Event()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="query-deadline", daemon=True)

    def __enter__(self) -> "Deadline":
        self._cancellation.when_cancelled(self._wake)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._wake.set()
        self._thread.join()

    def check(self) -> None:
        if self._cancellation.is_cancelled:
            raise left()
        if self.has_passed:
            raise QueryTimeout(f"the question took longer than {self.timeout_s:g} s; ask for a shorter range")

    def _watch(self) -> None:
        self._wake.wait(max(0.0, self._left_s))
        while not self._done.is_set():
            self.has_passed = True
            self._cursor.interrupt()
            self._done.wait(_INTERRUPT_AGAIN_S)


def left() -> IafaError:
    return IafaError("the client left before the answer", code="bad_request")

"""The questions that took long, of one worker: how long, over how many rows, never what they asked for."""

import threading
from collections import deque
from pathlib import Path

import msgspec

from iafa.durable import make_dirs, replace_derived

KEPT = 100
SUFFIX = ".json"


class SlowQuestion(msgspec.Struct, kw_only=True, omit_defaults=True):
    """`digest` tells equal questions from others; nothing of a question can be read out of it."""

    at_us: int
    route: str
    ms: float
    rows: int
    digest: str
    project_id: str | None = None
    outcome: str = "answered"


_decoder = msgspec.json.Decoder(list[SlowQuestion])


class SlowQuestions:
    """Safe between threads; the oldest goes first."""

    slow_ms = 500.0

    def __init__(self, folder: Path | None = None, worker: str = "worker-0") -> None:
        self._folder = folder
        self._worker = worker
        self._kept: deque[SlowQuestion] = deque(maxlen=KEPT)
        self._lock = threading.Lock()
        self._is_changed = False

    def note(self, question: SlowQuestion) -> None:
        if question.ms < self.slow_ms:
            return
        with self._lock:
            self._kept.append(question)
            self._is_changed = True

    def publish(self) -> None:
        """For the other workers. Never a reason for anything else to fail."""
        with self._lock:
            if not self._is_changed or self._folder is None:
                return
            text, self._is_changed = msgspec.json.encode(list(self._kept)), False
        try:
            make_dirs(self._folder)
            replace_derived(self._folder / f"{self._worker}{SUFFIX}", text)
        except OSError:
            self._is_changed = True


def read_slow(folder: Path) -> list[SlowQuestion]:
    """Of all workers, newest first."""
    found: list[SlowQuestion] = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found += reversed(_decoder.decode(path.read_bytes()))
        except (OSError, msgspec.DecodeError):
            continue
    return sorted(found, key=lambda one: -one.at_us)[:KEPT]

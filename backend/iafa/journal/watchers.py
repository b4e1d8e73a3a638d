"""Which projects somebody watches now, on any worker: a file for each in `run/`, touched while it is so."""

import os
import threading
from collections.abc import Collection
from pathlib import Path

from iafa.clock import Clock
from iafa.durable import make_dirs, replace_derived, unlink

TOLD_EVERY_S = 5.0
STALE_S = 15.0  # of a worker that died
LOOKED_EVERY_S = 0.5


class Watchers:
    """`tell` by the worker that somebody watches at; `is_watched` costs one look at a folder in half a second."""

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        self._lock = threading.Lock()
        self._told: set[str] = set()
        self._told_s = 0.0
        self._watched: frozenset[str] = frozenset()
        self._looked_s = -LOOKED_EVERY_S

    def tell(self, project_ids: Collection[str]) -> None:
        """All that are watched at this worker. To be called again and again while it is so."""
        with self._lock:
            self._tell(set(project_ids), self._clock.monotonic_s())

    def _tell(self, wanted: set[str], now_s: float) -> None:
        if wanted == self._told and now_s - self._told_s < TOLD_EVERY_S:
            return
        make_dirs(self._folder)
        for project_id in self._told - wanted:
            unlink(self._path(project_id))
        for project_id in wanted:
            replace_derived(self._path(project_id), b"%.3f" % now_s)
        self._told, self._told_s = wanted, now_s

    def is_watched(self, project_id: str) -> bool:
        now_s = self._clock.monotonic_s()
        if now_s - self._looked_s >= LOOKED_EVERY_S:
            self._watched, self._looked_s = self._look(now_s), now_s
        return project_id in self._watched

    def _look(self, now_s: float) -> frozenset[str]:
        found = set()
        try:
            for path in self._folder.iterdir():
                # The monotonic clock is the same for all processes of a machine.
                if path.suffix == ".watch" and now_s - float(path.read_bytes()) < STALE_S:
                    found.add(path.name.partition(".")[0])
        except (OSError, ValueError):
            return frozenset(found)
        return frozenset(found)

    def _path(self, project_id: str) -> Path:
        return self._folder / f"{project_id}.{os.getpid()}.watch"

"""The background process: flush and compaction, in a loop, away from the requests and at low priority."""

import logging
import os
import threading
from dataclasses import dataclass

from iafa.clock import Clock
from iafa.jobs.compact import Compactor
from iafa.jobs.flush import Flushed, Flusher

log = logging.getLogger("iafa.background")
NICE = 19
POLL_S = 0.5


@dataclass(frozen=True)
class Background:
    flusher: Flusher
    compactor: Compactor
    clock: Clock
    compact_interval_s: float

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A failing run is logged and tried again: its input stays where it is."""
        os.nice(NICE)
        compacted_s = self.clock.monotonic_s()
        while not stop.wait(POLL_S):
            try:
                self._flush()
                if self.clock.monotonic_s() - compacted_s >= self.compact_interval_s:
                    self.compactor.run()
                    compacted_s = self.clock.monotonic_s()
            except Exception:
                log.exception("background run failed; nothing is lost, it is tried again")
                stop.wait(POLL_S * 10)

    def _flush(self) -> Flushed:
        flushed = self.flusher.run()
        if flushed.events or flushed.duplicates:
            log.info(
                "flushed segments=%d events=%d duplicates=%d",
                flushed.segments,
                flushed.events,
                flushed.duplicates,
            )
        if flushed.damage.torn_tails or flushed.damage.damaged:
            log.warning("journal torn_tails=%d damaged=%d", flushed.damage.torn_tails, len(flushed.damage.damaged))
        return flushed

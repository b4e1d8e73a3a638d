"""What the data directory looks like from outside: waiting journals, free disk, the day with most files. Only reads."""

import shutil
from dataclasses import dataclass

from iafa.clock import US_PER_S, Clock
from iafa.journal.reader import backlog
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests


@dataclass(frozen=True)
class Gauges:
    layout: Layout
    manifests: Manifests
    clock: Clock

    def quick(self) -> dict[str, float]:
        """Cheap enough for every look at the metrics."""
        waiting = backlog(self.layout.journal, self.clock.now_us())
        return {
            "journal_bytes": waiting.bytes,
            "journal_oldest_seconds": waiting.oldest_us / US_PER_S,
            "disk_free_bytes": shutil.disk_usage(self.layout.root).free,
        }

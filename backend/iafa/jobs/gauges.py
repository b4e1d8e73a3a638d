"""What the data directory looks like from outside: waiting journals, free disk, the day with most files. Only reads."""

import shutil
from collections import Counter
from dataclasses import dataclass

from iafa.clock import US_PER_S, Clock
from iafa.errors import IafaError
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

    def day_parts(self) -> int:
        """Looks at every manifest: for the background."""
        most = 0
        for project_id in self.layout.project_ids():
            try:
                files = self.manifests.latest(project_id).files
            except IafaError:
                continue  # a damaged manifest is told elsewhere
            most = max(most, *Counter(file.date for file in files).values(), 0)
        return most

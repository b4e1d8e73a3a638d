"""What takes how much room, measured by the background process and left in a file for whoever asks."""

import logging
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from iafa.clock import Clock
from iafa.durable import make_dirs, replace_derived
from iafa.errors import IafaError
from iafa.jobs.task_runs import TaskRun, TaskRuns
from iafa.jobs.tiers import due
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifest, Manifests

log = logging.getLogger("iafa.measure")
ENTRIES_MAX = 200_000  # of one part, that are looked at
FILE_NAME = "background.json"
# How the folders of the data directory are called in an answer. Events and journals are measured by what they list.
PARTS = {
    "quarantine": "quarantine",
    "metadata": "metadata",
    "index": "index",
    "audit": "audit",
    "erasures": "erasures",
    "damaged": "damaged",
    "trash": "trash",
    "tmp": "tmp",
}


class ProjectSize(msgspec.Struct, kw_only=True):
    """`parts` are files that are not a whole day's; of them `due` are to be merged now."""

    id: str
    files: int
    rows: int
    bytes: int
    days: int
    parts: int
    due: int
    rollup_bytes: int
    trash_files: int


class Measured(msgspec.Struct, kw_only=True):
    """Times are UTC microseconds; None: not measured yet."""

    projects_us: int | None = None
    disk_us: int | None = None
    day_parts: int = 0
    projects: list[ProjectSize] = []
    parts: dict[str, int] = {}
    is_cut: bool = False  # a folder has more files than are looked at
    tasks: list[TaskRun] = []


_decoder = msgspec.json.Decoder(Measured)


@dataclass
class Measurer:
    """One thread measures, one publishes."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    fanout: int
    runs: TaskRuns
    found: Measured = field(default_factory=Measured)
    is_failing: bool = False

    def projects(self) -> int:
        """Looks at every manifest; the most files of one day."""
        sizes: list[ProjectSize] = []
        most = 0
        for project_id in self.layout.project_ids():
            try:
                manifest = self.manifests.latest(project_id)
            except IafaError:
                continue  # a damaged manifest is told elsewhere
            sizes.append(self._size(project_id, manifest))
            most = max(most, *Counter(file.date for file in manifest.files).values(), 0)
        self.found = msgspec.structs.replace(
            self.found, projects_us=self.clock.now_us(), projects=sizes, day_parts=most
        )
        return most

    def disk(self) -> None:
        """Walks through the folders that no list is kept of."""
        counted = {name: _bytes_below(self.layout.root / folder) for name, folder in PARTS.items()}
        self.found = msgspec.structs.replace(
            self.found,
            disk_us=self.clock.now_us(),
            parts={name: size for name, (size, _) in counted.items()},
            is_cut=any(is_cut for _, is_cut in counted.values()),
        )

    def publish(self) -> None:
        """Never a reason for anything else to fail."""
        found = msgspec.structs.replace(self.found, tasks=self.runs.read())
        try:
            make_dirs(self.layout.monitor)
            replace_derived(self.layout.monitor / FILE_NAME, msgspec.json.encode(found))
        except OSError as error:
            if not self.is_failing:
                log.warning("what was measured cannot be published: %s", error.strerror)
            self.is_failing = True
        else:
            self.is_failing = False

    def _size(self, project_id: str, manifest: Manifest) -> ProjectSize:
        files = manifest.files
        lots = due(files, now_us=self.clock.now_us(), fanout=self.fanout)
        return ProjectSize(
            id=project_id,
            files=len(files),
            rows=sum(file.rows for file in files),
            bytes=sum(file.bytes for file in files),
            days=len({file.date for file in files}),
            parts=sum(not file.is_day for file in files),
            due=sum(len(lot) for lot in lots),
            rollup_bytes=sum(file.bytes for file in manifest.rollups),
            trash_files=len(manifest.trash),
        )


def read_measured(layout: Layout) -> Measured:
    """What was measured last; nothing, if the background process has not begun."""
    try:
        return _decoder.decode((layout.monitor / FILE_NAME).read_bytes())
    except (OSError, msgspec.DecodeError):
        return Measured()


def _bytes_below(folder: Path) -> tuple[int, bool]:
    """The bytes of the files in a folder, and whether there are too many to look at all."""
    total = seen = 0
    waiting = [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    seen += 1
                    if seen > ENTRIES_MAX:
                        return total, True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        total += entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue  # it has gone meanwhile
    return total, False

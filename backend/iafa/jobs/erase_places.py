"""Where bytes of people may lie beside the listed files: journals, trash, strays, unfinished and damaged files."""

import logging
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from iafa.clock import US_PER_DAY, Clock
from iafa.durable import remove_tree, unlink
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.erase_files import clean_aside, holds_rows_of, names_ids_of
from iafa.journal.format import SEGMENT_SUFFIX
from iafa.journal.reader import journals, segments
from iafa.lake.erasure import ErasedPeople
from iafa.lake.held import held_files
from iafa.lake.id_files import sweep_id_files
from iafa.lake.layout import Layout
from iafa.lake.lease import LEASE_PREFIX
from iafa.lake.manifest import Manifest
from iafa.lake.refused_people import Naming
from iafa.locks import held

log = logging.getLogger("iafa.erase")
_HEAD_BYTES = 512
_HEAD = re.compile(rb'\{"v":[0-9]+,"q":[0-9]+,"k":"[a-z]+","p":"([^"]*)","r":([0-9]+),')
UPLOAD_PREFIX = "upload-"
LEFT_BEHIND_US = US_PER_DAY  # what nobody has touched for so long, nobody is working on
UNREADABLE = (OSError, pa.ArrowException)


@dataclass
class Places:
    """Of one project, for one look. Each method gives what still has to go by itself, as a few words, or None."""

    layout: Layout
    clock: Clock
    people: ErasedPeople
    manifest: Manifest
    hit: Hit = no_failpoints
    clean: set[Path] = field(default_factory=set)  # files that never change and were looked into
    removed_rows: int = 0
    removed_files: int = 0
    unreadable: set[str] = field(default_factory=set)

    @property
    def _until_us(self) -> int:
        return max(target.received_until_us for target in self.people.targets)

    @property
    def _project_id(self) -> str:
        return self.manifest.project_id

    def in_journals(self) -> str | None:
        """Records of that time go with their segments, which the flusher removes."""
        if held_files(self.layout, self._project_id):
            return "events are held until the manifest can be read"
        for epoch, directory in journals(self.layout.journal):
            for segment in segments(epoch, directory):
                if _has_records(segment.path, self._project_id.encode(), self._until_us):
                    return f"journal {epoch} has events of that time that are not flushed yet"
        return None

    def in_files(self) -> bool:
        """Listed ones; what cannot be read must be mended first."""
        directory = self.layout.project(self._project_id)
        return any(self._holds(directory / file.path) for file in self.manifest.files)

    def in_trash(self) -> str | None:
        for gone in self.manifest.trash:
            path = self.layout.lake_file(self._project_id, gone.path)
            if not gone.path.startswith("rollups/") and self._holds(path):
                return "replaced files stay until no question can be reading them (IAFA_TRASH_GRACE_S)"
        return None

    def in_use(self) -> str | None:
        """Files that somebody is working with in the folder of unfinished files."""
        for lease in self.layout.tmp.glob(f"{LEASE_PREFIX}*"):
            if any(self._holds(path) for path in sorted(lease.glob("*.parquet"))):
                return "somebody is looking at the files with `iafa sql`"
        limit_us = self.clock.now_us() - LEFT_BEHIND_US
        for folder in self._work():
            times = list(_times_us(folder))
            if times and min(times) <= self._until_us and max(times) >= limit_us:
                return "an upload or a question that had begun before has not ended"
        return None

    def _work(self) -> list[Path]:
        """Folders of uploads, and those of the engine that are not empty: it keeps one as long as it is open."""
        spills = [folder for folder in self.layout.tmp.glob("duckdb/*") if any(folder.glob("*"))]
        return [*self.layout.tmp.glob(f"{UPLOAD_PREFIX}*"), *spills]

    def remove_left_overs(self) -> str | None:
        """What killed processes left unfinished. The caller holds the writer lock, so that nobody is making more."""
        with held(self.layout.compact_lock, wait_s=0) as is_ours:
            if not is_ours:
                return "files are being merged"
            for name in ("compact", "relief"):
                remove_tree(self.layout.tmp / name)
        limit_us = self.clock.now_us() - LEFT_BEHIND_US
        for folder in self._work():
            if max(_times_us(folder), default=limit_us) < limit_us:
                remove_tree(folder)
        for path in self.layout.tmp.glob(f"*{self._project_id}*"):
            if path.is_file():
                unlink(path)
        return None

    def clean_strays(self, folder: Path) -> None:
        """Files of the project that no manifest names, and damaged ones. The caller holds the writer lock."""
        directory = self.layout.project(self._project_id)
        named = {file.path for file in self.manifest.files} | {gone.path for gone in self.manifest.trash}
        named |= set(self.manifest.identity)
        patterns = ("[0-9]*/[0-9]*/*.parquet", "identity/*.parquet")
        for path in [path for pattern in patterns for path in directory.glob(pattern)]:
            if path.relative_to(directory).as_posix() not in named:
                self._clean_aside(path, folder)
        for path in self.layout.damaged.rglob("*.parquet*"):
            if directory.name in path.parts:
                self._clean_aside(path, folder)
        self._clean_damaged_bytes()
        sweep_id_files(self.layout.id_hashes(self._project_id), self.manifest.files)

    def _clean_aside(self, path: Path, folder: Path) -> None:
        try:
            rows = clean_aside(path, self.people, folder, self.hit)
        except UNREADABLE as error:
            log.warning("unreadable file=%s error=%s: it may hold rows of somebody who was erased", path, error)
            self.note_unreadable(path)
        else:
            self.removed_rows += rows
            self.removed_files += rows > 0

    def note_unreadable(self, path: Path) -> None:
        """For the proof: nobody can tell whether they are in it."""
        self.unreadable.add(path.relative_to(self.layout.root).as_posix())

    def _clean_damaged_bytes(self) -> None:
        """Bytes of a journal that are no record: searched as they are."""
        naming = Naming(frozenset(self.people.ids.to_pylist()))
        damaged = [self.layout.journal / "damaged", self.layout.damaged / "journal"]
        for path in [path for folder in damaged for path in folder.rglob("*") if path.is_file()]:
            if path.suffix in (".bad", SEGMENT_SUFFIX) and naming.is_in(path.read_bytes().decode(errors="replace")):
                unlink(path)
                self.removed_files += 1

    def _holds(self, path: Path) -> bool:
        """What is gone holds nothing; what cannot be read may hold them, and goes with time."""
        if path in self.clean:
            return False
        try:
            looks = names_ids_of if path.parent.name == "identity" else holds_rows_of
            found = looks(path, self.people)
        except FileNotFoundError:
            return False
        except UNREADABLE:
            return True
        if not found:
            self.clean.add(path)
        return found


def _has_records(path: Path, project_id: bytes, until_us: int) -> bool:
    """Whether the segment has a record of the project that was received until then."""
    try:
        with open(path, "rb") as file:
            for line in file:
                head = _HEAD.match(line[:_HEAD_BYTES])
                if head is not None and head[1] == project_id and int(head[2]) <= until_us:
                    return True
    except FileNotFoundError:
        return False
    return False


def _times_us(folder: Path) -> Iterator[int]:
    """When the folder and what is in it was changed."""
    for path in (folder, *folder.rglob("*")):
        try:
            yield path.stat().st_mtime_ns // 1000
        except FileNotFoundError:
            continue

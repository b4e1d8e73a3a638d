"""`iafa backup`: a consistent, checksummed copy of a directory that is being served. Takes no lock.

Journals first, manifests second: what leaves a journal in between is in the manifests by then, and what is in both is
made distinct when the journal is flushed again. So every event acknowledged before the start is in the backup.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from iafa import __version__
from iafa.clock import Clock
from iafa.durable import copy_synced, link_or_copy, make_dirs, sync_tree, unlink, write_synced
from iafa.errors import DataDamaged, StorageUnavailable, WrongUsage
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.backup_contents import BackedUp, Contents, ProjectState, write_contents
from iafa.jobs.backup_record import ERROR_CHARS_MAX, BackupRecord, record_backup
from iafa.journal.acked import read_published
from iafa.journal.epoch import highest_journal, read_epoch
from iafa.journal.format import ACKED_NAME, LOCK_NAME
from iafa.journal.reader import journals, segments
from iafa.journal.writer import births_lock
from iafa.lake.dropped import MARKER_SUFFIX, is_dropped
from iafa.lake.layout import Layout, manifest_name
from iafa.lake.manifest import LakeFile, Manifest, Manifests, RollupFile
from iafa.lake.parts import file_checksum
from iafa.locks import held, is_taken
from iafa.seal import sealed

TRIES = 20
NOT_COPIED = frozenset({"events", "journal", "tmp", "trash", "locks", "run", "damaged", "index", "rollups", "salts"})
# `index` is derived; roll-ups come with the generation that lists them; a salt that is to be thrown away must not stay
# in a backup, where it would tell whose hash was whose


@dataclass
class Made:
    """What one run did."""

    files: int = 0
    bytes: int = 0
    linked: int = 0
    rows: int = 0
    left_out: list[str] = field(default_factory=list)


@dataclass
class Backup:
    """One run into an empty folder. Event files, which never change, are hard links where that is possible."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    target: Path
    may_link: bool = True
    hit: Hit = no_failpoints
    made: Made = field(default_factory=Made)
    _files: list[BackedUp] = field(default_factory=list)

    def run(self) -> Made:
        """Whatever becomes of it is noted in the directory, for those who look whether there are backups."""
        try:
            self._run()
        except WrongUsage:
            raise
        except BaseException as error:
            self._note(f"{type(error).__name__}: {error}"[:ERROR_CHARS_MAX])
            raise
        self._note(None)
        return self.made

    def _note(self, error: str | None) -> None:
        made = self.made
        record = BackupRecord(
            at_us=self.clock.now_us(),
            files=made.files,
            bytes=made.bytes,
            rows=made.rows,
            left_out=len(made.left_out),
            error=error,
        )
        record_backup(self.layout, record)

    def _run(self) -> None:
        self._check_target()
        make_dirs(self.target)
        self._journals()
        self.hit("backup.snapshot_taken")
        projects = [self._project(project_id) for project_id in self.layout.project_ids()]
        self._everything_else()
        sync_tree(self.target)
        self.hit("backup.before_seal")
        contents = Contents(
            version=__version__,
            made_at_us=self.clock.now_us(),
            epoch=max(read_epoch(self.layout.journal) or 0, highest_journal(self.layout.journal)),
            projects=tuple(project for project in projects if project is not None),
            files=tuple(self._files),
            left_out=tuple(self.made.left_out),
        )
        write_contents(self.target, contents)

    def _check_target(self) -> None:
        target, root = self.target.resolve(), self.layout.root.resolve()
        if target == root or root in target.parents or target in root.parents:
            raise WrongUsage(f"{self.target} and the data directory {root} lie in each other; choose another folder")
        if target.exists() and (not target.is_dir() or any(target.iterdir())):
            raise WrongUsage(f"{self.target} is not an empty folder; a backup needs one of its own")

    # Journals

    def _journals(self) -> None:
        for epoch, directory in journals(self.layout.journal):
            with held(births_lock(self.layout.journal)):
                is_alive = is_taken(directory / LOCK_NAME)
            published = read_published(directory)
            acked = published.acked if published is not None and is_alive else None
            found = segments(epoch, directory)
            if is_alive and acked is None and found:
                raise DataDamaged(f"{directory / ACKED_NAME} is damaged; run `iafa verify`")
            for segment in found:
                if acked is not None and segment.number > acked.segment:
                    continue
                is_growing = acked is not None and segment.number == acked.segment
                refused_from = None if published is None else published.end_of(segment.number)
                limit = acked.offset if acked is not None and is_growing else refused_from
                self._copy(segment.path, limit=limit)
        # Records go from segments to folders beside them, if their project is stuck, and from there to the manifests.
        for entry in sorted(self.layout.journal.glob("[!0-9.]*/")):
            for path in sorted(entry.rglob("*")):
                if path.is_file() and not path.name.endswith(".tmp"):
                    self._copy(path)

    # Projects

    def _project(self, project_id: str) -> ProjectState | None:
        """One generation with all its files. None when the project has just been deleted."""
        had = set[str]()
        for _ in range(TRIES):
            manifest = self.manifests.latest(project_id)
            try:
                for file in manifest.listed:
                    if file.path not in had:
                        self._lake_file(self.layout.lake_file(project_id, file.path))
                        had.add(file.path)
                for path in manifest.identity:
                    self._lake_file(self.layout.project(project_id) / path)
            except FileNotFoundError:
                newer = Manifests(self.layout, self.clock).latest(project_id)
                if newer.generation == manifest.generation:
                    manifest = self._without_missing(manifest)
                else:
                    continue  # merged away while we were busy elsewhere: the newer generation has the merged file
            break
        else:
            raise StorageUnavailable(f"the files of project {project_id} change faster than they can be copied")
        if is_dropped(self.layout, project_id) and not manifest.files:
            return None
        return self._seal_project(project_id, manifest, had)

    def _without_missing(self, manifest: Manifest) -> Manifest:
        """The generation as it is: a listed file that does not exist is left out, and said so."""
        for file in manifest.listed:
            path = self.layout.lake_file(manifest.project_id, file.path)
            if path.exists():
                self._lake_file(path)
            else:
                self.made.left_out.append(path.relative_to(self.layout.root).as_posix())
        return manifest

    def _lake_file(self, path: Path) -> None:
        target = self.target / path.relative_to(self.layout.root)
        if target.exists():
            return
        self.made.linked += link_or_copy(path, target, may_link=self.may_link)
        self.hit("backup.file_copied")

    def _seal_project(self, project_id: str, manifest: Manifest, had: set[str]) -> ProjectState:
        """Compare what was copied with the manifest; drop what the generation does not list."""
        copy = Layout(self.target)
        for path in had - {file.path for file in manifest.listed}:
            unlink(copy.lake_file(project_id, path))
        for file in manifest.listed:
            self._check_lake_file(copy.lake_file(project_id, file.path), file)
        for path in manifest.identity:
            self._list(copy.project(project_id) / path)
        if manifest.generation:
            name = copy.manifests(project_id) / manifest_name(manifest.generation)
            make_dirs(name.parent)
            # A generation of an earlier format is kept in its own: what it lacks cannot be made up.
            data = msgspec.json.encode(manifest)
            write_synced(name, data if manifest.format == 1 else sealed(data))
            self._list(name)
        self.made.rows += sum(file.rows for file in manifest.files)
        return ProjectState(project_id, manifest.generation, sum(file.rows for file in manifest.files))

    def _check_lake_file(self, path: Path, file: LakeFile | RollupFile) -> None:
        relative = path.relative_to(self.target).as_posix()
        if not path.exists():
            return
        if path.stat().st_size != file.bytes or file_checksum(path) != file.xxh64:
            unlink(path)
            self.made.left_out.append(relative)
            return
        self._add(BackedUp(relative, file.bytes, file.xxh64))

    # The rest: metadata with the salts that stay, secrets, audit log, quarantine, counts of the month, what was deleted

    def _everything_else(self) -> None:
        root = self.layout.root
        kept = [self.layout.trash.glob(f"*{MARKER_SUFFIX}")]
        for entry in sorted(root.iterdir()):
            if entry.is_dir() and not entry.is_symlink() and entry.name not in NOT_COPIED:
                kept.append(entry.rglob("*"))
        # A log after what tells its end: a log that is longer than told is whole, one that is shorter is not.
        for path in (
            path for paths in kept for path in sorted(paths, key=lambda path: (path.suffix == ".jsonl", path))
        ):
            if path.is_file() and not path.is_symlink() and not path.name.endswith(".tmp"):
                self._copy_if_there(path)

    def _copy_if_there(self, path: Path) -> None:
        try:
            if path.suffix == ".parquet":
                self._lake_file(path)
                self._list(self.target / path.relative_to(self.layout.root))
            else:
                self._copy(path, limit=_whole_lines(path) if path.suffix == ".jsonl" else None)
        except FileNotFoundError:
            return  # replaced or merged meanwhile

    def _copy(self, path: Path, *, limit: int | None = None) -> None:
        target = self.target / path.relative_to(self.layout.root)
        try:
            copy_synced(path, target, limit=limit)
        except FileNotFoundError:
            return  # flushed or replaced meanwhile: what it held is in the manifests that are read later
        self._list(target)
        self.hit("backup.file_copied")

    def _list(self, target: Path) -> None:
        self._add(BackedUp(target.relative_to(self.target).as_posix(), target.stat().st_size, file_checksum(target)))

    def _add(self, file: BackedUp) -> None:
        self._files.append(file)
        self.made.files += 1
        self.made.bytes += file.bytes


def _whole_lines(path: Path) -> int:
    """The length of a log up to its last newline: a line that is being written is not copied in half."""
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        data = file.read(size)
    return data.rfind(b"\n") + 1

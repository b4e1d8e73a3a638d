"""Compaction: the one process that merges files, under which locks it does so, and what becomes of the inputs.

The long part, read, sort, write and read back, is done outside the writer lock: inputs never change. Only the commit
takes it, and looks again whether all inputs are still there. What left a manifest goes by way of the trash.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from itertools import count
from pathlib import Path

import duckdb
import pyarrow as pa

from iafa.clock import US_PER_DAY, US_PER_S, Clock
from iafa.durable import make_dirs, publish, remove_tree, unlink
from iafa.errors import DataDamaged, IafaError, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.merge import Merged, Merger
from iafa.jobs.tiers import Lot, by_day, due, relief
from iafa.lake.dropped import is_dropped, sweep
from iafa.lake.layout import Layout, day_path, part_path
from iafa.lake.manifest import LakeFile, Manifest, Manifests, with_files
from iafa.lake.parts import file_checksum
from iafa.lake.trash import empty_trash, own_file
from iafa.locks import held, is_taken
from iafa.metrics import Counters

log = logging.getLogger("iafa.compact")
FILES_MAX = 100  # a day stays below this number of files in every generation
AT_ONCE_MAX = 32  # files of a day that one upload may add: the rest of its room is for others
WAIT_S = 60.0
COMMIT_WAIT_S = 600.0  # an upload may hold the lake for long, and a finished merge is worth waiting
RETRY_US = 600 * US_PER_S  # a day that could not be merged is left alone for this long
TMP_KEPT_US = US_PER_DAY  # longer than any upload or query takes
STRAY_GRACE_FACTOR = 6  # a file of no manifest may be one that is about to be committed
FAILURES = (IafaError, OSError, MemoryError, pa.ArrowException, duckdb.Error)


@dataclass
class Compacted:
    """What one run did."""

    days: int = 0
    files_in: int = 0
    rows: int = 0
    repeats: int = 0
    unlinked: int = 0
    is_other_running: bool = False
    failed: list[str] = field(default_factory=list)


def free_path(directory: Path, day: date, manifest: Manifest, *, is_day: bool) -> str:
    """Never a path that a manifest ever named: a query of an older generation may still read it."""
    named = {file.path for file in manifest.files} | {gone.path for gone in manifest.trash}

    def names() -> Iterator[str]:
        if is_day:
            yield day_path(day, 0, is_first=True)
        # Not only the next number: after a loss of manifests generations begin anew, and the old files are there.
        for number in count(manifest.generation + 1):
            yield day_path(day, number, is_first=False) if is_day else part_path(day, f"m{number}")

    return next(path for path in names() if path not in named and not (directory / path).exists())


@dataclass(frozen=True)
class Compactor:
    """Merges, and empties the trash. Remembers which files are damaged and which days to leave alone for a while."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    parts_min: int = 8
    merger: Merger = field(default_factory=Merger)
    counters: Counters = field(default_factory=Counters)
    hit: Hit = no_failpoints
    damaged: set[tuple[str, str]] = field(default_factory=set)
    retry_after_us: dict[tuple[str, str], int] = field(default_factory=dict)

    def run(self, *, everything: bool = False) -> Compacted:
        """One pass over all projects; with `everything` each day becomes one file, today's too."""
        done = Compacted()
        if everything and is_taken(self.layout.compact_lock):
            log.info("another compaction is running; waiting for it up to %d seconds", WAIT_S)
        with held(self.layout.compact_lock, wait_s=WAIT_S if everything else 0) as is_ours:
            if not is_ours:
                log.info("another compaction is running; nothing to do")
                done.is_other_running = True
                return done
            if everything:
                self.damaged.clear()
                self.retry_after_us.clear()
            self._sweep(wait_s=WAIT_S if everything else 0)
            for project_id in self.layout.project_ids():
                try:
                    self._compact(project_id, everything, done)
                    self._empty_trash(project_id, done, wait_s=WAIT_S if everything else 0)
                except FAILURES as error:
                    # One project's trouble stops no other one; its files stay as they are.
                    self._failed(f"project {project_id}", error, done)
        return done

    def make_room(self, project_id: str, added: Iterable[LakeFile]) -> None:
        """Called under the writer lock before files are published: merges the days that they would fill up."""
        for day, fresh in by_day(added).items():
            try:
                self._relieve(project_id, day, len(fresh))
            except FAILURES as error:
                # What was acknowledged must come in all the same.
                self._failed(f"day {day} of project {project_id}", error, Compacted())

    def _relieve(self, project_id: str, day: str, coming: int) -> None:
        while True:
            manifest, known = self.manifests.latest(project_id), len(self.damaged)
            there = sum(file.date == day for file in manifest.files)  # damaged ones count as well
            lot = relief(self._mergeable(project_id, manifest, day), self.parts_min)
            if there + coming < FILES_MAX or not lot:
                return
            if not self._merge(project_id, lot, Compacted(), has_writer_lock=True) and len(self.damaged) == known:
                return  # the project has been deleted meanwhile

    def condense(self, project_id: str, files: Sequence[LakeFile], segment: str) -> list[LakeFile]:
        """Called under the writer lock with files that no manifest names yet: a day of many gets one instead of them.

        Raises StorageUnavailable when they cannot be merged; all of them are there then.
        """
        directory, days = self.layout.project(project_id), by_day(files)
        many = {day: own for day, own in days.items() if len(own) > AT_ONCE_MAX}
        made: list[LakeFile] = []
        try:
            for day, own in many.items():
                made.append(self._condensed(project_id, day, own, segment))
        except FAILURES as error:
            self.counters.add("compact_failures")
            for file in made:
                unlink(directory / file.path)
            raise StorageUnavailable(f"the upload's files of one day cannot be merged: {error}") from error
        for file in [file for own in many.values() for file in own]:
            unlink(directory / file.path)
        return [file for day, own in days.items() if day not in many for file in own] + made

    def _condensed(self, project_id: str, day: str, files: list[LakeFile], segment: str) -> LakeFile:
        directory, path = self.layout.project(project_id), part_path(date.fromisoformat(day), segment)
        with self._folder("relief") as folder:
            paths = [directory / file.path for file in files]
            merged = self.merger.merge(paths, sum(file.rows for file in files), folder)
            publish(merged.temporary, directory / path, area="compact", hit=self.hit)
        return merged.file(path, day, is_day=False)

    def _compact(self, project_id: str, everything: bool, done: Compacted) -> None:
        failed: set[str] = set()
        while True:
            now_us = self.clock.now_us()
            files = self._mergeable(project_id, self.manifests.latest(project_id))
            lots = due(files, now_us=now_us, fanout=self.parts_min, everything=everything)
            lots = [lot for lot in lots if lot[0].date not in failed and not self._rests(project_id, lot, now_us)]
            if not lots:
                return
            for lot in lots:
                day = lot[0].date
                try:
                    if not self._merge(project_id, lot, done, has_writer_lock=False):
                        failed.add(day)  # others changed the day meanwhile: the next pass sees to it
                except FAILURES as error:
                    self._failed(f"day {day} of project {project_id}", error, done)
                    self.retry_after_us[project_id, day] = now_us + RETRY_US
                    failed.add(day)
            if everything:
                return  # once: what comes in meanwhile would never let it end

    def _mergeable(self, project_id: str, manifest: Manifest, day: str | None = None) -> list[LakeFile]:
        return [
            file for file in manifest.files if day in (None, file.date) and (project_id, file.path) not in self.damaged
        ]

    def _rests(self, project_id: str, lot: Lot, now_us: int) -> bool:
        return now_us < self.retry_after_us.get((project_id, lot[0].date), 0)

    def _failed(self, what: str, error: BaseException, done: Compacted) -> None:
        log.error("%s cannot be compacted: %s", what, error)
        self.counters.add("compact_failures")
        done.failed.append(f"{what}: {error}")

    def _merge(self, project_id: str, lot: Lot, done: Compacted, *, has_writer_lock: bool) -> bool:
        """Whether the lot, or what is intact of it, has become one file."""
        directory = self.layout.project(project_id)
        files = [file for file in lot if self._is_intact(project_id, directory, file, done)]
        if len(files) < 2 and (len(files) < len(lot) or files[0].is_day):
            return False
        with self._folder("relief" if has_writer_lock else "compact") as folder:
            paths = [directory / file.path for file in files]
            merged = self.merger.merge(paths, sum(file.rows for file in files), folder)
            self.hit("compact.merged_synced")
            with (
                nullcontext(True) if has_writer_lock else held(self.layout.writer_lock, wait_s=COMMIT_WAIT_S) as is_ours
            ):
                if not is_ours:
                    raise StorageUnavailable("another process held the lake for too long; the merge is tried again")
                is_committed = self._commit(project_id, files, merged)
        if is_committed:
            self.counters.add("compact_days")
            done.days += 1
            done.files_in += len(files)
            done.rows += merged.contents.rows
            done.repeats += merged.repeats
        return is_committed

    @contextmanager
    def _folder(self, name: str) -> Iterator[Path]:
        """Whoever holds the lock is alone in its folder: what a killed one left goes first."""
        folder = self.layout.tmp / name
        remove_tree(folder)
        make_dirs(folder)
        try:
            yield folder
        finally:
            remove_tree(folder)
            pa.default_memory_pool().release_unused()

    def _is_intact(self, project_id: str, directory: Path, file: LakeFile, done: Compacted) -> bool:
        path = directory / file.path
        if file_checksum(path) == file.xxh64:
            return True
        self.damaged.add((project_id, file.path))
        self.counters.add("damaged_files")
        self._failed(str(path), DataDamaged("it is not what was written; restore it from a backup"), done)
        return False

    def _commit(self, project_id: str, files: list[LakeFile], merged: Merged) -> bool:
        """Swap the files for the merged one in one generation. The caller holds the writer lock."""
        manifest, gone = self.manifests.latest(project_id), {file.path for file in files}
        if is_dropped(self.layout, project_id) or not gone <= {file.path for file in manifest.files}:
            log.info("project=%s day=%s changed during its merge, which is given up", project_id, files[0].date)
            return False
        day = files[0].date
        is_day = gone >= {file.path for file in self._mergeable(project_id, manifest, day)}
        directory = self.layout.project(project_id)
        path = free_path(directory, date.fromisoformat(day), manifest, is_day=is_day)
        publish(merged.temporary, directory / path, area="compact", hit=self.hit)
        self.hit("compact.before_commit")
        until_us = self.clock.now_us() + self.manifests.grace_us
        entry = merged.file(path, day, is_day=is_day)

        def change(base: Manifest) -> Manifest:
            if not gone <= {file.path for file in base.files}:
                raise StorageUnavailable(f"the day {day} changed under the writer lock; the merge is given up")
            return with_files(base, [entry], removed=gone, until_us=until_us)

        self.manifests.commit(project_id, change)
        self.hit("compact.committed")
        return True

    def _sweep(self, *, wait_s: float) -> None:
        """Remove deleted projects, and what killed processes left in the folder of unfinished files."""
        with held(self.layout.writer_lock, wait_s=wait_s) as is_ours:
            if not is_ours:
                return
            sweep(self.layout, self.clock, grace_us=self.manifests.grace_us)
            if not self.layout.tmp.is_dir():
                return
            limit_us = self.clock.now_us() - TMP_KEPT_US
            for path in [*self.layout.tmp.iterdir(), *self.layout.tmp.glob("duckdb/*")]:
                if not _is_old(path, limit_us):
                    continue
                if path.is_dir() and path.name != "duckdb":
                    remove_tree(path)
                elif path.is_file():
                    unlink(path)

    def _empty_trash(self, project_id: str, done: Compacted, *, wait_s: float) -> None:
        """Unlink what nobody can be reading any more, then forget it; a repeated unlink is harmless."""
        with held(self.layout.writer_lock, wait_s=wait_s) as is_ours:
            if not is_ours:
                return
            directory = self.layout.project(project_id)
            for path in sorted(self._strays(directory, self.manifests.latest(project_id), self.clock.now_us())):
                unlink(own_file(self.layout, project_id, path))
                done.unlinked += 1
            unlinked = empty_trash(
                self.layout,
                self.manifests,
                self.clock,
                project_id,
                unlinked=lambda: self.hit("compact.trash_unlinked"),
            )
            done.unlinked += unlinked
            if unlinked:
                self.hit("compact.trashed")

    def _strays(self, directory: Path, manifest: Manifest, now_us: int) -> set[str]:
        """Files that a killed writer left behind: in no manifest, in no trash list, and old."""
        if not manifest.generation:
            return set()  # where there is no manifest at all, they may be all that is left of the project
        named = {file.path for file in manifest.files} | {gone.path for gone in manifest.trash}
        limit_us = now_us - STRAY_GRACE_FACTOR * self.manifests.grace_us
        return {
            relative
            for path in directory.glob("*/*/events_*.parquet")
            if (relative := path.relative_to(directory).as_posix()) not in named
            and path.stat().st_mtime_ns // 1000 < limit_us
        }


def _is_old(path: Path, limit_us: int) -> bool:
    """What is gone meanwhile was somebody's: a question that has ended took its folder away."""
    try:
        return path.stat().st_mtime_ns // 1000 < limit_us
    except FileNotFoundError:
        return False

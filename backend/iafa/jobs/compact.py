"""Compaction: the parts of a day become one sorted file, in one manifest generation; the parts follow via the trash."""

import logging
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pyarrow as pa

from iafa.clock import US_PER_DAY, US_PER_S, Clock, to_datetime
from iafa.durable import remove_tree, unlink
from iafa.errors import DataDamaged
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.dropped import sweep
from iafa.lake.layout import Layout, day_path
from iafa.lake.manifest import LakeFile, Manifest, Manifests, with_files
from iafa.lake.parts import PartWriter, file_checksum, read_files, sorted_for_reading
from iafa.lake.trash import empty_trash, own_file
from iafa.locks import held

LATE_QUIET_US = 3600 * US_PER_S  # a merged day is merged again only when its late events have stopped for this long
log = logging.getLogger("iafa.compact")
WAIT_S = 60.0
TMP_KEPT_US = US_PER_DAY  # longer than any upload or query takes
STRAY_GRACE_FACTOR = 6  # a file of no manifest may be one that is about to be committed


@dataclass
class Compacted:
    """What one run did."""

    days: int = 0
    files_in: int = 0
    rows: int = 0
    unlinked: int = 0
    failed: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Compactor:
    """Merges, and empties the trash. Excludes other writers of the lake by its lock."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    parts_min: int = 8
    hit: Hit = no_failpoints

    def run(self, *, everything: bool = False) -> Compacted:
        """One pass over all projects; with `everything` also days that have only a few parts."""
        done = Compacted()
        with held(self.layout.writer_lock, wait_s=WAIT_S if everything else 0) as is_ours:
            if is_ours:
                sweep(self.layout, self.clock, grace_us=self.manifests.grace_us)
                self._sweep_tmp()
        for project_id in self.layout.project_ids():
            with held(self.layout.writer_lock, wait_s=WAIT_S if everything else 0) as is_ours:
                if not is_ours:
                    return done
                try:
                    for files in self._due(self.manifests.latest(project_id), everything):
                        self._merge(project_id, files, done)
                    self._empty_trash(project_id, done)
                except (DataDamaged, OSError, pa.ArrowException) as error:
                    # One project's trouble stops no other one; its files stay as they are.
                    log.error("project=%s cannot be compacted: %s", project_id, error)
                    done.failed.append(f"{project_id}: {error}")
        return done

    def _sweep_tmp(self) -> None:
        """Remove what killed processes left in the folder of unfinished files."""
        if not self.layout.tmp.is_dir():
            return
        limit_us = self.clock.now_us() - TMP_KEPT_US
        for path in [*self.layout.tmp.iterdir(), *self.layout.tmp.glob("duckdb/*")]:
            is_old = path.stat().st_mtime_ns // 1000 < limit_us
            if is_old and path.is_dir() and path.name != "duckdb":
                remove_tree(path)
            elif is_old and path.is_file():
                unlink(path)

    def _due(self, manifest: Manifest, everything: bool) -> list[list[LakeFile]]:
        """Days worth merging: many parts, or a day that has ended and still lies in parts."""
        now_us = self.clock.now_us()
        today = to_datetime(now_us).date().isoformat()
        by_day: dict[str, list[LakeFile]] = defaultdict(list)
        for file in manifest.files:
            by_day[file.date].append(file)
        due = []
        for day, files in sorted(by_day.items()):
            parts = sum(not file.is_day for file in files)
            is_quiet = parts == len(files) or max(file.last_received_us for file in files) < now_us - LATE_QUIET_US
            is_over = day < today and parts > 0 and is_quiet
            if parts >= self.parts_min or is_over or (everything and parts > 0):
                due.append(files)
        return due

    def _merge(self, project_id: str, files: list[LakeFile], done: Compacted) -> None:
        directory = self.layout.project(project_id)
        for file in files:
            if file_checksum(directory / file.path) != file.xxh64:
                raise DataDamaged(f"{directory / file.path} is not what was written; restore it from a backup")
        table = sorted_for_reading(read_files(directory, files))
        rows = sum(file.rows for file in files)
        if table.num_rows != rows:
            raise DataDamaged(f"merging {files[0].date} of {project_id}: {table.num_rows} rows of {rows}")
        manifest = self.manifests.latest(project_id)
        path = self._free_path(directory, date.fromisoformat(files[0].date), manifest)
        merged = PartWriter(self.layout, self.hit).write(project_id, path, table, is_day=True)
        self.hit("compact.merged_synced")
        until_us = self.clock.now_us() + self.manifests.grace_us
        self.hit("compact.before_commit")
        self.manifests.commit(
            project_id,
            lambda base: with_files(base, [merged], removed=[file.path for file in files], until_us=until_us),
        )
        self.hit("compact.committed")
        done.days += 1
        done.files_in += len(files)
        done.rows += rows

    def _free_path(self, directory: Path, day: date, manifest: Manifest) -> str:
        """Never a path that a manifest ever named: a query of an older generation may still read it."""
        first = day_path(day, 0, is_first=True)
        named = {file.path for file in manifest.files} | {gone.path for gone in manifest.trash}
        if first not in named and not (directory / first).exists():
            return first
        return day_path(day, manifest.generation + 1, is_first=False)

    def _empty_trash(self, project_id: str, done: Compacted) -> None:
        """Unlink what nobody can be reading any more, then forget it; a repeated unlink is harmless."""
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
        named = {file.path for file in manifest.files} | {gone.path for gone in manifest.trash}
        limit_us = now_us - STRAY_GRACE_FACTOR * self.manifests.grace_us
        return {
            relative
            for path in directory.glob("*/*/events_*.parquet")
            if (relative := path.relative_to(directory).as_posix()) not in named
            and path.stat().st_mtime_ns // 1000 < limit_us
        }

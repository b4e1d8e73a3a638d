"""Retention: whole UTC days leave when a project's setting says so; their daily counts stay as roll-ups.

The raw files of a month leave in the same manifest generation in which its roll-ups appear, so that no day is ever
counted twice or not at all. Files follow through the trash. A wrong clock or a wrong setting is refused.
"""

import contextlib
import logging
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa

from iafa.audit import AuditLog
from iafa.clock import US_PER_DAY, Clock, to_iso
from iafa.durable import unlink
from iafa.errors import DataDamaged, IafaError
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.archive import Archive
from iafa.jobs.clock_watch import ClockWatch, Reading
from iafa.jobs.erase_files import holds_rows_of
from iafa.jobs.retention_plan import Limits, Policy, Removed, Report, days_before, too_much
from iafa.lake.dropped import is_dropped
from iafa.lake.erasure import Erasures
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile, Manifest, Manifests, RollupFile, with_files
from iafa.lake.parts import file_checksum
from iafa.lake.rollups import Rollups, added_up, counted, is_of_its_day, since, write_rollup
from iafa.lake.trash import empty_trash, own_file
from iafa.locks import held
from iafa.metrics import Counters

log = logging.getLogger("iafa.retention")
WAIT_S = 60.0
STRAY_GRACE_FACTOR = 6


@dataclass(frozen=True)
class Retention:
    """Removes what is older than the projects' settings. One run at a time in a data directory."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    policies: Callable[[], Mapping[str, Policy]]
    dedup_window_us: int
    archive_dir: Path | None = None
    wait_s: float = WAIT_S
    counters: Counters = field(default_factory=Counters)
    hit: Hit = no_failpoints

    def look_at_clock(self) -> None:
        """Note what the clock says now; the background process does it every hour."""
        self._watch.look(_newest_us(self._readable_manifests()))

    def run(self, *, actor: str, dry_run: bool = False, force: bool = False) -> Report:
        """`force` takes the clock for right and any share for wanted. A dry run writes nothing at all."""
        report = Report(is_dry_run=dry_run)
        archive = None if self.archive_dir is None else Archive(self.archive_dir, self.layout)
        if archive is not None:
            archive.check()
        if dry_run:
            _Run(self, archive, actor, force, report).plan_all()
            return report
        with held(self.layout.retention_lock, wait_s=0) as is_ours:
            if is_ours:
                _Run(self, archive, actor, force, report).remove_all()
            else:
                report.is_busy = True
                log.info("another run of retention is at work; nothing to do")
        return report

    def distrust(self, now_us: int, *, keeps: bool) -> str | None:
        """Why the clock must not decide what is old; None if it may."""
        manifests = self._readable_manifests()
        for manifest in manifests:
            if now_us < manifest.made_at_us:
                made_at = to_iso(manifest.made_at_us)
                return f"the clock says {to_iso(now_us)}, but project {manifest.project_id} was written at {made_at}"
        return self._watch.look(_newest_us(manifests), keeps=keeps)

    def _readable_manifests(self) -> list[Manifest]:
        """A damaged one has no say: its project is reported when its turn comes, and stops no other one."""
        found = []
        for project_id in self.layout.project_ids():
            with contextlib.suppress(DataDamaged):
                found.append(self.manifests.latest(project_id))
        return found

    @property
    def _watch(self) -> ClockWatch:
        return ClockWatch(self.layout.clock_record, self.clock)


def _newest_us(manifests: list[Manifest]) -> int | None:
    received = [file.last_received_us for manifest in manifests for file in manifest.files]
    return max(received + [one.made_at_us for one in manifests if one.generation], default=None)


@dataclass
class _Run:
    """One run: everything in it is measured against the time at which it began."""

    job: Retention
    archive: Archive | None
    actor: str
    force: bool
    report: Report

    def __post_init__(self) -> None:
        self.began = Reading.of(self.job.clock)
        self.audit = AuditLog(self.job.layout.audit, self.job.clock, self.job.hit)

    def plan_all(self) -> None:
        self.report.refused = None if self.force else self.job.distrust(self.began.wall_us, keeps=False)
        for project_id, policy in self._policies():
            with self._failures_of(project_id):
                self._planned(project_id, Limits.of(policy, self.began.wall_us))

    def remove_all(self) -> None:
        refused = self.job.distrust(self.began.wall_us, keeps=True)
        if refused is not None and not self.force:
            self.report.refused = refused
            log.error("nothing is removed: %s; if the clock is right, run `iafa retention --force`", refused)
            return
        for project_id, policy in self._policies():
            with self._failures_of(project_id):
                self._remove(project_id, Limits.of(policy, self.began.wall_us))
            if self.report.refused or self.report.is_busy:
                return

    def _policies(self) -> list[tuple[str, Policy]]:
        known = set(self.job.layout.project_ids())
        return [(one, policy) for one, policy in sorted(self.job.policies().items()) if one in known]

    def _failures_of(self, project_id: str) -> "_Failures":
        return _Failures(project_id, self.report)

    def _planned(self, project_id: str, limits: Limits) -> Removed:
        manifest = self.job.manifests.latest(project_id)
        due = self._due(manifest, limits)
        removed = Removed(project_id)
        removed.add(due)
        removed.rollup_days = days_before(manifest.rollups, limits.first_counted)
        removed.held_back = None if self.force else too_much(manifest, removed)
        if removed.days or removed.rollup_days:
            self.report.projects.append(removed)
        return removed

    def _due(self, manifest: Manifest, limits: Limits) -> dict[str, list[LakeFile]]:
        """Whole days. One that got events lately waits for the end of the dedup window, else a repeat would count
        again; but not longer than the window, else an endless trickle would keep it for ever."""
        if limits.first_kept is None:
            return {}
        by_day: dict[str, list[LakeFile]] = defaultdict(list)
        for file in manifest.files:
            if file.date < limits.first_kept.isoformat():
                by_day[file.date].append(file)
        window_us = self.job.dedup_window_us
        last_us = self.began.wall_us - window_us
        surely = limits.first_kept - timedelta(days=-(-window_us // US_PER_DAY))
        return {
            day: files
            for day, files in sorted(by_day.items())
            if day < surely.isoformat() or max(file.last_received_us for file in files) < last_us
        }

    def _remove(self, project_id: str, limits: Limits) -> None:
        planned = self._planned(project_id, limits)
        if planned.held_back is not None:
            log.error("project=%s %s; look at it with `iafa retention --dry-run`", project_id, planned.held_back)
            return
        manifest = self.job.manifests.latest(project_id)
        months = {day[:7] for day in planned.days}
        if limits.first_counted is not None:
            months |= {f.first_date[:7] for f in manifest.rollups if f.first_date < limits.first_counted.isoformat()}
        done = Removed(project_id)
        if planned in self.report.projects:
            self.report.projects[self.report.projects.index(planned)] = done
        for month in ["", *sorted(months)]:
            # The lock is let go between two months, so that flushing goes on beside a long run.
            with held(self.job.layout.writer_lock, wait_s=self.job.wait_s) as is_ours:
                if not is_ours:
                    self.report.is_busy = True
                    log.warning("project=%s the lake is busy; the rest goes with the next run", project_id)
                    return
                if is_dropped(self.job.layout, project_id):
                    return
                if month:
                    self._remove_month(project_id, month, limits, done)
                else:
                    self._clean(project_id)

    def _clean(self, project_id: str) -> None:
        """What earlier runs removed and nobody reads any more, and roll-ups that a killed run left behind."""
        job = self.job
        empty_trash(
            job.layout, job.manifests, job.clock, project_id, unlinked=lambda: job.hit("retention.file_unlinked")
        )
        manifest = job.manifests.latest(project_id)
        named = {one.path for one in manifest.rollups} | {gone.path for gone in manifest.trash}
        months = {one.first_date[:7] for one in manifest.rollups}  # of any other one it may be the only copy
        limit_us = self.began.wall_us - STRAY_GRACE_FACTOR * job.manifests.grace_us
        folder = job.layout.project_rollups(project_id)
        for path in sorted(folder.glob("*/*/rollup_*.parquet")):
            relative = f"rollups/{path.relative_to(folder).as_posix()}"
            is_explained = path.name.removeprefix("rollup_")[:7] in months
            if is_explained and relative not in named and path.stat().st_mtime_ns // 1000 < limit_us:
                unlink(own_file(job.layout, project_id, relative))
        if manifest.made_at_us > self.began.wall_us:  # forced: the clock was ahead once, and is right by now
            job.manifests.commit(project_id, lambda base: base)

    def _remove_month(self, project_id: str, month: str, limits: Limits, done: Removed) -> None:
        job = self.job
        manifest = job.manifests.latest(project_id)
        due = {day: files for day, files in self._due(manifest, limits).items() if day[:7] == month}
        whole = {day: files for day, files in due.items() if self._is_whole(project_id, day, files)}
        old = [one for one in manifest.rollups if one.first_date[:7] == month]
        expired = days_before(old, limits.first_counted)
        if not whole and not expired:
            return
        new = self._rolled_up(project_id, month, manifest, old, whole, limits)
        job.hit("retention.rolled_up")
        gone = [(file.path, file.xxh64) for files in whole.values() for file in files]
        gone += [(one.path, one.xxh64) for one in old if expired]
        if self.archive is not None:
            for path, xxh64 in gone:
                self.archive.keep(project_id, path, xxh64)
                job.hit("retention.archived")
                done.archived += 1
        self._write_audit(project_id, manifest, whole, expired, limits)
        job.hit("retention.before_commit")
        if not Reading.of(job.clock).is_in_step_with(self.began):
            self.report.refused = "the clock was set while retention ran; what is left goes with the next run"
            log.error("project=%s %s", project_id, self.report.refused)
            return
        left = {one.path for one in old} | {path for path, _ in gone}
        done.generation = job.manifests.commit(project_id, self._swap(old, new, left)).generation
        job.hit("retention.committed")
        done.add(whole)
        done.rollup_days += expired
        job.counters.add("retention_days_removed", amount=len(whole))
        log.info("project=%s month=%s days=%d rolled-up days=%d removed", project_id, month, len(whole), expired)

    def _swap(self, old: list[RollupFile], new: RollupFile | None, left: set[str]) -> Callable[[Manifest], Manifest]:
        until_us = self.job.clock.now_us() + self.job.manifests.grace_us

        def change(base: Manifest) -> Manifest:
            kept = tuple(one for one in base.rollups if one not in old)
            swapped = with_files(base, (), removed=left, until_us=until_us)
            return msgspec.structs.replace(swapped, rollups=kept if new is None else (*kept, new))

        return change

    def _is_whole(self, project_id: str, day: str, files: list[LakeFile]) -> bool:
        """A day with a damaged file stays: its counts would be wrong for ever. So does one with rows of people who are
        being erased, until these are removed: neither its counts nor its copy in the archive may hold them."""
        people = Erasures(self.job.layout).people(self.job.manifests.latest(project_id))
        for file in files:
            try:
                path = own_file(self.job.layout, project_id, file.path)
                is_whole = is_of_its_day(file) and file_checksum(path) == file.xxh64
                if is_whole and people and holds_rows_of(path, people):
                    log.info("project=%s %s stays until people of it are erased", project_id, day)
                    return False
            except OSError:
                is_whole = False
            if not is_whole:
                problem = f"project {project_id}: {day} stays, {file.path} is not what was written; run `iafa verify`"
                log.error("%s", problem)
                self.report.failed.append(problem)
                self.job.counters.add("damaged_files")
                return False
        return True

    def _rolled_up(
        self,
        project_id: str,
        month: str,
        manifest: Manifest,
        old: list[RollupFile],
        days: Mapping[str, list[LakeFile]],
        limits: Limits,
    ) -> RollupFile | None:
        layout = self.job.layout
        tables = [Rollups(layout, project_id, manifest.rollups).table(old)]
        for day, files in days.items():
            paths = [own_file(layout, project_id, file.path) for file in files]
            tables.append(counted(date.fromisoformat(day), paths))
        table = since(added_up(tables), limits.first_counted)
        if not table.num_rows:
            return None
        return write_rollup(layout, project_id, month, manifest.generation + 1, table)

    def _write_audit(
        self,
        project_id: str,
        manifest: Manifest,
        days: Mapping[str, list[LakeFile]],
        expired: int,
        limits: Limits,
    ) -> None:
        """Before the commit: nothing leaves without a line. A run that dies in between is repeated, and so is it."""
        gone = Removed(project_id)
        gone.add(days)
        rows = sum(file.rows for file in manifest.files)
        details = {
            "days": sorted(days),
            "bytes": gone.bytes,
            "rollup_days": expired,
            "before": {"generation": manifest.generation, "files": len(manifest.files), "rows": rows},
            "after": {
                "generation": manifest.generation + 1,
                "files": len(manifest.files) - gone.files,
                "rows": rows - gone.rows,
            },
            "retention_days": limits.policy.retention_days,
            "aggregate_retention_days": limits.policy.aggregate_retention_days,
            "forced": self.force,
            "archive": None if self.archive is None else str(self.archive.folder),
        }
        self.audit.add(self.actor, "retention.remove", f"project:{project_id}", details)


@dataclass(frozen=True)
class _Failures:
    """One project's trouble stops no other one; its files stay as they are."""

    project_id: str
    report: Report

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> bool:
        if not isinstance(error, IafaError | OSError | pa.ArrowException):
            return False
        log.error("project=%s nothing more is removed: %s", self.project_id, error)
        self.report.failed.append(f"project {self.project_id}: {error}")
        return True

"""`iafa verify --repair`: puts back what can be put back and takes the rest out of use. Nothing is lost by it.

What leaves the data goes to `damaged/`; only a file whose events are all in other files goes to the trash. Each step
is told, and each may be repeated after a kill.
"""

import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from iafa.audit import HEAD_NAME, LOCK_NAME, audit_files
from iafa.clock import Clock
from iafa.durable import make_dirs, publish, rename, replace, write_synced
from iafa.errors import DataDamaged
from iafa.jobs.findings import Finding, Kind, Report
from iafa.jobs.verify import metadata_paths, why_not_sound
from iafa.jobs.verify_files import why_record_unsound, why_unreadable
from iafa.jobs.verify_identity import add_missing, adopt_unlisted, put_back, take_off, why_not_identity
from iafa.jobs.verify_lake import fresh_rows, unlisted_files, unlisted_rollups, why_not_of_place, why_not_rollup
from iafa.journal.epoch import STEP_WHEN_UNSURE, highest_journal, write_epoch
from iafa.journal.writer import births_lock
from iafa.lake.append import LakeAppender
from iafa.lake.epochs import highest_epoch
from iafa.lake.identity import IdentityEdges
from iafa.lake.layout import Layout, manifest_name
from iafa.lake.manifest import LakeFile, Manifest, Manifests, RollupFile, Trashed, read_manifest
from iafa.lake.parts import describe
from iafa.lake.rollups import ROLLUP_SCHEMA, describe_rollup
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.soundness import difference_of
from iafa.locks import held

log = logging.getLogger("iafa.repair")
ADOPTED = "adopted"
_DAY_FILE = re.compile(r"events_[0-9-]{10}(\.g[0-9]+)?\.parquet")
_ROLLUP_FILE = re.compile(r"rollup_([0-9]{4}-[0-9]{2})\.g([0-9]+)\.parquet")


@dataclass(frozen=True)
class Step:
    """One thing that a repair did. `rows` are events that came in (positive) or left the answers (negative)."""

    action: str
    path: str
    what: str
    rows: int = 0


@dataclass
class Repairer:
    """The caller holds the writer lock for the whole repair. `backup` is a folder that a backup made, if there is one.

    `tell` is called with each step once it is durable, for the audit log.
    """

    layout: Layout
    manifests: Manifests
    appender: LakeAppender
    clock: Clock
    backup: Path | None = None
    tell: Callable[[Step], None] = lambda _step: None
    steps: list[Step] = field(default_factory=list)

    def run(self, report: Report) -> list[Step]:
        if any(report.of(Kind.AUDIT_BROKEN)):  # first: the new log has a line for each step, this one too
            self._audit()
        for finding in report.of(Kind.METADATA_DAMAGED, Kind.METADATA_PREVIOUS):
            self._metadata(finding)
        damaged = [*report.of(Kind.MANIFEST_DAMAGED, Kind.MANIFEST_OLD_DAMAGED)]
        for project_id in sorted({finding.project_id for finding in damaged if finding.project_id}):
            self._manifests(project_id, [finding for finding in damaged if finding.project_id == project_id])
        for project_id in sorted({one.project_id for one in report.problems if one.project_id}):
            self._listed_files(project_id)
            self._rollups(project_id)
            self._unlisted_rollups(project_id)
            self._unlisted_files(project_id)
            self._identities(project_id)
        for finding in report.of(Kind.RECORDS_DAMAGED):
            self._records(finding)
        for finding in report.of(Kind.EPOCH_DAMAGED):
            self._epoch(finding)
        return self.steps

    def _did(self, action: str, path: Path, what: str, rows: int = 0) -> None:
        step = Step(action, path.relative_to(self.layout.root).as_posix(), what, rows)
        log.warning("repair action=%s path=%s: %s", step.action, step.path, step.what)
        self.steps.append(step)
        self.tell(step)

    def _move_aside(self, path: Path) -> Path | None:
        """Into `damaged/` under its own path, beside what an earlier repair put there; None when it is gone."""
        if not path.exists():
            return None
        target = self.layout.damaged / path.relative_to(self.layout.root)
        while target.exists():
            target = target.with_name(f"{target.name}.again")
        rename(path, target)
        return target

    # Metadata

    def _metadata(self, finding: Finding) -> None:
        path = self.layout.root / finding.path
        name = path.name.removesuffix(".json").removesuffix(".previous")
        current, previous = metadata_paths(self.layout, name)
        with held(self.layout.locks / f"metadata_{name}.lock"):
            if finding.kind is Kind.METADATA_PREVIOUS:
                if previous.exists() and why_not_sound(previous):
                    self._move_aside(previous)
                    self._did("moved_aside", previous, "the damaged copy before the last change is in damaged/")
                return
            if current.exists() and not why_not_sound(current):
                return
            for source, words in ((previous, "the copy before the last change"), (self._in_backup(path), "the backup")):
                if source is not None and source.exists() and not why_not_sound(source):
                    data = source.read_bytes()
                    self._move_aside(current)
                    replace(current, data)
                    self._did("restored", current, f"put back from {words}; changes made since then are lost")
                    return

    def _in_backup(self, path: Path) -> Path | None:
        return None if self.backup is None else self.backup / path.relative_to(self.layout.root)

    # Manifests

    def _manifests(self, project_id: str, damaged: list[Finding]) -> None:
        if any(finding.kind is Kind.MANIFEST_DAMAGED for finding in damaged):
            base = self._newest_readable(project_id)
            above = max(self.manifests.generations(project_id))
            # A new number above all others: whoever has read a damaged generation when it was sound sees a change.
            if not self.manifests.supersede(
                msgspec.structs.replace(base, generation=above + 1, made_at_us=self.clock.now_us())
            ):
                raise DataDamaged(f"the manifest {above + 1} of {project_id} was written meanwhile; run it again")
            path = self.layout.manifests(project_id) / manifest_name(above + 1)
            self._did("superseded", path, f"generation {base.generation} is the truth again, as {above + 1}")
        for finding in damaged:
            path = self.layout.root / finding.path
            if self._move_aside(path):
                self._did("moved_aside", path, "the damaged manifest is in damaged/")

    def _newest_readable(self, project_id: str) -> Manifest:
        for generation in reversed(self.manifests.generations(project_id)):
            try:
                found = read_manifest(self.layout.manifests(project_id) / manifest_name(generation))
            except (DataDamaged, FileNotFoundError):
                continue
            if not why_not_of_place(self.layout, found, project_id, generation):
                return found
        return Manifest(project_id=project_id)  # all that is left are the files themselves: each is taken in

    # Files

    def _listed_files(self, project_id: str) -> None:
        """Every listed file is compared again: a manifest that was gone back to lists files that nobody looked at."""
        directory = self.layout.project(project_id)
        for file in self.manifests.latest(project_id).files:
            path = directory / file.path
            try:
                wrong = difference_of(path, file) or why_unreadable(path, EVENT_SCHEMA)
            except FileNotFoundError:
                wrong = "is missing"
            if wrong and not self._put_back(path, file):
                self._take_off(project_id, path, file, wrong)

    def _rollups(self, project_id: str) -> None:
        for file in self.manifests.latest(project_id).rollups:
            path = self.layout.lake_file(project_id, file.path)
            try:
                wrong = why_not_rollup(path, file)
            except FileNotFoundError:
                wrong = "is missing"
            if not wrong or self._put_back(path, file):
                continue
            self.manifests.commit(
                project_id,
                lambda base, file=file: msgspec.structs.replace(  # type: ignore[misc]
                    base, rollups=tuple(listed for listed in base.rollups if listed != file)
                ),
            )
            where = "; it is kept in damaged/" if self._move_aside(path) else ""
            what = f"{wrong}; the daily counts of {file.first_date} to {file.last_date} are in no answer now{where}"
            self._did("taken_off", path, what)

    def _unlisted_rollups(self, project_id: str) -> None:
        """Of a month that has none the newest is taken in: it holds the days of all before it."""
        months = {file.first_date[:7] for file in self.manifests.latest(project_id).rollups}
        newest: dict[str, tuple[int, Path]] = {}
        for path in unlisted_rollups(self.layout, self.manifests, project_id):
            name = _ROLLUP_FILE.fullmatch(path.name)
            if name is not None and name[1] not in months and not why_unreadable(path, ROLLUP_SCHEMA):
                newest[name[1]] = max(newest.get(name[1], (-1, path)), (int(name[2]), path))
        for _generation, path in newest.values():
            relative = f"rollups/{path.relative_to(self.layout.project_rollups(project_id)).as_posix()}"
            table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
            file = describe_rollup(path, relative, table)
            self.manifests.commit(
                project_id,
                lambda base, file=file: msgspec.structs.replace(base, rollups=(*base.rollups, file)),  # type: ignore[misc]
            )
            self._did(ADOPTED, path, f"daily counts of {file.first_date} to {file.last_date} are in the answers again")

    def _is_rolled_up(self, project_id: str, path: Path) -> bool:
        """Its events are counted by a roll-up: taken in as well, a trend would count them twice."""
        day = path.name.removeprefix("events_")[:10]
        for file in self.manifests.latest(project_id).rollups:
            if file.first_date <= day <= file.last_date:
                rollup = self.layout.lake_file(project_id, file.path)
                dates = pq.read_table(rollup, columns=["date"], partitioning=None).column("date").to_pylist()
                if day in {str(date) for date in dates}:
                    return True
        return False

    def _put_back(self, path: Path, file: LakeFile | RollupFile) -> bool:
        source = self._in_backup(path)
        try:
            if source is None or difference_of(source, file):
                return False
        except FileNotFoundError:
            return False
        make_dirs(self.layout.tmp)
        temporary = self.layout.tmp / f"repair.{path.name}"
        write_synced(temporary, source.read_bytes())
        if difference_of(temporary, file):
            return False
        self._move_aside(path)
        publish(temporary, path, area="flush")
        what = f"{file.rows:,} events of {file.date}" if isinstance(file, LakeFile) else "daily counts"
        self._did("restored", path, f"put back from the backup ({what})")
        return True

    def _take_off(self, project_id: str, path: Path, file: LakeFile, wrong: str) -> None:
        self.manifests.commit(
            project_id,
            lambda base: msgspec.structs.replace(
                base, files=tuple(listed for listed in base.files if listed.path != file.path)
            ),
        )
        kept = self._move_aside(path)
        where = "; it is kept in damaged/" if kept else ""
        what = f"{wrong}; taken off the list, {file.rows:,} events of {file.date} are in no answer now{where}"
        self._did("taken_off", path, what, -file.rows)

    def _unlisted_files(self, project_id: str) -> None:
        """Merged days first: of events that lie in several files the merged copy is taken."""
        paths = unlisted_files(self.layout, self.manifests, project_id)
        for path in sorted(paths, key=lambda path: (path.name.count("."), path)):
            try:
                self.layout.lake_file(project_id, path.relative_to(self.layout.project(project_id)).as_posix())
                fresh, rows = fresh_rows(self.layout, self.manifests, project_id, path, self.appender.dedup_window_us)
                readable = not why_unreadable(path, EVENT_SCHEMA)
            except (OSError, pa.ArrowException, ValueError, KeyError, DataDamaged):
                readable = False
            if not readable:
                self._move_aside(path)
                self._did("moved_aside", path, "a file of no manifest that cannot be used is in damaged/")
            elif self._is_rolled_up(project_id, path):
                self._move_aside(path)
                what = "a file of no manifest of a day whose counts are in the roll-ups already; it is in damaged/"
                self._did("moved_aside", path, what)
            elif not fresh:
                self._to_trash(project_id, path)
                self._did("trashed", path, f"all its {rows:,} events are in other files; it goes after the grace time")
            else:
                self._adopt(project_id, path, set(fresh), rows)

    def _adopt(self, project_id: str, path: Path, fresh: set[str], rows: int) -> None:
        directory = self.layout.project(project_id)
        relative = path.relative_to(directory).as_posix()
        table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
        if len(fresh) == rows:
            is_day = _DAY_FILE.fullmatch(path.name) is not None
            self.appender.publish(project_id, [msgspec.structs.replace(describe(path, relative, table), is_day=is_day)])
        else:
            mask = [one in fresh for one in table.column("id").to_pylist()]
            segment = f"{ADOPTED}-{secrets.token_hex(6)}"
            files = self.appender.write(project_id, table.filter(pa.array(mask)), segment)
            self.appender.publish(project_id, files)
            self._move_aside(path)
        self._did(ADOPTED, path, f"{len(fresh):,} of its {rows:,} events were in no other file", len(fresh))

    # Who is who

    def _identities(self, project_id: str) -> None:
        edges = IdentityEdges(self.layout, self.manifests)
        for name in self.manifests.latest(project_id).identity:
            wrong, path = why_not_identity(edges, project_id, name), self.layout.lake_file(project_id, name)
            if not wrong:
                continue
            source = self._in_backup(path)
            self._move_aside(path)
            if source is not None and source.exists() and put_back(edges, project_id, name, source):
                self._did("restored", path, "put back from the backup (who is who)")
            else:
                take_off(edges, project_id, name)
                self._did("taken_off", path, f"{wrong}; aliases and revocations in it are lost")
        found, made = adopt_unlisted(edges, project_id), add_missing(edges, project_id)
        if found or made:
            what = f"{found} identity files taken in, {made:,} edges made again from identify events"
            self._did(ADOPTED, self.layout.project(project_id) / "identity", what)

    # What no manifest lists

    def _records(self, finding: Finding) -> None:
        """A file of the quarantine: the backup's copy, if that can be read."""
        path, source = self.layout.root / finding.path, self._in_backup(self.layout.root / finding.path)
        self._move_aside(path)
        if source is not None and source.exists() and not why_record_unsound(source):
            replace(path, source.read_bytes())
            self._did("restored", path, "put back from the backup")
        else:
            self._did("moved_aside", path, "it cannot be read; it is kept in damaged/")

    def _audit(self) -> None:
        """Oldest first and the head last: what is left when this is killed in between never looks whole."""
        root = self.layout.audit
        with held(root / LOCK_NAME):
            for path in (*audit_files(root), root / HEAD_NAME):
                self._move_aside(path)
        self._did("moved_aside", root, "the broken log is in damaged/audit/; this one begins anew")

    def _to_trash(self, project_id: str, path: Path) -> None:
        relative = path.relative_to(self.layout.project(project_id)).as_posix()
        until_us = self.clock.now_us() + self.manifests.grace_us
        self.manifests.commit(
            project_id,
            lambda base: msgspec.structs.replace(base, trash=(*base.trash, Trashed(relative, until_us))),
        )

    # The number of the last start

    def _epoch(self, finding: Finding) -> None:
        root = self.layout.journal
        with held(births_lock(root)):
            known = max(highest_journal(root), highest_epoch(self.layout, self.manifests))
            write_epoch(root, known + STEP_WHEN_UNSURE)
        path = self.layout.root / finding.path
        self._did("restored", path, f"the next start gets a number above {known + STEP_WHEN_UNSURE}")

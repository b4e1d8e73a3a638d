"""The background part of an erasure: every file that holds rows of the people is written anew, and what held them goes.

Each step may be repeated after a kill. An erasure is done when a search finds nothing any more; then the audit log gets
the proof, and the last file with the ids in clear is removed.
"""

import logging
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from pathlib import Path

import duckdb
import msgspec
import pyarrow as pa

from iafa.audit import AuditLog
from iafa.clock import US_PER_S, Clock, to_iso
from iafa.durable import publish, remove_tree
from iafa.errors import DataDamaged, IafaError, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.compact import COMMIT_WAIT_S, free_path
from iafa.jobs.erase_files import Rewriting, holds_rows_of
from iafa.jobs.erase_places import Places
from iafa.lake.dropped import is_dropped
from iafa.lake.erasure import ErasedPeople, Erasure, Erasures, Target
from iafa.lake.identity import IdentityEdges, int64s
from iafa.lake.identity_spans import Identities, KnownIdentities
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile, Manifest, Manifests, Trashed, with_files
from iafa.lake.parts import file_checksum
from iafa.lake.person import edges_naming
from iafa.lake.quarantine import Quarantine, days_of
from iafa.lake.refused_people import refused_mask
from iafa.lake.trash import empty_trash
from iafa.locks import held
from iafa.metrics import Counters

log = logging.getLogger("iafa.erase")
FAILURES = (IafaError, OSError, MemoryError, pa.ArrowException, duckdb.Error)
PAUSE_US = 60 * US_PER_S  # after a failure
FILES = "files"
ROWS = "rows"


@dataclass
class Erased:
    """What one run did. `waiting` says by project why its erasures are not done yet."""

    done: list[str] = field(default_factory=list)
    waiting: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    is_other_running: bool = False


@dataclass(frozen=True)
class Eraser:
    """Removes erased people from files. Remembers which files have none of them."""

    layout: Layout
    manifests: Manifests
    quarantine: Quarantine
    clock: Clock
    counters: Counters = field(default_factory=Counters)
    hit: Hit = no_failpoints
    lock_wait_s: float = COMMIT_WAIT_S
    clean: dict[tuple[str, ...], set[Path]] = field(default_factory=dict)  # by the erasures that were looked for
    retry_after_us: dict[str, int] = field(default_factory=dict)

    @property
    def erasures(self) -> Erasures:
        return Erasures(self.layout, self.hit)

    def run(self) -> Erased:
        """Take every erasure as far as it goes now. Cheap when there is none."""
        done = Erased()
        projects: dict[str, list[str]] = defaultdict(list)
        for project_id, erasure_id in self.erasures.pending():
            projects[project_id].append(erasure_id)
        if not projects:
            self.clean.clear()
            return done
        with held(self.layout.erase_lock, wait_s=0) as is_ours:
            done.is_other_running = not is_ours
            for project_id in projects if is_ours else ():
                if self.clock.now_us() >= self.retry_after_us.get(project_id, 0):
                    self._project(project_id, projects[project_id], done)
        return done

    def _project(self, project_id: str, pending: list[str], done: Erased) -> None:
        folder = self.layout.tmp / "erase"
        remove_tree(folder)
        try:
            if waits_for := self._erase(project_id, pending, folder, done):
                done.waiting[project_id] = waits_for
        except FAILURES as error:
            # One project's trouble stops no other one; its people stay hidden.
            log.error("project=%s people cannot be erased: %s; it is tried again", project_id, error)
            self.counters.add("erase_failures")
            self.retry_after_us[project_id] = self.clock.now_us() + PAUSE_US
            done.failed.append(f"project {project_id}: {error}")
        finally:
            remove_tree(folder)

    def _erase(self, project_id: str, pending: list[str], folder: Path, done: Erased) -> str | None:
        """Why it cannot be finished now; None when it is."""
        if not self._settle(project_id, pending):
            return None
        manifest = self.manifests.latest(project_id)
        people = self.erasures.people(manifest)
        if not people:
            return None
        self._rewrite_all(project_id, people, folder)
        manifest = self.manifests.latest(project_id)
        places = Places(self.layout, self.clock, people, manifest, self.hit, self._clean_of(manifest))
        if waits_for := places.in_journals():
            return waits_for
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                return "the lake is busy"
            refusals = remove_refusals(self.quarantine, project_id, people, self.hit)
            self.note(manifest, Counter(refused=refusals))
            empty_trash(self.layout, self.manifests, self.clock, project_id, unlinked=lambda: None)
            places.manifest = self.manifests.latest(project_id)
            if waits_for := places.in_trash() or places.in_use() or places.remove_left_overs():
                return waits_for
            places.clean_strays(folder)
            if self._unclean(places.manifest, people):
                return "further files came in"  # they are looked into at once
            self._finish(project_id, places, done)
        return None

    def _settle(self, project_id: str, pending: list[str]) -> bool:
        """Forget what is done but for its last step, and hide whom a kill or a repair left visible; whether anything
        is left to do. A request that was recorded is carried out, whether or not somebody got its answer."""
        if is_dropped(self.layout, project_id):
            return False  # goes with the whole project
        if set(pending) <= set(self.manifests.latest(project_id).tombstones):
            return True
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                return False
            edges = IdentityEdges(self.layout, self.manifests)
            for one in pending:
                manifest = self.manifests.latest(project_id)
                if one in manifest.tombstones:
                    continue
                record, target = self.erasures.get(project_id, one), self.erasures.target(project_id, one)
                if record is None or target is None:
                    self.erasures.forget_target(project_id, one)  # nothing has been recorded: nobody was told anything
                elif record.state == "done":
                    self.erasures.forget_target(project_id, one)
                else:
                    known = KnownIdentities(edges).of(project_id, manifest)
                    hide(edges, known, manifest, one, target, self.clock.now_us() + self.manifests.grace_us)
            return bool(self.manifests.latest(project_id).tombstones)

    # Event files

    def _clean_of(self, manifest: Manifest) -> set[Path]:
        return self.clean.setdefault((manifest.project_id, *manifest.tombstones), set())

    def _unclean(self, manifest: Manifest, people: ErasedPeople) -> list[LakeFile]:
        """Listed files that hold rows of theirs. A file that cannot be read must be mended first."""
        directory, clean = self.layout.project(manifest.project_id), self._clean_of(manifest)
        found = []
        for file in manifest.files:
            path = directory / file.path
            if path in clean:
                continue
            if holds_rows_of(path, people):
                found.append(file)
            else:
                clean.add(path)
        return found

    def _rewrite_all(self, project_id: str, people: ErasedPeople, folder: Path) -> None:
        """Merges may go on beside it: what they made of files that hold the people is found in the next round."""
        while True:
            try:
                files = self._unclean(self.manifests.latest(project_id), people)
                for file in files:
                    self._rewrite(project_id, file, people, folder)
            except FileNotFoundError:
                if all((self.layout.project(project_id) / file.path).exists() for file in files):
                    raise
                continue  # merged away and unlinked meanwhile
            if not files:
                return

    def _rewrite(self, project_id: str, file: LakeFile, people: ErasedPeople, folder: Path) -> None:
        directory = self.layout.project(project_id)
        source, temporary = directory / file.path, folder / "rewritten.parquet"
        if file_checksum(source) != file.xxh64:
            raise DataDamaged(f"{source} is not what was written; run `iafa verify`, then the erasure goes on")
        rewriting = Rewriting(people)
        rewriting.write(source, temporary)
        self.hit("erase.rewritten")
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                raise StorageUnavailable("another process held the lake for too long")
            manifest = self.manifests.latest(project_id)
            if file not in manifest.files:
                return  # merged meanwhile: what it became is looked into next
            made: list[LakeFile] = []
            if rewriting.rows:
                path = free_path(directory, date.fromisoformat(file.date), manifest, is_day=file.is_day)
                made = [rewriting.entry(file, path, temporary)]
                publish(temporary, directory / path, area="erase", hit=self.hit)
            until_us = self.clock.now_us() + self.manifests.grace_us
            swap = partial(with_files, added=made, removed=[file.path], until_us=until_us)
            self.manifests.commit(project_id, swap)
            self.hit("erase.swapped")
        for place, one in enumerate(manifest.tombstones):
            self.note(
                manifest, Counter({ROWS: rewriting.removed[place], FILES: int(rewriting.removed[place] > 0)}), one
            )

    def note(self, manifest: Manifest, more: Counter[str], erasure_id: str | None = None) -> None:
        """Count what was removed into the records, for the proof. A kill before it costs the count, nothing else."""
        if not more.total():
            return
        for one in [erasure_id] if erasure_id else manifest.tombstones:
            record = self.erasures.get(manifest.project_id, one)
            if record is not None and record.state == "hidden":
                removed = dict(Counter(record.removed) + more)
                self.erasures.write(msgspec.structs.replace(record, removed=removed))

    # The end

    def _finish(self, project_id: str, places: Places, done: Erased) -> None:
        """The caller holds the writer lock. First the proof, then the record, then nothing is hidden any more."""
        self.hit("erase.before_proof")
        now_us = self.clock.now_us()
        audit = AuditLog(self.layout.audit, self.clock, self.hit)
        records = [self.erasures.get(project_id, one) for one in places.manifest.tombstones]
        for record in [one for one in records if one is not None and one.state == "hidden"]:
            record = msgspec.structs.replace(record, state="done", done_at_us=now_us)
            audit.add("background", "person.erased", f"project:{project_id}", proof(record, places))
            self.hit("erase.proved")
            self.erasures.write(record)
            self.hit("erase.recorded")
            done.done.append(record.id)
        self.manifests.commit(project_id, lambda base: msgspec.structs.replace(base, tombstones=()))
        self.hit("erase.uncommitted")
        for one in places.manifest.tombstones:
            self.erasures.forget_target(project_id, one)
        self.clean.clear()
        self.counters.add("people_erased", amount=len(places.manifest.tombstones))


def proof(record: Erasure, places: Places) -> dict[str, object]:
    """What the audit log keeps: nothing in it names the person but hashes that need the server's secret."""
    return {
        "erasure": record.id,
        "person": list(record.id_hashes),
        "requested_by": record.requested_by,
        "requested_at": to_iso(record.requested_at_us),
        "rows_hidden": record.rows_hidden,
        "removed": record.removed,
        "beside_the_lake": {"rows": places.removed_rows, "files": places.removed_files},
        "searched": ["events", "journals", "quarantine", "identity", "trash", "unlisted", "damaged", "unfinished"],
        "unreadable": sorted(places.unreadable),
    }


def remove_refusals(quarantine: Quarantine, project_id: str, people: ErasedPeople, hit: Hit) -> int:
    """Refused events of theirs; how many. The caller holds the writer lock. The counts of each day stay."""

    def left(table: pa.Table) -> pa.Table:
        theirs = refused_mask(table, people)
        return table.filter(pa.array(~theirs)) if theirs.any() else table

    removed = sum(quarantine.amend(project_id, day, left) for day in days_of(quarantine.layout.quarantine(project_id)))
    hit("erase.refusals_removed")
    return removed


def hide(
    edges: IdentityEdges, known: Identities, manifest: Manifest, erasure_id: str, target: Target, until_us: int
) -> Manifest:
    """From this generation on nobody sees the person, and no edge is theirs. The caller holds the writer lock.

    `known` are all edges; those of a later time than the target's are of a new person.
    """
    theirs = edges_naming(known, target.person) & (int64s(known.edges, "at") <= target.received_until_us)
    ids = known.edges.filter(pa.array(theirs)).column("id").combine_chunks()
    identity = edges.without(manifest.project_id, manifest.identity, ids)

    def change(base: Manifest) -> Manifest:
        gone = tuple(Trashed(old, until_us) for old in base.identity if old not in identity)
        trash = tuple(old for old in base.trash if old.path not in identity)
        tombstones = (*base.tombstones, erasure_id)
        return msgspec.structs.replace(base, identity=identity, trash=trash + gone, tombstones=tombstones)

    return edges.manifests.commit(manifest.project_id, change)

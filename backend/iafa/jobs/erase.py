"""The background part of an erasure: every file that holds rows of the people is written anew, and what held them goes.

Each step may be repeated after a kill. An erasure is done when a search finds nothing any more; then the audit log gets
the proof, and the last file with the ids in clear is removed.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
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
RUN_S_MAX = 5.0
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
    flushed: set[str] = field(default_factory=set)  # erasures of which no journal holds anything any more
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
        known = {one for ids in projects.values() for one in ids}
        self.flushed.intersection_update(known)
        for looked_for in [one for one in self.clean if not known.issuperset(one)]:
            del self.clean[looked_for]
        if not projects:
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
        """Why not all can be finished now; None when they are."""
        if not self._settle(project_id, pending):
            return None
        hidden = self._targets(project_id)
        if not self._rewrite_some(project_id, hidden, folder):
            return "files are being written anew"
        places = {one: self._places(project_id, {one: target}) for one, target in hidden.items()}
        waits_for = None
        for one, of_one in places.items():
            if one in self.flushed or not (waits := of_one.in_journals()):
                self.flushed.add(one)
            else:
                waits_for = waits
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                return "the lake is busy"
            empty_trash(self.layout, self.manifests, self.clock, project_id, unlinked=lambda: None)
            ready = {}
            for one in [one for one in hidden if one in self.flushed]:
                places[one].manifest = self.manifests.latest(project_id)
                if waits := places[one].in_trash() or places[one].in_use():
                    waits_for = waits
                else:
                    ready[one] = hidden[one]
            return self._finish(project_id, ready, folder, done) or waits_for if ready else waits_for

    def _targets(self, project_id: str) -> dict[str, Target]:
        named = self.manifests.latest(project_id).tombstones
        found = {one: self.erasures.target(project_id, one) for one in named}
        return {one: target for one, target in found.items() if target is not None}

    def _places(self, project_id: str, targets: Mapping[str, Target]) -> Places:
        manifest, people = self.manifests.latest(project_id), ErasedPeople(tuple(targets.values()))
        return Places(self.layout, self.clock, people, manifest, self.hit, self._clean_of(targets))

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
                record, target = self.erasures.stored(project_id, one), self.erasures.target(project_id, one)
                if record is None or target is None:
                    self.erasures.forget_target(project_id, one)  # nothing has been recorded: nobody was told anything
                elif record.state == "done":
                    self.erasures.forget_target(project_id, one)
                else:
                    known = KnownIdentities(edges).of(project_id, manifest)
                    until_us = self.clock.now_us() + self.manifests.grace_us
                    hide(edges, known, manifest, one, target, until_us, is_late=True)
            return bool(self.manifests.latest(project_id).tombstones)

    # Event files

    def _clean_of(self, erasure_ids: Iterable[str]) -> set[Path]:
        return self.clean.setdefault(tuple(erasure_ids), set())

    def _rewrite_some(self, project_id: str, hidden: Mapping[str, Target], folder: Path) -> bool:
        """Whether no listed file holds rows of theirs. Others wait for this process: what takes long goes on in the
        next run. Merges may go on beside it: what they make of files that hold the people is found here."""
        until_s = self.clock.monotonic_s() + RUN_S_MAX
        directory, clean = self.layout.project(project_id), self._clean_of(hidden)
        people = ErasedPeople(tuple(hidden.values()))
        manifest: Manifest | None = None
        while manifest != (manifest := self.manifests.latest(project_id)):
            for file in [file for file in manifest.files if directory / file.path not in clean]:
                if self.clock.monotonic_s() > until_s:
                    return False
                try:
                    if holds_rows_of(directory / file.path, people):
                        self._rewrite(project_id, file, hidden, folder)
                    else:
                        clean.add(directory / file.path)
                except FileNotFoundError:
                    if file in self.manifests.latest(project_id).files:
                        raise
        return True

    def _rewrite(self, project_id: str, file: LakeFile, hidden: Mapping[str, Target], folder: Path) -> None:
        directory = self.layout.project(project_id)
        source, temporary = directory / file.path, folder / "rewritten.parquet"
        if file_checksum(source) != file.xxh64:
            raise DataDamaged(f"{source} is not what was written; run `iafa verify`, then the erasure goes on")
        rewriting = Rewriting(ErasedPeople(tuple(hidden.values())))
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
        for place, one in enumerate(hidden):
            if rows := rewriting.removed[place]:
                self.note(project_id, one, Counter({ROWS: rows, FILES: 1}))

    def note(self, project_id: str, erasure_id: str, more: Counter[str]) -> None:
        """Count what was removed into the record, for the proof. A kill before it costs the count, nothing else."""
        record = self.erasures.stored(project_id, erasure_id)
        if record is not None and record.state == "hidden" and more.total():
            self.erasures.write(msgspec.structs.replace(record, removed=dict(Counter(record.removed) + more)))

    # The end

    def _finish(self, project_id: str, ready: Mapping[str, Target], folder: Path, done: Erased) -> str | None:
        """The last search, then the proof, then the record, and only then nothing is hidden any more. The caller holds
        the writer lock."""
        places = self._places(project_id, ready)
        if waits_for := places.remove_left_overs():
            return waits_for
        places.clean_strays(folder)
        remove_refusals(self.quarantine, project_id, places.people, self.hit, places.note_unreadable)
        if places.in_files():
            return "further files came in"  # they are looked into at once
        self.hit("erase.before_proof")
        audit = AuditLog(self.layout.audit, self.clock, self.hit)
        for record in [self.erasures.stored(project_id, one) for one in ready]:
            if record is not None and record.state == "hidden":
                record = msgspec.structs.replace(record, state="done", done_at_us=self.clock.now_us())
                audit.add("background", "person.erased", f"project:{project_id}", proof(record, places))
                self.hit("erase.proved")
                self.erasures.write(record)
                self.hit("erase.recorded")

        def change(base: Manifest) -> Manifest:
            left = tuple(one for one in base.tombstones if one not in ready)
            return msgspec.structs.replace(base, tombstones=left)

        self.manifests.commit(project_id, change)
        self.hit("erase.uncommitted")
        for one in ready:
            self.erasures.forget_target(project_id, one)
            log.info("project=%s erasure=%s done", project_id, one)
        done.done += ready
        self.counters.add("people_erased", amount=len(ready))
        return None


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


def remove_refusals(
    quarantine: Quarantine,
    project_id: str,
    people: ErasedPeople,
    hit: Hit,
    unread: Callable[[Path], object] = lambda _path: None,
) -> int:
    """Refused events of theirs; how many. The caller holds the writer lock. The counts of each day stay. `unread` is
    told of files that are damaged."""

    def left(table: pa.Table) -> pa.Table:
        theirs = refused_mask(table, people)
        return table.filter(pa.array(~theirs)) if theirs.any() else table

    days = days_of(quarantine.layout.quarantine(project_id))
    removed = sum(quarantine.amend(project_id, day, left, unread) for day in days)
    hit("erase.refusals_removed")
    return removed


def hide(
    edges: IdentityEdges,
    known: Identities,
    manifest: Manifest,
    erasure_id: str,
    target: Target,
    until_us: int,
    *,
    is_late: bool = False,
) -> Manifest:
    """From this generation on nobody sees the person, and no edge is theirs. The caller holds the writer lock.

    `known` are all edges. The time of an edge is that of a visitor's clock, which may be ahead: where all are known
    that there were at the target's time, all go. If it `is_late`, those of a later time are taken for a new person's.
    """
    theirs = edges_naming(known, target.person)
    if is_late:
        theirs &= int64s(known.edges, "at") <= target.received_until_us
    ids = known.edges.filter(pa.array(theirs)).column("id").combine_chunks()
    identity = edges.without(manifest.project_id, manifest.identity, ids)

    def change(base: Manifest) -> Manifest:
        gone = tuple(Trashed(old, until_us) for old in base.identity if old not in identity)
        trash = tuple(old for old in base.trash if old.path not in identity)
        tombstones = (*base.tombstones, erasure_id)
        return msgspec.structs.replace(base, identity=identity, trash=trash + gone, tombstones=tombstones)

    return edges.manifests.commit(manifest.project_id, change)

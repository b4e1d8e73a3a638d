"""Asking for the erasure of a person: from the answer on nobody sees them; the background removes them from files."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from iafa.audit import AuditLog
from iafa.clock import Clock
from iafa.errors import NotFound, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.erase import Eraser, hide, remove_refusals
from iafa.lake.dropped import is_dropped
from iafa.lake.erasure import ErasedPeople, Erasure, Erasures, Target, hashes_of, new_erasure_id
from iafa.lake.identity import IdentityEdges
from iafa.lake.person import Person, edges_naming
from iafa.lake.quarantine_rows import QuarantineRows, Row, Wanted
from iafa.lake.refused_people import naming
from iafa.lake.snapshot import Snapshot, Snapshots
from iafa.locks import held
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.person_rows import count_rows, find_person

LOCK_WAIT_S = 60.0
AT_ONCE_MAX = 100  # erasures of a project that may go on at once: each is looked for in every row
_RETRY_AFTER_S = 30


@dataclass(frozen=True)
class ErasureDesk:
    """Blocking. `key` makes the hashes by which a done erasure still knows its person."""

    snapshots: Snapshots
    engine: DuckEngine
    eraser: Eraser
    clock: Clock
    key: bytes
    hit: Hit = no_failpoints

    @property
    def erasures(self) -> Erasures:
        return Erasures(self.eraser.layout, self.hit)

    def erase(self, actor: str, project_id: str, called: str) -> Erasure:
        """Hide the person for ever; durable when it returns. Asked for again it gives the same erasure."""
        with self._lake(project_id):
            snapshot = self.snapshots.take(project_id)
            person = find_person(self.engine, snapshot, called)
            rows = count_rows(self.engine, snapshot, person)
            if not rows and not self._is_known(snapshot, person):
                return self._earlier(project_id, called)
            if len(snapshot.erased.targets) >= AT_ONCE_MAX:
                raise StorageUnavailable(
                    f"{AT_ONCE_MAX} people are being erased; ask again when that is done", retry_after_s=_RETRY_AFTER_S
                )
            now_us = self.clock.now_us()
            erasure = Erasure(
                id=new_erasure_id(),
                project_id=project_id,
                requested_by=actor,
                requested_at_us=now_us,
                id_hashes=hashes_of(self.key, project_id, person.ids),
                rows_hidden=rows,
            )
            self._hide(erasure, Target(person, max(now_us, snapshot.last_received_us)), snapshot)
        return erasure

    def _hide(self, erasure: Erasure, target: Target, snapshot: Snapshot) -> None:
        """First what a kill must not forget, then the line of who asked, then the generation that hides."""
        eraser, project_id = self.eraser, erasure.project_id
        self.erasures.begin(erasure, target)
        details = {"erasure": erasure.id, "person": list(erasure.id_hashes), "rows_hidden": erasure.rows_hidden}
        audit = AuditLog(eraser.layout.audit, self.clock, self.hit)
        audit.add(erasure.requested_by, "person.erase", f"project:{project_id}", details)
        self.hit("erase.before_commit")
        assert snapshot.edges is not None
        edges = IdentityEdges(eraser.layout, eraser.manifests)
        until_us = self.clock.now_us() + eraser.manifests.grace_us
        manifest = eraser.manifests.latest(project_id)
        hide(edges, snapshot.edges, manifest, erasure.id, target, until_us)
        self.hit("erase.committed")
        removed = remove_refusals(eraser.quarantine, project_id, ErasedPeople((target,)), self.hit)
        eraser.note(project_id, erasure.id, Counter(refused=removed))

    def refusals(self, project_id: str, person: Person) -> Iterator[list[Row]]:
        """Refused events that name the person, some at a time."""
        names = naming(person)
        for rows in QuarantineRows(self.eraser.layout).batches(project_id, Wanted()):
            theirs = [one for one in rows if names.is_in(one["body"], one["sender"], one["message"], one["event_id"])]
            if theirs:
                yield theirs

    def is_named(self, snapshot: Snapshot, person: Person) -> bool:
        """Whether something is known of somebody without events: an edge, or a refused event that names them."""
        return self._has_edges(snapshot, person) or any(self.refusals(snapshot.project_id, person))

    def _is_known(self, snapshot: Snapshot, person: Person) -> bool:
        return self._has_edges(snapshot, person) or self._is_refused_sender(snapshot.project_id, person)

    def _has_edges(self, snapshot: Snapshot, person: Person) -> bool:
        assert snapshot.edges is not None
        return bool(edges_naming(snapshot.edges, person).any())

    def _is_refused_sender(self, project_id: str, person: Person) -> bool:
        """Of an id that is only in refused events one of them must say that it is somebody's: a mistyped id may be
        an event's name, and would take all refused events of that name with it.
        """
        names = naming(person)
        return any(
            names.names_sender_of(row["body"], row["sender"])
            for rows in self.refusals(project_id, person)
            for row in rows
        )

    def _earlier(self, project_id: str, called: str) -> Erasure:
        found = self.of_person(project_id, called)
        if not found:
            raise NotFound
        return found[0]

    def of_person(self, project_id: str, called: str) -> list[Erasure]:
        """Erasures of whom this id meant then, the newest first."""
        (hashed,) = hashes_of(self.key, project_id, [called])
        return [one for one in self.erasures.all(project_id) if hashed in one.id_hashes]

    @contextmanager
    def _lake(self, project_id: str) -> Iterator[None]:
        with held(self.eraser.layout.writer_lock, wait_s=LOCK_WAIT_S) as is_ours:
            if not is_ours:
                raise StorageUnavailable("the lake is busy; nobody was erased", retry_after_s=_RETRY_AFTER_S)
            if is_dropped(self.eraser.layout, project_id):
                raise NotFound
            try:
                yield
            except OSError as error:
                raise StorageUnavailable(
                    f"the erasure could not be recorded: {error.strerror}", retry_after_s=_RETRY_AFTER_S
                ) from error

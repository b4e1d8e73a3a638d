"""What the owner of a project may do with what was not stored; every change gets a line in the audit log."""

import logging
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

from iafa.audit import AuditLog
from iafa.ingest.judging_again import Changes
from iafa.jobs.replay import Owner, Replayed, Replayer, Selection
from iafa.lake.manifest import Manifests
from iafa.lake.quarantine_rows import DayCount, QuarantineRows

log = logging.getLogger("iafa.quarantine")


@dataclass(frozen=True)
class QuarantineDesk:
    """Blocking."""

    rows: QuarantineRows
    replayer: Replayer
    manifests: Manifests
    audit: AuditLog

    def counts(self, project_id: str) -> tuple[list[DayCount], Mapping[str, int]]:
        """What was not stored, by day and reason; and repeats that the flush found, by the day of the event."""
        return self.rows.counts(project_id), self.manifests.latest(project_id).repeats

    def replay(
        self, actor: str, owner: Owner, selection: Selection, changes: Changes, *, is_trial: bool = False
    ) -> Replayed:
        done = Counter(dict.fromkeys(("accepted", "duplicate", "rejected"), 0))
        if is_trial:
            return self.replayer.replay(owner, selection, changes, done, is_trial=True)
        with self._audited(actor, "quarantine.replay", owner.project_id, done):
            return self.replayer.replay(owner, selection, changes, done)

    def delete(self, actor: str, project_id: str, selection: Selection) -> int:
        done = Counter({"rows": 0})
        with self._audited(actor, "quarantine.delete", project_id, done):
            self.replayer.delete(project_id, selection, done)
        return done["rows"]

    @contextmanager
    def _audited(self, actor: str, action: str, project_id: str, done: Counter[str]) -> Iterator[None]:
        """A line of what was done; also of a change that failed half-way."""
        try:
            yield
        except BaseException:
            if done.total():
                try:
                    self.audit.add(actor, action, f"project:{project_id}", dict(done) | {"failed": True})
                except OSError:
                    log.exception("no audit line of %s that failed half-way: %s", action, dict(done))
            raise
        self.audit.add(actor, action, f"project:{project_id}", dict(done))

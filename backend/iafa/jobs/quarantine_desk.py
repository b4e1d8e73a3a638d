"""What the owner of a project may do with what was not stored; every change gets a line in the audit log."""

from collections.abc import Mapping
from dataclasses import dataclass

from iafa.audit import AuditLog
from iafa.ingest.judging_again import Changes
from iafa.jobs.replay import Owner, Replayed, Replayer, Selection
from iafa.lake.manifest import Manifests
from iafa.lake.quarantine_rows import DayCount, QuarantineRows


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
        replayed = self.replayer.replay(owner, selection, changes, is_trial=is_trial)
        if not is_trial:
            counts = {verdict: replayed.count(verdict) for verdict in ("accepted", "duplicate", "rejected")}
            self.audit.add(actor, "quarantine.replay", f"project:{owner.project_id}", counts)
        return replayed

    def delete(self, actor: str, project_id: str, selection: Selection) -> int:
        deleted = self.replayer.delete(project_id, selection)
        self.audit.add(actor, "quarantine.delete", f"project:{project_id}", {"rows": deleted})
        return deleted

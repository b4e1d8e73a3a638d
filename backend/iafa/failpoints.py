"""Failpoints: named places where a test makes the process die or the disk fail. Unset, they cost one test.

`IAFA_FAILPOINT=name:nth:kill|eio|enospc[,...]`; `nth` counts hits from 1 in this process.
"""

import errno
import os
import signal
from collections.abc import Callable

NAMES = frozenset(
    {
        "backup.snapshot_taken",
        "backup.file_copied",
        "backup.before_seal",
        "backup.restore_file_copied",
        "backup.restore_before_swap",
        "enrich.address",
        "enrich.user_agent",
        "enrich.campaign",
        "enrich.location",
        "journal.segment_created",
        "journal.segment_dir_synced",
        "journal.before_write",
        "journal.half_written",
        "journal.written",
        "journal.synced",
        "journal.before_ack",
        "journal.sealed",
        "journal.truncating",
        "journal.before_unlink",
        "journal.unlinked",
        "flush.tmp_written",
        "flush.tmp_synced",
        "flush.renamed",
        "flush.dir_synced",
        "flush.before_manifest",
        "flush.held",
        "manifest.tmp_written",
        "manifest.tmp_synced",
        "manifest.linked",
        "manifest.dir_synced",
        "meta.tmp_written",
        "meta.tmp_synced",
        "meta.renamed",
        "meta.dir_synced",
        "quarantine.tmp_written",
        "quarantine.tmp_synced",
        "quarantine.renamed",
        "quarantine.dir_synced",
        "quarantine.appended",
        "compact.tmp_written",
        "compact.merged_synced",
        "compact.tmp_synced",
        "compact.renamed",
        "compact.dir_synced",
        "compact.before_commit",
        "compact.committed",
        "compact.trashed",
        "compact.trash_unlinked",
        "retention.rolled_up",
        "retention.archived",
        "retention.before_commit",
        "retention.committed",
        "retention.file_unlinked",
        "audit.appended",
        "erase.target_written",
        "erase.record_written",
        "erase.before_commit",
        "erase.committed",
        "erase.rewritten",
        "erase.tmp_synced",
        "erase.renamed",
        "erase.dir_synced",
        "erase.swapped",
        "erase.refusals_removed",
        "erase.before_proof",
        "erase.proved",
        "erase.recorded",
        "erase.uncommitted",
        "replay.published",
        "replay.marked",
        "replay.deleted",
    }
)
ACTIONS = frozenset({"kill", "eio", "enospc"})


class Failpoints:
    """Holds the armed points of one process. `hit` is called at every registered place."""

    def __init__(self, spec: str = "") -> None:
        self._armed: dict[str, tuple[int, str]] = {}
        self._hits: dict[str, int] = {}
        self.fired: list[str] = []
        for part in filter(None, spec.split(",")):
            name, nth, action = part.split(":")
            if name not in NAMES or action not in ACTIONS:
                raise ValueError(f"unknown failpoint {part!r}")
            self._armed[name] = (int(nth), action)

    def hit(self, name: str) -> None:
        if self._armed:
            self._fire(name)

    def _fire(self, name: str) -> None:
        nth, action = self._armed.get(name, (0, ""))
        self._hits[name] = self._hits.get(name, 0) + 1
        if self._hits[name] != nth:
            return
        self.fired.append(name)
        if action == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        raise OSError(errno.EIO if action == "eio" else errno.ENOSPC, f"failpoint {name}")


Hit = Callable[[str], None]


def no_failpoints(_name: str) -> None:
    """The production value of every `hit` parameter."""

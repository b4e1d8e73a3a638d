"""`iafa restore`: a data directory out of a backup, compared with its checksums and put in place in one step."""

import logging
from dataclasses import dataclass
from pathlib import Path

from iafa.audit import AuditLog
from iafa.clock import Clock, to_iso
from iafa.durable import copy_synced, make_dirs, remove_empty_dir, remove_tree, rename, sync_tree
from iafa.errors import DataDamaged, WrongUsage
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.backup_contents import Contents, read_contents
from iafa.journal.epoch import STEP_WHEN_UNSURE, highest_journal, write_epoch
from iafa.lake.epochs import highest_epoch
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.locks import take

log = logging.getLogger("iafa.restore")


@dataclass(frozen=True)
class Restored:
    """What one run did. `moved_to` is where the directory that was there before is now."""

    contents: Contents
    moved_to: Path | None


@dataclass(frozen=True)
class Restore:
    backup: Path
    data_dir: Path
    clock: Clock
    hit: Hit = no_failpoints
    actor: str = "command"

    def run(self, *, force: bool = False) -> Restored:
        """Refuses a directory that is not empty (unless `force`: then it is moved aside) or is being served."""
        contents = read_contents(self.backup)
        self._check_place(force=force)
        fresh = self.data_dir.with_name(f".{self.data_dir.name}.restoring")
        remove_tree(fresh)  # what a killed restore left
        try:
            self._copy(contents, fresh)
            self._renumber(contents, fresh)
            self._note(contents, fresh)
        except BaseException:
            remove_tree(fresh)
            raise
        sync_tree(fresh)
        self.hit("backup.restore_before_swap")
        return Restored(contents, self._swap(fresh))

    def _check_place(self, *, force: bool) -> None:
        backup, place = self.backup.resolve(), self.data_dir.resolve()
        if place == backup or backup in place.parents or place in backup.parents:
            raise WrongUsage(f"{self.data_dir} and the backup {self.backup} lie in each other; choose another folder")
        if not place.exists():
            return
        if not place.is_dir():
            raise WrongUsage(f"{self.data_dir} is not a folder")
        if any(place.iterdir()) and not force:
            raise WrongUsage(f"{self.data_dir} is not empty; with --force it is moved aside, never deleted")
        if place.is_mount():
            raise WrongUsage(f"{self.data_dir} is a mount point; restore into a folder on it, and serve that one")

    def _copy(self, contents: Contents, fresh: Path) -> None:
        wrong = []
        make_dirs(fresh)
        for file in contents.files:
            try:
                size, checksum = copy_synced(self.backup / file.path, fresh / file.path)
            except FileNotFoundError:
                size, checksum = -1, ""
            if (size, checksum) != (file.bytes, file.xxh64):
                wrong.append(file.path)
            self.hit("backup.restore_file_copied")
        if wrong:
            raise DataDamaged(
                f"{len(wrong)} files of {self.backup} are missing or damaged, the first is {wrong[0]};"
                " nothing was restored, use another backup"
            )

    def _renumber(self, contents: Contents, fresh: Path) -> None:
        """Process starts after the backup may have used numbers that it does not know: step over them."""
        layout = Layout(fresh)
        known = max(
            contents.epoch, highest_journal(layout.journal), highest_epoch(layout, Manifests(layout, self.clock))
        )
        write_epoch(layout.journal, known + STEP_WHEN_UNSURE)

    def _note(self, contents: Contents, fresh: Path) -> None:
        """A line in the log of the directory that is made: from here on it is not what its own past would have been."""
        details = {
            "made_at": to_iso(contents.made_at_us),
            "files": len(contents.files),
            "rows": sum(project.rows for project in contents.projects),
            "left_out": list(contents.left_out),
        }
        try:
            AuditLog(Layout(fresh).audit, self.clock).add(self.actor, "backup.restore", "directory", details)
        except DataDamaged as error:  # as it was when the backup was made; the events come back all the same
            log.error("the restored audit log is damaged: %s", error.detail)

    def _swap(self, fresh: Path) -> Path | None:
        if not self.data_dir.exists():
            rename(fresh, self.data_dir)
            return None
        if not any(self.data_dir.iterdir()):
            remove_empty_dir(self.data_dir)
            rename(fresh, self.data_dir)
            return None
        layout = Layout(self.data_dir.resolve())
        locks = [take(layout.server_lock), take(layout.writer_lock)]
        try:
            if None in locks:
                raise WrongUsage(f"{self.data_dir} is being served or written; stop that first", code="conflict")
            moved_to = self.data_dir.with_name(f"{self.data_dir.name}.before-restore-{self.clock.now_us()}")
            rename(self.data_dir, moved_to)
            rename(fresh, self.data_dir)
        finally:
            for lock in locks:
                if lock is not None:
                    lock.release()
        return moved_to

"""What became of the last backup of a data directory: a small file in it, so that a server can say so."""

import logging

import msgspec

from iafa.durable import replace
from iafa.lake.layout import Layout

log = logging.getLogger("iafa.backup")
ERROR_CHARS_MAX = 300


class BackupRecord(msgspec.Struct, kw_only=True):
    """`left_out` files were damaged or missing; `error` ended the backup."""

    at_us: int
    files: int = 0
    bytes: int = 0
    rows: int = 0
    left_out: int = 0
    error: str | None = None


def record_backup(layout: Layout, record: BackupRecord) -> None:
    """A directory that cannot be written to is backed up all the same."""
    try:
        replace(layout.backup_record, msgspec.json.encode(record))
    except OSError as error:
        log.warning("the backup is not noted in %s: %s", layout.backup_record, error.strerror)


def read_backup(layout: Layout) -> BackupRecord | None:
    try:
        return msgspec.json.decode(layout.backup_record.read_bytes(), type=BackupRecord)
    except (OSError, msgspec.DecodeError):
        return None

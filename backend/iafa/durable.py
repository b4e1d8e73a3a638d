"""Durable writes: the only place that syncs, renames, links and unlinks inside the data directory.

A name is visible only with its full content behind it, and survives power loss once a function has returned.
"""

import errno
import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import xxhash

from iafa.failpoints import Hit, no_failpoints

PRIVATE_FILE = 0o600
PRIVATE_DIR = 0o700
SYNC_INTERVAL_MS_MAX = 60_000
_COPY_CHUNK = 1024 * 1024
_NO_LINKS = frozenset({errno.EXDEV, errno.EPERM, errno.EMLINK, errno.EOPNOTSUPP})


@dataclass(frozen=True)
class Durability:
    """When what a request brought is synced: before its answer, at most so many seconds after it, or by the system."""

    name: str
    interval_s: float | None  # 0: before the answer; None: never on purpose

    @classmethod
    def of(cls, name: str) -> "Durability":
        """Read `sync`, `interval:<ms>` or `off`."""
        if name in ("sync", "off"):
            return cls(name, 0.0 if name == "sync" else None)
        interval = re.fullmatch(r"interval:([0-9]{1,5})", name)
        if interval is None or not 1 <= int(interval[1]) <= SYNC_INTERVAL_MS_MAX:
            raise ValueError(f"is sync, interval:<1 to {SYNC_INTERVAL_MS_MAX} milliseconds> or off")
        return cls(f"interval:{int(interval[1])}", int(interval[1]) / 1000)


def make_dirs(path: Path) -> None:
    """Create a directory (0700) and sync every parent that got a new entry."""
    missing = []
    while not path.is_dir():
        missing.append(path)
        path = path.parent
    for directory in reversed(missing):
        directory.mkdir(mode=PRIVATE_DIR, exist_ok=True)
        sync_dir(directory.parent)


def sync_dir(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_file(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_all(descriptor: int, data: bytes | memoryview) -> None:
    """`os.write` may write less than it was given; loop until all is out."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def write_synced(path: Path, data: bytes) -> None:
    """Write a new private file and sync it; its directory entry is not durable yet."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        write_all(descriptor, data)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(temporary: Path, final: Path, *, area: str, hit: Hit = no_failpoints) -> None:
    """Give a finished temporary file its final name: sync, rename, sync the folder."""
    make_dirs(final.parent)
    os.chmod(temporary, PRIVATE_FILE)
    sync_file(temporary)
    hit(f"{area}.tmp_synced")
    os.rename(temporary, final)
    hit(f"{area}.renamed")
    sync_dir(final.parent)
    hit(f"{area}.dir_synced")


def write_temporary(path: Path, data: bytes | memoryview, *, area: str, hit: Hit = no_failpoints) -> None:
    """The first half of `publish`: a private file whose content is synced, under a name that nobody reads."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        write_all(descriptor, data)
        hit(f"{area}.tmp_written")
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    hit(f"{area}.tmp_synced")


def publish_synced(names: Sequence[tuple[Path, Path]], *, area: str, hit: Hit = no_failpoints) -> None:
    """The second half for many: (synced temporary, final name) pairs are renamed, then each folder is synced once."""
    folders = sorted({final.parent for _temporary, final in names})
    for folder in folders:
        make_dirs(folder)
    for temporary, final in names:
        os.rename(temporary, final)
        hit(f"{area}.renamed")
    for folder in folders:
        sync_dir(folder)
        hit(f"{area}.dir_synced")


def replace(path: Path, data: bytes, *, hit: Hit = no_failpoints) -> None:
    """Swap a metadata file's whole content atomically and durably."""
    make_dirs(path.parent)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    write_synced(temporary, data)
    hit("meta.tmp_written")
    publish(temporary, path, area="meta", hit=hit)


def replace_derived(path: Path, data: bytes) -> None:
    """Swap a file that may be lost in a power loss: its readers see the old or the new content, never half."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE_FILE)
    try:
        write_all(descriptor, data)
    finally:
        os.close(descriptor)
    os.rename(temporary, path)


def create_only(path: Path, data: bytes, *, temporary_dir: Path, hit: Hit = no_failpoints) -> bool:
    """Create a file that must not exist yet; False when another writer was first. Never overwrites."""
    make_dirs(path.parent)
    make_dirs(temporary_dir)
    temporary = temporary_dir / f"{path.parent.parent.name}.{path.name}.{os.urandom(8).hex()}.tmp"
    write_synced(temporary, data)
    hit("manifest.tmp_written")
    hit("manifest.tmp_synced")
    try:
        os.link(temporary, path)
    except FileExistsError:
        return False
    finally:
        os.unlink(temporary)
    hit("manifest.linked")
    sync_dir(path.parent)
    hit("manifest.dir_synced")
    return True


def copy_synced(source: Path, target: Path, *, limit: int | None = None) -> tuple[int, str]:
    """Copy the first `limit` bytes, or all, into a new private file and sync it; (bytes, xxh64) of what was copied."""
    checksum, size = xxhash.xxh64(), 0
    with open(source, "rb") as file:
        make_dirs(target.parent)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            while chunk := file.read(_COPY_CHUNK if limit is None else min(_COPY_CHUNK, limit - size)):
                write_all(descriptor, chunk)
                checksum.update(chunk)
                size += len(chunk)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    return size, checksum.hexdigest()


def link_or_copy(source: Path, target: Path, *, may_link: bool = True) -> bool:
    """Another name for a file that never changes; a copy where links are not possible. Tells whether it is a link."""
    make_dirs(target.parent)
    if may_link:
        try:
            os.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
        else:
            return True
    copy_synced(source, target)
    return False


def sync_tree(path: Path) -> None:
    """Sync every directory of a tree whose files are synced already."""
    for folder, _folders, _files in os.walk(path):
        sync_dir(Path(folder))
    sync_dir(path.parent)


def write_private(path: Path, data: bytes) -> None:
    """Create or replace a small private file (0600) durably."""
    replace(path, data)


def append_synced(path: Path, data: bytes) -> None:
    """Add to the end of a private file, durable when it returns. What could be written only in part is taken back."""
    make_dirs(path.parent)
    is_new = not path.exists()
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW, PRIVATE_FILE)
    try:
        size = os.fstat(descriptor).st_size
        try:
            write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if is_new:
        sync_dir(path.parent)


def cut(path: Path, size: int) -> None:
    """Shorten a file to `size` bytes, durably."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    try:
        os.ftruncate(descriptor, size)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def unlink(path: Path) -> None:
    """Remove a file; one that is gone already is no error, so that a repeated clean-up is harmless."""
    path.unlink(missing_ok=True)


def take_away(path: Path) -> bytes | None:
    """The content of a file that is gone now; None when somebody else was first."""
    try:
        data = path.read_bytes()
        path.unlink()
    except FileNotFoundError:
        return None
    return data


def remove_empty_dir(path: Path) -> None:
    """Remove a directory if it is empty; one that is not stays."""
    try:
        path.rmdir()
    except OSError:
        return


def rename(source: Path, target: Path) -> None:
    """Move inside the data directory, both folders synced."""
    make_dirs(target.parent)
    os.rename(source, target)
    sync_dir(target.parent)
    sync_dir(source.parent)


def remove_tree(path: Path) -> None:
    """Remove a folder that nobody needs any more with everything in it; symbolic links are removed, never followed."""
    shutil.rmtree(path, ignore_errors=True)

"""Locks between processes of one data directory. Lock files are never deleted: an unlinked one can be held twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from iafa.durable import PRIVATE_FILE, make_dirs


@contextmanager
def held(path: Path, *, wait_s: float = -1) -> Iterator[bool]:
    """Hold the lock file for the block; yields False at once (or after `wait_s`) when another process has it."""
    make_dirs(path.parent)
    lock = FileLock(path, mode=PRIVATE_FILE, preserve_lock_file=True, fallback_to_soft=False)
    try:
        lock.acquire(timeout=wait_s)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def is_taken(path: Path) -> bool:
    """Whether a process holds the lock; a lock file that is not there is held by nobody, and is not made."""
    if not path.exists():
        return False
    with held(path, wait_s=0) as is_free:
        return not is_free


def take(path: Path) -> BaseFileLock | None:
    """Take a lock for the life of the process; None when another process has it."""
    make_dirs(path.parent)
    lock = FileLock(path, mode=PRIVATE_FILE, preserve_lock_file=True, fallback_to_soft=False)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        return None
    return lock

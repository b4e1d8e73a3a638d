"""Sorted 64-bit hashes of the ids of one Parquet file, in a file beside the lake: derived, may be deleted at any time.

Named after the checksum of the Parquet file, so that it can only be right, torn or missing, never stale.
"""

import logging
import mmap
import os
import struct
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import xxhash

from iafa.durable import make_dirs, replace_derived, unlink
from iafa.lake.manifest import LakeFile

log = logging.getLogger("iafa.lake")
Hashes = npt.NDArray[np.uint64]
SUFFIX = ".ids"
MAPPED_ROWS_MIN = 32_768  # smaller ones are read: a mapping costs a descriptor
_MAGIC = b"IAFAIDS1"
_HEADER = struct.Struct("<8sQQQ")  # magic, number of hashes, checksum of the Parquet file, checksum of the hashes
_CHUNK = 1024 * 1024


def id_file(folder: Path, file: LakeFile) -> Path:
    return folder / f"{file.xxh64}{SUFFIX}"


def write_id_file(folder: Path, file: LakeFile, hashes: Hashes) -> None:
    """Not synced: what a power loss tears is found by its checksum and made again."""
    data = hashes.astype("<u8", copy=False).tobytes()
    header = _HEADER.pack(_MAGIC, len(hashes), int(file.xxh64, 16), xxhash.xxh64_intdigest(data))
    make_dirs(folder)
    replace_derived(id_file(folder, file), header + data)


def open_id_file(folder: Path, file: LakeFile) -> Hashes | None:
    """The hashes, mapped when they are many; None when they are missing or not what was written."""
    try:
        descriptor = os.open(id_file(folder, file), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        return _verified(descriptor, file)
    except OSError as error:
        log.warning("unreadable id hashes of %s: %s", file.path, error.strerror)
        return None
    finally:
        os.close(descriptor)


def _verified(descriptor: int, file: LakeFile) -> Hashes | None:
    # Read, not mapped: a disk error while reading is an exception, in a mapping it is a signal that kills.
    header = os.pread(descriptor, _HEADER.size, 0)
    size = os.fstat(descriptor).st_size
    if len(header) != _HEADER.size:
        return None
    magic, rows, parquet, expected = _HEADER.unpack(header)
    is_whole = magic == _MAGIC and size == _HEADER.size + 8 * rows and rows == file.rows
    if not is_whole or parquet != int(file.xxh64, 16):
        return None
    checksum, offset, chunk = xxhash.xxh64(), _HEADER.size, b""
    while offset < size:
        chunk = os.pread(descriptor, max(_CHUNK, 8 * MAPPED_ROWS_MIN), offset)
        if not chunk:
            return None
        checksum.update(chunk)
        offset += len(chunk)
    if checksum.intdigest() != expected:
        return None
    if rows < MAPPED_ROWS_MIN:
        return np.frombuffer(chunk, dtype="<u8")
    mapped = mmap.mmap(descriptor, size, access=mmap.ACCESS_READ)
    return np.frombuffer(mapped, dtype="<u8", offset=_HEADER.size)


def sweep_id_files(folder: Path, kept: Iterable[LakeFile]) -> None:
    """Remove the hashes of files that are of no use any more."""
    names = {id_file(folder, file).name for file in kept}
    try:
        entries = list(folder.iterdir())
    except FileNotFoundError:
        return
    for entry in entries:
        if entry.name not in names:
            unlink(entry)

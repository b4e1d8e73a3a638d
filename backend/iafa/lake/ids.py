"""Which event ids the lake has already: sorted 64-bit hashes per immutable file, hits verified against the ids."""

import logging
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from iafa.lake.manifest import LakeFile
from iafa.lake.parts import Mask, is_in, read_files

log = logging.getLogger("iafa.lake")
CACHED_IDS_MAX = 16_000_000
Hashes = npt.NDArray[np.uint64]


def id_hashes(ids: Iterable[str]) -> Hashes:
    return np.fromiter((xxhash.xxh64_intdigest(one.encode()) for one in ids), dtype=np.uint64)


def first_copies(hashes: Hashes, ids: pa.ChunkedArray) -> Mask:
    """Mask of the rows whose id does not occur in an earlier row."""
    _values, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    earliest = first[inverse]
    mask: Mask = earliest == np.arange(len(hashes))
    collided = ~pc.equal(ids, ids.take(pa.array(earliest))).to_numpy()
    seen: set[str] = set()
    for row in np.flatnonzero(collided):  # two ids with one hash: next to never, but then both must live
        one = ids[int(row)].as_py()
        mask[row] = one not in seen
        seen.add(one)
    return mask


class StoredIds:
    """Caches hashes by file, bounded; files never change, so an entry is never stale."""

    def __init__(self, cached_ids_max: int = CACHED_IDS_MAX) -> None:
        self._cached_ids_max = cached_ids_max
        self._cached_ids = 0
        self._hashes: OrderedDict[tuple[Path, str], Hashes] = OrderedDict()

    def mask(self, directory: Path, files: Iterable[LakeFile], ids: pa.ChunkedArray, hashes: Hashes) -> Mask:
        """True where the id is in one of the files."""
        stored = np.zeros(len(hashes), dtype=bool)
        for file in files:
            known = self._of_file(directory, file)
            places = np.searchsorted(known, hashes)
            if not len(known):
                continue
            places[places == len(known)] = 0
            hits = (known[places] == hashes) & ~stored
            if hits.any() and (in_file := _ids_of(directory, file)) is not None:
                rows = np.flatnonzero(hits)
                stored[rows] = is_in(ids.take(pa.array(rows)), in_file)
        return stored

    def _of_file(self, directory: Path, file: LakeFile) -> Hashes:
        key = (directory / file.path, file.xxh64)
        found = self._hashes.get(key)
        if found is not None:
            self._hashes.move_to_end(key)
            return found
        ids = _ids_of(directory, file)
        if ids is None:
            return np.empty(0, dtype=np.uint64)
        found = np.sort(id_hashes(ids.to_pylist()))
        self._hashes[key] = found
        self._cached_ids += len(found)
        while self._cached_ids > self._cached_ids_max and len(self._hashes) > 1:
            _key, dropped = self._hashes.popitem(last=False)
            self._cached_ids -= len(dropped)
        return found


def _ids_of(directory: Path, file: LakeFile) -> pa.ChunkedArray | None:
    """The ids of a file; None when it cannot be read. One damaged file must not stop what arrives from being stored:
    at worst an id of that file is stored a second time, and every question over the file says that it is damaged."""
    try:
        return read_files(directory, [file], columns=["id"]).column("id")
    except (OSError, pa.ArrowException) as error:
        log.error("unreadable file=%s error=%s", directory / file.path, type(error).__name__)
        return None

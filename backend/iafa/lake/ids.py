"""Which event ids the lake has already: sorted 64-bit hashes by file, hits verified exactly against the ids."""

import itertools
import logging
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from iafa.lake.id_files import MAPPED_ROWS_MIN, Hashes, open_id_file, sweep_id_files, write_id_file
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile, Manifest
from iafa.lake.parts import Mask, is_in

log = logging.getLogger("iafa.lake")
READ_ROWS_MAX = 4_000_000  # hashes in memory, 8 bytes each
MAPPED_FILES_MAX = 128  # a descriptor each
_BATCH_ROWS = 65_536
_digest = xxhash.xxh64_intdigest


def id_hashes(ids: pa.ChunkedArray | pa.Array) -> Hashes:
    """In the order of the ids."""
    chunks = ids.chunks if isinstance(ids, pa.ChunkedArray) else [ids]
    found = [_hashes_of(chunk) for chunk in chunks]
    return np.concatenate(found) if found else np.empty(0, dtype=np.uint64)


def _hashes_of(ids: pa.Array) -> Hashes:
    """Straight from the buffers: no text object is made."""
    _validity, offsets, data = ids.buffers()
    if not len(ids) or data is None:
        return np.full(len(ids), _digest(b""), dtype=np.uint64)
    starts = np.frombuffer(offsets, dtype=np.int32)[ids.offset : ids.offset + len(ids) + 1].tolist()
    view, digest = memoryview(data), _digest
    hashes = (digest(view[start:end]) for start, end in itertools.pairwise(starts))
    return np.fromiter(hashes, dtype=np.uint64, count=len(ids))


def first_copies(hashes: Hashes, ids: pa.ChunkedArray) -> Mask:
    """Mask of the rows whose id does not occur in an earlier row."""
    _values, first, inverse = np.unique(hashes, return_index=True, return_inverse=True)
    if len(first) == len(hashes):
        return np.ones(len(hashes), dtype=bool)
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
    """Looks ids up in files. Bounded in memory and in descriptors; files never change, so an entry is never stale.

    `keeps` is for the holder of the writer lock: what had to be computed is written down for the next process.
    """

    def __init__(
        self,
        layout: Layout,
        *,
        keeps: bool = False,
        read_rows_max: int = READ_ROWS_MAX,
        mapped_files_max: int = MAPPED_FILES_MAX,
    ) -> None:
        self._layout = layout
        self._keeps = keeps
        self._read = _Recent(read_rows_max)
        self._mapped = _Recent(mapped_files_max)

    @property
    def read_rows(self) -> int:
        """Hashes in memory now."""
        return self._read.weight

    def mask(self, project_id: str, files: Iterable[LakeFile], ids: pa.ChunkedArray, hashes: Hashes) -> Mask:
        """True where the id is in one of the files."""
        stored = np.zeros(len(hashes), dtype=bool)
        directory = self._layout.project(project_id)
        for file in files:
            known = self._of_file(project_id, file)
            if not len(known):
                continue
            places = np.searchsorted(known, hashes)
            places[places == len(known)] = 0
            hits = (known[places] == hashes) & ~stored
            if hits.any():
                rows = np.flatnonzero(hits)
                wanted = ids.take(pa.array(rows)).combine_chunks()
                stored[rows] = is_in(pa.chunked_array([wanted]), _common(directory, file, wanted))
        return stored

    def add(self, project_id: str, file: LakeFile, hashes: Hashes) -> None:
        """Remember the ids of a file that has just been written."""
        write_id_file(self._layout.id_hashes(project_id), file, np.sort(hashes))

    def sweep(self, manifest: Manifest, window_us: int) -> None:
        """Forget files that left the manifest or the window."""
        latest_us = max((file.last_received_us for file in manifest.files), default=0)
        kept = (file for file in manifest.files if file.last_received_us >= latest_us - window_us)
        sweep_id_files(self._layout.id_hashes(manifest.project_id), kept)

    def _of_file(self, project_id: str, file: LakeFile) -> Hashes:
        key = (project_id, file.path, file.xxh64)
        found = self._read.get(key)
        if found is None:
            found = self._mapped.get(key)
        if found is not None:
            return found
        folder = self._layout.id_hashes(project_id)
        found = open_id_file(folder, file)
        if found is None:
            found = _computed(self._layout.project(project_id), file)
            if found is None:
                return np.empty(0, dtype=np.uint64)
            if self._keeps:
                write_id_file(folder, file, found)
                kept = open_id_file(folder, file)
                found = found if kept is None else kept
        if found.flags.owndata or len(found) < MAPPED_ROWS_MIN:
            self._read.put(key, found, len(found))
        else:
            self._mapped.put(key, found, 1)
        return found


class _Recent:
    """The entries used last, up to a total weight; at least one."""

    def __init__(self, weight_max: int) -> None:
        self._weight_max = weight_max
        self.weight = 0
        self._entries: OrderedDict[tuple[str, str, str], tuple[Hashes, int]] = OrderedDict()

    def get(self, key: tuple[str, str, str]) -> Hashes | None:
        found = self._entries.get(key)
        if found is None:
            return None
        self._entries.move_to_end(key)
        return found[0]

    def put(self, key: tuple[str, str, str], hashes: Hashes, weight: int) -> None:
        self._entries[key] = (hashes, weight)
        self.weight += weight
        while self.weight > self._weight_max and len(self._entries) > 1:
            _key, (_hashes, gone) = self._entries.popitem(last=False)
            self.weight -= gone


def _computed(directory: Path, file: LakeFile) -> Hashes | None:
    """From the Parquet file, some rows at a time; None when it cannot be read. One damaged file must not stop what
    arrives from being stored: at worst an id of it is stored twice, and every question over it says that it is damaged.
    """
    try:
        found = [_hashes_of(batch) for batch in _id_batches(directory / file.path)]
    except (OSError, pa.ArrowException) as error:
        log.error("unreadable file=%s error=%s", directory / file.path, type(error).__name__)
        return None
    return np.sort(np.concatenate([np.empty(0, dtype=np.uint64), *found]))


def _common(directory: Path, file: LakeFile, wanted: pa.Array) -> pa.Array:
    """Those of the wanted ids that are in the file."""
    found = []
    try:
        for batch in _id_batches(directory / file.path):
            found.append(batch.filter(pc.is_in(batch, value_set=wanted)))
    except (OSError, pa.ArrowException) as error:
        log.error("unreadable file=%s error=%s", directory / file.path, type(error).__name__)
    return pa.concat_arrays(found) if found else pa.array([], pa.string())


def _id_batches(path: Path) -> Iterator[pa.Array]:
    with pq.ParquetFile(path, page_checksum_verification=True) as file:
        for batch in file.iter_batches(_BATCH_ROWS, columns=["id"]):
            yield batch.column(0)

"""One metadata file: records by id, locked, versioned, replaced atomically. The only owner of files in `metadata/`.

Knows nothing of what a record means.
"""

import asyncio
import os
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from iafa import durable
from iafa.clock import Clock
from iafa.errors import DataDamaged, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.locks import held
from iafa.seal import is_sealed, sealed

FORMAT_VERSION = 2  # 1 had no checksum of its own
FRESH_S = 1.0  # so that a change made by another process is seen within 2 s
LOCK_WAIT_S = 10.0

Record = TypeVar("Record", bound=msgspec.Struct)
Result = TypeVar("Result")
_Stamp = tuple[int, int, int]


class Document(msgspec.Struct):
    """A metadata file as it lies on the disk."""

    format: int
    generation: int
    records: dict[str, msgspec.Raw] = {}


class NotSound(Exception):
    """Why a document must not be used, as the end of a sentence that begins with its name."""


def decode_document(data: bytes) -> Document:
    """The document if its format is known and it is what was written; else NotSound."""
    try:
        document = msgspec.json.decode(data, type=Document)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise NotSound("cannot be read") from error
    if document.format > FORMAT_VERSION:
        raise NotSound(f"has format {document.format}, this version reads up to {FORMAT_VERSION}")
    is_sound = is_sealed(data)
    if is_sound is False or (is_sound is None and document.format != 1):
        raise NotSound("is damaged: its checksum is wrong")
    return document


@dataclass(frozen=True)
class Stored(Generic[Record]):
    """What the file held at one instant. Shared between readers: never changed in place."""

    generation: int
    records: Mapping[str, Record]


@dataclass
class _Cache(Generic[Record]):
    stored: Stored[Record]
    stamp: _Stamp | None
    checked_s: float = field(default=0.0)


class JsonFile(Generic[Record]):
    """Records of one type in one file. Reads are cached and at most one second old; changes are serialised
    between threads and processes and are durable once `change` has returned."""

    def __init__(
        self, data_dir: Path, name: str, record: type[Record], *, clock: Clock, hit: Hit = no_failpoints
    ) -> None:
        self.path = data_dir / "metadata" / f"{name}.json"
        self.previous_path = self.path.with_name(f"{name}.previous.json")
        self._lock_path = data_dir / "locks" / f"metadata_{name}.lock"
        self._decoder = msgspec.json.Decoder(record)
        self._clock = clock
        self._hit = hit
        self._thread_lock = threading.Lock()
        self._cache_lock = threading.Lock()
        self._cache: _Cache[Record] | None = None

    def read(self, *, anew: bool = False) -> Stored[Record]:
        """The file's records. Costs one `stat` at most once a second, and a read when the file has changed; `anew`
        looks now, for who misses something that another process may just have made."""
        cache = self._cache
        now_s = self._clock.monotonic_s()
        if not anew and cache is not None and 0 <= now_s - cache.checked_s < FRESH_S:
            return cache.stored
        stamp = self._stamp()
        is_same = cache is not None and cache.stamp == stamp and stamp is not None
        found = cache.stored if cache is not None and is_same else self._load()
        with self._cache_lock:
            # A change that was made here while this thread was reading must not be hidden by what it read.
            if self._cache is cache or self._cache is None:
                self._cache = _Cache(found, stamp, now_s)
            return self._cache.stored

    async def load(self) -> Stored[Record]:
        """`read` for the event loop: goes to a thread only when the cached copy is too old."""
        cache = self._cache
        if cache is not None and 0 <= self._clock.monotonic_s() - cache.checked_s < FRESH_S:
            return cache.stored
        return await asyncio.to_thread(self.read)

    async def get(self, key: str) -> Record | None:
        """One record. What another process made a moment ago is found; what it changed is seen within two seconds."""
        found = (await self.load()).records.get(key)
        return found if found is not None else (await self.load_anew()).records.get(key)

    async def load_anew(self) -> Stored[Record]:
        return await asyncio.to_thread(partial(self.read, anew=True))

    async def change(self, edit: Callable[[dict[str, Record]], Result]) -> Result:
        """Read, edit and replace the file as one step; `edit` may raise, then nothing is written."""
        return await asyncio.to_thread(self.change_now, edit)

    def change_now(self, edit: Callable[[dict[str, Record]], Result]) -> Result:
        """`change` for commands and threads."""
        # The thread lock keeps this process's writers from polling the file lock against each other.
        with self._thread_lock, held(self._lock_path, wait_s=LOCK_WAIT_S) as is_held:
            if not is_held:
                raise StorageUnavailable(f"{self.path.name} is locked by another process", retry_after_s=1)
            before = self._load()
            records = dict(before.records)
            result = edit(records)
            if records != before.records:
                self._write(Stored(before.generation + 1, records))
            return result

    def _write(self, stored: Stored[Record]) -> None:
        encode = msgspec.json.encode
        document = Document(
            FORMAT_VERSION,
            stored.generation,
            {key: msgspec.Raw(encode(record)) for key, record in stored.records.items()},
        )
        try:
            if self.path.exists():
                durable.replace(self.previous_path, self.path.read_bytes())
            durable.replace(self.path, sealed(msgspec.json.format(encode(document), indent=1)), hit=self._hit)
        except OSError as error:
            with self._cache_lock:
                self._cache = None
            raise StorageUnavailable(
                f"{self.path.name} cannot be written: {error.strerror}", retry_after_s=5
            ) from error
        with self._cache_lock:
            self._cache = _Cache(stored, self._stamp(), self._clock.monotonic_s())

    def _stamp(self) -> _Stamp | None:
        try:
            found = os.stat(self.path)
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _load(self) -> Stored[Record]:
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            if self.previous_path.exists():
                raise self._damaged("is gone") from None
            return Stored(0, {})
        except OSError as error:
            raise StorageUnavailable(f"{self.path.name} cannot be read: {error.strerror}", retry_after_s=5) from error
        try:
            document = decode_document(data)
            return Stored(
                document.generation,
                {key: self._decoder.decode(raw) for key, raw in document.records.items()},
            )
        except NotSound as error:
            raise self._damaged(str(error)) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._damaged("cannot be read") from error

    def _damaged(self, what: str) -> DataDamaged:
        # Never an empty default: the next write would make the loss of all records final.
        return DataDamaged(
            f"{self.path} {what}; nothing was changed; the copy before the last change is {self.previous_path};"
            " run `iafa verify`"
        )

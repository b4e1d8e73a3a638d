"""All events of a question as one file, piece by piece: over files that compaction cannot take away, by an engine
instance of its own, so that a reader who takes hours keeps nobody else waiting.
"""

import threading
from collections.abc import Iterator, Set
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa

from iafa.lake.layout import Layout
from iafa.lake.lease import Lease
from iafa.lake.manifest import LakeFile
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.events.chosen import chosen_sql
from iafa.query.events.question import EventsQuestion

BATCH_ROWS = 2_048  # of 32 KiB at most


class EventFile(Protocol):
    """Makes the bytes of a file out of events."""

    @property
    def columns(self) -> Set[str]:
        """The columns of an event that it needs."""

    def begin(self) -> bytes:
        """What stands before the first event."""

    def add(self, events: pa.Table) -> bytes:
        """Some events; may be empty when they are kept for later."""

    def end(self) -> bytes:
        """What stands behind the last event."""


@dataclass
class EventExport:
    """`piece` until it is None, then `close`, which may also come earlier and from any thread. Each method blocks."""

    engine: DuckEngine
    layout: Layout
    snapshot: Snapshot
    asked: EventsQuestion
    file: EventFile
    cancellation: Cancellation
    _held: ExitStack = field(default_factory=ExitStack)
    _pieces: Iterator[bytes] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def piece(self) -> bytes | None:
        """The next bytes, never empty; None at the end."""
        with self._lock:
            if self._pieces is None:
                self._pieces = self._made()
            return next((piece for piece in self._pieces if piece), None)

    def close(self) -> None:
        self.cancellation.cancel()  # whoever is at work ends soon
        with self._lock:
            self._held.close()

    def _made(self) -> Iterator[bytes]:
        time_range = self.asked.time_range
        snapshot = _oldest_first(self.snapshot.between(time_range.from_us, time_range.to_us))
        self.engine.require_sound(snapshot, self.cancellation)
        lease = self._held.enter_context(Lease(self.layout, snapshot.files))
        leased = replace(snapshot, files=tuple(lease.files))
        parameters = Parameters(from_us=time_range.from_us, to_us=time_range.to_us)
        sql = chosen_sql(leased, self.asked, self.file.columns, parameters)
        reading = self._held.enter_context(self.engine.streaming(leased, lease.folders, self.cancellation))
        lead = self.file.begin()  # not alone: what goes wrong at once is still a proper answer
        for batch in reading.batches(sql, parameters.values, BATCH_ROWS):
            yield lead + self.file.add(pa.Table.from_batches([batch]))
            lead = b""
        yield lead + self.file.end()


def _oldest_first(snapshot: Snapshot) -> Snapshot:
    if snapshot.entries is None:
        return snapshot

    def begin(file: LakeFile) -> tuple[int, str]:
        return file.first_created_us, file.path

    entries = tuple(sorted(snapshot.entries, key=begin))
    return replace(snapshot, entries=entries, files=tuple(snapshot.directory / file.path for file in entries))

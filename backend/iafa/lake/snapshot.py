"""A snapshot: what one query reads. An explicit list of files of one manifest generation, and the unflushed tail."""

import threading
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa

from iafa.errors import StorageUnavailable
from iafa.journal.format import Kind, Record
from iafa.journal.reader import Segment, Tail
from iafa.lake.append import files_in_window, repeats_by_day
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.erasure import NOBODY, ErasedPeople, Erasures
from iafa.lake.held import is_held
from iafa.lake.identity import IdentityEdges, edges_of
from iafa.lake.identity_spans import Identities, KnownIdentities
from iafa.lake.ids import StoredIds, first_copies, id_hashes
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile, Manifest, Manifests, added_days
from iafa.lake.parts import time_us
from iafa.lake.poison import sound_rows
from iafa.lake.quarantine import ROWS_MAX
from iafa.lake.quarantine_rows import RefusedCounts
from iafa.lake.recent import Recent
from iafa.lake.rollups import Rollups
from iafa.lake.schema import EVENT_SCHEMA

HELD_RETRY_AFTER_S = 2


@dataclass(frozen=True)
class Snapshot:
    """One project at one instant. Files are distinct by event id, and `tail` is distinct against them and itself."""

    project_id: str
    directory: Path  # the project's folder: the only one that the query may read
    files: tuple[Path, ...]
    tail: pa.Table  # of EVENT_SCHEMA
    data_version: str  # equal versions have equal rows
    rows: int  # of files and tail
    first_us: int | None = None  # earliest and latest created_at, None when there is no event
    last_us: int | None = None
    rollups: Rollups | None = None  # counts of days whose raw events are gone, of the same generation
    identities: pa.Table | None = None  # of IDENTITY_SCHEMA: whose events are whose; None when there is no edge
    entries: tuple[LakeFile, ...] | None = None  # what the manifest says of `files`; None when there is no manifest
    is_named: bool = False  # questions read the views `raw_events` and `events`, which the reader makes of the files
    identity_files: tuple[str, ...] = ()  # relative to the folder: what `identities` is made of
    dropped: "Dropped | None" = None  # what was not stored; None: not known
    edges: Identities | None = None  # what `identities` follows from
    erased: ErasedPeople = NOBODY  # whose rows the files may still hold and no question may see; the tail has none

    @property
    def last_received_us(self) -> int:
        """When the latest of its events was received, by whatever the clock said then."""
        tail = time_us(self.tail, "received_at")
        return max([file.last_received_us for file in self.entries or ()] + [int(tail.max(initial=0))])

    def known_at(self, time_us: int) -> "Snapshot":
        """The same events, and whose they are by the edges that were there at that time."""
        return self if self.edges is None else replace(self, identities=self.edges.at(time_us).table)

    def between(self, from_us: int, to_us: int, beside: tuple[int, int] | None = None) -> "Snapshot":
        """Only the files that may hold an event of the time [from_us, to_us), or of the time `beside` it: no other one
        is opened or checked."""
        if self.entries is None:
            return self
        spans = [(from_us, to_us), *([] if beside is None else [beside])]
        entries = tuple(
            file
            for file in self.entries
            if any(file.last_created_us >= first_us and file.first_created_us < end_us for first_us, end_us in spans)
        )
        files = tuple(self.directory / file.path for file in entries)
        return replace(self, entries=entries, files=files, rows=sum(file.rows for file in entries) + self.tail.num_rows)

    @classmethod
    def of_table(cls, table: pa.Table, directory: Path) -> "Snapshot":
        """A snapshot of nothing but a tail, for definitions that are tried on given events."""
        return cls(
            project_id="snapshot0000",
            directory=directory,
            files=(),
            tail=table.cast(EVENT_SCHEMA),
            data_version="0",
            rows=table.num_rows,
        )


@dataclass(frozen=True)
class Dropped:
    """What a project was sent and did not store: repeated ids by UTC day, refused events in the quarantine.

    Repeats are counted since an instant; 0: always.
    """

    repeats: Mapping[str, int]
    repeats_since_us: int
    refused: RefusedCounts


@dataclass(frozen=True)
class _Chunk:
    """Rows of one project out of one segment, as one read found them."""

    epoch: int
    segment: int
    last_sequence: int
    table: pa.Table


class Snapshots:
    """Takes snapshots. Keeps the parsed tail between calls, so that each acknowledged byte is decoded once."""

    def __init__(
        self,
        layout: Layout,
        manifests: Manifests,
        *,
        dedup_window_us: int,
        refused_max: int = ROWS_MAX,
        enrichment: Enrichment = PLAIN,
    ) -> None:
        self._layout = layout
        self._manifests = manifests
        self._window_us = dedup_window_us
        self._refused_max = refused_max
        self._enrichment = enrichment
        self._tail = Tail(layout.journal)
        self._erasures = Erasures(layout)
        self._chunks: dict[str, list[_Chunk]] = {}
        self._stored_ids = StoredIds(layout)
        self._known_identities = KnownIdentities(IdentityEdges(layout, manifests))
        self._identities: Recent[tuple[str, Identities]] = Recent()
        self._fresh: Recent[tuple[str, pa.Table, dict[str, int]]] = Recent()
        self._lock = threading.Lock()

    def take(self, project_id: str) -> Snapshot:
        """Every event acknowledged before this call, once. Blocking: call it in a thread."""
        with self._lock:
            self._read_tail()
            was_held = is_held(self._layout, project_id)
            # Only now the manifest: what has vanished from the tail meanwhile is certain to be in it.
            manifest = self._manifests.latest(project_id)
            if was_held:
                message = "events that were held while the manifest could not be read are being put back"
                raise StorageUnavailable(message, retry_after_s=HELD_RETRY_AFTER_S)
            waiting = [
                chunk
                for chunk in self._chunks.get(project_id, [])
                if not manifest.absorbs(chunk.epoch, chunk.last_sequence)
            ]
            version = _version(manifest, waiting)
            erased = self._erasures.people(manifest)
            tail, repeats = self._distinct_tail(manifest, waiting, version, erased)
            known = self._identities_of(project_id, manifest, tail, version)
        return replace(
            self._snapshot(project_id, manifest, tail, version),
            identities=known.table,
            edges=known,
            erased=erased,
            dropped=self._dropped(project_id, manifest, repeats),
        )

    def _read_tail(self) -> None:
        fresh, present = self._tail.read()
        for project_id, chunks in self._chunks.items():
            self._chunks[project_id] = [one for one in chunks if (one.epoch, one.segment) in present]
        self._chunks = {project_id: chunks for project_id, chunks in self._chunks.items() if chunks}
        for segment, records in fresh.items():
            for project_id, chunk in _chunks_of(segment, records, self._enrichment):
                self._chunks.setdefault(project_id, []).append(chunk)

    def _distinct_tail(
        self, manifest: Manifest, chunks: list[_Chunk], version: str, erased: ErasedPeople
    ) -> tuple[pa.Table, dict[str, int]]:
        """(rows, how many more repeat an id, by day)"""
        project_id = manifest.project_id
        if not chunks:
            self._fresh.forget(project_id)
            return EVENT_SCHEMA.empty_table(), {}
        known = self._fresh.get(project_id)
        if known is not None and known[0] == version:
            return known[1:]
        table = pa.concat_tables([chunk.table for chunk in chunks]).combine_chunks()
        table = erased.without(table.take(pa.array(np.argsort(time_us(table, "received_at"), kind="stable"))))
        ids = table.column("id")
        hashes = id_hashes(ids)
        distinct = first_copies(hashes, ids)
        files = files_in_window(manifest, table, self._window_us)
        distinct &= ~self._stored_ids.mask(project_id, files, ids, hashes)
        fresh = table.filter(pa.array(distinct))
        repeats = repeats_by_day(table, fresh)
        self._fresh.keep(project_id, (version, fresh, repeats))
        return fresh, repeats

    def _dropped(self, project_id: str, manifest: Manifest, repeats: dict[str, int]) -> Dropped:
        since_us = manifest.repeats_since_us
        if since_us is None:
            since_us = manifest.made_at_us if manifest.generation else 0
        refused = RefusedCounts(self._layout.quarantine(project_id), self._refused_max)
        return Dropped(added_days(manifest.repeats, repeats), since_us, refused)

    def _identities_of(self, project_id: str, manifest: Manifest, tail: pa.Table, version: str) -> Identities:
        """The edges of the generation and those that events of the tail are about to bring."""
        known = self._identities.get(project_id)
        if known is not None and known[0] == version:
            return known[1]
        found = self._known_identities.of(project_id, manifest).with_unknown(edges_of(tail))
        self._identities.keep(project_id, (version, found))
        return found

    def _snapshot(self, project_id: str, manifest: Manifest, tail: pa.Table, version: str) -> Snapshot:
        directory = self._layout.project(project_id)
        times = [file.first_created_us for file in manifest.files] + [file.last_created_us for file in manifest.files]
        if tail.num_rows:
            created = time_us(tail, "created_at")
            times += [int(created.min()), int(created.max())]
        return Snapshot(
            project_id=project_id,
            directory=directory,
            files=tuple(directory / file.path for file in manifest.files),
            tail=tail,
            entries=manifest.files,
            data_version=version,
            rows=sum(file.rows for file in manifest.files) + tail.num_rows,
            first_us=min(times, default=None),
            last_us=max(times, default=None),
            rollups=Rollups(self._layout, project_id, manifest.rollups),
            identity_files=manifest.identity,
        )


def _chunks_of(segment: Segment, records: list[Record], enrichment: Enrichment) -> list[tuple[str, _Chunk]]:
    by_project: dict[str, list[Record]] = defaultdict(list)
    for record in records:
        if record.k == Kind.EVENTS:
            by_project[record.p].append(record)
    return [
        (project_id, _Chunk(segment.epoch, segment.number, own[-1].q, sound_rows(own, enrichment)[0]))
        for project_id, own in by_project.items()
    ]


def _version(manifest: Manifest, chunks: list[_Chunk]) -> str:
    """Generation and the project's own acknowledged sequence in each journal; never another tenant's."""
    latest: dict[int, int] = {}
    for chunk in chunks:
        latest[chunk.epoch] = max(latest.get(chunk.epoch, 0), chunk.last_sequence)
    return ".".join([str(manifest.generation), *(f"{epoch}-{last}" for epoch, last in sorted(latest.items()))])

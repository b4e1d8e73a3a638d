"""Flush: sealed journal segments become Parquet parts; only then are they retired. Safe to kill at any instruction."""

import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum

import numpy as np
import pyarrow as pa

from iafa.durable import remove_empty_dir, sync_dir, unlink, write_private
from iafa.errors import DataDamaged
from iafa.event import ID_PATTERN, DropReason
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.format import ACKED_NAME, LOCK_NAME, Record
from iafa.journal.reader import Damage, Segment, journals, read_segment, sealed_segments
from iafa.lake.append import LakeAppender, repeats_by_day
from iafa.lake.drop_counts import DropCounts, Tally
from iafa.lake.dropped import is_dropped
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.erasure import Erasures
from iafa.lake.held import held_files, held_projects, hold, is_held
from iafa.lake.identity import IdentityEdges, edges_of
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifest, Manifests
from iafa.lake.parts import time_us
from iafa.lake.poison import Poisoned, sound_rows
from iafa.lake.quarantine import Quarantine, Refusal
from iafa.lake.refused_people import left_refusals
from iafa.locks import held
from iafa.metrics import Counters

log = logging.getLogger("iafa.flush")
GROUP_BYTES_MAX = 512 * 1024 * 1024
DAMAGED_FILES_MAX = 1_000
DAMAGED_BYTES_MAX = 64 * 1024 * 1024


@dataclass
class Flushed:
    """What one run did."""

    segments: int = 0
    events: int = 0
    duplicates: int = 0
    poisoned: int = 0
    of_deleted_projects: int = 0
    erased: int = 0
    stuck_projects: set[str] = field(default_factory=set)
    damage: Damage = field(default_factory=Damage)


class Fate(Enum):
    """What becomes of a record."""

    FRESH = "to be stored"
    ABSORBED = "stored already"
    STUCK = "its project cannot be written now"
    GONE = "its project has been deleted"


@dataclass
class _Gate:
    """Decides on records; looks at each project once. A project with held records stays stuck until they are taken."""

    layout: Layout
    manifests: Manifests
    takes_held: bool = False
    _known: dict[str, Manifest | Fate] = field(default_factory=dict)
    _synced: set[str] = field(default_factory=set)

    def fate(self, epoch: int, record: Record) -> Fate:
        known = self._known.get(record.p)
        if known is None:
            known = self._known[record.p] = self._look(record.p)
        if isinstance(known, Fate):
            return known
        if not known.absorbs(epoch, record.q):
            return Fate.FRESH
        if record.p not in self._synced:
            # The generation that says so may be one whose sync failed: the journal must not go before it is durable.
            sync_dir(self.layout.manifests(record.p))
            self._synced.add(record.p)
        return Fate.ABSORBED

    def _look(self, project_id: str) -> Manifest | Fate:
        if not ID_PATTERN.fullmatch(project_id) or is_dropped(self.layout, project_id):
            return Fate.GONE
        if not self.takes_held and is_held(self.layout, project_id):
            return Fate.STUCK
        try:
            return self.manifests.latest(project_id)
        except DataDamaged as error:
            # One project's trouble stops no other one; its own events wait in files of their own until it is mended.
            log.error("project=%s cannot be flushed: %s", project_id, error.detail)
            return Fate.STUCK


@dataclass
class _Range:
    """Sequence numbers of one project's records."""

    first: int
    last: int


@dataclass
class _Group:
    """What neighbouring segments of one journal hold, as far as no manifest has absorbed it."""

    gate: _Gate
    rows: dict[str, list[pa.Table]] = field(default_factory=lambda: defaultdict(list))
    ranges: dict[str, _Range] = field(default_factory=dict)
    held: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    damage: Damage = field(default_factory=Damage)


@dataclass(frozen=True)
class Flusher:
    """The one flusher of a data directory; a second one finds the lock held and does nothing."""

    layout: Layout
    appender: LakeAppender
    quarantine: Quarantine
    hit: Hit = no_failpoints
    counters: Counters = field(default_factory=Counters)
    enrichment: Enrichment = PLAIN

    def run(self) -> Flushed:
        """Absorb every sealed segment of every journal."""
        flushed = Flushed()
        with held(self.layout.writer_lock, wait_s=0) as is_ours:
            if not is_ours:
                return flushed
            try:
                self._run(flushed)
            except BaseException:
                self.counters.add("flush_failures")
                raise
        _report(flushed)
        return flushed

    def _run(self, flushed: Flushed) -> None:
        self._absorb_held(flushed)
        for epoch, directory in journals(self.layout.journal):
            sealed, is_dead = sealed_segments(epoch, directory)
            for group in _groups(sealed):
                self._absorb(epoch, group, flushed)
            if is_dead:
                for name in (ACKED_NAME, LOCK_NAME):
                    unlink(directory / name)
                remove_empty_dir(directory)
                # Later generations forget this epoch: after a power loss it must not be there again.
                sync_dir(self.layout.journal)

    def _absorb(self, epoch: int, segments: Sequence[Segment], flushed: Flushed) -> None:
        group = _Group(_Gate(self.layout, self.appender.manifests))
        for segment in segments:
            self._read(segment, group, flushed)
        for project_id, records in group.held.items():
            hold(self.layout, epoch, project_id, records, hit=self.hit)
            flushed.stuck_projects.add(project_id)
        for project_id in list(group.rows):
            table = _by_receipt(group.rows.pop(project_id))
            self._store(project_id, epoch, group.ranges[project_id], table, flushed)
        self._note_damage(group.damage, flushed)
        self.hit("journal.before_unlink")
        for segment in segments:
            unlink(segment.path)
            self.hit("journal.unlinked")
        flushed.segments += len(segments)

    def _read(self, segment: Segment, group: _Group, flushed: Flushed) -> None:
        """One segment into the group; what it refuses is in the quarantine before any manifest absorbs it."""
        fresh: list[Record] = []
        refused: list[Refusal] = []
        tallies: list[Tally] = []
        for record in read_segment(segment, group.damage):
            fate = group.gate.fate(segment.epoch, record)
            if fate is Fate.GONE:
                flushed.of_deleted_projects += len(record.e)
                continue
            refused += [Refusal(record.p, record.r, one) for one in record.x]
            tallies += [Tally(record.p, record.r, one) for one in record.d]
            if fate is Fate.STUCK and record.e:
                group.held[record.p].append(record)
            elif fate is Fate.FRESH and record.e:
                known = group.ranges.setdefault(record.p, _Range(record.q, record.q))
                known.last = record.q
                fresh.append(record)
        # A record is of one project: sorting thousands of them spares moving a hundred thousand rows.
        table, poisoned = sound_rows(sorted(fresh, key=lambda record: record.p), self.enrichment)
        for project_id, rows in _by_project(table):
            group.rows[project_id].append(rows)
        self._quarantine(f"j{segment.epoch}-{segment.number}", refused, poisoned, flushed)
        if tallies:
            DropCounts(self.layout).add(segment.epoch, segment.number, tallies)

    def _absorb_held(self, flushed: Flushed) -> None:
        """What was held while a manifest could not be read: tried again before anything newer of the project."""
        for project_id in held_projects(self.layout):
            gate = _Gate(self.layout, self.appender.manifests, takes_held=True)
            for one in held_files(self.layout, project_id):
                records, damaged = one.read()
                fates = [gate.fate(one.epoch, record) for record in records]
                if Fate.STUCK in fates:
                    flushed.stuck_projects.add(project_id)
                    break
                flushed.of_deleted_projects += fates.count(Fate.GONE) and sum(len(record.e) for record in records)
                fresh = [record for record, fate in zip(records, fates, strict=True) if fate is Fate.FRESH]
                if fresh:
                    self._absorb_records(project_id, one.epoch, fresh, flushed)
                self._note_damage(Damage(damaged=damaged), flushed)
                one.release()

    def _absorb_records(self, project_id: str, epoch: int, records: list[Record], flushed: Flushed) -> None:
        table, poisoned = sound_rows(records, self.enrichment)
        both = _Range(records[0].q, records[-1].q)
        self._quarantine(f"j{epoch}-h{both.first}-{both.last}", [], poisoned, flushed)
        self._store(project_id, epoch, both, _by_receipt([table]), flushed)

    def _quarantine(self, segment: str, refused: list[Refusal], poisoned: list[Poisoned], flushed: Flushed) -> None:
        refused += [Refusal(one.project_id, one.received_at, one.rejected()) for one in poisoned]
        for one in poisoned:
            log.error("project=%s event=%r cannot be stored: %s", one.project_id, one.event.id, one.message)
            self.counters.add("events_dropped", DropReason.POISON)
        if refused:
            self.quarantine.keep(segment, self._standing(refused))
        flushed.poisoned += len(poisoned)

    def _standing(self, refused: list[Refusal]) -> list[Refusal]:
        """Without what names people who are being erased."""
        if not (erasing := {project_id for project_id, _erasure in Erasures(self.layout).pending()}):
            return refused
        left: list[Refusal] = []
        for project_id in dict.fromkeys(one.project_id for one in refused):
            own = [one for one in refused if one.project_id == project_id]
            if project_id in erasing:
                own = left_refusals(own, Erasures(self.layout).people(self.appender.manifests.latest(project_id)))
            left += own
        return left

    def _store(self, project_id: str, epoch: int, both: _Range, table: pa.Table, flushed: Flushed) -> None:
        standing = self.appender.standing(project_id, table)
        if erased := table.num_rows - standing.num_rows:
            flushed.erased += erased
            self.counters.add("events_erased", amount=erased)
            table = standing
        distinct = self.appender.distinct(project_id, table)
        edges = edges_of(distinct)
        if edges.num_rows:
            IdentityEdges(self.layout, self.appender.manifests).add_table(project_id, edges)
        files = self.appender.write(project_id, distinct, f"j{epoch}-{both.first}-{both.last}")
        live = {str(known) for known, _directory in journals(self.layout.journal)}
        live |= {str(one.epoch) for one in held_files(self.layout, project_id)}
        repeats = repeats_by_day(table, distinct)
        self.appender.publish(project_id, files, absorbed={str(epoch): both.last}, live=live, repeats=repeats)
        flushed.events += distinct.num_rows
        flushed.duplicates += table.num_rows - distinct.num_rows
        self.counters.add("flush_events", amount=distinct.num_rows)
        self.counters.add("flush_duplicates", amount=table.num_rows - distinct.num_rows)

    def _note_damage(self, damage: Damage, flushed: Flushed) -> None:
        """Bytes that are no record are kept for a person to look at before their segment goes, up to a bound."""
        folder = self.layout.journal / "damaged"
        kept = [path.stat().st_size for path in folder.iterdir()] if damage.damaged and folder.is_dir() else []
        files, size = len(kept), sum(kept)
        for path, offset, data in damage.damaged:
            if files < DAMAGED_FILES_MAX and size + len(data) <= DAMAGED_BYTES_MAX:
                write_private(folder / f"{path.parent.name}-{path.stem}-{offset}.bad", data)
                files, size = files + 1, size + len(data)
        flushed.damage.torn_tails += damage.torn_tails
        flushed.damage.damaged += damage.damaged
        if damage.torn_tails:
            self.counters.add("journal_torn_tails", amount=damage.torn_tails)
        if damage.damaged:
            self.counters.add("journal_damaged_records", amount=len(damage.damaged))


def _by_project(table: pa.Table) -> Iterator[tuple[str, pa.Table]]:
    """The rows of each project; they lie together already."""
    projects = table.column("project_id").combine_chunks().dictionary_encode()
    codes = projects.indices.to_numpy()
    starts = np.searchsorted(codes, np.arange(len(projects.dictionary) + 1))
    for project_id, start, end in zip(projects.dictionary.to_pylist(), starts, starts[1:], strict=False):
        yield project_id, table.slice(start, end - start)


def _by_receipt(tables: list[pa.Table]) -> pa.Table:
    """All rows by time of receipt; rows received at once keep their order."""
    table = pa.concat_tables(tables).combine_chunks()
    received = time_us(table, "received_at")
    is_sorted = (np.diff(received) >= 0).all()
    return table if is_sorted else table.take(pa.array(np.argsort(received, kind="stable")))


def _report(flushed: Flushed) -> None:
    if flushed.events or flushed.duplicates:
        log.info("flushed segments=%d events=%d duplicates=%d", flushed.segments, flushed.events, flushed.duplicates)
    if flushed.damage.torn_tails or flushed.damage.damaged:
        log.warning("journal torn_tails=%d damaged=%d", flushed.damage.torn_tails, len(flushed.damage.damaged))


def _groups(segments: list[Segment]) -> Iterator[list[Segment]]:
    """Neighbouring segments together up to a bounded size, so that many small ones do not make many small parts."""
    group: list[Segment] = []
    size = 0
    for segment in segments:
        bytes_ = segment.path.stat().st_size
        if group and size + bytes_ > GROUP_BYTES_MAX:
            yield group
            group, size = [], 0
        group.append(segment)
        size += bytes_
    if group:
        yield group

"""Flush: sealed journal segments become Parquet parts; only then are they retired. Safe to kill at any instruction."""

import logging
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa

from iafa.durable import remove_empty_dir, unlink, write_private
from iafa.errors import DataDamaged
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.format import ACKED_NAME, LOCK_NAME, Kind, Record
from iafa.journal.reader import Damage, Segment, journals, read_segment, sealed_segments
from iafa.lake.append import LakeAppender
from iafa.lake.dropped import is_dropped
from iafa.lake.layout import Layout
from iafa.lake.parts import time_us, to_table
from iafa.lake.snapshot import arrivals
from iafa.locks import held

log = logging.getLogger("iafa.flush")
GROUP_BYTES_MAX = 64 * 1024 * 1024


@dataclass
class Flushed:
    """What one run did."""

    segments: int = 0
    events: int = 0
    duplicates: int = 0
    of_deleted_projects: int = 0
    stuck_projects: set[str] = field(default_factory=set)
    damage: Damage = field(default_factory=Damage)


@dataclass(frozen=True)
class Flusher:
    """The one flusher of a data directory; a second one finds the lock held and does nothing."""

    layout: Layout
    appender: LakeAppender
    hit: Hit = no_failpoints

    def run(self) -> Flushed:
        """Absorb every sealed segment of every journal."""
        flushed = Flushed()
        with held(self.layout.writer_lock, wait_s=0) as is_ours:
            if not is_ours:
                return flushed
            for epoch, directory in journals(self.layout.journal):
                sealed, is_dead = sealed_segments(epoch, directory)
                for group in _groups(sealed):
                    self._absorb(group, flushed)
                if is_dead:
                    for name in (ACKED_NAME, LOCK_NAME):
                        unlink(directory / name)
                    remove_empty_dir(directory)
        _report(flushed)
        return flushed

    def _absorb(self, group: list[Segment], flushed: Flushed) -> None:
        by_project: dict[str, list[Record]] = defaultdict(list)
        for segment in group:
            for record in read_segment(segment, flushed.damage):
                if record.k == Kind.EVENTS:
                    by_project[record.p].append(record)
        for project_id, records in by_project.items():
            try:
                self._absorb_project(project_id, group[0].epoch, records, flushed)
            except DataDamaged as error:
                # One project's trouble stops no other one; its own events stay in the journal until it is mended.
                log.error("project=%s cannot be flushed: %s", project_id, error.detail)
                flushed.stuck_projects.add(project_id)
        if flushed.stuck_projects & by_project.keys():
            return
        self._keep_damaged(flushed.damage)
        self.hit("journal.before_unlink")
        for segment in group:
            unlink(segment.path)
            self.hit("journal.unlinked")
        flushed.segments += len(group)

    def _keep_damaged(self, damage: Damage) -> None:
        """Bytes that are no record are kept for a person to look at before their segment goes."""
        for path, offset, data in damage.damaged:
            name = f"{path.parent.name}-{path.stem}-{offset}.bad"
            write_private(self.layout.journal / "damaged" / name, data)

    def _absorb_project(self, project_id: str, epoch: int, records: list[Record], flushed: Flushed) -> None:
        if is_dropped(self.layout, project_id):
            flushed.of_deleted_projects += sum(len(record.e) for record in records)
            return
        manifest = self.appender.manifests.latest(project_id)
        fresh = [record for record in records if not manifest.absorbs(epoch, record.q)]
        if not fresh:
            return
        table = to_table(arrivals(fresh))
        table = table.take(pa.array(np.argsort(time_us(table, "received_at"), kind="stable")))
        distinct = self.appender.distinct(project_id, table)
        files = self.appender.write(project_id, distinct, f"j{epoch}-{fresh[0].q}-{fresh[-1].q}")
        live = {str(known) for known, _directory in journals(self.layout.journal)}
        self.appender.publish(project_id, files, absorbed={str(epoch): fresh[-1].q}, live=live)
        flushed.events += distinct.num_rows
        flushed.duplicates += table.num_rows - distinct.num_rows


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

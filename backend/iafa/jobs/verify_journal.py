"""Verifying the journals: every sealed record's checksum, the acknowledged position, the number of the last start."""

from dataclasses import dataclass, replace
from pathlib import Path

from iafa.errors import DataDamaged
from iafa.jobs.findings import Kind, Report
from iafa.journal.acked import Position, read_published
from iafa.journal.epoch import EPOCH_NAME, highest_journal, read_epoch
from iafa.journal.format import ACKED_NAME, LOCK_NAME, decode_lines
from iafa.journal.reader import Segment, journals, segments
from iafa.journal.writer import births_lock
from iafa.lake.held import held_files, held_projects
from iafa.lake.layout import Layout
from iafa.locks import held, is_taken


@dataclass(frozen=True)
class JournalVerifier:
    layout: Layout
    report: Report

    def verify(self) -> None:
        root = self.layout.journal
        self._epoch(root)
        for epoch, directory in journals(root):
            self.report.count("journals")
            self._journal(epoch, directory)
        self._held()
        for path in sorted(root.glob("damaged/*")):
            self.report.add(Kind.JOURNAL_KEPT, path, f"{path.stat().st_size:,} bytes that were no record")

    def _epoch(self, root: Path) -> None:
        path, highest = root / EPOCH_NAME, highest_journal(root)
        try:
            epoch = read_epoch(root)
        except DataDamaged as error:
            self.report.add(Kind.EPOCH_DAMAGED, path, error.detail)
            return
        if epoch is None and (highest or path.exists()):
            self.report.add(Kind.EPOCH_DAMAGED, path, "is not what was written" if path.exists() else "is missing")
        elif epoch is not None and epoch < highest:
            self.report.add(Kind.EPOCH_DAMAGED, path, f"says {epoch}, but there is a journal {highest}")

    def _journal(self, epoch: int, directory: Path) -> None:
        with held(births_lock(self.layout.journal)):
            is_alive = is_taken(directory / LOCK_NAME)
        published, found = read_published(directory), segments(epoch, directory)
        acked = None if published is None else published.acked
        if acked is None and found and (is_alive or (directory / ACKED_NAME).exists()):
            self.report.add(Kind.JOURNAL_POSITION, directory / ACKED_NAME, "is not what was written")
        if acked is not None and is_alive and acked.segment and all(one.number != acked.segment for one in found):
            self.report.add(Kind.JOURNAL_CUT, directory, f"the segment {acked.segment} that is written now is missing")
        for segment in found:
            end = None if published is None else published.end_of(segment.number)
            self._segment(replace(segment, end=end), acked, is_last=segment == found[-1], is_alive=is_alive)

    def _held(self) -> None:
        """Records that wait for their project's manifest: acknowledged like all others, and nowhere else."""
        for project_id in held_projects(self.layout):
            for one in held_files(self.layout, project_id):
                try:
                    records, damaged = one.read()
                except FileNotFoundError:  # absorbed meanwhile
                    continue
                self.report.count("held_records", len(records))
                if damaged:
                    what = f"{len(damaged)} damaged records, the first at byte {damaged[0][1]:,}"
                    self.report.add(Kind.JOURNAL_DAMAGED, one.path, what)
                elif not records or records[-1].q != one.last:
                    self.report.add(Kind.JOURNAL_CUT, one.path, f"ends before the record {one.last}")

    def _segment(self, segment: Segment, acked: Position | None, *, is_last: bool, is_alive: bool) -> None:
        try:
            data = segment.path.read_bytes()[: segment.end]
        except FileNotFoundError:  # flushed meanwhile
            return
        self.report.count("journal_segments")
        promised = None if acked is None or acked.segment != segment.number else acked.offset
        if promised is not None and len(data) < promised:
            what = f"has {len(data):,} bytes, {promised:,} are acknowledged"
            self.report.add(Kind.JOURNAL_CUT, segment.path, what)
            promised = 0  # what is left of the last record is a consequence, not another damage
        if is_alive and (acked is None or segment.number >= acked.segment):
            data = data[: promised or 0]  # behind it a write may be going on
        self._records(segment, data, promised if is_last else len(data))

    def _records(self, segment: Segment, data: bytes, promised: int | None) -> None:
        start, damaged, first = 0, 0, -1
        try:
            for record, end in decode_lines(data):
                if record is not None:
                    self.report.count("journal_records")
                elif end == start and (promised is None or start >= promised):
                    self.report.add(Kind.JOURNAL_TORN, segment.path, f"ends in {len(data) - start:,} torn bytes")
                else:
                    damaged, first = damaged + 1, start if first < 0 else first
                start = end
        except ValueError as error:
            self.report.add(Kind.JOURNAL_DAMAGED, segment.path, str(error))
        if damaged:
            what = f"{damaged} damaged records, the first at byte {first:,}"
            self.report.add(Kind.JOURNAL_DAMAGED, segment.path, what)

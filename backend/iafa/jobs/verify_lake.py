"""Verifying the lake of a project: its manifests, every listed file, and the files that no manifest lists."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.clock import Clock
from iafa.errors import DataDamaged, StorageUnavailable
from iafa.jobs.findings import Kind, Report
from iafa.jobs.verify_files import (
    COMPARED_IDS_MAX,
    ReadFile,
    read_completely,
    repeated_hashes,
    repeats_within,
    why_unreadable,
)
from iafa.jobs.verify_identity import damaged_identities
from iafa.lake.held import held_files
from iafa.lake.id_files import Hashes
from iafa.lake.identity import IdentityEdges
from iafa.lake.ids import StoredIds, id_hashes
from iafa.lake.layout import Layout, manifest_name
from iafa.lake.manifest import LakeFile, Manifest, Manifests, RollupFile, read_manifest
from iafa.lake.parts import Mask, time_us
from iafa.lake.rollups import ROLLUP_SCHEMA
from iafa.lake.snapshot import Snapshots
from iafa.lake.soundness import difference_of
from iafa.locks import held

WRITER_WAIT_S = 5.0


@dataclass
class LakeVerifier:
    """Reads one project after the other; holds the writer lock only for a moment to look for unlisted files."""

    layout: Layout
    manifests: Manifests
    clock: Clock
    dedup_window_us: int
    report: Report

    def verify(self, project_id: str) -> None:
        self.report.count("projects")
        manifest = self._newest(project_id)
        if manifest is None:
            return
        hashes = self._listed_files(project_id, manifest)
        self._repeats(project_id, hashes)
        self._unlisted(project_id)
        self._rollups(project_id, manifest)
        self._identities(project_id, manifest)
        self._trash(manifest)

    def _newest(self, project_id: str) -> Manifest | None:
        """The newest generation; the others are only looked at."""
        newest = None
        generations = self.manifests.generations(project_id)
        for generation in generations:
            path = self.layout.manifests(project_id) / manifest_name(generation)
            is_newest = generation == generations[-1]
            try:
                found = read_manifest(path)
            except FileNotFoundError:  # an old one, cleaned up meanwhile
                continue
            except DataDamaged as error:
                kind = Kind.MANIFEST_DAMAGED if is_newest else Kind.MANIFEST_OLD_DAMAGED
                self.report.add(kind, path, error.detail, project_id=project_id, generation=generation)
                continue
            self.report.count("manifests")
            if what := why_not_of_place(self.layout, found, project_id, generation):
                kind = Kind.MANIFEST_DAMAGED if is_newest else Kind.MANIFEST_OLD_DAMAGED
                self.report.add(kind, path, what, project_id=project_id, generation=generation)
            elif is_newest:
                newest = found
        if not generations:
            newest = Manifest(project_id=project_id)
        return newest

    def _listed_files(self, project_id: str, manifest: Manifest) -> dict[str, tuple[LakeFile, Hashes]]:
        directory = self.layout.project(project_id)
        hashes = {}
        for file in manifest.files:
            read = self._read(directory, file, project_id)
            if read is None:
                continue
            self.report.count("files")
            self.report.count("rows", file.rows)
            self.report.count("bytes", file.bytes)
            if read.wrong:
                what = f"{read.wrong} ({file.rows:,} events of {file.date})"
                self.report.add(Kind.FILE_DAMAGED, directory / file.path, what, project_id=project_id, file=file)
            else:
                hashes[file.path] = (file, read.hashes)
        return hashes

    def _read(self, directory: Path, file: LakeFile, project_id: str) -> ReadFile | None:
        """None when the file is gone; that is no problem when it has left the manifest meanwhile."""
        try:
            return read_completely(directory / file.path, file, project_id)
        except FileNotFoundError:
            if any(listed.path == file.path for listed in self.manifests.latest(project_id).files):
                what = f"is missing ({file.rows:,} events of {file.date})"
                self.report.add(Kind.FILE_MISSING, directory / file.path, what, project_id=project_id, file=file)
            return None

    def _repeats(self, project_id: str, hashes: dict[str, tuple[LakeFile, Hashes]]) -> None:
        """Ids distinct in each file, and over all of them within the dedup window."""
        distinct = {path: pair for path, pair in hashes.items() if pair[0].is_distinct}
        if sum(len(found) for _file, found in distinct.values()) > COMPARED_IDS_MAX:
            groups = [[pair] for pair in distinct.values()]  # too many to hold: each file by itself
        else:
            groups = [list(distinct.values())]
        directory = self.layout.project(project_id)
        for group in groups:
            suspects = repeated_hashes(found for _file, found in group)
            if not len(suspects):
                continue
            files = [file for file, found in group if np.isin(suspects, found).any()]
            try:
                repeats = repeats_within(directory, files, suspects, self.dedup_window_us)
            except (OSError, pa.ArrowException):  # merged away meanwhile: the next run looks again
                continue
            if repeats:
                what = f"{len(repeats):,} ids occur more than once, for example {sorted(repeats)[0]!r}"
                self.report.add(Kind.IDS_REPEATED, directory, what, project_id=project_id)

    def _unlisted(self, project_id: str) -> None:
        """Without a writer at work an unlisted file is nobody's."""
        with held(self.layout.writer_lock, wait_s=WRITER_WAIT_S) as is_ours:
            if not is_ours:
                what = "a writer was at work all the time"
                self.report.add(Kind.UNLISTED_UNKNOWN, self.layout.project(project_id), what, project_id=project_id)
                return
            paths = unlisted_files(self.layout, self.manifests, project_id)
        for path in paths:
            self._look_at_unlisted(project_id, path)

    def _look_at_unlisted(self, project_id: str, path: Path) -> None:
        try:
            fresh, rows = fresh_rows(self.layout, self.manifests, project_id, path, self.dedup_window_us)
        except FileNotFoundError:
            return
        except (OSError, pa.ArrowException, ValueError, KeyError) as error:
            what = f"is in no manifest and cannot be read ({type(error).__name__})"
            self.report.add(Kind.FILE_UNLISTED, path, what, project_id=project_id)
            return
        waiting = set(self._waiting_ids(project_id)) if fresh else set()
        lost = [one for one in fresh if one not in waiting]
        if lost:
            what = f"is in no manifest and holds {len(lost):,} of {rows:,} events that are nowhere else"
            self.report.add(Kind.FILE_UNLISTED, path, what, project_id=project_id)
        else:
            self.report.add(Kind.FILE_LEFT_OVER, path, "is in no manifest", project_id=project_id)

    def _waiting_ids(self, project_id: str) -> list[str]:
        """Of acknowledged events that are in no file yet; while records are held, those of these alone."""
        snapshots = Snapshots(self.layout, self.manifests, dedup_window_us=self.dedup_window_us)
        try:
            found: list[str] = snapshots.take(project_id).tail.column("id").to_pylist()
        except StorageUnavailable:
            held_records = [record for one in held_files(self.layout, project_id) for record in one.read()[0]]
            found = [event.id for record in held_records for event in record.e]
        return found

    def _trash(self, manifest: Manifest) -> None:
        limit_us = self.clock.now_us() - 6 * self.manifests.grace_us
        for gone in manifest.trash:
            path = self.layout.lake_file(manifest.project_id, gone.path)
            if gone.unlink_after_us < limit_us and path.exists():
                what = "left the manifest and its time is over"
                self.report.add(Kind.TRASH_OVERDUE, path, what, project_id=manifest.project_id)

    def _rollups(self, project_id: str, manifest: Manifest) -> None:
        for file in manifest.rollups:
            path = self.layout.lake_file(project_id, file.path)
            days = f"daily counts of {file.first_date} to {file.last_date}"
            try:
                wrong = why_not_rollup(path, file)
            except FileNotFoundError:
                if file in self.manifests.latest(project_id).rollups:
                    self.report.add(Kind.ROLLUP_MISSING, path, f"is missing ({days})", project_id=project_id)
                continue
            self.report.count("rollups")
            if wrong:
                self.report.add(Kind.ROLLUP_DAMAGED, path, f"{wrong} ({days})", project_id=project_id)
        with held(self.layout.writer_lock, wait_s=WRITER_WAIT_S) as is_ours:
            paths = unlisted_rollups(self.layout, self.manifests, project_id) if is_ours else []
        for path in paths:
            self.report.add(Kind.ROLLUP_LEFT_OVER, path, "is in no manifest", project_id=project_id)

    def _identities(self, project_id: str, manifest: Manifest) -> None:
        self.report.count("identity_files", len(manifest.identity))
        for path, wrong in damaged_identities(IdentityEdges(self.layout, self.manifests), project_id, manifest):
            name = path.relative_to(self.layout.project(project_id)).as_posix()
            if name in self.manifests.latest(project_id).identity:
                self.report.add(Kind.IDENTITY_DAMAGED, path, f"{wrong} (who is who)", project_id=project_id)


def why_not_of_place(layout: Layout, manifest: Manifest, project_id: str, generation: int) -> str:
    """Why a readable generation is not the one of its place, or names what it must not; empty if all is well."""
    if (manifest.project_id, manifest.generation) != (project_id, generation):
        return f"says that it is generation {manifest.generation} of {manifest.project_id}"
    try:
        for path in [file.path for file in manifest.listed] + [gone.path for gone in manifest.trash]:
            layout.lake_file(project_id, path)
    except DataDamaged as error:
        return error.detail
    return ""


def why_not_rollup(path: Path, file: RollupFile) -> str:
    """How a listed roll-up differs from what was written; empty when it does not. Raises FileNotFoundError."""
    if wrong := difference_of(path, file) or why_unreadable(path, ROLLUP_SCHEMA):
        return wrong
    days = pq.read_table(path, columns=["date"], partitioning=None).column("date")
    if len(days) != file.rows:
        return f"has {len(days):,} rows, the manifest says {file.rows:,}"
    bounds = pc.min_max(days).as_py()
    if (str(bounds["min"]), str(bounds["max"])) != (file.first_date, file.last_date):
        return "holds other days than the manifest says"
    return ""


def unlisted_rollups(layout: Layout, manifests: Manifests, project_id: str) -> list[Path]:
    """Roll-ups in neither list of the newest manifest, for the holder of the writer lock."""
    manifest = manifests.latest(project_id)
    named = {file.path for file in manifest.rollups} | {gone.path for gone in manifest.trash}
    folder = layout.project_rollups(project_id)
    found = folder.glob("[0-9]*/[0-9]*/*.parquet")
    return sorted(path for path in found if f"rollups/{path.relative_to(folder).as_posix()}" not in named)


def unlisted_files(layout: Layout, manifests: Manifests, project_id: str) -> list[Path]:
    """Event files in neither list of the newest manifest. Only the holder of the writer lock gets a stable answer."""
    directory = layout.project(project_id)
    manifest = manifests.latest(project_id)
    named = {file.path for file in manifest.files} | {gone.path for gone in manifest.trash}
    found = directory.glob("[0-9]*/[0-9]*/*.parquet")
    return sorted(path for path in found if path.relative_to(directory).as_posix() not in named)


def fresh_rows(
    layout: Layout, manifests: Manifests, project_id: str, path: Path, window_us: int
) -> tuple[list[str], int]:
    """(ids of the file that are in no listed file received within the dedup window of it, all its rows)."""
    table = pq.read_table(path, columns=["id", "received_at"], page_checksum_verification=True, partitioning=None)
    ids, received = table.column("id"), time_us(table, "received_at")
    if not len(ids):
        return [], 0
    first_us, last_us = int(received.min()) - window_us, int(received.max()) + window_us
    files = [
        file
        for file in manifests.latest(project_id).files
        if file.last_received_us >= first_us and file.first_received_us <= last_us
    ]
    stored: Mask = StoredIds(layout).mask(project_id, files, ids, id_hashes(ids))
    fresh: list[str] = ids.filter(pa.array(~stored)).to_pylist()
    return fresh, len(ids)

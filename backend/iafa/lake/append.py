"""Adding rows to the lake: made distinct by event id, written as parts, published in one manifest generation.

Whoever calls holds the writer lock of the data directory: this is the one point where ids become distinct.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import msgspec
import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_DAY
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.erasure import Erasures
from iafa.lake.ids import StoredIds, first_copies, id_hashes
from iafa.lake.layout import Layout, part_path
from iafa.lake.manifest import LakeFile, Manifest, Manifests, added_days, with_files
from iafa.lake.parts import PartWriter, split_by_day, time_us

ID_HASH = "id_hash"  # rides along from `distinct` to `write`; never stored in Parquet
_EPOCH = date(1970, 1, 1)
MakeRoom = Callable[[str, Sequence[LakeFile]], None]


def no_room_needed(_project_id: str, _added: Sequence[LakeFile]) -> None:
    """For tests that want many parts."""


@dataclass
class LakeAppender:
    """Appends tables to projects. One instance may be kept for long: it caches the ids of stored files."""

    layout: Layout
    manifests: Manifests
    dedup_window_us: int
    hit: Hit = no_failpoints
    make_room: MakeRoom = no_room_needed  # called before files are published
    stored_ids: StoredIds = field(init=False)

    def __post_init__(self) -> None:
        self.stored_ids = StoredIds(self.layout, keeps=True)

    def standing(self, project_id: str, table: pa.Table) -> pa.Table:
        """Without what people sent who have been erased since: it was on its way when they were."""
        return Erasures(self.layout).people(self.manifests.latest(project_id)).without(table)

    def distinct(self, project_id: str, table: pa.Table, *, same_days_too: bool = False) -> pa.Table:
        """The rows whose id is neither in an earlier row nor in the lake's files of the dedup window, ready to write.

        With `same_days_too` also files of the rows' own days are looked at, however old: a repeated upload.
        """
        ids, manifest = table.column("id"), self.manifests.latest(project_id)
        hashes = id_hashes(ids)
        fresh = first_copies(hashes, ids)
        files = files_in_window(manifest, table, self.dedup_window_us, same_days_too=same_days_too)
        fresh &= ~self.stored_ids.mask(project_id, files, ids, hashes)
        table = table.append_column(ID_HASH, pa.array(hashes))
        return table if fresh.all() else table.filter(pa.array(fresh))

    def write(self, project_id: str, table: pa.Table, segment: str) -> list[LakeFile]:
        """Write the rows as one part per day, not yet visible."""
        if ID_HASH not in table.column_names:
            table = table.append_column(ID_HASH, pa.array(id_hashes(table.column("id"))))
        days = split_by_day(table)
        parts = [(part_path(day, segment), rows.drop_columns([ID_HASH])) for day, rows in days]
        files = PartWriter(self.layout, self.hit).write_parts(project_id, parts)
        for file, (_day, rows) in zip(files, days, strict=True):
            self.stored_ids.add(project_id, file, rows.column(ID_HASH).to_numpy())
        return files

    def publish(
        self,
        project_id: str,
        files: Iterable[LakeFile],
        *,
        absorbed: Mapping[str, int] | None = None,
        live: set[str] | None = None,
        repeats: Mapping[str, int] | None = None,
    ) -> Manifest:
        """Make written files visible. `absorbed` are journal watermarks; epochs not in `live` are forgotten.

        `repeats` are the events that `distinct` left out, by day: counted in the same generation, so once.
        """
        added = tuple(files)

        def change(base: Manifest) -> Manifest:
            marks = {epoch: mark for epoch, mark in base.absorbed.items() if live is None or epoch in live}
            return msgspec.structs.replace(
                with_files(base, added),
                absorbed=marks | dict(absorbed or {}),
                repeats=added_days(base.repeats, repeats or {}),
            )

        self.make_room(project_id, added)
        self.hit("flush.before_manifest")
        manifest = self.manifests.commit(project_id, change)
        self.stored_ids.sweep(manifest, self.dedup_window_us)
        return manifest


def repeats_by_day(before: pa.Table, after: pa.Table) -> dict[str, int]:
    """How many rows of each UTC day are in the first table and not in the second, which is a part of it."""
    if before.num_rows == after.num_rows:
        return {}
    counts: Counter[int] = Counter()
    for table, sign in ((before, 1), (after, -1)):
        days, found = np.unique(time_us(table, "created_at") // US_PER_DAY, return_counts=True)
        counts.update(dict(zip(days.tolist(), (sign * found).tolist(), strict=True)))
    return {(_EPOCH + timedelta(days=day)).isoformat(): count for day, count in sorted(counts.items()) if count}


def files_in_window(
    manifest: Manifest, table: pa.Table, window_us: int, *, same_days_too: bool = False
) -> list[LakeFile]:
    """Files that may hold an id of the rows: received within the window, or (on request) of the same days."""
    if not table.num_rows:
        return []
    since = int(time_us(table, "received_at").min()) - window_us
    days = set(np.unique(time_us(table, "created_at") // US_PER_DAY).tolist()) if same_days_too else set()
    return [
        file for file in manifest.files if file.last_received_us >= since or file.first_created_us // US_PER_DAY in days
    ]

"""A data directory with a journal, a flusher, a compactor and snapshots, all real, on a fake clock."""

from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import duckdb

from iafa.clock import US_PER_DAY, FakeClock
from iafa.event import Event
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.compact import Compactor
from iafa.jobs.flush import Flusher
from iafa.jobs.merge import Merger
from iafa.jobs.retention import Retention
from iafa.jobs.retention_plan import Policy
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.append import LakeAppender
from iafa.lake.epochs import highest_epoch
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.quarantine import Quarantine
from iafa.lake.quarantine_rows import QuarantineRows, Row, Wanted
from iafa.lake.snapshot import Snapshot, Snapshots
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT, encode

WINDOW_US = 7 * US_PER_DAY


@dataclass
class TestLake:
    """`open_journal` may be called several times: each is another process start."""

    __test__ = False

    root: Path
    hit: Hit = no_failpoints
    limits: JournalLimits = field(default_factory=JournalLimits)
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON_US))

    def __post_init__(self) -> None:
        self.layout = Layout(self.root)
        self.manifests = Manifests(self.layout, self.clock, grace_s=600, hit=self.hit)
        merger = Merger(memory_mb=128, dedup_window_us=WINDOW_US, hit=self.hit)
        self.compactor = Compactor(self.layout, self.manifests, self.clock, merger=merger, hit=self.hit)
        self.appender = LakeAppender(
            self.layout, self.manifests, WINDOW_US, self.hit, make_room=self.compactor.make_room
        )
        self.counters = Counters()
        self.quarantine = Quarantine(self.layout, hit=self.hit, counters=self.counters)
        self.flusher = Flusher(self.layout, self.appender, self.quarantine, self.hit, self.counters)
        self.snapshots = Snapshots(self.layout, self.manifests, dedup_window_us=WINDOW_US)

    def retention(
        self, days: int | None = 30, aggregate_days: int | None = None, *, archive: Path | None = None
    ) -> Retention:
        """With one policy for every project that has files."""
        policy = Policy(days, aggregate_days)
        return Retention(
            self.layout,
            self.manifests,
            self.clock,
            lambda: dict.fromkeys(self.layout.project_ids(), policy),
            WINDOW_US,
            archive_dir=archive,
            hit=self.hit,
        )

    def open_journal(self) -> JournalWriter:
        known_epoch = partial(highest_epoch, self.layout, self.manifests)
        return JournalWriter(self.layout.journal, self.clock, self.limits, hit=self.hit, known_epoch=known_epoch)

    def write(self, events: list[Event], *, project_id: str = PROJECT) -> None:
        """One process start that writes one request and is gone."""
        journal = self.open_journal()
        journal.append_blocking(project_id, self.clock.now_us(), encode(events), len(events))
        journal.close()

    def take(self, project_id: str = PROJECT) -> Snapshot:
        return self.snapshots.take(project_id)


def rows(snapshot: Snapshot, columns: str = "id") -> list[tuple[object, ...]]:
    """All rows of a snapshot, as any reader of the files would see them."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False})
    connection.execute("set TimeZone='UTC'")
    connection.register("tail", snapshot.tail)
    files = "union all by name select * from read_parquet($files)" if snapshot.files else ""
    query = f"select {columns} from (select * from tail {files}) order by all"
    parameters = {"files": [str(path) for path in snapshot.files]} if snapshot.files else {}
    with connection:
        return connection.execute(query, parameters).fetchall()


def read_rejected(layout: Layout, project_id: str, limit: int) -> list[Row]:
    """The newest rows of the quarantine."""
    return QuarantineRows(layout).page(project_id, Wanted(), None, limit)


def ids(snapshot: Snapshot) -> list[str]:
    return [str(row[0]) for row in rows(snapshot)]

"""The quarantine: refused events with their reason, in small Parquet files by project and day of receipt, for a while.

Bounded in rows a project and day, and in days. The files of a day that is over become one.
"""

import logging
import os
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import xxhash

from iafa.clock import Clock, to_datetime
from iafa.durable import make_dirs, publish_synced, remove_empty_dir, remove_tree, unlink, write_temporary
from iafa.event import TIME_MAX_US, Rejected
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.drop_counts import DropCounts
from iafa.lake.dropped import is_dropped
from iafa.lake.layout import Layout, drop_counts_path, project_ids_in, rejected_path
from iafa.lake.schema import TIME_TYPE
from iafa.metrics import Counters

log = logging.getLogger("iafa.quarantine")
ROWS_MAX = 10_000
KEPT_DAYS = 30
COUNTED_DAYS_MAX = 10_000
READ_TRIES = 3
ROW_GROUP = 1_000  # so that a reader need not hold the texts of a whole day
DAMAGED = "damaged"  # in the name of a day's file that could not be read when it was replaced
TOLD_MAX = 1_000
SOURCES = b"iafa.sources"  # in a day's file: the segments whose rows it holds

REJECTED_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string()),
        pa.field("received_at", TIME_TYPE, nullable=False),
        pa.field("code", pa.string(), nullable=False),
        pa.field("pointer", pa.string(), nullable=False),
        pa.field("message", pa.string(), nullable=False),
        pa.field("event_id", pa.string()),
        pa.field("event_type", pa.string()),
        pa.field("body", pa.string(), nullable=False),
        pa.field("source", pa.string()),
        pa.field("sender", pa.string()),
        pa.field("replayed_at", TIME_TYPE),
    ]
)


class Refusal(msgspec.Struct, frozen=True):
    """A refused event of a project and when it came."""

    project_id: str
    received_at: int
    rejected: Rejected


@dataclass
class Quarantine:
    """Written by the holder of the writer lock only."""

    layout: Layout
    rows_max: int = ROWS_MAX
    hit: Hit = no_failpoints
    counters: Counters = field(default_factory=Counters)
    _rows: dict[tuple[str, date], int] = field(default_factory=dict)

    def keep(self, segment: str, refusals: Iterable[Refusal]) -> None:
        """Store what one sealed segment refused. A second call for the same segment changes nothing."""
        by_day: dict[tuple[str, date], list[Refusal]] = defaultdict(list)
        for refusal in refusals:
            by_day[refusal.project_id, _day(refusal.received_at)].append(refusal)
        for (project_id, day), rows in by_day.items():
            if not is_dropped(self.layout, project_id):
                self._keep_day(project_id, day, segment, rows)

    def _keep_day(self, project_id: str, day: date, segment: str, rows: list[Refusal]) -> None:
        folder = self.layout.quarantine(project_id)
        if segment in _segments(folder, day):
            return
        room = max(0, self.rows_max - self._rows_of(project_id, day))
        if room < len(rows):  # another process may have deleted some since they were counted
            self._rows.pop((project_id, day), None)
            room = max(0, self.rows_max - self._rows_of(project_id, day))
        kept = rows[:room]
        if kept:
            self._write(folder, rejected_path(day, segment), _table(segment, kept))
            self._rows[project_id, day] += len(kept)
        for code, count in Counter(one.rejected.code for one in kept).items():
            self.counters.add("events_quarantined", code, count)
        if len(rows) > len(kept):
            self.counters.add("quarantine_dropped", amount=len(rows) - len(kept))
        self.hit("quarantine.appended")

    def _rows_of(self, project_id: str, day: date) -> int:
        known = self._rows.get((project_id, day))
        if known is None:
            if len(self._rows) >= COUNTED_DAYS_MAX:
                self._rows.clear()
            known = sum(_row_count(path) for path in _files_of_day(self.layout.quarantine(project_id), day))
            self._rows[project_id, day] = known
        return known

    def _write(self, folder: Path, path: str, table: pa.Table) -> None:
        make_dirs(self.layout.tmp)
        temporary = self.layout.tmp / f"{folder.name}.{path.replace('/', '_')}"
        sink = pa.BufferOutputStream()
        options = {"compression": "zstd", "compression_level": 1, "write_page_checksum": True}
        pq.write_table(table, sink, row_group_size=ROW_GROUP, **options)
        write_temporary(temporary, sink.getvalue(), area="quarantine", hit=self.hit)
        publish_synced([(temporary, folder / path)], area="quarantine", hit=self.hit)

    def sweep(self, clock: Clock) -> None:
        """Remove days that are too old and deleted projects; merge days that are over. Under the writer lock."""
        today = _day(clock.now_us())
        for project_id in project_ids_in(self.layout.quarantines):
            folder = self.layout.quarantine(project_id)
            if is_dropped(self.layout, project_id):
                remove_tree(folder)
                continue
            for day in {*days_of(folder), *DropCounts(self.layout).by_day(project_id)}:
                if day < today - timedelta(days=KEPT_DAYS):
                    self._forget(folder, day)
                elif day < today:
                    self._merge(folder, day)

    def _forget(self, folder: Path, day: date) -> None:
        for path in (*_files_of_day(folder, day), folder / drop_counts_path(day)):
            unlink(path)
        for parent in (folder / rejected_path(day)).parents[:2]:
            remove_empty_dir(parent)

    def _merge(self, folder: Path, day: date) -> None:
        """One file instead of many. Killed in between, the small ones are known by name to be in it already."""
        if all(path == folder / rejected_path(day) for path in _files_of_day(folder, day)):
            return
        try:
            table = _day_table(folder, day)
        except (OSError, pa.ArrowException) as error:
            log.error("quarantine of %s stays in parts: %s", day, error)
        else:
            self._replace_day(folder, day, table)

    def amend(
        self,
        project_id: str,
        day: date,
        change: Callable[[pa.Table], pa.Table],
        unread: Callable[[Path], object] = lambda _path: None,
    ) -> int:
        """Replace the rows of a day by what `change` makes of them; how many it left out. Under the writer lock; all
        or nothing. A damaged file stays, for whoever can still read it; `unread` is told where."""
        folder = self.layout.quarantine(project_id)
        tables, damaged = [REJECTED_SCHEMA.empty_table()], set(readable_files(folder, day))
        for path in sorted(damaged):
            with skipping_damage(path):
                tables.append(_read(path))
                damaged.remove(path)
        before = pa.concat_tables(tables)
        after = change(before)
        if after.num_rows != before.num_rows or not after.equals(before):
            damaged = self._replace_day(folder, day, after, damaged)
        for path in damaged:
            unread(path)
        self._rows.pop((project_id, day), None)
        return int(before.num_rows - after.num_rows)

    def _replace_day(self, folder: Path, day: date, table: pa.Table, damaged: Collection[Path] = ()) -> set[Path]:
        """One file that also names the segments of rows that are gone, so that they never come back. Where the damaged
        ones are now."""
        whole = folder / rejected_path(day)
        small = [path for path in _files_of_day(folder, day) if path != whole and path not in damaged]
        sources = ",".join(sorted(_segments(folder, day) - {_segment_of(path) for path in damaged}))
        if whole in damaged:
            aside = whole.with_suffix(f".{DAMAGED}-{os.urandom(4).hex()}.parquet")
            publish_synced([(whole, aside)], area="quarantine")
            damaged = {*damaged, aside} - {whole}
        self._write(folder, rejected_path(day), table.replace_schema_metadata({SOURCES: sources}))
        for path in small:
            unlink(path)
        return set(damaged)


_told: set[Path] = set()


@contextmanager
def skipping_damage(path: Path) -> Iterator[None]:
    """Ends quietly when the file is damaged, which is logged once. One that is gone raises."""
    try:
        yield
    except FileNotFoundError:
        raise
    except (OSError, pa.ArrowException) as error:
        if len(_told) >= TOLD_MAX:
            _told.clear()
        if path not in _told:
            _told.add(path)
            log.error("unreadable file=%s error=%s", path, type(error).__name__)


def _day_table(folder: Path, day: date) -> pa.Table:
    return pa.concat_tables([_read(path) for path in readable_files(folder, day)])


def _table(segment: str, rows: Sequence[Refusal]) -> pa.Table:
    columns: dict[str, list[object]] = {
        name: [_sound(getattr(one.rejected, name)) for one in rows]
        for name in ("code", "pointer", "message", "event_id", "event_type", "body", "source")
    }
    columns["id"] = [f"{segment}-{number}" for number in range(len(rows))]
    columns["received_at"] = [_clamped(one.received_at) for one in rows]
    senders = (one.rejected.sender for one in rows)
    columns["sender"] = [None if one is None else msgspec.json.encode(one).decode() for one in senders]
    columns["replayed_at"] = [None] * len(rows)
    return pa.table(columns, schema=REJECTED_SCHEMA)


def _sound(text: str | None) -> str | None:
    """Text that has a UTF-8 form: a lone surrogate must not stop the quarantine itself."""
    return None if text is None else text.encode(errors="replace").decode()


def _clamped(received_at: int) -> int:
    return min(max(received_at, 0), TIME_MAX_US)


def _day(time_us: int) -> date:
    return to_datetime(_clamped(time_us)).astimezone(UTC).date()


def days_of(folder: Path) -> list[date]:
    dates = {path.name.split(".")[0].removeprefix("rejected_") for path in folder.glob("*/*/rejected_*.parquet")}
    return sorted(datetime.strptime(one, "%Y-%m-%d").replace(tzinfo=UTC).date() for one in dates)


def _files_of_day(folder: Path, day: date) -> list[Path]:
    whole = folder / rejected_path(day)
    return sorted(whole.parent.glob(f"{whole.stem}*.parquet"))


def _sources(folder: Path, day: date) -> set[str]:
    """Segments whose rows are in the day's one file."""
    try:
        metadata = pq.read_metadata(folder / rejected_path(day)).metadata or {}
    except FileNotFoundError:
        return set()
    except (OSError, pa.ArrowException):
        return set()
    return set(filter(None, metadata.get(SOURCES, b"").decode().split(",")))


def _segment_of(path: Path) -> str:
    return path.stem.partition(".")[2]


def _segments(folder: Path, day: date) -> set[str]:
    """Segments whose rows are there already, in whichever file."""
    return _sources(folder, day) | {name for path in _files_of_day(folder, day) if (name := _segment_of(path))}


def readable_files(folder: Path, day: date) -> list[Path]:
    """The files of a day without those that are in its one file already."""
    covered = _sources(folder, day)
    return [path for path in _files_of_day(folder, day) if _segment_of(path) not in covered]


def _row_count(path: Path) -> int:
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return 0


def _read(path: Path) -> pa.Table:
    table = pq.read_table(path, page_checksum_verification=True, partitioning=None)
    return completed(table.replace_schema_metadata(None))


def completed(table: pa.Table) -> pa.Table:
    """In the present schema: what the first version did not write is null, and a row's id is made of the row."""
    missing = [one for one in REJECTED_SCHEMA if one.name not in table.column_names]
    for column in missing:
        table = table.append_column(column, pa.nulls(table.num_rows, column.type))
    if any(one.name == "id" for one in missing):
        ids = pa.array([_content_id(row) for row in table.to_pylist()], pa.string())
        table = table.set_column(table.schema.get_field_index("id"), REJECTED_SCHEMA.field("id"), ids)
    return table.select(REJECTED_SCHEMA.names)


def _content_id(row: Mapping[str, object]) -> str:
    return f"x{xxhash.xxh3_128_hexdigest(repr(sorted(row.items(), key=str)).encode())}"

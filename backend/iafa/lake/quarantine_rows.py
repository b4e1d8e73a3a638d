"""Reading the quarantine: pages, newest first, whole files for a download, rows by their ids, and counts by day."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.clock import US_PER_DAY, to_datetime
from iafa.errors import StorageUnavailable
from iafa.event import COUNTED_ONLY, TIME_MAX_US
from iafa.lake.drop_counts import DropCounts
from iafa.lake.layout import Layout
from iafa.lake.quarantine import (
    KEPT_DAYS,
    READ_TRIES,
    REJECTED_SCHEMA,
    ROWS_MAX,
    completed,
    days_of,
    readable_files,
    skipping_damage,
)

State = Literal["waiting", "replayed", "all"]
Row = dict[str, Any]
BATCH_ROWS = 500
END_US = TIME_MAX_US + 1
_LIGHT = ["id", "received_at", "code", "event_type", "replayed_at"]
_EPOCH = date(1970, 1, 1)
_Found = TypeVar("_Found")


class Wanted(NamedTuple):
    """Which rows: those that meet all that is given. Times are of receipt, [from, to)."""

    reason: str | None = None
    event_type: str | None = None
    from_us: int = 0
    to_us: int = END_US
    state: State = "all"


class Place(NamedTuple):
    """The sort key of a row; pages go down from it."""

    received_at: int
    id: str


class DayCount(NamedTuple):
    """Of one UTC day of receipt and one reason: not stored, of these kept here, and of these replayed."""

    day: date
    reason: str
    dropped: int
    kept: int
    replayed: int

    @property
    def is_complete(self) -> bool | None:
        """Whether each of them is here; None for a reason of which no row is kept."""
        return None if self.reason in COUNTED_ONLY else self.kept >= self.dropped


@dataclass(frozen=True)
class QuarantineRows:
    """Blocking. What is merged or swept under a reading is read again; a damaged file is logged and left out."""

    layout: Layout

    def page(self, project_id: str, wanted: Wanted, after: Place | None, limit: int) -> list[Row]:
        """At most `limit` rows behind the place, newest first, with their texts."""
        return _again(lambda: self._page(self.layout.quarantine(project_id), wanted, after, limit))

    def by_ids(self, project_id: str, ids: Collection[str]) -> list[Row]:
        """Those of the ids that are there, newest first."""
        return _again(lambda: self._by_ids(self.layout.quarantine(project_id), set(ids)))

    def batches(self, project_id: str, wanted: Wanted) -> Iterator[list[Row]]:
        """All rows, day by day from the oldest, some at a time."""
        folder = self.layout.quarantine(project_id)
        for day in _days(folder, wanted):
            yield from self._batches_of_day(folder, day, wanted)

    def days(self, project_id: str, wanted: Wanted) -> list[date]:
        """The days that may have such rows, oldest first."""
        return _days(self.layout.quarantine(project_id), wanted)

    def counts(self, project_id: str) -> list[DayCount]:
        """Newest day first, within it the most frequent reason first."""
        return _again(lambda: self._counts(project_id))

    def is_complete(self, project_id: str, wanted: Wanted) -> bool:
        """Whether all that was refused on the days and for the reason is here."""
        return all(
            one.is_complete is not False
            for one in self.counts(project_id)
            if _is_among(one.day, wanted) and wanted.reason in (None, one.reason)
        )

    def _page(self, folder: Path, wanted: Wanted, after: Place | None, limit: int) -> list[Row]:
        found: list[Row] = []
        for day in reversed(_days(folder, wanted)):
            if after is not None and _start_us(day) > after.received_at:
                continue
            places = sorted(set(_places(folder, day, wanted, after)), reverse=True)[: limit - len(found)]
            found += _with_texts(folder, day, {place.id for place in places})
            if len(found) >= limit:
                break
        return found

    def _by_ids(self, folder: Path, ids: set[str]) -> list[Row]:
        found: list[Row] = []
        for day in reversed(_days(folder, Wanted())):
            here = ids & {place.id for place in _places(folder, day, Wanted(), None)}
            found += _with_texts(folder, day, here)
        return found

    def _batches_of_day(self, folder: Path, day: date, wanted: Wanted) -> Iterator[list[Row]]:
        seen: set[str] = set()
        with ExitStack() as open_files:
            # All are opened first: what is unlinked meanwhile can still be read.
            for path, file in _again(lambda: _all_opened(readable_files(folder, day))):
                open_files.callback(file.close)
                for table in _sound_tables(path, file):
                    rows = [row for row in _rows(table.filter(mask_of(table, wanted))) if row["id"] not in seen]
                    seen |= {row["id"] for row in rows}
                    if rows:
                        yield rows

    def _counts(self, project_id: str) -> list[DayCount]:
        folder = self.layout.quarantine(project_id)
        dropped = DropCounts(self.layout).by_day(project_id)
        found = []
        for day in sorted({*dropped, *days_of(folder)}, reverse=True):
            kept: Counter[str] = Counter()
            replayed: Counter[str] = Counter()
            for path in readable_files(folder, day):
                table = _light_or_nothing(path)
                codes = table.column("code").to_pylist()
                kept.update(codes)
                waits = table.column("replayed_at").is_null().to_pylist()
                replayed.update(code for code, does_wait in zip(codes, waits, strict=True) if not does_wait)
            counts = Counter(dropped.get(day, {})) | kept  # poison is found at flush and has rows alone
            found += [DayCount(day, code, n, kept[code], replayed[code]) for code, n in counts.most_common()]
        return found


@dataclass(frozen=True)
class RefusedCounts:
    """How many refused events of a project the quarantine holds. What it could not keep it cannot count."""

    folder: Path
    rows_max: int = ROWS_MAX

    def between(self, from_us: int, to_us: int, now_us: int) -> "Refused":
        """Those received in [from, to)."""
        for _ in range(READ_TRIES):
            try:
                return self._between(from_us, to_us, now_us)
            except FileNotFoundError:
                continue  # merged or forgotten while we read
        return Refused({}, "the quarantine is being changed")

    def _between(self, from_us: int, to_us: int, now_us: int) -> "Refused":
        codes: Counter[str] = Counter()
        reasons = []
        if from_us < now_us - (KEPT_DAYS - 1) * US_PER_DAY:
            reasons.append(f"refused events are kept for {KEPT_DAYS} days")
        for day in days_of(self.folder) if self.folder.is_dir() else []:
            if not day_of(from_us) <= day <= day_of(to_us - 1):
                continue
            paths = readable_files(self.folder, day)
            tables = [table for path in paths if (table := _light_or_none(path)) is not None]
            if len(tables) < len(paths):
                reasons.append(f"a file of refused events of {day} is damaged")
            if sum(table.num_rows for table in tables) >= self.rows_max:
                reasons.append(
                    f"on {day} there were more than the {self.rows_max} of a day that are kept, or just as many"
                )
            for table in tables:
                times = table.column("received_at").cast(pa.int64())
                inside = pc.and_(pc.greater_equal(times, from_us), pc.less(times, to_us))
                codes.update(table.filter(inside).column("code").to_pylist())
        return Refused(dict(codes.most_common()), "; ".join(reasons) or None)


class Refused(NamedTuple):
    """Counts by code. `incomplete` says why there may have been more; None: nothing is known to be missing."""

    by_code: dict[str, int]
    incomplete: str | None


def _again(read: Callable[[], _Found]) -> _Found:
    for _ in range(READ_TRIES):
        try:
            return read()
        except FileNotFoundError:
            continue  # merged or forgotten while we read
        except (OSError, pa.ArrowException) as error:
            raise StorageUnavailable(f"a file of the quarantine cannot be read: {type(error).__name__}") from error
    raise StorageUnavailable("the quarantine is being changed", retry_after_s=1)


def _days(folder: Path, wanted: Wanted) -> list[date]:
    """Oldest first."""
    return [day for day in days_of(folder) if _is_among(day, wanted)]


def _is_among(day: date, wanted: Wanted) -> bool:
    return _start_us(day) < wanted.to_us and _start_us(day) + US_PER_DAY > wanted.from_us


def _start_us(day: date) -> int:
    return (day - _EPOCH).days * US_PER_DAY


def _places(folder: Path, day: date, wanted: Wanted, after: Place | None) -> Iterator[Place]:
    for path in readable_files(folder, day):
        table = _light_or_nothing(path)
        table = table.filter(mask_of(table, wanted))
        times = table.column("received_at").cast(pa.int64()).to_pylist()
        for place in map(Place, times, table.column("id").to_pylist()):
            if after is None or place < after:
                yield place


def _with_texts(folder: Path, day: date, ids: set[str]) -> list[Row]:
    found: dict[str, Row] = {}
    wanted = pa.array(sorted(ids), pa.string())
    for path in readable_files(folder, day) if ids else []:
        for _path, file in _all_opened([path]):
            with file:
                tables = list(_sound_tables(path, file))
            for table in tables:
                found |= {row["id"]: row for row in _rows(table.filter(pc.is_in(table.column("id"), wanted)))}
    return sorted(found.values(), key=lambda row: (row["received_us"], row["id"]), reverse=True)


def mask_of(table: pa.Table, wanted: Wanted) -> pa.ChunkedArray:
    """Which rows are wanted."""
    times = table.column("received_at").cast(pa.int64())
    mask = pc.and_(pc.greater_equal(times, wanted.from_us), pc.less(times, wanted.to_us))
    if wanted.reason is not None:
        mask = pc.and_(mask, pc.equal(table.column("code"), wanted.reason))
    if wanted.event_type is not None:
        mask = pc.and_(mask, pc.fill_null(pc.equal(table.column("event_type"), wanted.event_type), False))
    if wanted.state != "all":
        is_waiting = pc.is_null(table.column("replayed_at"))
        mask = pc.and_(mask, is_waiting if wanted.state == "waiting" else pc.invert(is_waiting))
    return mask


def _rows(table: pa.Table) -> list[Row]:
    """Times stay numbers: `received_us`, `replayed_us`."""
    times = {name: table.column(f"{name}_at").cast(pa.int64()).to_pylist() for name in ("received", "replayed")}
    rows: list[Row] = table.drop_columns(["received_at", "replayed_at"]).to_pylist()
    for number, row in enumerate(rows):
        row |= {f"{name}_us": values[number] for name, values in times.items()}
    return rows


def _opened(path: Path) -> pq.ParquetFile:
    return pq.ParquetFile(path, page_checksum_verification=True)


def _all_opened(paths: Iterable[Path]) -> list[tuple[Path, pq.ParquetFile]]:
    found = []
    for path in paths:
        with skipping_damage(path):
            found.append((path, _opened(path)))
    return found


def _sound_tables(path: Path, file: pq.ParquetFile) -> Iterator[pa.Table]:
    """As far as the file can be read."""
    with skipping_damage(path):
        yield from _tables(file)


def _light_or_nothing(path: Path) -> pa.Table:
    table = _light_or_none(path)
    return REJECTED_SCHEMA.empty_table().select(_LIGHT) if table is None else table


def _light_or_none(path: Path) -> pa.Table | None:
    """None for a damaged file."""
    table = None
    with skipping_damage(path):
        table = _light(path)
    return table


def _tables(file: pq.ParquetFile) -> Iterator[pa.Table]:
    for batch in file.iter_batches(batch_size=BATCH_ROWS):
        yield completed(pa.Table.from_batches([batch]).replace_schema_metadata(None))


def _light(path: Path) -> pa.Table:
    """Without the texts, where the file has ids of its own."""
    with _opened(path) as file:
        if "id" in file.schema_arrow.names:
            return file.read(columns=_LIGHT).replace_schema_metadata(None)
        return pa.concat_tables(_tables(file)).select(_LIGHT)


def day_of(received_us: int) -> date:
    return to_datetime(received_us).date()

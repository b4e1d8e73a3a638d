"""Roll-ups: what stays of a day when its raw events leave: counts by event type, in one small file a month."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from iafa.clock import US_PER_DAY
from iafa.durable import make_dirs, publish
from iafa.errors import DataDamaged
from iafa.lake.layout import Layout, rollup_path
from iafa.lake.manifest import LakeFile, RollupFile
from iafa.lake.parts import file_checksum

_TIME = pa.timestamp("us", tz="UTC")
# A row whose event type is null counts all events of its day: people of several types cannot be added up.
ROLLUP_SCHEMA = pa.schema(
    [
        pa.field("date", pa.date32(), nullable=False),
        pa.field("event_type", pa.string()),
        pa.field("events", pa.int64(), nullable=False),
        pa.field("people", pa.int64(), nullable=False),
        pa.field("first_at", _TIME, nullable=False),
        pa.field("last_at", _TIME, nullable=False),
        pa.field("is_exact", pa.bool_(), nullable=False),
    ]
)
BATCH_ROWS = 65_536
GROUPS_MAX = 1_000_000  # pairs of type and person that may wait before they are put together


@dataclass(frozen=True)
class DayCount:
    """One event type (None: all) on one UTC day. `people` is an upper bound when it is not exact."""

    date: date
    event_type: str | None
    events: int
    people: int
    is_exact: bool


@dataclass(frozen=True)
class SeenType:
    """An event type over all rolled-up days."""

    event_type: str
    events: int
    first_us: int
    last_us: int


@dataclass(frozen=True)
class Rollups:
    """The roll-ups of one manifest generation."""

    layout: Layout
    project_id: str
    files: tuple[RollupFile, ...]

    @property
    def first_date(self) -> str | None:
        return min((file.first_date for file in self.files), default=None)

    @property
    def last_date(self) -> str | None:
        return max((file.last_date for file in self.files), default=None)

    def table(self, files: Iterable[RollupFile]) -> pa.Table:
        """All rows of the files. Raises DataDamaged for one that is not what was written."""
        return pa.concat_tables([ROLLUP_SCHEMA.empty_table(), *(self._read(file) for file in files)])

    def counts(self, first: date, last: date, event_types: Collection[str | None]) -> list[DayCount]:
        """The counts of the given types, both days included."""
        files = [f for f in self.files if f.first_date <= last.isoformat() and f.last_date >= first.isoformat()]
        table = self.table(files)
        wanted = pc.is_in(table.column("event_type"), value_set=pa.array(list(event_types), pa.string()))
        days = table.column("date")
        is_inside = pc.and_(pc.greater_equal(days, pa.scalar(first)), pc.less_equal(days, pa.scalar(last)))
        rows = table.filter(pc.and_(wanted, is_inside)).select(["date", "event_type", "events", "people", "is_exact"])
        return [DayCount(**row) for row in rows.to_pylist()]

    def seen_types(self) -> list[SeenType]:
        """Every event type of removed days: how often, and from when to when."""
        table = self.table(self.files)
        table = table.filter(pc.is_valid(table.column("event_type")))
        sums = table.group_by("event_type").aggregate([("events", "sum"), ("first_at", "min"), ("last_at", "max")])
        firsts, lasts = (sums.column(name).cast(pa.int64()).to_pylist() for name in ("first_at_min", "last_at_max"))
        names, events = (sums.column(name).to_pylist() for name in ("event_type", "events_sum"))
        return [SeenType(*row) for row in zip(names, events, firsts, lasts, strict=True)]

    def _read(self, file: RollupFile) -> pa.Table:
        path = self.layout.lake_file(self.project_id, file.path)
        try:
            if file_checksum(path) != file.xxh64:
                raise DataDamaged(f"{path} is not what was written; restore it from a backup")
            return pq.read_table(path, schema=ROLLUP_SCHEMA, partitioning=None)
        except (OSError, pa.ArrowException) as error:
            raise DataDamaged(f"{path} cannot be read ({type(error).__name__}); restore it from a backup") from error


def counted(day: date, paths: Sequence[Path]) -> pa.Table:
    """The roll-up rows of one day: its files' events and people by type, and of all types together.

    Memory is bounded by the number of pairs of event type and person, not by the number of events.
    """
    pairs: list[pa.Table] = []
    waiting = 0
    for path in paths:
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(BATCH_ROWS, columns=["event_type", "user_hash", "created_at"]):
                one = pa.Table.from_batches([batch]).append_column("events", pa.repeat(1, batch.num_rows))
                one = one.append_column("last_at", one.column("created_at")).rename_columns({"created_at": "first_at"})
                pairs.append(_grouped(one, ["event_type", "user_hash"]))
                waiting += pairs[-1].num_rows
                if waiting > GROUPS_MAX:
                    pairs = [_grouped(pa.concat_tables(pairs), ["event_type", "user_hash"])]
                    waiting = pairs[0].num_rows
    if not pairs:
        return ROLLUP_SCHEMA.empty_table()
    people_by_type = _grouped(pa.concat_tables(pairs), ["event_type", "user_hash"])
    people = _grouped(people_by_type, ["user_hash"])
    return pa.concat_tables([_rows(day, people_by_type, ["event_type"]), _rows(day, people, [])])


def added_up(tables: Sequence[pa.Table]) -> pa.Table:
    """One row a day and type. Of two that meet the events are added; their people may overlap, so it is not exact."""
    groups = pa.concat_tables(tables).group_by(["date", "event_type"])
    sums = groups.aggregate(
        [
            ("events", "sum"),
            ("people", "sum"),
            ("first_at", "min"),
            ("last_at", "max"),
            ("is_exact", "all"),
            ([], "count_all"),
        ]
    )
    is_exact = pc.and_(sums.column("is_exact_all"), pc.equal(sums.column("count_all"), 1))
    columns = [sums.column(name) for name in ("date", "event_type", "events_sum", "people_sum")]
    columns += [sums.column("first_at_min"), sums.column("last_at_max"), is_exact]
    table = pa.Table.from_arrays([column.combine_chunks() for column in columns], schema=ROLLUP_SCHEMA)
    return table.sort_by([("date", "ascending"), ("event_type", "ascending")])


def since(table: pa.Table, first: date | None) -> pa.Table:
    """The rows of `first` and later days."""
    return table if first is None else table.filter(pc.greater_equal(table.column("date"), pa.scalar(first)))


def write_rollup(layout: Layout, project_id: str, month: str, generation: int, table: pa.Table) -> RollupFile:
    """The file of one month, durable when it returns, not visible before a manifest names it."""
    path = rollup_path(month, generation)
    while layout.lake_file(project_id, path).exists():  # generations began anew after a loss of manifests
        generation += 1
        path = rollup_path(month, generation)
    temporary = layout.tmp / f"{project_id}.{path.replace('/', '_')}"
    make_dirs(layout.tmp)
    pq.write_table(table, temporary, compression="zstd", write_page_checksum=True)
    file = describe_rollup(temporary, path, table)
    publish(temporary, layout.lake_file(project_id, path), area="rollup")
    return file


def describe_rollup(source: Path, path: str, table: pa.Table) -> RollupFile:
    """The manifest entry of a written file."""
    days = pc.min_max(table.column("date")).as_py()
    return RollupFile(
        path=path,
        first_date=days["min"].isoformat(),
        last_date=days["max"].isoformat(),
        rows=table.num_rows,
        bytes=source.stat().st_size,
        xxh64=file_checksum(source),
    )


def is_of_its_day(file: LakeFile) -> bool:
    """Whether the file's own times agree with the day that it is listed under."""
    day = (date.fromisoformat(file.date) - date(1970, 1, 1)).days
    return file.first_created_us // US_PER_DAY == day == file.last_created_us // US_PER_DAY


def _grouped(table: pa.Table, keys: list[str]) -> pa.Table:
    sums = table.group_by(keys).aggregate([("events", "sum"), ("first_at", "min"), ("last_at", "max")])
    return sums.rename_columns({"events_sum": "events", "first_at_min": "first_at", "last_at_max": "last_at"})


def _rows(day: date, people: pa.Table, keys: list[str]) -> pa.Table:
    """From one row a person (and type) to one row a type, or a single one."""
    aggregates = [("events", "sum"), ("user_hash", "count"), ("first_at", "min"), ("last_at", "max")]
    sums = people.group_by(keys).aggregate(aggregates)
    columns = {
        "date": pa.array([day] * sums.num_rows, pa.date32()),
        "event_type": sums.column("event_type") if keys else pa.nulls(sums.num_rows, pa.string()),
        "events": sums.column("events_sum"),
        "people": sums.column("user_hash_count"),
        "first_at": sums.column("first_at_min"),
        "last_at": sums.column("last_at_max"),
        "is_exact": pa.array([True] * sums.num_rows),
    }
    arrays = [pc.cast(columns[field.name], field.type) for field in ROLLUP_SCHEMA]
    return pa.Table.from_arrays(arrays, schema=ROLLUP_SCHEMA)

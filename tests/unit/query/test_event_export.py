"""An export keeps what it began with: files that leave the manifest under it, and whoever is still reading."""

from pathlib import Path

import pytest

from iafa.clock import US_PER_DAY
from iafa.errors import DataDamaged
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.events.export import BATCH_ROWS, EventExport
from iafa.query.events.fields import Fields, parse_fields
from iafa.query.events.parquet_file import ParquetEvents
from iafa.query.events.question import parse_events_question
from tests.support.events import NOON_US, make_event
from tests.support.lake import TestLake

ROWS = 3 * BATCH_ROWS


class Ids:
    """A file of nothing but ids."""

    def __init__(self) -> None:
        self.fields: Fields = parse_fields(["id,person"])
        self.columns = self.fields.columns

    def begin(self) -> bytes:
        return b""

    def add(self, events: object) -> bytes:
        return "".join(f"{row['id']}\n" for row in self.fields.rows(events)).encode()

    def end(self) -> bytes:
        return b"end\n"


@pytest.fixture
def lake(tmp_path: Path) -> TestLake:
    """Two days of parts, a tail, an edge."""
    lake = TestLake(tmp_path / "data")
    half = ROWS // 2
    for day in range(2):
        times = (NOON_US - day * US_PER_DAY + number for number in range(half))
        lake.write([make_event(id=f"{day}-{number}", created_at=time) for number, time in enumerate(times)])
        lake.flusher.run()
    lake.write([make_event(id="tail", event_type="identify", anonymous_id="device-1")])
    return lake


def an_export(engine: DuckEngine, lake: TestLake, file: Ids | ParquetEvents) -> EventExport:
    return EventExport(engine, lake.layout, lake.take(), parse_events_question(), file, Cancellation())


def test_a_long_export_outlives_compaction_and_late_events(engine: DuckEngine, lake: TestLake) -> None:
    export = an_export(engine, lake, Ids())
    pieces = [export.piece()]
    files = export.snapshot.files
    lake.write([make_event(id="late")])
    lake.flusher.run()
    lake.compactor.run(everything=True)
    lake.clock.advance(10_000)
    assert lake.compactor.run(everything=True).unlinked
    assert not any(file.exists() for file in files)
    while pieces[-1] is not None:
        pieces.append(export.piece())
    export.close()
    lines = b"".join(piece or b"" for piece in pieces).decode().split()
    assert len(pieces) > 3
    assert lines[-1] == "end"
    expected = {f"{day}-{number}" for day in range(2) for number in range(ROWS // 2)} | {"tail"}
    assert (set(lines[:-1]), len(lines)) == (expected, len(expected) + 1)
    assert not list(lake.layout.tmp.glob("lease-*"))


def test_who_stops_reading_leaves_nothing_behind(engine: DuckEngine, lake: TestLake) -> None:
    export = an_export(engine, lake, ParquetEvents())
    assert export.piece()
    assert list(lake.layout.tmp.glob("lease-*"))
    export.close()
    export.close()
    assert not list(lake.layout.tmp.glob("lease-*"))


def test_a_damaged_file_is_never_exported(engine: DuckEngine, lake: TestLake) -> None:
    victim = lake.take().files[0]
    data = bytearray(victim.read_bytes())
    data[len(data) // 2] ^= 1
    victim.write_bytes(data)
    export = an_export(engine, lake, Ids())
    with pytest.raises(DataDamaged):
        export.piece()
    export.close()
    assert not list(lake.layout.tmp.glob("lease-*"))

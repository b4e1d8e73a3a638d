"""Formats on disk that later versions must still open: the event's columns and the manifest."""

import re
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest

from iafa.errors import DataDamaged, NotFound
from iafa.lake.layout import Layout, day_path, manifest_generation, manifest_name, part_path
from iafa.lake.manifest import FORMAT_VERSION, LakeFile, Manifest, Trashed, read_manifest
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake

FIXTURES = Path(__file__).parents[2] / "fixtures"

# The published columns. A change here is a new format: it needs an ADR, a fixture and a way to read the old one.
COLUMNS = {
    **dict.fromkeys(("id", "project_id", "event_type", "user_id", "anonymous_id", "session_id"), "VARCHAR"),
    **dict.fromkeys(("source", "properties"), "VARCHAR"),
    "user_hash": "BIGINT",
    **dict.fromkeys(("url", "referrer", "user_agent", "ip_address"), "VARCHAR"),
    **dict.fromkeys(("created_at", "received_at"), "TIMESTAMP WITH TIME ZONE"),
    **dict.fromkeys(("country", "region", "city", "browser", "os", "device", "timezone"), "VARCHAR"),
    **dict.fromkeys(("utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"), "VARCHAR"),
    "is_bot": "BOOLEAN",
    "sample_rate": "DOUBLE",
}


def described(path: Path) -> dict[str, str]:
    with duckdb.connect() as connection:
        rows = connection.execute("describe select * from read_parquet($path)", {"path": str(path)}).fetchall()
    return {row[0]: row[1] for row in rows}


@pytest.mark.parametrize("is_compacted", [False, True], ids=["part", "day"])
def test_every_written_file_has_the_published_columns(tmp_path: Path, is_compacted: bool) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event()])
    lake.flusher.run()
    if is_compacted:
        lake.compactor.run(everything=True)
    (path,) = lake.take().files
    assert described(path) == COLUMNS
    column = pq.ParquetFile(path).metadata.row_group(0).column(0)
    assert column.compression == "ZSTD"


def test_file_of_format_1_is_still_read() -> None:
    assert described(FIXTURES / "events_v1.parquet") == COLUMNS
    with duckdb.connect() as connection:
        connection.execute("set TimeZone='UTC'")
        row = connection.execute(
            "select id, user_hash, epoch_us(created_at), properties, timezone from read_parquet($path)",
            {"path": str(FIXTURES / "events_v1.parquet")},
        ).fetchone()
    assert row == ("event-1", -6812973808080884760, NOON_US, '{"plan":"pro","price":49.9}', "Europe/Vienna")


def test_manifest_of_format_1_is_still_read() -> None:
    assert read_manifest(FIXTURES / "manifest_v1.json") == Manifest(
        format=1,
        project_id=PROJECT,
        generation=3,
        made_at_us=NOON_US,
        files=(
            LakeFile(
                path="2025/11/events_2025-11-21.parquet",
                date="2025-11-21",
                rows=2,
                bytes=4096,
                xxh64="00112233445566ff",
                first_created_us=NOON_US,
                last_created_us=NOON_US + 1,
                first_received_us=NOON_US,
                last_received_us=NOON_US + 5,
                is_day=True,
            ),
        ),
        absorbed={"7": 12},
        trash=(Trashed("2025/11/events_2025-11-21.j7-1-12.parquet", NOON_US + 600_000_000),),
    )


def test_manifest_of_a_newer_format_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "0000000001.json"
    text = (FIXTURES / "manifest_v1.json").read_text()
    path.write_text(text.replace('"format":1', f'"format":{FORMAT_VERSION + 1}'))
    with pytest.raises(DataDamaged, match=re.escape(str(path))):
        read_manifest(path)


def test_manifest_is_sealed_and_any_flipped_bit_is_found(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event()])
    lake.flusher.run()
    (path,) = lake.layout.manifests(PROJECT).iterdir()
    data = path.read_bytes()
    assert read_manifest(path).format == FORMAT_VERSION
    for bit in range(0, 8 * len(data), 3):
        flipped = bytearray(data)
        flipped[bit // 8] ^= 1 << bit % 8
        path.write_bytes(flipped)
        with pytest.raises(DataDamaged, match=re.escape(str(path))):
            read_manifest(path)


@pytest.mark.parametrize("cut", [0, 1, 50])
def test_damaged_manifest_is_refused_and_never_taken_for_empty(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "0000000001.json"
    path.write_bytes((FIXTURES / "manifest_v1.json").read_bytes()[:cut])
    with pytest.raises(DataDamaged, match="damaged"):
        read_manifest(path)


@pytest.mark.parametrize(
    "project_id",
    [
        "*",
        "?",
        "[ab]",
        "../project_b",
        "a/../project_b",
        "abcdefabcde",
        "A" * 12,
        "a" * 33,
        "abcdefabcdef\n",
        "",
        "\x00" * 12,
    ],
)
def test_id_that_is_not_of_the_grammar_never_becomes_a_path(tmp_path: Path, project_id: str) -> None:
    with pytest.raises(NotFound):
        Layout(tmp_path).project(project_id)


def test_paths_follow_the_published_grammar() -> None:
    day = date(2026, 2, 3)
    assert part_path(day, "j7-1-12") == "2026/02/events_2026-02-03.j7-1-12.parquet"
    assert day_path(day, 9, is_first=True) == "2026/02/events_2026-02-03.parquet"
    assert day_path(day, 9, is_first=False) == "2026/02/events_2026-02-03.g9.parquet"
    assert manifest_name(12) == "0000000012.json"
    assert [manifest_generation(name) for name in ("0000000012.json", "12.json", ".x.tmp")] == [12, None, None]


def test_everything_in_the_data_directory_is_private(tmp_path: Path) -> None:
    lake = TestLake(tmp_path / "data")
    lake.write([make_event()])
    lake.flusher.run()
    lake.compactor.run(everything=True)
    for path in (tmp_path / "data").rglob("*"):
        expected = 0o700 if path.is_dir() else 0o600
        assert path.stat().st_mode & 0o777 == expected, path

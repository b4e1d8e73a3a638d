"""Data directories of earlier formats, kept as they were: each must still be opened and answer the same numbers."""

import asyncio
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow.parquet as pq
import pytest

from iafa.cli.options import read_settings
from iafa.clock import US_PER_S, FakeClock
from iafa.errors import DataDamaged
from iafa.intake import open_intake
from iafa.jobs.restore import Restore
from iafa.journal.format import encode_record
from iafa.lake.manifest import read_manifest
from iafa.lake.schema import FORMAT_KEY
from iafa.query.definition_reading import parse_definition
from iafa.query.funnel import funnel
from iafa.query.time_range import resolve_time_range
from iafa.seal import sealed
from iafa.wiring import House, open_house
from tests.support.events import NOON_US
from tests.support.frozen import PASSWORD, SECRET

FIXTURES = Path(__file__).parents[2] / "fixtures"
FROZEN = sorted(path.name for path in FIXTURES.glob("data_v*"))
PEOPLE = [16, 6]  # who visited, and who bought: of the merged day, the part and the journal together


@pytest.fixture(params=FROZEN)
def data_dir(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    shutil.copytree(FIXTURES / request.param, tmp_path / "data")
    return tmp_path / "data"


def opened(data_dir: Path) -> House:
    return open_house(read_settings(data_dir=data_dir), FakeClock(NOON_US + 3600 * US_PER_S))


def people(house: House) -> list[object]:
    """Through the saved funnel."""
    (project,) = asyncio.run(house.projects.all())
    (saved,) = asyncio.run(house.funnels.of_project(project.id))
    snapshot = house.snapshots.take(project.id)
    definition = parse_definition(saved.definition)
    try:
        answer = funnel(house.engine, snapshot, definition, resolve_time_range(timezone=project.timezone))
    finally:
        house.engine.close()
    stages = answer["stages"]
    assert isinstance(stages, list)
    return [stage["users"] for stage in stages]


def test_it_answers_the_same_numbers_before_and_after_flush_and_compaction(data_dir: Path) -> None:
    house = opened(data_dir)
    assert house.verifier().run().problems == []
    assert people(house) == PEOPLE
    house.flusher().run()
    assert people(opened(data_dir)) == PEOPLE
    house.compactor().run(everything=True)
    assert people(opened(data_dir)) == PEOPLE
    assert opened(data_dir).verifier().run().problems == []


def test_its_user_signs_in_and_its_secret_is_used(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SECRET_KEY", raising=False)
    house = opened(data_dir)
    assert house.settings.secret() == SECRET
    user = asyncio.run(house.accounts.users.by_email("owner@example.com"))
    assert user is not None
    assert asyncio.run(house.accounts.passwords.verify(PASSWORD, user.password_hash))


def test_it_is_written_on_with_a_new_number(data_dir: Path) -> None:
    house = opened(data_dir)
    intake = open_intake(house)
    intake.journal.close()
    assert intake.journal.epoch == 4


def test_it_is_backed_up_and_restored(data_dir: Path, tmp_path: Path) -> None:
    opened(data_dir).backup(tmp_path / "backup").run()
    Restore(tmp_path / "backup", tmp_path / "again", FakeClock(NOON_US)).run()
    assert people(opened(tmp_path / "again")) == PEOPLE


def newer(document: bytes) -> bytes:
    content = json.loads(document)
    content.pop("crc32c", None)
    return sealed(json.dumps(content | {"format": 99}).encode())


def newest_manifest(data_dir: Path) -> Path:
    return max(data_dir.glob("events/*/manifest/*.json"))


def newer_manifest(data_dir: Path) -> Path:
    path = newest_manifest(data_dir)
    path.write_bytes(newer(path.read_bytes()))
    return path


def newer_metadata(data_dir: Path) -> Path:
    path = data_dir / "metadata" / "projects.json"
    path.write_bytes(newer(path.read_bytes()))
    return path


def newer_journal(data_dir: Path) -> Path:
    (path,) = data_dir.glob("journal/*/*.ndjson")
    line = encode_record(1, read_manifest(newest_manifest(data_dir)).project_id, NOON_US, b"[]")
    body = line[: -len(',"c":"00000000"}\n')].replace(b'{"v":1', b'{"v":9')
    import google_crc32c

    path.write_bytes(body + b',"c":"%08x"}\n' % google_crc32c.value(body))
    (path.parent / "acked").unlink()
    return path


def newer_epoch(data_dir: Path) -> Path:
    path = data_dir / "journal" / "epoch"
    path.write_bytes(newer(path.read_bytes()))
    return path


@pytest.mark.parametrize("make_newer", [newer_manifest, newer_metadata, newer_journal, newer_epoch])
def test_a_newer_format_is_refused_by_name(data_dir: Path, make_newer: Callable[[Path], Path]) -> None:
    path = make_newer(data_dir)
    house = opened(data_dir)

    def use() -> None:
        people(house)
        open_intake(house)

    with pytest.raises(DataDamaged, match=rf"{re.escape(path.name)}.*(format \d+)"):
        use()
    problems = [finding for finding in house.verifier().run().problems if finding.path.endswith(path.name)]
    assert problems
    assert "format" in problems[0].what


def test_an_event_file_says_its_format(data_dir: Path) -> None:
    manifest = read_manifest(newest_manifest(data_dir))
    for file in manifest.files:
        path = data_dir / "events" / f"project_{manifest.project_id}" / file.path
        assert pq.read_schema(path).metadata[FORMAT_KEY.encode()] == b"1"


def test_it_holds_one_of_each_format(data_dir: Path) -> None:
    names = {re.sub(r"\d+", "0", path.name) for path in data_dir.rglob("*") if path.is_file()}
    assert {"0.json", "0.ndjson", "acked", "epoch", "users.json", "projects.json", "funnels.json"} <= names
    assert sum(file.is_day for file in read_manifest(newest_manifest(data_dir)).files) == 1
    assert msgspec.json.decode(newest_manifest(data_dir).read_bytes())["absorbed"]

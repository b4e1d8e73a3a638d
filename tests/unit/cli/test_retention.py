"""`iafa retention` as cron calls it: what it prints, what it leaves, how it ends; and its archive read again."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from iafa.cli.options import house_at
from iafa.clock import US_PER_DAY, SystemClock, from_datetime
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.parts import Arrival, to_table
from iafa.locks import held
from tests.support.events import make_event
from tests.unit.cli.conftest import Command

DAYS = 5
PER_DAY = 4


@pytest.fixture
def old_project(iafa: Command, tmp_path: Path) -> str:
    """Five days that are 100 to 96 days old and arrived then, and one event of today."""
    project = str(iafa("project", "add", "Old", "--json").json["id"])
    appender = house_at(tmp_path / "data").appender()
    noon_us = SystemClock().now_us() // US_PER_DAY * US_PER_DAY + US_PER_DAY // 2
    for age in [*range(100, 100 - DAYS, -1), 0]:
        time_us = min(noon_us - age * US_PER_DAY, SystemClock().now_us())
        events = [
            make_event(id=f"{age}-{number}", event_type="visit", user_id=f"user-{number % 3}", created_at=time_us)
            for number in range(PER_DAY)
        ]
        rows = to_table(Arrival(project, time_us, event) for event in events)
        appender.publish(project, appender.write(project, rows, f"u{age}"))
    return project


def rows_of(tmp_path: Path, project: str) -> int:
    return sum(file.rows for file in Manifests(Layout(tmp_path / "data"), SystemClock()).latest(project).files)


def test_cron_is_told_what_would_go_held_back_and_forced(iafa: Command, tmp_path: Path, old_project: str) -> None:
    planned = iafa("retention", "--dry-run", "--force")
    assert planned.code == 0
    assert f"project {old_project}: would remove {DAYS} days" in planned.out
    assert f"{DAYS} files, {DAYS * PER_DAY} events" in planned.out
    assert not (tmp_path / "data" / "config" / "clock.json").exists()

    held_back = iafa("retention")
    assert held_back.code == 1
    assert "iafa retention --force" in held_back.err
    assert rows_of(tmp_path, old_project) == (DAYS + 1) * PER_DAY

    done = iafa("retention", "--force", "--json")
    assert done.code == 0
    assert (done.json["projects"][0]["rows"], done.json["refused"]) == (DAYS * PER_DAY, None)
    assert rows_of(tmp_path, old_project) == PER_DAY

    again = iafa("retention")
    assert (again.code, again.out) == (0, "nothing is older than the projects' settings say\n")


def test_a_second_cron_run_ends_with_0(iafa: Command, tmp_path: Path, old_project: str) -> None:
    with held(Layout(tmp_path / "data").retention_lock) as is_ours:
        assert is_ours
        said = iafa("retention", "--force")
    assert said.code == 0
    assert "another run is at work" in said.out
    assert rows_of(tmp_path, old_project) == (DAYS + 1) * PER_DAY


def test_a_wrong_clock_ends_with_1_and_says_what_to_do(iafa: Command, tmp_path: Path, old_project: str) -> None:
    config = tmp_path / "data" / "config"
    config.mkdir()
    then = from_datetime(datetime.now(UTC) - timedelta(days=30))
    series = {"first_us": then, "last_us": then, "last_boot_us": 0, "is_trusted": True}
    (config / "clock.json").write_text(json.dumps(series))
    said = iafa("retention")
    assert said.code == 1
    assert "--force" in said.err
    assert rows_of(tmp_path, old_project) == (DAYS + 1) * PER_DAY


def test_what_was_archived_can_be_imported_again(
    iafa: Command, tmp_path: Path, old_project: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = tmp_path / "archive"
    archive.mkdir()
    monkeypatch.setenv("IAFA_ARCHIVE_DIR", str(archive))
    assert "5 files archived" in iafa("retention", "--force").out
    files = [str(path) for path in sorted(archive.rglob("*.parquet"))]
    assert len(files) == DAYS
    iafa("project", "add", "Again", "--retention-days", "forever")
    loaded = iafa("import", *files, "--project", "Again", "--json").json["files"]
    assert [one["accepted"] for one in loaded] == [PER_DAY] * DAYS
    assert not any(one["rejected"] for one in loaded)
    counted = iafa("funnel", "--project", "Again", "--stage", "visit", "--json").json
    assert counted["stages"][0]["users"] == 3


def test_the_setting_is_set_shown_and_checked(iafa: Command) -> None:
    iafa("project", "add", "Shop", "--aggregate-retention-days", "1000")
    assert iafa("project", "list", "--json").json["projects"][0]["aggregate_retention_days"] == 1000
    assert iafa("project", "set", "Shop", "--aggregate-retention-days", "0").code == 2
    changed = iafa("project", "set", "Shop", "--aggregate-retention-days", "forever", "--json")
    assert changed.json["aggregate_retention_days"] is None

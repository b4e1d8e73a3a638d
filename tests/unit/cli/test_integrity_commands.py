"""`iafa verify`, `backup` and `restore` as a person types them: what they say, and their exit codes."""

import shutil
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command


@pytest.fixture
def data(iafa: Command, project_id: str, tmp_path: Path) -> Path:
    """A directory with one project and three imported events."""
    source = tmp_path / "events.csv"
    source.write_text(
        "id,event_type,user_id,created_at\n" + "".join(f"e{n},visit,u{n},2026-01-0{n}\n" for n in (1, 2, 3))
    )
    assert iafa("import", str(source), "--project", project_id).code == 0
    return tmp_path / "data"


def a_file(data: Path) -> Path:
    return sorted(data.rglob("*.parquet"))[1]


def test_a_sound_directory(iafa: Command, data: Path) -> None:
    said = iafa("verify")
    assert said.code == 0
    assert "3 files, 3 rows" in said.out
    assert said.out.endswith("all is sound\n")
    found = iafa("verify", "--json").json
    assert (found["sound"], found["findings"], found["repairs"], found["problems_left"]) == (True, [], [], 0)


def test_a_damaged_file_is_named_repaired_and_stays_repaired(iafa: Command, data: Path, project_id: str) -> None:
    path = a_file(data)
    path.write_bytes(path.read_bytes()[:-1])
    said = iafa("verify")
    assert said.code == 1
    assert f"PROBLEM  {path.relative_to(data)}: has" in said.out
    assert "(1 events of 2026-01-02)" in said.out
    (finding,) = iafa("verify", "--json").json["findings"]
    assert (finding["kind"], finding["rows"], finding["date"]) == ("file_damaged", 1, "2026-01-02")
    answer = iafa("funnel", "--project", project_id, "--stage", "visit")
    assert answer.code == 1
    assert path.name in answer.err
    repaired = iafa("verify", "--repair")
    assert repaired.code == 0
    assert f"REPAIR   {path.relative_to(data)}: taken off: has" in repaired.out
    assert "repaired: 1 events taken out of use, 0 taken in" in repaired.out
    assert iafa("verify").code == 0
    assert iafa("funnel", "--project", project_id, "--stage", "visit", "--json").json["people_total"] == 2


def test_a_lost_file_comes_back_from_a_backup(iafa: Command, data: Path, tmp_path: Path, project_id: str) -> None:
    made = iafa("backup", str(tmp_path / "backup"))
    assert made.code == 0
    assert "backed up 3 stored events" in made.out
    a_file(data).unlink()
    repaired = iafa("verify", "--repair", "--from", str(tmp_path / "backup"))
    assert repaired.code == 0
    assert "put back from the backup" in repaired.out
    assert iafa("funnel", "--project", project_id, "--stage", "visit", "--json").json["people_total"] == 3


def test_back_up_lose_everything_restore(iafa: Command, data: Path, tmp_path: Path, project_id: str) -> None:
    assert iafa("backup", str(tmp_path / "backup"), "--copy", "--json").json["linked"] == 0
    shutil.rmtree(data)
    restored = iafa("restore", str(tmp_path / "backup"))
    assert restored.code == 0
    assert "3 stored events" in restored.out
    assert iafa("verify").code == 0
    assert iafa("funnel", "--project", project_id, "--stage", "visit", "--json").json["people_total"] == 3
    assert iafa("restore", str(tmp_path / "backup")).code == 2
    forced = iafa("restore", str(tmp_path / "backup"), "--force", "--json").json
    assert Path(forced["moved_to"]).is_dir()
    assert forced["rows"] == 3


def test_a_backup_without_a_damaged_file_fails_and_says_so(iafa: Command, data: Path, tmp_path: Path) -> None:
    path = a_file(data)
    path.write_bytes(path.read_bytes()[:-1])
    made = iafa("backup", str(tmp_path / "backup"))
    assert made.code == 1
    assert f"{path.relative_to(data)} is damaged or missing and is not in the backup" in made.err


def test_wrong_usage(iafa: Command, data: Path, tmp_path: Path) -> None:
    assert iafa("backup", str(data / "inside")).code == 2
    assert iafa("restore", str(data), "--data-dir", str(tmp_path / "new")).code == 1
    assert iafa("verify", "--from", str(tmp_path)).code == 2
    assert iafa("verify", "--project", "p0unknown0000").code == 2

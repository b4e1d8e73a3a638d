"""`iafa person`: the export, the erasure without a server, and what is known of it afterwards."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from iafa.cli.app import iafa
from iafa.errors import NotFound

EVENTS = (
    '{"event":"visit","user_id":"forget-me-please","id":"e1","timestamp":"2026-05-01T10:00:00Z"}\n'
    '{"event":"visit","user_id":"somebody-else","id":"e2","timestamp":"2026-05-01T10:00:00Z"}\n'
)


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("person")
    (folder / "events.ndjson").write_text(EVENTS)
    data_dir = folder / "data"
    iafa_in(data_dir, "project", "add", "Shop", "--retention-days", "forever")
    assert iafa_in(data_dir, "import", str(folder / "events.ndjson"), "--project", "Shop").exit_code == 0
    return data_dir


def iafa_in(data_dir: Path, *arguments: str) -> Result:
    return CliRunner().invoke(iafa, [*arguments, "--data-dir", str(data_dir)])


def test_export_then_erase(data_dir: Path) -> None:
    exported = iafa_in(data_dir, "person", "export", "Shop", "forget-me-please")
    lines = [json.loads(line) for line in exported.stdout.splitlines()]
    assert [one["type"] for one in lines] == ["person", "event", "end"]
    assert lines[1]["id"] == "e1"

    erased = json.loads(iafa_in(data_dir, "person", "erase", "Shop", "forget-me-please", "--json").stdout)
    assert (erased["status"], erased["rows_hidden"], erased["removed"]) == ("hidden", 1, {"rows": 1, "files": 1})
    again = iafa_in(data_dir, "person", "export", "Shop", "forget-me-please")
    assert isinstance(again.exception, NotFound)
    assert again.stdout == ""
    known = json.loads(iafa_in(data_dir, "person", "erasures", "Shop", "forget-me-please", "--json").stdout)
    assert [one["erasure_id"] for one in known["erasures"]] == [erased["erasure_id"]]
    assert erased["erasure_id"] in iafa_in(data_dir, "person", "erasures", "Shop").stdout


def test_nobody_of_this_name(data_dir: Path) -> None:
    for command in ("erase", "export"):
        assert isinstance(iafa_in(data_dir, "person", command, "Shop", "unheard-of").exception, NotFound)

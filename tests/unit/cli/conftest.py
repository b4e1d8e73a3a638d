"""The command as a person types it: its words, its output, its exit code."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from iafa.cli import app

CSV = (
    "customer,action,at\n"
    "u1,visit,2025-11-20 09:00\nu1,cart,2025-11-20 09:30\nu2,visit,2025-11-20 10:00\nu2,cart,2025-11-22 10:00\n"
)
MAP = ("--map", "user_id=customer", "--map", "event_type=action", "--map", "created_at=at")


class Outcome(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def iafa(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command on the data directory of the test, in an empty working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def run(*words: str, stdin: str = "") -> Outcome:
        monkeypatch.setattr("sys.argv", ["iafa", *words])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = app._run()  # `main` without the end of the process
        out, err = capsys.readouterr()
        return Outcome(code, out, err)

    return run


@pytest.fixture
def project_id(iafa: Command) -> str:
    """A project that keeps its events for ever."""
    made = iafa("project", "add", "Shop", "--retention-days", "forever", "--json")
    return str(made.json["id"])


@pytest.fixture
def csv(tmp_path: Path) -> str:
    path = tmp_path / "shop.csv"
    path.write_text(CSV)
    return str(path)


@pytest.fixture
def shop(iafa: Command, project_id: str, csv: str) -> str:
    """The project with the events of the file."""
    loaded = iafa("import", csv, "--project", project_id, *MAP)
    assert loaded.code == 0, loaded.err
    return project_id

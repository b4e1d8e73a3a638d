"""The command as a person types it: its words, its output, its exit code."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from iafa.cli import app


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

"""`iafa export`: the raw events of a project as a file."""

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from iafa.lake.schema import EVENT_SCHEMA
from tests.unit.cli.conftest import Command


def test_a_file_of_each_format_holds_the_events(iafa: Command, shop: str, tmp_path: Path) -> None:
    fields = ("--fields", "event_type,user_id")
    said = iafa("export", "Shop", "--out", "events.csv", *fields)
    assert (said.code, said.err) == (0, "")
    assert said.out.startswith("events.csv: 4 events, data version ")
    lines = (tmp_path / "events.csv").read_text().splitlines()
    assert (lines[0], len(lines)) == ("event_type,user_id", 5)
    said = iafa("export", shop, "--format", "ndjson", "--out", "-", *fields, "--user", "u1")
    assert {json.loads(line)["user_id"] for line in said.out.splitlines()} == {"u1"}
    told = iafa("export", shop, "--format", "parquet", "--out", "events.parquet", "--json").json
    assert (told["file"], told["events"]) == ("events.parquet", 4)
    assert pq.read_table(tmp_path / "events.parquet").schema.equals(EVENT_SCHEMA)
    assert not list((tmp_path / "data" / "tmp").glob("lease-*"))


def test_nothing_is_written_over_unasked(iafa: Command, shop: str, tmp_path: Path) -> None:
    (tmp_path / "kept.csv").write_text("kept")
    refused = iafa("export", shop, "--out", "kept.csv")
    assert (refused.code, (tmp_path / "kept.csv").read_text()) == (2, "kept")
    assert "--force" in refused.err
    assert iafa("export", shop, "--out", "kept.csv", "--force", "--fields", "id").code == 0
    assert (tmp_path / "kept.csv").read_bytes().startswith(b"id\r\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--filters", "[{"), "/filters"),
        (("--fields", "nothing"), "/fields"),
        (("--from", "yesterday"), "/start"),
        (("--out", "no/such/folder/x.csv"), "cannot be written"),
    ],
)
def test_a_wrong_word_is_told_and_leaves_no_file(
    iafa: Command, shop: str, tmp_path: Path, words: tuple[str, str], said: str
) -> None:
    found = iafa("export", shop, "--out", "new.csv", *words)
    assert found.code != 0
    assert said in found.err
    assert not (tmp_path / "new.csv").exists()


def test_an_unknown_project_is_told_and_leaves_no_file(iafa: Command, shop: str, tmp_path: Path) -> None:
    assert iafa("export", "nobody", "--out", "new.csv").code == 2
    assert not (tmp_path / "new.csv").exists()

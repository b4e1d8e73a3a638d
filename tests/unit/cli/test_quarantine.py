"""`iafa quarantine` as a person types it."""

import json
from pathlib import Path

from iafa.clock import SystemClock
from iafa.event import Rejected
from iafa.lake.layout import Layout
from iafa.lake.quarantine import Quarantine, Refusal
from tests.unit.cli.conftest import Command


def fill(data_dir: Path, project_id: str) -> None:
    now_us = SystemClock().now_us()
    body = {"event": "buy", "usr": "u1", "id": "e1"}
    rejected = [
        Rejected(code="missing_identity", event_id="e1", event_type="buy", body=json.dumps(body), source="batch"),
        Rejected(code="too_long", event_id="e2", event_type="=x", body='{"event":"x","user_id":"', source="batch"),
    ]
    Quarantine(Layout(data_dir)).keep("j1-1", [Refusal(project_id, now_us, one) for one in rejected])


def test_rows_are_listed_downloaded_and_replayed(iafa: Command, project_id: str, tmp_path: Path) -> None:
    fill(tmp_path / "data", project_id)
    listed = iafa("quarantine", "list", "Shop", "--json")
    assert {row["event_id"] for row in listed.json["rows"]} == {"e1", "e2"}
    assert "missing_identity" in iafa("quarantine", "list", "Shop", "--reason", "missing_identity", "--limit", "1").out
    assert iafa("quarantine", "list", "Shop", "--since", "soon").code == 2
    mend = ("quarantine", "replay", "Shop", "--event-type", "buy", "--rename", "/usr=/user_id")
    tried = iafa(*mend, "--dry-run")
    assert (tried.code, tried.out) == (0, "1 accepted, 0 duplicate, 0 rejected\n")
    done = iafa(*mend, "--json")
    assert (done.code, done.json["accepted"]) == (0, 1)
    assert iafa(*mend, "--json").json["accepted"] == 0
    for levels in (21, 500, 3_000):
        deep = '{"a":' * levels + "1" + "}" * levels
        refused = iafa("quarantine", "replay", "Shop", "j1-1-1", "--merge", deep)
        assert (refused.code, "deeper than 20 levels" in refused.err) == (2, True)
    cut = iafa("quarantine", "replay", "Shop", "j1-1-1", "--merge", '{"a": 1}')
    assert (cut.code, "0 accepted, 0 duplicate, 1 rejected" in cut.out) == (1, True)
    for wrong in ((), ("j1-1-1", "--reason", "x"), ("j1-1-1", "--rename", "usr=x"), ("j1-1-1", "--merge", "[1]")):
        assert iafa("quarantine", "replay", "Shop", *wrong).code == 2

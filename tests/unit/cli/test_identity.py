"""`iafa identity`: edges are listed, revoked and restored, and a funnel follows."""

import json
from pathlib import Path

import pytest

from tests.unit.cli.conftest import Command

EVENTS = [
    {"id": "1", "event_type": "visit", "anonymous_id": "device", "timestamp": "2026-11-01T10:00:00Z"},
    {"id": "2", "event_type": "order", "user_id": "ann", "timestamp": "2026-11-01T11:00:00Z"},
    {
        **{"id": "login", "event_type": "identify", "user_id": "ann", "anonymous_id": "device"},
        "timestamp": "2026-11-01T10:30:00Z",
    },
    {"id": "3", "event_type": "visit", "user_id": "old", "timestamp": "2026-11-01T09:00:00Z"},
    {"id": "4", "event_type": "order", "user_id": "new", "timestamp": "2026-11-01T12:00:00Z"},
    {
        **{"id": "merge", "event_type": "alias", "user_id": "new", "timestamp": "2026-11-01T12:30:00Z"},
        "properties": {"previous_id": "old"},
    },
]


@pytest.fixture
def shop(iafa: Command, project_id: str, tmp_path: Path) -> str:
    file = tmp_path / "events.ndjson"
    file.write_text("\n".join(json.dumps(event) for event in EVENTS))
    assert iafa("import", str(file), "--project", project_id).code == 0
    return project_id


def converted(iafa: Command, project_id: str, **over: object) -> int:
    definition = {"name": "f", "stages": [{"name": name, "event": name} for name in ("visit", "order")], **over}
    Path("funnel.json").write_text(json.dumps(definition))
    said = iafa("funnel", "--file", "funnel.json", "--project", project_id, "--json")
    assert said.code == 0, said.err
    return int(said.json["stages"][-1]["users"])


def test_edges_are_listed_revoked_and_restored(iafa: Command, shop: str) -> None:
    listed = iafa("identity", "list", shop, "--json").json["edges"]
    assert {(edge["event"], edge["kind"], edge["user_id"], edge["other"]) for edge in listed} == {
        ("login", "identify", "ann", "device"),
        ("merge", "alias", "new", "old"),
        ("merge", "identify", "new", "old"),
        ("merge", "identify", "old", "new"),
    }
    assert len(iafa("identity", "list", shop, "device").out.splitlines()) == 1
    assert "device = ann  event login" in iafa("identity", "list", shop, "ann").out
    assert converted(iafa, shop) == 2
    assert iafa("identity", "revoke", shop, "login").code == 0
    assert converted(iafa, shop) == 1
    assert iafa("identity", "revoke", shop, "merge").code == 0
    assert converted(iafa, shop) == 0
    assert "revoked" in iafa("identity", "list", shop, "ann").out
    assert iafa("identity", "restore", shop, "login", "merge").code == 0
    assert converted(iafa, shop) == 2
    audit = "".join(path.read_text() for path in Path("data/audit").glob("*.jsonl"))
    assert (audit.count("identity.revoke"), audit.count("identity.restore")) == (4, 4)


def test_funnel_as_of_a_time_knows_no_later_edge(iafa: Command, shop: str) -> None:
    assert converted(iafa, shop, as_of="2026-11-01T12:15:00Z") == 1
    assert converted(iafa, shop, as_of="2026-11-01T13:00:00Z") == 2


def test_event_that_joined_nobody_is_named(iafa: Command, shop: str) -> None:
    said = iafa("identity", "revoke", shop, "login", "2")
    assert said.code == 2
    assert "'2'" in said.err
    assert converted(iafa, shop) == 2, "all or nothing"

"""`iafa identity`: edges are listed, revoked and restored, and a funnel follows."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from iafa.cli.options import house_at, run
from iafa.query.definition_reading import parse_definition
from iafa.query.drivers import DriversQuestion
from iafa.query.people import PeopleQuestion
from iafa.query.question import Extras, question_of
from iafa.query.time_range import resolve_time_range
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


VISIT_AND_ORDER = [{"name": name, "event": name} for name in ("visit", "order")]


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


def test_no_question_as_of_a_time_follows_a_later_edge(iafa: Command, shop: str) -> None:
    """Old visited at 9 and ordered as new at 12; at 12:30 they became one. Ann is one in any case."""
    before, after, now = (run_asked(shop, at) for at in ("2026-11-01T12:15:00Z", "2026-11-01T13:00:00Z", None))
    assert before.pop("receipt") == ("2026-11-01T12:15:00.000000Z", "2026-11-01T12:15:00.000000Z")
    assert after.pop("receipt") == ("2026-11-01T13:00:00.000000Z", "2026-11-01T13:00:00.000000Z")
    assert now.pop("receipt")[1] is None
    edges = (before.pop("edges"), after.pop("edges"), now.pop("edges"))
    assert edges[0] < edges[1] == edges[2]
    assert set(before.values()) == {1}
    assert set(after.values()) == {2}
    assert now == after


def run_asked(project_id: str, as_of: str | None) -> dict[str, Any]:
    """By kind of question, how many it says have visited and then ordered."""
    house = house_at(None)

    async def ask() -> dict[str, Any]:
        over = {} if as_of is None else {"as_of": as_of}
        definition = parse_definition({"name": "f", "stages": VISIT_AND_ORDER, **over})
        visit = parse_definition({"name": "f", "stages": VISIT_AND_ORDER[:1], **over})
        everything, extras = resolve_time_range(), Extras(frozenset({"receipt"}))
        snapshot = await house.snapshot(project_id)
        answer = await house.run_funnel(snapshot, definition, everything, None, extras)
        book = json.loads(await house.funnel_notebook(snapshot, definition, everything, None, extras))
        constants = "".join(next(cell["source"] for cell in book["cells"] if cell["id"] == "constants"))
        people = PeopleQuestion(definition, everything, 2, "converted")
        page = await house.people_page(snapshot, people, None, 10)
        exported = [row async for rows in await house.people_export(snapshot, people) for row in rows]
        told = await house.explain(snapshot, definition, everything, "old", 3_600)
        steps = await house.next_steps(snapshot, visit, everything, Extras(), 10)
        drivers = DriversQuestion(
            question_of(definition, everything, house.clock.now_us()), landmark_s=0, include_open=True
        )
        step = (await house.drivers(snapshot, drivers, None))["step"]
        receipt = answer["receipt"]
        return {
            "receipt": (receipt["as_of"], receipt["identity_as_of"]),
            "edges": receipt["identity_edges"],
            "funnel": answer["stages"][-1]["users"],
            "notebook": int(re.findall(r"'users': \[\d+, (\d+)\]", constants)[0]),
            "list": page.total,
            "export": len(exported),
            "explained": told["steps"],
            "next steps": sum(each["users"] for each in steps["next_steps"] if each["event"] == "order"),
            "drivers": step["converted"],
        }

    try:
        return run(ask)
    finally:
        house.engine.close()


def test_event_that_joined_nobody_is_named(iafa: Command, shop: str) -> None:
    said = iafa("identity", "revoke", shop, "login", "2")
    assert said.code == 2
    assert "'2'" in said.err
    assert converted(iafa, shop) == 2, "all or nothing"

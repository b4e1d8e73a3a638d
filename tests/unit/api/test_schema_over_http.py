"""The schema watch through the front door."""

import json
from typing import Any

import pytest

from iafa.api.schema_models import SchemaAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant


def put(room: Room, tenant: Tenant, *properties: dict[str, Any]) -> None:
    room.events[tenant.project.id] = [
        {
            **{"id": f"e{number}", "event_type": "buy", "user_id": "u", "user_hash": 1},
            **{"created_at": to_datetime(NOON_US + number), "properties": json.dumps(one)},
        }
        for number, one in enumerate(properties)
    ]


async def test_types_and_conflicts_are_told(room: Room, ada: Tenant, eve: Tenant) -> None:
    put(room, ada, {"price": 5, "plan": "pro"}, {"price": "5 EUR"})
    put(room, eve, {"secret": 1})
    async with room.client(ada.bearer) as client:
        said = (await client.get(f"/api/v1/projects/{ada.project.id}/schema")).json()
    SchemaAnswer.model_validate(said)
    (one,) = said["event_types"]
    assert (one["event_type"], one["events"], one["properties_total"]) == ("buy", 2, 2)
    assert [(each["name"], each["events"], each["is_conflict"]) for each in one["properties"]] == [
        ("price", 2, True),
        ("plan", 1, False),
    ]


@pytest.mark.parametrize("days", ["0", "3661", "x", "1.5"])
async def test_wrong_days_are_refused(room: Room, ada: Tenant, days: str) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.get(f"/api/v1/projects/{ada.project.id}/schema", params={"days": days})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/days")

"""Autocomplete of properties and values, and who is there now, through the front door."""

import json
from pathlib import Path
from typing import Any

import pytest

from iafa.query.properties import newest, property_list, value_list
from tests.support.report_lake import report_lake
from tests.unit.api.house import Room, Tenant
from tests.unit.query.rows import an_engine

EVENTS = [
    {"event_type": "buy", "properties": '{"plan":"pro","total":20,"Coupon":null}', "browser": "Firefox"},
    {"event_type": "buy", "properties": '{"plan":"free","total":7.5,"tags":["a"]}', "browser": "Chrome"},
    {"event_type": "buy", "properties": '{"plan":"pro","total":"20"}', "browser": "Chrome"},
    {"event_type": "visit", "properties": '{"browser":"mine","path":"/a"}', "browser": "Safari"},
]


async def ask(room: Room, ada: Tenant, path: str, **params: Any) -> Any:
    room.events[ada.project.id] = EVENTS
    async with room.client(ada.key("secret")) as client:
        return await client.get(f"/api/v1/analytics/{path}", params={"project_id": ada.project.id, **params})


async def test_properties_with_types_most_frequent_first(room: Room, ada: Tenant) -> None:
    answer = (await ask(room, ada, "properties")).json()
    shown = [(one["name"], one["filter"], one["events"], one["types"]) for one in answer["properties"]]
    assert shown == [
        ("plan", "plan", 3, ["text"]),
        ("total", "total", 3, ["number", "text"]),
        ("Coupon", "Coupon", 1, ["null"]),
        ("browser", "property:browser", 1, ["text"]),
        ("path", "path", 1, ["text"]),
        ("tags", "tags", 1, ["list"]),
    ]
    columns = {one["name"]: one["filter"] for one in answer["columns"]}
    assert columns["browser"] == "column:browser"
    assert columns["channel"] == "column:channel"
    assert columns["page"] == "column:page"
    assert (answer["rows_read"], answer["is_complete"]) == (4, True)


async def test_properties_are_found_by_a_part_and_of_an_event(room: Room, ada: Tenant) -> None:
    answer = (await ask(room, ada, "properties", q="P", event_type="buy", limit=2)).json()
    assert [one["name"] for one in answer["properties"]] == ["plan", "Coupon"]
    assert "ip_address" in [one["name"] for one in answer["columns"]]


@pytest.mark.parametrize("name", ["property:plan", "column:browser", "column:", "user_id", "a:b"])
async def test_a_property_is_offered_by_a_name_that_finds_it(room: Room, ada: Tenant, name: str) -> None:
    room.events[ada.project.id] = [
        {"event_type": "buy", "properties": json.dumps({name: "mine"}), "browser": "Chrome"},
        {"event_type": "buy", "properties": json.dumps({"plan": "pro"}), "browser": "Chrome"},
    ]
    asked = {"project_id": ada.project.id}
    async with room.client(ada.key("secret")) as client:
        listed = (await client.get("/api/v1/analytics/properties", params={**asked, "q": name})).json()
        offered = next(one["filter"] for one in listed["properties"] if one["name"] == name)
        params = {**asked, "property": offered}
        values = (await client.get("/api/v1/analytics/properties/values", params=params)).json()["values"]
        filters = json.dumps([{"property": offered, "op": "exists"}])
        events = (await client.get("/api/v1/events", params={**asked, "filters": filters})).json()["events"]
    assert [one["value"] for one in values] == ["mine"]
    assert [one["properties"] for one in events] == [{name: "mine"}]


@pytest.mark.parametrize(
    ("params", "values"),
    [
        ({"property": "plan"}, [("pro", 2), ("free", 1)]),
        ({"property": "total"}, [("20", 2), ("7.5", 1)]),
        ({"property": "plan", "q": "FR"}, [("free", 1)]),
        ({"property": "column:browser"}, [("Chrome", 2), ("Firefox", 1), ("Safari", 1)]),
        ({"property": "browser"}, [("Chrome", 2), ("Firefox", 1), ("mine", 1)]),
        ({"property": "column:browser", "event_type": "visit"}, [("Safari", 1)]),
        ({"property": "tags"}, []),
        ({"property": "it's $.x"}, []),
    ],
)
async def test_values(room: Room, ada: Tenant, params: dict[str, str], values: list[tuple[str, int]]) -> None:
    answer = (await ask(room, ada, "properties/values", **params)).json()
    assert [(one["value"], one["events"]) for one in answer["values"]] == values


@pytest.mark.parametrize("name", ["column:nothing", "property:", " "])
async def test_a_name_that_cannot_be_is_refused(room: Room, ada: Tenant, name: str) -> None:
    answer = await ask(room, ada, "properties/values", property=name)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/property"


def test_only_the_newest_files_are_read(tmp_path: Path) -> None:
    shop = report_lake(tmp_path / "data", events=300)
    engine = an_engine(tmp_path / "engine")
    try:
        everything = property_list(engine, shop.snapshot)
        assert everything["is_complete"]
        few = newest(shop.snapshot, 60)
        assert 0 < few.rows < shop.snapshot.rows
        kept = {file.path for file in few.entries or ()}
        left = [file for file in shop.snapshot.entries or () if file.path not in kept]
        assert min(file.last_created_us for file in few.entries or ()) >= max(file.last_created_us for file in left)
        plans = value_list(engine, shop.snapshot, "plan")
        expected = [event["properties"].get("plan") for event in shop.events]
        assert {one["value"]: one["events"] for one in plans["values"]} == {
            plan: expected.count(plan) for plan in ("free", "pro", "")
        }
    finally:
        engine.close()


async def test_who_is_there_now(room: Room, ada: Tenant) -> None:
    now_us = room.clock.now_us()
    room.events[ada.project.id] = [
        {"event_type": "page_view", "user_id": "here", "created_at": now_us - 10_000_000},
        {"event_type": "buy", "user_id": "here", "created_at": now_us - 5_000_000},
        {"event_type": "page_view", "user_id": "robot", "created_at": now_us - 299_000_000, "is_bot": True},
        {"event_type": "page_view", "user_id": "gone", "created_at": now_us - 301_000_000},
        {"event_type": "page_view", "user_id": "of a fast clock", "created_at": now_us + 60_000_000},
    ]
    asked = {"project_id": ada.project.id}
    async with room.client(ada.key("secret")) as client:
        everybody = await client.get("/api/v1/analytics/present", params=asked)
        people = await client.get("/api/v1/analytics/present", params={**asked, "exclude_bots": True})
        mistyped = await client.get("/api/v1/analytics/present", params={**asked, "start_date": "2026-01-01"})
    assert everybody.json() == {"people": 2, "page_views": 2, "seconds": 300}
    assert people.json() == {"people": 1, "page_views": 1, "seconds": 300}
    assert mistyped.status_code == 422

"""Paths and journeys through the front door: by address and by body, as a file, page by page, and who may not ask."""

import csv
import io
import json
from typing import Any

import pytest

from iafa.api.flow_models import JourneyAnswer, PathsAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

PATHS = "/api/v1/analytics/paths"
JOURNEY = "/api/v1/analytics/journey"
MINUTE_US = 60_000_000
WAYS = {"ann": "home search cart pay", "bea": "home search search home", "cid": "home cart"}
FUNNEL = {"name": "Buy", "stages": [{"name": "Cart", "event": "cart"}, {"name": "Pay", "event": "pay"}]}


def shop(room: Room, tenant: Tenant) -> None:
    room.events[tenant.project.id] = [
        {
            "id": f"{user}-{place}",
            "event_type": name,
            "user_id": user,
            "user_hash": sum(user.encode()),
            "created_at": to_datetime(NOON_US - 10**12 + place * MINUTE_US),
        }
        for user, names in WAYS.items()
        for place, name in enumerate(names.split())
    ]


def links_of(answer: dict[str, Any]) -> dict[tuple[str, str], int]:
    names = [node["name"] for node in answer["nodes"]]
    return {(names[link["source"]], names[link["target"]]): link["value"] for link in answer["links"]}


async def test_by_address_and_by_body(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {"project_id": ada.project.id, "start": "search", "depth": 3, "top": 2}
    async with room.client(ada.key("secret")) as client:
        got = await client.get(PATHS, params=asked)
        posted = await client.post(PATHS, json=asked)
        back = await client.get(PATHS, params={"project_id": ada.project.id, "end": '{"event": "cart"}', "depth": 2})
        alone = await client.get(
            PATHS, params={"project_id": ada.project.id, "include_events": ["home", "pay"], "collapse": "false"}
        )
        table = await client.get(PATHS, params={**asked, "format": "csv"})
    assert got.status_code == 200, got.text
    answer = got.json()
    PathsAnswer.model_validate(answer)
    assert answer | {"elapsed_ms": 0} == posted.json() | {"elapsed_ms": 0}
    assert (answer["entities"], answer["unit"], answer["direction"]) == (2, "session", "forward")
    assert links_of(answer) == {
        ("search", "cart"): 1,
        ("search", "home"): 1,
        ("cart", "pay"): 1,
        ("home", "(exit)"): 1,
        ("pay", "(exit)"): 1,
    }
    assert links_of(back.json()) == {("search", "cart"): 1, ("home", "cart"): 1, ("(entry)", "home"): 1}
    assert [path["names"] for path in alone.json()["paths"]] == [["home"], ["home", "home"], ["home", "pay"]]
    assert len(list(csv.DictReader(io.StringIO(table.text)))) == len(answer["links"])


async def test_after_a_drop_off_of_a_saved_funnel(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        made = (await client.post("/api/v1/funnels", json={**FUNNEL, "project_id": ada.project.id})).json()
        drop = {"funnel_id": made["id"], "stage": 1}
        asked: dict[str, Any] = {"project_id": ada.project.id, "after_drop": drop}
        saved = (await client.post(PATHS, json=asked)).json()
        by_get = (await client.get(PATHS, params={**asked, "after_drop": json.dumps(drop)})).json()
        free = (await client.post(PATHS, json={**asked, "after_drop": {"funnel": FUNNEL, "stage": 1}})).json()
        gone = await client.post(PATHS, json={**asked, "after_drop": {"funnel_id": "zzzzzzzzzzzzzzzzzzzz", "stage": 1}})
    assert (saved["entities"], [path["names"] for path in saved["paths"]]) == (1, [["cart"]])
    for other in (by_get, free):
        assert other["nodes"] == saved["nodes"]
    assert gone.status_code == 404
    async with room.client(eve.bearer) as client:
        stolen = await client.post(PATHS, json={"project_id": eve.project.id, "after_drop": drop})
    assert stolen.status_code == 404


async def test_a_journey_page_by_page(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {"project_id": ada.project.id, "user_id": "ann", "limit": 3}
    async with room.client(ada.bearer) as client:
        first = (await client.get(JOURNEY, params=asked)).json()
        JourneyAnswer.model_validate(first)
        second = (await client.get(JOURNEY, params={**asked, "cursor": first["next_cursor"]})).json()
        foreign = await client.get(JOURNEY, params={**asked, "user_id": "bea", "cursor": first["next_cursor"]})
        nobody = await client.get(JOURNEY, params={**asked, "user_id": "zoe"})
    shown = [event for answer in (first, second) for part in answer["sessions"] for event in part["events"]]
    assert [event["event"] for event in shown] == WAYS["ann"].split()
    assert [event["gap_s"] for event in shown] == [None, 60.0, 60.0, 60.0]
    assert first["sessions"][0]["session_start"] == second["sessions"][0]["session_start"]
    assert second["next_cursor"] is None
    assert (foreign.status_code, foreign.json()["errors"][0]["code"]) == (422, "invalid_cursor")
    assert nobody.status_code == 404


REFUSED: dict[str, tuple[str, dict[str, str], str]] = {
    "depth": (PATHS, {"depth": "11"}, "/depth"),
    "unit": (PATHS, {"unit": "device"}, "/unit"),
    "broken JSON": (PATHS, {"after_drop": "{"}, "/after_drop"),
    "no object": (PATHS, {"after_drop": "5"}, "/after_drop"),
    "both funnels": (
        PATHS,
        {"after_drop": json.dumps({"funnel_id": "a", "funnel": FUNNEL, "stage": 1})},
        "/after_drop/funnel_id",
    ),
    "an unknown parameter": (PATHS, {"interval": "day"}, "/interval"),
    "limit": (JOURNEY, {"user_id": "ann", "limit": "1001"}, "/limit"),
    "no user": (JOURNEY, {}, "/user_id"),
    "a wrong day": (JOURNEY, {"user_id": "ann", "start_date": "x"}, "/start_date"),
}


@pytest.mark.parametrize(("url", "fields", "pointer"), REFUSED.values(), ids=REFUSED)
async def test_wrong_questions_are_refused(
    room: Room, ada: Tenant, url: str, fields: dict[str, str], pointer: str
) -> None:
    async with room.client(ada.bearer) as client:
        refused = await client.get(url, params={"project_id": ada.project.id, **fields})
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize("url", [PATHS, JOURNEY])
async def test_nobody_else_may_ask(room: Room, ada: Tenant, eve: Tenant, url: str) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {"project_id": ada.project.id} | ({"user_id": "ann"} if url == JOURNEY else {})
    async with room.client(eve.bearer) as client:
        assert (await client.get(url, params=asked)).status_code == 404
    async with room.client(ada.key("write")) as client:
        assert (await client.get(url, params=asked)).status_code == 403

"""Drivers through the front door: the saved and the free question, what is refused, and who may not ask."""

from typing import Any

import pytest

from iafa.api.driver_models import DriversAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]
THEN_US = NOON_US - 30 * 86_400 * 1_000_000
URL = "/api/v1/analytics/funnel/drivers"


def question(tenant: Tenant, **over: Any) -> dict[str, Any]:
    return {"project_id": tenant.project.id, "name": "Checkout", "stages": STAGES, **over}


def shop(room: Room, tenant: Tenant) -> None:
    """Of 200 carts every second one is on Safari, where few buy; every fifth one has a coupon, which does nothing."""
    events = []
    for person in range(200):
        is_safari = person % 2 == 0
        cart = {
            "event_type": "add_to_cart",
            "user_id": f"user-{person}",
            "created_at": to_datetime(THEN_US + person * 1_000_000),
            "browser": "Safari" if is_safari else "Firefox",
            "properties": '{"coupon":"yes"}' if person % 5 == 0 else "{}",
        }
        events.append(cart)
        if person % (14 if is_safari else 3) == 0:
            events.append(cart | {"event_type": "purchase", "created_at": to_datetime(THEN_US + 10**9)})
    room.events[tenant.project.id] = events


async def test_a_planted_cause_is_found_through_the_front_door(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.key("secret")) as client:
        asked = await client.post(URL, json=question(ada, limit=1))
        assert asked.status_code == 200, asked.text
        answer = asked.json()
        bars = (await client.post("/api/v1/analytics/funnel", json=question(ada))).json()["stages"]
    DriversAnswer.model_validate(answer)
    step = answer["step"]
    assert [step["people"], step["converted"]] == [bar["users"] for bar in bars]
    assert (step["from_name"], step["to_name"], step["left_out_open"]) == ("Cart", "Pay", 0)
    (found,) = answer["drivers"]
    assert found["name"] == "browser"
    assert found["is_significant"]
    assert found["with_it"]["people"] + found["without"]["people"] == step["people"]
    assert answer["findings"] == 1
    assert answer["factors_tested"] > 1
    assert answer["correction"] == "holm"
    assert answer["funnel_id"] is None


async def test_a_saved_funnel_is_asked_the_same(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()
        url = f"/api/v1/analytics/funnel/{funnel['id']}/drivers"
        saved = (await client.get(f"{url}?stage=1&lookback_seconds=0&landmark_seconds=0&limit=500")).json()
        body = question(ada, stage=1, lookback_seconds=0, landmark_seconds=0, limit=500)
        free = (await client.post(URL, json=body)).json()
        assert saved["funnel_id"] == funnel["id"]
        for left in ("funnel_id", "elapsed_ms"):
            saved.pop(left), free.pop(left)
        assert saved == free
        assert (await client.get(f"{url}?start_date=2025-11-21")).json()["step"]["people"] == 0
        assert (await client.get(f"{url}?stage=1&window_seconds=1")).json()["step"]["converted"] == 0


async def test_carts_of_the_last_week_are_left_out(room: Room, ada: Tenant) -> None:
    room.events[ada.project.id] = [
        {
            "event_type": "add_to_cart",
            "user_id": f"user-{day}",
            "created_at": to_datetime(NOON_US - day * 86_400 * 10**6),
        }
        for day in range(20)
    ]
    async with room.client(ada.bearer) as client:
        step = (await client.post(URL, json=question(ada))).json()["step"]
        assert (step["people"], step["left_out_open"], step["open"]) == (12, 8, 0)
        step = (await client.post(URL, json=question(ada, include_open=True))).json()["step"]
        assert (step["people"], step["left_out_open"], step["open"]) == (20, 0, 8)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "stage 0": ({"stage": 0}, "/stage"),
    "the last stage": ({"stage": 2}, "/stage"),
    "stage as a text": ({"stage": "1"}, "/stage"),
    "stage as true": ({"stage": True}, "/stage"),
    "lookback too long": ({"lookback_seconds": 31_536_001}, "/lookback_seconds"),
    "lookback negative": ({"lookback_seconds": -1}, "/lookback_seconds"),
    "landmark beyond the window": ({"landmark_seconds": 604_800}, "/landmark_seconds"),
    "landmark as a fraction": ({"landmark_seconds": 1.5}, "/landmark_seconds"),
    "open as a number": ({"include_open": 1}, "/include_open"),
    "open and mature": ({"include_open": True, "mature_only": True}, "/include_open"),
    "limit 0": ({"limit": 0}, "/limit"),
    "limit too high": ({"limit": 501}, "/limit"),
    "totals": ({"count": "totals"}, "/count"),
    "sessions": ({"unit": "session"}, "/unit"),
    "hold": ({"hold": ["order_id"]}, "/hold"),
    "one stage": ({"stages": STAGES[:1]}, "/stages"),
    "an unknown field": ({"include": ["times"]}, "/include"),
    "a wrong day": ({"start_date": "yesterday"}, "/start_date"),
}


@pytest.mark.parametrize(("over", "pointer"), REFUSED.values(), ids=REFUSED)
async def test_wrong_questions_are_refused(room: Room, ada: Tenant, over: dict[str, Any], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        refused = await client.post(URL, json=question(ada, **over))
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


@pytest.mark.parametrize(
    "query", ["stage=0", "stage=20", "stage=x", "lookback_seconds=-1", "limit=0", "include_open=2"]
)
async def test_wrong_addresses_are_refused(room: Room, ada: Tenant, query: str) -> None:
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()["id"]
        refused = await client.get(f"/api/v1/analytics/funnel/{funnel}/drivers?{query}")
    assert refused.status_code == 422, refused.text


async def test_other_tenants_learn_nothing(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()["id"]
    for headers in (eve.bearer, eve.key("secret")):
        async with room.client(headers) as client:
            assert (await client.get(f"/api/v1/analytics/funnel/{funnel}/drivers")).status_code == 404
            assert (await client.post(URL, json=question(ada))).status_code == 404
    async with room.client(ada.key("write")) as client:
        assert (await client.get(f"/api/v1/analytics/funnel/{funnel}/drivers")).status_code == 403
        assert (await client.post(URL, json=question(ada))).status_code == 403

"""Receipts through the front door: both forms, who may not see them, and what is refused."""

import json
from typing import Any

import pytest

from iafa.api.receipt_models import ReceiptAnswer
from iafa.clock import to_datetime
from tests.support.notebooks import check_format
from tests.unit.api.house import NOON_US, Room, Tenant

STAGES = [{"name": "Cart", "event": "add_to_cart"}, {"name": "Pay", "event": "purchase"}]
URL = "/api/v1/analytics/funnel/receipt"


def question(tenant: Tenant, **over: Any) -> dict[str, Any]:
    return {"project_id": tenant.project.id, "name": "Checkout", "stages": STAGES, **over}


def shop(room: Room, tenant: Tenant) -> None:
    room.events[tenant.project.id] = [
        {"event_type": name, "user_id": f"user-{number}", "created_at": to_datetime(NOON_US + number * 10 + place)}
        for number in range(9)
        for place, name in enumerate(("add_to_cart", "purchase")[: 1 + number % 2])
    ]


async def test_the_receipt_is_a_member_of_the_answer_where_it_is_asked_for(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.key("secret")) as client:
        plain = (await client.post("/api/v1/analytics/funnel", json=question(ada))).json()
        assert "receipt" not in plain
        body = question(ada, include=["times", "receipt"])
        asked = (await client.post("/api/v1/analytics/funnel", json=body)).json()
        assert asked["receipt"]["method"] == "paths"
        receipt = (await client.post(URL, json=question(ada))).json()
    assert receipt["stages"] == asked["stages"] == plain["stages"]
    shown = receipt["receipt"]
    ReceiptAnswer.model_validate(shown)
    assert set(shown) == {field.alias or name for name, field in ReceiptAnswer.model_fields.items()}
    assert shown["method"] == "sql"
    assert "'add_to_cart'" in shown["sql"]
    assert "$" not in shown["sql"]
    assert shown["tail_rows"] == shown["events_in_range"] == 13


async def test_a_saved_funnels_receipt_in_both_forms(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada, name='../"x\n'.replace("\n", " ")))).json()
        url = f"/api/v1/analytics/funnel/{funnel['id']}/receipt"
        answer = (await client.get(url, params={"start_date": "2025-11-21", "window_seconds": 0})).json()
        assert [stage["users"] for stage in answer["stages"]] == [9, 0]
        assert answer["funnel_id"] == funnel["id"]
        assert answer["receipt"]["range"]["from"] == "2025-11-21T00:00:00.000000Z"
        assert answer["receipt"]["range"]["to"] is None
        notebook = await client.get(url, params={"format": "notebook"})
    assert notebook.headers["content-type"] == "application/x-ipynb+json"
    name = f'attachment; filename="funnel-receipt-{ada.project.id}.ipynb"'
    assert notebook.headers["content-disposition"] == name
    check_format(notebook.json())


async def test_nobody_elses_receipt_can_be_read(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    async with room.client(ada.bearer) as client:
        funnel = (await client.post("/api/v1/funnels", json=question(ada))).json()
    url = f"/api/v1/analytics/funnel/{funnel['id']}/receipt"
    for headers, status in (({}, 401), (eve.bearer, 404), (eve.key("secret"), 404), (ada.key("write"), 403)):
        async with room.client(headers) as client:
            assert (await client.get(url)).status_code == status
            assert (await client.get(url, params={"format": "notebook"})).status_code == status
            assert (await client.post(URL, json=question(ada, format="notebook"))).status_code == status


async def test_a_receipt_names_only_files_of_its_project(room: Room, ada: Tenant, eve: Tenant) -> None:
    shop(room, ada)
    shop(room, eve)
    async with room.client(ada.bearer) as client:
        text = (await client.post(URL, json=question(ada, format="notebook"))).text
        text += (await client.post(URL, json=question(ada))).text
    assert eve.project.id not in text
    assert str(room.data_dir) not in text


@pytest.mark.parametrize(
    ("over", "pointer"),
    [({"format": "pdf"}, "/format"), ({"include": ["all"]}, "/include"), ({"start_date": "x"}, "/start_date")],
)
async def test_what_a_receipt_refuses(room: Room, ada: Tenant, over: dict[str, Any], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post(URL, json=question(ada, **over))
    assert answer.status_code == 422
    assert [error["pointer"] for error in json.loads(answer.content)["errors"]] == [pointer]


@pytest.mark.parametrize("include", [True, 1, -1, 1e308, "times", {"times": 1}, [[]], ["nothing"]])
@pytest.mark.parametrize("url", [URL, "/api/v1/analytics/funnel"])
async def test_members_that_are_no_list_of_names_are_refused(room: Room, ada: Tenant, url: str, include: Any) -> None:
    async with room.client(ada.bearer) as client:
        refused = await client.post(url, json=question(ada, include=include))
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_query")
    assert refused.json()["errors"][0]["pointer"] == "/include"

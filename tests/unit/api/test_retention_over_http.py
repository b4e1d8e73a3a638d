"""Retention through the front door: by address and by body, as a file, and who may not ask."""

import csv
import io
import json
from typing import Any

import pyarrow.parquet as pq
import pytest

from iafa.api.retention_models import RetentionAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

URL = "/api/v1/analytics/retention"
DAY_US = 86_400_000_000
THEN_US = NOON_US - 10 * DAY_US
RANGE: dict[str, Any] = {"start_date": "2025-11-11", "end_date": "2025-11-12"}


def shop(room: Room, tenant: Tenant) -> None:
    """Two of three people who sign up on the 11th come back on the next day, one of them on a phone."""
    rows = [
        *(("ann", "signup", 0, "web"), ("bea", "signup", 0, "web"), ("cid", "signup", 0, "phone")),
        *(("ann", "visit", 1, "web"), ("cid", "visit", 1, "phone"), ("ann", "visit", 2, "web")),
        ("dan", "signup", 1, "phone"),
    ]
    room.events[tenant.project.id] = [
        {
            "id": f"e{number}",
            "event_type": name,
            "user_id": user,
            "created_at": to_datetime(THEN_US + day * DAY_US),
            "properties": json.dumps({"device": device}),
        }
        for number, (user, name, day, device) in enumerate(rows)
    ]
    for row in room.events[tenant.project.id]:
        row["user_hash"] = sum(row["user_id"].encode())


async def test_by_address_and_by_body(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {**RANGE, "project_id": ada.project.id, "start": "signup", "periods": 2}
    async with room.client(ada.key("secret")) as client:
        got = await client.get(URL, params={**asked, "breakdown": "device", "breakdown_limit": 1})
        body = {**asked, "breakdown": {"property": "device", "limit": 1}}
        posted = await client.post(URL, json=body)
        matched = await client.get(URL, params={**asked, "start": '{"event": "signup"}', "return": "visit"})
    assert got.status_code == 200, got.text
    answer = got.json()
    RetentionAnswer.model_validate(answer)
    assert answer | {"elapsed_ms": 0} == posted.json() | {"elapsed_ms": 0}
    assert (answer["report"], answer["people"], answer["return"]) == ("retention", 4, "any event")
    first, second = answer["cohorts"]
    assert (first["bucket"], first["size"], second["size"]) == ("2025-11-11", 3, 1)
    assert [(cell["people"], cell["percent"]) for cell in first["cells"]] == [(0, 0.0), (2, 66.67), (1, 33.33)]
    assert [group["value"] for group in answer["breakdown"]["groups"]] == ["phone", None]
    assert [group["people"] for group in answer["breakdown"]["groups"]] == [2, 2]
    assert matched.json()["averages"][1]["percent"] == 50.0


async def test_as_files(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {**RANGE, "project_id": ada.project.id, "start": "signup", "periods": 1}
    async with room.client(ada.bearer) as client:
        files = {one: await client.get(URL, params={**asked, "format": one}) for one in ("csv", "ndjson", "parquet")}
    rows = list(csv.DictReader(io.StringIO(files["csv"].text)))
    assert [row["people"] for row in rows] == ["0", "2", "0", "0"]
    lines = [json.loads(line) for line in files["ndjson"].text.splitlines()]
    assert lines[1] == {
        **{"bucket": "2025-11-11", "size": 3, "period": 1, "people": 2, "percent": 66.67, "is_open": False}
    }
    assert pq.read_table(io.BytesIO(files["parquet"].content)).to_pylist() == lines


async def test_compared_and_with_a_receipt(room: Room, ada: Tenant) -> None:
    shop(room, ada)
    asked: dict[str, Any] = {"project_id": ada.project.id, "start": "signup", "start_date": "2025-11-12"}
    async with room.client(ada.bearer) as client:
        body = {**asked, "end_date": "2025-11-12", "include": ["compare", "receipt"]}
        answer = (await client.post(URL, json=body)).json()
    assert (answer["people"], answer["compare"]["people"]) == (1, 3)
    assert "Who of each cohort came back" in answer["receipt"]["sql"]


REFUSED: dict[str, tuple[dict[str, str], str]] = {
    "no start": ({}, "/start"),
    "broken JSON": ({"start": "{"}, "/start"),
    "a wrong matcher": ({"start": '{"page": "x"}'}, "/start/page"),
    "interval": ({"start": "a", "interval": "hour"}, "/interval"),
    "periods": ({"start": "a", "periods": "61"}, "/periods"),
    "an unknown column": ({"start": "a", "breakdown": "column:secret"}, "/breakdown/property"),
    "a limit alone": ({"start": "a", "breakdown_limit": "3"}, "/breakdown/property"),
    "an unknown parameter": ({"start": "a", "end": "b"}, "/end"),
}


@pytest.mark.parametrize(("fields", "pointer"), REFUSED.values(), ids=REFUSED)
async def test_wrong_questions_are_refused(room: Room, ada: Tenant, fields: dict[str, str], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        refused = await client.get(URL, params={"project_id": ada.project.id, **fields})
    assert refused.status_code == 422, refused.text
    assert [error["pointer"] for error in refused.json()["errors"]] == [pointer]


async def test_nobody_else_may_ask(room: Room, ada: Tenant, eve: Tenant) -> None:
    asked = {"project_id": ada.project.id, "start": "signup"}
    async with room.client(eve.bearer) as client:
        answers = [await client.get(URL, params=asked), await client.post(URL, json=asked)]
    assert [answer.status_code for answer in answers] == [404, 404]
    async with room.client(ada.key("write")) as client:
        assert (await client.get(URL, params=asked)).status_code == 403

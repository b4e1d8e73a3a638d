"""Anomalies through the front door: a planted drop in words, as JSON and as a file, and what is refused."""

import csv
import io
from datetime import timedelta

from iafa.api.anomaly_models import AnomaliesAnswer
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

URL = "/api/v1/analytics/anomalies"
DAYS, DROP = 40, 35


def shop(room: Room, tenant: Tenant) -> str:
    """Twenty purchases a day up to the present, two on one day; that day."""
    first = to_datetime(NOON_US) - timedelta(days=DAYS, hours=2)
    room.events[tenant.project.id] = [
        {"event_type": "purchase", "user_id": f"user-{place}", "created_at": first + timedelta(days=day, minutes=place)}
        for day in range(DAYS)
        for place in range(2 if day == DROP else 20 + day % 3)
    ]
    return (first + timedelta(days=DROP)).date().isoformat()


async def test_a_drop_is_told_over_http(room: Room, ada: Tenant) -> None:
    day = shop(room, ada)
    async with room.client(ada.key("secret")) as client:
        params = {"project_id": ada.project.id, "events": ["purchase"], "sensitivity": "high"}
        answered = await client.get(URL, params=params)
        assert answered.status_code == 200, answered.text
        asked = await client.post(URL, json={**params, "include": ["receipt"]})
        table = await client.post(URL, json={**params, "format": "csv"})
    answer = AnomaliesAnswer.model_validate(answered.json())
    (found,) = answer.findings
    assert (found.bucket, found.direction, found.value, found.event_type) == (day, "down", 2, "purchase")
    assert found.text.startswith('"purchase" fell to 2 on ')
    assert asked.json()["findings"] == answered.json()["findings"]
    assert "receipt" in asked.json()
    (row,) = csv.DictReader(io.StringIO(table.text))
    assert (row["bucket"], row["text"]) == (day, found.text)


async def test_a_wrong_question_and_a_stranger_are_refused(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        long = {"project_id": ada.project.id, "start_date": "2020-01-01"}
        wrong = await client.get(URL, params=long)
        assert (wrong.status_code, wrong.json()["errors"][0]["code"]) == (422, "range_too_long")
        assert (await client.get(URL, params={**long, "sensitivity": "extreme"})).status_code == 422
        foreign = await client.get(URL, params={"project_id": eve.project.id})
        assert foreign.status_code == 404

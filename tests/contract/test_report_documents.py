"""What the OpenAPI document says of reports: questions have the fields that are read, answers those that are sent."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel

from iafa.api.anomaly_models import AnomaliesAnswer, AnomaliesQuestion
from iafa.api.flow_models import PathsAnswer, PathsQuestion
from iafa.api.report_docs import ANOMALIES_BODY, OVERVIEW_BODY, PATHS_BODY, RETENTION_BODY, SESSIONS_BODY, TRENDS_BODY
from iafa.api.retention_models import RetentionAnswer, RetentionQuestion
from iafa.api.session_models import OverviewAnswer, OverviewQuestion, SessionsAnswer, SessionsQuestion
from iafa.api.trend_models import TrendsAnswer, TrendsQuestion
from iafa.clock import to_datetime
from tests.unit.api.house import NOON_US, Room, Tenant

DAYS = 40
REPORTS: dict[str, tuple[Mapping[str, Any], type[BaseModel], type[BaseModel]]] = {
    "trends": (TRENDS_BODY, TrendsQuestion, TrendsAnswer),
    "retention": (RETENTION_BODY, RetentionQuestion, RetentionAnswer),
    "paths": (PATHS_BODY, PathsQuestion, PathsAnswer),
    "sessions": (SESSIONS_BODY, SessionsQuestion, SessionsAnswer),
    "overview": (OVERVIEW_BODY, OverviewQuestion, OverviewAnswer),
    "anomalies": (ANOMALIES_BODY, AnomaliesQuestion, AnomaliesAnswer),
}


@pytest.fixture
def shop(tenant: tuple[Room, Tenant]) -> tuple[Room, Tenant]:
    """Six weeks of visits that search and buy; on one day far fewer."""
    room, ada = tenant
    first = to_datetime(NOON_US) - timedelta(days=DAYS)
    room.events[ada.project.id] = [
        {
            "id": f"{day}-{place}-{name}",
            "event_type": name,
            "user_id": f"user-{place}",
            "user_hash": place,
            "url": "https://shop.example/a",
            "country": "AT",
            "created_at": first + timedelta(days=day, minutes=minute),
            "properties": json.dumps({"plan": "pro"}),
        }
        for day in range(DAYS)
        for place in range(2 if day == DAYS - 3 else 8 + day % 3)
        for minute, name in enumerate(("page_view", "search", "purchase"))
    ]
    return room, ada


@pytest.mark.parametrize("name", REPORTS)
async def test_a_report_has_the_documented_fields(shop: tuple[Room, Tenant], name: str) -> None:
    room, ada = shop
    body, question, answer = REPORTS[name]
    example = body["requestBody"]["content"]["application/json"]["examples"]["october"]["value"]
    include = ["receipt"] if name == "anomalies" else ["receipt", "compare"]
    asked = {**example, "project_id": ada.project.id, "start_date": "2025-11-10", "end_date": "2025-11-19"}
    question.model_validate(asked | {"include": include})
    async with room.client(ada.key("secret")) as client:
        said = await client.post(f"/api/v1/analytics/{name}", json=asked | {"include": include})
        unknown = await client.post(f"/api/v1/analytics/{name}", json={**asked, **dict.fromkeys("xy", 1)})
        every = {field.alias or key: None for key, field in question.model_fields.items() if not field.is_required()}
        named = await client.post(f"/api/v1/analytics/{name}", json={**every, **asked})
    assert said.status_code == 200, said.text
    shown = answer.model_validate(said.json())
    assert shown.model_dump(by_alias=True, exclude_unset=True) == said.json()
    assert {"receipt", "compare"} & set(said.json()) == set(include)
    assert {error["code"] for error in unknown.json()["errors"]} == {"unknown_field"}
    unread = [error for error in named.json().get("errors", ()) if error["code"] == "unknown_field"]
    assert not unread, "the document names what is not read"


@pytest.mark.parametrize("name", REPORTS)
@pytest.mark.parametrize(
    "far", [{"start_date": "9999-12-31"}, {"start_date": "2999-01-01"}, {"end_date": "1960-01-01"}]
)
async def test_a_range_before_or_after_all_data_has_an_empty_answer(
    shop: tuple[Room, Tenant], name: str, far: dict[str, str]
) -> None:
    room, ada = shop
    least: dict[str, dict[str, Any]] = {"trends": {"series": [{"event": "*"}]}, "retention": {"start": "purchase"}}
    async with room.client(ada.bearer) as client:
        asked = {"project_id": ada.project.id, **far, **least.get(name, {})}
        said = await client.post(f"/api/v1/analytics/{name}", json=asked)
    assert said.status_code == 200, said.text
    assert not any(said.json().get(name) for name in ("buckets", "cohorts", "nodes", "findings"))

"""The OpenAPI document: complete, with examples, in step with the code and with what the server answers."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from iafa.api import account_models, funnel_models, project_models
from iafa.api.app import openapi_document
from iafa.api.problems import KINDS, MEDIA_TYPE
from iafa.api.server import EXTRA_ROUTERS
from tests.unit.api.house import PASSWORD, Room, Tenant

DOCUMENT = openapi_document(EXTRA_ROUTERS)
FRONTEND_COPY = Path(__file__).resolve().parents[2] / "frontend" / "openapi.json"


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


OPERATIONS = list(operations())
IDS = [name for name, _ in OPERATIONS]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=IDS)
def test_every_operation_is_explained(name: str, operation: dict[str, Any]) -> None:
    assert len(operation["summary"]) > 5
    assert len(operation["description"]) > 10
    assert operation["tags"]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=IDS)
def test_every_body_has_an_example(name: str, operation: dict[str, Any]) -> None:
    bodies = [operation["requestBody"]] if "requestBody" in operation else []
    bodies += [answer for answer in operation["responses"].values() if "content" in answer]
    for body in bodies:
        for kind, content in body["content"].items():
            if "json" in kind and "ndjson" not in kind:
                assert content.get("example") is not None or content.get("examples"), name


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=IDS)
def test_errors_are_problems_and_those_that_can_occur_are_listed(name: str, operation: dict[str, Any]) -> None:
    answers = operation["responses"]
    assert any(status.startswith("2") for status in answers)
    for status, answer in answers.items():
        if not status.startswith("2"):
            assert answer["content"][MEDIA_TYPE]["schema"] == {"$ref": "#/components/schemas/Problem"}
            assert "X-Request-Id" in answer["headers"]
    assert "500" in answers
    if operation["x-access"] not in ("public", "operator"):
        assert "401" in answers
    if "_id}" in name:
        assert "404" in answers
    if "requestBody" in operation:
        # Other tools' clients know no 422: what holds no message is a 400, and a bad message is refused alone.
        is_ours = operation["tags"] != ["other clients"]
        assert {"400", "413", "415"} | ({"422"} if is_ours else set()) <= set(answers)


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for _, operation in OPERATIONS]
    assert len(ids) == len(set(ids))


def test_every_reference_resolves() -> None:
    text = json.dumps(DOCUMENT)
    schemas = set(DOCUMENT["components"]["schemas"])
    refs = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert refs <= schemas
    assert "HTTPValidationError" not in schemas


def test_the_problem_schema_lists_every_code() -> None:
    problem = DOCUMENT["components"]["schemas"]["Problem"]
    assert problem["properties"]["code"]["enum"] == sorted(KINDS)


def test_the_frontends_copy_is_fresh() -> None:
    assert json.loads(FRONTEND_COPY.read_text()) == DOCUMENT, "run `python -m iafa openapi > frontend/openapi.json`"


def same_fields(body: Any, model: type[BaseModel]) -> None:
    """Every required field, and none that the document does not name."""
    model.model_validate(body)
    required = {name for name, field in model.model_fields.items() if field.is_required()}
    assert required <= set(body) <= set(model.model_fields), model.__name__


async def test_answers_have_exactly_the_documented_fields(tenant: tuple[Room, Tenant]) -> None:
    room, ada = tenant
    project = ada.project.id
    definition = {"project_id": project, "name": "Buy", "stages": [{"name": "A", "event": "a"}], "description": "x"}
    room.events[project] = [{"event_type": "a"}]
    async with room.client(ada.bearer) as client:
        login = await client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        same_fields(login.json(), account_models.SessionAnswer)
        same_fields((await client.get("/api/v1/auth/me")).json(), account_models.Me)
        owner = (await client.get("/api/v1/auth/key", headers=ada.key("secret"))).json()
        same_fields(owner, account_models.KeyOwner)
        assert (owner["project_id"], owner["project_name"]) == (project, ada.project.name)
        same_fields((await client.get(f"/api/v1/projects/{project}")).json(), project_models.ProjectAnswer)
        made = await client.post("/api/v1/projects", json={"name": "x"})
        same_fields(made.json(), project_models.ProjectCreated)
        keys = (await client.get(f"/api/v1/projects/{project}/keys")).json()
        same_fields(keys["keys"][0], project_models.KeyAnswer)
        code = await client.get(f"/api/v1/projects/{project}/tracking-code")
        same_fields(code.json(), project_models.TrackingCode)
        same_fields((await client.get(f"/api/v1/projects/{project}/status")).json(), project_models.ProjectStatus)
        funnel = (await client.post("/api/v1/funnels", json=definition)).json()
        same_fields(funnel, funnel_models.Funnel)
        answer = (await client.get(f"/api/v1/analytics/funnel/{funnel['id']}")).json()
        same_fields(answer, funnel_models.FunnelAnswer)
        same_fields(answer["stages"][0], funnel_models.OpenStageAnswer)
        names = (await client.get(f"/api/v1/analytics/event-names?project_id={project}")).json()
        same_fields(names, funnel_models.EventNameList)
        same_fields(names["event_names"][0], funnel_models.EventName)
        templates = (await client.get("/api/v1/funnel-templates")).json()["templates"]
        same_fields(templates[0], funnel_models.FunnelTemplate)


async def test_every_member_of_a_full_answer_is_documented(tenant: tuple[Room, Tenant]) -> None:
    room, ada = tenant
    events = [{"event_type": name, "user_id": user} for user in "uv" for name in "aob"]
    room.events[ada.project.id] = [event | {"properties": '{"p":"x"}'} for event in events] + [{"event_type": "a"}]
    stages: list[dict[str, Any]] = [{"name": name, "event": name} for name in "aob"]
    optional = [stages[0], stages[1] | {"optional": True}, stages[2]]
    asked: dict[str, Any] = {
        "project_id": ada.project.id,
        "name": "All",
        "breakdown": {"property": "p"},
        "trend": "day",
    }
    asked |= {"include": ["times", "trend", "breakdown", "compare", "receipt"], "exclusions": [{"event": "x"}]}
    asked |= {"exclusion_mode": "drop", "start_date": "2025-11-21", "end_date": "2025-11-21"}
    seen: set[str] = set()
    async with room.client(ada.bearer) as client:
        for over in ({"stages": optional}, {"stages": stages, "order": "unordered"}):
            said = await client.post("/api/v1/analytics/funnel", json=asked | over)
            assert said.status_code == 200, said.text
            shown = funnel_models.FunnelAnswer.model_validate(said.json())
            assert shown.model_dump(by_alias=True, exclude_unset=True) == said.json()
            seen |= set(said.json())
    assert seen == set(funnel_models.FunnelAnswer.model_fields)


async def test_the_documents_own_examples_work(tenant: tuple[Room, Tenant]) -> None:
    room, ada = tenant
    async with room.client(ada.bearer) as client:
        for path in ("/api/v1/funnels", "/api/v1/analytics/funnel"):
            content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
            example = content["examples"]["checkout"]["value"] | {"project_id": ada.project.id}
            assert (await client.post(path, json=example)).status_code in (200, 201)
        for path in ("/api/v1/auth/register", "/api/v1/projects"):
            content = DOCUMENT["paths"][path]["post"]["requestBody"]["content"]["application/json"]
            body = content["example"]
            body = body | {"email": "somebody@example.org"} if "email" in body else body
            answer = await client.post(path, json=body)
            assert answer.status_code == 201, answer.text

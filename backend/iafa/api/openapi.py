"""The OpenAPI document: what the framework derives from the routes, and what it cannot know."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from iafa import __version__
from iafa.api.access import EXTENSION, OF_MEMBERS, ROLE_EXTENSION, SECURITY, Access
from iafa.api.anomaly_models import AnomaliesQuestion
from iafa.api.driver_models import DriversQuestion
from iafa.api.examples import example_of
from iafa.api.flow_models import PathsQuestion
from iafa.api.funnel_models import FunnelDefinition, FunnelQuestion, ReceiptQuestion
from iafa.api.live_models import LiveMessage, LiveRequest
from iafa.api.people_models import ExplainQuestion, ExportQuestion, PeopleQuestion
from iafa.api.problem_docs import ProblemBody
from iafa.api.retention_models import RetentionQuestion
from iafa.api.roles import LEAST_ROLE
from iafa.api.session_models import OverviewQuestion, SessionsQuestion
from iafa.api.suggestion_models import NextStepsQuestion
from iafa.api.trend_models import TrendsQuestion

_DESCRIPTION = """\
Collect events, ask how many people went from one to the next.

**Who is asking.** Programs send `Authorization: Bearer <access token>` (from `/auth/login`) or a project's key as
`X-API-Key`: write keys only send events, secret keys also upload and read. The dashboard uses HttpOnly cookies. Each
operation says under `x-access` who may call it, and under `x-role` the least role that a member needs.

**Errors** are `application/problem+json` (RFC 9457) with a `code` from a closed set. `retryable: true` means that the
same request may succeed after `Retry-After` seconds. Every answer has an `X-Request-Id`.
"""
_TAGS = [
    {"name": "collect", "description": "Send events. 200 means: on disk."},
    {"name": "other clients", "description": "What clients of Segment, RudderStack and PostHog send, unchanged."},
    {"name": "accounts", "description": "Users and their sessions."},
    {"name": "members", "description": "Members of an organization, their roles, and invitations."},
    {"name": "audit", "description": "Who did what."},
    {"name": "projects", "description": "Projects, their keys and the snippet."},
    {"name": "quarantine", "description": "What was not stored, and why; mend it and store it after all."},
    {"name": "live", "description": "What comes in now, over a WebSocket."},
    {"name": "funnels", "description": "Saved definitions."},
    {"name": "analytics", "description": "Answers."},
    {"name": "boards", "description": "Saved views, boards of them, notes on dates."},
    {"name": "sharing", "description": "Links that show one thing to anybody."},
    {"name": "events", "description": "The raw events, page by page and as files."},
    {"name": "operation", "description": "For load balancers and operators."},
]
_SECURITY = {
    "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "iafa_access",
        "description": "`__Host-iafa_access` behind TLS. Set by signing in.",
    },
    "api_key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
# Read by routes that take the body as it is, so that the framework does not know them.
_BODIES = (
    *(ProblemBody, FunnelDefinition, FunnelQuestion, PeopleQuestion, ExportQuestion, ExplainQuestion),
    *(LiveMessage, LiveRequest),
    *(NextStepsQuestion, ReceiptQuestion, DriversQuestion),
    *(TrendsQuestion, RetentionQuestion, PathsQuestion, SessionsQuestion, OverviewQuestion, AnomaliesQuestion),
)
# The framework's own validation answer is never sent: problems take its place.
_UNUSED_SCHEMAS = ("HTTPValidationError", "ValidationError")


def build_document(app: FastAPI, access: Mapping[tuple[str, str], Access]) -> dict[str, Any]:
    document = get_openapi(
        title="IAFA",
        version=__version__,
        summary="Inspiration-to-Action Funnel Analyzer",
        description=_DESCRIPTION,
        routes=app.routes,
        tags=_TAGS,
    )
    components = document.setdefault("components", {})
    components["securitySchemes"] = _SECURITY
    schemas = components.setdefault("schemas", {})
    for name in _UNUSED_SCHEMAS:
        schemas.pop(name, None)
    schemas.update(_extra_schemas())
    components["schemas"] = dict(sorted(schemas.items()))
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            policy = access[path, method.upper()]
            operation[EXTENSION] = policy.value
            if policy in OF_MEMBERS:
                operation[ROLE_EXTENSION] = LEAST_ROLE[operation["operationId"]]
            operation["security"] = SECURITY[policy]
            _drop_framework_422(operation)
            _describe_success(operation)
            _add_examples(operation, schemas)
    return document


def _extra_schemas() -> dict[str, Any]:
    models = [(model, "validation") for model in _BODIES]
    _refs, found = models_json_schema(models, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    definitions = dict(found["$defs"])
    definitions["Problem"] = {**definitions.pop("ProblemBody"), "title": "Problem"}
    return definitions


def _drop_framework_422(operation: dict[str, Any]) -> None:
    answer = operation["responses"].get("422", {})
    if "application/json" in answer.get("content", {}):
        del answer["content"]["application/json"]
        if not answer["content"]:
            del operation["responses"]["422"]


def _describe_success(operation: dict[str, Any]) -> None:
    for answer in operation["responses"].values():
        if answer.get("description") == "Successful Response":
            answer["description"] = "Done" if "content" in answer else "Done; the answer is empty"


def _add_examples(operation: dict[str, Any], schemas: Mapping[str, Any]) -> None:
    """An example for every body that has none of its own, made of the examples of its fields."""
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        content = body.get("content", {}).get("application/json")
        if content and not {"example", "examples"} & content.keys():
            content["example"] = example_of(content.get("schema", {}), schemas)

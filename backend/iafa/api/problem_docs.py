"""The error answers in the OpenAPI document: one schema, one example a status. Says nothing a route does not do."""

from typing import Any

import msgspec
from pydantic import BaseModel, Field

from iafa.api.problems import KINDS, MEDIA_TYPE, RETRY_AFTER_STATUSES, Problem
from iafa.errors import FieldError

SCHEMA_REF = "#/components/schemas/Problem"


class ProblemField(BaseModel):
    """One wrong field of the request."""

    pointer: str = Field(description="JSON pointer into the request.", examples=["/stages/0/event"])
    code: str = Field(description="What is wrong, for programs.", examples=["missing"])
    message: str = Field(description="What is wrong, for people.", examples=["this field is required"])
    index: int | None = Field(None, description="In a batch: the position of the event.")
    event_id: str | None = Field(None, description="In a batch: the id of the event, when it has a valid one.")


class ProblemBody(BaseModel):
    """An error after RFC 9457. `code` is from a closed set; `retryable` says whether the same request may succeed
    later, after `Retry-After` seconds."""

    type: str = Field(examples=["urn:iafa:problem:validation_error"])
    title: str
    status: int
    detail: str
    instance: str = Field(description="`urn:iafa:request:` and the value of `X-Request-Id`.")
    code: str = Field(json_schema_extra={"enum": [*sorted(KINDS)]})
    retryable: bool
    errors: list[ProblemField] | None = Field(None, description="Every wrong field, not only the first.")
    limit: int | None = Field(None, description="The bound that was exceeded.")


_DETAILS = {
    "invalid_json": "the body is not JSON: invalid character (byte 17)",
    "invalid_credentials": "send a valid access token",
    "token_replaced": "the refresh token was replaced a moment ago; use the one that came with the answer",
    "token_expired": "the access token has expired; refresh it",
    "insufficient_scope": "this key may only send events",
    "not_found": "there is no such object, or it is not yours",
    "conflict": "there is a funnel of this name already",
    "version_conflict": "the funnel is at version 4 by now",
    "payload_too_large": "the body is larger than 1048576 bytes",
    "unsupported_media_type": "send application/json",
    "validation_error": "1 field is not valid",
    "rate_limited": "too many failed sign-ins; wait before you try again",
    "internal_error": "the server failed to answer; its log has the cause under the request id",
    "storage_unavailable": "the storage cannot be written now",
    "query_busy": "too many queries are running",
    "query_timeout": "the query took longer than 30 s",
}


def problem_responses(*codes: str) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these codes."""
    responses: dict[int | str, dict[str, Any]] = {}
    for code in (*codes, "internal_error"):
        kind = KINDS[code]
        response = responses.setdefault(
            kind.status,
            {
                "description": kind.title,
                "content": {MEDIA_TYPE: {"schema": {"$ref": SCHEMA_REF}, "examples": {}}},
                "headers": _headers(kind.status),
            },
        )
        response["content"][MEDIA_TYPE]["examples"][code] = {"summary": kind.title, "value": _example(code)}
    return responses


def _example(code: str) -> Any:
    errors = [FieldError("/stages/0/event", "missing", "this field is required")] if code == "validation_error" else []
    problem = Problem(code, _DETAILS.get(code, KINDS[code].title), errors)
    return msgspec.json.decode(problem.body("0f8c2c1f7b1e4a5c9d3e2f1a0b9c8d7e"))


def _headers(status: int) -> dict[str, Any]:
    headers: dict[str, Any] = {
        "X-Request-Id": {"description": "Find the request in the log by it.", "schema": {"type": "string"}}
    }
    if status in RETRY_AFTER_STATUSES:
        headers["Retry-After"] = {"description": "Whole seconds.", "schema": {"type": "integer", "minimum": 1}}
    if status == 405:
        headers["Allow"] = {"description": "The methods of this path.", "schema": {"type": "string"}}
    return headers

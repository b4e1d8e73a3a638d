"""The routes of other tools' clients in the OpenAPI document. They answer through the code of the path in front."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, Field

from iafa.api.collect_routes import DURABLE, LIMITS
from iafa.api.problem_docs import problem_responses
from iafa.api.sdks import SdkFront
from iafa.event import BATCH_EVENTS_MAX

PROBLEMS = (
    *("bad_request", "invalid_json", "bad_encoding", "invalid_credentials", "insufficient_scope"),
    *(
        "payload_too_large",
        "unsupported_encoding",
        "quota_exceeded",
        "rate_limited",
        "storage_unavailable",
        "not_ready",
    ),
)
DIALECT = (
    "Answers in the way that these clients understand: 200 for whatever could be read, each refused message alone and "
    "in the quarantine; 429 with `Retry-After` when there is no room; 400 for what holds no message. Problems also "
    "have the members `success: false` and `message`."
)
_AUTHORIZATION = (
    "The key: Basic with the key as user name, Bearer, `X-API-Key`, or `writeKey` in the body or the query."
)


class MessageError(BaseModel):
    index: int
    code: str = Field(examples=["missing_identity"])
    message: str


class SegmentAnswer(BaseModel):
    """`accepted`, `duplicates` and `rejected` add up to the messages sent."""

    success: Literal[True]
    accepted: int
    duplicates: int
    rejected: int
    errors: list[MessageError]


class PostHogAnswer(BaseModel):
    status: Literal[1]


_ANSWER = {"success": True, "accepted": 1, "duplicates": 0, "rejected": 0, "errors": []}
_TRACK = {
    "type": "track",
    "event": "Order Completed",
    "userId": "user_1042",
    "messageId": "order-77",
    "timestamp": "2026-11-21T14:02:07.120Z",
    "properties": {"total": 49.9},
    "context": {"library": {"name": "hand-written", "version": "1"}},
}
_MESSAGE_SCHEMA = {"type": "object", "title": "Segment message"}
_BATCH_SCHEMA = {
    "type": "object",
    "required": ["batch"],
    "properties": {"batch": {"type": "array", "items": _MESSAGE_SCHEMA, "maxItems": BATCH_EVENTS_MAX}},
}
_CAPTURE = {"api_key": "iafa_w_...", "batch": [{"event": "signup", "distinct_id": "user_1042", "properties": {}}]}
_SETTINGS = {
    "integrations": {"Segment.io": {"apiKey": "", "apiHost": "iafa.example.org/k/iafa_w_...", "protocol": "https"}},
    "metrics": {"sampleRate": 0},
}

router = APIRouter(tags=["other clients"])


def _body(schema: dict[str, Any], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, "examples": {"usual": {"value": example}}}}
    return {"x-access": "write_key", "requestBody": {"required": True, "content": content}}


def _answers(example: Any) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": example}}}, **problem_responses(*PROBLEMS)}


async def _answer(request: Request) -> Response:
    front: SdkFront = request.app.state.sdk_front
    return await front.respond(request)


@router.post(
    "/v1/batch",
    summary="Messages of a Segment client",
    description=f"What analytics-node, -python, -go and others send by their host option. {_AUTHORIZATION} {DIALECT} "
    f"{DURABLE} {LIMITS}",
    response_model=SegmentAnswer,
    responses=_answers(_ANSWER),
    openapi_extra=_body(_BATCH_SCHEMA, {"batch": [_TRACK]}),
)
async def segment_batch(request: Request) -> Response:
    return await _answer(request)


@router.get(
    "/v1/projects/{key}/settings",
    summary="Settings of analytics-next",
    description="Names the address to which the SDK sends. Made in memory, for any key, so that the SDK starts even "
    "when nothing can be stored.",
    responses={200: {"content": {"application/json": {"example": _SETTINGS}}}, **problem_responses("not_found")},
    openapi_extra={"x-access": "public"},
)
async def segment_settings(
    request: Request, key: Annotated[str, Path(description="The project's public write key.")]
) -> Response:
    return await _answer(request)


@router.post(
    "/v1/{call}",
    summary="One message of a Segment client",
    description="`call` is `track`, `identify`, `page`, `screen`, `alias`, `group` or its first letter; `import` and "
    f"`b` are batches. A message without a `type` gets that of the path. {_AUTHORIZATION} {DIALECT} {DURABLE} {LIMITS}",
    response_model=SegmentAnswer,
    responses={**_answers(_ANSWER), **problem_responses(*PROBLEMS, "not_found")},
    openapi_extra=_body(_MESSAGE_SCHEMA, _TRACK),
)
async def segment_message(request: Request, call: str) -> Response:
    return await _answer(request)


@router.post(
    "/k/{key}/{call}",
    summary="One message of a page",
    description="The same with the key in the path: a page sends plain text without any header, so that the browser "
    f"asks for no preflight. The settings document names this address. {DIALECT}",
    response_model=SegmentAnswer,
    responses={**_answers(_ANSWER), **problem_responses(*PROBLEMS, "not_found")},
    openapi_extra=_body(_MESSAGE_SCHEMA, _TRACK),
)
async def segment_page_message(
    request: Request, key: Annotated[str, Path(description="The project's public write key.")], call: str
) -> Response:
    return await _answer(request)


@router.post(
    "/batch/",
    summary="Events of a PostHog client",
    description="What posthog-python sends; posthog-js sends the same to `/e/`. The key is `api_key` or `token` in "
    f"the body. {DIALECT} {DURABLE} {LIMITS}",
    response_model=PostHogAnswer,
    responses=_answers({"status": 1}),
    openapi_extra=_body({"type": "object", "title": "PostHog batch"}, _CAPTURE),
)
async def posthog_batch(request: Request) -> Response:
    return await _answer(request)


@router.post("/e/", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.post("/capture/", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.post("/i/v0/e/", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.post("/beacon/v1/batch", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.post("/flags/", include_in_schema=False, openapi_extra={"x-access": "public"})
@router.get("/pixel/v1/{call}", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.get("/sourceConfig/", include_in_schema=False, openapi_extra={"x-access": "public"})
@router.get("/array/{key}/config", include_in_schema=False, openapi_extra={"x-access": "public"})
async def other_clients(request: Request) -> Response:
    return await _answer(request)

"""The collect routes in the OpenAPI document. They answer through the same code as the lean path in front of them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import BaseModel, Field

from iafa.api.collect import CollectFront
from iafa.api.problem_docs import problem_responses
from iafa.event import BATCH_EVENTS_MAX, EVENT_BYTES_MAX, INFLATED_BYTES_MAX, NAME_CHARS_MAX, WIRE_BYTES_MAX

LIMITS = (
    f"Limits: {WIRE_BYTES_MAX // 1024} KiB on the wire, {INFLATED_BYTES_MAX // 1024**2} MiB inflated "
    f"(`Content-Encoding: gzip`), {EVENT_BYTES_MAX // 1024} KiB an event."
)
DURABLE = (
    "The answer is sent after the event is synced to disk: a 2xx event survives a crash and is in every later answer."
)
PROBLEMS = (
    *("bad_request", "invalid_json", "bad_encoding", "invalid_credentials", "insufficient_scope"),
    *("request_timeout", "payload_too_large", "unsupported_media_type", "unsupported_encoding"),
    *("invalid_batch", "quota_exceeded", "rate_limited", "storage_unavailable", "not_ready"),
)

PIXEL_PROBLEMS = (
    *("invalid_credentials", "insufficient_scope", "quota_exceeded", "rate_limited"),
    *("storage_unavailable", "not_ready"),
)


class TrackEvent(BaseModel):
    """One event. Only the name is required; who it belongs to is required from servers."""

    event_type: str = Field(
        min_length=1,
        max_length=NAME_CHARS_MAX,
        description="What happened. Also accepted: `event_name`, `event`, `name`.",
        examples=["add_to_cart"],
    )
    id: str | None = Field(
        None, max_length=200, description="Makes a retry harmless. Also: `event_id`, `messageId`. Made here if absent."
    )
    user_id: str | None = Field(None, max_length=200, description="Who did it, if known.", examples=["user_1042"])
    anonymous_id: str | None = Field(None, max_length=200, description="The visitor before sign-in.")
    session_id: str | None = Field(None, max_length=200)
    timestamp: str | float | None = Field(
        None,
        description="ISO 8601 (without a zone: UTC) or seconds or milliseconds since 1970. Also: `created_at`. "
        "Absent: now. From the oldest UTC day that the project keeps to 24 hours ahead.",
        examples=["2026-11-21T14:02:07.120Z"],
    )
    source: str | None = Field(None, description="web, ios, server ... Also: `event_source`, `platform`.")
    url: str | None = None
    referrer: str | None = None
    user_agent: str | None = None
    properties: dict[str, Any] | None = Field(
        None, description="Any JSON object. Also: `event_properties`.", examples=[{"product": "lamp", "price": 49.9}]
    )


class TrackAnswer(BaseModel):
    status: Literal["ok", "duplicate", "sampled_out"]
    id: str = Field(description="The event's id.", examples=["019aa5e0c1d24b7c9f3e2a1d0c8b"])


class EventResult(BaseModel):
    index: int
    event_id: str | None
    result: Literal["ok", "duplicate", "sampled_out", "rejected", "retry"]
    code: str | None = None
    pointer: str | None = None
    message: str | None = None


class BatchAnswerBody(BaseModel):
    """The five counts add up to the events sent. `results` lists what is not ok; with `verbose=1` all."""

    accepted: int
    duplicates: int
    sampled_out: int
    rejected: int
    retry: int
    results: list[EventResult]


RequestKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="The same for a request and its retries, another one for every other request: events without an "
        "id get ids that follow from it, so that a retry counts once.",
        examples=["order-77"],
    ),
]
_EVENT = {"event_type": "add_to_cart", "user_id": "user_1042", "properties": {"product": "lamp", "price": 49.9}}
_BATCH = {"events": [_EVENT, {"event_type": "purchase", "user_id": "user_1042", "id": "order-77"}]}
_BATCH_ANSWER = {
    "accepted": 1,
    "duplicates": 0,
    "sampled_out": 0,
    "rejected": 1,
    "retry": 0,
    "results": [
        {
            "index": 1,
            "event_id": "order-77",
            "result": "rejected",
            "code": "invalid_timestamp",
            "pointer": "/events/1/timestamp",
            "message": "must be an ISO 8601 time or seconds or milliseconds since 1970",
        }
    ],
}


_EVENT_SCHEMA = TrackEvent.model_json_schema()
_EVENTS_SCHEMA = {"type": "array", "items": _EVENT_SCHEMA, "minItems": 1, "maxItems": BATCH_EVENTS_MAX}
_BATCH_SCHEMA = {
    "oneOf": [{"type": "object", "required": ["events"], "properties": {"events": _EVENTS_SCHEMA}}, _EVENTS_SCHEMA]
}


def _extra(schema: dict[str, Any], example: Any, media_type: str = "application/json") -> dict[str, Any]:
    content = {media_type: {"schema": schema, "examples": {"usual": {"value": example}}}}
    return {"x-access": "write_key", "requestBody": {"required": True, "content": content}}


router = APIRouter(tags=["collect"])


async def _answer(request: Request) -> Response:
    front: CollectFront = request.app.state.collect_front
    return await front.respond(request)


@router.post(
    "/api/v1/track",
    summary="Send one event",
    description=f"Validates and stores one event. {DURABLE} {LIMITS}",
    response_model=TrackAnswer,
    responses={
        200: {"content": {"application/json": {"example": {"status": "ok", "id": "order-77"}}}},
        **problem_responses(*PROBLEMS, "event_too_large", "validation_error"),
    },
    openapi_extra=_extra(_EVENT_SCHEMA, _EVENT),
)
async def track(request: Request, idempotency_key: RequestKey = None) -> Response:
    return await _answer(request)


@router.post("/track", include_in_schema=False, openapi_extra={"x-access": "write_key"})
@router.post("/api/v1/events", include_in_schema=False, openapi_extra={"x-access": "write_key"})
async def track_by_another_name(request: Request) -> Response:
    return await _answer(request)


@router.post("/api/v1/events/batch", include_in_schema=False, openapi_extra={"x-access": "write_key"})
async def track_batch_by_another_name(request: Request) -> Response:
    return await _answer(request)


@router.post(
    "/api/v1/track/batch",
    summary="Send many events",
    description=f'`{{"events": [...]}}` or a bare list, at most {BATCH_EVENTS_MAX} events over at most 31 days. Each '
    f"event is judged alone: a readable batch answers 200 and says what became of each. {DURABLE} {LIMITS}",
    response_model=BatchAnswerBody,
    responses={
        200: {"content": {"application/json": {"example": _BATCH_ANSWER}}},
        **problem_responses(*PROBLEMS),
    },
    openapi_extra=_extra(_BATCH_SCHEMA, _BATCH),
)
async def track_batch(
    request: Request,
    verbose: Annotated[Literal["0", "1"], Query(description="1 lists every event.")] = "0",
    idempotency_key: RequestKey = None,
) -> Response:
    return await _answer(request)


@router.post(
    "/e/{key}",
    status_code=204,
    summary="Beacon of the browser tracker",
    description="What tracker.js sends: the public write key in the path and a text/plain body, so that a browser asks "
    "for no preflight. Rejected events of a readable body do not change the 204.",
    responses=problem_responses(*PROBLEMS),
    openapi_extra=_extra(_BATCH_SCHEMA, _BATCH, "text/plain"),
)
async def beacon(
    request: Request, key: Annotated[str, Path(description="The project's public write key.")]
) -> Response:
    return await _answer(request)


@router.get(
    "/e/{key}.gif",
    summary="Page view by an image",
    description="For pages without scripts: answers a transparent GIF of one pixel and records one `page_view`.",
    response_class=Response,
    responses={200: {"content": {"image/gif": {}}}, **problem_responses(*PIXEL_PROBLEMS)},
    openapi_extra={"x-access": "write_key"},
)
async def pixel(
    request: Request,
    key: Annotated[str, Path(description="The project's public write key.")],
    u: Annotated[str | None, Query(description="The page; without it the Referer.")] = None,
    r: Annotated[str | None, Query(description="Where the visitor came from.")] = None,
) -> Response:
    return await _answer(request)

"""Errors to answers: the one table of codes, and the RFC 9457 body. Knows no route."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.responses import Response

from iafa.errors import FieldError, IafaError

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_STATUSES = frozenset({408, 429, 500, 503, 504})
RETRY_AFTER_S = 1


@dataclass(frozen=True)
class Kind:
    status: int
    title: str
    retryable: bool = False


KINDS: Mapping[str, Kind] = {
    "bad_request": Kind(400, "The request cannot be understood"),
    "invalid_json": Kind(400, "The body is not valid JSON"),
    "bad_encoding": Kind(400, "The body cannot be decompressed"),
    "too_deep": Kind(400, "The body is nested too deep"),
    "number_out_of_range": Kind(400, "A number is out of range"),
    "invalid_credentials": Kind(401, "Sign in, or send a valid key"),
    "token_replaced": Kind(401, "The refresh token was replaced a moment ago"),
    "token_expired": Kind(401, "The token has expired"),
    "password_required": Kind(401, "A password is needed"),
    "quota_exceeded": Kind(402, "The quota is used up"),
    "insufficient_scope": Kind(403, "The key or the role does not allow this"),
    "not_found": Kind(404, "Not found"),
    "method_not_allowed": Kind(405, "This method is not allowed here"),
    "request_timeout": Kind(408, "The request came too slowly", retryable=True),
    "conflict": Kind(409, "This conflicts with what is there"),
    "version_conflict": Kind(412, "Somebody else has changed this"),
    "payload_too_large": Kind(413, "The body is too large"),
    "event_too_large": Kind(413, "The event is too large"),
    "uri_too_long": Kind(414, "The address is too long"),
    "unsupported_media_type": Kind(415, "The content type is not supported"),
    "unsupported_encoding": Kind(415, "The content encoding is not supported"),
    "validation_error": Kind(422, "The request has invalid fields"),
    "invalid_batch": Kind(422, "The body is not a batch of events"),
    "invalid_query": Kind(422, "The query is not valid"),
    "query_too_large": Kind(422, "The query needs more memory than it may use"),
    "missing_identity": Kind(422, "The event belongs to nobody"),
    "rate_limited": Kind(429, "Too many requests", retryable=True),
    "header_too_large": Kind(431, "The headers are too large"),
    "internal_error": Kind(500, "Something went wrong on the server", retryable=True),
    "storage_unavailable": Kind(503, "The storage cannot be written now", retryable=True),
    "not_ready": Kind(503, "The server is starting", retryable=True),
    "query_busy": Kind(503, "Too many queries are running", retryable=True),
    "query_timeout": Kind(504, "The query took too long", retryable=True),
}


@dataclass(frozen=True)
class Problem:
    """An answer that is an error. `detail` and `errors` repeat nothing of the input."""

    code: str
    detail: str
    errors: Sequence[FieldError] = ()
    retry_after_s: int | None = None
    limit: int | None = None
    headers: Mapping[str, str] | None = None

    @property
    def status(self) -> int:
        return KINDS[self.code].status

    @classmethod
    def of(cls, error: IafaError) -> "Problem":
        """The answer to a domain error. What broke inside the server stays in its log."""
        if error.code not in KINDS or KINDS[error.code].status == 500:
            return INTERNAL_ERROR
        return cls(error.code, error.detail, error.errors, error.retry_after_s, error.limit, error.fields)

    def body(self, request_id: str) -> bytes:
        return msgspec.json.encode(self.content(request_id))

    def content(self, request_id: str) -> dict[str, Any]:
        kind = KINDS[self.code]
        content: dict[str, Any] = {
            "type": f"urn:iafa:problem:{self.code}",
            "title": kind.title,
            "status": kind.status,
            "detail": self.detail,
            "instance": f"urn:iafa:request:{request_id}",
            "code": self.code,
            "retryable": kind.retryable,
        }
        if self.errors:
            content["errors"] = self.errors
        if self.limit is not None:
            content["limit"] = self.limit
        return content

    def header_fields(self) -> dict[str, str]:
        fields = {"cache-control": "no-store, private", **(self.headers or {})}
        if self.status in RETRY_AFTER_STATUSES:
            fields["retry-after"] = str(max(1, math.ceil(self.retry_after_s or RETRY_AFTER_S)))
        if self.status == 401:
            fields["www-authenticate"] = 'Bearer realm="iafa"'
        return fields

    def response(self, request_id: str) -> Response:
        return Response(self.body(request_id), self.status, headers=self.header_fields(), media_type=MEDIA_TYPE)


INTERNAL_ERROR = Problem("internal_error", "the server failed to answer; its log has the cause under the request id")

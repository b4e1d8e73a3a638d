"""Pure ASGI layers around every answer: request id, security headers, cache rule, HEAD, the last catch of errors."""

import logging
import secrets

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iafa.api.problems import INTERNAL_ERROR

log = logging.getLogger("iafa.api")

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
API_PREFIX = "/api/"
LINK_PREFIXES = ("/api/v1/shared/", "/s/")  # addresses that are secrets themselves
READ_PREFIXES = (API_PREFIX, "/health", "/metrics")  # a GET elsewhere may store what an image of a page says


class HeadOfGet:
    """What may be read by GET may be asked for by HEAD: the same work and header fields, no body. What counts readers
    finds `is_head` in the request's state."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD" or not scope["path"].startswith(READ_PREFIXES):
            await self._app(scope, receive, send)
            return
        is_told = False

        async def send_head(message: Message) -> None:
            nonlocal is_told
            if is_told:
                raise OSError("the head is told")  # ends a long body, as if the client had gone
            is_told = message["type"] == "http.response.body"
            await send({"type": message["type"], "body": b""} if is_told else message)

        scope.setdefault("state", {})["is_head"] = True
        try:
            await self._app({**scope, "method": "GET"}, receive, send_head)
        except (OSError, ClientDisconnect):
            if not is_told:
                raise


class Envelope:
    """The outermost layer. Gives the request its id and every answer its headers; turns what nobody caught into
    the 500 of the contract."""

    def __init__(self, app: ASGIApp, *, is_tls: bool) -> None:
        self._app = app
        self._is_tls = is_tls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = secrets.token_hex(16)
        scope.setdefault("state", {})["request_id"] = request_id
        has_started = False

        async def send_dressed(message: Message) -> None:
            nonlocal has_started
            if message["type"] == "http.response.start":
                has_started = True
                self._dress(MutableHeaders(scope=message), scope, request_id)
            await send(message)

        try:
            await self._app(scope, receive, send_dressed)
        except Exception:
            log.exception("request failed request_id=%s method=%s", request_id, scope["method"])
            if has_started:
                raise
            await INTERNAL_ERROR.response(request_id)(scope, receive, send_dressed)

    def _dress(self, headers: MutableHeaders, scope: Scope, request_id: str) -> None:
        # The collect path names its own requests, in the body of an error too.
        headers.setdefault("x-request-id", request_id)
        headers["x-content-type-options"] = "nosniff"
        headers["referrer-policy"] = "strict-origin-when-cross-origin"
        if scope["path"].startswith(LINK_PREFIXES):
            headers["referrer-policy"] = "no-referrer"
            headers["x-robots-tag"] = "noindex, nofollow"
        headers.setdefault("content-security-policy", CONTENT_POLICY)
        headers.setdefault("x-frame-options", "DENY")
        if self._is_tls or scope.get("scheme") == "https":
            headers["strict-transport-security"] = "max-age=31536000"
        if scope["path"].startswith(API_PREFIX):
            headers.setdefault("cache-control", "no-store, private")
            headers.add_vary_header("Authorization, Cookie, Origin")

"""Pure ASGI layers around every answer: request id, security headers, cache rule, the last catch of errors."""

import logging
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from iafa.api.problems import INTERNAL_ERROR

log = logging.getLogger("iafa.api")

CONTENT_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; worker-src 'self' blob:; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
API_PREFIX = "/api/"


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
        headers.setdefault("content-security-policy", CONTENT_POLICY)
        headers.setdefault("x-frame-options", "DENY")
        if self._is_tls or scope.get("scheme") == "https":
            headers["strict-transport-security"] = "max-age=31536000"
        if scope["path"].startswith(API_PREFIX):
            headers.setdefault("cache-control", "no-store, private")
            headers.add_vary_header("Authorization, Cookie, Origin")

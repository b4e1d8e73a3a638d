"""The lean collect path: one ASGI callable in front of the framework, and the same answers as documented routes."""

import asyncio
import itertools
import logging
import os
import types
import zlib
from base64 import b64decode
from collections.abc import Awaitable, Callable, Coroutine, Generator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from iafa.api.problems import INTERNAL_ERROR, MEDIA_TYPE, Problem
from iafa.errors import IafaError, PayloadTooLarge, UnsupportedMediaType
from iafa.event import INFLATED_BYTES_MAX, WIRE_BYTES_MAX
from iafa.ingest.collector import Collector
from iafa.ingest.gate import Origin

log = logging.getLogger("iafa.collect")
BODY_SECONDS_MAX = 30.0
PREFLIGHT_MAX_AGE_S = 7200

CORS = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Retry-After, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset",
    ),
)
_PREFLIGHT = (
    *CORS,
    (b"access-control-allow-methods", b"POST"),
    (b"access-control-allow-headers", b"content-type, content-encoding, idempotency-key, x-api-key"),
    (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
)
# 1 x 1, transparent
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
_REQUEST_KEY = b"idempotency-key"
_JSON_TYPES = (b"application/json", b"text/json")


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Done(NamedTuple):
    """The body of a 2xx, and what the limits said."""

    body: bytes
    origin: Origin


class Head(NamedTuple):
    """One pass over the headers."""

    key: str | None
    content_type: bytes
    encoding: bytes
    length: int | None
    user_agent: str | None
    origin: str | None
    request_key: str | None
    is_ambiguous: bool


class Left(Exception):
    """The client went away before its body was complete: nothing is stored and nobody hears an answer."""


class CollectFront:
    """Serves the collect paths itself and hands everything else to the framework's app."""

    def __init__(self, app: ASGIApp, collector: Collector, *, durability: str = "sync") -> None:
        self._app = app
        self._collector = collector
        # One random prefix a process and a counter: asking the kernel each time cost more than the rest of the answer.
        self._id_prefix = os.urandom(8).hex()
        self._ids = itertools.count()
        self._extra = ((b"cache-control", b"no-store"), (b"x-iafa-durability", durability.encode()))
        self._actions: dict[str, Callable[[Scope, Receive], Awaitable[Done]]] = {
            "/api/v1/track": self._track,
            "/track": self._track,
            "/api/v1/track/batch": self._batch,
            "/api/v1/events": self._track,
            "/api/v1/events/batch": self._batch,
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        action = self._action(scope) if scope["type"] == "http" else None
        if action is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self.answer(scope, receive, action)
        except Left:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(
        self, scope: Scope, receive: Receive, action: Callable[[Scope, Receive], Awaitable[Done]] | None = None
    ) -> Answer:
        """The answer to a collect request, whichever way it came in."""
        request_id = f"{self._id_prefix}{next(self._ids):016x}"
        common = ((b"x-request-id", request_id.encode()), *self._extra)
        if scope["method"] == "OPTIONS":
            return Answer(204, (*_PREFLIGHT, *common), b"")
        action = action or self._action(scope)
        assert action is not None, "a documented collect route is one of ours"
        try:
            body, origin = await action(scope, receive)
        except IafaError as error:
            problem = Problem.of(error)
            self._collector.counters.add("collect_requests", f"{problem.status // 100}xx")
            self._collector.counters.add("requests_refused", problem.code)
            return _problem(problem, request_id, common)
        except Left:
            self._collector.counters.add("requests_refused", "client_left")
            raise
        except Exception:
            self._collector.counters.add("collect_requests", "5xx")
            self._collector.counters.add("internal_errors", "collect")
            log.exception("collect request=%s", request_id)
            return _problem(INTERNAL_ERROR, request_id, common)
        self._collector.counters.add("collect_requests", "2xx")
        status, kind = (200, b"application/json") if body else (204, b"text/plain")
        if body is PIXEL:
            kind = b"image/gif"
        headers = (*CORS, *common, (b"content-type", kind), (b"content-length", str(len(body)).encode()))
        return Answer(status, headers + limit_fields(origin), body)

    def _action(self, scope: Scope) -> Callable[[Scope, Receive], Awaitable[Done]] | None:
        path: str = scope["path"]
        if scope["method"] == "GET" and path.startswith("/e/") and path.endswith(".gif") and path.count("/") == 2:
            return self._pixel
        if scope["method"] not in ("POST", "OPTIONS"):
            return None
        action = self._actions.get(path)
        if action is None and path.startswith("/e/") and path.count("/") == 2 and len(path) > len("/e/"):
            return self._beacon
        return action

    async def _track(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await self._collector.gate.admit(head.key, origin)
        body = await read_body(head, receive)
        return Done(msgspec.json.encode(await self._collector.one(grant, origin, body)), origin)

    async def _batch(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await self._collector.gate.admit(head.key, origin)
        body = await read_body(head, receive)
        query = scope["query_string"]
        verbose = bool(query) and parse_qs(query.decode("latin-1")).get("verbose") == ["1"]
        answer = await self._collector.batch(grant, origin, body, verbose=verbose)
        return Done(msgspec.json.encode(answer), origin)

    async def _beacon(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await self._collector.gate.admit(scope["path"].removeprefix("/e/"), origin, is_beacon=True)
        body = await read_body(head, receive, is_beacon=True)
        await self._collector.beacon(grant, origin, body)
        return Done(b"", origin)

    async def _pixel(self, scope: Scope, receive: Receive) -> Done:
        """A page view without a script: the page is what `?u=` or the Referer says, `?r=` where it was come from."""
        _, origin = sender_of(scope)
        page = dict(scope["headers"]).get(b"referer", b"").decode("latin-1") or None
        if page is not None and origin.origin is None:
            parts = urlsplit(page)
            origin = msgspec.structs.replace(origin, origin=f"{parts.scheme}://{parts.netloc}")
        grant = await self._collector.gate.admit(scope["path"][len("/e/") : -len(".gif")], origin, is_beacon=True)
        said = parse_qs(scope["query_string"].decode("latin-1"))
        view = {"n": "page_view", "l": said.get("u", [page])[0], "r": said.get("r", [None])[0]}
        await self._collector.beacon(grant, origin, msgspec.json.encode({"e": [view]}))
        return Done(PIXEL, origin)


def limit_fields(origin: Origin) -> tuple[tuple[bytes, bytes], ...]:
    """The limit that is nearest to its end, of those that the request has passed."""
    spent = origin.spent
    if not spent:
        return ()
    taken = spent[0] if len(spent) == 1 else min(spent, key=lambda one: one.remaining / one.limit)
    return (
        (b"ratelimit-limit", b"%d" % taken.limit),
        (b"ratelimit-remaining", b"%d" % taken.remaining),
        (b"ratelimit-reset", b"%d" % taken.reset_s),
    )


def sender_of(scope: Scope) -> tuple[Head, Origin]:
    head = read_head(scope)
    client = scope.get("client")
    # The peer's address, or what a trusted proxy said: the server in front of this has already decided.
    return head, Origin(client[0] if client else "", head.user_agent, head.origin, head.request_key)


def read_head(scope: Scope) -> Head:
    fields: dict[bytes, bytes] = dict(scope["headers"])
    field = fields.get
    key, agent, origin, request_key = field(b"x-api-key"), field(b"user-agent"), field(b"origin"), field(_REQUEST_KEY)
    content_type = field(b"content-type", b"")
    if content_type != b"application/json":
        content_type = content_type.partition(b";")[0].strip().lower()
    length = field(b"content-length", b"")
    return Head(
        None if key is None else key.decode("latin-1").strip(),
        content_type,
        field(b"content-encoding", b"").strip().lower(),
        int(length) if length.isdigit() else None,
        None if agent is None else agent.decode("utf-8", "replace").replace("\x00", "")[:1000],
        None if origin is None else origin.decode("latin-1"),
        request_key.decode("latin-1") if request_key else None,
        b"transfer-encoding" in fields and length.isdigit(),
    )


async def read_body(head: Head, receive: Receive, *, is_beacon: bool = False) -> bytes:
    """The body, inflated, within the limits. Raises before reading what is certain to be refused."""
    if head.is_ambiguous:
        raise IafaError("Content-Length and Transfer-Encoding exclude each other", code="bad_request")
    if not is_beacon and head.content_type not in _JSON_TYPES:
        raise UnsupportedMediaType("send Content-Type: application/json")
    if head.encoding not in (b"", b"identity", b"gzip"):
        raise UnsupportedMediaType("send the body as it is or as gzip", code="unsupported_encoding")
    if head.length is not None and head.length > WIRE_BYTES_MAX:
        raise _too_large(WIRE_BYTES_MAX)
    receiving = _receive_all(receive)
    try:
        body = await _within(receiving, BODY_SECONDS_MAX)
    except TimeoutError:
        if is_beacon or head.origin is not None:
            # A browser would send the whole request again by itself on 408.
            raise IafaError("the body came too slowly", code="bad_request") from None
        raise IafaError("the body came too slowly", code="request_timeout") from None
    return inflate(body) if head.encoding == b"gzip" else body


async def _within(receiving: Coroutine[Any, Any, bytes], seconds: float) -> bytes:
    """What a coroutine returns, or TimeoutError. A body that is here already costs no timer."""
    try:
        waits_for = receiving.send(None)
    except StopIteration as ended:
        body: bytes = ended.value
        return body
    async with asyncio.timeout(seconds):
        return await _resumed(receiving, waits_for)


@types.coroutine
def _resumed(coroutine: Coroutine[Any, Any, bytes], waits_for: Any) -> Generator[Any, Any, bytes]:
    """Go on with a coroutine that was begun by hand and waits for something."""
    try:
        while True:
            try:
                sent = yield waits_for
            except BaseException as error:
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(sent)
    except StopIteration as ended:
        body: bytes = ended.value
        return body


async def _receive_all(receive: Receive) -> bytes:
    chunks: list[bytes] = []
    size = 0
    while True:
        message: Any = await receive()
        if message["type"] == "http.disconnect":
            raise Left
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > WIRE_BYTES_MAX:
            raise _too_large(WIRE_BYTES_MAX)
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def inflate(body: bytes) -> bytes:
    """One layer of gzip with a bound on what comes out, so that a bomb costs no memory."""
    inflater = zlib.decompressobj(wbits=31)
    try:
        inflated = inflater.decompress(body, INFLATED_BYTES_MAX + 1)
    except zlib.error:
        raise IafaError("the body is not gzip", code="bad_encoding") from None
    if len(inflated) > INFLATED_BYTES_MAX or inflater.unconsumed_tail:
        raise _too_large(INFLATED_BYTES_MAX)
    if not inflater.eof or inflater.unused_data:
        raise IafaError("the gzip body is cut short or followed by something else", code="bad_encoding")
    return inflated


def _too_large(limit: int) -> PayloadTooLarge:
    return PayloadTooLarge(f"the body is larger than {limit} bytes; send several smaller ones", limit=limit)


def _problem(problem: Problem, request_id: str, common: tuple[tuple[bytes, bytes], ...]) -> Answer:
    body = problem.body(request_id)
    fields = {name.encode(): value.encode() for name, value in problem.header_fields().items()}
    fields.pop(b"cache-control", None)
    headers = (
        *CORS,
        *common,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *fields.items(),
    )
    return Answer(problem.status, headers, body)

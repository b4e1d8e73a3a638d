"""The lean collect path: one ASGI callable in front of the framework, and the same answers as documented routes."""

import asyncio
import types
import zlib
from base64 import b64decode
from collections.abc import Coroutine, Generator
from typing import Any, NamedTuple
from urllib.parse import parse_qs, urlsplit

import msgspec
from starlette.types import ASGIApp, Receive, Scope

from iafa.api.front import JSON_TYPE, PREFLIGHT_MAX_AGE_S, PROJECT, Action, Done, Fields, Front, Left
from iafa.errors import IafaError, PayloadTooLarge, UnsupportedMediaType
from iafa.event import INFLATED_BYTES_MAX, WIRE_BYTES_MAX
from iafa.ingest.collector import Collector
from iafa.ingest.gate import Gate, Origin
from iafa.meta.api_keys import KeyGrant

BODY_SECONDS_MAX = 30.0

# 1 x 1, transparent
PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")
EVENT_LOG = "/api/v1/events"  # read with GET, which the framework answers; POST sends an event
_REQUEST_KEY = b"idempotency-key"
_JSON_TYPES = (JSON_TYPE, b"text/json")


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


class CollectFront(Front):
    """The paths of our own clients."""

    preflight = (
        (b"access-control-allow-methods", b"POST"),
        (b"access-control-allow-headers", b"content-type, content-encoding, idempotency-key, x-api-key"),
        (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
    )

    def __init__(self, app: ASGIApp, collector: Collector, *, durability: str = "sync") -> None:
        super().__init__(app, collector.counters, durability=durability, attempts=collector.attempts)
        self._collector = collector
        self._actions: dict[str, Action] = {
            "/api/v1/track": self._track,
            "/track": self._track,
            "/api/v1/track/batch": self._batch,
            EVENT_LOG: self._track,
            "/api/v1/events/batch": self._batch,
        }

    def action(self, scope: Scope) -> Action | None:
        path: str = scope["path"]
        if scope["method"] == "GET" and path.startswith("/e/") and path.endswith(".gif") and path.count("/") == 2:
            return self._pixel
        if scope["method"] not in ("POST", "OPTIONS") or (path == EVENT_LOG and _is_about_reading(scope)):
            return None
        action = self._actions.get(path)
        if action is None and path.startswith("/e/") and path.count("/") == 2 and len(path) > len("/e/"):
            return self._beacon
        return action

    async def _track(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await admitted(self._collector.gate, scope, head.key, origin)
        body = await read_body(head, receive)
        return Done(msgspec.json.encode(await self._collector.one(grant, origin, body)), limit_fields(origin))

    async def _batch(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await admitted(self._collector.gate, scope, head.key, origin)
        body = await read_body(head, receive)
        query = scope["query_string"]
        verbose = bool(query) and parse_qs(query.decode("latin-1")).get("verbose") == ["1"]
        answer = await self._collector.batch(grant, origin, body, verbose=verbose)
        return Done(msgspec.json.encode(answer), limit_fields(origin))

    async def _beacon(self, scope: Scope, receive: Receive) -> Done:
        head, origin = sender_of(scope)
        grant = await admitted(self._collector.gate, scope, scope["path"].removeprefix("/e/"), origin, is_beacon=True)
        body = await read_body(head, receive, is_beacon=True)
        await self._collector.beacon(grant, origin, body)
        return Done(b"", limit_fields(origin), 204, b"text/plain")

    async def _pixel(self, scope: Scope, receive: Receive) -> Done:
        """A page view without a script: the page is what `?u=` or the Referer says, `?r=` where it was come from."""
        page, origin = page_of(scope)
        grant = await admitted(
            self._collector.gate, scope, scope["path"][len("/e/") : -len(".gif")], origin, is_beacon=True
        )
        said = parse_qs(scope["query_string"].decode("latin-1"))
        view = {"n": "page_view", "l": said.get("u", [page])[0], "r": said.get("r", [None])[0]}
        await self._collector.beacon(grant, origin, msgspec.json.encode({"e": [view]}))
        return Done(PIXEL, limit_fields(origin), media_type=b"image/gif")


def page_of(scope: Scope) -> tuple[str | None, Origin]:
    """The page that an image stands on, by its Referer, and who asks for it: images name no origin of their own."""
    _, origin = sender_of(scope)
    page = dict(scope["headers"]).get(b"referer", b"").decode("latin-1") or None
    if page is not None and origin.origin is None:
        origin = msgspec.structs.replace(origin, origin=_origin_of(page))
    return page, origin


def _is_about_reading(scope: Scope) -> bool:
    """A browser that asks whether a page may send a GET."""
    return scope["method"] == "OPTIONS" and (b"access-control-request-method", b"GET") in scope["headers"]


def _origin_of(page: str) -> str:
    """Of an address that a browser said; a broken one is of no origin that a project could allow."""
    try:
        parts = urlsplit(page)
    except ValueError:
        return "null"
    return f"{parts.scheme}://{parts.netloc}"


def limit_fields(origin: Origin) -> Fields:
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
    address = client[0] if client else ""
    return head, Origin(address, head.user_agent, head.origin, head.request_key, path=scope["path"])


async def admitted(gate: Gate, scope: Scope, key: str | None, origin: Origin, *, is_beacon: bool = False) -> KeyGrant:
    """The key's grant; whatever goes wrong with the request from here on is told to its project."""
    grant = await gate.admit(key, origin, is_beacon=is_beacon)
    scope[PROJECT] = grant.project_id
    return grant


def read_head(scope: Scope) -> Head:
    fields: dict[bytes, bytes] = dict(scope["headers"])
    field = fields.get
    key, agent, origin, request_key = field(b"x-api-key"), field(b"user-agent"), field(b"origin"), field(_REQUEST_KEY)
    content_type = field(b"content-type", b"")
    if content_type != JSON_TYPE:
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

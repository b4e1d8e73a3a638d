"""The routes of other tools' clients (Segment, RudderStack, PostHog): their shapes and statuses, our collector."""

import base64
import binascii
import itertools
import logging
import os
import re
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qs

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from iafa.api.collect import CORS, PREFLIGHT_MAX_AGE_S, Answer, Left, inflate, limit_fields, read_body, sender_of
from iafa.api.problems import INTERNAL_ERROR, MEDIA_TYPE, RETRY_AFTER_S, Problem
from iafa.api.sdk_settings import KEY, base_url_of, posthog_config, rudder_settings, segment_settings
from iafa.errors import IafaError, InvalidCredentials, NoRoom, NotFound
from iafa.ingest.collector import BatchAnswer, Collector
from iafa.ingest.deliveries import Delivery
from iafa.ingest.gate import Origin
from iafa.ingest.posthog import read_posthog, unwrapped
from iafa.ingest.segment import BATCH, CALLS, read_segment

log = logging.getLogger("iafa.sdks")

# Every header that one of these SDKs sets; what is not named here is never sent.
_HEADERS = (
    *("authorization", "content-type", "content-encoding", "x-retry-count", "x-api-key", "anonymousid", "sentat"),
    *("rsa-retry-attempt", "rsa-retry-reason", "rsa-since-first-attempt", "rsa-since-last-attempt"),
)
_PREFLIGHT = (
    *CORS,
    (b"access-control-allow-methods", b"GET, POST"),
    # By name: with `*` Chromium asks again before every single request that has an Authorization.
    (b"access-control-allow-headers", ", ".join(_HEADERS).encode()),
    (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
)
_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": BATCH}
_SEGMENT_CALLS = {**{call: call for call in (*CALLS, BATCH)}, **_SHORT, "import": BATCH}
_POSTHOG_PATHS = ("/batch", "/e", "/capture", "/i/v0/e")
JSON_TYPE = b"application/json"
_GZIP_MAGIC = b"\x1f\x8b"
_SUCCESS, _STATUS_1, _NO_FLAGS = b'{"success":true}', b'{"status":1}', b'{"flags":{}}'
_CACHEABLE = b"public, max-age=300"
# These clients drop what a 4xx refuses, and 408 makes a browser send again by itself.
_STATUSES = {408: 503, 422: 400}
_TOO_MANY = 429
_CLOCK = re.compile("[0-9]{1,20}")  # milliseconds; what is longer is no time


class Answered(NamedTuple):
    """What a route answers with 200."""

    body: bytes
    caching: bytes = b"no-store"
    limits: tuple[tuple[bytes, bytes], ...] = ()


Action = Callable[[Scope, Receive], Awaitable[Answered]]


class SdkFront:
    """Serves the paths of other tools' clients and hands everything else to the app behind it."""

    def __init__(self, app: ASGIApp, collector: Collector, *, public_url: str = "", durability: str = "sync") -> None:
        self._app = app
        self._collector = collector
        self._public_url = public_url
        self._durability = durability.encode()
        self._id_prefix = os.urandom(8).hex()
        self._ids = itertools.count()
        posts: dict[str, Action] = {"/flags": partial(_said, _NO_FLAGS), "/v1/m": partial(_said, _SUCCESS)}
        posts |= {f"/v1/{name}": partial(self._segment, call, None) for name, call in _SEGMENT_CALLS.items()}
        posts |= dict.fromkeys(_POSTHOG_PATHS, self._posthog)
        posts["/beacon/v1/batch"] = partial(self._segment, BATCH, None)
        self._posts: Mapping[str, Action] = posts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._action(scope) is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self.answer(scope, receive)
        except Left:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    async def answer(self, scope: Scope, receive: Receive) -> Answer:
        """The answer to a request for one of these paths, whichever way it came in."""
        request_id = f"{self._id_prefix}{next(self._ids):016x}"
        named = ((b"x-request-id", request_id.encode()), (b"x-iafa-durability", self._durability))
        counters = self._collector.counters
        action = self._action(scope) or _nothing_here
        if scope["method"] == "OPTIONS":
            return Answer(204, (*_PREFLIGHT, *named, (b"cache-control", b"no-store")), b"")
        try:
            answered = await action(scope, receive)
        except IafaError as error:
            problem = Problem.of(error)
            counters.add("requests_refused", problem.code)
            answer = _refused(problem, _status_of(error, problem), request_id, named)
        except Left:
            counters.add("requests_refused", "client_left")
            raise
        except Exception:
            counters.add("internal_errors", "collect")
            log.exception("request=%s path=%s", request_id, scope["path"].rpartition("/")[2])
            answer = _refused(INTERNAL_ERROR, INTERNAL_ERROR.status, request_id, named)
        else:
            answer = _found(answered, named)
        counters.add("collect_requests", f"{answer.status // 100}xx")
        return answer

    def _action(self, scope: Scope) -> Action | None:
        """What a path means, with or without a slash at its end: an answer of 3xx would lose the events."""
        method, path = scope["method"], scope["path"].rstrip("/")
        if method in ("POST", "OPTIONS"):
            found = self._posts.get(path) or self._keyed(path)
            if found is not None or method == "POST":
                return found
        return self._document(scope, path) if method in ("GET", "OPTIONS") else None

    def _keyed(self, path: str) -> Action | None:
        """`/k/{key}/{call}`: the key is in the path, for pages that must not need a preflight."""
        match path.split("/"):
            case ["", "k", key, "m"] if key:
                return partial(_said, _SUCCESS)
            case ["", "k", key, name] if key and name in _SEGMENT_CALLS:
                return partial(self._segment, _SEGMENT_CALLS[name], key)
        return None

    def _document(self, scope: Scope, path: str) -> Action | None:
        match path.split("/"):
            case ["", "v1", "projects", key, "settings"] if KEY.fullmatch(key):
                host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
                base_url = base_url_of(self._public_url, scope.get("scheme", "http"), host)
                return partial(_said, segment_settings(key, base_url), caching=_CACHEABLE)
            case ["", "sourceConfig"]:
                return self._rudder
            case ["", "array", key, "config"] if KEY.fullmatch(key):
                return partial(_said, posthog_config(), caching=_CACHEABLE)
        return None

    async def _rudder(self, scope: Scope, _receive: Receive) -> Answered:
        """For the key that the request names, as all of its requests do; it is not looked up."""
        key = _one_key(_keys_of(scope, None, "writeKey") or {""})
        if not KEY.fullmatch(key):
            raise NotFound
        return Answered(rudder_settings(key), _CACHEABLE)

    async def _segment(self, call: str, path_key: str | None, scope: Scope, receive: Receive) -> Answered:
        keys = _keys_of(scope, path_key, "writeKey")
        answer, origin = await self._deliver(keys, scope, receive, partial(read_segment, call=call))
        errors = [
            {"index": one.index, "code": one.code, "message": one.message}
            for one in answer.results
            if one.result == "rejected"
        ]
        counts = {"accepted": answer.accepted, "duplicates": answer.duplicates, "rejected": answer.rejected}
        if answer.sampled_out:
            counts["sampled_out"] = answer.sampled_out
        body = msgspec.json.encode({"success": True, **counts, "errors": errors})
        return Answered(body, limits=limit_fields(origin))

    async def _posthog(self, scope: Scope, receive: Receive) -> Answered:
        query = _query(scope)
        is_base64 = query.get("compression") == "base64"
        sent = query["_"] if _CLOCK.fullmatch(query.get("_", "")) else None

        def read(body: bytes) -> Delivery:
            return read_posthog(unwrapped(body, is_base64=is_base64), None if sent is None else int(sent))

        _answer, origin = await self._deliver(_keys_of(scope, None, "api_key", "token"), scope, receive, read)
        return Answered(_STATUS_1, limits=limit_fields(origin))

    async def _deliver(
        self, keys: set[str], scope: Scope, receive: Receive, read: Callable[[bytes], Delivery]
    ) -> tuple[BatchAnswer, Origin]:
        """Judge and store. A key outside the body is looked at before the body is read."""
        head, origin = sender_of(scope)
        admit = self._collector.gate.admit
        grant = await admit(_one_key(keys), origin) if keys else None
        # JSON under whatever type: these clients send text/plain, too. What came too slowly may come again.
        body = await read_body(head._replace(content_type=JSON_TYPE, origin=None), receive)
        if body.startswith(_GZIP_MAGIC) and head.encoding != b"gzip":
            body = inflate(body)
        delivery = read(body)
        key = _one_key(keys | delivery.keys) if keys or delivery.keys else None
        return await self._collector.deliver(grant or await admit(key, origin), origin, delivery), origin


async def _nothing_here(_scope: Scope, _receive: Receive) -> Answered:
    raise NotFound


async def _said(body: bytes, _scope: Scope, _receive: Receive, *, caching: bytes = b"no-store") -> Answered:
    """What needs neither a key nor the request's body."""
    return Answered(body, caching)


def _keys_of(scope: Scope, path_key: str | None, *names: str) -> set[str]:
    """Every key outside the body: in the path, as user name or token of Authorization, in a header, in the query."""
    fields = dict(scope["headers"])
    query = _query(scope)
    found = [path_key, _authorized(fields.get(b"authorization", b"").decode("latin-1"))]
    found += [fields.get(b"x-api-key", b"").decode("latin-1").strip(), *(query.get(name) for name in names)]
    return {key for key in found if key}


def _authorized(header: str) -> str | None:
    scheme, _, rest = header.strip().partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(rest.strip(), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        raise InvalidCredentials("Authorization: Basic holds no base64 text") from None
    return text.partition(":")[0]


def _one_key(keys: set[str]) -> str:
    if len(keys) > 1:
        raise InvalidCredentials("the request holds different keys")
    return next(iter(keys))


def _query(scope: Scope) -> dict[str, str]:
    text = scope["query_string"]
    if not text:
        return {}
    try:
        found = parse_qs(text.decode("latin-1"), max_num_fields=50)
    except ValueError:
        raise IafaError("the query has too many fields", code="bad_request") from None
    return {name: values[0] for name, values in found.items()}


def _status_of(error: IafaError, problem: Problem) -> int:
    return _TOO_MANY if isinstance(error, NoRoom) else _STATUSES.get(problem.status, problem.status)


def _found(answered: Answered, named: tuple[tuple[bytes, bytes], ...]) -> Answer:
    headers = (
        *CORS,
        *named,
        (b"cache-control", answered.caching),
        (b"content-type", JSON_TYPE),
        (b"content-length", str(len(answered.body)).encode()),
        *answered.limits,
    )
    return Answer(200, headers, answered.body)


def _refused(problem: Problem, status: int, request_id: str, named: tuple[tuple[bytes, bytes], ...]) -> Answer:
    """A problem like all others, with the members that these clients show: `success`, `code`, `message`, `detail`."""
    content = problem.content(request_id) | {"status": status, "success": False, "message": problem.detail}
    body = msgspec.json.encode(content)
    fields = problem.header_fields()
    if status in (_TOO_MANY, 503):
        fields.setdefault("retry-after", str(RETRY_AFTER_S))
    headers = (
        *CORS,
        *named,
        (b"content-type", MEDIA_TYPE.encode()),
        (b"content-length", str(len(body)).encode()),
        *((name.encode(), value.encode()) for name, value in fields.items()),
    )
    return Answer(status, headers, body)

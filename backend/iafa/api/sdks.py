"""The routes of other tools' clients (Segment, RudderStack, PostHog): their shapes and statuses, our collector."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import partial
from urllib.parse import parse_qs

import msgspec
from starlette.types import ASGIApp, Receive, Scope

from iafa.api.collect import PIXEL, admitted, inflate, limit_fields, page_of, read_body, sender_of
from iafa.api.front import JSON_TYPE, PREFLIGHT_MAX_AGE_S, Action, Done, Front
from iafa.api.problems import RETRY_AFTER_S, Problem
from iafa.api.sdk_settings import KEY, base_url_of, posthog_config, rudder_settings, segment_settings
from iafa.errors import IafaError, InvalidCredentials, NoRoom, NotFound
from iafa.ingest.collector import BatchAnswer, Collector
from iafa.ingest.deliveries import Delivery
from iafa.ingest.gate import Origin
from iafa.ingest.posthog import read_posthog, unwrapped
from iafa.ingest.segment import BATCH, CALLS, read_pixel, read_segment

# Every header that one of these SDKs sets; what is not named here is never sent.
_HEADERS = (
    *("authorization", "content-type", "content-encoding", "x-retry-count", "x-api-key", "anonymousid", "sentat"),
    *("rsa-retry-attempt", "rsa-retry-reason", "rsa-since-first-attempt", "rsa-since-last-attempt"),
)
_SHORT = {"t": "track", "i": "identify", "p": "page", "s": "screen", "g": "group", "a": "alias", "b": BATCH}
_SEGMENT_CALLS = {**{call: call for call in (*CALLS, BATCH)}, **_SHORT, "import": BATCH}
_POSTHOG_PATHS = ("/batch", "/e", "/capture", "/i/v0/e")
_WRITE_KEY = "writeKey"
_GZIP_MAGIC = b"\x1f\x8b"
_SUCCESS, _STATUS_1, _NO_FLAGS = b'{"success":true}', b'{"status":1}', b'{"flags":{}}'
_CACHEABLE = b"public, max-age=300"
# These clients drop what a 4xx refuses, and 408 makes a browser send again by itself.
_STATUSES = {408: 503, 422: 400}
_TOO_MANY = 429
_CLOCK = re.compile("[0-9]{1,20}")  # milliseconds; what is longer is no time


class SdkFront(Front):
    """The paths of other tools' clients."""

    preflight = (
        (b"access-control-allow-methods", b"GET, POST"),
        # By name: with `*` Chromium asks again before every single request that has an Authorization.
        (b"access-control-allow-headers", ", ".join(_HEADERS).encode()),
        (b"access-control-max-age", str(PREFLIGHT_MAX_AGE_S).encode()),
    )

    def __init__(self, app: ASGIApp, collector: Collector, *, public_url: str = "", durability: str = "sync") -> None:
        super().__init__(app, collector.counters, durability=durability, attempts=collector.attempts)
        self._collector = collector
        self._public_url = public_url
        posts: dict[str, Action] = {"/flags": partial(_said, _NO_FLAGS), "/v1/m": partial(_said, _SUCCESS)}
        posts |= {f"/v1/{name}": partial(self._segment, call, None) for name, call in _SEGMENT_CALLS.items()}
        posts |= dict.fromkeys(_POSTHOG_PATHS, self._posthog)
        posts["/beacon/v1/batch"] = partial(self._segment, BATCH, None)
        self._posts: Mapping[str, Action] = posts

    def action(self, scope: Scope) -> Action | None:
        """What a path means, with or without a slash at its end: an answer of 3xx would lose the events."""
        method, path = scope["method"], scope["path"].rstrip("/")
        if method in ("POST", "OPTIONS"):
            found = self._posts.get(path) or self._keyed(path)
            if found is not None or method == "POST":
                return found
        return self._document(scope, path) if method in ("GET", "OPTIONS") else None

    def refusal(self, problem: Problem, error: IafaError | None, request_id: str) -> tuple[int, bytes, dict[str, str]]:
        """A problem like all others, with the members that these clients show."""
        status = _TOO_MANY if isinstance(error, NoRoom) else _STATUSES.get(problem.status, problem.status)
        content = problem.content(request_id) | {"status": status, "success": False, "message": problem.detail}
        fields = problem.header_fields()
        if status in (_TOO_MANY, 503):
            fields.setdefault("retry-after", str(RETRY_AFTER_S))
        return status, msgspec.json.encode(content), fields

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
            case ["", "pixel", "v1", ("track" | "page") as call]:
                return partial(self._pixel, call)
            case ["", "sourceConfig"]:
                return self._rudder
            case ["", "array", key, "config"] if KEY.fullmatch(key):
                return partial(_said, posthog_config(), caching=_CACHEABLE)
        return None

    async def _rudder(self, scope: Scope, _receive: Receive) -> Done:
        """For the key that the request names, as all of its requests do; it is not looked up."""
        key = _one_key(_keys_of(scope, None, _WRITE_KEY) or {""})
        if not KEY.fullmatch(key):
            raise NotFound
        return Done(rudder_settings(key), caching=_CACHEABLE)

    async def _segment(self, call: str, path_key: str | None, scope: Scope, receive: Receive) -> Done:
        keys = _keys_of(scope, path_key, _WRITE_KEY)
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
        return Done(body, limits=limit_fields(origin))

    async def _pixel(self, call: str, scope: Scope, _receive: Receive) -> Done:
        """RudderStack's image. A refused message is in the quarantine; whoever looks at the image sees it anyway."""
        page, origin = page_of(scope)
        keys = _keys_of(scope, None, _WRITE_KEY)
        key = _one_key(keys) if keys else None
        grant = await admitted(self._collector.gate, scope, key, origin, is_beacon=True)
        said = {name: value for name, value in _query(scope).items() if name != _WRITE_KEY}
        await self._collector.deliver(grant, origin, read_pixel(said, call, page))
        return Done(PIXEL, limit_fields(origin), media_type=b"image/gif")

    async def _posthog(self, scope: Scope, receive: Receive) -> Done:
        query = _query(scope)
        is_base64 = query.get("compression") == "base64"
        sent = query["_"] if _CLOCK.fullmatch(query.get("_", "")) else None

        def read(body: bytes) -> Delivery:
            return read_posthog(unwrapped(body, is_base64=is_base64), None if sent is None else int(sent))

        _answer, origin = await self._deliver(_keys_of(scope, None, "api_key", "token"), scope, receive, read)
        return Done(_STATUS_1, limits=limit_fields(origin))

    async def _deliver(
        self, keys: set[str], scope: Scope, receive: Receive, read: Callable[[bytes], Delivery]
    ) -> tuple[BatchAnswer, Origin]:
        """Judge and store. A key outside the body is looked at before the body is read."""
        head, origin = sender_of(scope)
        admit = partial(admitted, self._collector.gate, scope)
        grant = await admit(_one_key(keys), origin) if keys else None
        # JSON under whatever type: these clients send text/plain, too. What came too slowly may come again.
        body = await read_body(head._replace(content_type=JSON_TYPE, origin=None), receive)
        if body.startswith(_GZIP_MAGIC) and head.encoding != b"gzip":
            body = inflate(body)
        delivery = read(body)
        key = _one_key(keys | delivery.keys) if keys or delivery.keys else None
        return await self._collector.deliver(grant or await admit(key, origin), origin, delivery), origin


async def _said(body: bytes, _scope: Scope, _receive: Receive, *, caching: bytes = b"no-store") -> Done:
    """What needs neither a key nor the request's body."""
    return Done(body, caching=caching)


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

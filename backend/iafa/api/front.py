"""What stands in front of the framework: one ASGI callable that answers its own paths and hands on all others.

The framework's machinery costs more than judging an event does; documented routes answer through the same code.
"""

import itertools
import logging
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from iafa.api.problems import INTERNAL_ERROR, MEDIA_TYPE, Problem
from iafa.errors import IafaError, NotFound
from iafa.ingest.attempts import CHECK_AGENT, Attempts
from iafa.metrics import Counters

log = logging.getLogger("iafa.collect")
PREFLIGHT_MAX_AGE_S = 7200
JSON_TYPE = b"application/json"
PROJECT = "iafa.project"  # of a scope: whose key the request has
Fields = tuple[tuple[bytes, bytes], ...]

CORS: Fields = (
    (b"access-control-allow-origin", b"*"),
    (
        b"access-control-expose-headers",
        b"Retry-After, X-Request-Id, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset",
    ),
)


class Answer(NamedTuple):
    status: int
    headers: Fields
    body: bytes


class Done(NamedTuple):
    """What an action answers when all went well."""

    body: bytes
    limits: Fields = ()
    status: int = 200
    media_type: bytes = JSON_TYPE
    caching: bytes = b"no-store"


Action = Callable[[Scope, Receive], Awaitable[Done]]


class Left(Exception):
    """The client went away before its body was complete: nothing is stored and nobody hears an answer."""


class Front(ABC):
    """Every answer has CORS and a request id, also a refusal; every request is counted."""

    preflight: Fields = ()

    def __init__(
        self, app: ASGIApp, counters: Counters, *, durability: str = "sync", attempts: Attempts | None = None
    ) -> None:
        self._app = app
        self._counters = counters
        self._attempts = attempts
        self._durability = (b"x-iafa-durability", durability.encode())
        # One random prefix a process and a counter: asking the kernel each time cost more than the rest of the answer.
        self._id_prefix = os.urandom(8).hex()
        self._ids = itertools.count()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        action = self.action(scope) if scope["type"] == "http" else None
        if action is None:
            await self._app(scope, receive, send)
            return
        try:
            answer = await self.answer(scope, receive, action)
        except Left:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.headers)})
        await send({"type": "http.response.body", "body": answer.body})

    async def respond(self, request: Request) -> Response:
        """The same answer for a documented route."""
        answer = await self.answer(request.scope, request.receive, self.action(request.scope) or _nothing_here)
        response = Response(answer.body, answer.status)
        response.raw_headers = list(answer.headers)
        return response

    async def answer(self, scope: Scope, receive: Receive, action: Action) -> Answer:
        request_id = f"{self._id_prefix}{next(self._ids):016x}"
        named = ((b"x-request-id", request_id.encode()), self._durability)
        if scope["method"] == "OPTIONS":
            return Answer(204, (*CORS, *self.preflight, *named, (b"cache-control", b"no-store")), b"")
        counters = self._counters
        try:
            done = await action(scope, receive)
        except IafaError as error:
            problem = Problem.of(error)
            counters.add("requests_refused", problem.code)
            self._tell(scope, problem.code, error.detail)
            answer = self._refused(problem, error, request_id, named)
        except Left:
            counters.add("requests_refused", "client_left")
            self._tell(scope, "client_left", "the connection ended before the body was complete")
            raise
        except Exception:
            counters.add("internal_errors", "collect")
            log.exception("collect request=%s", request_id)
            self._tell(scope, INTERNAL_ERROR.code, f"request {request_id}, see the server's log")
            answer = self._refused(INTERNAL_ERROR, None, request_id, named)
        else:
            fields = ((b"cache-control", done.caching), *_about(done.body, done.media_type))
            answer = Answer(done.status, (*CORS, *named, *fields, *done.limits), done.body)
        counters.add("collect_requests", f"{answer.status // 100}xx")
        return answer

    @abstractmethod
    def action(self, scope: Scope) -> Action | None:
        """What a path of this front means; None for everybody else's."""

    def refusal(self, problem: Problem, _error: IafaError | None, request_id: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and further header fields, as the clients of this front understand them."""
        return problem.status, problem.body(request_id), problem.header_fields()

    def _tell(self, scope: Scope, code: str, detail: str) -> None:
        """The project that the request's key belongs to, if there is one, hears why it was refused."""
        if self._attempts is not None and PROJECT in scope:
            fields = dict(scope["headers"])
            if fields.get(b"user-agent", b"").decode("latin-1") == CHECK_AGENT:
                return
            origin = fields.get(b"origin")
            named = None if origin is None else origin.decode("latin-1")
            self._attempts.refuse_request(scope[PROJECT], code, detail, named, scope["path"])

    def _refused(self, problem: Problem, error: IafaError | None, request_id: str, named: Fields) -> Answer:
        status, body, fields = self.refusal(problem, error, request_id)
        said = ((name.encode(), value.encode()) for name, value in fields.items())
        return Answer(status, (*CORS, *named, *_about(body, MEDIA_TYPE.encode()), *said), body)


async def _nothing_here(_scope: Scope, _receive: Receive) -> Done:
    raise NotFound


def _about(body: bytes, media_type: bytes) -> Fields:
    return (b"content-type", media_type), (b"content-length", str(len(body)).encode())

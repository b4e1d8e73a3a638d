"""A question ends when its client goes away: nobody would read the answer, and others wait for the engine."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from iafa.api.services import services_of
from iafa.errors import IafaError
from iafa.query.cancellation import Cancellation
from iafa.query.slow_questions import SlowQuestion, SlowQuestions

Answer = TypeVar("Answer")
API = "/api/v1"  # where the routers that name no base of their own stand


async def while_waiting(request: Request, ask: Callable[[Cancellation], Awaitable[Answer]]) -> Answer:
    """The answer; if the client leaves first, the question is cancelled. The body must have been read."""
    cancellation = Cancellation()
    began_s = asyncio.get_running_loop().time()
    outcome = "left"
    asking = asyncio.ensure_future(ask(cancellation))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            outcome = _outcome(asking)
            return asking.result()
        raise IafaError("the client left before the answer", code="bad_request")
    finally:
        leaving.cancel()
        if not asking.done():
            cancellation.cancel()
            asking.cancel()
        _note(request, cancellation, asyncio.get_running_loop().time() - began_s, outcome)


def _outcome(asking: asyncio.Future[Answer]) -> str:
    error = asking.exception()
    if error is None:
        return "answered"
    return error.code if isinstance(error, IafaError) else "internal_error"


def _note(request: Request, cancellation: Cancellation, took_s: float, outcome: str) -> None:
    """Remember a question that took long, by a digest of what was asked."""
    state = getattr(request.scope.get("app"), "state", None)
    slow: SlowQuestions | None = getattr(state, "slow", None)
    if slow is None or took_s * 1000 < slow.slow_ms:
        return
    services = services_of(request)
    # The body as it was read: whoever has left would not send it again.
    asked = b"\n".join((request.url.path.encode(), request.url.query.encode(), getattr(request, "_body", b"")))
    path = str(getattr(request.scope.get("route"), "path_format", ""))
    slow.note(
        SlowQuestion(
            at_us=services.clock.now_us(),
            route=f"{request.method} {path if path.startswith(API) else API + path}",
            ms=round(took_s * 1000, 1),
            rows=cancellation.rows,
            digest=hashlib.blake2b(asked, key=services.cursor_key[:32], digest_size=8).hexdigest(),
            project_id=cancellation.project_id,
            outcome=outcome,
        )
    )


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""A question ends when its client goes away: nobody would read the answer, and others wait for the engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from fastapi import Request

from iafa.errors import IafaError
from iafa.query.cancellation import Cancellation

Answer = TypeVar("Answer")


async def while_waiting(request: Request, ask: Callable[[Cancellation], Awaitable[Answer]]) -> Answer:
    """The answer; if the client leaves first, the question is cancelled. The body must have been read."""
    cancellation = Cancellation()
    asking = asyncio.ensure_future(ask(cancellation))
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({asking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if asking.done():
            return asking.result()
        raise IafaError("the client left before the answer", code="bad_request")
    finally:
        leaving.cancel()
        if not asking.done():
            cancellation.cancel()
            asking.cancel()


async def _left(request: Request) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass

"""The live view: a ticket over HTTP, then a socket that tells what comes in. Ingestion never waits for it."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Annotated, cast

import msgspec
from fastapi import APIRouter, Depends, Request, Response, WebSocket
from pydantic import ValidationError
from starlette.websockets import WebSocketDisconnect, WebSocketState

from iafa.api.access import CallerIsUser, MemberProject, SignedIn, live_ticket, project_of
from iafa.api.answers import json_answer
from iafa.api.bodies import StrictRoute
from iafa.api.live_models import LiveRequest, LiveTicket
from iafa.api.origins import is_own_page
from iafa.api.problem_docs import problem_responses
from iafa.api.services import Services
from iafa.clock import to_iso
from iafa.errors import IafaError
from iafa.jobs.live import Choice, LiveFeed, Watcher
from iafa.meta.live_tickets import LIFE_S, LiveTickets, Ticket
from iafa.meta.projects import Project

router = APIRouter(prefix="/api/v1", tags=["live"], route_class=StrictRoute)
log = logging.getLogger("iafa.live")
PATH = "/api/v1/live"
HEARTBEAT_S = 15.0
CHECK_S = 1.0  # with what a worker remembers for a second, a removed member sees nothing after two
SEND_S_MAX = 30.0  # a socket that takes nothing for so long is closed
MESSAGE_EVENTS = 100
ASKED_CHARS_MAX = 4096
ASKED_PAUSE_S = 0.05  # between two messages of a client
BAD_MESSAGE, NO_TICKET, FOREIGN, TOO_SLOW, TOO_MANY = 4400, 4401, 4403, 4408, 4429


@dataclass(frozen=True)
class LiveDesk:
    """What the routes are given as `app.state.live`."""

    feed: LiveFeed
    tickets: LiveTickets


class _Closed(Exception):
    """The socket is to be closed with this code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


@router.post(
    "/projects/{project_id}/live/ticket",
    status_code=201,
    response_model=LiveTicket,
    summary="Get a ticket for the live view",
    description="Good for one WebSocket at `/api/v1/live?ticket=...`, once, within 30 seconds, at any worker. A page "
    "must be this server's or one of `CORS_ORIGINS`. The server sends `LiveMessage`, the client may send "
    "`LiveRequest`. Close codes: 4400 a message that is none, 4401 no valid ticket or the session has ended, 4403 a "
    "page of another site or a project that is no longer yours, 4408 the socket takes nothing, 4429 too many sockets.",
    responses=problem_responses(
        "invalid_credentials", "token_expired", "insufficient_scope", "not_found", "rate_limited"
    ),
)
async def make_live_ticket(request: Request, project: MemberProject, caller: CallerIsUser) -> Response:
    tickets = cast(LiveDesk, request.app.state.live).tickets
    text = await asyncio.to_thread(tickets.issue, project.id, caller.user.id, caller.session_id)
    return json_answer({"ticket": text, "path": f"{PATH}?ticket={text}", "expires_in": int(LIFE_S)}, status=201)


@router.websocket("/live")
async def live(websocket: WebSocket, ticket_text: Annotated[str, Depends(live_ticket)]) -> None:
    desk, services = cast(LiveDesk, websocket.app.state.live), cast(Services, websocket.app.state.services)
    # Accepted first: a browser tells its page no status of a handshake that was refused.
    await websocket.accept()
    watcher: Watcher | None = None
    try:
        if not is_own_page(websocket.headers, services.settings):
            raise _Closed(FOREIGN, "a page of another site")
        ticket = await asyncio.to_thread(desk.tickets.redeem, ticket_text)
        if ticket is None:
            raise _Closed(NO_TICKET, "the ticket is not valid, or was used")
        project = await _still_allowed(services, ticket)
        has_news = asyncio.Event()
        wake = partial(_wake, asyncio.get_running_loop(), has_news)
        watcher = await asyncio.to_thread(desk.feed.watch, project.id, wake, project.organization_id)
        if watcher is None:
            raise _Closed(TOO_MANY, "too many sockets are open")
        await _serve(websocket, services, ticket, watcher, has_news)
    except _Closed as closed:
        with suppress(RuntimeError, WebSocketDisconnect):
            await websocket.close(closed.code, closed.reason)
    except WebSocketDisconnect:
        log.debug("a live socket went before it was told anything")
    finally:
        if watcher is not None:
            desk.feed.leave(watcher)


def _wake(loop: asyncio.AbstractEventLoop, has_news: asyncio.Event) -> None:
    with suppress(RuntimeError):  # the loop has ended
        loop.call_soon_threadsafe(has_news.set)


async def _serve(
    websocket: WebSocket, services: Services, ticket: Ticket, watcher: Watcher, has_news: asyncio.Event
) -> None:
    """Until either side ends."""
    await _send(websocket, b'{"type":"ready"}')
    telling = asyncio.create_task(_tell(websocket, services, ticket, watcher, has_news))
    listening = asyncio.create_task(_listen(websocket, watcher))
    tasks = (telling, listening)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:  # also when the server stops
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    for task in tasks:
        error = None if task.cancelled() else task.exception()
        if isinstance(error, _Closed):
            raise error
        if error is not None and not isinstance(error, WebSocketDisconnect | RuntimeError):
            log.error("a live socket ended: %r", error)


async def _tell(
    websocket: WebSocket, services: Services, ticket: Ticket, watcher: Watcher, has_news: asyncio.Event
) -> None:
    loop = asyncio.get_running_loop()
    checked_s = told_s = loop.time()
    while True:
        # Before each message: a slow reader of a busy project is never without news.
        if loop.time() - checked_s >= CHECK_S:
            await _still_allowed(services, ticket)
            checked_s = loop.time()
        taken = watcher.take(MESSAGE_EVENTS)
        if taken.items or taken.skipped or taken.has_gap:
            rest = b'"skipped":%d,"gap":%b}' % (taken.skipped, b"true" if taken.has_gap else b"false")
            await _send(websocket, b'{"type":"events","events":[%b],%b' % (b",".join(taken.items), rest))
            told_s = loop.time()
            continue
        if loop.time() - told_s >= HEARTBEAT_S:
            await _send(websocket, b'{"type":"heartbeat","at":"%b"}' % to_iso(services.clock.now_us()).encode())
            told_s = loop.time()
        with suppress(TimeoutError):
            async with asyncio.timeout(CHECK_S):
                await has_news.wait()
        has_news.clear()


async def _send(websocket: WebSocket, message: bytes) -> None:
    if websocket.application_state is not WebSocketState.CONNECTED:
        raise WebSocketDisconnect(1006)
    try:
        async with asyncio.timeout(SEND_S_MAX):
            await websocket.send_text(message.decode())
    except TimeoutError:
        raise _Closed(TOO_SLOW, "the socket takes nothing") from None


async def _listen(websocket: WebSocket, watcher: Watcher) -> None:
    while True:
        message = await websocket.receive()
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        if text is None or len(text) > ASKED_CHARS_MAX:
            raise _Closed(BAD_MESSAGE, "send a short JSON text")
        try:
            asked = LiveRequest.model_validate(msgspec.json.decode(text), strict=True).filter
        except (msgspec.DecodeError, ValidationError, RecursionError):
            raise _Closed(BAD_MESSAGE, 'send {"filter": {...}}') from None
        watcher.wanted = Choice(asked.event_type, asked.result, asked.person)
        await asyncio.sleep(ASKED_PAUSE_S)


async def _still_allowed(services: Services, ticket: Ticket) -> Project:
    """A session that ended, or a project that went, ends the socket as well."""
    try:
        user = await services.accounts.caller(ticket.user_id, ticket.session_id)
    except IafaError:
        raise _Closed(NO_TICKET, "the session has ended") from None
    try:
        return await project_of(services, SignedIn(user, ticket.session_id), ticket.project_id)
    except IafaError:
        raise _Closed(FOREIGN, "the project is not yours") from None

"""What a live socket does while its sender is never without news, and when either side goes."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast

import pytest
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from iafa.api import live
from iafa.api.services import Services
from iafa.clock import FakeClock
from iafa.errors import InvalidCredentials
from iafa.jobs.live import LiveItem, Watcher
from iafa.meta.live_tickets import Ticket
from tests.support.events import PROJECT

TICKET = Ticket(PROJECT, "user", "session", 1.0)
ITEM = LiveItem(result="stored", received_at="", worker=1)


class BusySocket:
    """For each message that it takes, another event has come."""

    application_state = WebSocketState.CONNECTED

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.taken = 0
        self.is_heard = asyncio.Event()

    async def send_text(self, _text: str) -> None:
        self.taken += 1
        self.watcher.put([(ITEM, b"{}")], 0, False)
        await asyncio.sleep(0)

    async def receive(self) -> dict[str, Any]:
        self.is_heard.set()
        await asyncio.Event().wait()
        raise AssertionError


def services_without_session() -> Services:
    async def caller(_user_id: str, _session_id: str) -> None:
        raise InvalidCredentials("the session has ended")

    return cast(Services, SimpleNamespace(accounts=SimpleNamespace(caller=caller), clock=FakeClock()))


@pytest.mark.parametrize("is_busy", [True, False])
async def test_a_session_that_ended_ends_the_socket_with_news_and_without(
    monkeypatch: pytest.MonkeyPatch, is_busy: bool
) -> None:
    monkeypatch.setattr(live, "CHECK_S", 0.2)
    has_news = asyncio.Event()
    watcher = Watcher(PROJECT, has_news.set)
    socket = BusySocket(watcher)
    if is_busy:
        watcher.put([(ITEM, b"{}")], 0, False)
    async with asyncio.timeout(30):
        with pytest.raises(live._Closed) as closed:
            await live._tell(cast(WebSocket, socket), services_without_session(), TICKET, watcher, has_news)
    assert closed.value.code == live.NO_TICKET
    assert (socket.taken >= 1) == is_busy, "also before a heartbeat was due"


async def test_a_socket_that_is_ended_from_outside_leaves_no_task() -> None:
    has_news = asyncio.Event()
    socket = BusySocket(Watcher(PROJECT, has_news.set))
    before = asyncio.all_tasks()
    arguments = (cast(WebSocket, socket), services_without_session(), TICKET, socket.watcher, has_news)
    serving = asyncio.create_task(live._serve(*arguments))
    await socket.is_heard.wait()
    assert len(asyncio.all_tasks() - before) == 3
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert asyncio.all_tasks() == before


async def test_a_socket_that_goes_before_it_is_told_anything_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    left: list[Watcher] = []
    watcher = Watcher(PROJECT, lambda: None)

    async def nothing(*_: object) -> None:
        return

    async def gone(_text: str) -> None:
        raise WebSocketDisconnect(1006)

    async def allowed(*_: object) -> object:
        return SimpleNamespace(id=PROJECT, organization_id="org")

    monkeypatch.setattr(live, "_still_allowed", allowed)
    monkeypatch.setattr(live, "is_own_page", lambda *_: True)
    desk = SimpleNamespace(
        tickets=SimpleNamespace(redeem=lambda _text: TICKET),
        feed=SimpleNamespace(watch=lambda *_: watcher, leave=left.append),
    )
    services = SimpleNamespace(settings=None)
    socket = SimpleNamespace(
        app=SimpleNamespace(state=SimpleNamespace(live=desk, services=services)),
        application_state=WebSocketState.CONNECTED,
        headers={},
        accept=nothing,
        send_text=gone,
    )
    await live.live(cast(WebSocket, socket), "ticket")
    assert left == [watcher]

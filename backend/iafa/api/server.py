"""One serving process: the framework's app, the collect path in front of it, and their parts, from start to stop."""

import asyncio
import errno
import gc
import hashlib
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from typing import Any, NamedTuple

import uvicorn
from starlette.types import ASGIApp

from iafa.api import collect_routes, diagnosis, erasures, live, person, quality, quarantine, sdk_routes, system, upload
from iafa.api.app import create_app
from iafa.api.collect import CollectFront
from iafa.api.loop_lag import LoopLag
from iafa.api.sdks import SdkFront
from iafa.api.services import Services, nobody_told
from iafa.api.share_gate import ShareGate
from iafa.api.tokens import Tokens
from iafa.api.upload import Uploads
from iafa.clock import Clock
from iafa.ingest.limits import RateLimiter
from iafa.intake import Intake, open_intake
from iafa.jobs.audit_pages import AuditPages
from iafa.jobs.live import LiveFeed
from iafa.meta.key_uses import KeyUses
from iafa.meta.live_tickets import LiveTickets
from iafa.meta.sign_in_trail import SignInTrail
from iafa.published import Publisher
from iafa.query.paths.warming import WARMING
from iafa.settings import Settings
from iafa.wiring import House, open_house

EXTRA_ROUTERS = (
    collect_routes.router,
    sdk_routes.router,
    upload.router,
    quarantine.router,
    live.router,
    erasures.router,
    person.router,
    diagnosis.router,
    quality.router,
    system.router,
)
log = logging.getLogger("iafa.server")
SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
TELL_SHORTAGE_EVERY_S = 30.0
FIRST_WORKER = "worker-0"
BACKLOG = 1024
CONNECTIONS_MAX = 2000
GRACE_S = 10


class Serving(NamedTuple):
    """The complete application with its journal open, and what it tells the other processes about itself."""

    app: ASGIApp
    publisher: Publisher


def services_of_house(
    house: House, intake: Intake, publisher: Publisher, key_uses: KeyUses, *, replayed_from: int
) -> Services:
    overview = house.overview(publisher)
    limiter = RateLimiter(house.clock, house.shared.limits if house.shared else None)

    async def readiness() -> dict[str, Any]:
        left = await asyncio.to_thread(house.left_of, replayed_from)
        return {"ready": left is None, "journal": "replayed" if left is None else f"replaying: {left}"}

    async def drop_project(project_id: str) -> None:
        if intake.collector.attempts is not None:
            intake.collector.attempts.forget(project_id)
        await house.drop_project(project_id)

    return Services(
        settings=house.settings,
        clock=house.clock,
        tokens=Tokens(house.settings.secret(), algorithm=house.settings.jwt_algorithm, clock=house.clock),
        accounts=house.accounts,
        membership=house.membership,
        audit=house.audit,
        audit_pages=AuditPages(house.layout.audit),
        sign_ins=SignInTrail(house.audit, house.clock),
        projects=house.projects,
        key_uses=key_uses,
        funnels=house.funnels,
        alerts=house.alerts,
        webhook=house.webhook(),
        saved=house.saved,
        share_gate=ShareGate(
            limiter,
            _key_of(house, b"iafa share pass"),
            house.clock,
            at_once=max(1, house.settings.query_concurrency // 2),
        ),
        snapshot=house.snapshot,
        run_funnel=house.run_funnel,
        funnel_notebook=house.funnel_notebook,
        drivers=house.drivers,
        run_report=house.run_report,
        present=house.present,
        event_names=house.event_names,
        property_list=house.property_list,
        value_list=house.value_list,
        people_page=house.people_page,
        people_export=house.people_export,
        explain=house.explain,
        next_steps=house.next_steps,
        suggested_funnels=house.suggested_funnels,
        schema_watch=house.schema_watch,
        events_page=house.events_page,
        events_export=house.events_export,
        cursor_key=_key_of(house, b"iafa cursor key"),
        readiness=readiness,
        events_this_month=intake.collector.gate.usage.of,
        drop_project=drop_project,
        metrics=partial(asyncio.to_thread, overview.text),
        tracker_fetched=intake.collector.attempts.fetched if intake.collector.attempts else nobody_told,
    )


def _key_of(house: House, purpose: bytes) -> bytes:
    return hashlib.sha256(purpose + house.settings.secret().encode()).digest()


@asynccontextmanager
async def running(settings: Settings, *, replayed_from: int = 0, clock: Clock | None = None) -> AsyncIterator[ASGIApp]:
    """The complete ASGI application; its journal is open inside the block."""
    async with serving(settings, replayed_from=replayed_from, clock=clock) as served:
        yield served.app


@asynccontextmanager
async def serving(
    settings: Settings,
    *,
    replayed_from: int = 0,
    clock: Clock | None = None,
    process: str = FIRST_WORKER,
    shared_fd: int | None = None,
) -> AsyncIterator[Serving]:
    """The same with the publisher of its counters, which whoever listens has to start."""
    house = await asyncio.to_thread(partial(open_house, settings, clock, shared_fd=shared_fd))
    attempts = house.attempts(process).begin()
    key_uses = house.key_uses(process)
    intake = await asyncio.to_thread(open_intake, house, attempts, key_uses.note)
    lag = LoopLag()
    watching = asyncio.create_task(lag.watch())
    slow = house.slow_questions(process)

    def gauges() -> dict[str, float]:
        waiting = {"journal_waiting_requests": float(intake.journal.waiting)}
        return {"event_loop_lag_seconds": lag.worst_s()} | waiting | house.gauges()

    publisher = house.publisher(process, gauges, attempts.publish, slow.publish, key_uses.publish)
    try:
        services = services_of_house(house, intake, publisher, key_uses, replayed_from=replayed_from)
        app = create_app(services, extra=EXTRA_ROUTERS)
        app.state.sdk_front = sdks = SdkFront(
            app, intake.collector, public_url=settings.public_url, durability=settings.durability
        )
        app.state.collect_front = front = CollectFront(sdks, intake.collector, durability=settings.durability)
        app.state.live = live.LiveDesk(
            LiveFeed(house.layout.journal, house.watchers), LiveTickets(house.layout.run / "tickets", house.clock)
        )
        app.state.slow = slow
        app.state.system = house.system_desk(attempts, slow, publisher)
        app.state.diagnosis = house.diagnosis_desk(attempts)
        app.state.quarantine = house.quarantine_desk()
        app.state.erasures = house.erasure_desk()
        app.state.people = app.state.questions = house
        uploader = house.uploader()
        app.state.uploads = Uploads(uploader.make_folder, uploader.run, settings.upload_bytes_max)
        yield Serving(front, publisher)
    finally:
        watching.cancel()
        await intake.close()
        await asyncio.to_thread(key_uses.write)
        await asyncio.to_thread(house.engine.close)


def run(serving: Coroutine[Any, Any, None]) -> None:
    """`asyncio.run` with uvicorn's choice of the loop: uvloop where it is installed."""
    with asyncio.Runner(loop_factory=uvicorn.Config("").get_loop_factory()) as runner:
        runner.run(serving)


async def serve(
    settings: Settings,
    *,
    replayed_from: int,
    process: str = FIRST_WORKER,
    shared_fd: int | None = None,
    until: Callable[[Callable[[], None]], None] | None = None,
    announce: Callable[[], None] = lambda: None,
) -> None:
    """Serve until a signal. `until` may arrange for another way to be told to stop; `announce` is called when
    requests are answered."""
    async with serving(settings, replayed_from=replayed_from, process=process, shared_fd=shared_fd) as served:
        config = uvicorn.Config(
            served.app,
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            proxy_headers=bool(settings.trusted_proxies),
            forwarded_allow_ips=settings.trusted_proxies or None,
            backlog=BACKLOG,
            limit_concurrency=CONNECTIONS_MAX,
            timeout_graceful_shutdown=GRACE_S,
            ws_max_size=2 * live.ASKED_CHARS_MAX,
            ws_per_message_deflate=False,  # the processor is for those who send events
        )
        server = _Server(config, (served.publisher.start, WARMING.start, announce))
        if until is not None:
            loop = asyncio.get_running_loop()

            def stop() -> None:
                loop.call_soon_threadsafe(setattr, server, "should_exit", True)

            until(stop)
        # What was made at start stays: the garbage collector need not walk through all modules again and again.
        gc.collect()
        gc.freeze()
        asyncio.get_running_loop().set_exception_handler(Shortage().tell)
        with _listening(settings) as listener, _signals_end_nothing_else():
            await server.serve(sockets=[listener])
            await asyncio.to_thread(served.publisher.close)


class Shortage:
    """asyncio complains once for every connection that it could have accepted, thousands of times a second, when no
    descriptor is left; it tries again by itself. Once in a while is enough."""

    def __init__(self) -> None:
        self._told_s = -TELL_SHORTAGE_EVERY_S

    def tell(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if not (isinstance(error, OSError) and error.errno in SHORTAGES and "accept" in context.get("message", "")):
            loop.default_exception_handler(context)
        elif loop.time() - self._told_s >= TELL_SHORTAGE_EVERY_S:
            self._told_s = loop.time()
            log.error("no descriptor is left for new connections; raise the limit (ulimit -n)")


class _Server(uvicorn.Server):
    """Says when it answers."""

    def __init__(self, config: uvicorn.Config, when_started: Sequence[Callable[[], object]]) -> None:
        super().__init__(config)
        self._when_started = when_started

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        for act in self._when_started:
            await asyncio.to_thread(act)


@contextmanager
def _signals_end_nothing_else() -> Iterator[None]:
    """uvicorn raises a signal again once it has stopped; by default that would end us with the journal still open."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda _number, _frame: None) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    # The protocol by name: only of such a socket does the loop know that connections are not to hold small parts back.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    listener.bind((settings.api_host, settings.api_port))
    listener.listen(BACKLOG)
    listener.setblocking(False)
    return listener

"""The questions of a project, each in a thread of the pool that is kept for them."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from iafa.clock import Clock
from iafa.errors import NotFound, QueryBusy, QueryTimeout
from iafa.lake.layout import Layout
from iafa.lake.lease import Lease
from iafa.lake.snapshot import Snapshot, Snapshots
from iafa.query.answer_cache import AnswerCache
from iafa.query.cancellation import Cancellation
from iafa.query.definition import FunnelDefinition
from iafa.query.drivers import DriversQuestion
from iafa.query.engine_console import Console
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.event_names import event_names
from iafa.query.events.export import EventExport, EventFile
from iafa.query.events.page import EventsPage, PageAsked, events_page
from iafa.query.events.question import EventsQuestion
from iafa.query.explain import explain
from iafa.query.next_steps import next_steps
from iafa.query.people import PeopleExport, PeoplePage, PeopleQuestion, Place, people
from iafa.query.person import At, PersonQuestion, all_events, person_events, profile
from iafa.query.person_list import PersonPage, Seen, person_list
from iafa.query.person_rows import count_rows, find_person
from iafa.query.properties import property_list, value_list
from iafa.query.question import Extras, question_of
from iafa.query.receipts.notebook import notebook
from iafa.query.reports.present import present
from iafa.query.reports.report import Report
from iafa.query.schema_watch import schema_watch
from iafa.query.stored_days import Stored, stored_by_day
from iafa.query.suggestions import suggested_funnels
from iafa.query.time_range import TimeRange
from iafa.settings import Settings

Result = TypeVar("Result")
THREADS_BESIDE = 4  # threads whose questions stand in line for the engine, beside those that it answers
WAITING_MAX = 64  # questions that wait for a thread
EXPORTS_MAX = 2  # that are written at once, each by an engine instance of its own
EXPORT_STALL_S = 300.0  # a reader who takes nothing for so long gives up the place
_RETRY_AFTER_S = 2
_EXPORT_RETRY_AFTER_S = 30


@dataclass
class Line:
    """How many questions somebody waits for. Only the event loop counts, so it needs no lock."""

    asked: int = 0
    exports: int = 0  # of raw events, that are being written


@dataclass(frozen=True)
class Questions:
    """Asks the engine over snapshots. Every method leaves the event loop alone."""

    settings: Settings
    clock: Clock
    layout: Layout
    snapshots: Snapshots
    engine: DuckEngine
    query_pool: Executor
    answers: AnswerCache
    line: Line = field(default_factory=Line, kw_only=True)

    async def snapshot(self, project_id: str) -> Snapshot:
        return await self._in_query_pool(self.snapshots.take, project_id)

    async def run_funnel(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        funnel_id: str | None,
        extras: Extras,
        cancellation: Cancellation | None = None,
    ) -> dict[str, Any]:
        question = question_of(definition, time_range, self.clock.now_us(), extras)
        snapshot = await self._known_at(snapshot, definition)
        return await self._in_query_pool(
            partial(
                self.answers.answer,
                self.engine,
                snapshot,
                question,
                funnel_id=funnel_id,
                cancellation=cancellation,
            )
        )

    async def funnel_notebook(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        funnel_id: str | None,
        extras: Extras,
        cancellation: Cancellation | None = None,
    ) -> bytes:
        """`extras` include the receipt."""
        snapshot = await self._known_at(snapshot, definition)
        question = question_of(definition, time_range, self.clock.now_us(), extras)

        def make() -> bytes:
            answer = self.answers.answer(
                self.engine, snapshot, question, funnel_id=funnel_id, cancellation=cancellation
            )
            return notebook(self.engine, snapshot, question, answer, cancellation)

        return await self._in_query_pool(make)

    async def drivers(
        self,
        snapshot: Snapshot,
        asked: DriversQuestion,
        funnel_id: str | None,
        cancellation: Cancellation | None = None,
    ) -> dict[str, Any]:
        snapshot = await self._known_at(snapshot, asked.question.definition)
        ask = partial(self.answers.drivers, self.engine, snapshot, asked)
        return await self._in_query_pool(partial(ask, funnel_id=funnel_id, cancellation=cancellation))

    async def event_names(
        self, snapshot: Snapshot, query: str, limit: int, cancellation: Cancellation | None = None
    ) -> Sequence[dict[str, Any]]:
        ask = partial(event_names, self.engine, snapshot, search=query, limit=limit, cancellation=cancellation)
        return await self._in_query_pool(ask)

    async def people_page(
        self,
        snapshot: Snapshot,
        asked: PeopleQuestion,
        after: Place | None,
        limit: int,
        cancellation: Cancellation | None = None,
    ) -> PeoplePage:
        snapshot = await self._known_at(snapshot, asked.definition)
        ask = partial(people, self.engine, snapshot, asked, after=after, limit=limit, cancellation=cancellation)
        return await self._in_query_pool(ask)

    async def people_export(
        self, snapshot: Snapshot, asked: PeopleQuestion, cancellation: Cancellation | None = None
    ) -> AsyncIterator[list[dict[str, object]]]:
        cancellation = cancellation or Cancellation()
        timeout_s = self.settings.query_timeout_s
        snapshot = await self._known_at(snapshot, asked.definition)
        ask = partial(PeopleExport, self.engine, snapshot, asked, timeout_s=timeout_s, cancellation=cancellation)
        return self._export_rows(await self._in_query_pool(ask), cancellation)

    async def _export_rows(
        self, export: PeopleExport, cancellation: Cancellation
    ) -> AsyncIterator[list[dict[str, object]]]:
        try:
            for start in export.starts:
                yield await self._in_thread(export.rows, start)  # a file that has begun is not refused
        finally:
            cancellation.cancel()  # who stops reading leaves no batch behind

    async def events_page(
        self, snapshot: Snapshot, asked: EventsQuestion, page: PageAsked, cancellation: Cancellation | None = None
    ) -> EventsPage:
        return await self._in_query_pool(
            partial(events_page, self.engine, snapshot, asked, page, cancellation=cancellation)
        )

    async def events_export(
        self, snapshot: Snapshot, asked: EventsQuestion, file: EventFile, cancellation: Cancellation | None = None
    ) -> AsyncIterator[bytes]:
        """The bytes of the file. What goes wrong before the first ones is raised here."""
        if self.line.exports >= EXPORTS_MAX:
            raise QueryBusy("other exports are being written now", retry_after_s=_EXPORT_RETRY_AFTER_S)
        export = EventExport(self.engine, self.layout, snapshot, asked, file, cancellation or Cancellation())
        pieces = self._export_pieces(export)
        return _with_first(await anext(pieces, b""), pieces)  # a file may be empty

    async def _export_pieces(self, export: EventExport) -> AsyncGenerator[bytes, None]:
        self.line.exports += 1
        ended = asyncio.Event()

        def end() -> None:
            if not ended.is_set():
                ended.set()
                self.line.exports -= 1
                # Not awaited: who stops reading is not there to wait, and a thread may still be at work for them.
                self.query_pool.submit(export.close)

        loop = asyncio.get_running_loop()
        try:
            while (piece := await self._in_thread(export.piece)) is not None:
                stalled = loop.call_later(EXPORT_STALL_S, end)
                try:
                    yield piece
                finally:
                    stalled.cancel()
                if ended.is_set():
                    raise QueryTimeout(f"nobody read the export for {EXPORT_STALL_S:.0f} s")
        finally:
            end()

    async def explain(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        who: str,
        session_gap_s: int,
        cancellation: Cancellation | None = None,
    ) -> dict[str, object]:
        snapshot = await self._known_at(snapshot, definition)
        told = partial(explain, self.engine, snapshot, definition, time_range, who)
        return await self._in_query_pool(partial(told, session_gap_s=session_gap_s, cancellation=cancellation))

    async def next_steps(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        extras: Extras,
        limit: int,
        cancellation: Cancellation | None = None,
    ) -> dict[str, Any]:
        snapshot = await self._known_at(snapshot, definition)
        return await self._in_query_pool(
            partial(
                next_steps,
                self.engine,
                snapshot,
                definition,
                time_range,
                extras=extras,
                limit=limit,
                cancellation=cancellation,
            )
        )

    async def suggested_funnels(
        self, snapshot: Snapshot, time_range: TimeRange, cancellation: Cancellation | None = None
    ) -> Sequence[dict[str, Any]]:
        suggest = partial(suggested_funnels, self.engine, snapshot, time_range, cancellation=cancellation)
        return await self._in_query_pool(suggest)

    async def schema_watch(
        self, snapshot: Snapshot, days: int, cancellation: Cancellation | None = None
    ) -> dict[str, Any]:
        return await self._in_query_pool(
            partial(schema_watch, self.engine, snapshot, days=days, cancellation=cancellation)
        )

    async def stored_by_day(
        self, snapshot: Snapshot, from_us: int, to_us: int, cancellation: Cancellation | None = None
    ) -> dict[str, Stored]:
        return await self._in_query_pool(stored_by_day, self.engine, snapshot, from_us, to_us, cancellation)

    async def present(
        self, snapshot: Snapshot, exclude_bots: bool, cancellation: Cancellation | None = None
    ) -> dict[str, Any]:
        ask = partial(present, self.engine, snapshot, exclude_bots=exclude_bots)
        return await self._in_query_pool(partial(ask, cancellation=cancellation))

    async def property_list(
        self,
        snapshot: Snapshot,
        search: str,
        event_types: tuple[str, ...],
        limit: int,
        cancellation: Cancellation | None = None,
    ) -> dict[str, Any]:
        ask = partial(property_list, self.engine, snapshot, search=search, event_types=event_types)
        return await self._in_query_pool(partial(ask, limit=limit, cancellation=cancellation))

    async def value_list(
        self,
        snapshot: Snapshot,
        name: str,
        search: str,
        event_types: tuple[str, ...],
        limit: int,
        cancellation: Cancellation | None = None,
    ) -> dict[str, Any]:
        ask = partial(value_list, self.engine, snapshot, name, search=search, event_types=event_types)
        return await self._in_query_pool(partial(ask, limit=limit, cancellation=cancellation))

    async def run_report(
        self, snapshot: Snapshot, report: Report, cancellation: Cancellation | None = None
    ) -> dict[str, Any]:
        if report.frame.is_as_of_given:
            snapshot = await self._in_query_pool(snapshot.known_at, report.frame.as_of_us)
        ask = partial(self.answers.report, self.engine, snapshot, report, cancellation=cancellation)
        return await self._in_query_pool(ask)

    async def person_called(
        self, snapshot: Snapshot, called: str, session_gap_s: int, cancellation: Cancellation | None = None
    ) -> PersonQuestion:
        person = await self._in_query_pool(find_person, self.engine, snapshot, called)
        return PersonQuestion(snapshot, person, session_gap_s)

    async def person_list(
        self,
        snapshot: Snapshot,
        search: str | None,
        after: Seen,
        limit: int,
        cancellation: Cancellation | None = None,
    ) -> PersonPage:
        return await self._in_query_pool(person_list, self.engine, snapshot, search, after, limit, cancellation)

    async def person_profile(self, asked: PersonQuestion, cancellation: Cancellation | None = None) -> dict[str, Any]:
        return await self._in_query_pool(profile, self.engine, asked, cancellation)

    async def person_events(
        self, asked: PersonQuestion, after: At, limit: int, cancellation: Cancellation | None = None
    ) -> list[dict[str, Any]]:
        """NotFound for somebody of whom there is no event, before the place either."""
        ask = partial(person_events, self.engine, asked, after, limit, cancellation=cancellation)
        rows = await self._in_query_pool(ask)
        if not rows and not await self._in_query_pool(count_rows, self.engine, asked.snapshot, asked.person):
            raise NotFound
        return rows

    async def person_export(self, asked: PersonQuestion) -> AsyncGenerator[list[dict[str, Any]], None]:
        """All their events, some at a time."""
        cancellation = Cancellation()
        batches = all_events(self.engine, asked, cancellation)
        try:
            while (rows := await self._in_thread(next, batches, None)) is not None:
                yield rows
        finally:
            cancellation.cancel()  # who stops reading leaves no batch behind

    def gauges(self) -> dict[str, float]:
        """Questions that are being answered, and those that wait for a thread or for the engine."""
        running = self.engine.running
        return {"queries_running": running, "queries_waiting": max(0, self.line.asked - running)}

    async def _known_at(self, snapshot: Snapshot, definition: FunnelDefinition) -> Snapshot:
        """With `as_of` neither later events nor later identity edges exist."""
        if definition.as_of_us is None:
            return snapshot
        return await self._in_query_pool(snapshot.known_at, definition.as_of_us)

    async def _in_query_pool(self, answer: Callable[..., Result], *arguments: object) -> Result:
        """QueryBusy when too many wait already: who waits longer than a client does is answered for nobody."""
        if self.line.asked >= self.settings.query_concurrency + THREADS_BESIDE + WAITING_MAX:
            raise QueryBusy("too many questions are waiting now", retry_after_s=_RETRY_AFTER_S)
        return await self._in_thread(answer, *arguments)

    async def _in_thread(self, answer: Callable[..., Result], *arguments: object) -> Result:
        """Questions have threads of their own: sign-ins and metadata must not wait for a slow one."""
        self.line.asked += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.query_pool, answer, *arguments)
        finally:
            self.line.asked -= 1

    @contextmanager
    def console(self, snapshot: Snapshot) -> Iterator[Console]:
        """A DuckDB for a person, over files that cannot go while it is open."""
        settings = self.settings
        limits = QueryLimits(memory_mb=settings.query_memory_mb, threads=settings.query_threads, instances=1)
        with Lease(self.layout, snapshot.files) as lease, Console(snapshot, lease, limits) as console:
            yield console


async def _with_first(first: bytes, others: AsyncGenerator[bytes, None]) -> AsyncIterator[bytes]:
    try:
        yield first
        async for piece in others:
            yield piece
    finally:
        await others.aclose()

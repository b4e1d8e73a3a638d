"""One page of the event log, by keyset: nothing that arrives, is flushed or merged meanwhile moves a place.

Events stand by (created_at, id, received_at); the last tells apart an id that came again after the dedup window. Two
passes: the first finds the places of the page, files that may hold the next one first, and stops when no unread file
can hold a nearer one; the second reads what is shown, from the files that hold those places.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import pyarrow as pa

from iafa.lake.manifest import LakeFile
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.events.chosen import chosen_sql
from iafa.query.events.fields import USUAL_FIELDS, Fields
from iafa.query.events.persons import with_persons
from iafa.query.events.question import EventsQuestion
from iafa.query.source import stored_events_sql

LIMIT_DEFAULT = 100
LIMIT_MAX = 1_000
ROWS_FIRST = 50_000  # of files that are looked at first; then ROWS_GROWTH times as many, until the page is full
ROWS_GROWTH = 4
Order = Literal["desc", "asc"]
_KEY = frozenset({"id", "created_at", "received_at"})


class Place(NamedTuple):
    """Where an event stands. Sorts as the engine sorts: texts by their UTF-8 bytes."""

    created_us: int
    id: str
    received_us: int


@dataclass(frozen=True)
class PageAsked:
    """The events behind a place (None: from the start), or the nearest ones before it, in the given order."""

    order: Order = "desc"
    place: Place | None = None
    is_backward: bool = False
    limit: int = LIMIT_DEFAULT
    fields: Fields = USUAL_FIELDS

    @property
    def is_descending(self) -> bool:
        """The direction in which the page is looked for."""
        return (self.order == "desc") != self.is_backward


@dataclass(frozen=True)
class EventsPage:
    """`after` and `before` are the places from which the next and the previous page go on; None: there is none."""

    rows: list[dict[str, Any]]
    after: Place | None
    before: Place | None


def events_page(
    engine: DuckEngine,
    snapshot: Snapshot,
    asked: EventsQuestion,
    page: PageAsked,
    *,
    cancellation: Cancellation | None = None,
) -> EventsPage:
    """Blocks: call it in a thread."""
    cancellation = cancellation or Cancellation()
    found = _Search(engine, snapshot, asked, page, cancellation).places()
    has_more, places = len(found) > page.limit, found[: page.limit]
    if page.is_backward:
        places.reverse()
    rows = _rows(engine, snapshot, places, page.fields, cancellation)
    if not places:
        return EventsPage([], None, None)
    # The event of the cursor stands on the other side.
    is_behind, is_before = page.is_backward or has_more, page.place is not None
    if page.is_backward:
        is_before = has_more
    return EventsPage(rows, places[-1] if is_behind else None, places[0] if is_before else None)


@dataclass(frozen=True)
class _Search:
    engine: DuckEngine
    snapshot: Snapshot
    asked: EventsQuestion
    page: PageAsked
    cancellation: Cancellation

    def places(self) -> list[Place]:
        """The places of the page in the order of the search, and one more if there is one."""
        from_us, to_us = self._bounds()
        wanted = self.page.limit + 1
        found: list[Place] = []
        for part in self._parts(from_us, to_us, found, wanted):
            if len(found) == wanted:  # only nearer ones matter
                edge_us = found[-1].created_us
                from_us, to_us = (edge_us, to_us) if self.page.is_descending else (from_us, edge_us + 1)
            more = self._read(part, from_us, to_us, wanted)
            found[:] = sorted([*found, *more], reverse=self.page.is_descending)[:wanted]
        return found

    def _bounds(self) -> tuple[int, int]:
        """[from, to) of what stands behind the place, and what stands at its very instant."""
        from_us, to_us = self.asked.time_range.from_us, self.asked.time_range.to_us
        place = self.page.place
        if place is None:
            return from_us, to_us
        if self.page.is_descending:
            return from_us, min(to_us, place.created_us + 1)
        return max(from_us, place.created_us), to_us

    def _parts(self, from_us: int, to_us: int, found: list[Place], wanted: int) -> Iterator[Snapshot]:
        """What has to be read, one part after the other, for as long as `found` may miss something nearer."""
        snapshot, no_tail = self.snapshot, EVENT_SCHEMA.empty_table()
        if snapshot.entries is None:
            yield snapshot
            return
        files = list(snapshot.between(from_us, to_us).entries or ())
        if self.page.is_descending:
            files.sort(key=lambda file: -file.last_created_us)
        else:
            files.sort(key=lambda file: file.first_created_us)
        if snapshot.tail.num_rows:
            yield _part(snapshot, (), snapshot.tail)
        rows = ROWS_FIRST
        while files:
            if len(found) == wanted:
                due = [file for file in files if self._may_hold_nearer(file, found[-1])]
                files = []
            else:
                due, files = _first_files(files, rows)
                rows *= ROWS_GROWTH
            if due:
                yield _part(snapshot, due, no_tail)

    def _may_hold_nearer(self, file: LakeFile, place: Place) -> bool:
        if self.page.is_descending:
            return file.last_created_us >= place.created_us
        return file.first_created_us <= place.created_us

    def _read(self, part: Snapshot, from_us: int, to_us: int, wanted: int) -> list[Place]:
        parameters = Parameters(from_us=from_us, to_us=to_us, limit=wanted)
        sql = sql_text(
            "log_places",
            events=chosen_sql(part, self.asked, _KEY, parameters, also=self._behind(parameters)),
            direction="desc" if self.page.is_descending else "asc",
        )
        with self.engine.reading(part, self.cancellation) as reading:
            rows: Sequence[Any] = reading.rows(sql, parameters.values)
        return [Place(*row) for row in rows]

    def _behind(self, parameters: Parameters) -> str:
        """Of the events of the place's own instant, those that stand behind it."""
        place = self.page.place
        if place is None:
            return ""
        parameters.values["at_us"] = place.created_us
        at_id, at_received = parameters.bind(place.id), parameters.bind(place.received_us)
        sign = "<" if self.page.is_descending else ">"
        is_later = f"id = {at_id} and epoch_us(received_at) {sign} {at_received}"
        return f" and (created_at <> make_timestamptz($at_us) or id {sign} {at_id} or ({is_later}))"


def _rows(
    engine: DuckEngine, snapshot: Snapshot, places: Sequence[Place], fields: Fields, cancellation: Cancellation
) -> list[dict[str, Any]]:
    """What is shown of the events at these places."""
    if not places:
        return []
    part = replace(_holding(snapshot, places), identities=None)
    columns = {*fields.columns, *_KEY, *(("user_id",) if "user_hash" in fields.columns else ())}
    times = [place.created_us for place in places]
    parameters = Parameters(from_us=min(times), last_us=max(times), ids=[place.id for place in places])
    events = stored_events_sql(part, columns, parameters)
    sql = sql_text("log_rows", columns=", ".join(sorted(columns)), events=events)
    with engine.reading(part, cancellation) as reading:
        table = pa.Table.from_batches(list(reading.batches(sql, parameters.values, LIMIT_MAX)))
    shown: Mapping[Place, int] = {place: number for number, place in enumerate(_places_of(table))}
    table = table.take(pa.array([shown[place] for place in places], pa.int64()))
    return fields.rows(with_persons(snapshot, table) if "user_hash" in columns else table)


def _places_of(table: pa.Table) -> Iterator[Place]:
    times = [table.column(name).cast(pa.int64()).to_pylist() for name in ("created_at", "received_at")]
    for created_us, one, received_us in zip(times[0], table.column("id").to_pylist(), times[1], strict=True):
        yield Place(created_us, one, received_us)


def _holding(snapshot: Snapshot, places: Sequence[Place]) -> Snapshot:
    """Only the files that may hold one of the places."""
    if snapshot.entries is None:
        return snapshot
    times = sorted(place.created_us for place in places)
    files = [file for file in snapshot.entries if _has_any(times, file.first_created_us, file.last_created_us)]
    return _part(snapshot, files, snapshot.tail)


def _has_any(ascending: Sequence[int], least: int, most: int) -> bool:
    place = bisect_left(ascending, least)
    return place < len(ascending) and ascending[place] <= most


def _first_files(files: list[LakeFile], rows: int) -> tuple[list[LakeFile], list[LakeFile]]:
    """(the first files of the list that together have so many rows, the others)"""
    total = 0
    for number, file in enumerate(files, start=1):
        total += file.rows
        if total >= rows:
            return files[:number], files[number:]
    return files, []


def _part(snapshot: Snapshot, files: Sequence[LakeFile], tail: pa.Table) -> Snapshot:
    return replace(
        snapshot, entries=tuple(files), files=tuple(snapshot.directory / file.path for file in files), tail=tail
    )

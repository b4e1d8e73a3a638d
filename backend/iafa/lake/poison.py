"""Poison: events that the journal holds and Parquet cannot. Found by halving: none of their neighbours is lost."""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec
import pyarrow as pa

from iafa.event import REJECTED_BODY_CHARS_MAX, DropReason, Event, Rejected
from iafa.journal.format import Record
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.parts import CONVERSION_ERRORS, columns_to_table
from iafa.lake.schema import EVENT_SCHEMA


@dataclass(frozen=True)
class Poisoned:
    """An event that has no row, and why."""

    project_id: str
    received_at: int
    event: Event
    message: str

    def rejected(self) -> Rejected:
        """As the quarantine keeps it."""
        return Rejected(
            code=DropReason.POISON,
            message=self.message,
            event_id=self.event.id,
            event_type=self.event.event_type,
            body=_text(self.event)[:REJECTED_BODY_CHARS_MAX],
            source="flush",
        )


@dataclass(frozen=True)
class _Rows:
    events: Sequence[Event]
    project_ids: Sequence[str]
    received_at: Sequence[int]

    def part(self, start: int, end: int) -> "_Rows":
        return _Rows(self.events[start:end], self.project_ids[start:end], self.received_at[start:end])


def sound_rows(records: Sequence[Record], enrichment: Enrichment = PLAIN) -> tuple[pa.Table, list[Poisoned]]:
    """The rows of all events that have one, in their order, and the events that have none."""
    events: list[Event] = []
    project_ids: list[str] = []
    received_at: list[int] = []
    for record in records:
        events += record.e
        project_ids += [record.p] * len(record.e)
        received_at += [record.r] * len(record.e)
    rows = _Rows(events, project_ids, received_at)
    tables: list[pa.Table] = []
    poisoned: list[Poisoned] = []
    _convert(rows, enrichment, tables, poisoned)
    return pa.concat_tables(tables) if tables else EVENT_SCHEMA.empty_table(), poisoned


def _convert(rows: _Rows, enrichment: Enrichment, tables: list[pa.Table], poisoned: list[Poisoned]) -> None:
    """Each half on its own when the whole fails: n log n steps at worst, however many are poison."""
    count = len(rows.events)
    try:
        tables.append(columns_to_table(rows.events, rows.project_ids, rows.received_at, enrichment))
    except MemoryError:  # says nothing about the events
        raise
    except CONVERSION_ERRORS as error:
        if count == 1:
            message = f"{type(error).__name__}: {error}"
            poisoned.append(Poisoned(rows.project_ids[0], rows.received_at[0], rows.events[0], message))
            return
        _convert(rows.part(0, count // 2), enrichment, tables, poisoned)
        _convert(rows.part(count // 2, count), enrichment, tables, poisoned)


def _text(event: Event) -> str:
    try:
        return msgspec.json.encode(event).decode(errors="replace")
    except CONVERSION_ERRORS:
        return repr(msgspec.structs.asdict(event))

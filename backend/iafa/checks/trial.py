"""Trying a funnel on given events: through the rules of collected events into a lake of the trial's own, and the
engine that answers everybody."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from iafa.checks.expected import misses
from iafa.checks.findings import Finding, found
from iafa.checks.written import WrittenFunnel, WrittenTest
from iafa.errors import FieldError, IafaError
from iafa.event import Event
from iafa.ingest.pipeline import Sender, run
from iafa.ingest.wire import WireEvent, coerce
from iafa.intake import open_intake
from iafa.jobs.upload_columns import ColumnMap
from iafa.jobs.upload_rows import Format, RowFile, open_rows
from iafa.journal.writer import JournalWriter
from iafa.lake.identity import IDENTIFY_EVENTS
from iafa.meta.ids import new_id
from iafa.query.paths.warming import WARMING
from iafa.query.people import PeopleQuestion
from iafa.query.question import Extras
from iafa.wiring import House

FIXTURE_BYTES_MAX = 16 * 1024 * 1024
FIXTURE_EVENTS_MAX = 100_000
RECORD_EVENTS = 2_000
ERRORS_MAX = 10
_FORMATS: dict[str, Format] = {".ndjson": "ndjson", ".csv": "csv"}


class Outcome(msgspec.Struct, frozen=True):
    """A test of a funnel; it has passed if there is no finding."""

    name: str
    line: int
    findings: list[Finding]


@dataclass
class _Read:
    """The events of a test, who they are of, and what is wrong with them: (pointer, code, message)."""

    events: list[Event] = field(default_factory=list)
    people: set[str] = field(default_factory=set)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)


async def try_tests(house: House, funnel: WrittenFunnel) -> list[Outcome]:
    """`house` is over an empty folder that is thrown away; each test has a project of its own in it."""
    if not funnel.tests:
        return []
    intake = await asyncio.to_thread(open_intake, house)
    line_of = funnel.document.line_of
    try:
        with WARMING.plain():
            return [
                Outcome(test.name, line_of(test.pointer), await _tried(house, intake.journal, funnel, test))
                for test in funnel.tests
            ]
    finally:
        await intake.close()


async def _tried(house: House, journal: JournalWriter, funnel: WrittenFunnel, test: WrittenTest) -> list[Finding]:
    document, definition = funnel.document, funnel.definition
    assert definition is not None
    read = await asyncio.to_thread(_events, house.clock.now_us(), funnel.path, test)
    if read.wrong:
        return [found(document, "error", code, message, pointer) for pointer, code, message in read.wrong[:ERRORS_MAX]]
    project_id = new_id()
    await asyncio.to_thread(_write, journal, project_id, house.clock.now_us(), read.events)
    snapshot = await house.snapshot(project_id)
    try:
        answer = await house.run_funnel(snapshot, definition, test.time_range, None, Extras())
        furthest = dict.fromkeys(read.people, 0)
        if test.expected.people:
            everybody = PeopleQuestion(definition, test.time_range, 1, "converted")
            async for rows in await house.people_export(snapshot, everybody):
                for row in rows:
                    person, steps = str(row["user_id"] or row["anonymous_id"]), int(str(row["steps"]))
                    furthest[person] = max(furthest.get(person, 0), steps)
    except IafaError as error:
        return [found(document, "error", error.code, error.detail, test.pointer)]
    wrong = misses(test.expected, definition, answer, furthest)
    return [found(document, "error", "unexpected", miss.message, miss.pointer) for miss in wrong]


def _write(journal: JournalWriter, project_id: str, now_us: int, events: list[Event]) -> None:
    for start in range(0, len(events), RECORD_EVENTS):
        part = events[start : start + RECORD_EVENTS]
        journal.append_blocking(project_id, now_us, msgspec.json.encode(part), len(part))


def _events(now_us: int, path: Path, test: WrittenTest) -> _Read:
    """Judged by the pipeline as events of history: whatever it refuses could not be there."""
    sender = Sender(received_at=now_us, is_browser=False, is_upload=True)
    if test.given.file is None:
        wires: Iterable[tuple[str, dict[str, object]]] = ((one.pointer, dict(one.wire)) for one in test.given.events)
        return _judged(wires, sender)
    at = f"{test.pointer}/given"
    fixture = path.parent / test.given.file
    try:
        if not fixture.is_file() or fixture.stat().st_size > FIXTURE_BYTES_MAX:
            message = f"{test.given.file} is no file, or larger than {FIXTURE_BYTES_MAX} bytes"
            return _Read(wrong=[(at, "unreadable", message)])
        rows = open_rows(fixture, _FORMATS[fixture.suffix], inflated_bytes_max=FIXTURE_BYTES_MAX)
        return _judged(_wires(rows, at), sender)
    except OSError as error:
        return _Read(wrong=[(at, "unreadable", f"{test.given.file} cannot be read: {error.strerror}")])
    except IafaError as error:
        said = "; ".join([error.detail, *(one.message for one in error.errors)])
        return _Read(wrong=[(at, error.code, f"{test.given.file}: {said}")])


def _wires(rows: RowFile, pointer: str) -> Iterator[tuple[str, dict[str, object]]]:
    columns = ColumnMap({}, is_table=rows.header is not None)
    if rows.header is not None:
        columns.check_header(rows.header)
    for row in rows.rows:
        if row.error is not None:
            raise IafaError(f"row {row.number}", errors=[row.error], code=row.error.code)
        yield pointer, {"id": f"given-{row.number:06d}", **columns.wire(row.cells)}


def _judged(wires: Iterable[tuple[str, dict[str, object]]], sender: Sender) -> _Read:
    read = _Read()
    ids: Counter[str] = Counter()
    for number, (pointer, wire) in enumerate(wires, start=1):
        if number > FIXTURE_EVENTS_MAX:
            read.wrong.append((pointer, "too_many", f"a test has at most {FIXTURE_EVENTS_MAX} events"))
        event, errors = _event(wire, sender)
        for error in errors[:ERRORS_MAX]:
            read.wrong.append((pointer, error.code, f"event {number}: {error.pointer} {error.message}"))
        if len(read.wrong) >= ERRORS_MAX or number > FIXTURE_EVENTS_MAX:
            break
        if event is None:
            continue
        ids[event.id] += 1
        if ids[event.id] == 2:
            read.wrong.append((pointer, "duplicate", f"event {number}: two events have this id"))
        read.events.append(event)
    read.people = _people(read.events)
    return read


def _people(events: Sequence[Event]) -> set[str]:
    """Everybody by the id that lists show: who was identified goes by the user's."""
    known = {one.anonymous_id for one in events if one.event_type in IDENTIFY_EVENTS and one.user_id is not None}
    visitors = {one.anonymous_id for one in events if one.user_id is None} - known
    return {one for one in {event.user_id for event in events} | visitors if one is not None}


def _event(wire: dict[str, object], sender: Sender) -> tuple[Event | None, list[FieldError]]:
    try:
        parsed = msgspec.convert(wire, WireEvent)
    except msgspec.ValidationError:
        coerced = coerce(wire, "")
        if not isinstance(coerced, WireEvent):
            return None, coerced
        parsed = coerced
    draft = run(parsed, sender, "")
    return draft.event, draft.errors

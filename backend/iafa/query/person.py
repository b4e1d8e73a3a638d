"""One person: their events page by page, and what these come to. Told by ids and times, not by hashes of reports."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import msgspec

from iafa.clock import US_PER_S, to_iso
from iafa.errors import NotFound
from iafa.event import TIME_MAX_US
from iafa.lake.person import Person
from iafa.lake.schema import COLUMNS
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.person_rows import give_person, theirs_sql

PAGE_MAX = 1_000
EXPORT_ROWS = 20_000
IDS_MAX = 20
VALUES_MAX = 10  # of each column
SESSIONS_MAX = 50
IDENTIFIES_MAX = 1_000
TRAITS_MAX = 200
TIMES = ("created_at", "received_at")
_NUMBERS = {
    *("id", "user_id", "anonymous_id", "user_hash", "created_at", "event_type", "url", "referrer", "properties")
} | {*("country", "device", "browser", "os", "source")}
Row = dict[str, Any]


class At(NamedTuple):
    """The sort key of an event among a person's: an id may come again after the time in which repeats are known."""

    created_us: int
    id: str
    received_us: int

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "At":
        return cls(row["created_at"], row["id"], row["received_at"])


BEGINNING = At(-1, "", -1)
END = At(TIME_MAX_US, "\U0010ffff", TIME_MAX_US)


@dataclass(frozen=True)
class PersonQuestion:
    snapshot: Snapshot
    person: Person
    session_gap_s: int


def person_events(
    engine: DuckEngine,
    asked: PersonQuestion,
    after: At,
    limit: int,
    *,
    newest_first: bool = True,
    cancellation: Cancellation | None = None,
) -> list[Row]:
    """The next events behind a place, whole, with the id of the person's as they came. Blocks."""
    from_us, to_us = (0, after.created_us + 1) if newest_first else (max(after.created_us, 0), TIME_MAX_US + 1)
    snapshot = asked.snapshot.between(from_us, to_us)
    parameters = Parameters(at_us=after.created_us, id=after.id, received_us=after.received_us, limit=limit)
    text = sql_text(
        "person_events",
        columns=", ".join(f"epoch_us({name}) as {name}" if name in TIMES else name for name in COLUMNS),
        theirs=theirs_sql(snapshot, set(COLUMNS), parameters),
        beyond="<" if newest_first else ">",
        order="desc" if newest_first else "asc",
    )
    with engine.reading(snapshot, cancellation) as reading:
        give_person(reading, asked.person)
        return [dict(zip(COLUMNS, row, strict=True)) for row in reading.rows(text, parameters.values)]


def all_events(engine: DuckEngine, asked: PersonQuestion, cancellation: Cancellation) -> Iterator[list[Row]]:
    """Everything, oldest first. Between two reads nothing of the engine is held."""
    after = BEGINNING
    while True:
        cancellation.restart()  # whoever reads slowly does not use up the time of the engine
        rows = person_events(engine, asked, after, EXPORT_ROWS, newest_first=False, cancellation=cancellation)
        if rows:
            yield rows
        if len(rows) < EXPORT_ROWS:
            return
        after = At.of(rows[-1])


def shown_event(row: Mapping[str, Any]) -> Row:
    """An event as the contract shows it: its times in words, its properties as an object."""
    times = {name: to_iso(row[name]) for name in TIMES}
    return {**row, **times, "user_hash": str(row["user_hash"]), "properties": msgspec.Raw(row["properties"].encode())}


def profile(engine: DuckEngine, asked: PersonQuestion, cancellation: Cancellation | None = None) -> Row:
    """Counts, traits, values and sessions. Raises NotFound when there is no event. Blocks."""
    with engine.reading(asked.snapshot, cancellation) as reading:
        give_person(reading, asked.person)
        ((events, first_us, last_us, last_type, users, devices),) = _numbers(reading, asked, "totals", ids_max=IDS_MAX)
        if not events:
            raise NotFound
        values = _numbers(reading, asked, "values", values_max=VALUES_MAX)
        sessions = _numbers(
            reading,
            asked,
            "sessions",
            sessions_max=SESSIONS_MAX,
            session_gap_us=asked.session_gap_s * US_PER_S,
        )
        identifies = _numbers(reading, asked, "traits", identifies_max=IDENTIFIES_MAX)
    return {
        "ids": {"users": users or [], "anonymous": devices or []},
        "events": events,
        "first_seen": to_iso(first_us),
        "last_seen": to_iso(last_us),
        "last_event": last_type,
        "traits": _traits(identifies),
        "values": _by_name(values),
        "sessions": [_session(*row) for row in sessions],
    }


def _numbers(reading: Reading, asked: PersonQuestion, kind: str, **given: object) -> list[tuple[Any, ...]]:
    parameters = Parameters(**given)
    text = sql_text(
        "person_numbers",
        theirs=theirs_sql(asked.snapshot, set(_NUMBERS), parameters),
        asked=sql_text(f"person_{kind}"),
    )
    return reading.rows(text, parameters.values)


def _traits(identifies: list[tuple[Any, ...]]) -> list[Row]:
    """Of each member of what `identify` said, the latest value and since when it is known."""
    found: dict[str, Row] = {}
    for at_us, properties in identifies:
        for name, value in msgspec.json.decode(properties, type=dict[str, Any]).items():
            if name not in found and len(found) < TRAITS_MAX:
                found[name] = {"name": name, "value": value, "at": to_iso(at_us)}
    return [found[name] for name in sorted(found)]


def _by_name(values: list[tuple[Any, ...]]) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for name, value, events in values:
        found.setdefault(str(name), []).append({"value": value, "events": events})
    return found


def _session(
    first_us: int, last_us: int, events: int, entry: str | None, exit_: str | None, referrer: str | None
) -> Row:
    return {
        "start": to_iso(first_us),
        "end": to_iso(last_us),
        "duration_seconds": (last_us - first_us) / US_PER_S,
        "events": events,
        "entry_url": entry,
        "exit_url": exit_,
        "referrer": referrer,
    }

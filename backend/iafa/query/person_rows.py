"""Which rows are one person's, by the ids and times that are theirs."""

from iafa.errors import Conflict
from iafa.event import TIME_MAX_US, identity_hash
from iafa.lake.erasure import ErasedPeople, Target
from iafa.lake.person import Person, person_called
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.source import stored_events_sql

_COLUMNS = {"user_id", "user_hash", "created_at"}


def find_person(engine: DuckEngine, snapshot: Snapshot, called: str) -> Person:
    """Whom an id means. Raises Conflict when it does not say for certain. Blocks."""
    assert snapshot.edges is not None, "a snapshot of the lake has edges"
    person = person_called(snapshot.edges, called)
    if called not in person.users and is_user(engine, snapshot, called):
        raise Conflict("this is a user id and somebody else's anonymous id; name the person by another id")
    return person


def give_person(reading: Reading, person: Person) -> None:
    """The ids as the table `asked`, which the statements about one person join."""
    reading.give("asked", ErasedPeople((Target(person, TIME_MAX_US),)).table)


def theirs_sql(snapshot: Snapshot, columns: set[str], parameters: Parameters) -> str:
    """The events of the person whose ids were given, as SQL."""
    return sql_text("person_theirs", events=stored_events_sql(snapshot, columns | _COLUMNS, parameters))


def count_rows(engine: DuckEngine, snapshot: Snapshot, person: Person) -> int:
    """Blocks: call it in a thread."""
    parameters = Parameters()
    text = sql_text("person_rows", theirs=theirs_sql(snapshot, set(_COLUMNS), parameters))
    with engine.reading(snapshot) as reading:
        give_person(reading, person)
        ((count,),) = reading.rows(text, parameters.values)
    return int(str(count))


def is_user(engine: DuckEngine, snapshot: Snapshot, called: str) -> bool:
    """Whether somebody who is called like this has sent events as a user."""
    parameters = Parameters(called=called, called_hash=identity_hash(called))
    text = sql_text("user_rows", events=stored_events_sql(snapshot, {"user_id", "user_hash"}, parameters))
    with engine.reading(snapshot) as reading:
        ((count,),) = reading.rows(text, parameters.values)
    return count != 0

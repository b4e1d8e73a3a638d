"""How the entities of a funnel are called: the key that an answer shows, and the names of their people."""

from collections.abc import Sequence
from dataclasses import dataclass

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import property_columns, text_sql
from iafa.query.paths.reading import Span, belonging_sql, entity_values, identified_sql


@dataclass(frozen=True)
class Name:
    """How an entity is called, and when the first and last of its events are that the question reads."""

    first_us: int
    last_us: int
    user_id: str | None
    anonymous_id: str | None
    held: tuple[str | None, ...]


def names_of(
    reading: Reading,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    span: Span,
    entities: Sequence[int],
    *,
    session_gap_s: int,
) -> dict[int, Name]:
    """The names of a page's entities."""
    parameters = Parameters(
        read_from_us=span.read_from_us, read_to_us=span.read_to_us, entities=entity_values(definition, entities)
    )
    columns = {"created_at", "user_id", "anonymous_id"}.union(*map(property_columns, definition.hold))
    text = sql_text(
        "people_names",
        identified=identified_sql(snapshot, definition, columns, parameters, also=", entity as person"),
        belonging=belonging_sql(definition, session_gap_s, columns, parameters),
        held="".join(
            f", any_value({text_sql(held, parameters)}) as held_{n}" for n, held in enumerate(definition.hold)
        ),
        held_names="".join(f", held_{n}" for n in range(len(definition.hold))),
    )
    return {
        signed(int(str(row[0]))): Name(
            int(str(row[1])), int(str(row[2])), _text(row[3]), _text(row[4]), tuple(map(_text, row[5:]))
        )
        for row in reading.rows(text, parameters.values)
    }


def entity_text(entity: int) -> str:
    """The key of an entity as it is shown: 16 hexadecimal digits."""
    return f"{entity & 0xFFFF_FFFF_FFFF_FFFF:016x}"


def entity_of(text: str) -> int | None:
    """The entity of a key, if the text is one."""
    if len(text) != 16 or any(sign not in "0123456789abcdef" for sign in text):
        return None
    return signed(int(text, 16))


def signed(entity: int) -> int:
    """The number that chunks have for an entity."""
    return entity - (1 << 64) if entity >= 1 << 63 else entity


def _text(value: object) -> str | None:
    return None if value is None else str(value)

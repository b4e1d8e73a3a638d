"""The histories that a definition needs, out of a snapshot: one statement, streamed in chunks of whole people."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import Exclusion, FunnelDefinition, Stage
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import condition_sql, property_columns, text_sql
from iafa.query.paths.arranged import Arrangement, Arranger
from iafa.query.paths.gathering import taken
from iafa.query.paths.owners import owners_of
from iafa.query.paths.plan import Histories, Int32s, Int64s
from iafa.query.paths.warming import WARMING
from iafa.query.source import events_sql
from iafa.query.stages import relevant_sql, stage_columns, stage_sql, with_properties

CHUNK_ROWS = 1_000_000
SESSION_GAP_S = 3_600
_NO_IDS = pa.nulls(0, pa.string())  # `pa.array` would load pandas into every process that imports this
_UNSIGNED = (1 << 64) - 1


@dataclass(frozen=True)
class Span:
    """Where a path may begin, [from, to), and which events are read, [read_from, read_to), in microseconds.

    Later steps lie before `end_us`. Of sessions every event from `live_from_us` on is read: who has one goes on.
    """

    from_us: int
    to_us: int
    read_from_us: int
    read_to_us: int
    end_us: int
    live_from_us: int | None = None


@dataclass(frozen=True)
class Shown:
    """What is read of the events beside their times. Without ids events of one instant come in any order."""

    properties: Sequence[str] = ()
    has_ids: bool = True


EVENTS, TIMES = Shown(), Shown(has_ids=False)


@dataclass(frozen=True)
class Chunk:
    """Whole people: who they are, what they did, and the texts of the asked properties by row."""

    entities: Int64s
    histories: Histories
    optional: Int32s
    ids: pa.Array  # empty if they were not read
    values: Sequence[pa.Array] = field(default=())


def read_histories(
    reading: Reading,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    span: Span,
    *,
    session_gap_s: int = SESSION_GAP_S,
    shown: Shown = EVENTS,
    entities: Sequence[int] | None = None,
    person: int | None = None,
) -> Iterator[Chunk]:
    """Everybody who entered within the span (or just the given entities), each with all events that matter.


    If all entities are of one person, saying so spares the sessions of everybody else.
    """
    is_left = None
    if entities is None and person is None and not shown.has_ids and not shown.properties and WARMING.is_ready:
        arranger = _arranger(reading, snapshot, definition, span, session_gap_s)
        for people, histories in arranger.chunks(CHUNK_ROWS):
            if len(people):
                yield Chunk(people, histories, np.zeros(len(histories.steps), dtype=np.int32), _NO_IDS)
        if arranger.has_all:
            return
        is_left = arranger.is_left
    text, values = histories_sql(
        snapshot,
        definition,
        span,
        session_gap_s=session_gap_s,
        shown=shown,
        entities=entities,
        person=person,
    )
    for chunk in _ordered_chunks(reading, text, values):
        chunk = _entered(chunk, definition, span)
        if is_left is not None:
            chunk = _of(chunk, np.flatnonzero(is_left(chunk.entities)))
        if len(chunk.entities):
            yield chunk


def _ordered_chunks(reading: Reading, text: str, values: Mapping[str, object]) -> Iterator[Chunk]:
    """The rows of a statement that sorts them, in chunks of whole people."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in reading.batches(text, values, CHUNK_ROWS):
        waiting.append(batch)
        rows += batch.num_rows
        if rows < CHUNK_ROWS:
            continue
        table = pa.Table.from_batches(waiting).combine_chunks()
        whole = _last_start(table)
        if whole:
            yield _chunk(table.slice(0, whole))
        waiting = table.slice(whole).to_batches()
        rows = table.num_rows - whole
    if rows:
        yield _chunk(pa.Table.from_batches(waiting).combine_chunks())


def histories_sql(
    snapshot: Snapshot,
    definition: FunnelDefinition,
    span: Span,
    *,
    session_gap_s: int = SESSION_GAP_S,
    shown: Shown = EVENTS,
    entities: Sequence[int] | None = None,
    person: int | None = None,
) -> tuple[str, dict[str, object]]:
    """The statement and its values."""
    parameters = Parameters(read_from_us=span.read_from_us, read_to_us=span.read_to_us)
    columns = stage_columns(definition)
    if shown.has_ids:
        columns |= {"id"}
        parameters.values |= {"from_us": span.from_us, "to_us": span.to_us}
    for name in (*definition.hold, *shown.properties):
        columns |= property_columns(name)
    identified = identified_sql(snapshot, definition, columns, parameters)
    if person is not None:
        parameters.values["person"] = person
        identified = sql_text("one_person", identified=identified)
    required = definition.required
    optional = [stage for stage in definition.stages if stage.optional]
    text = sql_text(
        "histories" if shown.has_ids else "histories_without_ids",
        identified=identified,
        belonging=belonging_sql(definition, session_gap_s, columns, parameters, of_all=bool(shown.properties)),
        steps=_bits([stage_sql(stage, parameters) for stage in required], definition, span, parameters),
        optional=_bits([stage_sql(stage, parameters) for stage in optional], definition, span, parameters),
        excluded=_bits([stage_sql(each, parameters) for each in definition.exclusions], definition, span, parameters),
        values="".join(f", {text_sql(name, parameters)} as value_{n}" for n, name in enumerate(shown.properties)),
        value_names="".join(f", value_{n}" for n in range(len(shown.properties))),
        is_kept=_is_kept(definition, span, entities, parameters),
        entry_bits=str(entry_bits(definition)),
    )
    return text, parameters.values


def _arranger(
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, span: Span, session_gap_s: int
) -> Arranger:
    """The same rows in any order. Where an event counts for nothing but its person, the edges are followed here."""
    steps, exclusions = len(definition.required), len(definition.exclusions)
    follows_edges = definition.unit == "user" and not definition.hold and snapshot.identities is not None
    follows_edges = follows_edges and not snapshot.is_named
    parameters = Parameters(read_from_us=span.read_from_us, read_to_us=span.read_to_us)
    columns = stage_columns(definition) | ({"user_id"} if follows_edges else set())
    for name in definition.hold:
        columns |= property_columns(name)
    matchers: list[Stage | Exclusion] = [*definition.required, *definition.exclusions]
    marks = _bits([stage_sql(each, parameters) for each in matchers], definition, span, parameters)
    if follows_edges:
        marks = f"{marks} | (case when user_id is null then {1 << steps + exclusions} else 0 end)"
    text = sql_text(
        "histories_in_any_order",
        identified=identified_sql(
            replace(snapshot, identities=None) if follows_edges else snapshot, definition, columns, parameters
        ),
        belonging=belonging_sql(definition, session_gap_s, columns, parameters),
        marks=marks,
        is_kept=_is_kept(definition, span, None, parameters),
    )
    arrangement = Arrangement(
        steps=steps,
        anonymous_bit=steps + exclusions,
        owners=owners_of(snapshot.identities) if follows_edges else None,
        entry_bits=entry_bits(definition),
        from_us=span.from_us,
        to_us=span.to_us,
    )
    return Arranger(reading, text, parameters.values, arrangement, rows=snapshot.rows)


def entry_bits(definition: FunnelDefinition) -> int:
    """Which stages a path may begin with, as a mask."""
    if definition.order == "unordered" and not definition.first_required:
        return (1 << len(definition.required)) - 1
    return 1


def identified_sql(
    snapshot: Snapshot, definition: FunnelDefinition, columns: set[str], parameters: Parameters, *, also: str = ""
) -> str:
    """The events of the span with the columns, and whose they are. `also` is a further column, as SQL."""
    if definition.unit == "session" and definition.sessions == "client":
        columns = columns | {"session_id"}
    return sql_text(
        "identified",
        columns=", ".join(sorted(columns - {"user_hash"})) + also,
        events=events_sql(
            snapshot, columns | {"user_hash"} | ({"is_bot"} if definition.exclude_bots else set()), parameters
        ),
        and_no_bots=" and not is_bot" if definition.exclude_bots else "",
    )


def belonging_sql(
    definition: FunnelDefinition, session_gap_s: int, columns: set[str], parameters: Parameters, *, of_all: bool = False
) -> str:
    """What the events count for: the person, a session or the values held constant. Reads `identified`, which has the
    columns; properties `of_all` events are read if more than the stages' own filters look at them.
    """
    name = "belonging_user"
    if definition.unit == "session":
        name = "belonging_session" if definition.sessions == "derived" else "belonging_client_session"
        if definition.sessions == "derived":
            parameters.values["session_gap_us"] = session_gap_s * US_PER_S
    belonging = with_properties(sql_text(name), definition, columns, parameters, of_all=of_all)
    if not definition.hold:
        return belonging
    texts = [text_sql(held, parameters) for held in definition.hold]
    are_known = " and ".join(f"{text} is not null" for text in texts)
    return sql_text("held", values=", ".join(texts), belonging=belonging, are_known=are_known)


def _bits(conditions: Sequence[str], definition: FunnelDefinition, span: Span, parameters: Parameters) -> str:
    """Bit i - 1 says that the i-th condition holds."""
    bits = " | ".join(f"(case when {condition} then {1 << n} else 0 end)" for n, condition in enumerate(conditions))
    if not bits:
        return "0::integer"
    if _reads_everything(definition) or span.live_from_us is not None:
        # Strict order sees the events that the filters leave out, and so do sessions; they just match nothing.
        return f"(case when {relevant_sql(definition, parameters)} then {bits} else 0 end)::integer"
    return f"({bits})::integer"


def _reads_everything(definition: FunnelDefinition) -> bool:
    return definition.order == "strict" and definition.strict_scope == "all"


def _is_kept(definition: FunnelDefinition, span: Span, entities: Sequence[int] | None, parameters: Parameters) -> str:
    conditions = []
    if definition.order == "strict" and definition.strict_scope == "filtered":
        conditions += [filters_sql(definition, parameters)]
    elif definition.order != "strict":
        relevant = relevant_sql(definition, parameters)
        if span.live_from_us is not None:
            relevant = f"({relevant} or time_us >= {parameters.bind(span.live_from_us)})"
        conditions += [relevant]
    if entities is not None:
        conditions.append(f"entity in (select unnest({parameters.bind(entity_values(definition, entities))}))")
    return " and ".join(conditions) or "true"


def entity_values(definition: FunnelDefinition, entities: Sequence[int]) -> list[int]:
    """Entities as the statements have them: sessions and held values are unsigned hashes there, people are signed."""
    if definition.unit == "user" and not definition.hold:
        return [int(one) for one in entities]
    return [int(one) & _UNSIGNED for one in entities]


def filters_sql(definition: FunnelDefinition, parameters: Parameters) -> str:
    return " and ".join(condition_sql(condition, parameters) for condition in definition.filters) or "true"


def _last_start(table: pa.Table) -> int:
    """The row with which the last person of the table begins."""
    entities = _int64(table, "entity")
    changes = np.flatnonzero(entities[1:] != entities[:-1])
    return int(changes[-1]) + 1 if len(changes) else 0


def _chunk(table: pa.Table) -> Chunk:
    entities = _int64(table, "entity")
    starts = np.flatnonzero(np.concatenate(([True], entities[1:] != entities[:-1]))).astype(np.int64)
    return Chunk(
        entities=entities[starts],
        histories=Histories(
            offsets=np.append(starts, len(entities)).astype(np.int64),
            time_us=_int64(table, "time_us"),
            steps=_int32(table, "steps"),
            excluded=_int32(table, "excluded"),
        ),
        optional=_int32(table, "optional"),
        ids=_column(table, "id") if "id" in table.column_names else _NO_IDS,
        values=[_column(table, name) for name in table.column_names if name.startswith("value_")],
    )


def _entered(chunk: Chunk, definition: FunnelDefinition, span: Span) -> Chunk:
    """Without those who did not enter. With ids the statement has left them out already."""
    if len(chunk.ids):
        return chunk
    histories = chunk.histories
    may_begin = (histories.steps & entry_bits(definition) != 0) & (histories.time_us >= span.from_us)
    may_begin &= histories.time_us < span.to_us
    has_entered = np.logical_or.reduceat(may_begin, histories.offsets[:-1])
    if has_entered.all():
        return chunk
    return _of(chunk, np.flatnonzero(has_entered))


def _of(chunk: Chunk, people: Int64s) -> Chunk:
    """Some people of a chunk that has no ids."""
    rows, histories = taken(chunk.histories, people)
    return Chunk(chunk.entities[people], histories, chunk.optional[rows], chunk.ids)


def _column(table: pa.Table, name: str) -> pa.Array:
    column = table.column(name)
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)


def _int64(table: pa.Table, name: str) -> Int64s:
    return np.ascontiguousarray(_column(table, name).to_numpy(zero_copy_only=False)).view(np.int64)


def _int32(table: pa.Table, name: str) -> Int32s:
    return np.ascontiguousarray(_column(table, name).to_numpy(zero_copy_only=False), dtype=np.int32)

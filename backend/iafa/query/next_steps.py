"""What people do after the last stage of a funnel: the events that could be its next stage, by how many did them.

For everybody whose reported path is complete: events later than its last one, within the window and of the range, the
first of each name for each person. Events of bots count nowhere here.
"""

from collections.abc import Iterator

import msgspec
import numpy as np
import pyarrow as pa

from iafa.clock import US_PER_S, to_iso
from iafa.event import NAME_CHARS_MAX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.definition import ANY_EVENT, SEMANTICS, SEMANTICS_VERSION, FunnelDefinition, Stage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.filters import property_columns
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.paths.plan import Int64s
from iafa.query.paths.reading import belonging_sql, filters_sql, identified_sql
from iafa.query.paths.solving import Solved, solve_paths, window_us
from iafa.query.people import entry_times
from iafa.query.question import Extras, Question, question_of
from iafa.query.rates import percent
from iafa.query.stages import stage_columns, stage_sql
from iafa.query.time_range import TimeRange

LIMIT_DEFAULT = 10
LIMIT_MAX = 50


def next_steps(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    extras: Extras | None = None,
    limit: int = LIMIT_DEFAULT,
    cancellation: Cancellation | None = None,
) -> dict[str, object]:
    """Most people first. `stage` of a step can be appended to the definition. Blocks: call it in a thread."""
    began_s = engine.clock.monotonic_s()
    no_bots = msgspec.structs.replace(definition, exclude_bots=True)
    question = question_of(no_bots, time_range, engine.clock.now_us(), extras)
    read = snapshot.between(question.span.read_from_us, question.span.read_to_us)
    with engine.reading(read, cancellation) as reading:
        reached = _reached(reading, read, question)
        rows = _rows(reading, read, question, reached, limit) if reached.num_rows else []
    return {
        "date_range": time_range.shown(snapshot.first_us, snapshot.last_us),
        "reached": reached.num_rows,
        "next_steps": [_step(str(name), page, users, median, reached.num_rows) for name, page, users, median in rows],
        "timezone": time_range.timezone,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "data_version": snapshot.data_version,
        "as_of": to_iso(question.as_of_us),
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def stage_of(event: str, page: str | None) -> dict[str, object]:
    """A stage of a definition that matches the event."""
    return (
        {"name": event[:NAME_CHARS_MAX], "event": event}
        if page is None
        else {"name": page[:NAME_CHARS_MAX], "page": page}
    )


def _step(event: str, page: object, users: object, median_us: object, reached: int) -> dict[str, object]:
    path = None if page is None else str(page)
    count = int(str(users))
    return {
        "event": event,
        "page": path,
        "users": count,
        "share": percent(count, reached),
        "median_s": round(int(str(median_us)) / US_PER_S, 6),
        "stage": stage_of(event, path),
    }


def _reached(reading: Reading, snapshot: Snapshot, question: Question) -> pa.Table:
    """Everybody with a complete path: until when their next event counts, and after when."""
    parts = [
        _complete(solved, question)
        for solved in solve_paths(
            reading,
            snapshot,
            question.definition,
            question.time_range,
            span=question.span,
            session_gap_s=question.extras.session_gap_s,
        )
    ]
    entity, last_us, until_us = (
        np.concatenate([np.zeros(0, dtype=np.int64), *(part[column] for part in parts)]) for column in range(3)
    )
    definition = question.definition
    if definition.unit == "session" or definition.hold:
        entity = entity.view(np.uint64)  # as `hash` gives it
    return pa.table({"entity": entity, "last_us": last_us, "until_us": until_us})


def _complete(solved: Solved, question: Question) -> tuple[Int64s, Int64s, Int64s]:
    """Of several paths of one person the first counts."""
    paths, histories = solved.paths, solved.chunk.histories
    whole = np.flatnonzero(paths.reached == question.plan.steps)
    person, first = np.unique(paths.person[whole], return_index=True)
    rows = paths.rows[whole[first]]
    last_us = histories.time_us[rows].max(axis=1, initial=-1)
    entry_us = entry_times(question.definition, histories, rows)
    until_us = np.minimum(entry_us + window_us(question.definition), question.span.end_us - 1)
    return solved.chunk.entities[person], last_us, until_us


def _rows(
    reading: Reading, snapshot: Snapshot, question: Question, reached: pa.Table, limit: int
) -> list[tuple[object, ...]]:
    definition, span = question.definition, question.span
    reading.give("reached", reached)
    parameters = Parameters(read_from_us=span.read_from_us, read_to_us=span.read_to_us, limit=limit)
    columns = (stage_columns(definition) | {"url"}).union(*map(property_columns, definition.hold))
    filters = filters_sql(definition, parameters)
    is_strict = definition.order == "strict"
    text = sql_text(
        "next_steps",
        identified=identified_sql(snapshot, definition, columns, parameters),
        belonging=belonging_sql(definition, question.extras.session_gap_s, columns, parameters),
        # In strict order only what comes at once can be a next stage.
        is_seen=filters if is_strict and definition.strict_scope == "filtered" else "true",
        nearest="qualify time_us = min(time_us) over (partition by entity)" if is_strict else "",
        page=f"case when event_type = {parameters.bind(PAGE_EVENT)} and url is not null then {path_sql()} end",
        is_other=" and ".join([filters, *_others(definition, parameters)]),
    )
    return reading.rows(text, parameters.values)


def _others(definition: FunnelDefinition, parameters: Parameters) -> Iterator[str]:
    """What the funnel has already is no news; a stage that any event fills says nothing about names."""
    own: list[Stage] = [stage for stage in definition.stages if ANY_EVENT not in stage.events]
    for stage in own:
        yield f"not ({stage_sql(stage, parameters)})"

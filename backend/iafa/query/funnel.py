"""The ordered funnel: how many people reach each stage. Exact for repeated and overlapping stages and ties.

Only the newest start per level is kept: it never falls with time, so the latest event before another one
carries the best start. Within one instant that needs care: see `instants`.
"""

from collections.abc import Mapping, Sequence

from iafa.clock import US_PER_S, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import SEMANTICS, SEMANTICS_VERSION, FunnelDefinition
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.instants import ways
from iafa.query.rates import percent
from iafa.query.source import events_sql
from iafa.query.stages import are_disjoint, relevant_sql, stage_columns, stage_sql
from iafa.query.time_range import TIME_END_US, TimeRange

_NO_LIMIT_US = 1 << 62
_MINUTE_US = 60 * US_PER_S


def funnel(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    funnel_id: str | None = None,
) -> dict[str, object]:
    """The answer of section 7 of the semantics, ready for JSON. Blocks: call it in a thread.

    `users` are people, `date_range` is what was asked for, `people_total` are the people who entered.
    """
    began_s = engine.clock.monotonic_s()
    as_of_us = engine.clock.now_us() // _MINUTE_US * _MINUTE_US
    with engine.reading(snapshot) as reading:
        counts = stage_counts(reading, snapshot, definition, time_range)
    return {
        "funnel_id": funnel_id,
        "name": definition.name,
        "date_range": time_range.shown(snapshot.first_us, snapshot.last_us),
        "stages": _stages(definition, counts),
        "overall_conversion_rate": percent(counts[-1], counts[0]),
        "people_total": counts[0],
        "window_seconds": definition.window_seconds,
        "timezone": time_range.timezone,
        "semantics": SEMANTICS,
        "semantics_version": SEMANTICS_VERSION,
        "data_version": snapshot.data_version,
        "as_of": to_iso(as_of_us),
        "rows_read": snapshot.rows,
        "elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1),
    }


def stage_counts(
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, time_range: TimeRange
) -> list[int]:
    """People by stage. Both ways are exact; the first is faster and possible only for disjoint stages."""
    if are_disjoint(definition.stages):
        return _count_disjoint(reading, snapshot, definition, time_range)
    return _count_overlapping(reading, snapshot, definition, time_range)


def _stages(definition: FunnelDefinition, counts: Sequence[int]) -> list[dict[str, object]]:
    before = [counts[0], *counts]
    return [
        {
            "stage_name": stage.name,
            "order": index + 1,
            "users": counts[index],
            "conversion_rate": percent(counts[index], counts[0]),
            "drop_off_rate": percent(before[index] - counts[index], before[index]),
        }
        for index, stage in enumerate(definition.stages)
    ]


def _count_disjoint(
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, time_range: TimeRange
) -> list[int]:
    parameters = _bounds(definition, time_range)
    stages = range(1, len(definition.stages) + 1)
    cases = " ".join(
        f"when {stage_sql(stage, parameters)} then {number}"
        for number, stage in zip(stages, definition.stages, strict=True)
    )
    reaches = "".join(
        f",\nreach_{number} as materialized (\n{_reach(_stage_events(number), number - 1, after='>=')})"
        for number in stages[1:]
    )
    parameters.values["to_us"] = time_range.to_us
    text = sql_text(
        "funnel_disjoint",
        identified=_identified(snapshot, definition, parameters),
        stage_of_event=cases,
        is_relevant=relevant_sql(definition, parameters),
        reaches=reaches,
        counts=_counts(len(stages)),
    )
    return _only_row(reading, text, _with_window(parameters, definition))


def _count_overlapping(
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, time_range: TimeRange
) -> list[int]:
    parameters = _bounds(definition, time_range)
    parameters.values["to_us"] = time_range.to_us
    bits = " | ".join(
        f"(case when {stage_sql(stage, parameters)} then {1 << index} else 0 end)"
        for index, stage in enumerate(definition.stages)
    )
    text = sql_text(
        "instants",
        identified=_identified(snapshot, definition, parameters),
        mask_of_event=f"({bits})::integer",
        is_relevant=relevant_sql(definition, parameters),
    )
    reading.rows(text, parameters.values)
    known = _ways_of_ties(reading, len(definition.stages))
    text = sql_text(
        "funnel_overlapping",
        reaches=",\n".join(_reaches(len(definition.stages), known)),
        counts=_counts(len(definition.stages)),
    )
    values = Parameters(
        masks=[masks for masks, _, _, _ in known],
        is_entry=[is_entry for _, is_entry, _, _ in known],
        level=[level for _, _, level, _ in known],
        previous=[previous for _, _, _, previous in known],
    )
    return _only_row(reading, text, _with_window(values, definition))


def _ways_of_ties(reading: Reading, stages: int) -> list[tuple[list[int], bool, int, int]]:
    """(masks, is_entry, level, previous level) of each kind of instant that holds several events."""
    known = []
    for masks, is_entry in reading.rows(sql_text("instant_ties"), {}):
        reading.check_time()
        assert isinstance(masks, list)
        assert isinstance(is_entry, bool)
        known += [(masks, is_entry, level, previous) for level, previous in ways(masks, stages, is_entry=is_entry)]
    return known


def _reaches(stages: int, known: Sequence[tuple[list[int], bool, int, int]]) -> list[str]:
    """One CTE a level: whoever got there, when, and from which newest start."""
    steps = {(level, previous) for _, _, level, previous in known}
    reaches = []
    for level in range(1, stages + 1):
        parts = []
        for previous in range(level):
            events = []
            if previous == level - 1:
                events.append(sql_text("lone_events", stage=str(level), bit=str(1 << previous)))
            if (level, previous) in steps:
                events.append(sql_text("tied_events", level=str(level), previous=str(previous)))
            if events:
                parts.append(_reach("union all\n".join(events), previous, after=">"))
        body = "union all\n".join(parts)
        reaches.append(f"reach_{level} as materialized (\n{body})")
    return reaches


def _reach(events: str, previous: int, *, after: str) -> str:
    if previous == 0:
        return sql_text("entries", events=events)
    return sql_text("reach", events=events, previous=str(previous), after=after)


def _stage_events(number: int) -> str:
    return sql_text("stage_events", stage=str(number))


def _counts(stages: int) -> str:
    return ", ".join(f"({sql_text('people', level=str(level))})" for level in range(1, stages + 1))


def _bounds(definition: FunnelDefinition, time_range: TimeRange) -> Parameters:
    """The range selects the first event; later ones may follow up to a window after it (`entry`) or not."""
    read_to_us = time_range.to_us
    if definition.range == "entry":
        window_us = _window_us(definition)
        read_to_us = min(time_range.to_us + window_us, TIME_END_US)
    return Parameters(read_from_us=time_range.from_us, read_to_us=read_to_us)


def _window_us(definition: FunnelDefinition) -> int:
    return _NO_LIMIT_US if definition.window_seconds is None else definition.window_seconds * US_PER_S


def _with_window(parameters: Parameters, definition: FunnelDefinition) -> Mapping[str, object]:
    if len(definition.stages) > 1:
        parameters.values["window_us"] = _window_us(definition)
    return parameters.values


def _identified(snapshot: Snapshot, definition: FunnelDefinition, parameters: Parameters) -> str:
    columns = stage_columns(definition)
    return sql_text(
        "identified",
        columns=", ".join(sorted(columns - {"user_hash"})),
        events=events_sql(snapshot, columns, parameters),
    )


def _only_row(reading: Reading, text: str, values: Mapping[str, object]) -> list[int]:
    (row,) = reading.rows(text, values)
    counts = []
    for count in row:
        assert isinstance(count, int)
        counts.append(count)
    return counts

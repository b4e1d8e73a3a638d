"""Counting plain ordered funnels in SQL: how many people reach each stage. Exact for repeated stages and ties.

Only the newest start per level is kept: it never falls with time, so the latest event before another one
carries the best start. Within one instant that needs care: see `instants`. Everything else goes through `paths`.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.instants import ways
from iafa.query.source import events_sql
from iafa.query.stages import are_disjoint, relevant_sql, stage_columns, stage_sql, with_properties
from iafa.query.time_range import TIME_END_US, TimeRange

_NO_LIMIT_US = 1 << 62


class Counts(NamedTuple):
    """By stage: people who reached it, and open entities that did not."""

    reached: list[int]
    open: list[int]


def is_plain(definition: FunnelDefinition) -> bool:
    """True if the SQL of this module counts the definition; every other one needs everybody's path."""
    return (
        definition.order == "ordered"
        and definition.unit == "user"
        and definition.entry != "first"
        and definition.tie == "any"
        and definition.count == "unique"
        and not definition.exclusions
        and not definition.hold
        and not any(
            stage.optional or stage.within_seconds is not None or stage.after_seconds is not None
            for stage in definition.stages
        )
    )


def stage_counts(
    reading: Reading,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    open_from_us: int = _NO_LIMIT_US,
) -> Counts:
    """People by stage. Both ways are exact; the first is faster and possible only for disjoint stages.

    Who has an entry at `open_from_us` or later and is not converted is open.
    """
    count = _count_disjoint if are_disjoint(definition.stages) else _count_overlapping
    row = count(reading, snapshot, definition, time_range, open_from_us)
    stages = len(definition.stages)
    return Counts(row[:stages], row[stages:])


def _count_disjoint(
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, time_range: TimeRange, open_from_us: int
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
    parameters.values |= {"to_us": time_range.to_us, "open_from_us": open_from_us}
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
    reading: Reading, snapshot: Snapshot, definition: FunnelDefinition, time_range: TimeRange, open_from_us: int
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
        open_from_us=open_from_us,
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
    names = ("people", "open_people")
    return ", ".join(f"({sql_text(name, level=str(level))})" for name in names for level in range(1, stages + 1))


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
    identified = sql_text(
        "identified",
        columns=", ".join(sorted(columns - {"user_hash"})),
        events=events_sql(snapshot, columns, parameters),
        and_no_bots=" and not is_bot" if definition.exclude_bots else "",
    )
    return with_properties(identified, definition, columns, parameters)


def _only_row(reading: Reading, text: str, values: Mapping[str, object]) -> list[int]:
    (row,) = reading.rows(text, values)
    counts = []
    for count in row:
        assert isinstance(count, int)
        counts.append(count)
    return counts

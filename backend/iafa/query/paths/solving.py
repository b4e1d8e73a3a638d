"""From a definition to everybody's path: which solver, with which numbers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.paths.grace import solve_grace
from iafa.query.paths.lengths import solve_lengths
from iafa.query.paths.optional import fill_optional
from iafa.query.paths.ordered import solve, solve_totals
from iafa.query.paths.plan import ENTRY_BEST, ENTRY_FIRST, ENTRY_LAST, NO_LIMIT_US, Histories, Int64s, Paths, Plan
from iafa.query.paths.reading import SESSION_GAP_S, TIMES, Chunk, Shown, Span, read_histories
from iafa.query.paths.together import can_solve
from iafa.query.paths.unordered import solve_unordered, solve_unordered_totals
from iafa.query.paths.warming import WARMING
from iafa.query.time_range import TIME_END_US, TIME_MIN_US, TimeRange

_ENTRIES = {"best": ENTRY_BEST, "first": ENTRY_FIRST, "last": ENTRY_LAST}


class Wanted(Enum):
    """What is asked of paths. Which of two events of one instant fills a step matters only for the events."""

    LENGTHS = "lengths"
    TIMES = "times"
    EVENTS = "events"


@dataclass(frozen=True)
class Solved:
    """Whole people and their reported paths; row numbers point into the chunk."""

    chunk: Chunk
    paths: Paths
    optional: Int64s | None = None  # paths x optional stages: the row that fills it (-1 = none); None: there are none


def span_of(definition: FunnelDefinition, time_range: TimeRange) -> Span:
    """The range selects the first event; later ones may follow up to a window after it (`entry`) or not."""
    read_to_us = time_range.to_us
    if definition.range == "entry" or (definition.exclusions and definition.exclusion_mode == "drop"):
        # What `drop` looks for may come after the last step.
        read_to_us = min(time_range.to_us + window_us(definition), TIME_END_US)
    read_from_us = max(time_range.from_us - definition.grace_seconds * US_PER_S, TIME_MIN_US)
    end_us = read_to_us if definition.range == "entry" else time_range.to_us
    return Span(time_range.from_us, time_range.to_us, read_from_us, read_to_us, end_us)


def window_us(definition: FunnelDefinition) -> int:
    return NO_LIMIT_US if definition.window_seconds is None else definition.window_seconds * US_PER_S


def plan_of(definition: FunnelDefinition, span: Span) -> Plan:
    """The definition's required stages as numbers."""
    required = definition.required
    within = np.full(len(required) + 1, NO_LIMIT_US, dtype=np.int64)
    after = np.zeros(len(required) + 1, dtype=np.int64)
    for number, stage in enumerate(required, start=1):
        if stage.within_seconds is not None:
            within[number] = stage.within_seconds * US_PER_S
        if stage.after_seconds is not None:
            after[number] = stage.after_seconds * US_PER_S
    exclusions = [
        (definition.required_number(one.from_stage), definition.required_number(one.to_stage))
        for one in definition.exclusions
    ]
    return Plan(
        steps=len(required),
        window_us=window_us(definition),
        from_us=span.from_us,
        to_us=span.to_us,
        end_us=span.end_us,
        is_all_steps=definition.range == "all_steps",
        is_tie_strict=definition.tie == "strict",
        is_strict=definition.order == "strict",
        is_drop=definition.exclusion_mode == "drop" and bool(exclusions),
        entry=_ENTRIES[definition.entry],
        within_us=within,
        after_us=after,
        excluded_from=np.array([low for low, _high in exclusions], dtype=np.int64),
        excluded_to=np.array([high for _low, high in exclusions], dtype=np.int64),
        live_from_us=-NO_LIMIT_US if span.live_from_us is None else span.live_from_us,
    )


def solve_paths(
    reading: Reading,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    time_range: TimeRange,
    *,
    span: Span | None = None,
    session_gap_s: int = SESSION_GAP_S,
    properties: Sequence[str] = (),
    wanted: Wanted = Wanted.EVENTS,
) -> Iterator[Solved]:
    """Everybody who entered, chunk by chunk. `span` is narrower than the range where later events do not count."""
    span = span or span_of(definition, time_range)
    plan = plan_of(definition, span)
    has_optional = len(definition.required) < len(definition.stages)
    is_told_by_ids = wanted is Wanted.EVENTS or has_optional or _is_told_by_ids(definition)
    wants_rows = has_optional or wanted is not Wanted.LENGTHS
    for chunk in read_histories(
        reading,
        snapshot,
        definition,
        span,
        session_gap_s=session_gap_s,
        shown=Shown(properties) if is_told_by_ids else TIMES,
    ):
        reading.check_time()
        yield solved_of(definition, plan, chunk, reading.check_time, wants_rows=wants_rows)


def solved_of(
    definition: FunnelDefinition, plan: Plan, chunk: Chunk, check_time: Callable[[], None], *, wants_rows: bool = True
) -> Solved:
    """The reported paths of a chunk's people, with what fills the optional stages."""
    paths = paths_of(definition, plan, chunk.histories, check_time, wants_rows=wants_rows)
    if len(definition.required) == len(definition.stages):
        return Solved(chunk, paths)
    return Solved(chunk, *fill_optional(definition, plan, chunk.histories, chunk.optional, paths))


def _is_told_by_ids(definition: FunnelDefinition) -> bool:
    """True if which one of two events of an instant is taken changes more than the event that is shown.

    Totals take it away from the next path; without an order it may be another step that is filled.
    """
    return definition.count == "totals" or definition.order == "unordered"


def paths_of(
    definition: FunnelDefinition,
    plan: Plan,
    histories: Histories,
    check_time: Callable[[], None],
    *,
    wants_rows: bool = True,
) -> Paths:
    """The same on bare histories: which optional stages are filled does not move a path.

    Without rows perhaps only how long each is.
    """
    if definition.order == "unordered":
        unordered = solve_unordered_totals if definition.count == "totals" else solve_unordered
        return WARMING.of(unordered)(plan, histories, first_required=definition.first_required, check_time=check_time)
    if definition.tie == "grace":
        return WARMING.of(solve_grace)(plan, histories, definition.grace_seconds * US_PER_S, check_time)
    if definition.count == "totals":
        return WARMING.of(solve_totals)(plan, histories, check_time=check_time)
    if not wants_rows and can_solve(plan) and WARMING.is_ready:
        return solve_lengths(plan, histories, check_time=check_time)
    return WARMING.of(solve)(plan, histories, check_time=check_time, wants_rows=wants_rows)

"""Funnels that the events themselves suggest, for a project that has none: the ways that most people go.

Which events follow each other is reckoned from the first time that each person did each of the most frequent ones; of
very many people, by a part of them. The numbers that are shown are those of the funnel itself, over everybody.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from iafa.clock import US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.definition import WINDOW_DEFAULT_S, FunnelDefinition, to_dict
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import answer
from iafa.query.next_steps import stage_of
from iafa.query.paths.plan import Int64s
from iafa.query.paths.reading import identified_sql
from iafa.query.question import question_of
from iafa.query.time_range import TimeRange

FUNNELS_MAX = 3
EVENTS_MAX = 30  # of a project, the most frequent
PEOPLE_MAX = 200_000  # that are looked at
STAGES_MAX = 6  # a shop: page, product, cart, checkout, payment, purchase
FOLLOWERS_MIN = 0.05  # of those who began: fewer are no way that people go
ROWS_AT_ONCE = 100_000
NEVER = np.iinfo(np.int64).max
NOT_STAGES = frozenset({"identify", "$identify", "alias", "$create_alias", "session_start", "page_leave", "heartbeat"})


@dataclass(frozen=True)
class FirstTimes:
    """By event and person, both as numbers, when somebody first did something; NEVER if they did not."""

    names: Sequence[str]
    times: Int64s  # events x people
    parts: int  # one of so many people was looked at


def suggested_funnels(
    engine: DuckEngine,
    snapshot: Snapshot,
    time_range: TimeRange,
    *,
    limit: int = FUNNELS_MAX,
    cancellation: Cancellation | None = None,
) -> list[dict[str, object]]:
    """[{definition, stages, overall_conversion_rate, people_total}], the one that most people enter first. Blocks."""
    cancellation = cancellation or Cancellation()
    first = first_times(engine, snapshot, time_range, cancellation)
    found: list[dict[str, object]] = []
    for names in sequences(first, WINDOW_DEFAULT_S)[:limit]:
        definition = definition_of(names)
        asked = question_of(definition, time_range, engine.clock.now_us())
        said = answer(engine, snapshot, asked, cancellation=cancellation)
        kept = ("stages", "overall_conversion_rate", "people_total", "open")
        found.append({"definition": to_dict(definition), **{key: said[key] for key in kept}})
    return found


def definition_of(names: Sequence[str]) -> FunnelDefinition:
    """The funnel of these events, in order."""
    title = f"From {names[0]} to {names[-1]}"[:200]
    stages = [stage_of(name, None) for name in names]
    return parse_definition({"name": title, "stages": stages, "exclude_bots": True})


def first_times(
    engine: DuckEngine, snapshot: Snapshot, time_range: TimeRange, cancellation: Cancellation | None = None
) -> FirstTimes:
    """Of the events that most people did, and of at most about PEOPLE_MAX people."""
    read = snapshot.between(time_range.from_us, time_range.to_us)
    no_bots = FunnelDefinition("", (), exclude_bots=True)
    columns = {"user_hash", "event_type", "created_at", "is_bot"}
    parameters = Parameters(
        read_from_us=time_range.from_us,
        read_to_us=time_range.to_us,
        left_out=sorted(NOT_STAGES),
        limit=EVENTS_MAX,
        people_max=PEOPLE_MAX,
    )
    identified = identified_sql(read, no_bots, columns, parameters)
    with engine.reading(read, cancellation) as reading:
        found = list(reading.batches(sql_text("first_times", identified=identified), parameters.values, ROWS_AT_ONCE))
    if not sum(batch.num_rows for batch in found):
        return FirstTimes((), np.zeros((0, 0), dtype=np.int64), 1)
    return _first_times(pa.Table.from_batches(found))


def _first_times(rows: pa.Table) -> FirstTimes:
    named = rows.select(["event_type", "people"]).group_by(["event_type", "people"]).aggregate([]).to_pylist()
    names = [str(one["event_type"]) for one in sorted(named, key=lambda one: (-one["people"], one["event_type"]))]
    event = pc.index_in(rows.column("event_type"), value_set=pa.array(names)).to_numpy()
    people, person = np.unique(rows.column("entity").to_numpy(), return_inverse=True)
    times = np.full((len(names), len(people)), NEVER, dtype=np.int64)
    times[event, person] = rows.column("time_us").to_numpy()
    return FirstTimes(names, times, int(rows.column("parts")[0].as_py()))


def sequences(first: FirstTimes, window_s: int) -> list[list[str]]:
    """Ways of at least two events; each begins with what many people do first, and goes on with what most do next."""
    if not first.times.size:
        return []
    begins = np.argmin(first.times, axis=0)
    starters = np.bincount(begins, minlength=len(first.names))
    in_order = np.lexsort((np.arange(len(starters)), -starters))
    found: list[list[str]] = []
    for start in in_order[: 3 * FUNNELS_MAX].tolist():
        if not starters[start]:
            break
        way = [first.names[number] for number in _way(first.times, start, window_s)]
        # A way that is the end of another one shows nothing new.
        if len(way) > 1 and not any(set(way) <= set(other) for other in found):
            found.append(way)
    return found


def _way(times: Int64s, start: int, window_s: int) -> list[int]:
    """From one event on, always the one that most of those who came so far did later, within the window."""
    way = [start]
    people = np.flatnonzero(times[start] < NEVER)
    until = times[start][people] + window_s * US_PER_S
    began = len(people)
    while len(way) < STAGES_MAX:
        so_far = times[way[-1]][people]
        follows = (times[:, people] > so_far) & (times[:, people] <= until)
        follows[way] = False
        counts = follows.sum(axis=1)
        best = int(counts.argmax())
        if counts[best] < max(1, FOLLOWERS_MIN * began):
            break
        way.append(best)
        keeps = follows[best]
        people, until = people[keeps], until[keeps]
    return way

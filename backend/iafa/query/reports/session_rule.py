"""The session rule of reports: which session each event of a frame belongs to, by section 8 of the semantics.

A session is made of all events of a person; the frame's filters choose among them afterwards. Bots, where the frame
leaves them out, and what is later than `as_of` do not exist.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.cancellation import Cancellation
from iafa.query.definition import Stage
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.filters import Condition, condition_sql, filter_properties
from iafa.query.reports.frame import Frame, frame_sql
from iafa.query.stages import stage_sql

_ROWS = 1_000_000


def session_events_sql(
    frame: Frame,
    snapshot: Snapshot,
    parameters: Parameters,
    *,
    columns: Collection[str] = (),
    matchers: Sequence[Stage] = (),
    properties: Sequence[str] = (),
    computed: Sequence[str] = (),
    is_of_range: bool = True,
) -> str:
    """The frame's events as SQL with `session`, `session_start_us`, `person`, `time_us`, the `columns`, and what is
    `computed` of each event (`... as name`) from its type, address, and the `properties`; with matchers only those
    that one of them means.

    Of the sessions that begin in the range, all events, also those after it; or, if not `is_of_range`, every event
    that was read, with the session that it belongs to. The frame must have its `sessions_span`.
    """
    looked_at = {"event_type", "url"} if matchers else set()
    conditions = [*frame.filters, *(each for matcher in matchers for each in matcher.filters)]
    events = _whole_sql(frame, snapshot, parameters, looked_at.union(columns), properties, conditions)
    asked = [condition_sql(condition, parameters) for condition in frame.filters]
    if matchers:
        asked.append(f"({' or '.join(f'({stage_sql(matcher, parameters)})' for matcher in matchers)})")
    return sql_text(
        "session_events",
        columns=", ".join(("person", "time_us", *sorted(columns), *computed)),
        is_asked=" and ".join(asked) or "true",
        events=events,
        belongs=_belongs_sql(frame, parameters) if is_of_range else "true",
    )


def sessions_sql(
    frame: Frame,
    snapshot: Snapshot,
    parameters: Parameters,
    *,
    columns: Collection[str],
    flags: Mapping[str, str],
    seen: Sequence[str],
) -> str:
    """The sessions that begin in the frame's range as SQL, one row each: `person`, `start_us`, `length_us`, `events`,
    and what is `seen`: `count_NAME`, `first_NAME` or `last_NAME` of a flag of events, which looks at the columns: how
    many events have it, and when. With filters only those that hold an event which passes them.
    """
    properties = sorted(set().union(*map(filter_properties, frame.filters)))
    events = _whole_sql(frame, snapshot, parameters, columns, properties, ())
    passes = [condition_sql(condition, parameters) for condition in frame.filters]
    return sql_text(
        "session_rows",
        flags="".join(f", {told} as {name}" for name, told in flags.items()),
        passes=" and ".join(passes) or "true",
        seen="".join(f", {_seen(name)} as {name}" for name in seen),
        summed="".join(f", {_summed(name)} as {name}" for name in seen),
        events=events,
        belongs=_belongs_sql(frame, parameters),
    )


def _seen(name: str) -> str:
    what, _, flag = name.partition("_")
    return f"{ {'count': 'count(*)', 'first': 'min(time_us)', 'last': 'max(time_us)'}[what] } filter (where {flag})"


def _summed(name: str) -> str:
    what = name.partition("_")[0]
    return f"sum({name})::bigint" if what == "count" else f"{'min' if what == 'first' else 'max'}({name})"


def _whole_sql(
    frame: Frame,
    snapshot: Snapshot,
    parameters: Parameters,
    columns: Collection[str],
    properties: Sequence[str],
    conditions: Sequence[Condition],
) -> str:
    """All events that sessions of the frame may hold, whether they pass its filters or not."""
    span = frame.sessions_span
    assert span is not None, "the span is found before the report is asked"
    parameters.values["session_gap_us"] = frame.setting.session_gap_s * US_PER_S
    return frame_sql(
        replace(frame, filters=()),
        snapshot,
        parameters,
        columns=columns,
        properties=properties,
        conditions=conditions,
        span=span,
    )


def _belongs_sql(frame: Frame, parameters: Parameters) -> str:
    parameters.values["starts_from_us"], parameters.values["starts_to_us"] = frame.from_us, frame.to_us
    return "session_start_us >= $starts_from_us and session_start_us < $starts_to_us"


def sessions_span(
    engine: DuckEngine, snapshot: Snapshot, frame: Frame, cancellation: Cancellation | None = None
) -> tuple[int, int]:
    """What must be read so that every session with an event in the range is whole.

    For the people who are active near an end of what was read more days are read, one, two, four, until none is left.
    Whether a session begins in the range the events within one pause before it tell.
    """
    from_us, to_us = frame.from_us, frame.to_us
    first_us, last_us = snapshot.first_us, snapshot.last_us
    if first_us is None or last_us is None or from_us >= to_us:
        return from_us, to_us
    end_us = min(last_us + 1, frame.exists_to_us)
    edges = _Edges(engine, snapshot, frame, cancellation)
    if from_us > first_us and not frame.wants_earlier_sessions:
        from_us = max(from_us - frame.setting.session_gap_s * US_PER_S, first_us)
    elif from_us > first_us:
        from_us = -edges.reach(-from_us, -first_us, -1)
    if to_us < end_us:
        to_us = edges.reach(to_us - 1, end_us - 1, 1) + 1
    return from_us, to_us


class _Edges:
    """Looks outward from an end of the range. Places are `sign * time_us`, so that both ends are looked at alike."""

    def __init__(self, engine: DuckEngine, snapshot: Snapshot, frame: Frame, cancellation: Cancellation | None) -> None:
        self._engine = engine
        self._snapshot = snapshot
        self._frame = replace(frame, filters=())
        self._gap_us = frame.setting.session_gap_s * US_PER_S
        self._cancellation = cancellation

    def reach(self, edge: int, last: int, sign: int) -> int:
        """The outermost place of a session that has an event in the range; at least the edge itself."""
        inner_us = self._frame.to_us - 1 if sign < 0 else self._frame.from_us
        start = max(edge - self._gap_us, sign * inner_us)
        people = self._ask("session_edge", start, edge, sign, edge=edge)
        farthest, read_to, step_us = edge, edge, US_PER_DAY
        while people.num_rows and read_to < last:
            next_to = min(read_to + step_us, last)
            people = self._ask("session_chain", read_to + 1, next_to, sign, people=people)
            farthest, read_to, step_us = max(farthest, pc.max(people["place"]).as_py()), next_to, 2 * step_us
            # One more event can only follow where the pause since the last one is not over in what was read.
            people = people.filter(pc.greater(people["place"], read_to - self._gap_us))
        return farthest

    def _ask(
        self, name: str, low: int, high: int, sign: int, *, edge: int | None = None, people: pa.Table | None = None
    ) -> pa.Table:
        """Over the events from the place `low` to `high`, both included."""
        span = (low, high + 1) if sign > 0 else (-high, -low + 1)
        read = self._snapshot.between(*span)
        parameters = Parameters(session_gap_us=self._gap_us)
        if edge is not None:
            parameters.values["edge"] = edge
        events = frame_sql(self._frame, read, parameters, span=span)
        text = sql_text(name, events=events, sign=str(sign))
        with self._engine.reading(read, self._cancellation) as reading:
            if people is not None:
                reading.give("session_edge", people)
            batches = list(reading.batches(text, parameters.values, _ROWS))
        schema = pa.schema([("person", pa.int64()), ("place", pa.int64())])
        return pa.Table.from_batches(batches, schema) if batches else schema.empty_table()

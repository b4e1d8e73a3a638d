"""What a snapshot holds of the events and properties that a definition names. For checks before a funnel is asked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import ANY_EVENT, Exclusion, FunnelDefinition, Stage
from iafa.query.engine_duckdb import DuckEngine, Reading
from iafa.query.filters import Filter, Operator, condition_sql, property_columns
from iafa.query.pages import PAGE_EVENT
from iafa.query.source import events_sql
from iafa.query.stages import stage_columns, stage_sql, with_properties

PROPERTY_NAMES_MAX = 2_000
PropertyOf = tuple[tuple[str, ...], str]  # names of events, `*` is any, and a property


@dataclass(frozen=True)
class Seen:
    """Of one stage or exclusion, its filters included."""

    people: int  # since the instant that was asked for
    last_us: int | None  # None: never


@dataclass(frozen=True)
class Presence:
    """`matchers` are the stages and then the exclusions. `names` has the last time of those that were ever seen."""

    events: int
    names: Mapping[str, int]
    matchers: Sequence[Seen]
    properties: frozenset[PropertyOf]  # those of the asked ones that some event has


def presence(
    engine: DuckEngine,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    *,
    since_us: int,
    properties: Sequence[PropertyOf] = (),
) -> Presence:
    """Blocks: call it in a thread."""
    matchers: list[Stage | Exclusion] = [*definition.stages, *definition.exclusions]
    names = {name for matcher in matchers for name in names_of(matcher)} - {ANY_EVENT}
    with engine.reading(snapshot) as reading:
        last = _names(reading, snapshot, names)
        events, counts, has = _counts(reading, snapshot, definition, matchers, since_us, properties)
    return Presence(
        events=events,
        names=last,
        matchers=[Seen(people or 0, last_us) for people, last_us in zip(counts[::2], counts[1::2], strict=True)],
        properties=frozenset(pair for pair, is_there in zip(properties, has, strict=True) if is_there),
    )


def names_of(matcher: Stage | Exclusion) -> tuple[str, ...]:
    """The event types that a stage or an exclusion means."""
    return matcher.events if matcher.page is None else (PAGE_EVENT,)


def property_names(engine: DuckEngine, snapshot: Snapshot, events: Sequence[str]) -> list[str]:
    """The properties that events of these types have, or with `*` any event."""
    parameters = Parameters(limit=PROPERTY_NAMES_MAX)
    is_wanted = _is_named(events, parameters)
    source = events_sql(snapshot, ("event_type", "properties"), parameters)
    with engine.reading(snapshot) as reading:
        rows = reading.rows(sql_text("property_names", events=source, is_wanted=is_wanted), parameters.values)
    return [str(name) for (name,) in rows]


def _names(reading: Reading, snapshot: Snapshot, names: set[str]) -> dict[str, int]:
    if not names:
        return {}
    parameters = Parameters()
    bound = ", ".join(parameters.bind(name) for name in sorted(names))
    events = events_sql(snapshot, ("event_type", "created_at"), parameters)
    rows = reading.rows(sql_text("names_present", events=events, names=bound), parameters.values)
    return {str(name): int(str(last_us)) for name, last_us in rows}


def _counts(
    reading: Reading,
    snapshot: Snapshot,
    definition: FunnelDefinition,
    matchers: Sequence[Stage | Exclusion],
    since_us: int,
    properties: Sequence[PropertyOf],
) -> tuple[int, list[int | None], list[bool]]:
    parameters = Parameters(since_us=since_us)
    filters = [condition_sql(condition, parameters) for condition in definition.filters]
    columns = []
    for matcher in matchers:
        matches = " and ".join([stage_sql(matcher, parameters), *filters])
        is_recent = "created_at >= make_timestamptz($since_us)"
        columns.append(f"count(distinct user_hash) filter (where {matches} and {is_recent})")
        columns.append(f"epoch_us(max(created_at) filter (where {matches}))")
    for events, name in properties:
        has = condition_sql(Filter(name, Operator.EXISTS), parameters)
        columns.append(f"coalesce(bool_or({has} and {_is_named(events, parameters)}), false)")
    wanted = stage_columns(definition).union(*(property_columns(name) for _events, name in properties))
    text = sql_text(
        "presence",
        columns="".join(f", {column}" for column in columns),
        events=with_properties(
            events_sql(snapshot, wanted, parameters), definition, wanted, parameters, of_all=bool(properties)
        ),
        where=" where not is_bot" if definition.exclude_bots else "",
    )
    ((events_in_all, *values),) = reading.rows(text, parameters.values)
    counts = [None if value is None else int(str(value)) for value in values[: 2 * len(matchers)]]
    return int(str(events_in_all)), counts, [bool(value) for value in values[2 * len(matchers) :]]


def _is_named(events: Sequence[str], parameters: Parameters) -> str:
    if ANY_EVENT in events:
        return "true"
    return f"event_type in ({', '.join(parameters.bind(name) for name in events)})"

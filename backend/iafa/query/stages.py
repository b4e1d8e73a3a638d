"""The stages of a funnel as SQL over one event: what they read, which of them an event matches."""

from collections.abc import Sequence
from itertools import combinations

from iafa.query.binding import Parameters
from iafa.query.definition import ANY_EVENT, Exclusion, FunnelDefinition, Stage
from iafa.query.filters import condition_sql, filter_columns, property_values_sql
from iafa.query.pages import PAGE_EVENT, literal_path, page_sql


def stage_columns(definition: FunnelDefinition) -> set[str]:
    matchers: list[Stage | Exclusion] = [*definition.stages, *definition.exclusions]
    conditions = [*definition.filters, *(each for matcher in matchers for each in matcher.filters)]
    columns = {"user_hash", "created_at", "event_type"}.union(*map(filter_columns, conditions))
    if definition.exclude_bots:
        columns.add("is_bot")
    return columns | {"url"} if any(matcher.page for matcher in matchers) else columns


def with_properties(
    events: str, definition: FunnelDefinition, columns: set[str], parameters: Parameters, *, of_all: bool = False
) -> str:
    """The events, given as SQL, with the values that the conditions look at, if the columns say that they do: those
    `of_all` events, or only of the events whose stages have filters.
    """
    if "properties" not in columns:
        return events
    of_events = None if of_all or definition.hold else _events_with_properties(definition)
    return property_values_sql(events, parameters, of_events=of_events)


def _events_with_properties(definition: FunnelDefinition) -> list[str] | None:
    """The events whose properties the stages and exclusions look at; None if those of every event matter."""
    if any("properties" in filter_columns(condition) for condition in definition.filters):
        return None
    matchers: list[Stage | Exclusion] = [*definition.stages, *definition.exclusions]
    names = {
        name
        for matcher in matchers
        if any("properties" in filter_columns(condition) for condition in matcher.filters)
        for name in _event_names(matcher)
    }
    return None if ANY_EVENT in names else sorted(names)


def are_disjoint(stages: Sequence[Stage]) -> bool:
    """True if by names and literal paths alone no event can match two of the stages."""
    return not any(_may_overlap(one, other) for one, other in combinations(stages, 2))


def relevant_sql(definition: FunnelDefinition, parameters: Parameters) -> str:
    """What every event of the funnel fulfils, in a form that skips row groups sorted by event type."""
    named = names_sql([*definition.stages, *definition.exclusions], parameters)
    conditions = [condition_sql(condition, parameters) for condition in definition.filters]
    return " and ".join(conditions if named == "true" else [named, *conditions]) or "true"


def names_sql(matchers: Sequence[Stage | Exclusion], parameters: Parameters) -> str:
    """True for every event that one of them may mean, told by the event's type alone; without matchers for all."""
    names = {name for matcher in matchers for name in _event_names(matcher)}
    if ANY_EVENT in names or not matchers:
        return "true"
    return f"event_type in ({', '.join(parameters.bind(name) for name in sorted(names))})"


def stage_sql(stage: Stage | Exclusion, parameters: Parameters) -> str:
    """A boolean expression that is never null."""
    if stage.page is not None:
        conditions = [page_sql(stage.page, parameters)]
    elif ANY_EVENT in stage.events:
        conditions = []
    else:
        conditions = [f"event_type in ({', '.join(parameters.bind(name) for name in stage.events)})"]
    conditions += [condition_sql(condition, parameters) for condition in stage.filters]
    return " and ".join(conditions) or "true"


def _event_names(stage: Stage | Exclusion) -> tuple[str, ...]:
    return stage.events if stage.page is None else (PAGE_EVENT,)


def _may_overlap(one: Stage, other: Stage) -> bool:
    names, others = _event_names(one), _event_names(other)
    if ANY_EVENT not in names and ANY_EVENT not in others and not set(names) & set(others):
        return False
    if one.page is None or other.page is None:
        return True
    path, other_path = literal_path(one.page), literal_path(other.page)
    return path is None or other_path is None or path == other_path

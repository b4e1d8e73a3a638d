"""The SQL of the events that a question means, for pages and exports alike."""

from collections.abc import Set

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, literal, sql_text
from iafa.query.events.persons import persons_of
from iafa.query.events.question import EventsQuestion
from iafa.query.filters import condition_sql, filter_columns, property_values_sql
from iafa.query.source import events_sql


def chosen_sql(
    snapshot: Snapshot, asked: EventsQuestion, columns: Set[str], parameters: Parameters, *, also: str = ""
) -> str:
    """The columns of the events from `$from_us` to before `$to_us`. `also` is a further condition on the stored row."""
    filtered: set[str] = set().union(*map(filter_columns, asked.filters))
    plain = also
    read = {*columns, *filtered, "created_at"}
    if asked.event_types:
        read.add("event_type")
        plain += f" and event_type in ({', '.join(parameters.bind(name) for name in asked.event_types)})"
    if asked.exclude_bots:
        read.add("is_bot")
        plain += " and not is_bot"
    among = None
    if asked.user_id is not None:
        read.add("user_hash")
        persons = persons_of(snapshot, asked.user_id)
        among = persons.stored
        plain += f" and user_hash in ({', '.join(literal(one) for one in persons.people)})"
    events = events_sql(snapshot, read, parameters, among=among)
    chosen = sql_text("log_events", columns=", ".join(sorted(read)), events=events, and_also=plain)
    if not asked.filters:
        return chosen
    conditions = [condition_sql(condition, parameters) for condition in asked.filters]
    if "properties" in filtered:
        chosen = property_values_sql(chosen, parameters)
    return sql_text(
        "log_filtered", columns=", ".join(sorted(columns)), events=chosen, conditions=" and ".join(conditions)
    )

"""Columns that no file holds and that questions may name: each is SQL over the columns that files hold."""

from dataclasses import dataclass

from iafa.query.channels import CHANNEL, CHANNEL_COLUMNS, CHANNEL_SQL, REFERRER_HOST_SQL
from iafa.query.pages import PAGE_EVENT, path_sql


@dataclass(frozen=True)
class WorkedOut:
    """`columns` are those that `sql` reads; null where an event has no such value."""

    sql: str
    columns: frozenset[str]


# Asked for by their full names alone, as `column:page`: clients send properties of these names.
WORKED_OUT = {
    CHANNEL: WorkedOut(CHANNEL_SQL, CHANNEL_COLUMNS),
    "page": WorkedOut(
        f"(case when event_type = '{PAGE_EVENT}' and url is not null then {path_sql()} end)",
        frozenset({"event_type", "url"}),
    ),
    "referrer_host": WorkedOut(REFERRER_HOST_SQL, frozenset({"referrer"})),
}

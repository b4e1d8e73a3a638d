"""The sessions of a frame as SQL, one row each: when, how long, how deep, where they began and ended, who sent them.

A session is whole: with filters those are kept that hold an event which passes them.
"""

from dataclasses import replace

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.channels import CHANNEL_COLUMNS, CHANNEL_SQL
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.reports.frame import Frame
from iafa.query.reports.session_rule import session_events_sql

ENTRY_PAGE, EXIT_PAGE = "entry_page", "exit_page"
SOURCES = ("channel", "referrer", "utm_source", "utm_medium", "utm_campaign")  # of the first page view
_PLACES = ("country", "region", "city", "browser", "os", "device")  # of the first event that has one
DIMENSIONS = (ENTRY_PAGE, EXIT_PAGE, *SOURCES, *_PLACES)
REFERRER_HOST_SQL = (
    "nullif(regexp_extract(lower(referrer), '^[a-z][a-z0-9+.-]*://([^/?#@]*@)?(www[.])?([^/:?#]+)', 3), '')"
)
_EXPRESSIONS = {"channel": CHANNEL_SQL, "referrer": REFERRER_HOST_SQL}


def visits_sql(frame: Frame, snapshot: Snapshot, parameters: Parameters, dimensions: tuple[str, ...] = ()) -> str:
    """Columns: session, person, start_us, length_us, events, views, and `dimension_0`, ... in the order given."""
    columns = {"id", "event_type", "url"}
    for name in dimensions:
        columns |= CHANNEL_COLUMNS if name == "channel" else set() if name in (ENTRY_PAGE, EXIT_PAGE) else {name}
    parameters.values["page_event"] = PAGE_EVENT
    events = session_events_sql(replace(frame, filters=()), snapshot, parameters, columns=columns)
    chosen = ""
    if frame.filters:
        passing = session_events_sql(frame, snapshot, parameters, columns={"id"})
        chosen = sql_text("visits_passing", passing=passing)
    return sql_text(
        "visits",
        events=events,
        chosen=chosen,
        values="".join(f", {_value(name)} as value_{place}" for place, name in enumerate(dimensions)),
        dimensions="".join(f", {_chosen(name, place)} as dimension_{place}" for place, name in enumerate(dimensions)),
    )


def _value(name: str) -> str:
    """What one event says. Pages and sources are told by page views alone."""
    if name in (ENTRY_PAGE, EXIT_PAGE):
        return f"(case when event_type = $page_event and url is not null then {path_sql()} end)"
    if name in SOURCES:
        return f"(case when event_type = $page_event then {_EXPRESSIONS.get(name, name)} end)"
    return name


def _chosen(name: str, place: int) -> str:
    """What the session says: the first event that says something, for the exit page the last; a source only by the
    first page view, whatever comes later."""
    value = f"value_{place}"
    if name in SOURCES:
        return f"arg_min({value}, (time_us, id)) filter (where place_of_view = 1)"
    order = "arg_max" if name == EXIT_PAGE else "arg_min"
    return f"{order}({value}, (time_us, id)) filter (where {value} is not null)"

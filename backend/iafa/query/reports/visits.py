"""The sessions of a frame as SQL, one row each: when, how long, how deep, where they began and ended, who sent them.

A session is whole: with filters those are kept that hold an event which passes them. Which sessions there are, and when
in each something was told, becomes a table first. Then texts are read of the few events that tell something of their
session, for one kind of them after the other: all kinds together need many times the memory.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal, NamedTuple, get_args

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.channels import CHANNEL_COLUMNS, channel_sql, host_sql
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.reports.frame import Frame, frame_sql
from iafa.query.reports.session_rule import sessions_sql

Dimension = Literal[
    "entry_page", "exit_page",
    "channel", "referrer", "utm_source", "utm_medium", "utm_campaign",
    "country", "region", "city", "browser", "os", "device",
]  # fmt: skip
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
_ENTRY_PAGE, _EXIT_PAGE = "entry_page", "exit_page"
_SOURCES = ("channel", "referrer", "utm_source", "utm_medium", "utm_campaign")
_REFERRER_HOST = "referrer_host"
_VIEW = "event_type = $page_event"
_PAGE = f"{_VIEW} and url is not null"


class _Told(NamedTuple):
    """What a session tells: a column of its first event, or of the last one, that has the flag."""

    name: str
    column: str
    flag: str
    is_last: bool = False

    @property
    def instant(self) -> str:
        return f"{'last' if self.is_last else 'first'}_{self.flag}"


def visit_table_sql(frame: Frame, snapshot: Snapshot, parameters: Parameters, dimensions: Sequence[str] = ()) -> str:
    """Makes the table `visit`: person, start_us, length_us, events, views, and when the dimensions are told of."""
    parameters.values["page_event"] = PAGE_EVENT
    told = _told_of(dimensions)
    flags = {"view": _VIEW, **{one.flag: flag_sql(one.flag) for one in told}}
    sessions = sessions_sql(
        frame,
        snapshot,
        parameters,
        columns={"event_type", *(one.column for one in told)},
        flags=flags,
        seen=list(dict.fromkeys(["count_view", *(one.instant for one in told)])),
    )
    return sql_text("visits", sessions=sessions)


def told_together(dimensions: Sequence[str]) -> Iterable[Sequence[str]]:
    """Dimensions that the same event of a session tells."""
    groups: dict[str, list[str]] = {}
    for name in dimensions:
        groups.setdefault(told_by(name)[0].instant, []).append(name)
    return groups.values()


def visits_sql(frame: Frame, snapshot: Snapshot, parameters: Parameters, dimensions: Sequence[str]) -> str:
    """Of dimensions that are told together, with the table `visit`. Columns: person, start_us, length_us, events,
    views, and `dimension_0`, ... in the order given."""
    told = _told_of(dimensions)
    columns = {"event_type", *(one.column for one in told)}
    flag = flag_sql(told[0].flag)
    if "$page_event" in flag:
        parameters.values["page_event"] = PAGE_EVENT
    return sql_text(
        "visits_told",
        instant=told[0].instant,
        flag=flag,
        told=", ".join(f"{_read(one)} as {one.name}" for one in told),
        events=frame_sql(
            replace(frame, filters=()), snapshot, parameters, columns=columns | {"id"}, span=frame.sessions_span
        ),
        dimensions=", ".join(f"{_value(name)} as dimension_{place}" for place, name in enumerate(dimensions)),
    )


def _told_of(dimensions: Sequence[str]) -> list[_Told]:
    return list(dict.fromkeys(one for dimension in dimensions for one in told_by(dimension)))


def told_by(dimension: str) -> Sequence[_Told]:
    """Of where the visitor came from the first page view alone tells, whatever a later one says."""
    if dimension == _ENTRY_PAGE:
        return [_Told("entry_url", "url", "page")]
    if dimension == _EXIT_PAGE:
        return [_Told("exit_url", "url", "page", is_last=True)]
    if dimension in _SOURCES:
        columns = sorted(CHANNEL_COLUMNS) if dimension == "channel" else [dimension]
        return [_Told(_REFERRER_HOST if column == "referrer" else column, column, "view") for column in columns]
    return [_Told(dimension, dimension, dimension)]


def flag_sql(flag: str) -> str:
    """Of an event; what it looks at is never null."""
    return {"view": _VIEW, "page": _PAGE}.get(flag, f"{flag} is not null")


def _read(told: _Told) -> str:
    """Of several events at the instant the ids tell which is the first, or the last."""
    choose = "arg_max_null" if told.is_last else "arg_min_null"
    column = f"{choose}({told.column}, id)"
    return host_sql(column) if told.name == _REFERRER_HOST else column


def _value(dimension: str) -> str:
    """Made of what was told, once a session: made of every event it would be dear."""
    if dimension in (_ENTRY_PAGE, _EXIT_PAGE):
        url = "entry_url" if dimension == _ENTRY_PAGE else "exit_url"
        return f"case when {url} is not null then {path_sql(url)} end"
    if dimension == "channel":
        return channel_sql(_REFERRER_HOST, host_sql("url"))
    return f"nullif({_REFERRER_HOST}, '')" if dimension == "referrer" else dimension

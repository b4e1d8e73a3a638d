"""Sessions counted by statements: figures of all, by bucket and by what they tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.engine_duckdb import Reading
from iafa.query.pages import PAGE_EVENT, path_sql
from iafa.query.reports.bucketing import Bucketing
from iafa.query.reports.frame import Frame, frame_sql
from iafa.query.reports.visits import told_together, visit_table_sql, visits_sql

Counts = Sequence[object]  # as session_figures.sql has them


@dataclass(frozen=True)
class VisitTables:
    """Counts of all sessions, by the place of a bucket, and by dimension: the largest groups, then `other` and `none`
    where there are such sessions. Pages with views and people, if they were asked for."""

    total: Counts
    buckets: Mapping[int, Counts]
    groups: Mapping[str, Sequence[tuple[str, str | None, Counts]]]
    pages: Sequence[tuple[str, int, int]] | None


class VisitsAsked(NamedTuple):
    """Sessions of the frame by bucket and by dimensions, of each the largest groups; with pages, as many."""

    snapshot: Snapshot
    frame: Frame
    bucketing: Bucketing
    dimensions: Sequence[str]
    groups: int
    has_pages: bool


def select_visits(reading: Reading, asked: VisitsAsked) -> VisitTables:
    """Which sessions there are is found once."""
    snapshot, frame, bucketing, dimensions, groups, has_pages = asked
    counted = sql_text("session_figures")
    parameters = Parameters()
    reading.rows(visit_table_sql(frame, snapshot, parameters, dimensions), parameters.values)
    *rows, (_, *total) = reading.rows(sql_text("session_summary", bucket=bucketing.sql, figures=counted), {})
    by_bucket = {int(str(bucket)): row for bucket, *row in rows}
    listed: dict[str, list[tuple[str, str | None, Counts]]] = {name: [] for name in dimensions}
    for together in told_together(dimensions):
        parameters = Parameters(groups=groups)
        visits = visits_sql(frame, snapshot, parameters, together)
        tables = [sql_text("session_groups", place=str(place), figures=counted) for place in range(len(together))]
        text = sql_text("session_tables", visits=visits, tables="union all\n".join(tables))
        for place, kind, value, *row in reading.rows(text, parameters.values):
            shown = None if value is None else str(value)
            listed[together[int(str(place))]].append((str(kind), shown, row))
    return VisitTables(total, by_bucket, listed, _pages(reading, snapshot, frame, groups) if has_pages else None)


def _pages(reading: Reading, snapshot: Snapshot, frame: Frame, groups: int) -> list[tuple[str, int, int]]:
    parameters = Parameters(groups=groups, page_event=PAGE_EVENT)
    events = frame_sql(frame, snapshot, parameters, columns=("event_type", "url"))
    rows = reading.rows(sql_text("overview_pages", events=events, page=path_sql()), parameters.values)
    return [(str(page), int(str(views)), int(str(people))) for page, views, people in rows]

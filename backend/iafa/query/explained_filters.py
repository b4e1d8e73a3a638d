"""Which filters an event does not meet although its name fits the stage, and the values that they saw."""

from collections.abc import Callable, Sequence
from typing import Any

from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import AnyOf, Condition, condition_sql, filter_columns, filter_to_dict, text_sql

Failed = dict[str, list[dict[str, object]]]


def failed_filters(
    reading: Reading,
    identified: Callable[[set[str], Parameters], str],
    definition: FunnelDefinition,
    person: int,
    ids: Sequence[str],
) -> Failed:
    """By event id: every condition of a stage (or of all, stage null) that does not hold, and what it saw."""
    placed: list[tuple[int | None, Condition]] = [
        (number, condition) for number, stage in enumerate(definition.required, start=1) for condition in stage.filters
    ]
    placed += [(None, condition) for condition in definition.filters]
    if not ids or not placed:
        return {}
    parameters = Parameters(person=person, ids=list(ids))
    columns = {"id", "created_at"}.union(*(filter_columns(condition) for _stage, condition in placed))
    text = sql_text(
        "explain_filters",
        identified=identified(columns, parameters),
        conditions=", ".join(condition_sql(condition, parameters) for _stage, condition in placed),
        texts=", ".join(text_sql(_property(condition), parameters) for _stage, condition in placed),
    )
    rows: list[Any] = reading.rows(text, parameters.values)
    return {
        event_id: [
            {"stage": stage, "filter": filter_to_dict(condition), "value": value}
            for (stage, condition), is_met, value in zip(placed, holds, texts, strict=True)
            if not is_met
        ]
        for event_id, holds, texts in rows
    }


def _property(condition: Condition) -> str:
    """The property that a condition looks at; of a choice, the first one."""
    while isinstance(condition, AnyOf):
        condition = condition.any_of[0]
    return condition.property

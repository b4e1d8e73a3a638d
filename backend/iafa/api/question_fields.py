"""What every question about a funnel is asked with: its fields in an address and in a body, read in one way."""

from asyncio import to_thread
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Query

from iafa.errors import FieldError, ValidationFailed
from iafa.ingest.pipeline import parse_time
from iafa.query.definition import FunnelDefinition
from iafa.query.definition_reading import parse_definition
from iafa.query.time_range import TimeRange, resolve_time_range

Default = TypeVar("Default", bound=int | None)
Day = Annotated[
    str | None,
    Query(
        max_length=40,
        description="A day of the project's time zone, `2026-10-01`, or a timestamp; without a zone it is of that one.",
    ),
]
WindowOverride = Annotated[
    int | None, Query(ge=0, le=10_000_000_000, description="Ask with another window than the saved one.")
]


@dataclass(frozen=True)
class ChosenRange:
    """What the address of a saved funnel's question says beside the funnel."""

    start_date: str | None
    end_date: str | None
    override: Mapping[str, object]

    async def of(self, saved: Mapping[str, object], timezone: str) -> tuple[FunnelDefinition, TimeRange]:
        definition = await to_thread(parse_definition, {**saved, **self.override})
        return definition, resolve_time_range(self.start_date, self.end_date, timezone=timezone)


def chosen_range(start_date: Day = None, end_date: Day = None, window_seconds: WindowOverride = None) -> ChosenRange:
    return ChosenRange(start_date, end_date, {} if window_seconds is None else {"window_seconds": window_seconds})


Chosen = Annotated[ChosenRange, Depends(chosen_range)]


async def definition_of_body(fields: dict[str, Any], timezone: str) -> tuple[FunnelDefinition, TimeRange]:
    """From the fields that are left when a route has taken its own."""
    start_date, end_date = (text_field(fields, field) for field in ("start_date", "end_date"))
    definition = await to_thread(parse_definition, fields)
    return definition, resolve_time_range(start_date, end_date, timezone=timezone)


def number_field(fields: dict[str, Any], field: str, default: Default, *, least: int = 1, most: int) -> int | Default:
    """Take a whole number out of the fields; null is as good as absent where there is no default."""
    value: Any = fields.pop(field, default)
    if type(value) is int and least <= value <= most:
        return value
    if value is None and default is None:
        return default
    raise wrong_field(field, "number_out_of_range", f"must be a whole number from {least} to {most}")


def text_field(fields: dict[str, Any], field: str) -> str | None:
    value = fields.pop(field, None)
    if value is None or isinstance(value, str):
        return value
    raise wrong_field(field, "not_a_string", "must be a text")


def time_field(field: str, text: str | None, default: int) -> int:
    """An instant in microseconds since 1970."""
    found = default if text is None else parse_time(text)
    if found is None:
        wrong = FieldError(f"/{field}", "invalid_query", "must be an ISO 8601 time")
        raise ValidationFailed("the request is not valid", errors=[wrong], code="invalid_query")
    return found


def choice_field(fields: dict[str, Any], field: str, choices: tuple[str, ...]) -> str:
    """The first of the choices is the default."""
    value = fields.pop(field, choices[0])
    if value not in choices:
        raise wrong_field(field, "unknown_value", f"must be one of: {', '.join(choices)}")
    return str(value)


def wrong_field(field: str, code: str, message: str) -> ValidationFailed:
    return ValidationFailed("the question is not valid", errors=[FieldError(f"/{field}", code, message)])

"""The schema watch as the OpenAPI document shows it."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME


class Seen(BaseModel):
    """How often, and from when to when."""

    events: int = Field(examples=[1906])
    first_seen: str = TIME
    last_seen: str = TIME


class SeenType(Seen):
    """Values of one type."""

    type: Literal["text", "integer", "number", "boolean", "list", "object", "null"]


class SeenProperty(Seen):
    """A property of one event type, as far as it was looked at."""

    name: str = Field(examples=["price"])
    types: list[SeenType]
    is_conflict: bool = Field(description="Values of more than one type; null is none, an integer is a number.")


class SeenEventType(Seen):
    """An event type over the whole history."""

    event_type: str = Field(examples=["add_to_cart"])
    properties_total: int = Field(description="How many properties there are; at most 200 are listed.", examples=[3])
    properties: list[SeenProperty]


class SchemaAnswer(BaseModel):
    """Most frequent first, at most 500 event types."""

    project_id: str
    properties_since: str | None = Field(description="The properties are those of events from then on.")
    properties_share: float = Field(
        description="Of very many events a part was looked at: multiply the counts of properties by 1 / share.",
        examples=[1.0],
    )
    event_types_total: int = Field(examples=[12])
    event_types: list[SeenEventType]
    data_version: str

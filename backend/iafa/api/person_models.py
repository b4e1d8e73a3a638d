"""People of a project, as the OpenAPI document shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])
IDS = Field(description="As events carry them; the first twenty of each kind.")


class PersonIds(BaseModel):
    users: list[str] = Field(examples=[["user-42"]])
    anonymous: list[str] = Field(examples=[["a1b2c3d4"]])


class PersonRow(BaseModel):
    """Everything that the identity edges give to one person."""

    entity: str = Field(description="The key that funnels show for the person.", examples=["9f3a2b1c0d4e5f60"])
    user_id: str | None = Field(
        description="Of the earliest event of a user; null for a visitor.", examples=["user-42"]
    )
    anonymous_id: str | None = Field(examples=["a1b2c3d4"])
    ids: PersonIds = IDS
    events: int = Field(examples=[1204])
    first_seen: str = TIME
    last_seen: str = TIME
    last_event: str = Field(examples=["checkout"])


class PersonList(BaseModel):
    """Who was seen last comes first."""

    people: list[PersonRow]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.", examples=[None])
    data_version: str = Field(examples=["17.3-881"])


class Trait(BaseModel):
    """The latest value of one member of what `identify` events said."""

    name: str = Field(examples=["plan"])
    value: Any = Field(examples=["pro"])
    at: str = TIME


class IdentityEdge(BaseModel):
    """What joined an id to the person."""

    event_id: str = Field(description="The event that brought it.", examples=["login-7"])
    kind: Literal["identify", "alias"]
    user_id: str = Field(examples=["user-42"])
    other: str = Field(description="The anonymous id, or with `alias` the other user id.", examples=["a1b2c3d4"])
    at: str = TIME
    is_revoked: bool


class ValueCount(BaseModel):
    value: str = Field(examples=["DE"])
    events: int = Field(examples=[311])


class PersonSession(BaseModel):
    """Events without a pause longer than the project's `session_gap_seconds`."""

    start: str = TIME
    end: str = TIME
    duration_seconds: float = Field(examples=[312.5])
    events: int = Field(examples=[14])
    entry_url: str | None = Field(examples=["https://shop.example/"])
    exit_url: str | None = Field(examples=["https://shop.example/checkout"])
    referrer: str | None = Field(examples=["https://search.example/"])


class PersonProfile(BaseModel):
    """One person."""

    entity: str = Field(examples=["9f3a2b1c0d4e5f60"])
    ids: PersonIds = IDS
    events: int = Field(examples=[1204])
    first_seen: str = TIME
    last_seen: str = TIME
    last_event: str = Field(examples=["checkout"])
    traits: list[Trait] = Field(description="By name, at most 200, of the latest 1,000 `identify` events.")
    identities: list[IdentityEdge] = Field(description="By time.")
    values: dict[str, list[ValueCount]] = Field(
        description="Of `event_type`, `country`, `device`, `browser`, `os` and `source`: the ten most frequent."
    )
    sessions: list[PersonSession] = Field(description="The latest fifty, newest first.")
    data_version: str = Field(examples=["17.3-881"])


class PersonEvents(BaseModel):
    """A page of a person's events."""

    events: list[dict[str, Any]] = Field(description="Whole, by the names of the columns; `properties` is an object.")
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.", examples=[None])
    data_version: str = Field(examples=["17.3-881"])

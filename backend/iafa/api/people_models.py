"""Lists of people behind a funnel's numbers, as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME, FunnelQuestion

ListKind = Literal["converted", "dropped", "dropped_by_exclusion"]
KIND_TEXT = (
    "`converted`: reached the stage (as many as its bar); `dropped`: reached the stage before it and not this one; "
    "`dropped_by_exclusion`: entered, and an exclusion of mode `drop` took them out."
)


class PathStep(BaseModel):
    """An event of the reported path and the stage that it fills."""

    stage: int = Field(description="The `order` of the stage in the funnel's answer.", examples=[1])
    stage_name: str = Field(examples=["Cart"])
    event_id: str = Field(examples=["order-77-line-1"])
    time: str = TIME


class PersonRow(BaseModel):
    """One of the list: a person, a session (`unit: session`), a person with held values (`hold`), or one path of them
    (`count: totals`)."""

    entity: str = Field(description="Its key in this answer; `explain` takes it.", examples=["9f86d081884c7d65"])
    user_id: str | None = Field(examples=["user-42"])
    anonymous_id: str | None = Field(examples=["a-3f0c"])
    steps: int = Field(description="Stages reached by the path.", examples=[2])
    entry_time: str = TIME
    last_event_time: str = TIME
    is_open: bool = Field(description="Not converted yet, and the window is not over.")
    path: list[PathStep]
    path_number: int | None = Field(None, description="With `count: totals`: from 1, among the entity's.", examples=[1])
    session_start: str | None = Field(None, description="With `unit: session`.")
    hold: dict[str, str | None] | None = Field(None, description="With `hold`: the values held constant.")


class PeopleAnswer(BaseModel):
    """One page of a list, newest entry first."""

    stage: int = Field(examples=[2])
    kind: ListKind
    total: int = Field(description="How long the whole list is.", examples=[3124])
    people: list[PersonRow]
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.")
    data_version: str = Field(examples=["17.2048"])
    has_changed: bool = Field(description="Events have come since the first page: the list may have moved.")


class PeopleQuestion(FunnelQuestion):
    """A definition that is not saved, and the list to read."""

    stage: int = Field(1, ge=1, le=20)
    kind: ListKind = Field("converted", description=KIND_TEXT)
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = None


class ExportQuestion(FunnelQuestion):
    """A definition that is not saved, and the list to write into a file."""

    stage: int = Field(1, ge=1, le=20)
    kind: ListKind = Field("converted", description=KIND_TEXT)
    format: Literal["csv", "ndjson"] = "csv"

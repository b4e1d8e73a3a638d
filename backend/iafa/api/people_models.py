"""Lists of people behind a funnel's numbers, as the OpenAPI document shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME, FunnelQuestion
from iafa.query.stop_reasons import Cause

ListKind = Literal["converted", "dropped", "dropped_by_exclusion"]
KIND_TEXT = (
    "`converted`: reached the stage (as many as its bar); `dropped`: reached the stage before it and not this one; "
    "`dropped_by_exclusion`: entered, and an exclusion of mode `drop` took them out."
)

OPEN_TEXT = (
    "`true`: only who has not converted yet and still has time; `false`: only the others. Left out, the list has both."
)


class PathStep(BaseModel):
    """An event of the reported path and the stage that it fills."""

    stage: int | None = Field(
        description="The `order` of the stage in the funnel's answer; null for an optional one.", examples=[1]
    )
    optional: int | None = Field(None, description="Of an optional stage: its place in `optional_stages`, from 1.")
    stage_name: str = Field(examples=["Cart"])
    event_id: str = Field(examples=["order-77-line-1"])
    time: str = TIME


class PersonRow(BaseModel):
    """One of the list: a person, a session (`unit: session`), a person with held values (`hold`), or one path of them
    (`count: totals`)."""

    entity: str = Field(description="Its key in this answer; `explain` takes it.", examples=["9f86d081884c7d65"])
    user_id: str | None = Field(examples=["user-42"])
    anonymous_id: str | None = Field(examples=["a-3f0c"])
    steps: int = Field(description="Stages reached by the path, without optional ones.", examples=[2])
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
    open: bool | None = Field(None, description=OPEN_TEXT)
    limit: int = Field(100, ge=1, le=1000)
    cursor: str | None = None


class ExportQuestion(FunnelQuestion):
    """A definition that is not saved, and the list to write into a file."""

    stage: int = Field(1, ge=1, le=20)
    kind: ListKind = Field("converted", description=KIND_TEXT)
    open: bool | None = Field(None, description=OPEN_TEXT)
    format: Literal["csv", "ndjson"] = "csv"


class ExplainQuestion(FunnelQuestion):
    """A definition that is not saved, and whom to explain."""

    user_id: str = Field(description="A user id, an anonymous id or the `entity` of a list.", examples=["user-42"])


class ExplainedEvent(BaseModel):
    event_id: str = Field(examples=["order-77-line-1"])
    event_type: str = Field(examples=["purchase"])
    time: str = TIME


class FailedFilter(BaseModel):
    stage: int | None = Field(description="Null for a filter of the whole funnel.", examples=[2])
    filter: dict[str, Any] = Field(examples=[{"property": "plan", "op": "eq", "value": "pro"}])
    value: str | None = Field(description="What the filter saw, as text; null where there was nothing.")


class StopCause(BaseModel):
    """A rule that kept the event out."""

    code: Cause
    text: str = Field(examples=["purchase came 4 minutes after the window closed"])
    by_seconds: float | None = Field(None, examples=[240.0])
    filters: list[FailedFilter] | None = None
    events: list[ExplainedEvent] | None = Field(None, description="The events that excluded or interrupted, up to 20.")
    from_stage: int | None = Field(None, description="Of the exclusion.")
    to_stage: int | None = Field(None, description="Of the exclusion.")


class StopReason(BaseModel):
    """An event that could have been the next stage, and every rule that it breaks as such."""

    stage: int = Field(examples=[2])
    stage_name: str = Field(examples=["Pay"])
    event: ExplainedEvent | None = Field(description="Null: it never happened.")
    causes: list[StopCause]
    text: str = Field(examples=["purchase came 4 minutes after the window closed"])


class PersonEvent(ExplainedEvent):
    """An event whose name is of a stage or an exclusion."""

    matches: list[int] = Field(description="Stages that it matches, filters included.")
    matches_optional: list[str] = Field(description="Names of the optional stages that it matches.")
    matches_exclusions: list[int] = Field(description="Exclusions that it matches, from 1.")
    failed_filters: list[FailedFilter]
    fills: int | None = Field(description="The stage that it fills in the reported path.")
    fills_optional: str | None = Field(description="The name of the optional stage that it fills.")
    is_own: bool = Field(description="False: of another session, or of other values held constant.")


class StoppedAt(BaseModel):
    stage: int = Field(examples=[2])
    stage_name: str = Field(examples=["Pay"])


class NumberedPath(BaseModel):
    """One of several paths of the same entity (`count: totals`)."""

    path_number: int = Field(examples=[1])
    steps: int = Field(examples=[2])
    path: list[PathStep]


class ExplainAnswer(BaseModel):
    """One person's way through a funnel, and why it went no further."""

    entity: str | None = Field(examples=["9f86d081884c7d65"])
    user_id: str | None = Field(examples=["user-42"])
    anonymous_id: str | None = Field(examples=["a-3f0c"])
    session_start: str | None = Field(None, description="With `unit: session`.")
    hold: dict[str, str | None] | None = Field(None, description="With `hold`: the values held constant.")
    status: Literal["converted", "dropped", "dropped_by_exclusion", "not_entered"]
    steps: int = Field(examples=[1])
    stages: int = Field(examples=[3])
    path: list[PathStep] = Field(description="The reported path; with `count: totals` the first one.")
    paths: list[NumberedPath] | None = Field(None, description="With `count: totals`: all of them, up to 1,000.")
    paths_total: int | None = Field(None, description="With `count: totals`.", examples=[3])
    stopped_at: StoppedAt | None
    reasons: list[StopReason] = Field(
        description="The nearest miss first, up to 10. None is told where `is_cut` leaves it open."
    )
    events: list[PersonEvent] = Field(description="In time, up to 2,000.")
    events_total: int = Field(examples=[14])
    is_cut: bool = Field(
        description="There are more events than are shown, or than were looked at: reasons may be missing."
    )
    data_version: str = Field(examples=["17.2048"])

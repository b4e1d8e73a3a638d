"""What was not stored, as the OpenAPI document shows it."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.event import NAME_CHARS_MAX
from iafa.jobs.replay import ROWS_MAX

State = Literal["waiting", "replayed", "all"]
RowId = Annotated[str, Field(min_length=1, max_length=100)]
IDS_MAX = ROWS_MAX
POINTER = r"^/.{1,400}$"
RENAMES_MAX = 100
TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class QuarantineRow(BaseModel):
    """An event that was refused, and why."""

    id: str = Field(description="Of the row. Replay and deletion take it.", examples=["j17-3-0"])
    received_at: str = TIME
    reason: str = Field(description="The code of the first thing that is wrong.", examples=["missing_identity"])
    pointer: str = Field(description="Where, in the request that brought it.", examples=["/events/3/user_id"])
    message: str = Field(examples=["send a user_id or an anonymous_id"])
    event_id: str | None = Field(description="As far as it was understood.", examples=["order-77-line-1"])
    event_type: str | None = Field(description="As far as it was understood.", examples=["add_to_cart"])
    source: str | None = Field(
        description="The shape of `body`: `track`, `batch`, `beacon`, `segment:{call}`, `posthog`, or `flush` for an "
        "event that was accepted and then had no row.",
        examples=["batch"],
    )
    body: str = Field(
        description="The event's JSON text, cut to 16,384 characters.",
        examples=['{"event_type":"add_to_cart","usr":"user-42","id":"order-77-line-1"}'],
    )
    replayed_at: str | None = Field(
        json_schema_extra={"format": "date-time"}, description="When it was stored after all.", examples=[None]
    )
    is_replayable: bool = Field(description="False: no change makes an event of it.", examples=[True])
    not_replayable_because: str | None = Field(
        description="It was replayed, or its text was cut or could not be kept.", examples=[None]
    )


class QuarantinePage(BaseModel):
    """Rows, newest first."""

    rows: list[QuarantineRow]
    is_complete: bool | None = Field(
        description="Of the first page: whether all that was refused on these days and for this reason is here. False: "
        "some came above the bounds, were deleted, or lie in a damaged file. null on later pages.",
        examples=[True],
    )
    next_cursor: str | None = Field(description="Ask with it for the next page; null on the last.", examples=[None])


class DropCount(BaseModel):
    """Events of one UTC day of receipt that were not stored for one reason."""

    date: str = Field(json_schema_extra={"format": "date"}, examples=["2026-11-20"])
    reason: str = Field(examples=["duplicate"])
    count: int = Field(examples=[412])
    kept: int = Field(description="Of these, rows of the quarantine.", examples=[0])
    replayed: int = Field(description="Of these, rows that were stored after all.", examples=[0])
    is_complete: bool | None = Field(
        description="Whether each of them is a row; null for a reason of which no row is kept.", examples=[None]
    )


class RepeatCount(BaseModel):
    date: str = Field(json_schema_extra={"format": "date"}, description="Of the event.", examples=["2026-11-20"])
    count: int = Field(examples=[3])


class DropCounts(BaseModel):
    """Counts of what was not stored, newest day first."""

    counts: list[DropCount]
    is_complete: bool = Field(description="False: of some refused event no row is here.", examples=[True])
    repeats: list[RepeatCount] = Field(
        description="Repeated ids that the flush found: other workers or earlier starts had stored them."
    )


class Selected(BaseModel):
    """Rows that meet all that is given."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(None, max_length=100, examples=["missing_identity"])
    event_type: str | None = Field(None, max_length=NAME_CHARS_MAX)
    start: str | None = Field(None, max_length=40, description="Received at this time or later (ISO 8601).")
    end: str | None = Field(None, max_length=40, description="Received before this time.")


class Correction(BaseModel):
    """What is done to every text before it is judged: first `rename`, then `merge`."""

    model_config = ConfigDict(extra="forbid")

    rename: dict[Annotated[str, Field(pattern=POINTER)], Annotated[str, Field(pattern=POINTER)]] = Field(
        {}, max_length=RENAMES_MAX, description="Members that move: JSON pointer to JSON pointer.",
        examples=[{"/usr": "/user_id"}],
    )  # fmt: skip
    merge: dict[str, Any] = Field(
        {},
        description="A JSON merge patch (RFC 7396): null removes a member.",
        examples=[{"properties": {"fixed": True}}],
    )


class ReplayRequest(BaseModel):
    """Either `ids` or `filter`."""

    model_config = ConfigDict(extra="forbid")

    ids: list[RowId] | None = Field(None, min_length=1, max_length=IDS_MAX, examples=[["j17-3-0"]])
    filter: Selected | None = Field(None, description=f"Of the rows that wait, the newest {ROWS_MAX}.", examples=[None])
    changes: Correction = Correction(rename={}, merge={})
    cursor: str | None = Field(
        None, max_length=2000, description="With `filter`: go on behind the last replay.", examples=[None]
    )
    dry_run: bool = Field(False, description="Only say what would happen.", examples=[False])


class ReplayOutcome(BaseModel):
    """What became of one row."""

    id: str = Field(examples=["j17-3-0"])
    event_id: str | None = Field(examples=["order-77-line-1"])
    result: Literal["accepted", "duplicate", "rejected"] = Field(examples=["accepted"])
    code: str | None = Field(None, description="Why it is still refused.", examples=[None])
    pointer: str | None = Field(None, description="Into the changed text.", examples=[None])
    message: str | None = Field(None, description="Also of a duplicate: what had its id before.", examples=[None])


class ReplayAnswer(BaseModel):
    """The three counts add up to the rows that were looked at."""

    accepted: int = Field(examples=[1])
    duplicates: int = Field(
        description="An event with this id is stored already, or the row was replayed before.", examples=[0]
    )
    rejected: int = Field(description="Still wrong. These rows are as they were.", examples=[0])
    results: list[ReplayOutcome]
    not_found: list[str] = Field(description="Of `ids`, those of no row.", examples=[[]])
    next_cursor: str | None = Field(description="There may be more behind these rows.", examples=[None])


class DeletedRows(BaseModel):
    deleted: int = Field(examples=[3])

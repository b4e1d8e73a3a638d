"""What every report's question and answer have, as the OpenAPI document shows it."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.api.funnel_models import TIME, AnyOf, DateRange, Filter
from iafa.api.receipt_models import ReceiptAnswer


class EventMatcher(BaseModel):
    """An event of a report. Takes one of `event` (`*` is any), `events` and `page`, as a stage of a funnel does."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, description="What it consists of, if absent.", examples=["Signed up"])
    event: str | None = Field(None, examples=["signup"])
    events: list[str] | None = None
    page: str | None = None
    match: Literal["path", "url"] | None = None
    host: str | None = None
    filters: list[Filter | AnyOf] = []


class PropertyGroups(BaseModel):
    """Groups by a property's value; or just its name."""

    model_config = ConfigDict(extra="forbid")

    property: str = Field(examples=["plan"])
    limit: int = Field(10, ge=1, le=100, description="So many groups; the others are one.")


class RangeQuestion(BaseModel):
    """Which events a report looks at. Without dates the range is all of the project's data."""

    model_config = ConfigDict(extra="forbid")

    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    start_date: str | None = Field(None, examples=["2026-10-01"])
    end_date: str | None = Field(None, examples=["2026-10-31"])
    filters: list[Filter | AnyOf] = Field([], description="Hold for every event.")
    exclude_bots: bool = False
    as_of: str | None = Field(None, description="Later events do not exist.", examples=["2026-11-20T09:00:00Z"])
    format: Literal["json", "csv", "ndjson", "parquet"] = Field("json", description="Others are one flat table.")


class ReportQuestion(RangeQuestion):
    """A question that can be compared with another period."""

    include: list[Literal["compare", "receipt"]] = []
    compare_start: str | None = Field(None, description="With `include: compare`; by default the period before.")
    compare_end: str | None = None


class RangeAnswer(BaseModel):
    """What every report says of itself."""

    report: str
    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    date_range: DateRange
    receipt: ReceiptAnswer | None = Field(None, description="With `include: receipt`.")
    timezone: str = Field(examples=["Europe/Vienna"])
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])
    as_of: str = TIME
    rows_read: int = Field(examples=[142_082])
    elapsed_ms: float = Field(examples=[38.2])


class ReportAnswer(RangeAnswer):
    """Of a report that can be compared with another period."""

    compare: dict[str, Any] | None = Field(None, description="The same members for the other period.")


class SampledAnswer(ReportAnswer):
    """Of a report that follows people: it says what its events are of."""

    sampling: Literal["by_user", "biased"] | None = Field(
        description="Whether the events looked at are a sample. `by_user`: of people as a whole, so that rates hold "
        "and counts are those of the sample. `biased`: people may miss single events.",
        examples=[None],
    )
    smallest_sample_rate: float | None = Field(description="Of a sample.", examples=[None])

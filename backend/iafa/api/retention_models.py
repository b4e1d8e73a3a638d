"""Retention as the OpenAPI document shows it."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME
from iafa.api.report_models import EventMatcher, PropertyGroups, ReportQuestion, SampledAnswer
from iafa.query.reports.retention import PERIODS_MAX, Interval, Kind, Mode

START_TEXT = "The event that people begin with: its name, or a matcher as JSON."
RETURN_TEXT = "The event that counts as coming back: its name, or a matcher as JSON. Absent: any event."
PERIODS_TEXT = "So many periods after the one of the start. Absent: 14 days, 12 weeks or 12 months."
KIND_TEXT = "`first_in_range`: the first one in the range. `first_ever`: only people who never did it before."
MODE_TEXT = (
    "`calendar`: local days, weeks from Monday or months. `rolling`: 24 hours, 7 or 30 times that, from the start on."
)
OR_AFTER_TEXT = "Count who came back in the period or any later one."


class RetentionQuestion(ReportQuestion):
    """Who did `start`, and who of them came back and when."""

    start: EventMatcher | str = Field(description=START_TEXT, examples=["signup"])
    return_: EventMatcher | str | None = Field(None, alias="return", description=RETURN_TEXT)
    interval: Interval = "day"
    periods: int | None = Field(None, ge=0, le=PERIODS_MAX, description=PERIODS_TEXT)
    kind: Kind = Field("first_in_range", description=KIND_TEXT)
    mode: Mode = Field("calendar", description=MODE_TEXT)
    on_or_after: bool = Field(False, description=OR_AFTER_TEXT)
    breakdown: PropertyGroups | str | None = Field(None, description="By a property of the start event.")


class RetentionCell(BaseModel):
    n: int = Field(description="Periods after the cohort's own, from 0.", examples=[1])
    people: int = Field(examples=[212])
    percent: float = Field(description="Of the cohort.", examples=[17.07])
    is_open: bool = Field(description="The period has not ended: the number may still rise.")


class RetentionCohort(BaseModel):
    """The people whose start event lies in one local bucket."""

    bucket: str = Field(description="Its first local day.", examples=["2026-10-01"])
    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = TIME
    size: int = Field(examples=[1242])
    cells: list[RetentionCell]


class RetentionAverage(BaseModel):
    """Of all cohorts whose period has ended; large ones weigh more."""

    n: int = Field(examples=[1])
    cohorts: int = Field(examples=[30])
    size: int = Field(description="People of these cohorts.", examples=[38_120])
    people: int = Field(examples=[6301])
    percent: float = Field(examples=[16.53])


class RetentionMatrix(BaseModel):
    people: int = Field(description="In all cohorts.", examples=[39_004])
    cohorts: list[RetentionCohort]
    averages: list[RetentionAverage]


class RetentionGroup(RetentionMatrix):
    group: Literal["value", "other", "none"]
    value: str | None = Field(examples=["pro"])


class RetentionGroups(BaseModel):
    """Groups add up to the whole."""

    property: str = Field(examples=["plan"])
    limit: int = Field(examples=[10])
    groups: list[RetentionGroup]


class RetentionAnswer(SampledAnswer, RetentionMatrix):
    start: str = Field(description="The name of the start event.", examples=["signup"])
    return_: str = Field(alias="return", examples=["any event"])
    interval: Interval
    periods: int = Field(examples=[14])
    kind: Kind
    mode: Mode
    on_or_after: bool
    breakdown: RetentionGroups | None = None

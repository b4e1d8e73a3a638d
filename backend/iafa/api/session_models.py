"""Questions and answers of the reports on sessions and of the overview as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import DateRange
from iafa.api.report_models import ReportAnswer, ReportQuestion
from iafa.query.definition import Bucket
from iafa.query.reports.overview import GROUPS_DEFAULT, GROUPS_MAX, LISTS_DEFAULT
from iafa.query.reports.visits import DIMENSIONS, Dimension

BREAKDOWN_TEXT = "What to group by."
LISTS_TEXT = "What to list of the visits."
LIMIT_TEXT = "So many of each list."


class SessionsQuestion(ReportQuestion):
    """Which sessions there were."""

    interval: Bucket = "day"
    breakdown: Dimension | None = Field(None, description=BREAKDOWN_TEXT)
    limit: int = Field(GROUPS_DEFAULT, ge=1, le=GROUPS_MAX, description="So many groups; the others are one.")


class OverviewQuestion(ReportQuestion):
    """What happened on a web site."""

    interval: Bucket = "day"
    lists: list[Dimension] = Field(list(LISTS_DEFAULT), max_length=len(DIMENSIONS), description=LISTS_TEXT)
    limit: int = Field(GROUPS_DEFAULT, ge=1, le=GROUPS_MAX, description=LIMIT_TEXT)


class SessionFigures(BaseModel):
    sessions: int = Field(examples=[2798])
    people: int = Field(examples=[1802])
    events: int = Field(examples=[11_910])
    page_views: int = Field(examples=[8104])
    bounces: int = Field(description="Sessions of one event.", examples=[911])
    bounce_rate: float = Field(description="Percent of the sessions.", examples=[32.56])
    average_seconds: float | None = Field(description="From the first to the last event.", examples=[214.07])
    median_seconds: float | None = Field(examples=[96.0])
    events_per_session: float | None = Field(examples=[4.26])
    views_per_session: float | None = Field(examples=[2.9])


class SessionBucket(SessionFigures):
    bucket: str = Field(description="The first local day, or the local hour with its offset.", examples=["2026-10-01"])
    is_incomplete: bool = Field(description="True where time has not passed yet.")


class SessionGroup(SessionFigures):
    value: str | None = Field(examples=["search"])
    group: Literal["value", "other", "none"] = Field(description="`none`: sessions that do not tell it.")


class SessionGroups(BaseModel):
    """Groups add up to the whole, but for people."""

    property: Dimension = Field(examples=["channel"])
    groups: list[SessionGroup]


class SessionNumbers(BaseModel):
    interval: Bucket
    total: SessionFigures
    buckets: list[SessionBucket]


class SessionsNumbers(SessionNumbers):
    breakdown: SessionGroups | None = None


class SessionsCompared(SessionsNumbers):
    """The other period; its buckets stand beside those of the range by their place."""

    date_range: DateRange


class SessionsAnswer(SessionsNumbers, ReportAnswer):
    report: Literal["sessions"]
    compare: SessionsCompared | None = Field(  # type: ignore[assignment]  # the shape that is known here
        None, description="With `include: compare`."
    )


class ViewedPage(BaseModel):
    page: str = Field(examples=["/pricing"])
    views: int = Field(examples=[412])
    people: int = Field(examples=[306])


class Present(BaseModel):
    people: int = Field(examples=[7])
    page_views: int = Field(examples=[19])
    seconds: int = Field(description="Who did something within so many seconds is there.", examples=[300])


class OverviewNumbers(SessionNumbers):
    present: Present
    pages: list[ViewedPage]
    lists: list[SessionGroups]


class OverviewCompared(OverviewNumbers):
    """The other period; its buckets stand beside those of the range by their place."""

    date_range: DateRange


class OverviewAnswer(OverviewNumbers, ReportAnswer):
    report: Literal["overview"]
    compare: OverviewCompared | None = Field(  # type: ignore[assignment]  # the shape that is known here
        None, description="With `include: compare`."
    )

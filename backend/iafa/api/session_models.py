"""Answers of the reports on sessions and of the overview."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from iafa.query.definition import Bucket


class SessionFigures(BaseModel):
    sessions: int
    people: int
    events: int
    page_views: int
    bounces: int = Field(description="Sessions of one event.")
    bounce_rate: float = Field(description="Percent of the sessions.")
    average_seconds: float | None = Field(description="From the first to the last event.")
    median_seconds: float | None
    events_per_session: float | None
    views_per_session: float | None


class SessionBucket(SessionFigures):
    bucket: str = Field(description="The first local day, or the local hour with its offset.")
    is_incomplete: bool = Field(description="True where time has not passed yet.")


class SessionGroup(SessionFigures):
    value: str | None
    group: Literal["value", "other", "none"]


class SessionGroups(BaseModel):
    property: str
    groups: list[SessionGroup]


class _ReportAnswer(BaseModel):
    report: str
    project_id: str
    date_range: dict[str, str | None]
    timezone: str
    semantics: str
    semantics_version: int
    data_version: str
    as_of: str
    rows_read: int
    elapsed_ms: float
    receipt: dict[str, Any] | None = None


class SessionsAnswer(_ReportAnswer):
    interval: Bucket
    total: SessionFigures
    buckets: list[SessionBucket]
    breakdown: SessionGroups | None = None
    compare: dict[str, Any] | None = Field(None, description="The same members of the other period.")


class ViewedPage(BaseModel):
    page: str
    views: int
    people: int


class Present(BaseModel):
    people: int
    page_views: int
    seconds: int = Field(description="Who did something within so many seconds is there.")


class OverviewAnswer(_ReportAnswer):
    interval: Bucket
    total: SessionFigures
    buckets: list[SessionBucket]
    present: Present
    pages: list[ViewedPage]
    lists: list[SessionGroups]
    compare: dict[str, Any] | None = Field(None, description="The same members of the other period.")

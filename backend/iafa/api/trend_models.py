"""Bodies of the trends answer."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import DateRange


class TrendBucket(BaseModel):
    date: str = Field(examples=["2026-10-01"])
    events: int = Field(examples=[3124])
    events_scaled: int | None = Field(
        None,
        description="Where events are a sample: about how many there were, each weighted by 1 / `sample_rate`. Days of "
        "roll-ups count as they were stored.",
        examples=[None],
    )
    people: int = Field(description="Different people; an upper bound if `is_exact` is false.", examples=[841])
    source: Literal["raw", "rollup", "both"] = Field(
        description="`rollup`: the raw events were removed by the retention; `both`: and others arrived since."
    )
    is_exact: bool


class TrendSeries(BaseModel):
    event_type: str = Field(description="`*` is any event.", examples=["purchase"])
    buckets: list[TrendBucket]


class TrendsAnswer(BaseModel):
    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    interval: Literal["day"]
    timezone: Literal["UTC"]
    range: DateRange
    series: list[TrendSeries]
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])

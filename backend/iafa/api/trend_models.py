"""Bodies of the trends report in the OpenAPI document. What is valid, query/reports/trend_question decides."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import DateRange
from iafa.api.report_models import EventMatcher, PropertyGroups, ReportAnswer, ReportQuestion

Measure = Literal[
    "events", "people", "sessions", "per_person", "wau", "mau",
    "sum", "avg", "min", "max", "median", "p90", "p95", "p99",
]  # fmt: skip
Interval = Literal["hour", "day", "week", "month"]


class TrendsSeriesQuestion(EventMatcher):
    """Which events, and what of them."""

    measure: Measure = "events"
    property: str | None = Field(None, description="The numeric one, for `sum`, `avg` and so on.")
    counts_people: bool = Field(False, description="With the measure `events`: count their people, too.")


class TrendsFormulaQuestion(BaseModel):
    expression: str = Field(
        max_length=200,
        description="Letters are series (A is the first).",
        examples=["A / B * 100"],
    )
    name: str | None = Field(None, max_length=200)


class TrendsQuestion(ReportQuestion):
    series: list[TrendsSeriesQuestion] = Field(min_length=1, max_length=20)
    interval: Interval = "day"
    timezone: str | None = Field(None, description="The project's if absent.", examples=["Europe/Vienna"])
    formulas: list[TrendsFormulaQuestion] = Field([], max_length=10)
    breakdown: PropertyGroups | None = None


class TrendsTotal(BaseModel):
    """Over the whole range: people are counted once, so that it is not the sum of the buckets."""

    value: float | int | None = Field(
        description="What the measure counts. Null: nothing to make it of, or removed.", examples=[841]
    )
    events: int | None = Field(examples=[3124])
    events_scaled: int | None = Field(
        None,
        description="Where events are a sample: about how many there were, each weighted by 1 / `sample_rate`. Days of "
        "roll-ups count as they were stored.",
        examples=[None],
    )
    people: int | None = Field(
        None, description="Different people, where they are counted; may be counted twice if `is_exact` is false."
    )
    skipped: int | None = Field(None, description="Events whose property is no number.", examples=[None])
    source: Literal["raw", "rollup", "both", "removed"] = Field(
        description="`rollup`: the raw events were removed by the retention, their daily counts stayed; `both`: and "
        "others are there; `removed`: the daily counts do not tell, the numbers are those of what is left."
    )
    is_exact: bool


class TrendsBucket(TrendsTotal):
    date: str = Field(description="The first local day, or the local hour with its offset.", examples=["2026-10-01"])
    is_incomplete: bool = Field(description="It has not ended at `as_of`.")


class TrendsLine(BaseModel):
    total: TrendsTotal
    buckets: list[TrendsBucket]


class TrendsGroup(TrendsLine):
    group: Literal["value", "other", "none"] = Field(description="`none`: events without the property.")
    group_value: str | None = Field(examples=["AT"])


class TrendsSeries(TrendsLine):
    name: str = Field(examples=["purchase"])
    event_type: str = Field(description="`*` is any event.", examples=["purchase"])
    measure: Measure
    property: str | None = Field(examples=[None])
    groups: list[TrendsGroup] | None = Field(None, description="With `breakdown`, largest first.")


class TrendsFormula(TrendsLine):
    name: str = Field(examples=["Buyers in percent"])
    expression: str = Field(examples=["A / B * 100"])
    groups: list[TrendsGroup] | None = None


class TrendsSpan(BaseModel):
    date: str = Field(examples=["2026-10-01"])
    from_: str = Field(alias="from", examples=["2026-09-30T22:00:00.000000Z"])
    to: str = Field(examples=["2026-10-01T22:00:00.000000Z"])
    is_incomplete: bool


class TrendsNumbers(BaseModel):
    interval: Interval
    buckets: list[TrendsSpan] = Field(description="Half-open; a day at a change of clocks has 23 or 25 hours.")
    series: list[TrendsSeries]
    formulas: list[TrendsFormula]
    breakdown: dict[str, str] | None = Field(None, description="The property of the groups.")
    data_from: str | None = Field(None, description="The first raw event, where days of the range were removed.")


class TrendsCompared(TrendsNumbers):
    """The other period; its buckets stand beside those of the range by their place."""

    date_range: DateRange


class TrendsAnswer(TrendsNumbers, ReportAnswer):
    report: Literal["trends"]
    compare: TrendsCompared | None = Field(  # type: ignore[assignment]  # the shape that is known here
        None, description="With `include: compare`."
    )

"""The question and the answer of the report on anomalies as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, Field

from iafa.api.report_models import RangeAnswer, RangeQuestion
from iafa.query.reports.anomalies import TYPES_DEFAULT, TYPES_MAX

Measure = Literal["events", "people"]
Sensitivity = Literal["low", "medium", "high"]


EVENTS_TEXT = "Types of events; `*` is all together. Absent: `*` and the most frequent ones."
LIMIT_TEXT = "So many of the most frequent types."


class AnomaliesQuestion(RangeQuestion):
    """Which days were unlike those before them."""

    include: list[Literal["receipt"]] = Field([])
    measure: Measure = "events"
    sensitivity: Sensitivity = "medium"
    events: list[str] | None = Field(None, max_length=TYPES_MAX, description=EVENTS_TEXT, examples=[["purchase"]])
    limit: int = Field(TYPES_DEFAULT, ge=1, le=TYPES_MAX, description=LIMIT_TEXT)


class Anomaly(BaseModel):
    event_type: str = Field(description="`*` is all events together.")
    bucket: str = Field(description="The local day.")
    measure: Measure
    value: int
    expected: float
    low: int = Field(description="The lowest count that would not have been flagged.")
    high: int = Field(description="The highest one.")
    score: float = Field(description="How many usual deviations the day lies from what was expected; negative below.")
    direction: Literal["up", "down"]
    text: str


class JudgedDay(BaseModel):
    bucket: str = Field(description="The local day.")
    value: int
    expected: float | None = Field(description="Null, like `low`, `high` and `score`, for a day that is not judged.")
    low: int | None
    high: int | None
    score: float | None
    is_anomaly: bool
    is_incomplete: bool = Field(description="True where time has not passed yet. Such a day is not judged.")


class JudgedSeries(BaseModel):
    event_type: str = Field(description="`*` is all events together.")
    is_judged: bool
    text: str | None = Field(description="Why no day of it is judged.")
    buckets: list[JudgedDay]


class DayWithoutData(BaseModel):
    bucket: str
    text: str


class AnomaliesAnswer(RangeAnswer):
    report: Literal["anomalies"]
    measure: Measure
    sensitivity: Sensitivity
    threshold: float = Field(description="The score above which a day is flagged.", examples=[4.0])
    days_judged: int = Field(description="Complete days of the range.", examples=[28])
    findings_total: int = Field(examples=[1])
    findings: list[Anomaly] = Field(description="The farthest from what was expected first; at most 200.")
    days_without_data: list[DayWithoutData] = Field(description="Days without any event of the project.")
    series: list[JudgedSeries]

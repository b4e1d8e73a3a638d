"""The answer of the report on anomalies."""

from typing import Any, Literal

from pydantic import BaseModel, Field

Measure = Literal["events", "people"]
Sensitivity = Literal["low", "medium", "high"]


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


class AnomaliesAnswer(BaseModel):
    report: str
    project_id: str
    date_range: dict[str, str | None]
    measure: Measure
    sensitivity: Sensitivity
    threshold: float = Field(description="The score above which a day is flagged.")
    days_judged: int = Field(description="Complete days of the range.")
    findings_total: int
    findings: list[Anomaly] = Field(description="The farthest from what was expected first; at most 200.")
    days_without_data: list[DayWithoutData] = Field(description="Days without any event of the project.")
    series: list[JudgedSeries]
    timezone: str
    semantics: str
    semantics_version: int
    data_version: str
    as_of: str
    rows_read: int
    elapsed_ms: float
    receipt: dict[str, Any] | None = None

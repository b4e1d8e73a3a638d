"""Drivers of drop-off, as the OpenAPI document shows them."""

from typing import Any, Literal

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME, DateRange, FunnelQuestion
from iafa.query.driver_factors import At, Reason
from iafa.query.drivers import LOOKBACK_S, SECONDS_MAX, SHOWN, SHOWN_MAX

STAGE_TEXT = "The `order` of the stage where the step begins; absent: where most people are lost."
LOOKBACK_TEXT = "Events so long before the moment count as done before; 0: none do."
LANDMARK_TEXT = (
    "Events so long after the moment count for who was undecided until then; 0: none do. Absent: 300, or a tenth of a "
    "window shorter than 3,000."
)
OPEN_TEXT = "Also compare people whose window has not ended. They may still convert: the slow ones seem lost."


class DriversQuestion(FunnelQuestion):
    """A definition that is not saved, and the step to explain."""

    stage: int | None = Field(None, ge=1, le=19, description=STAGE_TEXT)
    lookback_seconds: int = Field(LOOKBACK_S, ge=0, le=SECONDS_MAX, description=LOOKBACK_TEXT)
    landmark_seconds: int | None = Field(None, ge=0, le=SECONDS_MAX, description=LANDMARK_TEXT)
    include_open: bool = Field(False, description=OPEN_TEXT)
    limit: int = Field(SHOWN, ge=1, le=SHOWN_MAX, description="So many of the tested factors are listed.")


class ComparedPeople(BaseModel):
    people: int = Field(examples=[812])
    converted: int = Field(description="Of these, who reached the next stage.", examples=[96])
    conversion_rate: float = Field(examples=[11.82])


class DriverStep(ComparedPeople):
    """The step from one stage to the next, and whom the tables compare."""

    from_order: int = Field(examples=[2])
    from_name: str = Field(examples=["Cart"])
    to_order: int = Field(examples=[3])
    to_name: str = Field(examples=["Pay"])
    open: int = Field(description="Of the people compared, who may still convert.", examples=[0])
    left_out_open: int = Field(description="Got to the stage too, but their window has not ended.", examples=[31])


class DriverLandmark(ComparedPeople):
    """Whom `at: after` compares: the people undecided so long after their moment."""

    seconds: int = Field(examples=[300])


class Driver(BaseModel):
    """One factor: people with it beside people without it. Differences are percentage points."""

    kind: Literal["property", "event"]
    at: At = Field(
        description="Where the factor was looked for: on the event that people began with (`entry`) or got to the "
        "stage with (`stage`), or among their events `before` that moment or `after` it, up to the landmark."
    )
    name: str = Field(description="Of the property, the column or the event.", examples=["browser"])
    op: Literal["eq", "gte", "exists", "did"] = Field(examples=["eq"])
    value: str | float | None = Field(examples=["Safari"])
    filter: dict[str, Any] | None = Field(
        description="The same as a filter of a stage; null for events.",
        examples=[{"property": "column:browser", "op": "eq", "value": "Safari"}],
    )
    with_it: ComparedPeople
    without: ComparedPeople
    difference: float = Field(examples=[-9.4])
    interval: list[float] = Field(description="The 95 % interval of Newcombe, of this factor alone.")
    odds_ratio: float = Field(examples=[0.45])
    odds_interval: list[float] = Field(description="The 95 % interval of Woolf, of this factor alone.")
    p_value: float = Field(description="Fisher's exact test, two-sided.", examples=[0.00002])
    p_corrected: float = Field(description="After Holm's correction for all factors tested.", examples=[0.0031])
    is_significant: bool = Field(description="`p_corrected` is below `level`.")


class LeftOutFactor(BaseModel):
    at: At
    name: str | None = Field(description="Null: names beyond the limit.", examples=["order_id"])
    reason: Reason = Field(
        description="`too_few_people`: fewer than 20 have it. `too_many_values`: no value is shared by 20. "
        "`same_people`: splits the people as a factor does that is tested. `over_the_limit`: the more frequent ones "
        "are tested."
    )
    count: int = Field(examples=[1])


class DriversAnswer(BaseModel):
    """What goes with reaching the next stage or not. An association, not a cause."""

    funnel_id: str | None = Field(description="Null for a funnel that is not saved.", examples=["f2k5m8q1t4w7z0c3g6j9"])
    name: str = Field(examples=["Checkout"])
    date_range: DateRange
    step: DriverStep
    lookback_seconds: int = Field(examples=[604_800])
    landmark: DriverLandmark
    drivers: list[Driver] = Field(description="Findings first, the strongest of them first.")
    findings: int = Field(description="Factors that are significant.", examples=[3])
    factors_tested: int = Field(examples=[118])
    factors_too_small: int = Field(description="Not tested: too few people to say anything.", examples=[64])
    factors_left_out: int = Field(examples=[12])
    left_out: list[LeftOutFactor] = Field(description="At most 200 are named.")
    correction: Literal["holm"]
    level: float = Field(description="The chance of a single false finding stays below.", examples=[0.05])
    window_seconds: int | None = Field(examples=[604_800])
    timezone: str = Field(examples=["Europe/Vienna"])
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    data_version: str = Field(examples=["17.2048"])
    as_of: str = TIME
    rows_read: int = Field(examples=[142_082])
    elapsed_ms: float = Field(examples=[412.7])

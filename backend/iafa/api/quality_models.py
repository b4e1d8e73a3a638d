"""How good a project's data is over time, as the OpenAPI document shows it."""

from pydantic import BaseModel, Field


class QualityCounts(BaseModel):
    """Events of one span of time, by when they came in."""

    stored: int = Field(description="That are there now, with those of bots and of uploads.", examples=[1200])
    bots: int = Field(description="Of these.", examples=[14])
    duplicates: int = Field(description="Ids that a worker knew.", examples=[3])
    sampled_out: int = Field(examples=[0])
    rate_limited: int = Field(examples=[0])
    quota_exceeded: int = Field(examples=[0])
    invalid: int = Field(description="Refused for what they are; they are in the quarantine.", examples=[9])
    replayed: int = Field(description="Of the invalid, stored after all.", examples=[2])
    reasons: dict[str, int] = Field(
        description="All that was not stored, by reason.", examples=[{"duplicate": 3, "missing_identity": 9}]
    )
    invalid_share: float | None = Field(
        description="Invalid and not replayed, of all that was stored or invalid; null when there is nothing.",
        examples=[0.0058],
    )


class QualityDay(QualityCounts):
    date: str = Field(json_schema_extra={"format": "date"}, description="UTC, of receipt.", examples=["2026-11-20"])
    is_refused_known: bool = Field(
        description="False: so long ago that the counts of what was not stored are not kept any more."
    )
    repeats: int = Field(
        description="Repeated ids that the flush found, of events of this day: other workers or earlier starts had "
        "stored them.",
        examples=[0],
    )


class QualityAnswer(BaseModel):
    project_id: str
    start: str = Field(json_schema_extra={"format": "date"}, examples=["2026-10-23"])
    end: str = Field(json_schema_extra={"format": "date"}, examples=["2026-11-21"])
    timezone: str = Field(examples=["UTC"])
    is_complete: bool = Field(description="False: of some refused event the quarantine holds no row.")
    totals: QualityCounts
    days: list[QualityDay] = Field(description="Every day of the range, oldest first.")

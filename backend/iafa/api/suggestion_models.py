"""Suggestions as the OpenAPI document shows them: next steps of a funnel, templates that fit, funnels from nothing."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.api.funnel_models import TIME, DateRange, FunnelDefinition, FunnelTemplate, NamedStage, OpenStageAnswer


class NextStepsQuestion(FunnelDefinition):
    """A definition that is not saved, perhaps not finished, and the range to ask it for."""

    model_config = ConfigDict(extra="forbid")

    start_date: str | None = Field(None, examples=["2026-10-01"])
    end_date: str | None = Field(None, examples=["2026-10-31"])
    limit: int = Field(10, ge=1, le=50)


class NextStep(BaseModel):
    """An event that people did after the last stage, later than it and within the window."""

    event: str = Field(examples=["purchase"])
    page: str | None = Field(description="The path, of a page view with an address.", examples=[None])
    users: int = Field(description="People who did it, of those who got to the last stage.", examples=[1583])
    share: float = Field(description="The same in percent.", examples=[83.05])
    median_s: float = Field(description="Seconds from the last stage to the first of it; observed.", examples=[132.5])
    stage: NamedStage = Field(description="Can be appended to the definition as it is.")


class NextStepsAnswer(BaseModel):
    """Without the funnel's own steps and without bots; most people first."""

    funnel_id: str | None
    date_range: DateRange
    reached: int = Field(description="People who got to the last stage, bots left out.", examples=[1906])
    next_steps: list[NextStep]
    timezone: str
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    data_version: str
    as_of: str = TIME
    elapsed_ms: float


class TemplateMatches(BaseModel):
    """What a project has of a template. Spelling does not matter: `view_item` is found for `product_view`."""

    fits: Literal["all", "some", "none"]
    found: int = Field(description="Required stages that the project has an event for.", examples=[4])
    needed: int = Field(description="Required stages.", examples=[4])
    events: dict[str, str | None] = Field(
        description="The template's names and the project's.", examples=[{"product_view": "view_item"}]
    )
    stages: list[NamedStage] = Field(description="The template's stages with the project's names.")


class MatchedTemplate(FunnelTemplate):
    matches: TemplateMatches


class SuggestedFunnel(BaseModel):
    """A way that most people go, and what the funnel of it says."""

    definition: FunnelDefinition
    stages: list[OpenStageAnswer]
    overall_conversion_rate: float
    people_total: int
    open: int


class SuggestionsAnswer(BaseModel):
    templates: list[MatchedTemplate] = Field(description="All of them, the best fitting first.")
    funnels: list[SuggestedFunnel] = Field(description="At most three, from the order of the events themselves.")
    data_version: str

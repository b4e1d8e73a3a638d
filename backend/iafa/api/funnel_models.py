"""The funnel definition and answer as the OpenAPI document shows them. What is valid is decided by query/definition."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])
Operator = Literal[
    "eq", "neq", "in", "not_in", "contains", "not_contains", "icontains", "starts_with", "ends_with", "regex",
    "gt", "gte", "lt", "lte", "exists", "not_exists",
]  # fmt: skip


class Filter(BaseModel):
    """A condition on a property of the event; a bare name means the event's property, else the column of the name."""

    model_config = ConfigDict(extra="forbid")

    property: str = Field(examples=["plan"])
    op: Operator = Field(examples=["eq"])
    value: Any = Field(None, examples=["pro"])


class AnyOf(BaseModel):
    """Holds when one of its conditions holds."""

    model_config = ConfigDict(extra="forbid")

    any_of: "list[Filter | AnyOf]"


class Stage(BaseModel):
    """One step of the funnel. Needs a name and one of `event`, `events` and `page`."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(examples=["Cart"])
    event: str | None = Field(None, examples=["add_to_cart"])
    events: list[str] | None = Field(None, description="Any of these events.")
    page: str | None = Field(
        None, description="A page's path; `*` stands for text without a slash, `**` for any.", examples=["/checkout/**"]
    )
    match: Literal["path", "url"] | None = Field(None, description="What `page` is compared with; a page stage only.")
    host: str | None = Field(None, description="The page's host; a page stage only.", examples=["shop.example.org"])
    order: int | None = Field(None, description="Position from 1; by default the place in the list.", examples=[1])
    filters: list[Filter | AnyOf] = []


class FunnelDefinition(BaseModel):
    """The question: who did these stages, in this order, inside the window."""

    model_config = ConfigDict(extra="forbid")

    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    name: str = Field(examples=["Checkout"])
    description: str | None = Field(None, max_length=2000, examples=["Who buys within a week"])
    stages: list[Stage] = Field(min_length=1, max_length=20)
    window_seconds: int | None = Field(
        604_800, ge=0, le=10_000_000_000, description="From the first stage on; null: no limit."
    )
    range: Literal["entry", "all_steps"] = Field(
        "entry", description="What the date range bounds: the first stage's event, or every stage's."
    )
    filters: list[Filter | AnyOf] = Field([], description="Hold for every stage.")
    semantics_version: Literal[1] = Field(1, description="The published meaning of the numbers.")


class FunnelQuestion(FunnelDefinition):
    """A definition that is not saved, and the range to ask it for."""

    start_date: str | None = Field(None, examples=["2026-10-01"])
    end_date: str | None = Field(None, examples=["2026-10-31"])


class Funnel(FunnelDefinition):
    """A saved funnel."""

    id: str = Field(examples=["f2k5m8q1t4w7z0c3g6j9"])
    version: int = Field(description="Goes up with every change; the value of `If-Match`.", examples=[3])
    created_at: str = TIME
    updated_at: str = TIME


class FunnelList(BaseModel):
    funnels: list[Funnel]


class FunnelTemplate(BaseModel):
    id: str = Field(examples=["checkout"])
    name: str = Field(examples=["Checkout"])
    description: str = Field(examples=["Where people give up on the last metres."])
    category: str = Field(examples=["Shop"])
    window_seconds: int | None = Field(examples=[7200])
    stages: list[Stage]


class FunnelTemplateList(BaseModel):
    templates: list[FunnelTemplate]


class DateRange(BaseModel):
    start: str | None = Field(examples=["2026-10-01"])
    end: str | None = Field(examples=["2026-10-31"])


class StageAnswer(BaseModel):
    stage_name: str = Field(examples=["Cart"])
    order: int = Field(examples=[1])
    users: int = Field(
        description="People who did this stage and all before it, in order, inside the window.", examples=[10412]
    )
    conversion_rate: float = Field(description="Percent of the first stage.", examples=[100.0])
    drop_off_rate: float = Field(description="Percent of the stage before that was lost.", examples=[0.0])


class FunnelAnswer(BaseModel):
    """The numbers. Percentages have at most two decimals, rounded half up from the integers."""

    funnel_id: str | None = Field(description="Null for a funnel that is not saved.", examples=["f2k5m8q1t4w7z0c3g6j9"])
    name: str = Field(examples=["Checkout"])
    date_range: DateRange
    stages: list[StageAnswer]
    overall_conversion_rate: float = Field(examples=[100.0])
    people_total: int = Field(description="People who entered the funnel in the range.", examples=[10412])
    window_seconds: int | None = Field(examples=[604_800])
    timezone: str = Field(description="The zone of the days.", examples=["Europe/Vienna"])
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])
    as_of: str = TIME
    rows_read: int = Field(examples=[142_082])
    elapsed_ms: float = Field(examples=[84.2])


class EventName(BaseModel):
    name: str = Field(examples=["add_to_cart"])
    count: int = Field(examples=[3124])
    last_seen: str | None = TIME


class EventNameList(BaseModel):
    event_names: list[EventName]
    data_version: str

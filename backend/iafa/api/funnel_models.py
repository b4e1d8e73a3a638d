"""The funnel definition and answer as the OpenAPI document shows them. What is valid is decided by query/definition."""

from collections.abc import Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.api.receipt_models import ReceiptAnswer

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
    """One step of the funnel. Needs one of `event`, `events` and `page`."""

    model_config = ConfigDict(extra="forbid")

    name: str | None = Field(None, description="What it consists of, if absent.", examples=["Cart"])
    event: str | None = Field(None, examples=["add_to_cart"])
    events: list[str] | None = Field(None, description="Any of these events.")
    page: str | None = Field(
        None, description="A page's path; `*` stands for text without a slash, `**` for any.", examples=["/checkout/**"]
    )
    match: Literal["path", "url"] | None = Field(None, description="What `page` is compared with; a page stage only.")
    host: str | None = Field(None, description="The page's host; a page stage only.", examples=["shop.example.org"])
    order: int | None = Field(None, description="Position from 1; by default the place in the list.", examples=[1])
    filters: list[Filter | AnyOf] = []
    optional: bool = Field(False, description="Counted apart; never blocks. Not the first stage, not the last.")
    within_seconds: int | None = Field(None, ge=0, description="At most so long after the required stage before.")
    after_seconds: int | None = Field(None, ge=0, description="At least so long after the required stage before.")


class Exclusion(BaseModel):
    """An event that must not come between two stages. Takes one of `event`, `events` and `page`, as a stage does."""

    model_config = ConfigDict(extra="forbid")

    event: str | None = Field(None, examples=["refund"])
    events: list[str] | None = None
    page: str | None = None
    match: Literal["path", "url"] | None = None
    host: str | None = None
    filters: list[Filter | AnyOf] = []
    from_stage: int | None = Field(None, ge=1, description="By default the first stage.")
    to_stage: int | None = Field(None, ge=2, description="By default the last stage.")


class Breakdown(BaseModel):
    """Groups by a property's value."""

    model_config = ConfigDict(extra="forbid")

    property: str = Field(examples=["browser"])
    attribution: str = Field(
        "entry",
        pattern="^(entry|first_known|last_known|each|step:[1-9][0-9]?)$",
        description="Whose value counts: `entry`, `first_known`, `last_known`, `step:k` or `each`.",
    )
    limit: int = Field(10, ge=1, le=100, description="So many groups; the others are one.")


class NamedStage(Stage):
    name: str = Field(examples=["Cart"])


class FunnelDefinition(BaseModel):
    """The question: who did these stages, in this order, inside the window."""

    model_config = ConfigDict(extra="forbid")

    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    name: str | None = Field(None, description="Its first and last stage, if absent.", examples=["Checkout"])
    description: str | None = Field(None, max_length=2000, examples=["Who buys within a week"])
    stages: Sequence[Stage] = Field(min_length=1, max_length=20)
    window_seconds: int | None = Field(
        604_800, ge=0, le=10_000_000_000, description="From the first stage on; null: no limit."
    )
    range: Literal["entry", "all_steps"] = Field(
        "entry", description="What the date range bounds: the first stage's event, or every stage's."
    )
    filters: list[Filter | AnyOf] = Field([], description="Hold for every stage.")
    semantics_version: Literal[1] = Field(1, description="The published meaning of the numbers.")
    order: Literal["ordered", "strict", "unordered"] = Field(
        "ordered", description="`strict`: nothing else may come between two stages. `unordered`: any order."
    )
    unit: Literal["user", "session"] = "user"
    hold: list[str] = Field([], max_length=3, description="Properties that must stay the same on all stages.")
    entry: Literal["best", "first", "last"] = Field("best", description="Which first event a path may begin with.")
    tie: str = Field(
        "any",
        pattern="^(any|strict|grace:[0-9]+)$",
        description="Events of one instant: in any order, not both, or with so many seconds of tolerance.",
    )
    count: Literal["unique", "totals"] = Field("unique", description="People once, or every path.")
    first_required: bool = Field(False, description="Without an order: the first stage must come first.")
    strict_scope: Literal["all", "filtered"] = "all"
    sessions: Literal["derived", "client"] = "derived"
    exclusions: list[Exclusion] = Field([], max_length=10)
    exclusion_mode: Literal["cut", "drop"] = Field(
        "cut", description="`cut`: the path ends there. `drop`: who has no other path is not counted at all."
    )
    mature_only: bool = Field(False, description="Only entries whose window has ended.")
    as_of: str | None = Field(None, description="Later events do not exist.", examples=["2026-11-20T09:00:00Z"])
    exclude_bots: bool = False
    trend: Literal["hour", "day", "week", "month"] | None = Field(None, description="The buckets of `include: trend`.")
    breakdown: Breakdown | None = Field(None, description="The groups of `include: breakdown`.")


class FunnelQuestion(FunnelDefinition):
    """A definition that is not saved, and the range to ask it for."""

    start_date: str | None = Field(None, examples=["2026-10-01"])
    end_date: str | None = Field(None, examples=["2026-10-31"])
    include: list[Literal["times", "trend", "breakdown", "compare", "receipt"]] = []
    compare_start: str | None = Field(None, description="With `include: compare`; by default the period before.")
    compare_end: str | None = None


class ReceiptQuestion(FunnelQuestion):
    """A definition that is not saved, and the form of its receipt. Other members of `include` are left out."""

    format: Literal["json", "notebook"] = "json"


class Funnel(FunnelDefinition):
    """A saved funnel."""

    name: str = Field(examples=["Checkout"])
    stages: Sequence[NamedStage] = Field(min_length=1, max_length=20)
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
    stages: list[NamedStage]


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


class OpenStageAnswer(StageAnswer):
    users_max: int = Field(description="The count if everybody who is open still gets there.", examples=[10412])


class StageFilled(BaseModel):
    stage_name: str
    order: int
    users: int = Field(description="Reported paths that contain this stage.")


class OptionalStageAnswer(BaseModel):
    stage_name: str
    after_order: int = Field(description="The required stage before it.", examples=[1])
    users: int
    conversion_rate: float = Field(description="Percent of the required stage before it.")


class DurationSummary(BaseModel):
    """Seconds; quantiles are observed values. Null where nobody is."""

    count: int
    average_s: float | None
    median_s: float | None
    p90_s: float | None


class StepDuration(DurationSummary):
    from_order: int
    to_order: int


class HistogramBin(BaseModel):
    """[from_s, to_s); the last one includes its end. `to_s` null: open-ended."""

    from_s: int
    to_s: int | None
    count: int


class Times(BaseModel):
    steps: list[StepDuration]
    total: DurationSummary
    histogram: list[HistogramBin] = Field(description="Sums up to the converted.")


class TrendBucket(BaseModel):
    model_config = ConfigDict(populate_by_name=True)

    bucket: str = Field(description="The first local day, or the local hour with its offset.", examples=["2026-10-05"])
    from_: str = Field(alias="from", json_schema_extra={"format": "date-time"})
    to: str = TIME
    users: list[int] = Field(description="By stage.")
    users_max: list[int]
    open: int = Field(description="Not 0: the bucket may still grow.")
    overall_conversion_rate: float


class Trend(BaseModel):
    interval: Literal["hour", "day", "week", "month"]
    adds_up: bool = Field(description="False: somebody may enter in several buckets.")
    buckets: list[TrendBucket]


class Significance(BaseModel):
    """Two conversion rates. Differences are percentage points."""

    difference: float = Field(examples=[2.5])
    interval: list[float] = Field(description="The 95 % interval of Newcombe.", examples=[[0.4, 4.6]])
    p_value: float = Field(
        description="Two-sided; of groups and of steps after Holm's correction. The largest that open entries may "
        "lead to."
    )
    is_significant: bool = Field(description="Holds whatever open entries still do.")
    is_too_small: bool = Field(description="Too few people to say anything.")
    is_open: bool = Field(description="Open entries may still change the difference.")


class StepSignificance(Significance):
    """Of those who reached a stage, who reached the next."""

    from_order: int = Field(examples=[1])
    to_order: int = Field(examples=[2])


class GroupStageAnswer(StageAnswer):
    users_max: int | None = Field(
        None, description="The count if everybody who is open still gets there. Absent for `each` and `totals`."
    )


class Group(BaseModel):
    group: Literal["value", "other", "none"]
    value: str | None = Field(description="Null for `other` and `none`.")
    stages: list[GroupStageAnswer]
    overall_conversion_rate: float
    significance: Significance | None = Field(
        None, description="This group beside all others together; in `compare` this period's group beside the other's."
    )


class BreakdownAnswer(BaseModel):
    property: str
    attribution: str
    adds_up: bool = Field(description="False for `each`: somebody may be in several groups.")
    groups: list[Group]


SAMPLING_TEXT = (
    "Whether events of the funnel are a sample. `by_user`: of people as a whole, so that rates hold and counts are "
    "those of the sample. `biased`: people may miss single events, and fewer of them convert than did."
)
FALLBACK_TEXT = (
    "Of `people_total`, those who have no id but the fallback one, made of address and browser: several people who "
    "share both are one."
)


class FunnelAnswer(BaseModel):
    """The numbers. Percentages have at most two decimals, rounded half up from the integers."""

    funnel_id: str | None = Field(description="Null for a funnel that is not saved.", examples=["f2k5m8q1t4w7z0c3g6j9"])
    name: str = Field(examples=["Checkout"])
    date_range: DateRange
    stages: list[OpenStageAnswer]
    overall_conversion_rate: float = Field(examples=[100.0])
    people_total: int = Field(description="People who entered the funnel in the range.", examples=[10412])
    fallback_people: int = Field(description=FALLBACK_TEXT, examples=[0])
    sampling: Literal["by_user", "biased"] | None = Field(None, description=SAMPLING_TEXT, examples=[None])
    smallest_sample_rate: float | None = Field(None, description="Of a sampled funnel's events.", examples=[None])
    open: int = Field(description="Not converted people whose window has not ended.", examples=[0])
    dropped_by_exclusion: int | None = Field(None, description="`exclusion_mode: drop`: entered, counted nowhere.")
    stages_filled: list[StageFilled] | None = Field(None, description="`order: unordered` only.")
    optional_stages: list[OptionalStageAnswer] | None = None
    times: Times | None = Field(None, description="With `include: times`.")
    trend: Trend | None = Field(None, description="With `include: trend`.")
    breakdown: BreakdownAnswer | None = Field(None, description="With `include: breakdown`.")
    compare: "ComparedPeriod | None" = Field(None, description="With `include: compare`.")
    receipt: ReceiptAnswer | None = Field(None, description="With `include: receipt`.")
    window_seconds: int | None = Field(examples=[604_800])
    timezone: str = Field(description="The zone of the days.", examples=["Europe/Vienna"])
    semantics: Literal["iafa"]
    semantics_version: int = Field(examples=[1])
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])
    as_of: str = TIME
    rows_read: int = Field(examples=[142_082])
    elapsed_ms: float = Field(examples=[84.2])


class ComparedPeriod(BaseModel):
    """The other period's own counts. The difference is this period's rate minus the other's."""

    date_range: DateRange
    stages: list[OpenStageAnswer]
    overall_conversion_rate: float
    people_total: int
    fallback_people: int = Field(description=FALLBACK_TEXT, examples=[0])
    sampling: Literal["by_user", "biased"] | None = Field(None, description=SAMPLING_TEXT, examples=[None])
    smallest_sample_rate: float | None = Field(None, description="Of a sampled funnel's events.", examples=[None])
    open: int
    dropped_by_exclusion: int | None = None
    stages_filled: list[StageFilled] | None = None
    optional_stages: list[OptionalStageAnswer] | None = None
    significance: Significance | None = Field(None, description="Absent for `count: totals`.")
    step_significance: list[StepSignificance] | None = Field(
        None, description="From stage to stage, corrected for their number (Holm). Absent for `count: totals`."
    )
    trend: Trend | None = Field(None, description="With `include: trend`: the other period's own buckets.")
    breakdown: BreakdownAnswer | None = Field(
        None,
        description="With `include: breakdown`: the groups of this period, as they were in the other one; `other` is "
        "what else there was then.",
    )


class EventName(BaseModel):
    name: str = Field(examples=["add_to_cart"])
    count: int = Field(examples=[3124])
    last_seen: str | None = TIME


class EventNameList(BaseModel):
    event_names: list[EventName]
    data_version: str

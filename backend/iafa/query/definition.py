"""The definition of a funnel: what is asked, as structs, and written back as JSON. No dates of a range, no SQL."""

from typing import Literal

import msgspec

from iafa.clock import to_iso
from iafa.query.filters import Condition, filter_to_dict
from iafa.query.pages import Page

SEMANTICS = "iafa"
SEMANTICS_VERSION = 1
STAGES_MAX = 20
WINDOW_DEFAULT_S = 604_800
ANY_EVENT = "*"

Order = Literal["ordered", "strict", "unordered"]
Unit = Literal["user", "session"]
Range = Literal["entry", "all_steps"]
Entry = Literal["best", "first", "last"]
Tie = Literal["any", "strict", "grace"]
Count = Literal["unique", "totals"]
StrictScope = Literal["all", "filtered"]
SessionSource = Literal["derived", "client"]
ExclusionMode = Literal["cut", "drop"]
Bucket = Literal["hour", "day", "week", "month"]
Attribution = Literal["entry", "first_known", "last_known", "step", "each"]


class Stage(msgspec.Struct, frozen=True):
    """One step: an event with any of the names (`*` is every event), or a page view. Durations are seconds."""

    name: str
    events: tuple[str, ...] = ()
    page: Page | None = None
    filters: tuple[Condition, ...] = ()
    optional: bool = False
    within_seconds: int | None = None  # since the required stage before
    after_seconds: int | None = None


class Exclusion(msgspec.Struct, frozen=True):
    """An event that must not come between two stages. Stages count from 1, optional ones included."""

    events: tuple[str, ...] = ()
    page: Page | None = None
    filters: tuple[Condition, ...] = ()
    from_stage: int = 1
    to_stage: int = 2


class Breakdown(msgspec.Struct, frozen=True):
    """Groups by a property; `stage` is the k of the attribution `step:k`."""

    property: str
    attribution: Attribution = "entry"
    stage: int = 1
    limit: int = 10


class FunnelDefinition(msgspec.Struct, frozen=True):
    """Stages are in order. `window_seconds` None means that there is no limit."""

    name: str
    stages: tuple[Stage, ...]
    window_seconds: int | None = WINDOW_DEFAULT_S
    range: Range = "entry"
    filters: tuple[Condition, ...] = ()
    description: str | None = None
    project_id: str | None = None
    order: Order = "ordered"
    unit: Unit = "user"
    entry: Entry = "best"
    tie: Tie = "any"
    grace_seconds: int = 0
    count: Count = "unique"
    mature_only: bool = False
    first_required: bool = False
    strict_scope: StrictScope = "all"
    sessions: SessionSource = "derived"
    as_of_us: int | None = None
    exclude_bots: bool = False
    trend: Bucket | None = None
    exclusions: tuple[Exclusion, ...] = ()
    exclusion_mode: ExclusionMode = "cut"
    hold: tuple[str, ...] = ()
    breakdown: Breakdown | None = None

    @property
    def required(self) -> tuple[Stage, ...]:
        """The stages that decide how far somebody got."""
        return tuple(stage for stage in self.stages if not stage.optional)

    def required_number(self, stage: int) -> int:
        """The number of a stage among the required ones; both count from 1."""
        return sum(not each.optional for each in self.stages[:stage])


def to_dict(definition: FunnelDefinition) -> dict[str, object]:
    """Plain JSON that parses back to an equal definition. Options with their default value are left out."""
    plain: dict[str, object] = {
        "name": definition.name,
        "stages": [_stage_to_dict(stage, order) for order, stage in enumerate(definition.stages, start=1)],
        "window_seconds": definition.window_seconds,
        "range": definition.range,
        "filters": [filter_to_dict(condition) for condition in definition.filters],
        "semantics_version": SEMANTICS_VERSION,
    }
    for field in ("description", "project_id"):
        if (value := getattr(definition, field)) is not None:
            plain[field] = value
    default = FunnelDefinition("", ())
    for field in _PLAIN_OPTIONS:
        if (value := getattr(definition, field)) != getattr(default, field):
            plain[field] = value
    if definition.tie != "any":
        plain["tie"] = "strict" if definition.tie == "strict" else f"grace:{definition.grace_seconds}"
    if definition.as_of_us is not None:
        plain["as_of"] = to_iso(definition.as_of_us)
    if definition.exclusions:
        plain["exclusions"] = [_exclusion_to_dict(exclusion) for exclusion in definition.exclusions]
    if definition.hold:
        plain["hold"] = list(definition.hold)
    if definition.breakdown is not None:
        plain["breakdown"] = _breakdown_to_dict(definition.breakdown)
    return plain


_PLAIN_OPTIONS = (
    "order",
    "unit",
    "entry",
    "count",
    "mature_only",
    "first_required",
    "strict_scope",
    "sessions",
    "exclude_bots",
    "trend",
    "exclusion_mode",
)


def _stage_to_dict(stage: Stage, order: int) -> dict[str, object]:
    plain: dict[str, object] = {"name": stage.name, "order": order, **_event_to_dict(stage)}
    if stage.optional:
        plain["optional"] = True
    for field in ("within_seconds", "after_seconds"):
        if (value := getattr(stage, field)) is not None:
            plain[field] = value
    return plain


def _exclusion_to_dict(exclusion: Exclusion) -> dict[str, object]:
    return {**_event_to_dict(exclusion), "from_stage": exclusion.from_stage, "to_stage": exclusion.to_stage}


def _event_to_dict(matcher: Stage | Exclusion) -> dict[str, object]:
    plain: dict[str, object] = {}
    if matcher.page is not None:
        plain["page"] = matcher.page.pattern
        plain["match"] = matcher.page.match
        if matcher.page.host is not None:
            plain["host"] = matcher.page.host
    elif len(matcher.events) == 1:
        plain["event"] = matcher.events[0]
    else:
        plain["events"] = list(matcher.events)
    plain["filters"] = [filter_to_dict(condition) for condition in matcher.filters]
    return plain


def attribution_text(breakdown: Breakdown) -> str:
    return f"step:{breakdown.stage}" if breakdown.attribution == "step" else breakdown.attribution


def _breakdown_to_dict(breakdown: Breakdown) -> dict[str, object]:
    return {
        "property": breakdown.property,
        "attribution": attribution_text(breakdown),
        "limit": breakdown.limit,
    }

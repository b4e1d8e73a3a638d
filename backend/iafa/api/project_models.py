"""Bodies of the project routes: settings, keys, tracking code, status."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from iafa.api.text import host_name, origin, plain_text, time_zone
from iafa.meta.event_schemas import RULES_MAX, why_not_schema

REQUEST = ConfigDict(extra="forbid", strict=True)
NAME = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(plain_text)]
TIME_ZONE = Annotated[str, Field(max_length=64), AfterValidator(time_zone)]
HOST = Annotated[str, Field(max_length=253), AfterValidator(host_name)]
ORIGIN = Annotated[str, Field(max_length=300), AfterValidator(origin)]
QUOTA = Annotated[int, Field(ge=1, le=1_000_000_000_000)]
RATE = Annotated[int, Field(ge=1, le=100_000_000)]
DAYS = Annotated[int, Field(ge=1, le=36_500)]
HOST_PATTERN = Annotated[str, Field(pattern=r"^[A-Za-z0-9.*-]{1,253}$")]
PATH_PATTERN = Annotated[str, Field(pattern=r"^/[A-Za-z0-9/_.~*%-]{0,499}$")]  # the tracker reads it as a pattern
OVERLAP_S = 86_400
GAP_S = Annotated[int, Field(ge=1, le=86_400)]
HTML_EXAMPLE = '<script defer src="https://iafa.example.org/tracker.js" data-key="iafa_w_..."></script>'
TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class TrackerChoice(BaseModel):
    """What `/t.js?key=...` has inside: the tag's attributes, chosen here instead of on each page."""

    model_config = REQUEST

    build: Literal["lite", "web", "full", "vitals"] = Field("full", description="Which of the tracker's builds.")
    auto: bool = Field(True, description="Page views by themselves.")
    spa: bool = Field(True, description="A new path inside an application is a page view.")
    hash: bool = Field(False, description="Another hash is another page.")
    local: bool = Field(True, description="Count pages on localhost.")
    dnt: bool = Field(True, description="Heed Do Not Track and Global Privacy Control.")
    consent: Literal["granted", "required", "cookieless"] = "granted"
    cookieless: bool = Field(False, description="Store nothing in browsers and send no id.")
    sample: float = Field(1.0, gt=0, le=1, description="The share of people that is counted.")
    exit: Literal["beacon", "next"] = "beacon"
    domains: list[HOST_PATTERN] = Field([], max_length=50, examples=[["shop.example", "*.shop.example"]])
    exclude: list[PATH_PATTERN] = Field([], max_length=50, examples=[["/admin/*"]])
    tag: NAME | None = Field(None, description="A label of every event.", examples=["B"])


def usual_tracker() -> TrackerChoice:
    return TrackerChoice.model_validate({})


class SamplingChoice(BaseModel):
    """The share of such events that is kept. The most specific rule decides alone: event type and source, event type,
    source, all."""

    model_config = REQUEST

    rate: float = Field(ge=0, le=1, description="The share that is kept; 0: none.", examples=[0.1])
    by: Literal["user", "random", "window"] = Field(
        "user",
        description="`user`: the same people are always in or out. `random`: each event by itself. `window`: all "
        "events of a share of each stretch of time.",
    )
    event_type: NAME | None = Field(None, description="Of these events alone.", examples=["page_view"])
    source: NAME | None = Field(None, description="Of this source alone.", examples=["web"])
    window_seconds: Annotated[int, Field(ge=60, le=604_800)] = Field(3600, description="The stretch of `by: window`.")


class PrivacyChoice(BaseModel):
    """What is not written down."""

    model_config = REQUEST

    ip: Literal["hash", "truncate", "none"] = Field(
        "hash", description="Addresses as a keyed hash, cut to /24 (IPv4) or /48 (IPv6), or not at all."
    )
    salt: Literal["fixed", "daily", "monthly"] = Field(
        "fixed", description="Of address hashes: the project's own, or one that is thrown away after its day or month."
    )
    deny_properties: list[NAME] = Field(
        [],
        max_length=100,
        description="Names of properties that are removed at any depth; `*` stands for any characters.",
        examples=[["email", "*password*"]],
    )


def _usable_schema(schema: dict[str, Any]) -> dict[str, Any]:
    wrong = why_not_schema(schema)
    if wrong is not None:
        raise ValueError(f"is no usable JSON Schema: {wrong}")
    return schema


class SchemaChoice(BaseModel):
    """What the properties of an event type must look like. An event that does not fit is refused."""

    model_config = REQUEST

    event_type: NAME = Field(examples=["purchase"])
    json_schema: Annotated[dict[str, Any], AfterValidator(_usable_schema)] = Field(
        alias="schema",
        description="A JSON Schema of the object of properties: at most 16 KiB, without references.",
        examples=[{"required": ["price"], "properties": {"price": {"type": "number", "minimum": 0}}}],
    )


def _one_schema_each(rules: list[SchemaChoice]) -> list[SchemaChoice]:
    if len({rule.event_type for rule in rules}) < len(rules):
        raise ValueError("must hold one schema at most for the same event type")
    return rules


def _distinct_rules(rules: list[SamplingChoice]) -> list[SamplingChoice]:
    if len({(rule.event_type, rule.source) for rule in rules}) < len(rules):
        raise ValueError("must hold one rule at most for the same event type and source")
    return rules


RULES = Annotated[list[SamplingChoice], Field(max_length=100), AfterValidator(_distinct_rules)]


SCHEMAS = Annotated[list[SchemaChoice], Field(max_length=RULES_MAX), AfterValidator(_one_schema_each)]


def usual_privacy() -> PrivacyChoice:
    return PrivacyChoice.model_validate({})


class ProjectCreation(BaseModel):
    model_config = REQUEST

    name: NAME = Field(examples=["Web shop"])
    domain: HOST | None = Field(None, examples=["shop.example.org"])
    timezone: TIME_ZONE = Field("UTC", examples=["Europe/Vienna"])
    allowed_origins: list[ORIGIN] = Field(
        [],
        max_length=100,
        description="Origins whose pages may send events with the write key; none listed: all. `*.` = subdomains.",
        examples=[["https://*.example.org"]],
    )
    rate_limit_per_minute: RATE | None = Field(1000, description="Events per key; null: no limit.")
    rate_limit_per_ip_per_minute: RATE | None = Field(100, description="Requests per address; null: no limit.")
    monthly_quota: QUOTA | None = Field(
        None, description="Events that are collected in a calendar month of UTC; null: no end.", examples=[5_000_000]
    )
    sampling: RULES = Field([], description="None: every event is kept.")
    schemas: SCHEMAS = Field([], description="None: properties may look as they like.")
    privacy: PrivacyChoice = Field(default_factory=usual_privacy)
    retention_days: DAYS | None = Field(90, description="Days that events are kept; null: for ever.")
    aggregate_retention_days: DAYS | None = Field(
        None, description="Days that the daily counts of removed events are kept; null: for ever.", examples=[1825]
    )
    session_gap_seconds: GAP_S = Field(3600, description="A longer gap between two events begins a session.")
    tracker: TrackerChoice = Field(default_factory=usual_tracker)


class ProjectChange(BaseModel):
    """Fields that are absent stay as they are."""

    model_config = REQUEST

    name: NAME = Field("", examples=["Web shop"])
    domain: HOST | None = Field(None, examples=["shop.example.org"])
    timezone: TIME_ZONE = Field("UTC", examples=["Europe/Vienna"])
    allowed_origins: list[ORIGIN] = Field([], max_length=100, examples=[["https://*.example.org"]])
    rate_limit_per_minute: RATE | None = Field(None, examples=[1000])
    rate_limit_per_ip_per_minute: RATE | None = Field(None, examples=[100])
    monthly_quota: QUOTA | None = Field(None, examples=[5_000_000])
    sampling: RULES = Field([], description="Replaced as a whole.")
    schemas: SCHEMAS = Field([], description="Replaced as a whole.")
    privacy: PrivacyChoice = Field(default_factory=usual_privacy, description="Replaced as a whole.")
    retention_days: DAYS | None = Field(None, examples=[365])
    aggregate_retention_days: DAYS | None = Field(None, examples=[1825])
    session_gap_seconds: GAP_S = Field(3600, examples=[1800])
    tracker: TrackerChoice = Field(default_factory=usual_tracker, description="Replaced as a whole.")


class ProjectAnswer(BaseModel):
    id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    organization_id: str = Field(examples=["a8d2f5h1k9l3p6s0v4x7"])
    name: str = Field(examples=["Web shop"])
    domain: str | None = Field(examples=["shop.example.org"])
    timezone: str = Field(examples=["Europe/Vienna"])
    allowed_origins: list[str] = Field(examples=[["https://*.example.org"]])
    rate_limit_per_minute: int | None = Field(examples=[1000])
    rate_limit_per_ip_per_minute: int | None = Field(examples=[100])
    monthly_quota: int | None = Field(examples=[None])
    sampling: list[SamplingChoice]
    schemas: list[SchemaChoice]
    privacy: PrivacyChoice
    retention_days: int | None = Field(examples=[90])
    aggregate_retention_days: int | None = Field(examples=[None])
    session_gap_seconds: int = Field(examples=[3600])
    tracker: TrackerChoice
    version: int = Field(description="Goes up with every change; the value of `If-Match`.", examples=[3])
    created_at: str = TIME
    updated_at: str = TIME


class ProjectCreated(ProjectAnswer):
    """The keys in clear. The secret key is shown this once."""

    api_key: str = Field(description="The public write key of pages.", examples=["iafa_w_..."])
    secret_key: str = Field(description="The secret key: collect, upload, read.", examples=["iafa_s_..."])


class ProjectList(BaseModel):
    projects: list[ProjectAnswer]


class KeyCreation(BaseModel):
    model_config = REQUEST

    kind: Literal["write", "secret"]
    name: NAME = Field(examples=["Checkout server"])


class KeyRotation(BaseModel):
    model_config = REQUEST

    overlap_seconds: int = Field(
        OVERLAP_S, ge=0, le=30 * 86_400, description="How long the old key still works; 0: it ends at once."
    )


class KeyAnswer(BaseModel):
    id: str = Field(examples=["y4e7r1t9u3i6o8p2a5s0"])
    kind: Literal["write", "secret"]
    name: str = Field(examples=["Checkout server"])
    prefix: str = Field(examples=["iafa_s_"])
    last4: str = Field(examples=["x4Qz"])
    created_at: str = TIME
    expires_at: str | None = Field(description="Set on a key that was rotated.", examples=[None])
    last_used_at: str | None = Field(
        description="When it last sent or read, to about a minute; null: never, as far as is known.",
        examples=["2026-10-01T12:00:00.000000Z"],
    )
    key: str | None = Field(
        description="The key in clear: always for write keys, once for secret keys.", examples=["iafa_w_..."]
    )


class KeyList(BaseModel):
    keys: list[KeyAnswer]


class Snippets(BaseModel):
    html: str = Field(examples=[HTML_EXAMPLE])
    curl: str = Field(examples=["curl -X POST https://iafa.example.org/api/v1/track ..."])
    python: str = Field(examples=["import httpx ..."])
    node: str = Field(examples=["await fetch(...)"])


class TrackingCode(BaseModel):
    api_key: str = Field(examples=["iafa_w_..."])
    html: str = Field(examples=[HTML_EXAMPLE])
    script_url: str = Field(examples=["https://iafa.example.org/tracker.js"])
    collector_url: str = Field(examples=["https://iafa.example.org"])
    snippets: Snippets


class ProjectStatus(BaseModel):
    events_total: int = Field(examples=[142082])
    first_event_at: str | None = TIME
    last_event_at: str | None = TIME
    events_this_month: int = Field(
        description="Events collected in this calendar month of UTC, uploads aside: what `monthly_quota` bounds.",
        examples=[31_415],
    )
    monthly_quota: int | None = Field(examples=[None])
    month_ends_at: str = TIME
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])

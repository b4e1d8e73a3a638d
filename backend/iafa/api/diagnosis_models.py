"""What a diagnosis answers."""

from typing import Any, Literal

from pydantic import BaseModel, Field

TIME: dict[str, Any] = {"format": "date-time"}
FindingCode = Literal[
    "receiving",
    "nothing_seen",
    "quiet",
    "tracker_silent",
    "blocked_origin",
    "origin_allowed",
    "revoked_key",
    "expired_key",
    "unknown_key",
    "missing_key",
    "secret_key_in_page",
    "quota_exceeded",
    "storage_unavailable",
    "invalid_events",
    "unreadable_requests",
    "rate_limited",
    "sampled_out",
    "duplicates",
    "bots",
    "properties_removed",
]


class TrafficSpan(BaseModel):
    """What was counted in one span of time, at all workers."""

    accepted: int = Field(description="Stored, with those of bots.", examples=[120])
    bots: int = Field(description="Of these, sent by user agents that say they are bots.", examples=[2])
    duplicates: int = Field(description="Their id was known.", examples=[1])
    sampled_out: int = Field(examples=[0])
    invalid: int = Field(description="Refused for what they are.", examples=[3])
    rate_limited: int = Field(examples=[0])
    quota_exceeded: int = Field(examples=[0])
    refused_requests: int = Field(description="Requests of which no event was looked at.", examples=[4])
    tracker_fetches: int = Field(description="Times that the tracker's file was asked for with a key.", examples=[9])
    reasons: dict[str, int] = Field(
        description="All of this by its reason: `accepted`, `bot`, the reasons of events, `blocked_origin` and the "
        "keys' codes, `request_` with the code of a problem, `tracker_fetched`, `properties_removed`.",
        examples=[{"accepted": 120, "missing_identity": 3, "blocked_origin": 4}],
    )


class TrafficMinute(BaseModel):
    at: str = Field(json_schema_extra=TIME, examples=["2026-11-21T14:02:00Z"])
    accepted: int = Field(examples=[12])
    not_stored: int = Field(description="Events: invalid, repeated, sampled out or above a limit.", examples=[1])
    refused: int = Field(description="Requests.", examples=[0])


class FindingSample(BaseModel):
    """Refusals that are alike. Of a key only the kind and the end, never an address."""

    at: str = Field(json_schema_extra=TIME, description="The last of them.", examples=["2026-11-21T14:02:07.120Z"])
    first_at: str = Field(json_schema_extra=TIME, examples=["2026-11-21T13:02:07.120Z"])
    count: int = Field(examples=[4])
    reason: str = Field(examples=["blocked_origin"])
    origin: str | None = Field(None, description="Of the page, as its browser said.", examples=["https://shop.test"])
    route: str | None = Field(None, examples=["/e/KEY"])
    key_kind: Literal["write", "secret"] | None = None
    key_last4: str | None = Field(None, examples=["x7Qa"])
    code: str | None = None
    pointer: str | None = Field(None, description="`*` stands for the event's number.", examples=["/events/*/user_id"])
    message: str | None = None
    event_type: str | None = None


class FindingAnswer(BaseModel):
    """Something that explains why events arrive or do not."""

    code: FindingCode
    severity: Literal["error", "warning", "info", "ok"]
    title: str = Field(examples=["Requests from https://shop.test are refused: the origin is not allowed"])
    advice: str = Field(examples=["Add https://shop.test to the project's allowed origins."])
    count: int = Field(description="In the last 24 hours: events, or requests that were refused.", examples=[4])
    lately: int = Field(description="Of these, in the last 15 minutes.", examples=[4])
    last_at: str | None = Field(json_schema_extra=TIME, examples=["2026-11-21T14:02:07.120Z"])
    samples: list[FindingSample] = Field(description="At most 5, newest first.")


class DiagnosisAnswer(BaseModel):
    project_id: str
    checked_at: str = Field(json_schema_extra=TIME)
    counted_since: str = Field(json_schema_extra=TIME, description="Nothing is known of what came before.")
    is_receiving: bool = Field(description="An event was stored in the last 15 minutes.")
    last_request_at: str | None = Field(json_schema_extra=TIME, description="With a key of the project, valid or not.")
    last_accepted_at: str | None = Field(json_schema_extra=TIME)
    last_tracker_fetch_at: str | None = Field(
        json_schema_extra=TIME, description="Of `t.js?key=`; a browser keeps the file for an hour."
    )
    last_15_minutes: TrafficSpan
    last_24_hours: TrafficSpan = Field(description="From the beginning of the first hour.")
    minutes: list[TrafficMinute] = Field(description="The last 60, oldest first; the last one is not over.")
    findings: list[FindingAnswer] = Field(description="Likeliest first.")

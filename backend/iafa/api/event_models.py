"""The event log and its rows, as the OpenAPI document shows them."""

from typing import Any

from pydantic import BaseModel, Field

from iafa.api.funnel_models import TIME


class LoggedEvent(BaseModel):
    """An event as it is stored, with the fields that were chosen; the usual ones are all of these."""

    id: str = Field(examples=["order-77"])
    event_type: str = Field(examples=["add_to_cart"])
    created_at: str = TIME
    user_id: str | None = Field(examples=["user_1042"])
    anonymous_id: str | None = Field(examples=["a-3f0c"])
    person: str = Field(
        description="Whose event it is, by the identity edges: equal for all events of one person.",
        examples=["9f86d081884c7d65"],
    )
    session_id: str | None = Field(examples=["s-1"])
    source: str | None = Field(examples=["web"])
    properties: dict[str, Any] = Field(examples=[{"product": "lamp", "price": 49.9}])
    url: str | None = Field(examples=["https://shop.example/lamps"])
    referrer: str | None = Field(examples=["https://search.example/"])
    user_agent: str | None = Field(examples=["Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"])
    ip_address: str | None = Field(description="A keyed hash, or what the project's privacy keeps.", examples=[None])
    received_at: str = TIME
    country: str | None = Field(examples=["DE"])
    region: str | None = Field(examples=["Berlin"])
    city: str | None = Field(examples=["Berlin"])
    browser: str | None = Field(examples=["Firefox"])
    os: str | None = Field(examples=["Linux"])
    device: str | None = Field(examples=["desktop"])
    timezone: str | None = Field(examples=["Europe/Berlin"])
    utm_source: str | None = Field(examples=["newsletter"])
    utm_medium: str | None = Field(examples=["email"])
    utm_campaign: str | None = Field(examples=["autumn"])
    utm_term: str | None = Field(examples=[None])
    utm_content: str | None = Field(examples=[None])
    is_bot: bool = Field(examples=[False])
    sample_rate: float = Field(examples=[1.0])


class EventLog(BaseModel):
    """One page of the event log."""

    events: list[LoggedEvent]
    next_cursor: str | None = Field(description="Ask with it for the page behind this one; null on the last.")
    prev_cursor: str | None = Field(description="Ask with it for the page before this one; null on the first.")
    data_version: str = Field(description="Equal versions have equal answers.", examples=["17.2048"])

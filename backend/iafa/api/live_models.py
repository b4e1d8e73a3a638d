"""The live view's messages, as the OpenAPI document shows them."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.event import ID_CHARS_MAX, NAME_CHARS_MAX

Result = Literal["stored", "bot", "duplicate", "rejected", "sampled_out", "limited"]
TIME = Field(json_schema_extra={"format": "date-time"}, examples=["2026-11-20T09:15:02.123456Z"])


class LiveTicket(BaseModel):
    """Lets one socket in, once."""

    ticket: str = Field(examples=["kT3_0qJ0b9c2oXh6pQ8rR1sV5uY7wZ2aB4cD6eF8gHi"])
    path: str = Field(description="Open a WebSocket here.", examples=["/api/v1/live?ticket=kT3_0qJ0b9c2oXh6pQ8"])
    expires_in: int = Field(description="Seconds.", examples=[30])


class LiveEvent(BaseModel):
    """One event as it came in, or with `count` several of which no more is known."""

    result: Result = Field(description="`bot` is stored, too. `limited`: a rate limit or a quota.")
    reason: str | None = Field(None, description="Why it is not stored.", examples=["missing_identity"])
    received_at: str = TIME
    worker: int = Field(description="The number of the journal that took it: one start of one worker.", examples=[17])
    event_id: str | None = None
    event_type: str | None = None
    person: str | None = Field(None, description="The user id, else the anonymous id.")
    page: str | None = Field(None, description="The address of the page.")
    device: str | None = Field(
        None, description="`desktop`, `mobile`, `tablet`, `tv`, `console` or `bot`, by the user agent."
    )
    country: str | None = Field(None, description="Of the visitor's address, where the server has a database of them.")
    event: dict[str, Any] | None = Field(None, description="As it is stored, without the address.")
    pointer: str | None = None
    message: str | None = None
    body: str | None = Field(None, description="Of a refused event: its text.")
    count: int = 1


class LiveMessage(BaseModel):
    """What the server sends: `ready` once, `events` as they come, `heartbeat` when nothing comes."""

    type: Literal["ready", "events", "heartbeat"]
    events: list[LiveEvent] | None = Field(None, description="Of `events`: oldest first.")
    skipped: int | None = Field(None, description="Events that came too fast for this socket since the last message.")
    gap: bool | None = Field(None, description="Some came too fast for the server to read; nobody counted them.")
    at: str | None = Field(None, description="Of `heartbeat`.")


class LiveFilter(BaseModel):
    """What is not given does not restrict."""

    model_config = ConfigDict(extra="forbid")

    event_type: str | None = Field(None, max_length=NAME_CHARS_MAX)
    result: Result | None = None
    person: str | None = Field(None, max_length=ID_CHARS_MAX, description="A user id or an anonymous id.")


class LiveRequest(BaseModel):
    """What the client may send, at any time."""

    model_config = ConfigDict(extra="forbid")

    filter: LiveFilter

"""Bodies of the routes of alert rules."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from iafa.api.project_models import NAME, REQUEST, TIME
from iafa.jobs.webhook import URL_CHARS_MAX, Refused, check_url

ID = Annotated[str, Field(pattern=r"^[a-z0-9]{1,64}$")]
WINDOW = Annotated[int, Field(ge=300, le=31 * 86_400)]


def address_of_hook(value: str) -> str:
    """The form alone; where it leads is looked at when something is sent."""
    try:
        check_url(value)
    except Refused as refused:
        raise ValueError(str(refused)) from None
    return value


class ThresholdRule(BaseModel):
    """Fires when an event was counted above or below a number within a window that ends now."""

    model_config = REQUEST

    kind: Literal["threshold"]
    event: NAME = Field(description="A type of event; `*` is any.", examples=["purchase"])
    measure: Literal["events", "people"] = "events"
    comparison: Literal["above", "below"]
    value: Annotated[int, Field(ge=0, le=10**12)]
    window_seconds: WINDOW = 3_600


class SilenceRule(BaseModel):
    """Fires when an event, or one of the stages of a funnel, has not come for the whole window."""

    model_config = REQUEST

    kind: Literal["silence"]
    event: NAME | None = None
    funnel_id: ID | None = None
    window_seconds: WINDOW = 86_400

    @model_validator(mode="after")
    def _names_one(self) -> "SilenceRule":
        if (self.event is None) == (self.funnel_id is None):
            raise ValueError("needs one of event and funnel_id")
        return self


class ConversionRule(BaseModel):
    """Fires when fewer percent than `below` of those who entered a funnel within the window have finished it."""

    model_config = REQUEST

    kind: Literal["conversion"]
    funnel_id: ID
    below: Annotated[float, Field(gt=0, le=100)]
    window_seconds: WINDOW = 7 * 86_400
    people_min: Annotated[int, Field(ge=1, le=10**9)] = Field(20, description="With fewer who entered nothing is said.")


class AnomalyRule(BaseModel):
    """Fires when the last complete day of the project's time zone was unusual."""

    model_config = REQUEST

    kind: Literal["anomaly"]
    event: NAME | None = Field(None, description="A type of event; all of the most frequent ones if absent.")
    measure: Literal["events", "people"] = "events"
    sensitivity: Literal["low", "medium", "high"] = "medium"
    direction: Literal["any", "up", "down"] = "any"


Rule = Annotated[ThresholdRule | SilenceRule | ConversionRule | AnomalyRule, Field(discriminator="kind")]


class AlertChoice(BaseModel):
    model_config = REQUEST

    name: NAME = Field(examples=["Purchases stopped"])
    rule: Rule
    webhook_url: Annotated[str, Field(max_length=URL_CHARS_MAX), AfterValidator(address_of_hook)] | None = Field(
        None, description="Null: the rule is only shown.", examples=["https://hooks.example.org/iafa"]
    )
    interval_seconds: Annotated[int, Field(ge=60, le=86_400)] = Field(300, description="Between two looks.")
    is_paused: bool = False


class DeliveryAnswer(BaseModel):
    at: str = TIME
    type: str
    outcome: Literal["delivered", "failed", "replaced"]
    attempts: int
    detail: str
    status: int | None = Field(description="What the host answered.")


class WaitingAnswer(BaseModel):
    attempts: int = Field(description="That have failed.")
    detail: str = Field(
        description="Why the last one failed; empty before the first.", examples=["the host has no address"]
    )
    next_at: str = TIME


class AlertAnswer(BaseModel):
    id: str
    project_id: str
    name: str
    rule: Rule
    webhook_url: str | None
    interval_seconds: int
    is_paused: bool
    version: int
    status: Literal["unknown", "ok", "firing", "error"]
    text: str = Field(description="What was found at the last look.")
    checked_at: str | None
    changed_at: str | None = Field(description="When a message was last made, or would have been with a webhook.")
    is_waiting: bool = Field(description="Whether a message waits to be delivered.")
    waiting: WaitingAnswer | None = Field(None, description="Of the message that waits.")
    deliveries: list[DeliveryAnswer] = Field(description="Of the last ten messages, the newest first.")
    created_at: str = TIME
    updated_at: str = TIME


class NewAlertAnswer(AlertAnswer):
    secret: str | None = Field(
        description="Signs the messages. Shown this once: when a rule is made with a webhook, or gets its first."
    )


class AlertList(BaseModel):
    alerts: list[AlertAnswer]


class SendingAnswer(BaseModel):
    is_delivered: bool
    detail: str
    status: int | None

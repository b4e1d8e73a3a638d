"""Bodies of share links, for those who make them and for those who open them."""

from typing import Annotated, Any

from pydantic import BaseModel, Field

from iafa.api.project_models import NAME, REQUEST, TIME
from iafa.api.view_models import CARD_ID, DAY_TEXT, ID, CardPlace, Saved, ViewKind, ViewRange
from iafa.meta.passwords import CHARS_MAX
from iafa.meta.shares import ShareKind

CHOOSABLE_DAYS_MAX = 3_660


class ShareChoice(BaseModel):
    """What a link shows, and to whom and how long."""

    model_config = REQUEST

    kind: ShareKind = Field(examples=["board"])
    target_id: ID = Field(description="The funnel, saved view or board.", examples=["b2k5m8q1t4w7z0c3g6j9"])
    label: NAME | None = Field(None, description="For the list of links; not shown by the link.", examples=["For Eve"])
    question: dict[str, Any] | None = Field(
        None,
        description="Of a funnel: what else is asked, as in a card, without `funnel_id`.",
        examples=[None],
    )
    range: ViewRange | None = Field(None, description="Replaces all dates of what is shown.")
    choosable_days: Annotated[int, Field(ge=1, le=CHOOSABLE_DAYS_MAX)] | None = Field(
        None,
        description="Whoever has the link may choose days among the last so many, today included. Null: none.",
        examples=[90],
    )
    password: Annotated[str, Field(max_length=CHARS_MAX)] | None = Field(None, examples=[None])
    expires_at: DAY_TEXT | None = Field(None, description="An instant with zone.", examples=["2027-01-01T00:00:00Z"])


class ShareAnswer(Saved):
    kind: ShareKind
    target_id: str
    target_name: str | None = Field(description="Null when it is not there any more: the link shows nothing.")
    label: str | None
    question: dict[str, Any]
    range: ViewRange | None
    choosable_days: int | None
    has_password: bool
    expires_at: str | None
    is_expired: bool
    token_end: str = Field(description="The last four characters of the token.", examples=["x7Qa"])
    opened: int = Field(description="How often it was opened, about.", examples=[12])
    last_opened_at: str | None


class NewShareAnswer(ShareAnswer):
    token: str = Field(description="The link is `/s/` and this token. Shown this once: for a lost one make a new link.")


class ShareList(BaseModel):
    shares: list[ShareAnswer]


class SharePassword(BaseModel):
    model_config = REQUEST

    password: Annotated[str, Field(max_length=CHARS_MAX)]


class SharePass(BaseModel):
    share_pass: str = Field(description="Send it as `X-Share-Pass`.")
    expires_in: int = Field(description="Seconds.", examples=[43_200])


class SharedCard(CardPlace):
    """A place and how it is drawn. What is asked is not told."""

    id: CARD_ID = Field(examples=["c1"])
    kind: ViewKind
    title: str | None
    text: str | None = Field(description="Of a note.")
    view: dict[str, Any]
    range: ViewRange | None = Field(description="The dates that it is answered for, if none are chosen.")


class SharedThing(BaseModel):
    kind: ShareKind
    title: str = Field(examples=["Monday morning"])
    project_name: str = Field(examples=["Shop"])
    timezone: str = Field(examples=["Europe/Vienna"])
    choosable_days: int | None
    expires_at: str | None = TIME
    cards: list[SharedCard] = Field(description="One, for a funnel and a saved view.")


class SharedAnswer(BaseModel):
    """The card's answer, as its report or funnel answers, without ids and receipts."""

    card: str
    kind: ViewKind
    answer: dict[str, Any]

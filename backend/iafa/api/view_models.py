"""Bodies of saved views, boards and notes on dates. What a question may say, its kind's own reader decides."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from iafa.api.project_models import NAME, REQUEST, TIME
from iafa.api.text import several_lines

COLUMNS = 12
ROWS_MAX = 1_000
HEIGHT_MAX = 24
CARDS_MAX = 40
QUESTION_BYTES_MAX = 16_000
DISPLAY_BYTES_MAX = 4_000
BOARD_BYTES_MAX = 128_000
NOTE_CHARS_MAX = 500

ViewKind = Literal["funnel", "trends", "retention", "paths", "sessions", "overview", "events", "note"]
Preset = Literal["today", "yesterday", "week", "last_week", "month", "last_month", "7d", "30d", "90d", "12m", "all"]
ID = Annotated[str, Field(pattern=r"^[a-z0-9]{1,64}$")]
CARD_ID = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")]
DAY_TEXT = Annotated[str, Field(max_length=40)]
QUESTION_TEXT = (
    "Of `funnel`: `funnel_id` and the parameters of `GET /analytics/funnel/{funnel_id}`. Of `trends`, `retention`, "
    "`paths`, `sessions`, `overview`: the body of the report's POST route without `project_id` and `format`. Of "
    "`events`: the parameters of `GET /events` that choose and show events, `filters` as JSON. Of `note`: `text`."
)


class ViewRange(BaseModel):
    """Days that move on with time (`preset`), or fixed ones; a side that is absent is open."""

    model_config = REQUEST

    preset: Preset | None = Field(
        None, description="`7d`: today and the six days before it; `12m`: 365 days; `week`: from Monday to today."
    )
    start_date: DAY_TEXT | None = Field(None, examples=[None])
    end_date: DAY_TEXT | None = Field(None, examples=[None])

    @model_validator(mode="after")
    def _is_one(self) -> "ViewRange":
        if (self.preset is None) == (self.start_date is None and self.end_date is None):
            raise ValueError("needs a preset, or start_date and end_date")
        return self


class CardBody(BaseModel):
    """What is asked and how it is shown."""

    model_config = REQUEST

    kind: ViewKind = Field(examples=["trends"])
    title: NAME | None = Field(None, examples=["Buyers by day"])
    question: dict[str, Any] = Field(
        description=QUESTION_TEXT, examples=[{"series": [{"event": "purchase", "measure": "people"}]}]
    )
    range: ViewRange | None = Field(None, description="Replaces the dates of the question.")
    view: dict[str, Any] = Field({}, description="How it is drawn; up to 4,000 bytes.", examples=[{"chart": "line"}])


class ViewChoice(CardBody):
    """A card's body with a name."""

    name: NAME = Field(examples=["Buyers"])


class CardPlace(BaseModel):
    """A place on the grid of 12 columns. Cards do not overlap."""

    model_config = REQUEST

    id: CARD_ID | None = Field(None, description="Made by the server if absent.", examples=["c1"])
    x: int = Field(ge=0, lt=COLUMNS, examples=[0])
    y: int = Field(ge=0, lt=ROWS_MAX, examples=[0])
    w: int = Field(ge=1, le=COLUMNS, examples=[6])
    h: int = Field(ge=1, le=HEIGHT_MAX, examples=[4])


class CardChoice(CardPlace):
    """A card refers to a saved view by `view_id`, or has a kind and a question of its own."""

    view_id: ID | None = Field(None, examples=[None])
    kind: ViewKind | None = Field(None, examples=["trends"])
    title: NAME | None = Field(None, examples=["Buyers by day"])
    question: dict[str, Any] | None = Field(None, description=QUESTION_TEXT, examples=[{"series": [{"event": "a"}]}])
    range: ViewRange | None = Field(None, description="Replaces the dates of the question, or of the saved view.")
    view: dict[str, Any] = Field({}, description="How it is drawn; up to 4,000 bytes.", examples=[{"chart": "line"}])

    @model_validator(mode="after")
    def _asks_one_thing(self) -> "CardChoice":
        has_own = self.kind is not None and self.question is not None
        has_any = self.kind is not None or self.question is not None
        if has_any if self.view_id is not None else not has_own:
            raise ValueError("needs view_id, or kind and question")
        return self


class BoardChoice(BaseModel):
    model_config = REQUEST

    name: NAME = Field(examples=["Monday morning"])
    range: ViewRange | None = Field(None, description="Of cards that say no dates.")
    cards: list[CardChoice] = Field([], max_length=CARDS_MAX)


class Saved(BaseModel):
    """What everything that is saved has."""

    id: str = Field(examples=["v2k5m8q1t4w7z0c3g6j9"])
    project_id: str = Field(examples=["p7c1n4d8j2g5b9f3h6m0"])
    author: str | None = Field(description="Who made it; null when that user is gone.", examples=["Ada"])
    version: int = Field(description="Goes up with every change; the value of `If-Match`.", examples=[1])
    created_at: str = TIME
    updated_at: str = TIME


class SavedView(Saved, ViewChoice):
    pass


class ViewList(BaseModel):
    views: list[SavedView]


class Card(CardChoice):
    id: CARD_ID = Field(examples=["c1"])


class Board(Saved, BoardChoice):
    cards: list[Card]  # type: ignore[assignment]  # the shape that is stored


class BoardList(BaseModel):
    boards: list[Board]


class NoteChoice(BaseModel):
    model_config = REQUEST

    start: DAY_TEXT = Field(
        description="A day of the project's time zone, or an instant with zone.", examples=["2026-10-01"]
    )
    end: DAY_TEXT | None = Field(None, description="The last day, for a note on several.", examples=[None])
    text: Annotated[str, Field(min_length=1, max_length=NOTE_CHARS_MAX), AfterValidator(several_lines)] = Field(
        examples=["New prices"]
    )


class Note(Saved, NoteChoice):
    pass


class NoteList(BaseModel):
    notes: list[Note]

"""Paths and journeys as the OpenAPI document shows them."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from iafa.api.funnel_models import TIME, FunnelDefinition
from iafa.api.report_models import EventMatcher, RangeAnswer, ReportQuestion, SampledAnswer
from iafa.query.reports.flow_graph import Direction
from iafa.query.reports.flows import DEPTH_DEFAULT, DEPTH_MAX, EVENTS_MAX, TOP_DEFAULT, TOP_MAX, Nodes, Unit

UNIT_TEXT = "Whose way is followed: of each session that begins in the range, or of each person."
NODES_TEXT = "`event`: by the event's name. `page`: page views by their path."
START_TEXT = "Forward from the first of these events: its name, or a matcher as JSON."
END_TEXT = "Back from the last of these events; with `start` the way between the two."
DROP_TEXT = "Forward from the event that filled the stage, for people who got no further in the funnel."
DEPTH_TEXT = "So many steps are shown."
TOP_TEXT = "So many names at each step; the others are one."
COLLAPSE_TEXT = "The same name several times in a row is one step."
INCLUDE_TEXT = "Only these events are steps."
EXCLUDE_TEXT = "These events are no steps."


class FlowDrop(BaseModel):
    """Takes one of `funnel` and `funnel_id`."""

    model_config = ConfigDict(extra="forbid")

    funnel: FunnelDefinition | None = Field(None, description="An ordered funnel of people.")
    funnel_id: str | None = Field(None, description="A saved one of the project.", examples=["f2k5m8q1t4w7z0c3g6j9"])
    stage: int = Field(ge=1, le=19, description="The last stage that they reached.", examples=[2])


class PathsQuestion(ReportQuestion):
    """Which ways do people or sessions take."""

    unit: Unit = Field("session", description=UNIT_TEXT)
    nodes: Nodes = Field("event", description=NODES_TEXT)
    start: EventMatcher | str | None = Field(None, description=START_TEXT)
    end: EventMatcher | str | None = Field(None, description=END_TEXT)
    after_drop: FlowDrop | None = Field(None, description=DROP_TEXT)
    depth: int = Field(DEPTH_DEFAULT, ge=1, le=DEPTH_MAX, description=DEPTH_TEXT)
    top: int = Field(TOP_DEFAULT, ge=1, le=TOP_MAX, description=TOP_TEXT)
    collapse: bool = Field(True, description=COLLAPSE_TEXT)
    include_events: list[str] | None = Field(None, max_length=EVENTS_MAX, description=INCLUDE_TEXT)
    exclude_events: list[str] = Field([], max_length=EVENTS_MAX, description=EXCLUDE_TEXT)


class FlowNode(BaseModel):
    """What comes in by links goes out by links, ends here, or goes on further than is shown."""

    id: int = Field(description="Its place in the list.", examples=[0])
    depth: int = Field(description="The step, from 1; backward counted from the end.", examples=[1])
    name: str = Field(examples=["page_view"])
    kind: Literal["value", "other", "exit", "entry"] = Field(description="`other`: names beyond the most frequent.")
    entities: int = Field(examples=[1802])
    percent: float = Field(description="Of all that are followed.", examples=[64.4])
    ends: int = Field(description="Have no further step (backward: none before).", examples=[310])
    goes_on: int = Field(description="Have more steps than are shown; at the last depth only.", examples=[0])


class FlowLink(BaseModel):
    """From the earlier to the later step."""

    source: int = Field(examples=[0])
    target: int = Field(examples=[4])
    value: int = Field(examples=[911])


class FlowPath(BaseModel):
    names: list[str] = Field(examples=[["page_view", "add_to_cart"]])
    entities: int = Field(examples=[204])
    percent: float = Field(examples=[7.29])
    is_whole: bool = Field(description="False: it has more steps than are shown.")


class FlowDropAnswer(BaseModel):
    funnel: str = Field(examples=["Checkout"])
    stage: int = Field(examples=[2])


class PathsAnswer(SampledAnswer):
    unit: Unit
    nodes_by: Nodes
    direction: Direction
    start: str | None = Field(examples=["search"])
    end: str | None
    after_drop: FlowDropAnswer | None
    depth: int = Field(examples=[5])
    top: int = Field(examples=[10])
    collapse: bool
    entities: int = Field(description="Sessions or people that are followed.", examples=[2798])
    nodes: list[FlowNode]
    links: list[FlowLink]
    paths: list[FlowPath] = Field(description="The most frequent ways, at most 20.")


class JourneyEvent(BaseModel):
    id: str = Field(examples=["8f0b3a1c-0f6e-4a53-9d0f-0a5d3c1b2e11"])
    time: str = TIME
    event: str = Field(examples=["page_view"])
    page: str | None = Field(description="The path, of a page view with an address.", examples=["/cart"])
    gap_s: float | None = Field(description="Seconds since the person's event before; null for the first.")


class JourneySession(BaseModel):
    """A session as far as it is on the page; it may go on on the next one."""

    session_start: str = TIME
    events: list[JourneyEvent]


class JourneyAnswer(RangeAnswer):
    user_id: str = Field(description="As asked.", examples=["user-42"])
    sessions: list[JourneySession]
    next_cursor: str | None = Field(description="Null on the last page.")

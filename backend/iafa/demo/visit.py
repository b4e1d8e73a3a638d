"""One visit as it is recorded: the visitor's place and time, and the wire events that come of it."""

from typing import NotRequired, TypedDict
from urllib.parse import quote

import numpy as np

from iafa.demo.draws import Draws
from iafa.demo.people import Person, Screen
from iafa.demo.rhythm import DIRECT, Channel

SITE = "https://shop.example"

Value = str | int | float | bool | list[str]
Properties = dict[str, Value]


class Place(TypedDict):
    """Who is where: what the events of one page have in common."""

    anonymous_id: str
    session_id: str
    source: str
    user_agent: str
    url: str
    user_id: NotRequired[str]
    referrer: NotRequired[str]


class WireEvent(Place):
    """An event as `POST /track` takes it. `timestamp` is ISO 8601 in UTC with microseconds."""

    id: str
    event_type: str
    timestamp: str
    properties: Properties


class Tape:
    """Numbers the events of one run and hands them out in time order."""

    def __init__(self, namespace: str) -> None:
        self.namespace = namespace
        self._events = 0
        self._visits = 0
        self._orders = 0
        # The event's number is unique, so that sorting never compares further than it.
        self._pending: list[tuple[int, int, str, Place, Properties]] = []

    @property
    def pending(self) -> int:
        return len(self._pending)

    def next_session_id(self) -> str:
        self._visits += 1
        return f"s{self.namespace[:12]}{self._visits:07x}"

    def next_order_id(self) -> str:
        self._orders += 1
        return f"order-{self.namespace[:6]}-{self._orders:05d}"

    def write(self, at_us: int, event_type: str, place: Place, properties: Properties) -> None:
        self._events += 1
        self._pending.append((at_us, self._events, event_type, place, properties))

    def take_before(self, instant_us: int) -> list[WireEvent]:
        """Remove and return what happened before the instant, oldest first."""
        self._pending.sort()
        ready = sum(entry[0] < instant_us for entry in self._pending)
        taken = self._pending[:ready]
        del self._pending[:ready]
        # One by one in Python the time stamps would be a third of the whole work.
        times = np.array([entry[0] for entry in taken], dtype="datetime64[us]")
        stamps: list[str] = np.datetime_as_string(times, unit="us", timezone="UTC").tolist()
        prefix = self.namespace[:16]
        return [
            {
                "id": f"{prefix}{number:08x}",
                "event_type": event_type,
                "timestamp": stamp,
                **place,
                "properties": properties,
            }
            for stamp, (_, number, event_type, place, properties) in zip(stamps, taken, strict=True)
        ]

    def forget(self) -> None:
        """Drop what has not happened yet."""
        self._pending.clear()


class Visit:
    """A visitor in the shop. `page` and `record` write to the tape, `pause` and `blink` let time pass."""

    __slots__ = (
        "_common",
        "_landing_query",
        "_place",
        "_tape",
        "at_us",
        "channel",
        "draws",
        "person",
        "screen",
    )

    def __init__(self, tape: Tape, draws: Draws, *, person: Person, channel: Channel, at_us: int) -> None:
        self._tape = tape
        self.draws = draws
        self.person = person
        self.at_us = at_us
        screens = person.screens
        self.screen: Screen = screens[-1] if len(screens) > 1 and draws.chance(0.35) else screens[0]
        # An app is opened from the home screen, whatever brought the others at this hour.
        self.channel = channel if self.screen.device.source == "web" else DIRECT
        self._landing_query = ""
        self._common = self._session_properties()
        self._place = self._outside()

    def page(self, path: str, *, title: str, query: str = "") -> None:
        query = query or self._landing_query
        self._landing_query = ""
        place = self._place.copy()
        if place["url"]:
            place["referrer"] = place["url"]
        place["url"] = f"{SITE}{path}?{query}" if query else f"{SITE}{path}"
        self._place = place
        self.record("page_view", {"path": path, "title": title})

    def search_page(self, text: str) -> None:
        self.page("/search", title="Search", query=f"q={quote(text)}")

    def record(self, event_type: str, properties: Properties) -> None:
        self._tape.write(self.at_us, event_type, self._place, self._common | properties)

    def pause(self, median_s: float) -> None:
        self.at_us += self.draws.pause_us(median_s)

    def blink(self) -> None:
        """The moment between a page and what its script reports."""
        self.at_us += self.draws.whole(20_000, 400_000)

    def identify(self) -> None:
        """From here on the events carry the user id."""
        self.screen.is_signed_in = True
        self._common["plan"] = self.person.plan
        self._place = self._place.copy()
        self._place["user_id"] = self.person.user_id
        self.blink()
        self.record("identify", {})

    def new_order_id(self) -> str:
        return self._tape.next_order_id()

    def _outside(self) -> Place:
        place: Place = {
            "anonymous_id": self.screen.anonymous_id,
            "session_id": self._tape.next_session_id(),
            "source": self.screen.device.source,
            "user_agent": self.screen.device.user_agent,
            "url": "",
        }
        if self.screen.is_signed_in:
            place["user_id"] = self.person.user_id
        if self.channel.referrer:
            place["referrer"] = self.channel.referrer
        return place

    def _session_properties(self) -> Properties:
        device = self.screen.device
        common: Properties = {
            "device": device.form,
            "browser": device.browser,
            "os": device.os,
            # Not `country`: that is found from addresses, of which a demo has none.
            "delivery_country": self.person.country.code,
            "language": self.person.country.language,
            "channel": self.channel.name,
        }
        if self.channel.campaign is not None:
            source, medium, name = self.channel.campaign
            self._landing_query = f"utm_source={source}&utm_medium={medium}&utm_campaign={name}"
            common["utm_source"], common["utm_medium"], common["utm_campaign"] = source, medium, name
        if self.screen.is_signed_in:
            common["plan"] = self.person.plan
        return common

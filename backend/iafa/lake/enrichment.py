"""Enrichment: what is known of a browser, a campaign and a location beyond what the event says of itself.

Derived from distinct values, so that a million events cost a few look-ups. It never costs an event: what cannot be
derived stays null, and is counted. Flush, uploads and the unflushed tail of a question are enriched alike.
"""

import logging
import re
import threading
from collections.abc import Callable, Sequence
from functools import lru_cache, partial
from urllib.parse import parse_qsl, urlsplit

import pyarrow as pa
import pyarrow.compute as pc

from iafa.event import CONTROL, NAME_CHARS_MAX, Campaign, Event
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.agents import UNKNOWN, Agent, Read, agent_reader
from iafa.metrics import Counters

log = logging.getLogger("iafa.enrichment")
AGENTS_KEPT = 4_096
KEPT_CHARS_MAX = 1_024  # of a user agent; a longer one is read each time it comes
NEW_AGENTS_MAX = 20_000  # of one table: senders who invent a new one for each event must not stop the flush
CAMPAIGN_COLUMNS = tuple(f"utm_{name}" for name in Campaign.__struct_fields__)
_TAGGED = re.compile(r"[?&]utm_")
Columns = dict[str, pa.Array]


class Enrichment:
    """One a process: it keeps what it has found out."""

    def __init__(
        self, counters: Counters | None = None, hit: Hit = no_failpoints, make_reader: Callable[[], Read] = agent_reader
    ) -> None:
        self._counters = counters or Counters()
        self._hit = hit
        self._make_reader = make_reader
        self._read: Read | None = None
        self._is_absent = False
        self._lock = threading.Lock()
        self._known = lru_cache(AGENTS_KEPT)(self._look_at)

    def columns(self, events: Sequence[Event], agents: pa.Array, urls: pa.Array) -> Columns:
        """The columns that could be derived; one that is not among them is null."""
        found: Columns = {}
        steps: tuple[tuple[str, Callable[[], Columns]], ...] = (
            ("user_agent", partial(self._of_agents, agents)),
            ("campaign", partial(_of_campaigns, events, urls)),
            ("location", partial(_of_locations, events)),
        )
        for what, derive in steps:
            try:
                self._hit(f"enrich.{what}")
                found |= derive()
            except MemoryError:
                raise
            except Exception as error:
                self._failed(what, error)
        return found

    def _of_agents(self, agents: pa.Array) -> Columns:
        encoded = agents.dictionary_encode()
        distinct = encoded.dictionary.to_pylist()
        if not distinct or not self._can_read():
            return {}
        if len(distinct) > NEW_AGENTS_MAX:
            self._counters.add("enrichment_failures", "too_many_user_agents", len(distinct) - NEW_AGENTS_MAX)
        known = [self._agent(text) for text in distinct[:NEW_AGENTS_MAX]]
        known += [UNKNOWN] * (len(distinct) - len(known))
        return {
            name: pa.array([agent[place] for agent in known], pa.string()).take(encoded.indices)
            for place, name in enumerate(Agent._fields)
        }

    def _agent(self, text: str) -> Agent:
        try:
            return self._known(text) if len(text) <= KEPT_CHARS_MAX else self._look_at(text)
        except MemoryError:
            raise
        except Exception as error:
            self._failed("user_agent", error)
            return UNKNOWN

    def _look_at(self, text: str) -> Agent:
        assert self._read is not None
        return self._read(text)

    def _can_read(self) -> bool:
        with self._lock:
            if self._read is None and not self._is_absent:
                try:
                    self._read = self._make_reader()
                except ImportError as error:
                    self._is_absent = True  # said once; the columns stay empty
                    log.error("browsers are not told apart: %s; install the package ua-parser[regex]", error)
                    self._counters.add("enrichment_failures", "user_agent")
            return self._read is not None

    def _failed(self, what: str, error: Exception) -> None:
        self._counters.add("enrichment_failures", what)
        log.warning("enrichment=%s failed: %s; events are stored without it", what, type(error).__name__)


def _of_campaigns(events: Sequence[Event], urls: pa.Array) -> Columns:
    """What a client names, else the `utm_` parameters of the page's address. Never one campaign's part of each."""
    named = [event.campaign for event in events]
    is_tagged = pc.match_substring(urls, "utm_").to_pylist() if len(urls) else []
    if not any(named) and not any(is_tagged):
        return {}
    in_address: dict[str, Campaign | None] = {}
    for number, event in enumerate(events):
        if is_tagged[number] and not named[number] and event.url is not None:
            if event.url not in in_address:
                in_address[event.url] = campaign_of(event.url)
            named[number] = in_address[event.url]
    return {
        f"utm_{name}": pa.array([campaign and getattr(campaign, name) for campaign in named], pa.string())
        for name in Campaign.__struct_fields__
    }


def campaign_of(url: str) -> Campaign | None:
    """The campaign in an address; the first parameter of a name counts. None when it names none."""
    if not _TAGGED.search(url):
        return None
    try:
        parameters = parse_qsl(urlsplit(url).query)
    except ValueError:
        return None
    found: dict[str, str] = {}
    for name, value in parameters:
        if name in CAMPAIGN_COLUMNS and len(value) <= NAME_CHARS_MAX and not CONTROL.search(value):
            found.setdefault(name.removeprefix("utm_"), value)
    return Campaign(**found) if found else None


def _of_locations(events: Sequence[Event]) -> Columns:
    """Found when the event was collected, while its address was known. The client's own time zone counts first."""
    found = [event.location for event in events]
    if not any(found):
        return {}
    columns: Columns = {
        name: pa.array([location and getattr(location, name) for location in found], pa.string())
        for name in ("country", "region", "city")
    }
    zones = [event.timezone or (location and location.timezone) for event, location in zip(events, found, strict=True)]
    return columns | {"timezone": pa.array(zones, pa.string())}


class _Nothing(Enrichment):
    """For who looks only at what an event says itself."""

    def columns(self, events: Sequence[Event], agents: pa.Array, urls: pa.Array) -> Columns:
        return {}


PLAIN = Enrichment()
BARE = _Nothing()

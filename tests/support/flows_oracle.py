"""Paths by the words of section 8 of the semantics: a loop over people, sessions and their events. Imports nothing of
the product. An event has the keys of `report_lake.an_event`.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Event = Mapping[str, Any]
Predicate = Callable[[Event], bool]


@dataclass(frozen=True)
class Asked:
    """[lo, hi) is the range. An anchor is the id of the event that a path begins with, whatever it is."""

    lo: int
    hi: int
    keep: Predicate = lambda _event: True
    start: Predicate | None = None
    end: Predicate | None = None
    anchors: frozenset[str] | None = None
    by_session: bool = True
    by_page: bool = False
    is_step: Predicate = lambda _event: True
    collapse: bool = True
    depth: int = 5
    top: int = 10
    gap_us: int = 3_600_000_000

    def begins(self, event: Event) -> bool:
        if self.anchors is not None:
            return event["id"] in self.anchors
        return self.start is not None and self.start(event)

    def ends(self, event: Event) -> bool:
        return self.end is not None and self.end(event)

    @property
    def is_back(self) -> bool:
        return self.end is not None and self.start is None

    def name(self, event: Event) -> str:
        if self.by_page and event["name"] == "page_view" and event["url"] is not None:
            return urlsplit(event["url"]).path.rstrip("/") or "/"
        return str(event["name"])

    def matters(self, event: Event) -> bool:
        is_page = event["name"] == "page_view" and event["url"] is not None
        is_step = self.is_step(event) and (is_page or not self.by_page)
        return self.keep(event) and (is_step or self.begins(event) or self.ends(event))


def histories(events: Iterable[Event], asked: Asked) -> list[list[Event]]:
    """Of people in the range, or sessions that begin in it, in (t, id) order."""
    by_person = defaultdict(list)
    for event in sorted(events, key=lambda one: (one["t"], one["id"])):
        by_person[event["person"]].append(event)
    if not asked.by_session:
        return [[event for event in history if asked.lo <= event["t"] < asked.hi] for history in by_person.values()]
    found = []
    for history in by_person.values():
        sessions: list[list[Event]] = []
        for event in history:
            if not sessions or event["t"] - sessions[-1][-1]["t"] > asked.gap_us:
                sessions.append([])
            sessions[-1].append(event)
        found += [session for session in sessions if asked.lo <= session[0]["t"] < asked.hi]
    return found


def walk(history: Sequence[Event], asked: Asked) -> list[str]:
    """The names of the steps, all of them, in the order that they are walked."""
    events = [event for event in history if asked.matters(event)]
    if asked.start is not None or asked.anchors is not None:
        first = next((place for place, event in enumerate(events) if asked.begins(event)), len(events))
        events = events[first:]
        if asked.end is not None:
            last = next((place for place, event in enumerate(events) if place and asked.ends(event)), -1)
            events = events[: last + 1]
    elif asked.end is not None:
        last = max((place for place, event in enumerate(events) if asked.ends(event)), default=-1)
        events = events[: last + 1][::-1]
    names = [asked.name(event) for event in events]
    if not asked.collapse:
        return names
    return [name for place, name in enumerate(names) if place == 0 or names[place - 1] != name]


@dataclass
class Flow:
    """Nodes are (depth, name or None for the others)."""

    entities: int = 0
    nodes: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    links: Counter[tuple[int, str | None, str | None]] = field(default_factory=Counter)
    ends: Counter[tuple[int, str | None]] = field(default_factory=Counter)
    goes_on: Counter[str | None] = field(default_factory=Counter)
    whole: Counter[tuple[tuple[str, ...], bool]] = field(default_factory=Counter)


def flow(events: Iterable[Event], asked: Asked) -> Flow:
    ways = [way for history in histories(events, asked) if (way := walk(history, asked))]
    named: dict[int, list[str]] = {}
    for depth in range(asked.depth):
        counts = Counter(way[depth] for way in ways if depth < len(way))
        named[depth] = sorted(counts, key=lambda name: (-counts[name], name))[: asked.top]
    found = Flow(entities=len(ways))
    for way in ways:
        shown: list[str | None] = [
            name if name in named[depth] else None for depth, name in enumerate(way[: asked.depth])
        ]
        for depth, name in enumerate(shown):
            found.nodes[depth + 1, name] += 1
            if depth + 1 < len(shown):
                found.links[depth + 1, name, shown[depth + 1]] += 1
        if len(way) > asked.depth:
            found.goes_on[shown[-1]] += 1
        else:
            found.ends[len(way), shown[-1]] += 1
        steps = tuple(way[: asked.depth])
        found.whole[steps[::-1] if asked.is_back else steps, len(way) <= asked.depth] += 1
    return found

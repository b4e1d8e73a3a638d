"""Does what a funnel names exist? Its events and properties compared with those of the project."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from iafa.checks.findings import Finding, Level, found
from iafa.checks.written import WrittenFunnel
from iafa.checks.yaml_text import Document
from iafa.clock import US_PER_DAY, to_iso
from iafa.lake.snapshot import Snapshot
from iafa.query.definition import ANY_EVENT, FunnelDefinition
from iafa.query.event_names import LIMIT_MAX, event_names
from iafa.query.field_errors import pointer_to
from iafa.query.presence import Presence, PropertyOf, names_of, presence, property_names
from iafa.wiring import House

NEAR = 0.6  # how alike two names must be, 1 is equal
NEAREST = 3


@dataclass(frozen=True)
class _Named:
    """A stage or an exclusion, and where it is written."""

    pointer: str
    raw: Mapping[str, Any]
    is_stage: bool
    events: tuple[str, ...]


@dataclass
class Existing:
    """Compares the funnels of one project with one snapshot. Blocks: call it in a thread."""

    house: House
    snapshot: Snapshot
    recent_days: int
    _known: list[str] | None = field(default=None)

    def findings(self, funnel: WrittenFunnel) -> list[Finding]:
        assert funnel.definition is not None
        if not self.snapshot.rows:
            message = "the project has no events yet; names were not compared"
            return [found(funnel.document, "warning", "no_events", message)]
        named = _named(funnel.document, funnel.definition)
        properties = list(_properties(funnel.document, funnel.definition, named))
        since_us = self.house.clock.now_us() - self.recent_days * US_PER_DAY
        seen = presence(
            self.house.engine,
            self.snapshot,
            funnel.definition,
            since_us=since_us,
            properties=[asked for _pointer, asked in properties],
        )
        findings = list(self._of_events(funnel.document, named, seen))
        findings += self._of_properties(funnel.document, properties, seen)
        return findings

    def _of_events(self, document: Document, named: Sequence[_Named], seen: Presence) -> Iterator[Finding]:
        for one, matched in zip(named, seen.matchers, strict=True):
            unknown = [name for name in one.events if name != ANY_EVENT and name not in seen.names]
            level: Level = "error" if one.is_stage and len(unknown) == len(one.events) else "warning"
            for name in unknown:
                message = f"no event is called {name!r}{self._nearest(name)}"
                yield found(document, level, "unknown_event", message, _pointer_of(one, name))
            if len(unknown) == len(one.events) or not one.is_stage:
                continue
            if matched.last_us is None:
                message = "no event matches this stage: see its page and its filters"
                yield found(document, "warning", "never_matched", message, one.pointer)
            elif not matched.people:
                message = (
                    f"nobody did this in the last {self.recent_days} days; the last time was {to_iso(matched.last_us)}"
                )
                yield found(document, "warning", "silent", message, one.pointer)

    def _of_properties(
        self, document: Document, asked: Iterable[tuple[str, PropertyOf]], seen: Presence
    ) -> Iterator[Finding]:
        for pointer, pair in asked:
            if pair in seen.properties:
                continue
            events, name = pair
            if ANY_EVENT not in events and not any(event in seen.names for event in events):
                continue  # that is said of the event already
            bare = name.removeprefix("property:")
            near = _said(bare, property_names(self.house.engine, self.snapshot, events))
            where = "any event" if ANY_EVENT in events else ", ".join(events[:NEAREST])
            yield found(document, "warning", "unknown_property", f"{name!r} was never seen on {where}{near}", pointer)

    def _nearest(self, name: str) -> str:
        if self._known is None:
            names = event_names(self.house.engine, self.snapshot, limit=LIMIT_MAX)
            self._known = [str(one["event_type"]) for one in names]
        return _said(name, self._known)


def _said(name: str, known: Sequence[str]) -> str:
    """The names that are most alike, as the end of a sentence."""
    folded = {_folded(one): one for one in reversed(known)}
    near = get_close_matches(_folded(name), list(folded), NEAREST, NEAR)
    return f"; did you mean {' or '.join(repr(folded[one]) for one in near)}?" if near else ""


def _folded(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum()) or name


def _named(document: Document, definition: FunnelDefinition) -> list[_Named]:
    value = document.value
    assert isinstance(value, Mapping)
    stages, exclusions = value["stages"], value.get("exclusions") or ()
    # The definition has the stages by their `order`, the document as they are written.
    places = sorted(range(len(stages)), key=lambda place: stages[place].get("order") or place + 1)
    named = [
        _Named(pointer_to("/stages", place), stages[place], True, names_of(stage))
        for place, stage in zip(places, definition.stages, strict=True)
    ]
    named += [
        _Named(pointer_to("/exclusions", place), exclusions[place], False, names_of(exclusion))
        for place, exclusion in enumerate(definition.exclusions)
    ]
    return named


def _pointer_of(one: _Named, name: str) -> str:
    """Where the name of an event is written."""
    if name in (one.raw.get("events") or ()):
        return pointer_to(pointer_to(one.pointer, "events"), one.raw["events"].index(name))
    return pointer_to(one.pointer, "event" if one.raw.get("event") else "page")


def _properties(
    document: Document, definition: FunnelDefinition, named: Sequence[_Named]
) -> Iterator[tuple[str, PropertyOf]]:
    """Every property that is named, where, and on which events it should be."""
    assert isinstance(document.value, Mapping)
    for one in named:
        for pointer, name in _filtered(one.raw.get("filters") or (), pointer_to(one.pointer, "filters")):
            yield pointer, (one.events, name)
    of_stages = tuple(sorted({event for one in named if one.is_stage for event in one.events}))
    everywhere = list(_filtered(document.value.get("filters") or (), "/filters"))
    everywhere += [(pointer_to("/hold", place), name) for place, name in enumerate(definition.hold)]
    if definition.breakdown is not None:
        everywhere.append(("/breakdown/property", definition.breakdown.property))
    for pointer, name in everywhere:
        yield pointer, (of_stages, name)


def _filtered(filters: Sequence[Mapping[str, Any]], pointer: str) -> Iterator[tuple[str, str]]:
    for place, condition in enumerate(filters):
        at = pointer_to(pointer, place)
        if "any_of" in condition:
            yield from _filtered(condition["any_of"], pointer_to(at, "any_of"))
        else:
            yield pointer_to(at, "property"), str(condition["property"])

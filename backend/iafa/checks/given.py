"""The events that a test is given: a short form by person, or a file of events. No storage, no funnel.

    ada: [product_view, add_to_cart: 10m, {event: purchase, at: 2h, properties: {total: 30}}]

A time is a distance from the test's start (`10m`, `1h30m`, seconds as a number), with `+` from the person's event
before, or an ISO 8601 time. Without one an event comes a second after the person's one before.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from iafa.clock import US_PER_S, to_iso
from iafa.event import ID_CHARS_MAX, NAME_CHARS_MAX, TIME_MAX_US, URL_BYTES_MAX
from iafa.ingest.pipeline import parse_time
from iafa.query.field_errors import FieldErrors, pointer_to
from iafa.query.pages import PAGE_EVENT

EVENTS_MAX = 2_000  # that a test writes out
PEOPLE_MAX = 500
START_US = 1_736_164_800 * US_PER_S  # 2025-01-06T12:00:00Z, a Monday
SITE = "https://example.com"
_SPAN = re.compile(r"(\+?)((?:[0-9]{1,9}(?:\.[0-9]{1,6})?(?:ms|s|m|h|d|w))+|[0-9]{1,9})")
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ms|s|m|h|d|w)?")
_UNIT_US = {"ms": 1_000, "s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "": 1}
_FIELDS = {"event", "page", "at", "id", "properties", "url", "user_id", "anonymous_id", "session_id", "source"}
_TEXTS = ("id", "user_id", "anonymous_id", "session_id", "source")


@dataclass(frozen=True)
class GivenEvent:
    """An event as the collect routes take it, and where it is written."""

    pointer: str
    wire: Mapping[str, object]


@dataclass(frozen=True)
class Given:
    """Events that are written out, or the file that holds them, relative to the file of the test."""

    events: tuple[GivenEvent, ...] = ()
    file: str | None = None


def read_given(raw: object, pointer: str, errors: FieldErrors) -> Given:
    if isinstance(raw, str):
        return Given(file=_file(raw, pointer, errors))
    people = errors.mapping(raw, pointer)
    if people is None:
        return Given()
    if len(people) > PEOPLE_MAX:
        errors.add(pointer, "too_long", f"must name at most {PEOPLE_MAX} people; put more into a file")
        return Given()
    events: list[GivenEvent] = []
    for person, items in people.items():
        at = pointer_to(pointer, person)
        errors.text(person, at, most=ID_CHARS_MAX)
        events += _Person(person, errors).events(items, at)
    if len(events) > EVENTS_MAX:
        errors.add(pointer, "too_long", f"must hold at most {EVENTS_MAX} events; put more into a file")
    # Ids in the order in which the events are written: they decide between events of the same instant.
    ids = [{"id": f"given-{number:06d}"} for number in range(len(events))]
    return Given(tuple(GivenEvent(one.pointer, own | dict(one.wire)) for own, one in zip(ids, events, strict=True)))


def _file(text: str, pointer: str, errors: FieldErrors) -> str:
    errors.text(text, pointer, most=URL_BYTES_MAX)
    path = PurePosixPath(text)
    if path.is_absolute() or path.suffix not in (".ndjson", ".csv"):
        errors.add(pointer, "bad_path", "must name an .ndjson or .csv file, from the folder of this file")
    return text


class _Person:
    """Reads one person's events; remembers the time of the one before."""

    def __init__(self, person: str, errors: FieldErrors) -> None:
        self._person = person
        self._errors = errors
        self._before_us: int | None = None

    def events(self, raw: object, pointer: str) -> list[GivenEvent]:
        items = self._errors.sequence(raw, pointer, most=EVENTS_MAX)
        return [self._event(item, pointer_to(pointer, index)) for index, item in enumerate(items)]

    def _event(self, raw: object, pointer: str) -> GivenEvent:
        if isinstance(raw, str):
            raw = {"event": raw}
        fields = self._errors.mapping(raw, pointer)
        if fields is None:
            return GivenEvent(pointer, {})
        if len(fields) == 1 and not {"event", "page"} & set(fields):
            ((name, at),) = fields.items()
            fields = {"event": name, "at": at}
        self._errors.unknown(fields, pointer, _FIELDS)
        wire: dict[str, object] = {"user_id": self._person}
        wire |= {key: self._text(fields[key], pointer, key) for key in _TEXTS if key in fields}
        wire |= self._what(fields, pointer)
        wire["timestamp"] = to_iso(self._time(fields, pointer))
        if fields.get("properties") is not None:
            wire["properties"] = self._errors.mapping(fields["properties"], pointer_to(pointer, "properties")) or {}
        return GivenEvent(pointer, wire)

    def _what(self, fields: Mapping[str, object], pointer: str) -> dict[str, object]:
        """The event's name and address; a page is a page view."""
        if ("event" in fields) == ("page" in fields):
            self._errors.add(pointer, "missing", "needs one of event and page")
            return {}
        if "event" in fields:
            name = self._errors.text(fields["event"], pointer_to(pointer, "event"), most=NAME_CHARS_MAX)
            url = {"url": self._text(fields["url"], pointer, "url")} if "url" in fields else {}
            return {"event_type": name, **url}
        page = self._errors.text(fields["page"], pointer_to(pointer, "page"), most=URL_BYTES_MAX)
        if page and not page.startswith("/"):
            self._errors.add(pointer_to(pointer, "page"), "bad_path", "must begin with /; or write event and url")
        return {"event_type": PAGE_EVENT, "url": SITE + page}

    def _text(self, value: object, pointer: str, key: str) -> str | None:
        """Null takes the person's own id away, for events from before somebody signed in."""
        return None if value is None else self._errors.text(value, pointer_to(pointer, key), most=URL_BYTES_MAX)

    def _time(self, fields: Mapping[str, object], pointer: str) -> int:
        after_us = START_US if self._before_us is None else self._before_us + US_PER_S
        time_us: int | None = after_us
        if fields.get("at") is not None:
            time_us = time_of(fields["at"], START_US if self._before_us is None else self._before_us)
            if time_us is None or not 0 <= time_us <= TIME_MAX_US:
                at = pointer_to(pointer, "at") if "at" in fields else pointer
                self._errors.add(at, "invalid_timestamp", "must be such as 10m, 1h30m, +5m, or a time of ISO 8601")
                time_us = after_us
        assert time_us is not None
        self._before_us = time_us
        return time_us


def time_of(raw: object, before_us: int) -> int | None:
    """Microseconds of a time as a test writes it; None if it is none."""
    if isinstance(raw, int | float) and not isinstance(raw, bool):
        return START_US + round(raw * US_PER_S)
    if not isinstance(raw, str):
        return None
    found = _SPAN.fullmatch(raw.replace(" ", ""))
    if found is None:
        return parse_time(raw)
    return (before_us if found[1] else START_US) + _span_us(found[2])


def _span_us(text: str) -> int:
    total = 0
    for number, unit in _PART.findall(text):
        seconds = float(number) if "." in number else int(number)
        total += round(seconds * _UNIT_US[unit] * (1 if unit == "ms" else US_PER_S))
    return total

"""The history of the demo shop: generate() writes its events in time order. No file, no clock, no network."""

from collections.abc import Iterator
from datetime import datetime

import numpy as np

from iafa.demo.checkout import Outage
from iafa.demo.crawler import crawl
from iafa.demo.draws import SECOND_US, Draws, digest, epoch_us, generator
from iafa.demo.journey import walk
from iafa.demo.people import Person, make_person, visit_counts, visit_places
from iafa.demo.rhythm import Calendar, Channel, incident, traffic
from iafa.demo.visit import Tape, Visit, WireEvent

BATCH_EVENTS = 5_000
REST_US = 20 * 60 * SECOND_US


def generate(
    *, seed: int, end: datetime, days: int = 90, people: int = 40_000, batch_events: int = BATCH_EVENTS
) -> Iterator[list[WireEvent]]:
    """Yield the shop's events before `end` in time order, in lists of at most `batch_events`.

    The history covers `days` local days of the shop (`HOME_ZONE`), the last one cut at `end`. The same
    arguments give the same events with the same ids, so that loading them twice stores nothing twice;
    anonymous ids depend on the seed alone.

    Raises ValueError for an `end` without a time zone or fewer than one day.
    """
    calendar = Calendar.ending(end, days)
    namespace = digest("history", seed, calendar.end.isoformat(), days, people)
    tape = Tape(namespace)
    draws = Draws(namespace, "walk")
    crowd: dict[int, Person] = {}
    outage = _outage(calendar)
    crawl(tape, calendar)
    ready: list[WireEvent] = []
    for at_us, number, visits, channel in _arrivals(calendar, namespace, people):
        ready += tape.take_before(at_us) if tape.pending > batch_events else []
        while len(ready) >= batch_events:
            yield ready[:batch_events]
            del ready[:batch_events]
        person = crowd.get(number)
        if person is None:
            person = make_person(draws, number=number, visits=visits, namespace=str(seed))
            if visits > 1:
                crowd[number] = person
        elif at_us < person.busy_until_us:
            continue
        visit = Visit(tape, draws, person=person, channel=channel, at_us=at_us)
        walk(visit, outage)
        person.busy_until_us = visit.at_us + REST_US
    ready += tape.take_before(epoch_us(calendar.end))
    for first in range(0, len(ready), batch_events):
        yield ready[first : first + batch_events]


def incident_of(*, end: datetime, days: int = 90) -> tuple[datetime, datetime] | None:
    """From and until (UTC) of the week in which that history's card form was broken on Mobile Safari.

    None if the history has fewer than 63 days. Raises ValueError as `generate` does.
    """
    return incident(Calendar.ending(end, days))


def _arrivals(calendar: Calendar, namespace: str, people: int) -> Iterator[tuple[int, int, int, Channel]]:
    """(time, person number, visits of that person, channel) of every visit, in time order."""
    source = generator(namespace, "arrivals")
    counts = visit_counts(source, people)
    owners, places = visit_places(source, counts)
    flow = traffic(calendar, source)
    times_us = flow.times_us(places)
    channels = flow.channels_at(times_us, source.random(len(times_us)))
    order = np.argsort(times_us, kind="stable")
    columns = (times_us[order], owners[order], counts[owners[order]], channels[order])
    for at_us, number, visits, channel in zip(*(column.tolist() for column in columns), strict=True):
        yield at_us, number, visits, flow.channels[channel]


def _outage(calendar: Calendar) -> Outage:
    span = incident(calendar)
    return None if span is None else (epoch_us(span[0]), epoch_us(span[1]))

"""The visitors who are in the demo shop right now. The caller brings the clock and sends the events."""

import math
from collections import deque
from datetime import datetime

from iafa.demo.draws import SECOND_US, Draws, Weighted, digest, epoch_us
from iafa.demo.journey import walk
from iafa.demo.people import Person, make_person
from iafa.demo.rhythm import EVERYDAY
from iafa.demo.visit import Tape, Visit, WireEvent

# Above every person of a history, so that a live visitor is never taken for one of them.
NUMBER_FIRST = 900_000
SILENCE_MAX_US = 120 * SECOND_US
REST_US = 60 * SECOND_US
KNOWN_MAX = 200


class LiveVisitors:
    """A small stream of visits: call `until` every second or so with the time.

    The visits depend on `seed` and `since` alone. Ids are new for every `since`, so that a demo that
    starts again never repeats one.
    """

    def __init__(self, *, seed: int, since: datetime, visits_per_minute: float = 10.0) -> None:
        if not 0.0 < visits_per_minute <= 6_000.0:
            raise ValueError(f"visits_per_minute must be above 0 and at most 6000, not {visits_per_minute}")
        self._namespace = digest("live", seed, epoch_us(since))
        self._tape = Tape(self._namespace)
        self._draws = Draws(self._namespace, "walk")
        self._channels = Weighted(EVERYDAY)
        self._gap_us = 60.0 * SECOND_US / visits_per_minute
        self._known: deque[Person] = deque(maxlen=KNOWN_MAX)
        self._met = 0
        self._next_arrival_us = self._now_us = epoch_us(since)

    def until(self, now: datetime) -> list[WireEvent]:
        """The events since the last call and before `now`, oldest first.

        After a silence of more than two minutes (a laptop that slept) the stream starts afresh at `now`:
        nobody walked through the shop meanwhile, and no burst of old events follows.
        """
        now_us = epoch_us(now)
        if now_us - self._now_us > SILENCE_MAX_US:
            self._tape.forget()
            self._next_arrival_us = now_us
        self._now_us = max(self._now_us, now_us)
        while self._next_arrival_us < self._now_us:
            self._let_in(self._next_arrival_us)
            self._next_arrival_us += 1 - int(self._gap_us * math.log1p(-self._draws.unit()))
        return self._tape.take_before(self._now_us)

    def _let_in(self, at_us: int) -> None:
        draws = self._draws
        person = draws.pick(self._known) if self._known and draws.chance(0.3) else None
        if person is None or at_us < person.busy_until_us:
            number = NUMBER_FIRST + self._met
            self._met += 1
            visits = draws.whole(1, 6)
            person = make_person(draws, number=number, visits=visits, namespace=self._namespace)
            self._known.append(person)
        channel = draws.weighted(self._channels)
        visit = Visit(self._tape, draws, person=person, channel=channel, at_us=at_us)
        walk(visit, None)
        person.busy_until_us = visit.at_us + REST_US

"""Days of events that arrived when they happened, and what a trend over them must say, counted by hand."""

import atexit
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from iafa.clock import US_PER_DAY, FakeClock, to_datetime
from iafa.event import Event
from iafa.lake.parts import Arrival, to_table
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import TestLake

Counts = dict[str, dict[str, tuple[int, int]]]  # event type (`*`: any) -> day -> (events, people)


def past_days(root: Path, days: int = 40) -> tuple[TestLake, list[Event]]:
    """A lake at NOON_US with a few events on each of the `days` days before, most of them merged."""
    template, events = _made(days)
    shutil.copytree(template, root)
    return TestLake(root, clock=FakeClock(NOON_US)), list(events)


@cache
def _made(days: int) -> tuple[Path, tuple[Event, ...]]:
    """Made once for all tests of a process."""
    root = Path(mkdtemp(prefix="iafa-history-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    lake = TestLake(root, clock=FakeClock(NOON_US - days * US_PER_DAY))
    everything = []
    for day in range(days):
        events = [
            make_event(
                id=f"d{day}-{number}",
                event_type=("page_view", "signup")[number % 3 == 0],
                user_id=f"user-{(number * 7 + day) % 5}",
                created_at=lake.clock.now_us() + number,
            )
            for number in range(3 + day % 4)
        ]
        arrivals = [Arrival(PROJECT, lake.clock.now_us(), event) for event in events]
        lake.appender.publish(PROJECT, lake.appender.write(PROJECT, to_table(arrivals), f"u{day}"))
        if day % 16 == 15:
            lake.compactor.run(everything=True)
        everything += events
        lake.clock.advance(86_400)
    return root, tuple(everything)


def counted_by_hand(events: Iterable[Event]) -> Counts:
    numbers: dict[str, Counter[str]] = defaultdict(Counter)
    people: dict[tuple[str, str], set[str | None]] = defaultdict(set)
    for event in events:
        day = to_datetime(event.created_at).date().isoformat()
        for name in (event.event_type, "*"):
            numbers[name][day] += 1
            people[name, day].add(event.user_id)
    return {name: {day: (n, len(people[name, day])) for day, n in days.items()} for name, days in numbers.items()}

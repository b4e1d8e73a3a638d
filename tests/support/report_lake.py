"""A lake of a web shop's events for tests of reports, written by the real pipeline: days of parts, compacted files and
an unflushed tail at once, with ties, late and repeated events, identity edges (some revoked), aliases and bots; and the
same events as plain mappings, for references that know nothing of the product.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from iafa.clock import FakeClock
from iafa.lake.snapshot import Snapshot
from tests.support.chance import chance
from tests.support.deliveries import ROBOT, deliver, edges_of
from tests.support.lake import TestLake
from tests.support.reports_oracle import owner

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US
BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:127.0) Gecko/20100101 Firefox/127.0",
)
NAMES = ("page_view", "search", "add_to_cart", "checkout", "purchase")
PATHS = ("/", "/search", "/p/1", "/p/2", "/cart", "/pay")
REFERRERS = (None, "https://www.google.com/", "https://news.example.com/a", "https://shop.example.com/cart")
PLANS = ("free", "pro", "", None)
# In Berlin clocks went forward on 2026-03-29 and back on 2025-10-26.
SPRING_US = int(datetime(2026, 3, 27, 12, tzinfo=UTC).timestamp()) * 1_000_000
AUTUMN_US = int(datetime(2025, 10, 24, 12, tzinfo=UTC).timestamp()) * 1_000_000


@dataclass(frozen=True)
class ReportLake:
    """`events` have the members of `an_event`, `person` (the canonical one) among them."""

    snapshot: Snapshot
    events: Sequence[Mapping[str, Any]]
    clock: FakeClock
    lake: TestLake


def report_lake(
    root: Path, *, people: int = 60, events: int = 900, days: int = 5, first_us: int = SPRING_US, salt: str = "reports"
) -> ReportLake:
    """Half of the events lie on quarters of an hour, so that ties and edges of buckets and sessions abound."""
    draw = chance(f"{salt} {people} {events} {days} {first_us}")
    made = [an_event(draw, number, people, days, first_us) for number in range(events)]
    edges = edges_of(draw, made, people, first_us, every=3)
    lake = TestLake(root, clock=FakeClock(first_us + (days + 1) * DAY_US))
    deliver(draw, lake, made, edges)
    known = [{**event, "person": owner(event, edges)} for event in made]
    return ReportLake(lake.take(), known, lake.clock, lake)


def an_event(draw: random.Random, number: int, people: int, days: int, first_us: int) -> dict[str, Any]:
    """Keys: id, t, name, user, anonymous, is_bot, url, referrer, utm_source, browser, properties, session_id."""
    person = draw.randrange(people)
    at_us = first_us + draw.randrange(days * DAY_US)
    if draw.random() < 0.5:
        at_us = at_us // (15 * MINUTE_US) * (15 * MINUTE_US)
    kind = draw.random()
    user: str | None = None if kind < 0.35 else f"user-{person}"
    anonymous = f"device-{draw.randrange(people) if draw.random() < 0.2 else person}" if kind < 0.5 else None
    name = "identify" if 0.35 <= kind < 0.42 else draw.choice(NAMES)
    is_bot = draw.random() < 0.08
    properties: dict[str, Any] = {"amount": draw.choice((1, 2.5, 10, "7", "x", None))}
    if (plan := draw.choice(PLANS)) is not None:
        properties["plan"] = plan
    is_page = name == "page_view"
    source = draw.choice((None, "news", "google"))
    query = f"?utm_source={source}" if source else ""
    return {
        "id": f"e{number:05}",
        "t": at_us,
        "name": name,
        "user": user,
        "anonymous": anonymous,
        "is_bot": is_bot,
        "url": f"https://shop.example.com{draw.choice(PATHS)}{query}" if is_page else None,
        "referrer": draw.choice(REFERRERS) if is_page else None,
        "utm_source": source if is_page else None,
        "user_agent": ROBOT if is_bot else draw.choice(BROWSERS),
        "properties": properties,
        "session_id": f"s{draw.randrange(3)}",
    }

"""Events for tests: only what matters to a test is written in it."""

from collections.abc import Iterable

import msgspec

from iafa.clock import US_PER_S
from iafa.event import Event

PROJECT = "p0projectaaaa"
OTHER_PROJECT = "p0projectbbbb"
STUCK_PROJECT = "p0projectcccc"
NOON_US = 1_763_726_400 * US_PER_S  # 2025-11-21T12:00:00Z


def make_event(**over: object) -> Event:
    fields: dict[str, object] = {
        "id": "event-1",
        "event_type": "page_view",
        "created_at": NOON_US,
        "user_id": "user-1",
    }
    return Event(**(fields | over))  # type: ignore[arg-type]  # the test names real fields


def make_events(count: int, *, prefix: str = "event", **over: object) -> list[Event]:
    return [make_event(id=f"{prefix}-{number}", **over) for number in range(count)]


def poison(event_id: str) -> Event:
    """The journal reads it back; no timestamp of Parquet can hold it."""
    return make_event(id=event_id, created_at=2**63)


def encode(events: Iterable[Event]) -> bytes:
    return msgspec.json.encode(list(events))

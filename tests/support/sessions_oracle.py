"""Sessions by the text of section 8 of the semantics, naively. Imports nothing of the product.

An event has the keys of `report_lake.an_event` and `person`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

Event = Mapping[str, Any]
SECOND_US = 1_000_000


def sessions(events: Iterable[Event], lo: int, hi: int, gap_s: int = 3_600) -> list[list[Event]]:
    """Those that begin in [lo, hi), whole."""
    of_person: dict[Any, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda one: (one["t"], one["id"])):
        of_person[event["person"]].append(event)
    found: list[list[Event]] = []
    for own in of_person.values():
        last = None
        for event in own:
            if last is None or event["t"] - last > gap_s * SECOND_US:
                found.append([])
            found[-1].append(event)
            last = event["t"]
    return [one for one in found if lo <= one[0]["t"] < hi]


def figures(found: Sequence[Sequence[Event]]) -> dict[str, Any]:
    lengths = sorted(one[-1]["t"] - one[0]["t"] for one in found)
    events = sum(map(len, found))
    views = sum(event["name"] == "page_view" for one in found for event in one)
    bounces = sum(len(one) == 1 for one in found)
    many = len(found)
    return {
        "sessions": many,
        "people": len({one[0]["person"] for one in found}),
        "events": events,
        "page_views": views,
        "bounces": bounces,
        "bounce_rate": half_up(bounces * 100, many) or 0.0,
        "average_seconds": half_up(sum(lengths), many * SECOND_US),
        "median_seconds": half_up(lengths[-(-many // 2) - 1], SECOND_US) if many else None,
        "events_per_session": half_up(events, many),
        "views_per_session": half_up(views, many),
    }


def half_up(part: int, base: int) -> float | None:
    return None if not base else ((200 * part + base) // (2 * base)) / 100


def value_of(dimension: str) -> Callable[[Sequence[Event]], str | None]:
    def views(session: Sequence[Event]) -> list[Event]:
        return [event for event in session if event["name"] == "page_view"]

    def page(place: int) -> Callable[[Sequence[Event]], str | None]:
        def read(session: Sequence[Event]) -> str | None:
            paths = [urlsplit(event["url"]).path for event in views(session) if event["url"]]
            return paths[place] if paths else None

        return read

    def referrer(session: Sequence[Event]) -> str | None:
        first = views(session)[:1]
        host = urlsplit(first[0]["referrer"] or "").hostname if first else None
        return host.removeprefix("www.") if host else None

    def utm(session: Sequence[Event]) -> str | None:
        first = views(session)[:1]
        return first[0]["utm_source"] if first else None

    return {"entry_page": page(0), "exit_page": page(-1), "referrer": referrer, "utm_source": utm}[dimension]


def groups(
    found: Sequence[Sequence[Event]], dimension: str, limit: int
) -> list[tuple[str | None, str, dict[str, Any]]]:
    """(value, kind, figures), the largest first, then other, then none."""
    own: dict[str | None, list[Sequence[Event]]] = defaultdict(list)
    for session in found:
        own[value_of(dimension)(session)].append(session)
    named = sorted((value for value in own if value is not None), key=lambda value: (-len(own[value]), value))
    answer: list[tuple[str | None, str, dict[str, Any]]] = [
        (value, "value", figures(own[value])) for value in named[:limit]
    ]
    rest = [session for value in named[limit:] for session in own[value]]
    if rest:
        answer.append((None, "other", figures(rest)))
    if None in own:
        answer.append((None, "none", figures(own[None])))
    return answer

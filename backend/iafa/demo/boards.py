"""The saved views and boards that the demo starts with, in the forms of `POST /views` and `POST /boards`."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from iafa.demo.funnels import ON_MOBILE_SAFARI
from iafa.demo.rhythm import HOME_ZONE, Calendar, incident

Card = dict[str, Any]
WEEK = timedelta(days=7)
ON_OTHERS = {**ON_MOBILE_SAFARI, "op": "neq"}


VIEWS: tuple[dict[str, Any], ...] = (
    {
        "name": "Revenue by channel",
        "kind": "trends",
        "question": {
            "series": [{"event": "purchase", "measure": "sum", "property": "value", "name": "Revenue"}],
            "breakdown": {"property": "channel", "limit": 6},
            "interval": "week",
        },
        "range": {"preset": "90d"},
        "view": {"chart": "bar"},
    },
    {
        "name": "Searches that find nothing",
        "kind": "events",
        "question": {"event_type": ["search"], "filters": [{"property": "results", "op": "eq", "value": 0}]},
        "range": {"preset": "30d"},
    },
    {
        "name": "Visits of a week",
        "kind": "sessions",
        "question": {"interval": "day", "include": ["compare"]},
        "range": {"preset": "7d"},
    },
)

GLANCE_TEXT = """The shop of the last 90 days.

Marks on the charts are notes on dates: campaigns, a release, its fix. Conversion falls between the release and its \
fix; the other board shows why.

Cards can be dragged, resized, duplicated and shared by a link."""

BROKEN_TEXT = """A release brought a new card form. It did not work in Mobile Safari, and most people on iPhones pay \
by card.

The stages before payment look as always: only the last one lost people, and only there. A week later it was mended."""


def boards(
    *, end: datetime, days: int, funnels: Mapping[str, str], views: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    """`funnels` and `views` are ids by name; cards of one that is gone are left out. The second board needs the week
    in which the card form was broken."""
    glance = [card for card in _glance(funnels, views) if card is not None]
    yield {"name": "Shop at a glance", "range": {"preset": "90d"}, "cards": glance}
    span = incident(Calendar.ending(end, days))
    if span is not None:
        zone = ZoneInfo(HOME_ZONE)
        first, after = (at.astimezone(zone).date() for at in span)
        chosen = _dates(first - WEEK, after + WEEK)
        cards = [card for card in _broken(funnels, _dates(first, after)) if card is not None]
        yield {"name": "Week nine: the card form broke", "range": chosen, "cards": cards}


def _glance(funnels: Mapping[str, str], views: Mapping[str, str]) -> Iterator[Card | None]:
    buyers, viewers = ({"event": event, "measure": "people"} for event in ("purchase", "product_view"))
    revenue = {"event": "purchase", "measure": "sum", "property": "value", "name": "EUR"}
    yield _number("People", 0, {"event": "*", "measure": "people", "name": "who visited"})
    yield _number("Orders", 3, {"event": "purchase", "name": "purchases"})
    yield _number("Revenue", 6, revenue)
    yield _number("Average order", 9, {**revenue, "measure": "avg"})
    yield _trend("Revenue by day", (0, 2, 8, 5), {"series": [revenue], "interval": "day"}, "bar")
    yield _card("note", "About this board", (8, 2, 4, 5), {"text": GLANCE_TEXT})
    yield _funnel(funnels, "Checkout", (0, 7, 6, 5), {"include": ["times"]})
    share = {
        "series": [buyers, viewers],
        "formulas": [{"name": "Percent who buy", "expression": "A / B * 100"}],
        "interval": "week",
    }
    yield _trend("Buyers among those who look at a product", (6, 7, 6, 5), share, "line")
    channels = {
        "series": [{"event": "*", "measure": "people"}],
        "breakdown": {"property": "channel", "limit": 6},
        "interval": "week",
    }
    yield _trend("Where people come from", (0, 12, 6, 6), channels, "line")
    back = {"start": {"event": "purchase"}, "return": {"event": "*"}, "interval": "week", "periods": 6}
    yield _card("retention", "Do buyers come back?", (6, 12, 6, 6), back)
    after = {"start": {"event": "add_to_cart"}, "depth": 4, "top": 5, "exclude_events": ["page_view"]}
    yield _card("paths", "What follows the cart", (0, 18, 6, 5), after)
    if view := views.get("Visits of a week"):
        yield {**_place((6, 18, 6, 5)), "view_id": view}


def _broken(funnels: Mapping[str, str], week: dict[str, str]) -> Iterator[Card | None]:
    compared = _funnel(funnels, "Checkout on Mobile Safari", (0, 0, 8, 4), {"include": ["compare", "times"]})
    yield compared and {**compared, "title": "Mobile Safari in that week, and the week before", "range": week}
    yield _card("note", "What happened", (8, 0, 4, 4), {"text": BROKEN_TEXT})
    failed = {"series": [{"event": "payment_failed"}], "breakdown": {"property": "reason"}, "interval": "day"}
    yield _trend("Failed payments by reason", (0, 4, 6, 6), failed, "line")
    paid = {
        "series": [
            {"event": event, "measure": "people", "filters": [where]}
            for where in (ON_MOBILE_SAFARI, ON_OTHERS)
            for event in ("purchase", "payment_info")
        ],
        "formulas": [
            {"name": "Mobile Safari", "expression": "A / B * 100"},
            {"name": "Other browsers", "expression": "C / D * 100"},
        ],
        "interval": "day",
    }
    yield _trend("Percent of payments that succeed", (6, 4, 6, 6), paid, "line")


def _number(title: str, x: int, series: dict[str, Any]) -> Card:
    return _trend(title, (x, 0, 3, 2), {"series": [series], "interval": "week"}, "number")


def _trend(title: str, place: tuple[int, int, int, int], question: dict[str, Any], chart: str) -> Card:
    return {**_card("trends", title, place, question), "view": {"chart": chart}}


def _funnel(
    funnels: Mapping[str, str], name: str, place: tuple[int, int, int, int], more: dict[str, Any]
) -> Card | None:
    return _card("funnel", name, place, {"funnel_id": funnels[name], **more}) if name in funnels else None


def _card(kind: str, title: str, place: tuple[int, int, int, int], question: dict[str, Any]) -> Card:
    return {**_place(place), "kind": kind, "title": title, "question": question}


def _place(place: tuple[int, int, int, int]) -> Card:
    return dict(zip("xywh", place, strict=True))


def _dates(first: date, after: date) -> dict[str, str]:
    return {"start_date": first.isoformat(), "end_date": (after - timedelta(days=1)).isoformat()}

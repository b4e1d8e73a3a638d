"""What the demo watches: alert rules without a webhook, the schema of its orders, and events that it refuses."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from iafa.demo.draws import digest

DAY_S = 86_400

# Fits every order that the shop sends.
SCHEMAS: list[dict[str, Any]] = [
    {
        "event_type": "purchase",
        "schema": {
            "required": ["order_id", "value", "currency"],
            "properties": {
                "order_id": {"type": "string"},
                "value": {"type": "number", "minimum": 0},
                "currency": {"enum": ["EUR"]},
            },
        },
    }
]


def alert_rules(funnels: Mapping[str, str]) -> Iterator[dict[str, Any]]:
    """In the form of `POST /alerts`; `funnels` are ids by name. None has a webhook: a demo calls nobody."""
    yield _rule("An unusual day", 900, kind="anomaly")
    yield _rule("Many payments fail", 300, kind="threshold", event="payment_failed", comparison="above", value=60)
    if checkout := funnels.get("Checkout"):
        yield _rule("Part of the checkout is silent", 300, kind="silence", funnel_id=checkout)
        yield _rule("Fewer people finish the checkout", 900, kind="conversion", funnel_id=checkout, below=8)


def refused_events(now: datetime) -> list[dict[str, Any]]:
    """Mistakes as they happen, for `POST /track/batch`: a price as text, a clock that is years ahead, no name."""
    prices = ("49,90 EUR", "129,00 EUR", "18,50 EUR", "249,80 EUR", "74,90 EUR", "39,00 EUR")
    orders = [
        _event("order", number, now, "purchase", {"order_id": f"order-{number:05d}", "value": price, "currency": "EUR"})
        for number, price in enumerate(prices)
    ]
    ahead = now + timedelta(days=3 * 365)
    late = [_event("clock", number, ahead, "product_view", {"product_id": "desk-lamp"}) for number in range(4)]
    nameless = [_event("name", number, now, "", {"place": "footer"}) for number in range(3)]
    return orders + late + nameless


def _rule(name: str, interval_s: int, **rule: Any) -> dict[str, Any]:
    window = {} if rule["kind"] in ("anomaly", "conversion") else {"window_seconds": DAY_S}
    return {"name": name, "rule": {**rule, **window}, "interval_seconds": interval_s}


def _event(what: str, number: int, at: datetime, event_type: str, properties: dict[str, Any]) -> dict[str, Any]:
    """With an id, so that sending it again tells nothing new."""
    return {
        "id": digest("refused", what, number),
        "event_type": event_type,
        "timestamp": (at - timedelta(minutes=7 * number)).isoformat(),
        "anonymous_id": digest("refused person", what, number),
        "source": "web",
        "url": "https://shop.example/checkout/payment",
        "properties": properties,
    }

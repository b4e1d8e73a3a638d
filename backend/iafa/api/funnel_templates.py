"""Funnels that many products have, as data. Event names follow the words that tracking plans use most."""

from typing import Any

_HOUR_S = 3600
_DAY_S = 24 * _HOUR_S


def _stage(name: str, *events: str, page: str | None = None) -> dict[str, Any]:
    if page is not None:
        return {"name": name, "page": page}
    return {"name": name, "event": events[0]} if len(events) == 1 else {"name": name, "events": list(events)}


TEMPLATES: tuple[dict[str, Any], ...] = (
    {
        "id": "purchase",
        "name": "Purchase",
        "description": "From looking at a product to paying for it.",
        "category": "Shop",
        "window_seconds": 7 * _DAY_S,
        "stages": [
            _stage("View product", "product_view"),
            _stage("Add to cart", "add_to_cart"),
            _stage("Begin checkout", "checkout_start"),
            _stage("Purchase", "purchase"),
        ],
    },
    {
        "id": "checkout",
        "name": "Checkout",
        "description": "Inside the checkout: where people give up on the last metres.",
        "category": "Shop",
        "window_seconds": 2 * _HOUR_S,
        "stages": [
            _stage("Begin checkout", "checkout_start"),
            _stage("Address", "address_info"),
            _stage("Payment", "payment_info"),
            _stage("Purchase", "purchase"),
        ],
    },
    {
        "id": "sign-up",
        "name": "Sign-up",
        "description": "From the first page to a confirmed account.",
        "category": "Product",
        "window_seconds": _DAY_S,
        "stages": [
            _stage("Visit", "page_view"),
            _stage("Open the form", "signup_start"),
            _stage("Sign up", "signup"),
            _stage("Confirm", "email_confirmed"),
        ],
    },
    {
        "id": "activation",
        "name": "Activation",
        "description": "New accounts that come to the point at which the product is of use to them.",
        "category": "Product",
        "window_seconds": 14 * _DAY_S,
        "stages": [
            _stage("Sign up", "signup"),
            _stage("Finish onboarding", "onboarding_complete"),
            _stage("First project", "project_created"),
            _stage("Invite somebody", "invite_sent"),
        ],
    },
    {
        "id": "trial-to-paid",
        "name": "Trial to paid",
        "description": "Trials that become subscriptions.",
        "category": "Subscription",
        "window_seconds": 30 * _DAY_S,
        "stages": [
            _stage("Start a trial", "trial_start"),
            _stage("Use it", "feature_used"),
            _stage("See the prices", "pricing_view", "upgrade_click"),
            _stage("Subscribe", "subscription_start"),
        ],
    },
    {
        "id": "content",
        "name": "Reader to subscriber",
        "description": "Readers of an article who leave their address.",
        "category": "Publishing",
        "window_seconds": 30 * _DAY_S,
        "stages": [
            _stage("Read an article", "article_view"),
            _stage("Read a second one", "article_view"),
            _stage("See the form", "newsletter_view"),
            _stage("Subscribe", "newsletter_signup"),
        ],
    },
    {
        "id": "lead",
        "name": "Request for a demo",
        "description": "Visitors of the site who ask to be called.",
        "category": "Marketing",
        "window_seconds": 30 * _DAY_S,
        "stages": [
            _stage("Visit", "page_view"),
            _stage("See the prices", page="/pricing"),
            _stage("Open the form", "demo_form_view"),
            _stage("Send it", "demo_request"),
        ],
    },
    {
        "id": "search",
        "name": "Search",
        "description": "Searches that lead to something.",
        "category": "Product",
        "window_seconds": _HOUR_S,
        "stages": [
            _stage("Search", "search"),
            _stage("Open a result", "search_result_click"),
            _stage("Act on it", "add_to_cart", "save", "share"),
        ],
    },
)

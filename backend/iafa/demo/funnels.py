"""The funnels that the demo project starts with, in the form of `POST /funnels` without `project_id`."""

from typing import Any

HOUR_S = 3_600
DAY_S = 24 * HOUR_S
ON_MOBILE_SAFARI = {"property": "browser", "op": "eq", "value": "Mobile Safari"}

FUNNELS: tuple[dict[str, Any], ...] = (
    {
        "name": "Checkout",
        "description": "From a product to a paid order. Week 9 of the history loses people at the last stage.",
        "stages": [
            {"name": "View product", "event": "product_view", "order": 1},
            {"name": "Add to cart", "event": "add_to_cart", "order": 2},
            {"name": "Start checkout", "event": "checkout_start", "order": 3},
            {"name": "Enter payment", "event": "payment_info", "order": 4},
            {"name": "Purchase", "event": "purchase", "order": 5},
        ],
        "window_seconds": 7 * DAY_S,
    },
    {
        "name": "Checkout on Mobile Safari",
        "description": "The same on one browser: in week 9 its card form failed.",
        "stages": [
            {"name": name, "event": event, "order": order, "filters": [ON_MOBILE_SAFARI]}
            for order, (name, event) in enumerate(
                (("View product", "product_view"), ("Enter payment", "payment_info"), ("Purchase", "purchase")), start=1
            )
        ],
        "window_seconds": 7 * DAY_S,
    },
    {
        "name": "Sign-up",
        "description": "How many of those who open the sign-up page send the form, in one sitting.",
        "stages": [
            {
                "name": "Open the sign-up page",
                "event": "page_view",
                "order": 1,
                "filters": [{"property": "path", "op": "eq", "value": "/account/sign-up"}],
            },
            {"name": "Start the form", "event": "sign_up_start", "order": 2},
            {"name": "Sign up", "event": "sign_up", "order": 3},
        ],
        "window_seconds": HOUR_S,
    },
    {
        "name": "From campaign to purchase",
        "description": "What newsletters, ads and posts bring.",
        "stages": [
            {
                "name": "Arrive by campaign",
                "event": "page_view",
                "order": 1,
                "filters": [{"property": "utm_campaign", "op": "exists"}],
            },
            {"name": "View product", "event": "product_view", "order": 2},
            {"name": "Add to cart", "event": "add_to_cart", "order": 3},
            {"name": "Purchase", "event": "purchase", "order": 4},
        ],
        "window_seconds": 14 * DAY_S,
    },
    {
        "name": "From the blog to the cart",
        "description": "Do readers become shoppers?",
        "stages": [
            {
                "name": "Read a post",
                "event": "page_view",
                "order": 1,
                "filters": [{"property": "path", "op": "starts_with", "value": "/blog/"}],
            },
            {"name": "View product", "event": "product_view", "order": 2},
            {"name": "Add to cart", "event": "add_to_cart", "order": 3},
        ],
        "window_seconds": 14 * DAY_S,
    },
    {
        "name": "Came back to buy again",
        "description": "Second and third orders within 60 days of the first.",
        "stages": [
            {"name": "First order", "event": "purchase", "order": 1},
            {"name": "Second order", "event": "purchase", "order": 2},
            {"name": "Third order", "event": "purchase", "order": 3},
        ],
        "window_seconds": 60 * DAY_S,
    },
)

"""Request bodies of the funnel routes in the OpenAPI document. What is valid, query/definition decides."""

from typing import Any

_STAGES = [
    {"name": "View product", "event": "product_view"},
    {"name": "Add to cart", "event": "add_to_cart"},
    {"name": "Purchase", "event": "purchase", "filters": [{"property": "total", "op": "gte", "value": 20}]},
]
_DEFINITION: dict[str, Any] = {
    "project_id": "p7c1n4d8j2g5b9f3h6m0",
    "name": "Checkout",
    "stages": _STAGES,
    "window_seconds": 604_800,
}


def _body(schema: str, example: dict[str, Any]) -> dict[str, Any]:
    content = {
        "schema": {"$ref": f"#/components/schemas/{schema}"},
        "examples": {"checkout": {"summary": "Who buys within a week", "value": example}},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


DEFINITION_BODY = _body("FunnelDefinition", _DEFINITION)
_QUESTION = {**_DEFINITION, "start_date": "2026-10-01", "end_date": "2026-10-31"}
QUESTION_BODY = _body("FunnelQuestion", _QUESTION)
PEOPLE_BODY = _body("PeopleQuestion", {**_QUESTION, "stage": 3, "kind": "dropped"})
DRIVERS_BODY = _body("DriversQuestion", {**_QUESTION, "stage": 2})
EXPLAIN_BODY = _body("ExplainQuestion", {**_QUESTION, "user_id": "user-42"})
RECEIPT_BODY = _body("ReceiptQuestion", {**_QUESTION, "format": "notebook"})
EXPORT_BODY = _body("ExportQuestion", {**_QUESTION, "stage": 3, "kind": "dropped", "format": "csv"})
NEXT_STEPS_BODY = _body("NextStepsQuestion", {**_QUESTION, "limit": 5})

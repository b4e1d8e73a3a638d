"""Request bodies of the report routes in the OpenAPI document. What is valid, query/reports decides."""

from typing import Any

_FRAME = {"project_id": "p7c1n4d8j2g5b9f3h6m0", "start_date": "2026-10-01", "end_date": "2026-10-31"}


def _body(schema: str, summary: str, **fields: Any) -> dict[str, Any]:
    content = {
        "schema": {"$ref": f"#/components/schemas/{schema}"},
        "examples": {"october": {"summary": summary, "value": {**_FRAME, **fields}}},
    }
    return {"requestBody": {"required": True, "content": {"application/json": content}}}


RETENTION_BODY = _body(
    "RetentionQuestion",
    "Who buys again, by the week of the first purchase",
    **{"start": "purchase", "return": "purchase", "interval": "week", "periods": 8, "breakdown": "plan"},
)
PATHS_BODY = _body(
    "PathsQuestion",
    "What sessions do after a search",
    **{"start": "search", "unit": "session", "depth": 4, "exclude_events": ["scroll"]},
)
TRENDS_BODY = _body(
    "TrendsQuestion",
    "The share of people who buy, by country",
    series=[{"event": "purchase", "measure": "people"}, {"event": "*", "measure": "people"}],
    formulas=[{"name": "Buyers in percent", "expression": "A / B * 100"}],
    breakdown={"property": "country", "limit": 5},
)
SESSIONS_BODY = _body("SessionsQuestion", "What brings visits, by the week", interval="week", breakdown="channel")
OVERVIEW_BODY = _body("OverviewQuestion", "Where visits begin and come from", lists=["entry_page", "channel"])
ANOMALIES_BODY = _body("AnomaliesQuestion", "Unusual days of purchases", events=["purchase"], sensitivity="high")

"""Columns that no file holds, as filters ask for them: by their full names alone."""

from pathlib import Path
from typing import Any

import pytest

from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import answer
from iafa.query.question import Extras, question_of
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, an_event, snapshot_of

EXTRAS = Extras(include=frozenset({"breakdown"}))
VIEWS: dict[str, dict[str, str]] = {
    "ann": {"url": "https://shop.example/cart/?a=1#top", "referrer": "https://www.Bing.com:443/search"},
    "bob": {"url": "https://shop.example/caf%C3%A9", "referrer": "nonsense"},
    "eve": {"url": "https://shop.example"},
    "kim": {},
}
CASES: list[tuple[dict[str, Any], set[str]]] = [
    ({"property": "column:page", "op": "eq", "value": "/cart"}, {"ann"}),
    ({"property": "column:page", "op": "eq", "value": "/café"}, {"bob"}),
    ({"property": "column:page", "op": "eq", "value": "/"}, {"eve"}),
    ({"property": "column:page", "op": "starts_with", "value": "/ca"}, {"ann", "bob"}),
    ({"property": "column:page", "op": "not_exists"}, {"kim", "zoe"}),
    ({"property": "page", "op": "exists"}, {"zoe"}),
    ({"property": "column:referrer_host", "op": "eq", "value": "bing.com"}, {"ann"}),
    ({"property": "column:referrer_host", "op": "exists"}, {"ann"}),
]


@pytest.mark.parametrize(("condition", "people"), CASES)
def test_filters_on_pages_and_hosts(
    engine: DuckEngine, tmp_path: Path, condition: dict[str, Any], people: set[str]
) -> None:
    events = [an_event("page_view", NOON_US, user=user) | columns for user, columns in VIEWS.items()]
    # Another event has an address, too, but was no view of a page.
    click = an_event("click", NOON_US, user="zoe", page="own") | {"url": "https://shop.example/cart"}
    snapshot = snapshot_of(tmp_path, [[*events, click]])
    stage = {"name": "Any", "event": "*"}
    grouped = {"name": "f", "stages": [stage], "filters": [condition], "breakdown": {"property": "column:user_id"}}
    definition = parse_definition(grouped)
    said: Any = answer(engine, snapshot, question_of(definition, resolve_time_range(), NOON_US + 1, EXTRAS))
    groups = said["breakdown"]["groups"]
    assert {one["value"] for one in groups if one["stages"][0]["users"]} == people

"""What the answer says beside its numbers, rates from whole numbers, and the names for autocomplete."""

import json
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.event_names import event_names
from iafa.query.funnel import funnel
from iafa.query.rates import percent
from iafa.query.time_range import resolve_time_range
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition, an_event, snapshot_of


@pytest.mark.parametrize(
    ("part", "base", "rate"),
    [(0, 0, 0.0), (5, 0, 0.0), (1, 3, 33.33), (2, 3, 66.67), (1, 8, 12.5), (1, 2000, 0.05), (1, 20000, 0.01),
     (1, 20001, 0.0), (201, 20000, 1.01), (6030, 90400, 6.67), (5578, 6030, 92.5), (10**15, 10**15, 100.0)],
)  # fmt: skip
def test_rates_round_half_up_from_the_integers(part: int, base: int, rate: float) -> None:
    assert percent(part, base) == rate


@given(base=st.integers(1, 10**9), data=st.data())
def test_rate_equals_decimal_arithmetic(base: int, data: st.DataObject) -> None:
    part = data.draw(st.integers(0, base))
    exact = (Decimal(100) * part / base).quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert percent(part, base) == float(exact)
    assert len(json.dumps(percent(part, base)).partition(".")[2]) <= 2


def test_answer_without_any_event_is_zeros(engine: DuckEngine, tmp_path: Path) -> None:
    answer = funnel(engine, snapshot_of(tmp_path, []), parse_definition(a_definition("A", "B")), resolve_time_range())
    assert json.loads(json.dumps(answer))["stages"] == [
        {
            "stage_name": f"stage {order}",
            "order": order,
            "users": 0,
            "conversion_rate": 0.0,
            "drop_off_rate": 0.0,
            "users_max": 0,
        }
        for order in (1, 2)
    ]
    assert answer["date_range"] == {"start": None, "end": None}
    assert answer["overall_conversion_rate"] == 0.0


def test_answer_repeats_the_data_and_the_range(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = snapshot_of(tmp_path, [[an_event("A", NOON_US)]], [an_event("B", NOON_US + 13 * 3600 * SECOND_US)])
    found = funnel(engine, snapshot, parse_definition(a_definition("A")), resolve_time_range(timezone="Asia/Tokyo"))
    assert found["date_range"] == {"start": "2025-11-21", "end": "2025-11-22"}
    assert (found["data_version"], found["rows_read"], found["timezone"]) == ("7", 2, "Asia/Tokyo")
    assert (found["semantics"], found["semantics_version"], found["funnel_id"]) == ("iafa", 1, None)


def test_global_filters_hold_for_every_stage(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", 1, user="one", plan="pro"),
        an_event("B", 2, user="one"),
        an_event("A", 1, user="two", plan="pro"),
        an_event("B", 2, user="two", plan="pro"),
        an_event("A", 1, user="three"),
    ]
    snapshot = snapshot_of(tmp_path, [events])
    only_pro = [{"property": "plan", "op": "eq", "value": "pro"}]
    for definition in (
        a_definition("A", "B", filters=only_pro),
        a_definition("A", "*", filters=only_pro),
    ):
        answer = funnel(engine, snapshot, parse_definition(definition), resolve_time_range())
        stages = answer["stages"]
        assert isinstance(stages, list)
        assert [stage["users"] for stage in stages] == [2, 1]


def test_event_names_are_the_most_frequent_first(engine: DuckEngine, tmp_path: Path) -> None:
    files = [[an_event("page_view", 5), an_event("page_view", 9), an_event("Add to cart", 7)]]
    snapshot = snapshot_of(tmp_path, files, [an_event("add_50%", 8), an_event("page_view", 1)])
    assert event_names(engine, snapshot) == [
        {"event_type": "page_view", "count": 3, "last_seen": "1970-01-01T00:00:00.000009Z"},
        {"event_type": "Add to cart", "count": 1, "last_seen": "1970-01-01T00:00:00.000007Z"},
        {"event_type": "add_50%", "count": 1, "last_seen": "1970-01-01T00:00:00.000008Z"},
    ]
    assert [one["event_type"] for one in event_names(engine, snapshot, search="ADD")] == ["Add to cart", "add_50%"]
    assert [one["event_type"] for one in event_names(engine, snapshot, search="%")] == ["add_50%"]
    assert len(event_names(engine, snapshot, limit=1)) == 1
    assert event_names(engine, snapshot_of(tmp_path, [])) == []


def test_filters_bring_the_columns_that_they_read(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("A", 1, user="one") | {"browser": "Firefox"},
        an_event("A", 1, user="two", plan="pro"),
        an_event("A", 1, user="three") | {"country": "AT"},
    ]
    snapshot = snapshot_of(tmp_path, [events])
    firefox = {"property": "column:browser", "op": "eq", "value": "Firefox"}
    austria = {"property": "country", "op": "eq", "value": "AT"}
    pro = {"property": "property:plan", "op": "eq", "value": "pro"}
    for filters, people in (([firefox], 1), ([{"any_of": [firefox, austria, pro]}], 3), ([austria, pro], 0)):
        for definition in (a_definition("A", filters=filters), a_definition("A")):
            definition["stages"][0]["filters"] = filters
            answer = funnel(engine, snapshot, parse_definition(definition), resolve_time_range())
            assert answer["people_total"] == people

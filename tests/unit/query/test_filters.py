"""Filters over real rows: the null and type rules, exact complements, hostile names."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from iafa.errors import ValidationFailed
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters
from iafa.query.engine_duckdb import DuckEngine, regex_error
from iafa.query.field_errors import FieldErrors
from iafa.query.filters import (
    FILTER_COLUMNS,
    canonical_text,
    condition_sql,
    filter_to_dict,
    parse_filters,
    property_values_sql,
)
from tests.unit.query.rows import an_event, table_of

VALUES: dict[str, Any] = {
    "absent": ...,
    "null": None,
    "empty": "",
    "one": 1,
    "one-point-zero": 1.0,
    "text-one": "1",
    "text-1.0": "1.0",
    "text-a": "a",
    "text-A": "A",
    "text-abc": "abc",
    "true": True,
    "text-true": "true",
    "false": False,
    "negative-zero": -0.0,
    "huge": 1e20,
    "tiny": 1e-7,
    "float": 2.5,
    "text-10": "10",
    "text-exponent": "1e3",
    "text-blank-number": " 7",
    "list-a": ["a", "b"],
    "list-one": [1, None],
    "list-object": [{"x": "a"}],
    "list-empty": [],
    "object": {"a": "a"},
    "text-list": '["a"]',
}
EVERYTHING = set(VALUES)
NULLS = {"absent", "null"}
NUMBERS_1 = {"one", "one-point-zero", "text-one"}

POSITIVE: list[tuple[str, Any, set[str]]] = [
    ("eq", 1, NUMBERS_1 | {"list-one"}),
    ("eq", 1.0, NUMBERS_1 | {"list-one"}),
    ("eq", "1", NUMBERS_1 | {"list-one"}),
    ("eq", "1.0", {"text-1.0"}),
    ("eq", True, {"true", "text-true"}),
    ("eq", "false", {"false"}),
    ("eq", 0, {"negative-zero"}),
    ("eq", 1e20, {"huge"}),
    ("eq", 1e-7, {"tiny"}),
    ("eq", "", {"empty"}),
    ("eq", "a", {"text-a", "list-a"}),
    ("eq", '["a"]', {"text-list"}),
    ("in", ["a", 1], NUMBERS_1 | {"text-a", "list-a", "list-one"}),
    ("in", [], set()),
    ("contains", "b", {"text-abc", "list-a"}),
    ("contains", "ab", {"text-abc"}),
    ("contains", "%", set()),
    ("icontains", "A", {"text-a", "text-A", "text-abc", "false", "text-list"}),
    ("starts_with", "a", {"text-a", "text-abc"}),
    ("ends_with", "c", {"text-abc"}),
    ("regex", "^a.?c$", {"text-abc"}),
    ("regex", "^[0-9]", NUMBERS_1 | {"text-1.0", "negative-zero", "huge", "tiny", "float", "text-10", "text-exponent"}),
    ("gt", 1, {"huge", "float", "text-10"}),
    ("gte", 1, NUMBERS_1 | {"text-1.0", "huge", "float", "text-10"}),
    ("lt", 1, {"negative-zero", "tiny"}),
    ("lte", "1.0", NUMBERS_1 | {"text-1.0", "negative-zero", "tiny"}),
    ("exists", None, EVERYTHING - NULLS),
]
COMPLEMENTS = {"eq": "neq", "in": "not_in", "contains": "not_contains", "exists": "not_exists"}


@pytest.fixture
def snapshot(tmp_path: Path) -> Snapshot:
    events = [an_event("E", user=name, **({} if value is ... else {"p": value})) for name, value in VALUES.items()]
    return Snapshot.of_table(table_of(events), tmp_path)


@pytest.mark.parametrize(("op", "value", "people"), POSITIVE, ids=[f"{op} {value!r}" for op, value, _ in POSITIVE])
def test_operator(engine: DuckEngine, snapshot: Snapshot, op: str, value: Any, people: set[str]) -> None:
    assert matching(engine, snapshot, a_filter("p", op, value)) == people


@pytest.mark.parametrize(
    ("op", "value", "people"),
    [row for row in POSITIVE if row[0] in COMPLEMENTS],
    ids=[f"{COMPLEMENTS[op]} {value!r}" for op, value, _ in POSITIVE if op in COMPLEMENTS],
)
def test_negative_operator_is_the_exact_complement(
    engine: DuckEngine, snapshot: Snapshot, op: str, value: Any, people: set[str]
) -> None:
    assert matching(engine, snapshot, a_filter("p", COMPLEMENTS[op], value)) == EVERYTHING - people


def test_all_of_a_list_must_hold_and_one_of_any_of(engine: DuckEngine, snapshot: Snapshot) -> None:
    either = {"any_of": [a_filter("p", "eq", "a"), {"any_of": [a_filter("p", "eq", 2.5)]}]}
    assert matching(engine, snapshot, either) == {"text-a", "list-a", "float"}
    assert matching(engine, snapshot, either, a_filter("p", "gt", 0)) == {"float"}


@pytest.mark.parametrize("name", ["*", "x.y", "a') or 1=1--", 'b"c', "~", "/", "~1", "0", "$", "p", "{x}", "ä €"])
def test_hostile_property_names_are_names(engine: DuckEngine, tmp_path: Path, name: str) -> None:
    events = [
        an_event("E", user="right") | {"properties": {name: "yes"}},
        an_event("E", user="wrong", other="yes", x={"y": "yes"}, a="yes"),
        an_event("E", user="null") | {"properties": {name: None}},
    ]
    snapshot = Snapshot.of_table(table_of(events), tmp_path)
    assert matching(engine, snapshot, a_filter(name, "eq", "yes")) == {"right"}
    assert matching(engine, snapshot, a_filter(name, "exists", None)) == {"right"}
    assert matching(engine, snapshot, a_filter(name, "neq", "yes")) == {"wrong", "null"}


@pytest.mark.parametrize("value", ["' or 1=1 --", "$p0", "{columns}", "%", "_", "\\", "\n"])
def test_hostile_values_are_values(engine: DuckEngine, tmp_path: Path, value: str) -> None:
    events = [an_event("E", user="right", p=value), an_event("E", user="wrong", p="x")]
    snapshot = Snapshot.of_table(table_of(events), tmp_path)
    for op in ("eq", "contains", "starts_with", "ends_with", "icontains"):
        assert matching(engine, snapshot, a_filter("p", op, value)) == {"right"}


def test_bare_name_is_the_property_and_else_the_column(engine: DuckEngine, tmp_path: Path) -> None:
    events = [
        an_event("E", user="both", browser="Own") | {"browser": "Firefox"},
        an_event("E", user="column") | {"browser": "Firefox"},
        an_event("E", user="null", browser=None) | {"browser": "Firefox"},
        an_event("E", user="array", browser=["Own"]) | {"browser": "Firefox"},
        an_event("E", user="none"),
    ]
    snapshot = Snapshot.of_table(table_of(events), tmp_path)
    assert matching(engine, snapshot, a_filter("browser", "eq", "Firefox")) == {"column", "null"}
    assert matching(engine, snapshot, a_filter("property:browser", "eq", "Firefox")) == set()
    assert matching(engine, snapshot, a_filter("column:browser", "eq", "Firefox")) == {
        "both",
        "column",
        "null",
        "array",
    }
    assert matching(engine, snapshot, a_filter("browser", "eq", "Own")) == {"both", "array"}
    assert matching(engine, snapshot, a_filter("browser", "not_exists", None)) == {"none"}
    assert matching(engine, snapshot, a_filter("column:browser", "neq", "Firefox")) == {"none"}


def test_every_column_of_the_enum_can_be_asked(engine: DuckEngine, tmp_path: Path) -> None:
    snapshot = Snapshot.of_table(table_of([an_event("E", user="u")]), tmp_path)
    for column in FILTER_COLUMNS:
        for op, value in (("eq", "E"), ("gt", 0), ("contains", "E"), ("not_exists", None)):
            matching(engine, snapshot, a_filter(f"column:{column}", op, value), a_filter(column, op, value))
    assert matching(engine, snapshot, a_filter("is_bot", "eq", False)) == {"u"}
    assert matching(engine, snapshot, a_filter("sample_rate", "eq", 1)) == {"u"}
    assert matching(engine, snapshot, a_filter("sample_rate", "gte", 1)) == {"u"}
    assert matching(engine, snapshot, a_filter("event_type", "eq", "E")) == {"u"}


WRONG: list[tuple[Any, str, str]] = [
    ("x", "/filters", "wrong_type"),
    (["x"], "/filters/0", "wrong_type"),
    ([{"op": "eq", "value": 1}], "/filters/0/property", "wrong_type"),
    ([{"property": "", "op": "eq", "value": 1}], "/filters/0/property", "too_short"),
    ([{"property": "property:", "op": "eq", "value": 1}], "/filters/0/property", "too_short"),
    ([{"property": "p\x00", "op": "eq", "value": 1}], "/filters/0/property", "invalid_character"),
    ([{"property": "\ud800", "op": "eq", "value": 1}], "/filters/0/property", "invalid_character"),
    ([{"property": "column:password", "op": "eq", "value": 1}], "/filters/0/property", "unknown_column"),
    ([{"property": "column:user_hash", "op": "eq", "value": 1}], "/filters/0/property", "unknown_column"),
    ([{"property": "p", "op": "like", "value": 1}], "/filters/0/op", "unknown_operator"),
    ([{"property": "p", "op": ["eq"], "value": 1}], "/filters/0/op", "unknown_operator"),
    ([{"property": "p", "op": "eq"}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "eq", "value": {"a": 1}}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "eq", "value": float("nan")}], "/filters/0/value", "number_out_of_range"),
    ([{"property": "p", "op": "eq", "value": 10**400}], "/filters/0/value", "number_out_of_range"),
    ([{"property": "p", "op": "eq", "value": "x\x00"}], "/filters/0/value", "invalid_character"),
    ([{"property": "p", "op": "in", "value": "a"}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "in", "value": ["a", None]}], "/filters/0/value/1", "wrong_type"),
    ([{"property": "p", "op": "gt", "value": "ten"}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "gt", "value": "9" * 400}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "gt", "value": True}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "exists", "value": 1}], "/filters/0/value", "unknown_field"),
    ([{"property": "p", "op": "regex", "value": "a("}], "/filters/0/value", "bad_regex"),
    ([{"property": "p", "op": "regex", "value": "(?<=a)b"}], "/filters/0/value", "bad_regex"),
    ([{"property": "p", "op": "regex", "value": "a{1000}{1000}"}], "/filters/0/value", "bad_regex"),
    ([{"property": "p", "op": "regex", "value": 1}], "/filters/0/value", "wrong_type"),
    ([{"property": "p", "op": "regex", "value": "a" * 1001}], "/filters/0/value", "too_long"),
    ([{"property": "p", "op": "eq", "value": 1, "x/y": 1}], "/filters/0/x~1y", "unknown_field"),
    ([{"any_of": []}], "/filters/0/any_of", "too_short"),
    ([{"any_of": [], "op": "eq"}], "/filters/0/op", "unknown_field"),
    ([{"any_of": [{"property": "p", "op": "x"}]}], "/filters/0/any_of/0/op", "unknown_operator"),
    ([{"property": "p", "op": "exists"}] * 51, "/filters", "too_long"),
]


@pytest.mark.parametrize(("raw", "pointer", "code"), WRONG, ids=[f"{code} {at}" for _, at, code in WRONG])
def test_wrong_filter_is_refused_with_its_pointer(raw: Any, pointer: str, code: str) -> None:
    errors = FieldErrors()
    parse_filters(raw, errors, "/filters", regex_error=regex_error)
    with pytest.raises(ValidationFailed) as refused:
        errors.raise_any("wrong")
    assert (pointer, code) in [(error.pointer, error.code) for error in refused.value.errors]


def test_too_deep_any_of_is_refused() -> None:
    nested: dict[str, Any] = {"property": "p", "op": "exists"}
    for _ in range(6):
        nested = {"any_of": [nested]}
    errors = FieldErrors()
    parse_filters([nested], errors, "/filters", regex_error=regex_error)
    assert len(errors) == 1


def test_filters_come_back_as_they_were() -> None:
    raw = [
        {"property": "property:p", "op": "in", "value": ["a", 1, True]},
        {"any_of": [{"property": "column:url", "op": "regex", "value": "a|b"}, {"property": "q", "op": "exists"}]},
    ]
    errors = FieldErrors()
    parsed = parse_filters(raw, errors, "", regex_error=regex_error)
    assert not len(errors)
    assert [filter_to_dict(condition) for condition in parsed] == raw


SCALARS = st.one_of(
    st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53), st.booleans(), st.text("ab1.e0")
)


@settings(max_examples=12, derandomize=True)
@given(values=st.lists(SCALARS, min_size=20, max_size=60))
def test_canonical_text_is_the_same_here_and_in_sql(engine: DuckEngine, values: list[Any]) -> None:
    """Each stored value equals itself and its canonical text, and nothing else does."""
    events = [an_event("E", user=f"u{number}", p=value) for number, value in enumerate(values)]
    snapshot = Snapshot.of_table(table_of(events), Path("/nowhere"))
    texts = [canonical_text(value) for value in values]
    for number in range(0, len(values), 7):
        expected = {f"u{place}" for place, text in enumerate(texts) if text == texts[number]}
        assert matching(engine, snapshot, a_filter("p", "eq", values[number])) == expected


def a_filter(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"property": name, "op": op} | ({} if value is None else {"value": value})


def matching(engine: DuckEngine, snapshot: Snapshot, *filters: dict[str, Any]) -> set[str]:
    errors = FieldErrors()
    parsed = parse_filters(json.loads(json.dumps(filters)), errors, "", regex_error=regex_error)
    errors.raise_any("the test's filter is wrong")
    parameters = Parameters()
    conditions = [condition_sql(condition, parameters) for condition in parsed]
    with engine.reading(snapshot) as reading:
        events = property_values_sql("select * from tail", parameters)
        rows = reading.rows(f"select user_id from ({events}) where {' and '.join(conditions)}", parameters.values)
    return {str(user) for (user,) in rows}

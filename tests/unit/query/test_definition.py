"""Reading a definition: what is accepted, and every error with its pointer."""

from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.query.definition import WINDOW_DEFAULT_S, to_dict
from iafa.query.definition_reading import WINDOW_MAX_S, parse_definition
from iafa.query.field_errors import ERRORS_MAX
from tests.unit.query.rows import a_definition

FULL_DEFAULTS: dict[str, Any] = {
    "order": "ordered",
    "unit": "user",
    "entry": "best",
    "tie": "any",
    "count": "unique",
    "mature_only": False,
    "first_required": False,
    "strict_scope": "all",
    "sessions": "derived",
    "as_of": None,
    "exclude_bots": False,
    "semantics_version": 1,
    "trend": None,
    "exclusions": [],
    "exclusion_mode": "cut",
    "hold": [],
    "breakdown": None,
}


def test_minimal_definition_gets_the_defaults() -> None:
    definition = parse_definition({"name": "f", "stages": [{"name": "s", "event": "A"}]})
    assert (definition.window_seconds, definition.range) == (WINDOW_DEFAULT_S, "entry")
    assert definition.stages[0].events == ("A",)


def test_every_field_of_the_contract_is_accepted_with_its_default() -> None:
    stage: dict[str, Any] = {"name": "s", "event": "A", "events": None, "page": None, "order": 1, "filters": []}
    stage |= {"optional": False, "within_seconds": None, "after_seconds": None}
    raw = a_definition("A", **FULL_DEFAULTS, filters=[], range="entry", project_id="p0", description="")
    assert parse_definition(raw | {"stages": [stage]}).project_id == "p0"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("order", "strict"), ("order", "unordered"), ("unit", "session"), ("entry", "first"), ("tie", "grace:1"),
        ("count", "totals"), ("mature_only", True), ("mature_only", 0), ("first_required", True), ("as_of", "2026"),
        ("exclude_bots", True), ("semantics_version", 2), ("semantics_version", True), ("trend", "day"),
        ("exclusions", [{"event": "refund"}]), ("exclusion_mode", "drop"), ("hold", ["order_id"]),
        ("breakdown", {"property": "browser"}), ("range", "other"), ("range", None), ("strict_scope", "filtered"),
    ],
)  # fmt: skip
def test_value_that_is_not_built_yet_is_refused_and_never_ignored(field: str, value: Any) -> None:
    assert errors_of(a_definition("A", **{field: value})) == [(f"/{field}", "unsupported_value")]


@pytest.mark.parametrize("field", ["optional", "within_seconds", "after_seconds"])
def test_stage_value_that_is_not_built_yet_is_refused(field: str) -> None:
    raw = a_definition("A", "B")
    raw["stages"][1][field] = True
    assert errors_of(raw) == [(f"/stages/1/{field}", "unsupported_value")]


@pytest.mark.parametrize("window", [0, 1, WINDOW_MAX_S, None])
def test_window_in_bounds_is_kept(window: int | None) -> None:
    assert parse_definition(a_definition("A", window_seconds=window)).window_seconds == window


@pytest.mark.parametrize(
    ("window", "code"),
    [
        (-1, "number_out_of_range"),
        (WINDOW_MAX_S + 1, "number_out_of_range"),
        (1.5, "wrong_type"),
        ("60", "wrong_type"),
        (True, "wrong_type"),
    ],
)
def test_window_out_of_bounds_is_refused(window: Any, code: str) -> None:
    assert errors_of(a_definition("A", window_seconds=window)) == [("/window_seconds", code)]


def test_stages_stand_in_the_order_of_their_numbers() -> None:
    raw = a_definition("A", "B", "C")
    for stage, order in zip(raw["stages"], (3, 1, 2), strict=True):
        stage["order"] = order
    assert [stage.events for stage in parse_definition(raw).stages] == [("B",), ("C",), ("A",)]


@pytest.mark.parametrize(
    ("orders", "pointers"),
    [
        ((1, 1), ["/stages/1/order"]),
        ((1, 3), ["/stages/1/order"]),
        ((0, 1), ["/stages/0/order"]),
        ((1, None), ["/stages/1/order"]),
        ((1, True), ["/stages/1/order"]),
        (("1", 2), ["/stages/0/order"]),
    ],
)
def test_order_must_be_a_permutation(orders: tuple[Any, Any], pointers: list[str]) -> None:
    raw = a_definition("A", "B")
    for stage, order in zip(raw["stages"], orders, strict=True):
        stage["order"] = order
    assert errors_of(raw) == [(pointer, "not_a_permutation") for pointer in pointers]


WRONG: list[tuple[str, Any, list[tuple[str, str]]]] = [
    ("no-object", [], [("", "wrong_type")]),
    ("empty", {}, [("/name", "missing"), ("/stages", "missing")]),
    ("no-stages", {"name": "f", "stages": []}, [("/stages", "too_short")]),
    ("stages-no-array", {"name": "f", "stages": {"0": {}}}, [("/stages", "wrong_type")]),
    ("stage-no-object", {"name": "f", "stages": ["A"]}, [("/stages/0", "wrong_type")]),
    ("stage-without-event", {"name": "f", "stages": [{"name": "s"}]}, [("/stages/0", "missing")]),
    ("stage-without-name", {"name": "f", "stages": [{"event": "A"}]}, [("/stages/0/name", "missing")]),
    ("two-kinds", a_definition("A") | {"stages": [{"name": "s", "event": "A", "page": "/"}]},
     [("/stages/0", "conflicting_fields")]),
    ("host-without-page", a_definition("A") | {"stages": [{"name": "s", "event": "A", "host": "h"}]},
     [("/stages/0/host", "unknown_field")]),
    ("no-events", a_definition("A") | {"stages": [{"name": "s", "events": []}]}, [("/stages/0/events", "too_short")]),
    ("event-of-wrong-type", a_definition("A") | {"stages": [{"name": "s", "event": 7}]},
     [("/stages/0/event", "wrong_type")]),
    ("blank-name", a_definition("A", name=" "), [("/name", "too_short")]),
    ("long-name", a_definition("A", name="x" * 201), [("/name", "too_long")]),
    ("unknown-field", a_definition("A", windows=1), [("/windows", "unknown_field")]),
    ("dates-are-no-part", a_definition("A", start_date="2026-01-01"), [("/start_date", "unknown_field")]),
    ("surrogate-key", a_definition("A", **{"\ud800/~": 1}), [("/?~1~0", "unknown_field")]),
    ("global-filter", a_definition("A", filters=[{"property": "p", "op": "?"}]),
     [("/filters/0/op", "unknown_operator")]),
]  # fmt: skip


@pytest.mark.parametrize(("raw", "errors"), [row[1:] for row in WRONG], ids=[row[0] for row in WRONG])
def test_wrong_definition_is_refused_with_pointers(raw: Any, errors: list[tuple[str, str]]) -> None:
    assert errors_of(raw) == errors


def test_all_errors_are_listed_at_once_and_bounded() -> None:
    raw = a_definition("A", "B", tie="strict", x=1)
    raw["stages"][0] = {"name": "s", "event": "A", "filters": [{"property": "p", "op": "regex", "value": "(", "y": 1}]}
    raw["stages"][1]["event"] = ""
    assert [pointer for pointer, _ in errors_of(raw)] == [
        "/x",
        "/tie",
        "/stages/0/filters/0/y",
        "/stages/0/filters/0/value",
        "/stages/1/event",
    ]
    assert len(errors_of(a_definition("A", **{f"x{number}": 1 for number in range(500)}))) == ERRORS_MAX


def test_definition_survives_being_written_and_read() -> None:
    raw = a_definition("A", "B", "C", window_seconds=None, range="all_steps", description="d", project_id="p0")
    raw["stages"] = [
        {"name": "one", "event": "A", "order": 2, "filters": [{"property": "p", "op": "in", "value": [1, "x"]}]},
        {"name": "two", "events": ["B", "C", "B"], "order": 1},
        {"name": "three", "page": "/docs/**", "match": "path", "host": "Example.com", "order": 3},
    ]
    raw["filters"] = [{"any_of": [{"property": "url", "op": "exists"}]}]
    definition = parse_definition(raw)
    assert parse_definition(to_dict(definition)) == definition
    assert definition.stages[0].events == ("B", "C")


def errors_of(raw: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as refused:
        parse_definition(raw)
    return [(error.pointer, error.code) for error in refused.value.errors]

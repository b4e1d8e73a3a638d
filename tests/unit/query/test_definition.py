"""Reading a definition: what is accepted, and every error with its pointer."""

from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.event import NAME_CHARS_MAX
from iafa.query.definition import WINDOW_DEFAULT_S, to_dict
from iafa.query.definition_reading import parse_definition
from iafa.query.field_errors import ERRORS_MAX
from iafa.query.field_reading import WINDOW_MAX_S
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


TWO = a_definition("A", "B")
ACCEPTED: list[dict[str, Any]] = [
    {"order": "strict"}, {"order": "strict", "strict_scope": "filtered"}, {"order": "unordered"},
    {"order": "unordered", "first_required": True}, {"unit": "session"}, {"unit": "session", "sessions": "client"},
    {"entry": "first"}, {"entry": "last"}, {"tie": "strict"}, {"tie": "grace:0"}, {"tie": "grace:3600"},
    {"count": "totals"}, {"mature_only": True}, {"exclude_bots": True}, {"as_of": "2026-11-20T09:00:00+01:00"},
    {"trend": "hour"}, {"trend": "day"}, {"trend": "week"}, {"trend": "month"},
    {"exclusions": [{"event": "X"}]}, {"exclusions": [{"events": ["X", "Y"], "from_stage": 1, "to_stage": 2}]},
    {"exclusions": [{"page": "/a", "filters": [{"property": "p", "op": "exists"}]}], "exclusion_mode": "drop"},
    {"hold": ["order_id"]}, {"hold": ["a", "b", "c"]}, {"range": "all_steps"}, {"range": None}, {"order": None},
    {"breakdown": {"property": "column:channel"}}, {"hold": ["column:browser", "property:column:x"]},
    {"breakdown": {"property": "p"}}, {"breakdown": {"property": "p", "attribution": "step:2", "limit": 100}},
    {"breakdown": {"property": "p", "attribution": "first_known"}},
    {"breakdown": {"property": "p", "attribution": "last_known"}},
    {"breakdown": {"property": "p", "attribution": "each"}},
    {"breakdown": {"property": "p", "attribution": "each"}, "order": "unordered", "first_required": True},
]  # fmt: skip


@pytest.mark.parametrize("over", ACCEPTED, ids=repr)
def test_option_is_accepted_and_survives_being_written_and_read(over: dict[str, Any]) -> None:
    definition = parse_definition(TWO | over)
    assert parse_definition(to_dict(definition)) == definition
    if any(value is not None for value in over.values()):
        assert definition != parse_definition(TWO)


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"order": "random"}, "/order", "unsupported_value"),
    ({"unit": 1}, "/unit", "unsupported_value"),
    ({"entry": "any"}, "/entry", "unsupported_value"),
    ({"count": "all"}, "/count", "unsupported_value"),
    ({"range": "other"}, "/range", "unsupported_value"),
    ({"strict_scope": "none"}, "/strict_scope", "unsupported_value"),
    ({"sessions": "both"}, "/sessions", "unsupported_value"),
    ({"exclusion_mode": "keep"}, "/exclusion_mode", "unsupported_value"),
    ({"trend": "year"}, "/trend", "unsupported_value"),
    ({"semantics_version": 2}, "/semantics_version", "unsupported_value"),
    ({"mature_only": 0}, "/mature_only", "wrong_type"),
    ({"first_required": "yes"}, "/first_required", "wrong_type"),
    ({"exclude_bots": 1}, "/exclude_bots", "wrong_type"),
    ({"tie": "grace"}, "/tie", "unsupported_value"),
    ({"tie": "grace:3601"}, "/tie", "unsupported_value"),
    ({"tie": "grace:-1"}, "/tie", "unsupported_value"),
    ({"tie": 0}, "/tie", "unsupported_value"),
    ({"as_of": "2026"}, "/as_of", "invalid_timestamp"),
    ({"as_of": "2026-11-20T09:00:00"}, "/as_of", "invalid_timestamp"),
    ({"as_of": 5}, "/as_of", "invalid_timestamp"),
    ({"exclusions": {}}, "/exclusions", "wrong_type"),
    ({"exclusions": [{"event": "X"}] * 11}, "/exclusions", "too_long"),
    ({"exclusions": ["X"]}, "/exclusions/0", "wrong_type"),
    ({"exclusions": [{}]}, "/exclusions/0", "missing"),
    ({"exclusions": [{"event": "X", "page": "/"}]}, "/exclusions/0", "conflicting_fields"),
    ({"exclusions": [{"event": "X", "name": "n"}]}, "/exclusions/0/name", "unknown_field"),
    ({"exclusions": [{"event": "X", "from_stage": 0}]}, "/exclusions/0/from_stage", "number_out_of_range"),
    ({"exclusions": [{"event": "X", "to_stage": 3}]}, "/exclusions/0/to_stage", "number_out_of_range"),
    ({"exclusions": [{"event": "X", "to_stage": True}]}, "/exclusions/0/to_stage", "wrong_type"),
    ({"exclusions": [{"event": "X", "from_stage": 2}]}, "/exclusions/0/to_stage", "conflicting_fields"),
    ({"hold": "p"}, "/hold", "wrong_type"),
    ({"hold": ["a", "b", "c", "d"]}, "/hold", "too_long"),
    ({"hold": [""]}, "/hold/0", "too_short"),
    ({"hold": ["a", "column:nope"]}, "/hold/1", "unknown_column"),
    ({"breakdown": "p"}, "/breakdown", "wrong_type"),
    ({"breakdown": {}}, "/breakdown/property", "missing"),
    ({"breakdown": {"property": "column:nope"}}, "/breakdown/property", "unknown_column"),
    ({"breakdown": {"property": "property:"}}, "/breakdown/property", "too_short"),
    ({"breakdown": {"property": "p", "by": 1}}, "/breakdown/by", "unknown_field"),
    ({"breakdown": {"property": "p", "limit": 0}}, "/breakdown/limit", "number_out_of_range"),
    ({"breakdown": {"property": "p", "limit": 101}}, "/breakdown/limit", "number_out_of_range"),
    ({"breakdown": {"property": "p", "attribution": "step:3"}}, "/breakdown/attribution", "unsupported_value"),
    ({"breakdown": {"property": "p", "attribution": "first"}}, "/breakdown/attribution", "unsupported_value"),
    # combinations
    ({"first_required": True}, "/first_required", "conflicting_fields"),
    ({"strict_scope": "filtered"}, "/strict_scope", "conflicting_fields"),
    ({"sessions": "client"}, "/sessions", "conflicting_fields"),
    ({"tie": "strict", "order": "unordered"}, "/tie", "conflicting_fields"),
    ({"tie": "grace:1", "order": "unordered"}, "/tie", "conflicting_fields"),
    ({"tie": "grace:1", "order": "strict"}, "/tie", "conflicting_fields"),
    ({"tie": "grace:1", "count": "totals"}, "/tie", "conflicting_fields"),
    ({"breakdown": {"property": "p", "attribution": "each"}, "count": "totals"},
     "/breakdown/attribution", "conflicting_fields"),
    ({"breakdown": {"property": "p", "attribution": "each"}, "order": "unordered"},
     "/breakdown/attribution", "conflicting_fields"),
]  # fmt: skip


@pytest.mark.parametrize(("over", "pointer", "code"), REFUSED, ids=repr)
def test_wrong_option_is_refused_at_its_field(over: dict[str, Any], pointer: str, code: str) -> None:
    assert errors_of(TWO | over) == [(pointer, code)]


STAGES: list[tuple[int, dict[str, Any], dict[str, Any], list[tuple[str, str]]]] = [
    (1, {"optional": True}, {}, []),
    (1, {"within_seconds": 5, "after_seconds": 5}, {}, []),
    (1, {"within_seconds": 0}, {"order": "strict"}, []),
    (1, {"optional": 1}, {}, [("/stages/1/optional", "wrong_type")]),
    (1, {"within_seconds": True}, {}, [("/stages/1/within_seconds", "wrong_type")]),
    (1, {"after_seconds": -1}, {}, [("/stages/1/after_seconds", "number_out_of_range")]),
    (0, {"optional": True}, {}, [("/stages/0/optional", "conflicting_fields")]),
    (2, {"optional": True}, {}, [("/stages/2/optional", "conflicting_fields")]),
    (1, {"optional": True}, {"order": "strict"}, [("/stages/1/optional", "conflicting_fields")]),
    (1, {"optional": True}, {"order": "unordered"}, [("/stages/1/optional", "conflicting_fields")]),
    (1, {"optional": True}, {"tie": "grace:1"}, [("/stages/1/optional", "conflicting_fields")]),
    (1, {"optional": True}, {"count": "totals"}, [("/stages/1/optional", "conflicting_fields")]),
    (1, {"optional": True, "within_seconds": 5}, {}, [("/stages/1/within_seconds", "conflicting_fields")]),
    (0, {"after_seconds": 5}, {}, [("/stages/0/after_seconds", "conflicting_fields")]),
    (1, {"within_seconds": 5}, {"order": "unordered"}, [("/stages/1/within_seconds", "conflicting_fields")]),
    (1, {"within_seconds": 5}, {"tie": "grace:1"}, [("/tie", "conflicting_fields")]),
    (1, {"within_seconds": 5, "after_seconds": 6}, {}, [("/stages/1/after_seconds", "conflicting_fields")]),
    (1, {"optional": True}, {"exclusions": [{"event": "X", "to_stage": 2}]},
     [("/exclusions/0/to_stage", "conflicting_fields")]),
    (1, {"optional": True}, {"breakdown": {"property": "p", "attribution": "step:2"}},
     [("/breakdown/attribution", "conflicting_fields")]),
    (1, {}, {"order": "unordered", "exclusions": [{"event": "X", "to_stage": 2}]},
     [("/exclusions/0/from_stage", "conflicting_fields")]),
]  # fmt: skip


@pytest.mark.parametrize(("index", "stage", "over", "errors"), STAGES, ids=repr)
def test_option_of_a_stage(
    index: int, stage: dict[str, Any], over: dict[str, Any], errors: list[tuple[str, str]]
) -> None:
    raw = a_definition("A", "B", "C", **over)
    raw["stages"][index] |= stage
    if errors:
        assert errors_of(raw) == errors
    else:
        definition = parse_definition(raw)
        assert parse_definition(to_dict(definition)) == definition
        assert definition.stages[index] != parse_definition(a_definition("A", "B", "C")).stages[index]


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


def test_a_name_that_is_not_given_says_what_it_is() -> None:
    stages = [{"event": "A"}, {"events": ["B", "C"]}, {"page": "/done/**"}]
    named = parse_definition({"stages": stages})
    assert [stage.name for stage in named.stages] == ["A", "B / C", "/done/**"]
    assert named.name == "A \N{RIGHTWARDS ARROW} /done/**"
    assert parse_definition({"stages": stages[:1]}).name == "A"
    long = parse_definition({"stages": [{"events": ["a" * 150, "b" * 150]}]})
    assert len(long.name) == len(long.stages[0].name) == NAME_CHARS_MAX


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
    ("empty", {}, [("/stages", "missing")]),
    ("no-stages", {"name": "f", "stages": []}, [("/stages", "too_short")]),
    ("stages-no-array", {"name": "f", "stages": {"0": {}}}, [("/stages", "wrong_type")]),
    ("stage-no-object", {"name": "f", "stages": ["A"]}, [("/stages/0", "wrong_type")]),
    ("stage-without-event", {"name": "f", "stages": [{"name": "s"}]}, [("/stages/0", "missing")]),
    ("empty-name", {"name": "", "stages": [{"name": "", "event": "A"}]},
     [("/stages/0/name", "too_short"), ("/name", "too_short")]),
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
    raw = a_definition("A", "B", tie="none", x=1)
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


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("0001-01-01T00:00:00+14:00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-14:00", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_an_instant_outside_of_the_calendar_is_its_end(given: str, shown: str) -> None:
    raw = {"stages": [{"event": "A"}], "as_of": given}
    assert to_dict(parse_definition(raw))["as_of"] == shown

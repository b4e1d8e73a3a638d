"""Strict event types: what does not fit its schema is refused on every way in, with a pointer and without the value."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.errors import ValidationFailed
from iafa.meta.collect_rules import SchemaRule
from iafa.meta.event_schemas import SCHEMA_BYTES_MAX, schemas_of, why_not_schema
from tests.support.lake import TestLake, rows
from tests.unit.ingest.test_collector import HERE, SECRET, body, collector_of, event
from tests.unit.upload.files import Upload, ndjson

PRICED = {"required": ["price"], "properties": {"price": {"type": "number", "minimum": 0}}}
RULES = (SchemaRule(event_type="buy", schema=json.dumps(PRICED)),)
GRANT = replace(SECRET, schemas=RULES)


def errors(properties: Mapping[str, Any], schema: Mapping[str, Any] = PRICED) -> list[tuple[str, str]]:
    known = schemas_of((SchemaRule(event_type="buy", schema=json.dumps(schema)),))
    return [(one.pointer, one.code) for one in known.errors("buy", json.dumps(properties).encode(), "/properties")]


FITS: list[Any] = [
    ({"price": 1}, PRICED, []),
    ({"price": 0.5, "more": None}, PRICED, []),
    ({"price": "1"}, PRICED, ["/properties/price"]),
    ({"price": -1}, PRICED, ["/properties/price"]),
    ({}, PRICED, ["/properties"]),
    ({"a": [{"b": 1}]}, {"properties": {"a": {"items": {"required": ["c"]}}}}, ["/properties/a/0"]),
    ({"a/b": 1, "~": 1}, {"additionalProperties": {"type": "string"}}, ["/properties/a~1b", "/properties/~0"]),
    ({"a": "x"}, {"properties": {"a": {"pattern": "^(x+x+)+y$"}}}, ["/properties/a"]),
    ({"a": "x" * 5000}, {"properties": {"a": {"pattern": "^(x+x+)+y$"}}}, ["/properties/a"]),
    ({"a": 1}, {"properties": {"a": False}}, ["/properties/a"]),
]


@pytest.mark.parametrize(("properties", "schema", "pointers"), FITS)
def test_what_fits(properties: dict[str, Any], schema: dict[str, Any], pointers: list[str]) -> None:
    assert errors(properties, schema) == [(pointer, "schema_mismatch") for pointer in pointers]


USABLE: list[Any] = [
    ({}, None),
    (PRICED, None),
    ({"$schema": "http://json-schema.org/draft-04/schema#"}, None),
    ({"type": "prize"}, "valid"),
    ({"$ref": "http://example.org/schema"}, "references"),
    ({"$ref": "#/$defs/a", "$defs": {"a": {}}}, "references"),
    ({"allOf": [{"items": [{"$dynamicRef": "#a"}]}]}, "references"),
    ({"$schema": "http://example.org/other"}, "Unknown meta-schema"),
    ({"pattern": "(?=a)b"}, "regex"),
    ({"pattern": "(a{1000}){1000}"}, "regex"),
    ({"const": "x" * SCHEMA_BYTES_MAX}, "bytes"),
]


@pytest.mark.parametrize(("schema", "why"), USABLE)
def test_which_schemas_can_be_used(schema: dict[str, Any], why: str | None) -> None:
    found = why_not_schema(schema)
    assert (found is None) if why is None else (found is not None and why in found)


@pytest.mark.parametrize("over", [{}, {"context": {"a": 1}}], ids=["plain", "through the steps"])
async def test_a_batch_refuses_what_does_not_fit_and_keeps_the_rest(tmp_path: Path, over: dict[str, Any]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    events = [
        event("fits", event="buy", properties={"price": 1}),
        event("not", event="buy", properties={"price": "a secret"}),
        event("free", event="view", properties={"price": "any"}),
    ]

    answer = await collector.batch(GRANT, HERE, body(*(one | over for one in events)))

    assert (answer.accepted, answer.rejected) == (2, 1)
    (refused,) = [one for one in answer.results if one.result == "rejected"]
    assert (refused.event_id, refused.code, refused.pointer) == ("not", "schema_mismatch", "/events/1/properties/price")
    assert "secret" not in str(refused)
    assert collector.counters.read()["events_dropped"] == {"schema_mismatch": 1}
    assert {row[0] for row in rows(lake.take(), "id")} == {"fits", "free"}


async def test_one_event_that_does_not_fit_says_all_that_is_wrong(tmp_path: Path) -> None:
    schema = {"required": ["a", "b"], "properties": {"c": {"type": "integer"}}}
    grant = replace(SECRET, schemas=(SchemaRule(event_type="buy", schema=json.dumps(schema)),))
    collector = collector_of(TestLake(tmp_path))

    with pytest.raises(ValidationFailed) as refused:
        await collector.one(grant, HERE, json.dumps(event("e", event="buy", properties={"c": "x"})).encode())

    assert sorted(one.pointer for one in refused.value.errors) == ["/properties", "/properties", "/properties/c"]


def test_an_upload_refuses_rows_that_do_not_fit(upload: Upload) -> None:
    lines = ndjson({"event_type": "buy", "price": 1}, {"event_type": "buy", "price": "x"}, {"event_type": "view"})

    receipt = upload.load(lines, schemas=RULES)

    assert (receipt.accepted, receipt.rejected, receipt.rejected_by_code) == (2, 1, {"schema_mismatch": 1})
    assert (receipt.errors[0].row, receipt.errors[0].pointer) == (2, "/properties/price")


@pytest.fixture
def upload(tmp_path: Path) -> Upload:
    return Upload(tmp_path)

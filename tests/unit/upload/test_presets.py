"""Exports of other tools become events: every member lands where it belongs, twice the same file is once the events."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import pyarrow as pa
import pytest

from iafa.clock import to_iso
from iafa.errors import DataDamaged, ValidationFailed
from iafa.event import identity_hash
from iafa.jobs.presets.reading import PRESETS
from iafa.lake.identity import IdentityEdges
from tests.support.events import PROJECT
from tests.unit.upload.exports import (
    AMPLITUDE,
    GA4,
    MIXPANEL,
    POSTHOG,
    SEGMENT_ARCHIVE,
    SEGMENT_TRACKS,
    UMAMI,
)
from tests.unit.upload.files import Upload

URL = "https://shop.example/cart"
EVENTS: list[Any] = [
    pytest.param(
        "segment",
        SEGMENT_ARCHIVE,
        {
            **{"id": "ajs-1", "event_type": "Order Completed", "user_id": "u1", "anonymous_id": "anon-1", "url": URL},
            **{"referrer": "https://search.example/", "user_agent": "Mozilla/5.0", "source": "web"},
            **{"utm_source": "letter", "utm_campaign": "spring", "time": "2025-11-20 10:00:00.25+00"},
        },
        {"total": 12.5, "context": {"library": {"name": "analytics.js", "version": "next-1.84.3"}}},
        id="segment archive",
    ),
    pytest.param(
        "segment",
        SEGMENT_TRACKS,
        {
            **{"id": "ajs-2", "event_type": "Order Completed", "user_id": None, "anonymous_id": "anon-1", "url": URL},
            **{"user_agent": "Mozilla/5.0", "source": "web", "utm_campaign": "spring"},
            **{"time": "2025-11-20 10:00:00.25+00"},
        },
        {"total": 12.5, "context": {"library": {"name": "analytics.js"}}},
        id="segment tracks",
    ),
    pytest.param(
        "posthog",
        POSTHOG,
        {
            **{"id": "018f0000-0000-7000-8000-000000000001", "event_type": "page_view", "user_id": "u1", "url": URL},
            **{"anonymous_id": None, "referrer": None, "source": "web", "time": "2025-11-20 10:00:00.25+00"},
        },
        {"$lib": "web", "plan": "pro"},
        id="posthog",
    ),
    pytest.param(
        "mixpanel",
        MIXPANEL,
        {
            **{"event_type": "Order Completed", "user_id": None, "anonymous_id": "d1", "url": URL, "source": "web"},
            **{"utm_source": "letter", "time": "2025-11-20 10:00:00+00"},
        },
        {"browser": "Chrome", "country": "DE", "mp_lib": "web", "total": 12.5},
        id="mixpanel",
    ),
    pytest.param(
        "amplitude",
        AMPLITUDE,
        {
            **{"id": "018f0000-0000-7000-8000-000000000002", "event_type": "Order Completed", "user_id": "u1"},
            **{"anonymous_id": "d1", "session_id": "d1.1763632700000", "url": URL, "source": "web"},
            **{"utm_source": "letter", "time": "2025-11-20 10:00:00.25+00"},
        },
        {
            **{"total": 12.5, "country": "Germany", "os": "Linux", "device": "PC"},
            "user_properties": {"plan": "pro"},
        },
        id="amplitude",
    ),
    pytest.param(
        "ga4",
        GA4,
        {
            **{"event_type": "page_view", "user_id": None, "anonymous_id": "111.222", "url": URL, "source": "web"},
            **{"session_id": "111.222.1763632700", "utm_source": "letter", "utm_campaign": "spring"},
            "time": "2025-11-20 10:00:00.25+00",
        },
        {
            **{"ga_session_id": 1763632700, "value": 12.5, "browser": "Chrome", "os": "Android", "device": "mobile"},
            **{"country": "Germany", "region": "Berlin", "city": "Berlin", "user_properties": {"plan": "pro"}},
        },
        id="ga4",
    ),
    pytest.param(
        "umami",
        UMAMI,
        {
            **{"id": "e1", "event_type": "page_view", "user_id": None, "anonymous_id": "s1", "session_id": "v1"},
            **{"url": f"{URL}?a=1", "referrer": "https://search.example/", "utm_source": "letter", "source": "web"},
            "time": "2025-11-20 10:00:00+00",
        },
        {"browser": "chrome", "country": "DE", "region": "DE-BE", "title": "Cart"},
        id="umami",
    ),
]


def lines(*rows: Mapping[str, Any]) -> bytes:
    return b"".join(msgspec.json.encode(row) + b"\n" for row in rows)


def table_text(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """CSV, whose objects are JSON texts."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]))
    writer.writeheader()
    for row in rows:
        objects = {name: msgspec.json.encode(cell).decode() for name, cell in row.items() if isinstance(cell, dict)}
        writer.writerow({**row, **objects})
    return text.getvalue().encode()


def stored(upload: Upload, fields: Mapping[str, object]) -> dict[str, object]:
    """What the only event has under these names."""
    columns = ["created_at::text as time" if name == "time" else name for name in fields]
    (row,) = upload.events(", ".join(columns))
    return dict(zip(fields, row, strict=True))


@pytest.mark.parametrize(("preset", "row", "fields", "properties"), EVENTS)
def test_a_line_becomes_the_event_that_it_was(
    upload: Upload, preset: str, row: dict[str, Any], fields: dict[str, object], properties: dict[str, Any]
) -> None:
    receipt = upload.load(lines(row), preset=preset)

    assert (receipt.accepted, receipt.errors) == (1, [])
    assert stored(upload, fields) == fields
    assert upload.properties() == properties
    assert "198.51.100.7" not in str(upload.events("*"))


@pytest.mark.parametrize(("preset", "row", "fields", "properties"), EVENTS)
def test_a_parquet_file_of_the_same_rows_is_the_same_event(
    upload: Upload, preset: str, row: dict[str, Any], fields: dict[str, object], properties: dict[str, Any]
) -> None:
    receipt = upload.load_table(pa.Table.from_pylist([row]), preset=preset)

    assert (receipt.accepted, receipt.errors) == (1, [])
    assert stored(upload, fields) == fields
    assert upload.properties() == properties


@pytest.mark.parametrize("preset", ["umami", "amplitude", "posthog"])
def test_a_csv_file_holds_objects_as_texts(upload: Upload, preset: str) -> None:
    _, row, fields, properties = next(case.values for case in EVENTS if case.values[0] == preset)

    receipt = upload.load(table_text([row]), "csv", preset=preset)

    assert (receipt.accepted, receipt.errors) == (1, [])
    assert stored(upload, fields) == fields
    assert upload.properties() == properties


@pytest.mark.parametrize(("preset", "row", "fields", "properties"), EVENTS)
def test_the_same_event_in_another_file_is_not_counted_twice(
    upload: Upload, preset: str, row: dict[str, Any], fields: dict[str, object], properties: dict[str, Any]
) -> None:
    upload.load(lines(row), preset=preset)

    receipt = upload.load(lines(row, row), preset=preset)

    assert (receipt.accepted, receipt.duplicates) == (0, 2)


PEOPLE: list[Any] = [
    ("mixpanel", {"distinct_id": "u1", "$user_id": "u1", "$device_id": "d1"}, ("Order Completed", "u1", "d1")),
    ("mixpanel", {"distinct_id": "u1", "$device_id": None}, ("Order Completed", "u1", None)),
    ("mixpanel", {"distinct_id": "d1"}, ("Order Completed", None, "d1")),
]


@pytest.mark.parametrize(("preset", "over", "expected"), PEOPLE)
def test_whose_an_event_of_mixpanel_is(
    upload: Upload, preset: str, over: dict[str, Any], expected: tuple[str, ...]
) -> None:
    row = MIXPANEL | {"properties": MIXPANEL["properties"] | over}

    upload.load(lines(row), preset=preset)

    assert upload.events("event_type, user_id, anonymous_id") == [expected]


JOINS: list[Any] = [
    pytest.param(
        "mixpanel",
        {
            "event": "$identify",
            "properties": {"time": 1763632800, "$insert_id": "i", "$identified_id": "u1", "$anon_id": "d1"},
        },
        id="mixpanel identify",
    ),
    pytest.param(
        "mixpanel",
        {
            "event": "$merge",
            "properties": {"time": 1763632800, "$insert_id": "i", "$distinct_ids": ["u1", "$device:d1"]},
        },
        id="mixpanel merge",
    ),
    pytest.param(
        "segment",
        {"id": "i", "anonymous_id": "d1", "user_id": "u1", "timestamp": "2025-11-20 10:00:00", "plan": "pro"},
        id="segment identifies",
    ),
    pytest.param(
        "posthog",
        {
            "uuid": "i",
            "event": "$identify",
            "distinct_id": "u1",
            "timestamp": "2025-11-20 10:00:00",
            "properties": {"$anon_distinct_id": "d1"},
        },
        id="posthog identify",
    ),
]


@pytest.mark.parametrize(("preset", "row"), JOINS)
def test_what_joined_two_ids_there_joins_them_here(upload: Upload, preset: str, row: dict[str, Any]) -> None:
    receipt = upload.load(lines(row), preset=preset)

    assert receipt.errors == []
    owners = owners_of(upload)
    assert owners[identity_hash("d1")] == owners.get(identity_hash("u1"), identity_hash("u1"))


def owners_of(upload: Upload) -> dict[int, int]:
    identities = upload.lake.take().identities
    return {} if identities is None else {row["identity_hash"]: row["owner_hash"] for row in identities.to_pylist()}


BOTH_IDS: list[Any] = [
    ("amplitude", AMPLITUDE, lambda number: {"uuid": f"e{number}"}),
    ("ga4", GA4 | {"user_id": "u1", "user_pseudo_id": "d1"}, lambda number: {"batch_event_index": str(number)}),
]


@pytest.mark.parametrize(("preset", "row", "other"), BOTH_IDS)
def test_tools_that_join_a_device_by_any_event_keep_it_joined(
    upload: Upload, preset: str, row: dict[str, Any], other: Any
) -> None:
    user_name = "user_pseudo_id" if preset == "ga4" else "device_id"
    before = {name: cell for name, cell in row.items() if name != "user_id"} | other(1)

    upload.load(lines(before, row | other(2), row | other(3)), preset=preset)

    assert row[user_name] == "d1"
    assert owners_of(upload)[identity_hash("d1")] == identity_hash("u1")
    assert upload.lake.manifests.latest(PROJECT).identity != ()


def test_a_pair_that_was_taken_apart_is_not_joined_by_the_next_import(upload: Upload) -> None:
    upload.load(lines(AMPLITUDE), preset="amplitude")
    known = IdentityEdges(upload.lake.layout, upload.lake.manifests)
    (edge,) = known.edges(PROJECT, upload.lake.manifests.latest(PROJECT))
    known.revoke(PROJECT, [edge.event_id])

    upload.load(lines(AMPLITUDE | {"uuid": "another"}), preset="amplitude")

    assert owners_of(upload) == {}


def pair_times(upload: Upload) -> list[str]:
    known = IdentityEdges(upload.lake.layout, upload.lake.manifests)
    edges = known.edges(PROJECT, upload.lake.manifests.latest(PROJECT))
    return [to_iso(edge.at_us)[:10] for edge in edges]


def test_a_pair_holds_from_its_earliest_event_in_whichever_order_files_come(upload: Upload) -> None:
    for number, day in enumerate((21, 20, 22)):
        row = AMPLITUDE | {"uuid": f"e{number}", "event_time": f"2025-11-{day} 10:00:00.000000"}
        upload.load(lines(row), preset="amplitude")
    assert pair_times(upload) == ["2025-11-20"]

    known = IdentityEdges(upload.lake.layout, upload.lake.manifests)
    (edge,) = known.edges(PROJECT, upload.lake.manifests.latest(PROJECT))
    known.revoke(PROJECT, [edge.event_id])
    upload.load(lines(AMPLITUDE | {"uuid": "e9", "event_time": "2025-11-19 10:00:00.000000"}), preset="amplitude")
    assert pair_times(upload) == ["2025-11-20"], "what was taken apart stays so"
    assert owners_of(upload) == {}


def test_edges_that_cannot_be_stored_leave_no_file_of_events(upload: Upload) -> None:
    first = lines(AMPLITUDE | {"uuid": "e1"})
    upload.load(first, preset="amplitude")
    (edges,) = upload.lake.layout.project(PROJECT).rglob("identity*")
    (path,) = [edges] if edges.is_file() else list(edges.iterdir())
    whole = path.read_bytes()
    path.write_bytes(b"damaged")
    before = sorted(upload.lake.layout.root.rglob("*.parquet"))

    with pytest.raises(DataDamaged):
        upload.load(lines(AMPLITUDE | {"uuid": "e2"}), preset="amplitude")
    assert sorted(upload.lake.layout.root.rglob("*.parquet")) == before

    path.write_bytes(whole)
    assert upload.load(lines(AMPLITUDE | {"uuid": "e2"}), preset="amplitude").accepted == 1


def test_events_of_segment_with_both_ids_join_nobody(upload: Upload) -> None:
    upload.load(lines(SEGMENT_ARCHIVE), preset="segment")

    assert owners_of(upload) == {}


def test_a_table_of_segment_may_have_a_property_called_type(upload: Upload) -> None:
    receipt = upload.load(lines(SEGMENT_TRACKS | {"type": "button"}), preset="segment")

    assert receipt.errors == []
    assert upload.properties()["type"] == "button"


def test_a_named_event_of_umami_carries_its_joined_data(upload: Upload) -> None:
    row = UMAMI | {"event_type": "2", "event_name": "signup", "event_data": '{"plan":"pro"}'}

    upload.load(table_text([row]), "csv", preset="umami")

    assert upload.events("event_type") == [("signup",)]
    assert upload.properties()["plan"] == "pro"


def test_bigquery_nests_repeated_records_one_level_deeper_in_parquet(upload: Upload) -> None:
    row = GA4 | {"event_params": {"list": [{"element": one} for one in GA4["event_params"]]}}

    upload.load_table(pa.Table.from_pylist([row]), preset="ga4")

    assert upload.properties()["value"] == 12.5


OTHER_FILES: list[Any] = [(preset, format) for preset in PRESETS for format in ("ndjson", "csv")]


@pytest.mark.parametrize(("preset", "format"), OTHER_FILES)
def test_a_file_of_another_kind_is_refused_as_such(upload: Upload, preset: str, format: Any) -> None:
    row = {"customer": "u1", "action": "signup"}
    content = lines(row, row) if format == "ndjson" else table_text([row])

    with pytest.raises(ValidationFailed, match=f"no export of {preset}"):
        upload.load(content, format, preset=preset)

    assert upload.generations() == 0


@pytest.mark.parametrize("preset", PRESETS)
@pytest.mark.parametrize("wrong", [None, "", 7, True, [], {}, "x" * 300, "\\N", {"a": {"b": [None]}}])
def test_every_member_may_be_of_any_kind(upload: Upload, preset: str, wrong: object) -> None:
    """A row is stored or refused with a reason, never a failure of the whole."""
    row = next(case.values[1] for case in EVENTS if case.values[0] == preset)
    rows = [row | {name: wrong} for name in row]
    if "properties" in row and isinstance(row["properties"], dict):
        rows += [row | {"properties": row["properties"] | {name: wrong}} for name in row["properties"]]

    receipt = upload.load(lines(row, *rows), preset=preset)

    assert receipt.accepted + receipt.duplicates + receipt.rejected == len(rows) + 1
    assert all(error.message for error in receipt.errors)

"""A project's privacy holds for files, too: no address as it came, no denied property, and a visitor's country."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from iafa.event import Location
from iafa.ingest.privacy import hash_address
from iafa.ingest.salts import Salts
from iafa.ingest.wire import WireEvent
from iafa.jobs.upload_columns import ColumnMap
from iafa.meta.collect_rules import PrivacySettings
from tests.unit.ingest.test_privacy import everything_in
from tests.unit.upload.exports import AMPLITUDE, MIXPANEL, POSTHOG, SEGMENT_ARCHIVE, SEGMENT_TRACKS
from tests.unit.upload.files import ROW, Upload, ndjson

ADDRESS, SALT = "198.51.100.7", b"the project's own"
CUT = "198.51.100.0/24"
HASHED = hash_address(ADDRESS, SALT)


def located(address: str) -> Location | None:
    return Location(country="GB", timezone="Europe/London") if address == ADDRESS else None


def stored(upload: Upload, rows: bytes, **request: Any) -> Any:
    upload.use(locate=located)
    receipt = upload.load(rows, salt=SALT, **request)
    assert receipt.accepted, receipt
    assert ADDRESS not in everything_in(upload.lake.layout.root)
    ((address, country, timezone),) = upload.events("ip_address, country, timezone")
    assert (country, timezone) == ("GB", "Europe/London")
    return address


@pytest.mark.parametrize(("form", "kept"), [("hash", HASHED), ("truncate", CUT), ("none", None)])
@pytest.mark.parametrize("column", ["ip", "$ip", "ip_address"])
def test_address_of_a_row_is_located_and_stored_as_the_project_says(
    upload: Upload, column: str, form: Any, kept: str | None
) -> None:
    assert stored(upload, ndjson({column: ADDRESS, "a": 1}), privacy=PrivacySettings(ip=form)) == kept
    assert upload.properties() == {"a": 1}


MIXED: dict[str, Any] = {**MIXPANEL, "properties": {**MIXPANEL["properties"], "ip": ADDRESS}}
EXPORTS: list[Any] = [
    pytest.param("segment", SEGMENT_ARCHIVE, id="segment archive"),
    pytest.param("segment", SEGMENT_TRACKS, id="segment tracks"),
    pytest.param("posthog", POSTHOG, id="posthog"),
    pytest.param("mixpanel", MIXED, id="mixpanel"),
    pytest.param("amplitude", {**AMPLITUDE, "ip_address": ADDRESS}, id="amplitude"),
]


@pytest.mark.parametrize(("preset", "row"), EXPORTS)
def test_address_in_an_export_of_another_tool(upload: Upload, preset: Any, row: Mapping[str, Any]) -> None:
    privacy = PrivacySettings(ip="truncate")
    assert stored(upload, json.dumps(row).encode(), preset=preset, privacy=privacy) == CUT


def test_address_in_a_column_of_another_name(upload: Upload) -> None:
    table = pa.table({**{name: [value] for name, value in ROW.items()}, "client": [ADDRESS], "ip": ["c0ffee"]})
    upload.use(locate=located)
    upload.load_table(table, columns={"ip_address": "client"}, salt=SALT)
    assert upload.events("ip_address, country") == [(HASHED, "GB")]
    assert upload.properties() == {"ip": "c0ffee"}


def test_location_that_its_sender_does_not_want_is_not_looked_up(upload: Upload) -> None:
    upload.use(locate=located)
    row = POSTHOG | {"properties": json.dumps({"$ip": ADDRESS, "$geoip_disable": True})}
    upload.load(json.dumps(row).encode(), preset="posthog", salt=SALT)
    assert upload.events("ip_address, country") == [(HASHED, None)]


def test_addresses_and_denied_names_in_the_properties_of_a_row(upload: Upload) -> None:
    privacy = PrivacySettings(ip="truncate", deny_properties=("password", "*card*"))
    deep = {"user": {"Card_Number": "4111", "a": 1}, "password": "secret", "$ip": ADDRESS, "context": {"ip": ADDRESS}}
    rows = ndjson({"id": "json", "properties": deep}, {"id": "plain", "password": "secret"}, {"id": "none"})
    receipt = upload.load(rows, salt=SALT, privacy=privacy)
    assert (receipt.accepted, receipt.warnings) == (3, ["3 properties on the project's deny-list were removed"])
    found = {str(id_): json.loads(str(text)) for id_, text in upload.events("id, properties")}
    assert found == {"json": {"user": {"a": 1}, "$ip": CUT, "context": {"ip": CUT}}, "plain": {}, "none": {}}
    written = everything_in(upload.lake.layout.root)
    assert not [text for text in (ADDRESS, "secret", "4111") if text in written]
    assert upload.uploader.counters.read()["properties_removed"] == {"": 3}


def test_without_a_salt_no_hash_of_an_address_is_stored(upload: Upload) -> None:
    upload.load(ndjson({"ip": ADDRESS, "properties": {"$ip": ADDRESS}}))
    assert upload.events("ip_address, properties") == [(None, "{}")]


@pytest.mark.parametrize(("kind", "periods"), [("daily", 3), ("monthly", 2)])
def test_with_a_rotating_salt_a_visitor_of_history_is_another_one_each_time(
    upload: Upload, tmp_path: Path, kind: Any, periods: int
) -> None:
    """And the one of today is who the collected events of today know."""
    lake = upload.lake
    salts = Salts(lake.layout.salts, lake.layout.tmp, lake.clock)
    upload.use(salt_of=salts.of_history)
    days = ["2025-10-20T10:00:00Z", "2025-10-20T23:00:00Z", "2025-10-21T10:00:00Z", "2025-11-21T10:00:00Z"]
    rows = ndjson(*({"id": str(n), "ip": ADDRESS, "timestamp": day} for n, day in enumerate(days)))
    upload.load(rows, salt=SALT, privacy=PrivacySettings(salt=kind))
    found = [address for _id, address in sorted(upload.events("id, ip_address"))]
    assert found[0] == found[1]
    assert found[3] == hash_address(ADDRESS, salts.of(kind, SALT))
    assert len(set(found)) == periods
    assert HASHED not in found


def test_only_what_is_an_address_leaves_the_properties() -> None:
    columns = ColumnMap({}, is_table=False)
    row = {**ROW, "ip": "patent office", "$ip": ADDRESS, "ip_address": 7}
    message = columns.message(dict(row))
    assert message.address == ADDRESS
    assert isinstance(message.parsed, WireEvent)
    assert message.parsed.properties == {"ip": "patent office", "ip_address": 7}

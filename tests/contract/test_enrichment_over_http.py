"""Enrichment through the front door: which addresses get a country, and that no address is stored."""

import json
import warnings
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from iafa.cli.serve import run_server
from iafa.errors import WrongUsage
from iafa.settings import Settings
from tests.contract.test_collect import Site
from tests.contract.test_sdk_routes import basic, opened, stored
from tests.support.mmdb import write_mmdb

pytest.importorskip("maxminddb", reason="the package maxminddb is not installed here")

VISITOR, SERVER = "81.2.69.142", "2.125.160.216"
RECORDS: dict[str, dict[str, Any]] = {
    "81.2.69.0/24": {"country": {"iso_code": "GB"}, "location": {"time_zone": "Europe/London"}},
    "2.125.0.0/16": {"country_code": "IE"},
}
PAGE = {"origin": "https://shop.example"}
LOCATED, NOWHERE = ("GB", "Europe/London"), (None, None)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    database = write_mmdb(tmp_path / "geo.mmdb", RECORDS)
    async with opened(tmp_path / "data", geoip_database=str(database)) as site:
        yield site


def client_at(site: Site, address: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app=site.app, client=(address, 4711))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver")


def track(**message: Any) -> bytes:
    return json.dumps({"type": "track", "event": "visit", "userId": "u1", **message}).encode()


def hog(**properties: Any) -> bytes:
    return json.dumps({"event": "visit", "distinct_id": "u1", "properties": properties}).encode()


PLAIN = b'{"event_type":"visit","user_id":"u1"}'
WRITTEN = b'{"event":"visit","user_id":"u\\u0031"}'  # the escape leaves it to the pipeline
LYING = b'{"event_type":"visit","user_id":"u1","location":{"country":"XX"}}'
CASES: list[Any] = [
    pytest.param("/e/KEY", b'{"e":[{"n":"visit"}]}', {}, VISITOR, LOCATED, id="beacon"),
    pytest.param("/track", PLAIN, {"x-api-key": "KEY", **PAGE}, VISITOR, LOCATED, id="page"),
    pytest.param("/track", WRITTEN, {"x-api-key": "KEY", **PAGE}, VISITOR, LOCATED, id="page, through the pipeline"),
    pytest.param("/track", LYING, {"x-api-key": "KEY", **PAGE}, VISITOR, LOCATED, id="who says where he is"),
    pytest.param("/track", LYING, {"x-api-key": "SECRET"}, SERVER, NOWHERE, id="a server that says where it is"),
    pytest.param("/track", PLAIN, {"x-api-key": "KEY"}, SERVER, NOWHERE, id="script with the write key"),
    pytest.param("/track", PLAIN, {"x-api-key": "SECRET"}, SERVER, NOWHERE, id="server"),
    pytest.param("/v1/track", track(), {"SDK": "KEY", **PAGE}, VISITOR, LOCATED, id="Segment in a page"),
    pytest.param("/v1/track", track(), {"SDK": "KEY"}, SERVER, NOWHERE, id="Segment in a server"),
    pytest.param("/v1/track", track(context={"ip": VISITOR}), {"SDK": "KEY"}, SERVER, LOCATED, id="context.ip"),
    pytest.param("/v1/track", track(context={"ip": "10.1.2.3"}), {"SDK": "KEY"}, SERVER, NOWHERE, id="private"),
    pytest.param("/capture/", hog(**{"$ip": VISITOR, "token": "KEY"}), {}, SERVER, LOCATED, id="$ip"),
    pytest.param(
        *("/capture/", hog(**{"$ip": VISITOR, "$geoip_disable": True, "token": "KEY"}), {}, SERVER, NOWHERE),
        id="$geoip_disable in a server",
    ),
    pytest.param(
        *("/capture/", hog(**{"$geoip_disable": True, "token": "KEY"}), PAGE, VISITOR, NOWHERE),
        id="$geoip_disable in a page",
    ),
]


@pytest.mark.parametrize(("path", "body", "headers", "address", "expected"), CASES)
async def test_only_a_visitors_address_gets_a_location(
    site: Site, tmp_path: Path, path: str, body: bytes, headers: dict[str, str], address: str, expected: Any
) -> None:
    keys = {"KEY": site.write_key, "SECRET": site.secret_key}
    headers = {name: keys.get(value, value) for name, value in headers.items() if name != "SDK"} | (
        basic(site.write_key) if "SDK" in headers else {}
    )
    async with client_at(site, address) as client:
        answer = await client.post(
            path.replace("KEY", site.write_key),
            content=body.replace(b"KEY", site.write_key.encode()),
            headers={"content-type": "application/json", **headers},
        )
    assert answer.status_code in (200, 204), answer.text
    assert stored(tmp_path / "data", site.project_id, "country, timezone") == [expected]
    journals = b"".join(file.read_bytes() for file in (tmp_path / "data" / "journal").rglob("*.ndjson"))
    assert b"visit" in journals
    assert VISITOR.encode() not in journals
    assert SERVER.encode() not in journals


def test_a_server_does_not_start_with_a_database_that_it_cannot_read(tmp_path: Path) -> None:
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "geoip_database": str(tmp_path / "missing")})
    with pytest.raises(WrongUsage, match="IAFA_GEOIP_DATABASE"):
        run_server(settings, announce=lambda url: warnings.warn(url, stacklevel=1))

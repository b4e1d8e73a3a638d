"""Locations by address: the shapes of databases, what is never looked up, files that change or break."""

import ipaddress
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import FakeClock
from iafa.errors import WrongUsage
from iafa.event import Location
from iafa.failpoints import Failpoints, Hit, no_failpoints
from iafa.ingest.locations import KEPT_MAX, Locations, check_database, location_of
from iafa.metrics import Counters
from tests.support.events import NOON_US
from tests.support.mmdb import write_mmdb

LONDON = {
    "country": {"iso_code": "GB", "names": {"en": "United Kingdom"}},
    "subdivisions": [{"iso_code": "ENG", "names": {"en": "England"}}],
    "city": {"names": {"de": "London (de)", "en": "London"}},
    "location": {"time_zone": "Europe/London"},
}
IN_LONDON = Location(country="GB", region="England", city="London", timezone="Europe/London")


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (LONDON, IN_LONDON),
        ({"country_code": "at"}, Location(country="AT")),
        (
            {"country_code": "AT", "state1": "Vienna", "city": "Wien", "timezone": "Europe/Vienna"},
            Location(country="AT", region="Vienna", city="Wien", timezone="Europe/Vienna"),
        ),
        ({"country": "US", "region": "Oregon"}, Location(country="US", region="Oregon")),
        ({"country": {"iso_code": "DE"}, "city": {"names": {}}}, Location(country="DE")),
        ({"country": {"iso_code": "Germany"}}, None),
        ({"country_code": 7, "city": ["x"], "subdivisions": "?", "timezone": ""}, None),
        ({"city": "a\nb"}, None),
        ({"city": "x" * 201}, None),
        ({}, None),
        (None, None),
        (["AT"], None),
    ],
)
def test_records_of_several_makers_are_read(record: Any, expected: Location | None) -> None:
    assert location_of(record) == expected


class Setup:
    def __init__(self, folder: Path, hit: Hit = no_failpoints) -> None:
        pytest.importorskip("maxminddb")
        self.path = folder / "geo.mmdb"
        self.clock, self.counters = FakeClock(NOON_US), Counters()
        self.write({"81.2.69.0/24": LONDON, "2a02:8388::/32": {"country_code": "AT"}, "10.0.0.0/8": LONDON})
        self.locations = Locations(self.path, folder / "tmp", self.clock, self.counters, hit)
        self.folder = folder / "tmp"

    def write(self, records: dict[str, dict[str, Any]]) -> None:
        write_mmdb(self.path, records)

    def failures(self) -> dict[str, int]:
        return self.counters.read().get("enrichment_failures", {})

    def wait_a_minute(self) -> None:
        self.clock.advance(60)


def test_addresses_are_found_in_a_real_file(tmp_path: Path) -> None:
    here = Setup(tmp_path)
    assert here.locations.of("81.2.69.142") == IN_LONDON
    assert here.locations.of("::ffff:81.2.69.142") == IN_LONDON
    assert here.locations.of("2a02:8388::1") == Location(country="AT")
    assert here.locations.of("8.8.8.8") is None
    assert here.failures() == {}
    assert list(here.folder.iterdir()) == []  # the copy has no name


@pytest.mark.parametrize("address", ["10.0.0.1", "127.0.0.1", "::1", "192.0.2.1", "", "unix", "81.2.69.142:80"])
def test_what_is_no_public_address_is_not_looked_up(tmp_path: Path, address: str) -> None:
    failpoints = Failpoints("enrich.address:1:eio")
    assert Setup(tmp_path, failpoints.hit).locations.of(address) is None
    assert failpoints.fired == []


def test_a_replaced_file_is_taken_after_a_minute(tmp_path: Path) -> None:
    here = Setup(tmp_path)
    assert here.locations.of("81.2.69.142") == IN_LONDON
    here.write({"81.2.69.0/24": {"country_code": "FR", "city": "Paris"}})
    assert here.locations.of("81.2.69.142") == IN_LONDON
    here.wait_a_minute()
    assert here.locations.of("81.2.69.142") == Location(country="FR", city="Paris")


@pytest.mark.parametrize("content", [None, b"", b"no database", b"\xab\xcd\xefMaxMind.com"])
def test_a_file_that_breaks_leaves_the_former_one_in_use(tmp_path: Path, content: bytes | None) -> None:
    here = Setup(tmp_path)
    assert here.locations.of("81.2.69.142") == IN_LONDON
    if content is None:
        here.path.unlink()
    else:
        here.path.write_bytes(content)
    here.wait_a_minute()
    assert here.locations.of("81.2.69.142") == IN_LONDON
    assert here.failures() == {"geoip_database": 1}
    with pytest.raises(WrongUsage, match="IAFA_GEOIP_DATABASE"):
        check_database(here.path, here.folder)


def test_a_file_that_is_damaged_inside_costs_no_event(tmp_path: Path) -> None:
    here = Setup(tmp_path)
    data = bytearray(here.path.read_bytes())
    start = data.index(b"country")
    data[start - 8 : start + 40] = b"\xff" * 48
    here.path.write_bytes(data)
    assert here.locations.of("81.2.69.142") is None
    assert here.failures() == {"address": 1}


def test_a_failing_look_up_is_counted_and_gives_nothing(tmp_path: Path) -> None:
    here = Setup(tmp_path, Failpoints("enrich.address:1:eio").hit)
    assert here.locations.of("81.2.69.142") is None
    assert here.locations.of("81.2.69.143") == IN_LONDON
    assert here.failures() == {"address": 1}


def test_remembered_addresses_are_bounded(tmp_path: Path) -> None:
    here = Setup(tmp_path)
    first = int(ipaddress.ip_address("81.2.69.0"))
    for number in range(KEPT_MAX + 10):
        here.locations.of(str(ipaddress.ip_address(first + number)))
    assert len(here.locations._known) <= KEPT_MAX

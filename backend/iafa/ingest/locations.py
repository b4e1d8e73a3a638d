"""From an address to a country, a region and a city, by a database that the operator supplies. The only place that
knows `maxminddb`. An address is looked up while its request is here, and never stored.
"""

import ipaddress
import logging
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from iafa.clock import Clock
from iafa.durable import make_dirs
from iafa.errors import WrongUsage
from iafa.event import CONTROL, NAME_CHARS_MAX, Location
from iafa.failpoints import Hit, no_failpoints
from iafa.ingest.privacy import ADDRESS_CHARS_MAX
from iafa.metrics import Counters

log = logging.getLogger("iafa.locations")
KEPT_MAX = 10_000  # addresses whose location is remembered
LOOK_EVERY_S = 60.0  # at the database's file, which the operator may have replaced
_ERRORS = (OSError, ValueError, KeyError, TypeError, RuntimeError, ImportError)


class Locations:
    """One a process. It never raises: an address that cannot be looked up has no location."""

    def __init__(
        self,
        database: Path,
        copies: Path,
        clock: Clock,
        counters: Counters,
        hit: Hit = no_failpoints,
    ) -> None:
        self._database = database
        self._copies = copies
        self._clock = clock
        self._counters = counters
        self._hit = hit
        self._reader: Any = None
        self._stamp: tuple[int, int, int] | None = None
        self._look_at_s = 0.0
        self._known: dict[str, Location | None] = {}

    def of(self, address: str) -> Location | None:
        if self._clock.monotonic_s() >= self._look_at_s:
            self.look()
        try:
            return self._known[address]
        except KeyError:
            pass
        if len(address) > ADDRESS_CHARS_MAX:
            return None
        if len(self._known) >= KEPT_MAX:
            self._known.clear()
        found = self._known[address] = self._look_up(address)
        return found

    def look(self) -> None:
        """Is there a database, and another one than before? One that cannot be read leaves the former in use."""
        self._look_at_s = self._clock.monotonic_s() + LOOK_EVERY_S
        try:
            stat = self._database.stat()
            stamp = (stat.st_ino, stat.st_size, stat.st_mtime_ns)
            if stamp != self._stamp:
                self._reader = open_database(self._database, self._copies)
                self._stamp = stamp
                self._known.clear()
        except _ERRORS as error:
            self._failed("geoip_database", error)

    def _look_up(self, address: str) -> Location | None:
        if self._reader is None:
            return None
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return None
        ip = getattr(ip, "ipv4_mapped", None) or ip
        if not ip.is_global:
            return None
        try:
            self._hit("enrich.address")
            return location_of(self._reader.get(ip))
        except _ERRORS as error:
            self._failed("address", error)
            return None

    def _failed(self, what: str, error: Exception) -> None:
        self._counters.add("enrichment_failures", what)
        log.warning("enrichment=%s failed: %s; events are stored without a location", what, type(error).__name__)


def open_database(database: Path, copies: Path) -> Any:
    """A reader of a private copy that has no name: what happens to the operator's file later cannot harm us."""
    import maxminddb

    make_dirs(copies)
    with tempfile.NamedTemporaryFile(dir=copies, prefix="geoip-") as copy, open(database, "rb") as source:
        shutil.copyfileobj(source, copy)
        copy.flush()
        return maxminddb.open_database(copy.name, maxminddb.MODE_AUTO)


def check_database(database: Path, copies: Path) -> None:
    """Refuse at the start what is no database, while somebody is looking."""
    try:
        open_database(database, copies).close()
    except _ERRORS as error:
        raise WrongUsage(
            f"IAFA_GEOIP_DATABASE: {database} is no MMDB file that can be read ({type(error).__name__})"
        ) from error


def location_of(record: object) -> Location | None:
    """Reads the shapes of MaxMind, DB-IP and ip-location-db."""
    if not isinstance(record, Mapping):
        return None
    country = _text(_member(record, "country", "iso_code") or record.get("country_code") or record.get("country"))
    subdivisions = record.get("subdivisions")
    first = subdivisions[0] if isinstance(subdivisions, list) and subdivisions else None
    region = _text(_name(first) or record.get("state1") or record.get("region"))
    city = _text(_name(record.get("city")) or record.get("city"))
    timezone = _text(_member(record, "location", "time_zone") or record.get("timezone"))
    if country is not None and not (len(country) == 2 and country.isascii() and country.isalpha()):
        country = None
    if country is None and region is None and city is None and timezone is None:
        return None
    return Location(country=country and country.upper(), region=region, city=city, timezone=timezone)


def _member(record: Mapping[str, Any], name: str, member: str) -> object:
    inner = record.get(name)
    return inner.get(member) if isinstance(inner, Mapping) else None


def _name(record: object) -> object:
    """The English name."""
    names = record.get("names") if isinstance(record, Mapping) else None
    return names.get("en") if isinstance(names, Mapping) else None


def _text(value: object) -> str | None:
    is_plain = isinstance(value, str) and 0 < len(value) <= NAME_CHARS_MAX and not CONTROL.search(value)
    return value if is_plain else None  # type: ignore[return-value]

"""Amplitude's export: lines of events. Its archive holds many compressed files, to be unpacked before."""

from collections.abc import Mapping
from typing import Any

from iafa.ingest.deliveries import take_campaign, take_long_text
from iafa.ingest.privacy import address_of
from iafa.jobs.presets.cells import UTM, Row, found_object, kept, number, present, text, time

_NAMES = {"[Amplitude] Page Viewed": "page_view"}
_URLS = ("[Amplitude] Page URL", "[Amplitude] Page Location")
_REFERRERS = ("referrer", "[Amplitude] Page Referrer")
_KEPT = {  # members of the row that say something of the event, and their names here
    **{name: name for name in ("country", "region", "city", "language", "library", "groups")},
    **{"os_name": "os", "device_family": "device", "version_name": "app_version"},
}
_NO_SESSION = -1


def read_amplitude(row: Mapping[str, Any]) -> Row:
    """Times are in UTC without saying so; they are Amplitude's, with the clock of the device corrected."""
    properties = kept(found_object(row.get("event_properties")), frozenset())
    for theirs, ours in _KEPT.items():
        value = row.get(theirs)
        if value not in (None, "", {}) and ours not in properties:
            properties[ours] = value
    user_properties = found_object(row.get("user_properties"))
    campaign = take_campaign(properties, UTM) or take_campaign(dict(user_properties), UTM)
    if user_properties:
        properties.setdefault("user_properties", user_properties)
    name, device_id = text(row.get("event_type")), text(row.get("device_id"))
    wire = present(
        id=text(row.get("uuid")) or text(row.get("$insert_id")),
        event_type=_NAMES.get(name or "", name),
        user_id=text(row.get("user_id")),
        anonymous_id=device_id,
        session_id=_session(row, device_id),
        timestamp=time(row.get("event_time") or row.get("client_event_time")),
        source=_source(row),
        url=_first(properties, _URLS),
        referrer=_first(properties, _REFERRERS),
    )
    return Row({**wire, "properties": properties}, campaign, address_of(row.get("ip_address")))


def _session(row: Mapping[str, Any], device_id: str | None) -> str | None:
    """Amplitude counts sessions by their start, so that two devices may have the same number."""
    session = number(row.get("session_id"))
    return None if session in (None, _NO_SESSION) else f"{device_id or ''}.{session}"


def _source(row: Mapping[str, Any]) -> str | None:
    platform = text(row.get("platform"))
    return None if platform is None else platform.lower()


def _first(properties: dict[str, Any], names: tuple[str, ...]) -> str | None:
    found = [take_long_text(properties, name) for name in names]
    return next((value for value in found if value is not None), None)

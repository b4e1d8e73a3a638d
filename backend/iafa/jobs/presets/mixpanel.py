"""Mixpanel's raw export: a line an event, `{"event": ..., "properties": {...}}`."""

from collections.abc import Mapping
from typing import Any

from iafa.ingest.deliveries import take_address, take_campaign, take_long_text, take_text
from iafa.ingest.segment import PREVIOUS_ID, source_of
from iafa.jobs.presets.cells import UTM, Row, found_object, kept, made_id, present, renamed, text, time

_NAMES = {"$mp_web_page_view": "page_view", "$identify": "identify", "$create_alias": "alias", "$merge": "alias"}
_PROPERTIES = {
    **{"$browser": "browser", "$os": "os", "$device": "device", "$city": "city", "$region": "region"},
    "mp_country_code": "country",
}
_ABOUT_THE_WAY = ("mp_processing_time_ms", "$mp_api_endpoint", "$mp_api_timestamp_ms", "$import", "token")
_DEVICE = "$device:"  # how an id that Mixpanel made for a device begins
_NO_REFERRER = "$direct"


def read_mixpanel(row: Mapping[str, Any]) -> Row:
    """A table of the same events holds the properties as columns."""
    properties = kept(found_object(row["properties"]) if "properties" in row else row, frozenset(_ABOUT_THE_WAY))
    name = text(row.get("event"))
    if "properties" not in row:
        properties.pop("event", None)
    at, insert_id = properties.pop("time", None), text(properties.pop("$insert_id", None))
    distinct_id = text(properties.pop("distinct_id", None))
    user_id, anonymous_id = _people(distinct_id, properties)
    if name == "$identify":
        user_id = text(properties.pop("$identified_id", None)) or user_id
        anonymous_id = text(properties.pop("$anon_id", None)) or anonymous_id
    elif name == "$create_alias" and text(properties.get("alias")) is not None:
        properties[PREVIOUS_ID] = text(properties.pop("alias"))
    elif name == "$merge":
        user_id = _merged(properties) or user_id
    if properties.get("$referrer") == _NO_REFERRER:
        del properties["$referrer"]
    library = text(properties.get("mp_lib"))
    wire = present(
        id=None if insert_id is None else made_id(name, distinct_id, at, insert_id),
        event_type=_NAMES.get(name or "", name),
        user_id=user_id,
        anonymous_id=anonymous_id,
        timestamp=time(at),
        source=None if library is None else source_of(library),
        url=take_long_text(properties, "$current_url"),
        referrer=take_long_text(properties, "$referrer"),
        timezone=take_text(properties, "timezone"),
    )
    campaign = take_campaign(properties, UTM)
    address, other = take_address(properties, "ip"), take_address(properties, "$ip")
    renamed(properties, _PROPERTIES)
    return Row({**wire, "properties": properties}, campaign, address or other)


def _people(distinct_id: str | None, properties: dict[str, Any]) -> tuple[str | None, str | None]:
    """(user, anonymous). A project's `distinct_id` is either, which its other ids tell."""
    user_id, device_id = (text(properties.pop(name, None)) for name in ("$user_id", "$device_id"))
    if distinct_id is not None and distinct_id.startswith(_DEVICE):
        return user_id, device_id or distinct_id.removeprefix(_DEVICE)
    if user_id is None and distinct_id != device_id:
        user_id = distinct_id
    return user_id, device_id


def _merged(properties: dict[str, Any]) -> str | None:
    """The first of two ids that are one person; the other becomes the one that the event joins to it."""
    both = properties.pop("$distinct_ids", None)
    ids = [text(one) for one in both] if isinstance(both, list) else []
    if len(ids) != 2 or None in ids:
        return None
    first, second = (str(one).removeprefix(_DEVICE) for one in ids)
    properties[PREVIOUS_ID] = second
    return first

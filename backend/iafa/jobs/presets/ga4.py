"""The events of a GA4 property as BigQuery exports them, as NDJSON or Parquet."""

from collections.abc import Iterator, Mapping
from typing import Any

from iafa.clock import to_iso
from iafa.event import TIME_MAX_US
from iafa.ingest.deliveries import take_campaign, take_long_text
from iafa.jobs.presets.cells import MISSING, Row, found_object, made_id, number, present, text

_VALUES = ("string_value", "int_value", "double_value", "float_value")
_WITHIN = {  # properties that lie in objects of the row
    "browser": ("device", "web_info", "browser"),
    "os": ("device", "operating_system"),
    "device": ("device", "category"),
    "language": ("device", "language"),
    "country": ("geo", "country"),
    "region": ("geo", "region"),
    "city": ("geo", "city"),
    "app_version": ("app_info", "version"),
}
_CAMPAIGN = {
    **{f"manual_{name}": name for name in ("source", "medium", "term", "content")},
    "manual_campaign_name": "campaign",
}
_TELLING = (  # tell apart events of one person, name and instant
    *("stream_id", "event_bundle_sequence_id", "batch_page_id", "batch_ordering_id", "batch_event_index"),
)
_SESSION = "ga_session_id"


def read_ga4(row: Mapping[str, Any]) -> Row:
    """One event is one row; an event that GA4 exports again, with other attribution, has the same id."""
    parameters = dict(_parameters(row.get("event_params")))
    name, person = text(row.get("event_name")), text(row.get("user_pseudo_id"))
    at_us = number(row.get("event_timestamp"))
    properties = dict(parameters)
    session = number(properties.get(_SESSION))
    for ours, path in _WITHIN.items():
        value = _at(row, path)
        if value not in MISSING and ours not in properties:
            properties[ours] = value
    user_properties = dict(_parameters(row.get("user_properties")))
    for ours, value in (("user_properties", user_properties), ("items", _listed(row.get("items")))):
        if value:
            properties.setdefault(ours, value)
    platform = text(row.get("platform"))
    wire = present(
        id=made_id(name, person, at_us, [text(row.get(one)) for one in _TELLING], sorted(parameters.items())),
        event_type=name,
        user_id=text(row.get("user_id")),
        anonymous_id=person,
        session_id=None if session is None else f"{person or ''}.{session}",
        timestamp=to_iso(at_us) if at_us is not None and 0 <= at_us <= TIME_MAX_US else row.get("event_timestamp"),
        source=None if platform is None else platform.lower(),
        url=take_long_text(properties, "page_location"),
        referrer=take_long_text(properties, "page_referrer"),
    )
    campaign = take_campaign(found_object(row.get("collected_traffic_source")), _CAMPAIGN)
    return Row({**wire, "properties": properties}, campaign)


def _parameters(cell: object) -> Iterator[tuple[str, Any]]:
    """Pairs of a repeated record of keys and typed values."""
    for entry in _listed(cell):
        entry = found_object(entry)
        key, value = text(entry.get("key")), found_object(entry.get("value"))
        kind = next((kind for kind in _VALUES if value.get(kind) is not None), None)
        if key is not None and kind is not None:
            whole = number(value[kind]) if kind == "int_value" else None
            yield key, value[kind] if whole is None else whole


def _listed(cell: object) -> list[Any]:
    """A repeated record; BigQuery's Parquet puts it one level deeper."""
    if isinstance(cell, Mapping) and isinstance(cell.get("list"), list):
        return [entry.get("element") if isinstance(entry, Mapping) else entry for entry in cell["list"]]
    return cell if isinstance(cell, list) else []


def _at(row: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    found: Any = row
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return found

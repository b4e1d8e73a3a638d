"""Umami's table `website_event`, as its cloud exports it or as a database dumps it."""

from collections.abc import Mapping
from typing import Any

from iafa.ingest.deliveries import take_campaign
from iafa.jobs.presets.cells import MISSING, UTM, Row, found_object, kept, number, present, text, time

PAGE_VIEW = 1  # of `event_type`; every other number is an event with a name
_TAKEN = frozenset(
    {
        *("event_id", "session_id", "visit_id", "distinct_id", "created_at", "event_type", "event_name", "event_data"),
        *("hostname", "url_path", "url_query", "referrer_domain", "referrer_path", "referrer_query"),
        *("website_id", "job_id"),
    }
)
_PROPERTIES = {"page_title": "title", "subdivision1": "region"}


def read_umami(row: Mapping[str, Any]) -> Row:
    """Umami's session is its visitor, its visit what is called a session here. `event_data` is a column of JSON that
    a join puts there: the data of named events lie in a table of their own."""
    properties = {_PROPERTIES.get(name, name): value for name, value in kept(row, _TAKEN).items()}
    properties |= found_object(row.get("event_data"))
    is_view = number(row.get("event_type")) == PAGE_VIEW or text(row.get("event_name")) is None
    wire = present(
        id=text(row.get("event_id")),
        event_type="page_view" if is_view else text(row.get("event_name")),
        user_id=text(row.get("distinct_id")),
        anonymous_id=text(row.get("session_id")),
        session_id=text(row.get("visit_id")),
        timestamp=time(row.get("created_at")),
        source="web",
        url=_address(row, "hostname", "url"),
        referrer=_address(row, "referrer_domain", "referrer"),
    )
    campaign = take_campaign(properties, UTM)
    return Row({**wire, "properties": properties}, campaign)


def _address(row: Mapping[str, Any], host_name: str, kind: str) -> str | None:
    host, path, query = (row.get(name) for name in (host_name, f"{kind}_path", f"{kind}_query"))
    if host in MISSING and (kind == "referrer" or path in MISSING):
        return None
    origin = "" if host in MISSING else f"https://{host}"
    return f"{origin}{'' if path in MISSING else path}{'' if query in MISSING else f'?{query}'}"

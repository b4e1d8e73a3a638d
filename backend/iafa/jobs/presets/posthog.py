"""PostHog's events, as its batch exports and its API give them: the members of a captured event and some about it."""

from collections.abc import Mapping
from typing import Any

from iafa.ingest.deliveries import Message
from iafa.ingest.posthog import read_message
from iafa.jobs.presets.cells import found_object, kept, text, time

_ABOUT_THE_WAY = frozenset(
    {
        *("id", "team_id", "project_id", "created_at", "inserted_at", "_inserted_at", "site_url", "ip"),
        *("person", "person_id", "person_properties", "person_mode", "person_set", "person_set_once"),
        *("elements", "elements_chain", "set", "set_once", "properties", "timestamp", "uuid"),
    }
)


def read_posthog(row: Mapping[str, Any]) -> Message:
    event = kept(row, _ABOUT_THE_WAY)
    event["properties"] = found_object(row.get("properties"))
    for name, value in (("uuid", text(row.get("uuid")) or text(row.get("id"))), ("timestamp", row.get("timestamp"))):
        if value is not None:
            event[name] = time(value)
    return read_message(event)

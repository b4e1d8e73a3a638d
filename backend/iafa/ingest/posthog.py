"""PostHog's events: bodies to deliveries, their events to ours."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from iafa.errors import FieldError, IafaError
from iafa.event import Campaign
from iafa.ingest.deliveries import (
    CONTEXT,
    ID,
    OBJECT,
    TEXT,
    TIME,
    Delivery,
    Kind,
    Message,
    counted,
    keys_in,
    no_messages,
    take_address,
    take_campaign,
    take_long_text,
    take_text,
    time_of,
    wrong_types,
)
from iafa.ingest.segment import GROUP_ID, NO_REFERRER, PREVIOUS_ID, source_of
from iafa.ingest.wire import WireEvent, decode_json

POSTHOG = "posthog"
_FORM_FIELD = b"data="
FORM_FIELDS_MAX = 10
_EXPECTED = 'an event, a list of events or {"api_key": ..., "batch": [...]}'
_TYPES: Mapping[str, Kind] = {
    **dict.fromkeys(("event",), TEXT),
    **dict.fromkeys(("uuid", "distinct_id"), ID),
    "timestamp": TIME,
    "properties": OBJECT,
}
_ABOUT_THE_WAY = ("api_key", "token", "sent_at", "offset", "historical_migration", "type")
_TAKEN = frozenset({*_TYPES, *_ABOUT_THE_WAY})
_NAMES = {
    **{"$pageview": "page_view", "$screen": "screen_view", "$identify": "identify"},
    **{"$create_alias": "alias", "$groupidentify": "group"},
}
_UTM = {f"utm_{name}": name for name in Campaign.__struct_fields__}


def unwrapped(body: bytes, *, is_base64: bool) -> bytes:
    """The JSON of a body that a browser sent as a form field or in base64. Raises `bad_encoding`."""
    try:
        if body.startswith(_FORM_FIELD):
            fields = parse_qs(body.decode("latin-1"), max_num_fields=FORM_FIELDS_MAX)
            body, is_base64 = fields.get("data", [""])[0].encode(), True
            if body.lstrip()[:1] in (b"{", b"["):
                return body
        return base64.b64decode(body.replace(b" ", b"+"), validate=True) if is_base64 else body
    except (binascii.Error, ValueError):
        raise IafaError("the body is not base64", code="bad_encoding") from None


def read_posthog(body: bytes, sent: Any = None) -> Delivery:
    """The body of a capture route; `sent` is the client's clock where the body does not tell it. Raises InvalidJson,
    or ValidationFailed for what holds no event."""
    content = decode_json(body)
    top: dict[str, Any] = content if isinstance(content, dict) else {}
    items: Any = top.get("batch", content)
    pointer: str | None = "/batch" if "batch" in top else ""
    if items is top:
        items, pointer = [top], None
    if not isinstance(items, list):
        raise no_messages(_EXPECTED)
    keys = set(keys_in(top, "api_key", "token"))
    for item in items:
        if isinstance(item, dict):
            properties = item.get("properties")
            keys |= keys_in(item, "api_key", "token")
            keys |= keys_in(properties if isinstance(properties, dict) else {}, "token")
    return Delivery(
        items=counted(items),
        read=_message,
        keys=keys,
        sent=top.get("sent_at") or sent,
        pointer=pointer,
        is_history=top.get("historical_migration") is True,
        route=POSTHOG,
    )


def read_message(item: Any) -> Message:
    """An event that stands alone, in a file: nothing around it corrects its time."""
    return _message(item, "", 0)


def _message(item: Any, pointer: str, skew_us: int) -> Message:
    if not isinstance(item, dict):
        return Message([FieldError(pointer, "validation_error", "must be an object")])
    errors = wrong_types(item, _TYPES, pointer)
    if item.get("event") is None:
        errors.append(FieldError(f"{pointer}/event", "validation_error", "is required"))
    properties = {name: value for name, value in item.items() if name not in _TAKEN and value is not None}
    if not errors:
        properties |= item.get("properties") or {}
        errors = wrong_types(properties, {"distinct_id": ID, "$anon_distinct_id": ID}, f"{pointer}/properties")
    if errors:
        return Message(errors)
    name = item["event"]
    user_id, anonymous_id = _people(item, properties)
    _name_others(name, properties, user_id)
    properties.pop("token", None)
    if properties.get("$referrer") == NO_REFERRER:
        del properties["$referrer"]
    library, timestamp = properties.get("$lib"), item.get("timestamp")
    if skew_us and time_of(timestamp) is not None and isinstance(properties.get(CONTEXT, {}), dict):
        properties[CONTEXT] = properties.get(CONTEXT, {}) | {"original_timestamp": timestamp}
    event = WireEvent(
        id=item.get("uuid"),
        event=_NAMES.get(name, name),
        user_id=user_id,
        anonymous_id=anonymous_id,
        timestamp=timestamp,
        source=source_of(library) if isinstance(library, str) and library else None,
        url=take_long_text(properties, "$current_url"),
        referrer=take_long_text(properties, "$referrer"),
        user_agent=take_long_text(properties, "$raw_user_agent"),
        timezone=take_text(properties, "$timezone"),
    )
    address, campaign = take_address(properties, "$ip"), take_campaign(properties, _UTM)
    event.properties = {key: value for key, value in properties.items() if not (value is None and key in _UTM)}
    return Message(event, address, campaign, is_located=properties.get("$geoip_disable") is not True)


def _people(item: Mapping[str, Any], properties: dict[str, Any]) -> tuple[Any, Any]:
    """The user's id and the anonymous one. Python's client names the person beside the properties, the browser's
    among them; either says when the person is not known yet."""
    inner = properties.pop("distinct_id", None)
    person = inner if item.get("distinct_id") is None else item["distinct_id"]
    if item["event"] == "$identify":
        return person, properties.pop("$anon_distinct_id", None)
    if properties.get("$is_identified") is False or properties.get("$process_person_profile") is False:
        return None, person
    return person, None


def _name_others(name: str, properties: dict[str, Any], user_id: Any) -> None:
    """The second id of an alias, and the group: under the names that our own clients use."""
    if name == "$create_alias" and isinstance(properties.get("alias"), str | int) and user_id is not None:
        properties[PREVIOUS_ID] = str(properties["alias"])
    if name == "$groupidentify" and isinstance(properties.get("$group_key"), str | int):
        properties[GROUP_ID] = f"{properties.get('$group_type')}:{properties['$group_key']}"

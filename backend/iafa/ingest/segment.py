"""Segment's messages, which RudderStack's clients send too: bodies to deliveries, messages to events."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from iafa.errors import FieldError, IafaError
from iafa.event import DEPTH_MAX
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
from iafa.ingest.wire import WireEvent, decode_json

SEGMENT = "segment"
BATCH = "batch"
CALLS = ("track", "identify", "page", "screen", "alias", "group")
PREVIOUS_ID = "previous_id"  # the property of an `alias` event that names the person's other id
GROUP_ID = "group_id"
NO_REFERRER = "$direct"  # what clients of RudderStack and PostHog write for none
_VIEWS = {"page": "page_view", "screen": "screen_view"}
_EXPECTED = 'a message, a JSON object; a batch is {"batch": [...]}'
_TYPES: Mapping[str, Kind] = {
    **dict.fromkeys(("type", "event"), TEXT),
    **dict.fromkeys(("messageId", "userId", "anonymousId", "previousId", "groupId"), ID),
    **dict.fromkeys(("timestamp", "originalTimestamp"), TIME),
    **dict.fromkeys(("properties", "traits", CONTEXT), OBJECT),
}
# Of no meaning once the message is here.
_ABOUT_THE_WAY = ("writeKey", "sentAt", "receivedAt", "integrations", "_metadata", "channel")
_TAKEN = frozenset({*_TYPES, *_ABOUT_THE_WAY})
_MOBILE = {"ios": "ios", "swift": "ios", "android": "android", "kotlin": "android"}
_WEB = ("analytics.js", "javascript")
_OTHER_MOBILE = ("flutter", "react-native", "xamarin", "unity")


def read_segment(body: bytes, call: str) -> Delivery:
    """The body of a route: `call` is its last part, `batch` or the type of its one message. Raises InvalidJson, or
    ValidationFailed for what holds no message."""
    content = decode_json(body)
    if call != BATCH:
        if not isinstance(content, dict):
            raise no_messages(_EXPECTED)
        items: Any = [content]
        top, pointer = content, None
    else:
        top, pointer = (content, f"/{BATCH}") if isinstance(content, dict) else ({BATCH: content}, "")
        items = top.get(BATCH)
        if not isinstance(items, list):
            raise no_messages(_EXPECTED)
    first = items[0] if items and isinstance(items[0], dict) else {}
    found = top.get(CONTEXT) if call == BATCH else None
    defaults = found if isinstance(found, dict) else {}
    keys = {key for one in (top, *items) if isinstance(one, dict) for key in keys_in(one, "writeKey")}
    return Delivery(
        items=counted(items),
        read=partial(_message, call, defaults),
        keys=keys,
        sent=top.get("sentAt") or first.get("sentAt"),
        pointer=pointer,
        route=f"{SEGMENT}:{call}",
        defaults=defaults,
    )


def read_pixel(query: Mapping[str, str], call: str, page: str | None) -> Delivery:
    """The query of RudderStack's image: each field is a member of the message, and a point leads into an object. The
    page that it stands on is where it happened, unless the query says so. Raises `bad_request`."""
    says_where = query.keys() & {CONTEXT, f"{CONTEXT}.page"}
    item = _nested(query if page is None or says_where else {f"{CONTEXT}.page.url": page, **query})
    name = item.get("anonymousId")
    if isinstance(name, str) and len(name) > 1 and name[0] == name[-1] == '"':
        item["anonymousId"] = name[1:-1]  # some of its clients write the id as JSON
    return Delivery(
        items=[item | {"type": call}],
        read=partial(_message, call, {}),
        keys=frozenset(),
        pointer=None,
        route=f"{SEGMENT}:{call}",
        is_page=True,
    )


def _nested(fields: Mapping[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in fields.items():
        *folders, last = name.split(".", DEPTH_MAX)
        place: Any = found
        for folder in folders:
            place = place.setdefault(folder, {}) if isinstance(place, dict) else None
        if not isinstance(place, dict) or last in place:
            raise IafaError(f"the query says {name} twice: as a value and as an object", code="bad_request")
        place[last] = value
    return found


def read_message(item: Any) -> Message:
    """A message that stands alone, in a file: nothing around it corrects its time or completes it."""
    return _message(BATCH, {}, item, "", 0)


def _message(call: str, defaults: Mapping[str, Any], item: Any, pointer: str, skew_us: int) -> Message:
    if not isinstance(item, dict):
        return Message([FieldError(pointer, "validation_error", "must be an object")])
    kind: Any = item.get("type") or (None if call == BATCH else call)
    errors = wrong_types(item, _TYPES, pointer)
    if kind not in CALLS:
        errors.append(FieldError(f"{pointer}/type", "validation_error", f"must be one of {', '.join(CALLS)}"))
    elif kind == "track" and item.get("event") is None:
        errors.append(FieldError(f"{pointer}/event", "validation_error", "is required"))
    if errors:
        return Message(errors)
    context = {**defaults, **(item.get(CONTEXT) or {})}
    if kind == "identify" and item.get("traits") is None and isinstance(context.get("traits"), dict):
        item = {**item, "traits": context.pop("traits")}  # where RudderStack's clients put them
    properties = _properties(kind, item)
    page = context.get("page")
    page = dict(page) if isinstance(page, dict) else {}
    url, referrer = _addresses(kind, properties, page)
    address, campaign = take_address(context, "ip"), _campaign(context)
    event = WireEvent(
        messageId=item.get("messageId"),
        event=item["event"] if kind == "track" else _VIEWS.get(kind, kind),
        userId=item.get("userId"),
        anonymousId=item.get("anonymousId"),
        timestamp=_time(item, context, skew_us),
        source=_source(context),
        url=url,
        referrer=referrer,
        user_agent=take_long_text(context, "userAgent"),
        timezone=take_text(context, "timezone"),
    )
    _put_back(context, "page", page)
    event.properties = _with_context(properties, context)
    return Message(event, address, campaign)


def _properties(kind: str, item: Mapping[str, Any]) -> dict[str, Any]:
    """What the message says itself; members that nobody knows are kept beneath."""
    unknown = {name: value for name, value in item.items() if name not in _TAKEN and value is not None}
    found = unknown | (item.get("properties") or {})
    if kind in _VIEWS:
        return found | {name: item[name] for name in ("name", "category") if item.get(name) is not None}
    if item.get("traits") is not None:
        found = found | item["traits"] if kind in ("identify", "group") else {"traits": item["traits"]} | found
    for name, wanted, property_name in (("groupId", "group", GROUP_ID), ("previousId", "alias", PREVIOUS_ID)):
        if item.get(name) is not None:
            found[property_name if kind == wanted else name] = str(item[name])
    return found


def _addresses(kind: str, properties: dict[str, Any], page: dict[str, Any]) -> tuple[str | None, str | None]:
    """The page's own address and where its visitor came from. What a `page` message says itself counts first."""
    own = properties if kind == "page" else {}
    for members in (own, page):
        if members.get("referrer") == NO_REFERRER:
            del members["referrer"]
    url, referrer = (take_long_text(own, name) for name in ("url", "referrer"))
    kept = {"url": url, "referrer": referrer}
    for name in ("url", "referrer"):
        if kept[name] is None or page.get(name) == kept[name]:
            kept[name] = take_long_text(page, name) or kept[name]
    return kept["url"], kept["referrer"]


def _campaign(context: dict[str, Any]) -> Any:
    campaign = context.get("campaign")
    if not isinstance(campaign, dict):
        return None
    rest = dict(campaign)
    found = take_campaign(rest)
    _put_back(context, "campaign", rest)
    return found


def _time(item: Mapping[str, Any], context: dict[str, Any], skew_us: int) -> Any:
    """The message's time as it was written. RudderStack's clients write it under another name."""
    value = item.get("timestamp")
    if value is None:
        value = item.get("originalTimestamp")
    if skew_us and time_of(value) is not None:
        context["original_timestamp"] = value
    return value


def _source(context: Mapping[str, Any]) -> str | None:
    """The kind of client, by the name of its library; None for a hand-written caller."""
    library = context.get("library")
    name = library.get("name") if isinstance(library, dict) else None
    return source_of(name) if isinstance(name, str) and name else None


def source_of(library: str) -> str:
    name = library.lower()
    if name == "web" or any(part in name for part in _WEB):
        return "web"
    if any(part in name for part in _OTHER_MOBILE):
        return "mobile"
    return next((source for part, source in _MOBILE.items() if part in name), "server")


def _put_back(context: dict[str, Any], name: str, rest: dict[str, Any]) -> None:
    """What is left of an object whose members have moved to columns; nothing of one that has moved whole."""
    if isinstance(context.get(name), dict):
        if rest or not context[name]:
            context[name] = rest
        else:
            del context[name]


def _with_context(properties: dict[str, Any], context: dict[str, Any]) -> dict[str, Any]:
    """A property of the caller's that has the same name is not overwritten."""
    if not context:
        return properties
    own = properties.get(CONTEXT)
    if own is None:
        return properties | {CONTEXT: context}
    return properties | {CONTEXT: context | own} if isinstance(own, dict) else properties

"""A refused event once more: its kept text, changed by its owner, through its route's reader and the same steps."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import msgspec

from iafa.clock import to_iso
from iafa.errors import FieldError, IafaError
from iafa.event import DEPTH_MAX, REJECTED_BODY_CHARS_MAX, TIME_MAX_US, Campaign, DropReason, Location, SentBy
from iafa.ingest.deliveries import Delivery, Message
from iafa.ingest.drafts import BEACON, delivered, drafted, nowhere
from iafa.ingest.gate import Origin
from iafa.ingest.pipeline import Draft, Sender
from iafa.ingest.posthog import POSTHOG, read_posthog
from iafa.ingest.segment import BATCH, SEGMENT, read_segment
from iafa.ingest.wire import Parsed, WireEvent, decode_event, read_beacon_event

FLUSH = "flush"  # the canonical form of an event that was accepted and had no row
LEVELS_MAX = 2 * DEPTH_MAX  # of a changed text: what its shape puts around the properties is not counted exactly
_PAGE = "page"  # stands for whichever page an event came from


class Changes(NamedTuple):
    """First members move, from one JSON pointer to another; then a JSON merge patch (RFC 7396) is applied."""

    rename: Mapping[str, str] = {}
    merge: Mapping[str, Any] = {}


class Kept(NamedTuple):
    """What the quarantine has of an event."""

    row_id: str
    event_id: str | None
    text: str
    route: str | None
    sent_by: SentBy


def judge_again(kept: Kept, changes: Changes, sender: Sender) -> Draft:
    """The event, or what is still wrong with it. One that never had an id gets the same id every time."""
    sender = _sender(kept, sender)
    why_not = why_not_replayable(kept.text)
    if why_not is not None:
        return _refused(sender, why_not)
    value = msgspec.json.decode(kept.text)
    try:
        value = changed(value, changes)
        if is_deeper(value, LEVELS_MAX):
            return _refused(sender, f"is nested deeper than {DEPTH_MAX} levels", DropReason.TOO_DEEP)
        body = msgspec.json.encode(value)
        route, _, call = (kept.route or "").partition(":")
        if route == SEGMENT:
            delivery = read_segment(b'{"batch":[%b]}' % body if call == BATCH else body, call)
            return _again(delivery, kept, sender)
        if route == POSTHOG:
            return _again(read_posthog(b"[%b]" % body), kept, sender)
        if route == BEACON and "n" in value:
            return _drafted(read_beacon_event(body), kept, sender)
        if route == FLUSH:
            body, sender = _canonical(body, sender)
        return _drafted(decode_event(body), kept, sender)
    except IafaError as error:
        return Draft(WireEvent(), sender, "", list(error.errors) or [FieldError("", error.code, error.detail)])
    except msgspec.ValidationError as error:
        return _refused(sender, str(error))


def why_not_replayable(text: str) -> str | None:
    """What keeps a row from ever becoming an event, whatever is changed; None: nothing."""
    if not text:
        return "nothing of its text could be kept: send the event anew"
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        if len(text) >= REJECTED_BODY_CHARS_MAX:
            return f"its text was cut at {REJECTED_BODY_CHARS_MAX} characters: send the event anew"
        return "its text is no JSON: send the event anew"
    return None if isinstance(value, dict) else "its text is no object: send the event anew"


def is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists stand in each other at more levels; without recursion."""
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(levels):
        inner = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)]
        level = [one for one in inner if isinstance(one, dict | list)]
    return bool(level)


def changed(value: dict[str, Any], changes: Changes) -> dict[str, Any]:
    """Another object; the given one may be changed, too."""
    for old, new in changes.rename.items():
        found = _take(value, _parts(old))
        if found is not _NOTHING:
            _put(value, _parts(new), found)
    merged: dict[str, Any] = _merged(value, changes.merge)
    return merged


_NOTHING = object()


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _take(value: Any, parts: list[str]) -> Any:
    for part in parts[:-1]:
        value = value.get(part) if isinstance(value, dict) else None
    return value.pop(parts[-1], _NOTHING) if isinstance(value, dict) else _NOTHING


def _put(value: dict[str, Any], parts: list[str], found: Any) -> None:
    for part in parts[:-1]:
        inner = value.get(part)
        if not isinstance(inner, dict):
            value[part] = inner = {}
        value = inner
    value[parts[-1]] = found


def _merged(value: Any, patch: Any) -> Any:
    if not isinstance(patch, Mapping):
        return patch
    result = dict(value) if isinstance(value, dict) else {}
    for name, member in patch.items():
        if member is None:
            result.pop(name, None)
        else:
            result[name] = _merged(result.get(name), member)
    return result


def _sender(kept: Kept, sender: Sender) -> Sender:
    sent_by = kept.sent_by
    return sender._replace(
        is_browser=sent_by.is_browser,
        user_agent=sent_by.user_agent,
        ip_address=sent_by.ip_address,
        location=sent_by.location,
        visitor=sent_by.visitor,
        is_page=sent_by.is_page if sent_by.is_page is not None else sent_by.ip_address is not None,
        sent_ms=(sender.received_at - sent_by.skew_us) // 1000 if sent_by.skew_us else None,
        request_key=f"quarantine {kept.row_id}",
        route=kept.route or "",
    )


def _refused(sender: Sender, message: str, code: str = DropReason.VALIDATION) -> Draft:
    return Draft(WireEvent(), sender, "", [FieldError("", str(code), message)])


def _drafted(parsed: Parsed, kept: Kept, sender: Sender) -> Draft:
    return drafted(_with_id(parsed, kept), sender, "", 0)


def _again(delivery: Delivery, kept: Kept, sender: Sender) -> Draft:
    def read(item: Any, _pointer: str, skew_us: int) -> Message:
        message = delivery.read(item, "", skew_us)
        return message._replace(parsed=_with_id(message.parsed, kept))

    origin = Origin("", kept.sent_by.user_agent, _PAGE if sender.is_page else None)
    return delivered(replace(delivery, read=read, pointer=None), 0, sender, origin, nowhere)


def _with_id(parsed: Parsed, kept: Kept) -> Parsed:
    """The id that the event was refused under, unless it says another one."""
    if isinstance(parsed, WireEvent) and parsed.id is None and parsed.event_id is None and parsed.messageId is None:
        parsed.id = kept.event_id
    return parsed


def _canonical(body: bytes, sender: Sender) -> tuple[bytes, Sender]:
    """A stored event as clients write one: its time is in microseconds, and the server made some members."""
    value = msgspec.json.decode(body)
    created_at, campaign = value.pop("created_at", None), value.pop("campaign", None)
    if created_at is not None and "timestamp" not in value:
        is_time = isinstance(created_at, int) and 0 <= created_at <= TIME_MAX_US
        value["timestamp"] = to_iso(created_at) if is_time else str(created_at)
    address, location = value.pop("ip_address", None), value.pop("location", None)
    if isinstance(location, dict):
        sender = sender._replace(location=msgspec.convert(location, Location))
    if isinstance(campaign, dict):
        sender = sender._replace(campaign=msgspec.convert(campaign, Campaign))
    return msgspec.json.encode(value), sender._replace(ip_address=address if isinstance(address, str) else None)

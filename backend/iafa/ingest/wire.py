"""Wire shapes and their decoding: the one parser of events. Only what it understood is encoded again and stored."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from iafa.errors import FieldError, InvalidJson, PayloadTooLarge, ValidationFailed
from iafa.event import BATCH_EVENTS_MAX, DEPTH_MAX

_OFFSET = re.compile(r"\(byte (\d+)\)")


class WireEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True, kw_only=True):
    """An event as clients send it: every accepted name of each field. The first one that is there counts."""

    id: str | int | None = None
    event_id: str | int | None = None
    messageId: str | int | None = None  # noqa: N815 - a wire name
    event_type: str | None = None
    event_name: str | None = None
    event: str | None = None
    name: str | None = None
    timestamp: str | int | float | None = None
    created_at: str | int | float | None = None
    user_id: str | int | None = None
    userId: str | int | None = None  # noqa: N815
    anonymous_id: str | int | None = None
    anonymousId: str | int | None = None  # noqa: N815
    session_id: str | int | None = None
    sessionId: str | int | None = None  # noqa: N815
    source: str | None = None
    event_source: str | None = None
    platform: str | None = None
    properties: dict[str, Any] | None = None
    event_properties: dict[str, Any] | None = None
    url: str | None = None
    referrer: str | None = None
    user_agent: str | None = None
    timezone: str | None = None
    sample_rate: float | None = None


class BeaconEvent(msgspec.Struct, gc=False, kw_only=True):
    """An event as tracker.js sends it: one letter a field (see docs/tracker.md)."""

    i: str | None = None
    n: str | None = None
    t: int | float | None = None
    s: str | None = None
    u: str | None = None
    a: str | None = None
    l: str | None = None  # noqa: E741 - a wire name
    r: str | None = None
    c: str | None = None
    w: str | None = None
    g: str | None = None
    z: str | None = None
    p: dict[str, Any] | None = None
    v: str | None = None
    x: float | None = None


class Beacon(msgspec.Struct, gc=False, kw_only=True):
    t: int | float | None = None
    a: str | None = None
    d: int | None = None
    e: list[BeaconEvent]


class _Batch(msgspec.Struct, gc=False, kw_only=True):
    events: list[WireEvent]


class _RawBatch(msgspec.Struct, gc=False):
    events: list[msgspec.Raw]


class _RawBeacon(msgspec.Struct, gc=False):
    e: list[msgspec.Raw]
    a: str | None = None


Parsed = WireEvent | list[FieldError]  # an event, or all that is wrong with its shape

_one = msgspec.json.Decoder(WireEvent)
_list = msgspec.json.Decoder(list[WireEvent])
_batch = msgspec.json.Decoder(_Batch)
_beacon = msgspec.json.Decoder(Beacon)
_any = msgspec.json.Decoder()
_raw_list = msgspec.json.Decoder(list[msgspec.Raw])
_raw_batch = msgspec.json.Decoder(_RawBatch)
_raw_beacon = msgspec.json.Decoder(_RawBeacon)
_raw_object = msgspec.json.Decoder(dict[str, msgspec.Raw])
_beacon_event = msgspec.json.Decoder(BeaconEvent)

_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    **dict.fromkeys(
        (
            [
                "id",
                "event_id",
                "messageId",
                "user_id",
                "userId",
                "anonymous_id",
                "anonymousId",
                "session_id",
                "sessionId",
            ]
        ),
        ((str, int), "must be a string"),
    ),
    **dict.fromkeys(("timestamp", "created_at"), ((str, int, float), "must be an ISO 8601 time or a number")),
    **dict.fromkeys(("properties", "event_properties"), ((dict,), "must be an object")),
    "sample_rate": ((int, float), "must be a number"),
}
_TEXT = ((str,), "must be a string")
_FIELDS = frozenset(field.name for field in msgspec.structs.fields(WireEvent))


def decode_event(body: bytes) -> Parsed:
    """The body of a single-event route. Raises InvalidJson for what is no JSON object."""
    try:
        return _one.decode(body)
    except msgspec.ValidationError:
        value = decode_json(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_json(error) from None
    if not isinstance(value, dict):
        raise ValidationFailed("the body must be one event, a JSON object", code="invalid_batch")
    return coerce(value, "")


def decode_batch(body: bytes) -> Sequence[Parsed]:
    """The body of a batch route: `{"events": [...]}` or a bare list. One bad event never costs its neighbours."""
    decoder: msgspec.json.Decoder[Any] = _list if body.lstrip()[:1] == b"[" else _batch
    try:
        decoded = decoder.decode(body)
        events: Sequence[Parsed] = decoded if decoder is _list else decoded.events
    except msgspec.ValidationError:
        events = _coerce_batch(decode_json(body))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_json(error) from None
    return _counted(events)


def decode_beacon(body: bytes) -> tuple[Sequence[Parsed], int | None]:
    """The body of a beacon: (events, the client's clock in ms when it sent them). Also takes the batch form."""
    try:
        beacon = _beacon.decode(body)
    except msgspec.ValidationError:
        return decode_batch(body), None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_json(error) from None
    events = [_of_beacon(event, beacon.a) for event in beacon.e]
    return _counted(events), None if beacon.t is None else int(beacon.t)


def decode_json(body: bytes) -> Any:
    """Any JSON, strictly: no NaN, no bad UTF-8, no lone surrogates. Raises InvalidJson."""
    try:
        return _any.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _invalid_json(error) from None


def event_texts(body: bytes, count: int) -> Sequence[str]:
    """The JSON text of each of the `count` events of a batch or a beacon that could be read, as it came."""
    readers: tuple[Callable[[bytes], list[msgspec.Raw]], ...] = (
        _raw_list.decode,
        lambda text: _raw_batch.decode(text).events,
        _beacon_texts,
    )
    for read in readers:
        try:
            raws = read(body)
        except msgspec.DecodeError:
            continue
        if len(raws) == count:
            return [bytes(raw).decode("utf-8", "replace") for raw in raws]
    return [""] * count


def _beacon_texts(body: bytes) -> list[msgspec.Raw]:
    """The visitor stands beside the events of a beacon: it is put into each that names none."""
    beacon = _raw_beacon.decode(body)
    if beacon.a is None:
        return beacon.e
    visitor = {"a": msgspec.Raw(msgspec.json.encode(beacon.a))}
    return [msgspec.Raw(_with_members(bytes(event), visitor)) for event in beacon.e]


def _with_members(text: bytes, members: dict[str, msgspec.Raw]) -> bytes:
    """A JSON object with these members in front, unless it has them; anything else as it is."""
    try:
        known = _raw_object.decode(text)
    except msgspec.DecodeError:
        return text
    return msgspec.json.encode(members | known)


def read_beacon_event(text: bytes) -> Parsed:
    """One event of a beacon, with its visitor in it. Raises InvalidJson, or ValidationError of what is none."""
    return _of_beacon(_beacon_event.decode(text), None)


def coerce(value: dict[str, Any], pointer: str) -> Parsed:
    """An event whose shape the fast decoder refused: all errors of type, or the event with its unknown members kept."""
    errors = []
    known: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    for key, member in value.items():
        if key not in _FIELDS:
            unknown[key] = member
            continue
        types, message = _TYPES.get(key, _TEXT)
        if member is None or (isinstance(member, types) and not isinstance(member, bool)):
            known[key] = member
        else:
            errors.append(FieldError(f"{pointer}/{key}", "validation_error", message))
    if errors:
        return errors
    if unknown:
        properties = (
            "event_properties" if known.get("properties") is None and "event_properties" in known else "properties"
        )
        known[properties] = unknown | (known.get(properties) or {})
    return WireEvent(**known)


def _coerce_batch(value: Any) -> Sequence[Parsed]:
    if isinstance(value, dict):
        value = value.get("events")
    if not isinstance(value, list):
        raise ValidationFailed(
            'the body must be {"events": [...]} or a list of events',
            errors=[FieldError("/events", "invalid_batch", "must be a list of events")],
            code="invalid_batch",
        )
    return [
        coerce(event, f"/events/{index}")
        if isinstance(event, dict)
        else [FieldError(f"/events/{index}", "validation_error", "must be an object")]
        for index, event in enumerate(value)
    ]


def _counted(events: Sequence[Parsed]) -> Sequence[Parsed]:
    if not events:
        raise ValidationFailed(
            "the batch is empty",
            errors=[FieldError("/events", "invalid_batch", "must hold at least one event")],
            code="invalid_batch",
        )
    if len(events) > BATCH_EVENTS_MAX:
        raise PayloadTooLarge(f"a batch holds at most {BATCH_EVENTS_MAX} events; split it", limit=BATCH_EVENTS_MAX)
    return events


def _of_beacon(event: BeaconEvent, anonymous_id: str | None) -> WireEvent:
    properties: dict[str, Any] = {
        name: value
        for name, value in (
            ("title", event.c or None),
            ("screen", event.w),
            ("language", event.g),
            ("page_view_id", event.v),
        )
        if value is not None
    }
    return WireEvent(
        id=event.i,
        event_type=event.n,
        timestamp=event.t,
        session_id=event.s,
        user_id=event.u,
        anonymous_id=event.a if event.a is not None else anonymous_id,
        source="web",
        url=event.l,
        referrer=event.r or None,
        timezone=event.z,
        properties=properties | (event.p or {}),
        sample_rate=event.x,
    )


def _invalid_json(error: Exception) -> InvalidJson | ValidationFailed:
    if isinstance(error, RecursionError):
        return InvalidJson(f"the JSON is nested too deeply; at most {DEPTH_MAX} levels")
    found = _OFFSET.search(str(error))
    where = f" at byte {found[1]}" if found else ""
    return InvalidJson(f"the body is not valid JSON in UTF-8{where}")

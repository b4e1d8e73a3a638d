"""Plain events: bodies in which nothing is doubtful are judged by strict decoders and completed in place.

The rules are the pipeline's, which stays the judge of everything else: whatever is not plain (one wrong, odd or rare
event among thousands) makes the whole body go through the pipeline. The strict decoders may refuse what the pipeline
accepts, never the other way round; what both accept is stored alike, byte for byte (tests/property/test_plain_events).
"""

from collections.abc import Sequence, Set
from datetime import UTC, datetime
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.event import (
    BATCH_DATES_MAX,
    BATCH_EVENTS_MAX,
    EVENT_BYTES_MAX,
    ID_CHARS_MAX,
    INTEGER_MAX,
    NAME_CHARS_MAX,
    PLACEHOLDER_IDS,
    PROPERTY_KEYS_MAX,
    SAMPLE_RATE_ALL,
    STRING_BYTES_MAX,
    URL_BYTES_MAX,
    is_identity,
)
from iafa.ingest.pipeline import Sender, fallback_id, parse_time
from iafa.ingest.privacy import ADDRESS_HOLDERS, Denial, Privacy

UTF8_BYTES_MAX = 4  # a character's; so a text within the limits in characters is within those in bytes
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH = datetime(1970, 1, 1)  # a time without a zone is UTC here

_Id = Annotated[str, Meta(min_length=1, max_length=ID_CHARS_MAX)]
_Name = Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
_Label = Annotated[str, Meta(max_length=NAME_CHARS_MAX)]
_Url = Annotated[str, Meta(max_length=URL_BYTES_MAX // UTF8_BYTES_MAX)]
_Integer = Annotated[int, Meta(ge=-INTEGER_MAX, le=INTEGER_MAX)]
_Time = datetime | int | float
_Rate = Annotated[float, Meta(gt=0, le=1)]
_Never = Annotated[str, Meta(min_length=1, max_length=0)]  # no JSON value fits: the server alone sets it
_Scalar = Annotated[str, Meta(max_length=STRING_BYTES_MAX // UTF8_BYTES_MAX)] | _Integer | float | bool | None
_Keys = Meta(max_length=PROPERTY_KEYS_MAX)
_Flat = Annotated[dict[_Label, _Scalar], _Keys]
_Deep = Annotated[dict[_Label, _Scalar | list[_Scalar] | _Flat], _Keys]
# The outermost names are checked once a body: a bound here would cost a fifth of the decoding.
_Properties = Annotated[dict[str, _Scalar | list[_Scalar | _Flat] | _Deep], _Keys]


class PlainEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """What clients send under the canonical names; once completed, it is encoded exactly like an `Event`.

    The members up to `location` are the event's, in its order. Those behind it are emptied before encoding.
    """

    id: _Id | None = None
    event_type: _Name
    created_at: _Time | None = None
    user_id: _Id | None = None
    anonymous_id: _Id | None = None
    session_id: _Id | None = None
    source: _Label | None = None
    properties: _Properties | None = None
    url: _Url | None = None
    referrer: _Url | None = None
    user_agent: _Url | None = None
    ip_address: _Never = ""
    timezone: _Label | None = None
    sample_rate: _Rate = SAMPLE_RATE_ALL
    location: _Never = ""
    timestamp: _Time | None = None


class AliasedEvent(PlainEvent, gc=False, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """The same with the other names under which fields are accepted, and with numbers as ids."""

    id: _Id | _Integer | None = None  # type: ignore[assignment]  # a wider type, narrowed by `_unalias`
    event_type: _Name | None = None  # type: ignore[assignment]
    user_id: _Id | _Integer | None = None  # type: ignore[assignment]
    anonymous_id: _Id | _Integer | None = None  # type: ignore[assignment]
    session_id: _Id | _Integer | None = None  # type: ignore[assignment]
    event_id: _Id | _Integer | None = None
    messageId: _Id | _Integer | None = None  # noqa: N815 - a wire name
    event_name: _Name | None = None
    event: _Name | None = None
    name: _Name | None = None
    userId: _Id | _Integer | None = None  # noqa: N815
    anonymousId: _Id | _Integer | None = None  # noqa: N815
    sessionId: _Id | _Integer | None = None  # noqa: N815
    event_source: _Label | None = None
    platform: _Label | None = None
    event_properties: _Properties | None = None


class _BeaconEvent(msgspec.Struct, gc=False, forbid_unknown_fields=True, kw_only=True):
    """The strict form of `wire.BeaconEvent`."""

    i: _Id | None = None
    n: _Name
    t: int | float | None = None
    s: _Id | None = None
    u: _Id | None = None
    a: _Id | None = None
    l: _Url | None = None  # noqa: E741 - a wire name
    r: _Url | None = None
    c: _Url | None = None
    w: _Url | None = None
    g: _Url | None = None
    z: _Label | None = None
    p: _Properties | None = None
    v: _Url | None = None
    x: _Rate = SAMPLE_RATE_ALL


class _Beacon(msgspec.Struct, gc=False, forbid_unknown_fields=True, kw_only=True):
    t: int | float | None = None
    a: _Id | None = None
    d: int | None = None
    e: Annotated[list[_BeaconEvent], Meta(min_length=1, max_length=BATCH_EVENTS_MAX)]


class Plain(NamedTuple):
    """Completed events with their ids, and their canonical JSON array; how many denied properties they came with."""

    events: Sequence[PlainEvent]
    ids: list[str]
    encoded: bytes
    removed: int = 0


_Events = Annotated[list[PlainEvent], Meta(min_length=1, max_length=BATCH_EVENTS_MAX)]
_AliasedEvents = Annotated[list[AliasedEvent], Meta(min_length=1, max_length=BATCH_EVENTS_MAX)]


class _Batch(msgspec.Struct, gc=False):
    events: _Events


class _AliasedBatch(msgspec.Struct, gc=False):
    events: _AliasedEvents


_one: msgspec.json.Decoder[Any] = msgspec.json.Decoder(PlainEvent)
_one_aliased: msgspec.json.Decoder[Any] = msgspec.json.Decoder(AliasedEvent)
_list: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Events)
_list_aliased: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_AliasedEvents)
_batch: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_Batch)
_batch_aliased: msgspec.json.Decoder[Any] = msgspec.json.Decoder(_AliasedBatch)
_beacon = msgspec.json.Decoder(_Beacon)
_encoder = msgspec.json.Encoder()
_DECODE_ERRORS = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


def read_event(body: bytes, sender: Sender) -> Plain | None:
    """The one event of a body, completed; None when the pipeline has to judge it."""
    event = _decode(body, _one, _one_aliased)
    return None if event is None else _complete((event,), sender)


def read_batch(body: bytes, sender: Sender) -> Plain | None:
    """The events of a batch, completed; None when the pipeline has to judge them."""
    if body.startswith(b"["):
        events = _decode(body, _list, _list_aliased)
        return None if events is None else _complete(events, sender)
    batch = _decode(body, _batch, _batch_aliased)
    return None if batch is None else _complete(batch.events, sender)


def read_beacon(body: bytes, sender: Sender) -> Plain | None:
    """The events of a beacon, completed; None when the pipeline has to judge them."""
    if _has_doubtful_bytes(body):
        return None
    try:
        beacon = _beacon.decode(body)
    except _DECODE_ERRORS:
        return None
    events = [_of_beacon(event, beacon.a) for event in beacon.e]
    if any(len(event.properties or ()) > PROPERTY_KEYS_MAX for event in events):
        return None
    return _complete(events, sender if beacon.t is None else sender._replace(sent_ms=int(beacon.t)))


def _of_beacon(event: _BeaconEvent, anonymous_id: str | None) -> PlainEvent:
    page = (("title", event.c or None), ("screen", event.w), ("language", event.g), ("page_view_id", event.v))
    properties: dict[str, Any] = {name: value for name, value in page if value is not None}
    if event.p:
        properties |= event.p
    return PlainEvent(
        id=event.i,
        event_type=event.n,
        user_id=event.u,
        anonymous_id=event.a if event.a is not None else anonymous_id,
        session_id=event.s,
        source="web",
        properties=properties,
        url=event.l,
        referrer=event.r or None,
        timezone=event.z,
        sample_rate=event.x,
        timestamp=event.t,
    )


def encode(events: Sequence[PlainEvent]) -> bytes:
    """The canonical JSON array."""
    return _array(_encoder.encode_lines(events))


def _array(lines: bytes) -> bytes:
    return b"[%b]" % lines[:-1].replace(b"\n", b",")


def _decode(body: bytes, plain: msgspec.json.Decoder[Any], aliased: msgspec.json.Decoder[Any]) -> Any:
    if _has_doubtful_bytes(body):
        return None
    try:
        return plain.decode(body)
    except _DECODE_ERRORS:
        pass
    try:
        decoded = aliased.decode(body)
    except _DECODE_ERRORS:
        return None
    for event in getattr(decoded, "events", decoded) if aliased is not _one_aliased else (decoded,):
        if not _unalias(event):
            return None
    return decoded


def _has_doubtful_bytes(body: bytes) -> bool:
    """Without a backslash there is no escape, and raw control characters the decoders refuse: only DEL is left."""
    return b"\\" in body or b"\x7f" in body


def _unalias(event: AliasedEvent) -> bool:
    """Move what came under another name to its field. The first name that is there counts."""
    for names in _ALIASES:
        found = None
        for name in names:
            value = getattr(event, name)
            if value is not None:
                if found is None:
                    found = value
                if name is not names[0]:
                    setattr(event, name, None)
        setattr(event, names[0], str(found) if type(found) is int else found)
    event.source = event.source or event.event_source or event.platform
    event.event_source = event.platform = None
    return event.event_type is not None


_ALIASES = (
    ("event_type", "event_name", "event", "name"),
    ("id", "event_id", "messageId"),
    ("user_id", "userId"),
    ("anonymous_id", "anonymousId"),
    ("session_id", "sessionId"),
    ("properties", "event_properties"),
)


def _complete(events: Sequence[PlainEvent], sender: Sender) -> Plain | None:
    """Fill in what the server adds and look at what no decoder can judge. None when something is not plain."""
    schemas = sender.schemas
    if schemas is not None and any(schemas.concern(event.event_type) for event in events):
        return None
    times = _read_times(events, sender)
    if times is None or not _are_times_plain(times, sender):
        return None
    names = _names_of(events)
    if not (_are_texts_plain(events, names) and _are_people_plain(events, sender)):
        return None
    removed = 0 if sender.privacy.denial is None else _remove_denied(events, sender.privacy.denial)
    if not ADDRESS_HOLDERS.isdisjoint(names):
        _hide_addresses(events, sender.privacy)
    _fill_in(events, sender)
    ids: list[str] = [event.id for event in events]  # type: ignore[misc]
    lines = _encoder.encode_lines(events)
    if len(lines) > EVENT_BYTES_MAX and max(map(len, lines.split(b"\n"))) > EVENT_BYTES_MAX:
        return None
    return Plain(events, ids, _array(lines), removed)


def _read_times(events: Sequence[PlainEvent], sender: Sender) -> list[int] | None:
    """Turn every time into UTC microseconds in `created_at`, and return them."""
    times: list[int] = []
    skew_us = sender.skew_us
    for event in events:
        time = event.timestamp
        if time is None:
            time = event.created_at
        else:
            event.timestamp = None
        if type(time) is datetime:
            try:
                since = time - _EPOCH
            except TypeError:
                since = time - _NAIVE_EPOCH
            time_us = (since.days * 86_400 + since.seconds) * US_PER_S + since.microseconds + skew_us
        elif time is None:
            time_us = sender.received_at
        else:
            number = parse_time(time)  # type: ignore[arg-type]
            if number is None:
                return None
            time_us = number + skew_us
        event.created_at = time_us
        times.append(time_us)
    return times


def _remove_denied(events: Sequence[PlainEvent], denial: Denial) -> int:
    removed = 0
    for event in events:
        if event.properties:
            event.properties, count = denial.cleaned(event.properties)
            removed += count
    return removed


def _hide_addresses(events: Sequence[PlainEvent], privacy: Privacy) -> None:
    for event in events:
        if event.properties:
            event.properties = privacy.without_addresses(event.properties)


def _fill_in(events: Sequence[PlainEvent], sender: Sender) -> None:
    is_browser = sender.is_browser
    source, agent = ("web", sender.user_agent) if is_browser else (None, None)
    location = sender.location
    for position, event in enumerate(events):
        if event.id is None:
            event.id = sender.make_id(position)
        if event.properties is None:
            event.properties = {}
        if not event.source:
            event.source = source
        if not event.user_agent:
            event.user_agent = agent
        if is_browser and sender.ip_address is not None:
            event.ip_address = sender.ip_address
        if location is not None:
            event.location = location  # type: ignore[assignment]  # encoded as what it is


def _are_times_plain(times: list[int], sender: Sender) -> bool:
    first, last = min(times), max(times)
    return (
        sender.earliest_us <= first
        and last <= sender.latest_us
        and last // US_PER_DAY - first // US_PER_DAY < BATCH_DATES_MAX
    )


def _names_of(events: Sequence[PlainEvent]) -> Set[str]:
    """The outermost names of all properties."""
    names: set[str] = set()
    for event in events:
        if event.properties:
            names.update(event.properties)
    return names


def _are_texts_plain(events: Sequence[PlainEvent], names: Set[str]) -> bool:
    return (
        not any(event.id is not None and event.id.isspace() for event in events)
        and not any(map(str.isspace, {event.event_type for event in events}))
        and max(map(len, names), default=0) <= NAME_CHARS_MAX
    )


def _has_placeholder(values: Set[str]) -> bool:
    text = "\n".join(values).lower()
    words = text.split()
    if sum(map(len, words)) + len(values) - 1 == len(text):  # no other white space: each word is one value
        return not PLACEHOLDER_IDS.isdisjoint(words)
    return not all(map(is_identity, values))


def _are_people_plain(events: Sequence[PlainEvent], sender: Sender) -> bool:
    """Placeholders and people without an id are the pipeline's, but for the pages' visitors."""
    users = {event.user_id for event in events}
    given = users.union([event.anonymous_id for event in events], [event.session_id for event in events])
    given.discard(None)
    if _has_placeholder(given):  # type: ignore[arg-type]  # no None any more
        return False
    if None in users:
        nobody = [event for event in events if event.user_id is None and event.anonymous_id is None]
        if nobody and not sender.is_browser:
            return False
        for event in nobody:
            event.anonymous_id = fallback_id(sender)
    return True

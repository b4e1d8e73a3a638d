"""What happens to one event on its way in: one list of steps. A step completes the event or names what is wrong.

All steps run, so that a refused event comes back with every error at once.
"""

import hashlib
import math
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from iafa.clock import from_datetime
from iafa.errors import FieldError
from iafa.event import (
    CONTROL,
    DEPTH_MAX,
    EVENT_BYTES_MAX,
    FALLBACK_PREFIX,
    FUTURE_MAX_US,
    ID_CHARS_MAX,
    INTEGER_MAX,
    NAME_CHARS_MAX,
    PROPERTY_KEYS_MAX,
    SAMPLE_RATE_ALL,
    STRING_BYTES_MAX,
    TIME_MAX_US,
    URL_BYTES_MAX,
    Campaign,
    DropReason,
    Event,
    Location,
    SentBy,
    is_identity,
)
from iafa.ingest.privacy import Privacy
from iafa.ingest.wire import WireEvent
from iafa.meta.event_schemas import EventSchemas

SKEW_MAX_US = 30_000_000  # a client's clock that is further off is corrected by the time it sent the batch
NUMBER_LIMIT = 1e15  # no number of milliseconds that could be a time is larger
ERRORS_MAX = 100  # an event; what is wrong a hundred times is not judged further
SECONDS_LIMIT = 100_000_000_000  # a smaller number is seconds (until the year 5138), a larger one milliseconds


class Sender(NamedTuple):
    """What the request says about where its events come from."""

    received_at: int
    is_browser: bool
    user_agent: str | None = None
    ip_address: str | None = None  # as it is stored
    salt: bytes = b""
    sent_ms: int | None = None
    is_upload: bool = False  # history: any time that the files can hold is right
    earliest_us: int = 0  # what is older than the project keeps would be removed by the next retention run
    campaign: Campaign | None = None
    route: str = ""  # by which its events came; names the shape of their text
    location: Location | None = None
    request_key: str | None = None  # the Idempotency-Key: ids made for its events are the same when it comes again
    privacy: Privacy = Privacy()
    schemas: EventSchemas | None = None  # what properties must look like; None: as they like
    visitor: str | None = None  # a hash of the address where that is not what is stored; for the fallback id
    is_page: bool = False  # its address is a visitor's

    def sent_by(self) -> SentBy:
        return SentBy(**{name: getattr(self, name) for name in SentBy.__struct_fields__})

    @property
    def skew_us(self) -> int:
        """What corrects the times of a client whose clock is wrong; 0 for one that is right or unknown."""
        if self.sent_ms is None:
            return 0
        skew_us = self.received_at - self.sent_ms * 1000
        return skew_us if abs(skew_us) > SKEW_MAX_US else 0

    def make_id(self, position: int) -> str:
        """An id for the event at this position of a request that came without one."""
        if self.request_key is None:
            return make_id(self.received_at)
        text = f"{position}\n{self.request_key}"
        return hashlib.blake2b(text.encode(), key=self.salt[:64], digest_size=16).hexdigest()

    @property
    def latest_us(self) -> int:
        return TIME_MAX_US if self.is_upload else self.received_at + FUTURE_MAX_US


class Draft(msgspec.Struct, gc=False):
    """An event between wire and canonical form."""

    wire: WireEvent
    sender: Sender
    pointer: str
    errors: list[FieldError]
    position: int = 0  # in its request
    id: str = ""
    event_type: str = ""
    created_at: int = 0
    user_id: str | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    properties: bytes = b"{}"
    removed: int = 0  # members on the project's deny-list
    event: Event | None = None
    encoded: bytes = b""

    def wrong(self, field: str, reason: DropReason, message: str) -> None:
        if len(self.errors) < ERRORS_MAX:
            self.errors.append(FieldError(f"{self.pointer}/{field}", reason.value, message))


def name(draft: Draft) -> None:
    wire = draft.wire
    for field in ("event_type", "event_name", "event", "name"):
        value = getattr(wire, field)
        if value is not None:
            break
    else:
        draft.wrong("event_type", DropReason.VALIDATION, "is required")
        return
    if not value.strip():
        draft.wrong(field, DropReason.VALIDATION, "must not be empty")
    elif _is_plain(draft, field, value, NAME_CHARS_MAX):
        draft.event_type = value


def identity(draft: Draft) -> None:
    wire, before = draft.wire, len(draft.errors)
    draft.user_id = _identity(draft, "user_id", wire.user_id if wire.user_id is not None else wire.userId)
    draft.anonymous_id = _identity(
        draft, "anonymous_id", wire.anonymous_id if wire.anonymous_id is not None else wire.anonymousId
    )
    draft.session_id = _identity(
        draft, "session_id", wire.session_id if wire.session_id is not None else wire.sessionId
    )
    if draft.user_id is not None or draft.anonymous_id is not None or len(draft.errors) > before:
        return
    if draft.sender.is_browser:
        draft.anonymous_id = fallback_id(draft.sender)
    else:
        draft.wrong("user_id", DropReason.MISSING_IDENTITY, "send a user_id or an anonymous_id")


def event_id(draft: Draft) -> None:
    wire = draft.wire
    for field in ("id", "event_id", "messageId"):
        value = getattr(wire, field)
        if value is not None:
            break
    else:
        draft.id = draft.sender.make_id(draft.position)
        return
    text = str(value)
    if not text.strip():
        draft.wrong(field, DropReason.VALIDATION, "must not be empty")
    elif _is_plain(draft, field, text, ID_CHARS_MAX):
        draft.id = text


def time(draft: Draft) -> None:
    field = "timestamp" if draft.wire.timestamp is not None else "created_at"
    value = draft.wire.timestamp if draft.wire.timestamp is not None else draft.wire.created_at
    if value is None:
        draft.created_at = draft.sender.received_at
        return
    time_us = parse_time(value)
    if time_us is None:
        draft.wrong(
            field,
            DropReason.INVALID_TIMESTAMP,
            "must be an ISO 8601 time or seconds or milliseconds since 1970",
        )
        return
    time_us += draft.sender.skew_us
    if not 0 <= time_us <= draft.sender.latest_us:
        draft.wrong(field, DropReason.TIMESTAMP_OUT_OF_WINDOW, "must lie between 1970 and 24 hours from now")
        return
    if time_us < draft.sender.earliest_us:
        message = "is older than the project keeps events; raise its retention_days to send such"
        draft.wrong(field, DropReason.TIMESTAMP_OUT_OF_WINDOW, message)
        return
    draft.created_at = time_us


def properties(draft: Draft) -> None:
    wire = draft.wire
    field = "properties" if wire.properties is not None else "event_properties"
    value = wire.properties if wire.properties is not None else wire.event_properties
    denial = draft.sender.privacy.denial
    if value and denial is not None:
        value, draft.removed = denial.cleaned(value)
    if not value:
        return
    value = draft.sender.privacy.without_addresses(value)
    before = len(draft.errors)
    _check_value(draft, value, field, depth=1)
    if len(draft.errors) == before:
        draft.properties = msgspec.json.encode(value)


def texts(draft: Draft) -> None:
    wire = draft.wire
    for field in ("source", "event_source", "platform", "timezone"):
        _is_plain(draft, field, getattr(wire, field), NAME_CHARS_MAX)
    for field in ("url", "referrer", "user_agent"):
        value = getattr(wire, field)
        if value is not None and len(value.encode()) > URL_BYTES_MAX:
            draft.wrong(field, DropReason.TOO_LONG, f"must not be longer than {URL_BYTES_MAX} bytes")
        elif value is not None and "\x00" in value:
            draft.wrong(field, DropReason.INVALID_CHARACTER, "must not hold a NUL character")
    rate = wire.sample_rate
    if rate is not None and not 0 < rate <= 1:
        draft.wrong("sample_rate", DropReason.NUMBER_OUT_OF_RANGE, "must be above 0 and at most 1")


def canonical(draft: Draft) -> None:
    """Last: nothing is encoded that was refused."""
    if draft.errors:
        return
    wire, sender = draft.wire, draft.sender
    draft.event = Event(
        id=draft.id,
        event_type=draft.event_type,
        created_at=draft.created_at,
        user_id=draft.user_id,
        anonymous_id=draft.anonymous_id,
        session_id=draft.session_id,
        source=wire.source or wire.event_source or wire.platform or ("web" if sender.is_browser else None),
        properties=msgspec.Raw(draft.properties),
        url=wire.url,
        referrer=wire.referrer,
        user_agent=wire.user_agent or (sender.user_agent if sender.is_browser else None),
        ip_address=sender.ip_address,
        timezone=wire.timezone,
        sample_rate=wire.sample_rate if wire.sample_rate is not None else SAMPLE_RATE_ALL,
        campaign=sender.campaign,
        location=sender.location,
    )
    draft.encoded = msgspec.json.encode(draft.event)
    if len(draft.encoded) > EVENT_BYTES_MAX:
        draft.errors.append(
            FieldError(
                draft.pointer,
                DropReason.EVENT_TOO_LARGE.value,
                f"an event has at most {EVENT_BYTES_MAX} bytes",
            )
        )


def schema(draft: Draft) -> None:
    """After all else: what is compared is what would be stored."""
    schemas = draft.sender.schemas
    if schemas is not None and not draft.errors:
        draft.errors += schemas.errors(draft.event_type, draft.properties, f"{draft.pointer}/properties")


Step = Callable[[Draft], None]

STEPS: tuple[Step, ...] = (name, identity, event_id, time, properties, texts, canonical, schema)


def run(wire: WireEvent, sender: Sender, pointer: str, position: int = 0) -> Draft:
    draft = Draft(wire, sender, pointer, [], position)
    for step in STEPS:
        step(draft)
    return draft


def parse_time(value: str | int | float) -> int | None:
    """UTC microseconds of an ISO 8601 text (naive = UTC) or of seconds or milliseconds since 1970; None if neither."""
    if isinstance(value, str):
        try:
            parsed = _read_time(value)
            return from_datetime(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC))
        except (ValueError, OverflowError):
            return None
    if not abs(value) < NUMBER_LIMIT:
        return None
    return round(value * 1_000_000) if abs(value) < SECONDS_LIMIT else round(value * 1000)


def _read_time(text: str) -> datetime:
    """As the decoder of plain events reads it, else in the other forms of ISO 8601."""
    try:
        return msgspec.convert(text, datetime)
    except msgspec.ValidationError:
        return datetime.fromisoformat(text)


def make_id(received_at: int) -> str:
    """A time-ordered id (48 bits of milliseconds, 80 random bits) for an event that came without one."""
    # Unique, not secret: the kernel's random numbers would cost more than all other steps together.
    return f"{received_at // 1000:012x}{random.getrandbits(80):020x}"


def fallback_id(sender: Sender) -> str:
    """Who sent no id is told apart by address and user agent, keyed so that neither can be found again."""
    address = sender.ip_address if sender.visitor is None else sender.visitor
    text = f"{address or ''}\n{sender.user_agent or ''}"
    return FALLBACK_PREFIX + hashlib.blake2b(text.encode(), key=sender.salt, digest_size=16).hexdigest()


def _identity(draft: Draft, field: str, value: str | int | None) -> str | None:
    if value is None:
        return None
    if isinstance(value, int) and abs(value) > INTEGER_MAX:
        draft.wrong(field, DropReason.NUMBER_OUT_OF_RANGE, "is too large for a number; send it as a string")
        return None
    text = str(value)
    if not is_identity(text):
        return None
    return text if _is_plain(draft, field, text, ID_CHARS_MAX) else None


def _is_plain(draft: Draft, field: str, value: str | None, chars_max: int) -> bool:
    if value is None:
        return False
    if len(value) > chars_max:
        draft.wrong(field, DropReason.TOO_LONG, f"must not be longer than {chars_max} characters")
        return False
    if CONTROL.search(value):
        draft.wrong(field, DropReason.INVALID_CHARACTER, "must not hold control characters")
        return False
    return True


def _check_value(draft: Draft, value: Any, pointer: str, depth: int) -> None:
    """Refuse what some reader of the files could not hold; scalars first, they are nearly all."""
    kind = type(value)
    if kind is str:
        if len(value) > STRING_BYTES_MAX // 4 and len(value.encode()) > STRING_BYTES_MAX:
            draft.wrong(pointer, DropReason.TOO_LONG, f"a text has at most {STRING_BYTES_MAX} bytes")
        elif "\x00" in value:
            draft.wrong(pointer, DropReason.INVALID_CHARACTER, "must not hold a NUL character")
    elif kind is int:
        if not -INTEGER_MAX <= value <= INTEGER_MAX:
            draft.wrong(pointer, DropReason.NUMBER_OUT_OF_RANGE, "is beyond 2^53; send it as a string")
    elif kind is float:
        if not math.isfinite(value):
            draft.wrong(pointer, DropReason.NUMBER_OUT_OF_RANGE, "must be finite")
    elif kind is dict:
        _check_object(draft, value, pointer, depth)
    elif kind is list:
        _check_list(draft, value, pointer, depth)


def _check_list(draft: Draft, value: list[Any], pointer: str, depth: int) -> None:
    if depth >= DEPTH_MAX:
        draft.wrong(pointer, DropReason.TOO_DEEP, f"is nested deeper than {DEPTH_MAX} levels")
        return
    for index, item in enumerate(value):
        if len(draft.errors) >= ERRORS_MAX:
            return
        _check_value(draft, item, f"{pointer}/{index}", depth + 1)


def _check_object(draft: Draft, value: dict[str, Any], pointer: str, depth: int) -> None:
    if depth > DEPTH_MAX:
        draft.wrong(pointer, DropReason.TOO_DEEP, f"is nested deeper than {DEPTH_MAX} levels")
        return
    if len(value) > PROPERTY_KEYS_MAX:
        draft.wrong(pointer, DropReason.TOO_MANY_KEYS, f"has more than {PROPERTY_KEYS_MAX} members")
        return
    for position, (key, item) in enumerate(value.items()):
        # Names are the sender's text: a wrong one is shown by its position, not repeated.
        if len(key) > NAME_CHARS_MAX:
            message = f"a name has at most {NAME_CHARS_MAX} characters"
            draft.wrong(f"{pointer}/#{position}", DropReason.TOO_LONG, message)
        elif "\x00" in key:
            draft.wrong(f"{pointer}/#{position}", DropReason.INVALID_CHARACTER, "a name must not hold a NUL character")
        else:
            _check_value(draft, item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1)

"""The event: its canonical fields, the limits it keeps, the reasons for which one is not stored."""

import re
from enum import StrEnum

import msgspec
import xxhash

from iafa.clock import US_PER_DAY

NAME_CHARS_MAX = 200
ID_CHARS_MAX = 200
STRING_BYTES_MAX = 8 * 1024
URL_BYTES_MAX = 8 * 1024
EVENT_BYTES_MAX = 32 * 1024
PROPERTY_KEYS_MAX = 255
DEPTH_MAX = 20
INTEGER_MAX = 2**53
WIRE_BYTES_MAX = 1024 * 1024
INFLATED_BYTES_MAX = 5 * 1024 * 1024
BATCH_EVENTS_MAX = 2_500
BATCH_DATES_MAX = 31
REJECTED_BODY_CHARS_MAX = 16 * 1024
DROPPED_SEEN_MAX = 50  # events that one count of dropped ones names
SAMPLE_RATE_ALL = 1.0  # as a default it is left out of the encoded event
FUTURE_MAX_US = 24 * 3_600 * 1_000_000
TIME_MAX_US = 253_402_300_799_999_999  # end of the year 9999: the last instant every reader of the files can hold

ID_PATTERN = re.compile(r"[a-z0-9]{12,32}")  # ids that the server makes and that may stand in a path
CONTROL = re.compile(r"[\x00-\x1f\x7f]")

PLACEHOLDER_IDS = frozenset(
    {
        "",
        "null",
        "undefined",
        "none",
        "nan",
        "anonymous",
        "guest",
        "0",
        "-1",
        "[object object]",
        "00000000-0000-0000-0000-000000000000",
    }
)
FALLBACK_PREFIX = "fallback_"


class DropReason(StrEnum):
    """Why an event was not stored: the closed set behind every counter and every `code` of a batch answer.

    `ingest/steps` says which step may say it."""

    VALIDATION = "validation_error"
    INVALID_TIMESTAMP = "invalid_timestamp"
    TIMESTAMP_OUT_OF_WINDOW = "timestamp_out_of_window"
    TOO_MANY_DATES = "too_many_dates"
    INVALID_CHARACTER = "invalid_character"
    TOO_DEEP = "too_deep"
    NUMBER_OUT_OF_RANGE = "number_out_of_range"
    TOO_LONG = "too_long"
    TOO_MANY_KEYS = "too_many_keys"
    EVENT_TOO_LARGE = "event_too_large"
    MISSING_IDENTITY = "missing_identity"
    SCHEMA = "schema_mismatch"
    SAMPLED_OUT = "sampled_out"
    DUPLICATE = "duplicate"
    RATE_LIMITED = "rate_limited"
    QUOTA_EXCEEDED = "quota_exceeded"
    POISON = "poison"


# Nothing is wrong with such events, or they are too many: they are counted, and no text of them is kept.
COUNTED_ONLY = frozenset(
    {DropReason.SAMPLED_OUT, DropReason.DUPLICATE, DropReason.RATE_LIMITED, DropReason.QUOTA_EXCEEDED}
)


class Campaign(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, kw_only=True):
    """What a client says of the campaign that brought the visitor, by the names of the columns without `utm_`."""

    source: str | None = None
    medium: str | None = None
    campaign: str | None = None
    term: str | None = None
    content: str | None = None


class Location(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, kw_only=True):
    """Where a visitor's address is, by the operator's database; found before the address is made a hash."""

    country: str | None = None
    region: str | None = None
    city: str | None = None
    timezone: str | None = None


class Event(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """An accepted event in its canonical form: exactly this is journaled and later becomes a Parquet row.

    Times are UTC microseconds. `properties` is canonical JSON text of an object.
    """

    id: str
    event_type: str
    created_at: int
    user_id: str | None = None
    anonymous_id: str | None = None
    session_id: str | None = None
    source: str | None = None
    properties: msgspec.Raw = msgspec.Raw(b"{}")
    url: str | None = None
    referrer: str | None = None
    user_agent: str | None = None
    ip_address: str | None = None
    timezone: str | None = None
    sample_rate: float = SAMPLE_RATE_ALL
    campaign: Campaign | None = None
    location: Location | None = None


class SentBy(msgspec.Struct, gc=False, frozen=True, omit_defaults=True, kw_only=True):
    """What the request of a refused event said about its sender, so that the event can be judged again."""

    is_browser: bool = False
    ip_address: str | None = None
    user_agent: str | None = None
    location: Location | None = None
    skew_us: int = 0
    visitor: str | None = None
    is_page: bool | None = None  # None: not known, of rows that are older than the field


class Rejected(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """An event that was refused, as the journal's `rejected` records and the quarantine keep it.

    `body` is the event's JSON text as far as it was understood, cut to `REJECTED_BODY_CHARS_MAX`. `source` names the
    shape of that text: the route that it came by.
    """

    code: str
    pointer: str = ""
    message: str = ""
    event_id: str | None = None
    event_type: str | None = None
    body: str = ""
    source: str | None = None
    sender: SentBy | None = None


class DroppedEvent(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """An event that was not stored and of which nothing else is kept."""

    event_id: str | None = None
    event_type: str | None = None


class Dropped(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True):
    """How many events of a project were not stored for one reason, as the journal's `dropped` records hold it.

    `kept` of them were offered with their text in `rejected` records. `seen` names some, while somebody watches.
    """

    code: str
    count: int = 0
    kept: int = 0
    seen: list[DroppedEvent] = []


def earliest_kept_us(now_us: int, retention_days: int | None) -> int:
    """The first instant of the oldest UTC day that a project keeps; what is older, the next retention run removes."""
    if retention_days is None:
        return 0
    return max(0, (now_us // US_PER_DAY - retention_days) * US_PER_DAY)


def is_identity(value: str | None) -> bool:
    """False for the placeholders that broken clients send instead of an id."""
    return value is not None and value.strip().lower() not in PLACEHOLDER_IDS


def identity_hash(identity: str) -> int:
    """xxh64 of the entity's id as a signed 64-bit integer: the stored `user_hash`."""
    unsigned = xxhash.xxh64_intdigest(identity.encode())
    return unsigned - (1 << 64) if unsigned >= 1 << 63 else unsigned

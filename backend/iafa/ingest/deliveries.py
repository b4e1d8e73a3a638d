"""What other tools' clients deliver: messages in their own shapes, each of which becomes one event."""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import msgspec

from iafa.errors import FieldError, PayloadTooLarge, ValidationFailed
from iafa.event import BATCH_EVENTS_MAX, CONTROL, NAME_CHARS_MAX, REJECTED_BODY_CHARS_MAX, URL_BYTES_MAX, Campaign
from iafa.ingest.pipeline import parse_time
from iafa.ingest.privacy import address_of
from iafa.ingest.wire import Parsed, WireEvent

CONTEXT = "context"  # the property that keeps what has no column of its own
# What a member must be, and what to say of one that is not.
Kind = tuple[tuple[type, ...], str]
TEXT: Kind = ((str,), "must be a string")
ID: Kind = ((str, int), "must be a string")
OBJECT: Kind = ((dict,), "must be an object")
TIME: Kind = ((str, int, float), "must be an ISO 8601 time or a number")
_CAMPAIGN = {"source": "source", "medium": "medium", "name": "campaign", "term": "term", "content": "content"}
_encoder = msgspec.json.Encoder(order="deterministic")


class Message(NamedTuple):
    """One message as an event, or all that is wrong with it; and what the event's shape cannot carry."""

    parsed: Parsed
    address: str | None = None
    campaign: Campaign | None = None
    is_located: bool = True  # false: its sender wants no location looked up


@dataclass(frozen=True)
class Delivery:
    """A body that could be read: its messages, and what it says about all of them."""

    items: Sequence[Any]
    read: Callable[[Any, str, int], Message]  # a message, its pointer, and what corrects its client's clock
    keys: Set[str]  # every key that stands in the body
    sent: Any = None  # the client's clock when it sent the body, as it was written
    pointer: str | None = "/batch"  # of the list of messages; None: the body is the message
    is_history: bool = False
    is_page: bool = False  # a page's own request, although it names no origin
    route: str = ""  # names the shape of its messages
    defaults: Mapping[str, Any] = field(default_factory=dict)  # the context of messages that say no other

    @property
    def sent_ms(self) -> int | None:
        sent_us = None if self.is_history else time_of(self.sent)
        return None if sent_us is None else sent_us // 1000

    def pointer_of(self, index: int) -> str:
        return "" if self.pointer is None else f"{self.pointer}/{index}"

    def text(self, index: int) -> str:
        """The message's JSON text, for whoever asks why it was refused. It still holds keys and addresses."""
        item = self.items[index]
        if not self.defaults or not isinstance(item, dict) or not isinstance(item.get(CONTEXT) or {}, dict):
            return _encoder.encode(item).decode()
        if not self._fit_defaults:
            return ""  # it would be cut, and without its context it would be replayed as another event
        return _encoder.encode({**item, CONTEXT: {**self.defaults, **(item.get(CONTEXT) or {})}}).decode()

    @cached_property
    def _fit_defaults(self) -> bool:
        return len(_encoder.encode(self.defaults)) <= REJECTED_BODY_CHARS_MAX

    def id_seed(self, index: int, event: WireEvent) -> str | None:
        """What the id of a message without one is made of: the same when the same request comes again. None for a
        message without any time: two clicks that look alike are two."""
        if event.timestamp is None and self.sent is None:
            return None
        return f"{_encoder.encode(self.items[index]).decode()}\n{self.sent}"


def counted(items: Sequence[Any]) -> Sequence[Any]:
    if len(items) > BATCH_EVENTS_MAX:
        raise PayloadTooLarge(f"a batch holds at most {BATCH_EVENTS_MAX} messages; split it", limit=BATCH_EVENTS_MAX)
    return items


def no_messages(expected: str) -> ValidationFailed:
    return ValidationFailed(f"the body must be {expected}", code="invalid_batch")


def keys_in(members: Mapping[str, Any], *names: str) -> Set[str]:
    """The keys under these names. An empty text is no key."""
    found = (members.get(name) for name in names)
    return {key for key in found if isinstance(key, str) and key}


def wrong_types(item: Mapping[str, Any], types: Mapping[str, Kind], pointer: str) -> list[FieldError]:
    """Members that are there and are of another type than their meaning needs."""
    return [
        FieldError(f"{pointer}/{name}", "validation_error", message)
        for name, (kinds, message) in types.items()
        if (value := item.get(name)) is not None and (isinstance(value, bool) or not isinstance(value, kinds))
    ]


def time_of(value: Any) -> int | None:
    """UTC microseconds of what may be a time."""
    return parse_time(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def take_text(members: dict[str, Any], name: str) -> str | None:
    """Move a text to a column of short texts. What does not fit there stays where it was."""
    value = members.get(name)
    if not isinstance(value, str) or len(value) > NAME_CHARS_MAX or CONTROL.search(value):
        return None
    del members[name]
    return value or None


def take_long_text(members: dict[str, Any], name: str) -> str | None:
    """The same for an address of a page or a user agent."""
    value = members.get(name)
    if not isinstance(value, str) or len(value.encode()) > URL_BYTES_MAX or "\x00" in value:
        return None
    del members[name]
    return value or None


def take_address(members: dict[str, Any], name: str) -> str | None:
    """The visitor's network address. It never stays: what of it is stored has a column."""
    return address_of(members.pop(name, None))


def take_campaign(members: dict[str, Any], names: Mapping[str, str] = _CAMPAIGN) -> Campaign | None:
    """Move the members of a campaign, by their names here, to the columns that they have."""
    found = {column: text for name, column in names.items() if (text := take_text(members, name)) is not None}
    return Campaign(**found) if found else None

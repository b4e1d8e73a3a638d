"""What is not written down: addresses as they are, and properties on the project's deny-list. Before the journal."""

import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from iafa.event import DEPTH_MAX, NAME_CHARS_MAX
from iafa.ingest.wire import BeaconEvent, WireEvent

DENIALS_MAX = 1000
NAMES_MAX = 10_000
IPV4_PREFIX, IPV6_PREFIX = 24, 48
ADDRESS_CHARS_MAX = 45  # of an IPv6 address that ends as an IPv4 address
ADDRESSES_MAX = 8  # of one text, as `X-Forwarded-For` lists them
ADDRESS_NAMES = frozenset({"ip", "$ip", "ip_address"})
ADDRESS_HOLDERS = ADDRESS_NAMES | {"context"}
KEY_NAMES = frozenset({"writeKey", "api_key", "token"})
_HIDDEN_NAMES = ADDRESS_NAMES | KEY_NAMES
_HOLDERS = ("context", "properties", "event_properties", "p")  # where they may stand beside the top
_OWN_NAMES = frozenset(WireEvent.__struct_fields__) | frozenset(BeaconEvent.__struct_fields__)
_Test = Callable[[str], bool]


class Denial:
    """A deny-list: names of properties at any depth, in any case; `*` stands for any characters.

    A name that is too long for an event is not looked at: it is refused with its event anyway.
    """

    def __init__(self, patterns: Sequence[str]) -> None:
        folded = [_folded(pattern) for pattern in patterns]
        self._names = frozenset(pattern for pattern in folded if "*" not in pattern)
        self._globs = tuple(tuple(pattern.split("*")) for pattern in folded if "*" in pattern)
        self._known: dict[str, bool] = {}

    def denies(self, name: str) -> bool:
        found = self._known.get(name)
        if found is None:
            if len(name) > NAME_CHARS_MAX:
                return False
            if len(self._known) >= NAMES_MAX:
                self._known.clear()
            folded = _folded(name)
            found = folded in self._names or any(_matches(folded, parts) for parts in self._globs)
            self._known[name] = found
        return found

    def hides(self, name: str) -> bool:
        """Whether a text must not show it: it is denied, or was too long to be looked at."""
        return len(name) > NAME_CHARS_MAX or self.denies(name)

    def cleaned(self, properties: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The same without what is denied, and how many members that were."""
        return self._object(properties, 0, self.denies)

    def shown(self, value: Any) -> Any:
        """The same without what a text must not show."""
        return self._value(value, 0, self.hides)[0]

    def _object(self, properties: dict[str, Any], depth: int, is_out: _Test) -> tuple[dict[str, Any], int]:
        kept, removed = {}, 0
        for name, value in properties.items():
            if is_out(name):
                removed += 1
                continue
            kept[name], inner = self._value(value, depth + 1, is_out)
            removed += inner
        return kept, removed

    def _value(self, value: Any, depth: int, is_out: _Test) -> tuple[Any, int]:
        kind = type(value)
        if kind is not dict and kind is not list:
            return value, 0
        if depth > DEPTH_MAX + 1:
            return None, 0  # what is so deep is refused anyway
        if kind is dict:
            return self._object(value, depth, is_out)
        pairs = [self._value(item, depth + 1, is_out) for item in value]
        return [item for item, _count in pairs], sum(count for _item, count in pairs)


def _folded(text: str) -> str:
    """Equal for texts that differ in case alone."""
    return text.lower() if text.isascii() else text.replace("\u0130", "i").replace("\u0131", "i").casefold()


def _matches(name: str, parts: Sequence[str]) -> bool:
    """Whether the parts, which stood between stars, follow each other in the name. Linear: no part is tried twice."""
    first, *inner, last = parts
    end = len(name) - len(last)
    place = len(first)
    if place > end or not name.startswith(first) or not name.endswith(last):
        return False
    for part in inner:
        found = name.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True


@lru_cache(maxsize=DENIALS_MAX)
def denial_of(patterns: tuple[str, ...]) -> Denial | None:
    return Denial(patterns) if patterns else None


def hash_address(address: str, salt: bytes) -> str:
    """A keyed hash, never the address."""
    return hashlib.blake2b(address.encode(), key=salt[:64], digest_size=16).hexdigest()


def stored_address(address: str, salt: bytes, form: Literal["hash", "truncate", "none"]) -> str | None:
    """What of an address is stored."""
    if form == "hash":
        return hash_address(address, salt)
    if form == "none":
        return None
    try:
        number = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    prefix = IPV4_PREFIX if number.version == 4 else IPV6_PREFIX
    return str(ipaddress.ip_network((number, prefix), strict=False))


def address_of(value: object) -> str | None:
    """The network address that a text is, in its usual spelling."""
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > ADDRESS_CHARS_MAX or "%" in text:
        return None  # the name of a network interface behind it may have any length, and is nothing to us
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return None


def address_in(value: object) -> str | None:
    """The first network address that a text says: alone, with a port, or in a list."""
    if not isinstance(value, str):
        return None
    for part in value.split(",", ADDRESSES_MAX)[:ADDRESSES_MAX]:
        text = part.strip()
        if text.startswith("["):
            text = text[1:].partition("]")[0]
        elif text.count(":") == 1:
            text = text.partition(":")[0]
        found = address_of(text.partition("%")[0])
        if found is not None:
            return found
    return None


class Privacy(NamedTuple):
    """What a project wants written down of one request."""

    form: Literal["hash", "truncate", "none"] = "hash"
    salt: bytes = b""  # of address hashes
    denial: Denial | None = None

    def stored(self, address: str) -> str | None:
        return stored_address(address, self.salt, self.form)

    def without_addresses(self, properties: dict[str, Any]) -> dict[str, Any]:
        """The same with what is stored of the addresses in members of well-known names, here and in `context`."""
        if ADDRESS_HOLDERS.isdisjoint(properties):
            return properties
        kept = self._replaced(properties)
        context = kept.get("context")
        if isinstance(context, dict):
            kept["context"] = self._replaced(context)
        return kept

    def _replaced(self, members: dict[str, Any]) -> dict[str, Any]:
        kept: dict[str, Any] = {}
        for name, value in members.items():
            address = address_in(value) if name in ADDRESS_NAMES else None
            if address is None:
                kept[name] = value
            elif (stored := self.stored(address)) is not None:
                kept[name] = stored
        return kept


def quarantine_text(text: str, denial: Denial | None) -> str:
    """A refused event's text as the quarantine keeps it: without keys, addresses and what is denied."""
    is_bare = denial is None and "\\" not in text and not any(f'"{name}"' in text for name in _HIDDEN_NAMES)
    if is_bare:
        return text
    try:
        return msgspec.json.encode(_shown(msgspec.json.decode(text), denial)).decode()
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return ""


def _shown(content: Any, denial: Denial | None, depth: int = 0) -> Any:
    if isinstance(content, list):
        # No event; those that were meant may stand in it.
        return [_shown(item, denial, depth + 1) for item in content] if depth <= DEPTH_MAX else None
    if not isinstance(content, dict):
        return content if denial is None else None
    kept = _without_hidden(content)
    for name in _HOLDERS:
        if isinstance(kept.get(name), dict):
            kept[name] = inner = _without_hidden(kept[name])
            if isinstance(inner.get("context"), dict):
                inner["context"] = _without_hidden(inner["context"])
    if denial is None:
        return kept
    is_own = _OWN_NAMES.__contains__ if depth == 0 else _nothing
    return {name: denial.shown(value) for name, value in kept.items() if is_own(name) or not denial.hides(name)}


def _nothing(_name: str) -> bool:
    return False


def _without_hidden(members: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in members.items() if name not in _HIDDEN_NAMES}

"""What is not written down: addresses as they are, and properties on the project's deny-list. Before the journal."""

import hashlib
import ipaddress
import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Literal, NamedTuple

import msgspec

from iafa.event import DEPTH_MAX
from iafa.ingest.wire import BeaconEvent, WireEvent

DENIALS_MAX = 1000
NAMES_MAX = 10_000
IPV4_PREFIX, IPV6_PREFIX = 24, 48
ADDRESS_NAMES = frozenset({"ip", "$ip"})
_OWN_NAMES = frozenset(WireEvent.__struct_fields__) | frozenset(BeaconEvent.__struct_fields__)


class Denial:
    """A deny-list: names of properties at any depth, in any case; `*` stands for any characters."""

    def __init__(self, patterns: Sequence[str]) -> None:
        alternatives = (".*".join(map(re.escape, pattern.split("*"))) for pattern in patterns)
        self._pattern = re.compile("|".join(alternatives), re.IGNORECASE | re.DOTALL)
        self._known: dict[str, bool] = {}

    def denies(self, name: str) -> bool:
        found = self._known.get(name)
        if found is None:
            if len(self._known) >= NAMES_MAX:
                self._known.clear()
            self._known[name] = found = self._pattern.fullmatch(name) is not None
        return found

    def cleaned(self, properties: dict[str, Any]) -> tuple[dict[str, Any], int]:
        """The same without what is denied, and how many members that were."""
        return self._object(properties, 0)

    def cleaned_value(self, value: Any) -> Any:
        return self._value(value, 0)[0]

    def _object(self, properties: dict[str, Any], depth: int) -> tuple[dict[str, Any], int]:
        kept, removed = {}, 0
        for name, value in properties.items():
            if self.denies(name):
                removed += 1
                continue
            kept[name], inner = self._value(value, depth + 1)
            removed += inner
        return kept, removed

    def _value(self, value: Any, depth: int) -> tuple[Any, int]:
        kind = type(value)
        if kind is not dict and kind is not list:
            return value, 0
        if depth > DEPTH_MAX + 1:
            return None, 0  # what is so deep is refused anyway
        if kind is dict:
            return self._object(value, depth)
        pairs = [self._value(item, depth + 1) for item in value]
        return [item for item, _count in pairs], sum(count for _item, count in pairs)


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


class Privacy(NamedTuple):
    """What a project wants written down of one request."""

    form: Literal["hash", "truncate", "none"] = "hash"
    salt: bytes = b""  # of address hashes
    denial: Denial | None = None

    def stored(self, address: str) -> str | None:
        return stored_address(address, self.salt, self.form)


def readable_text(text: str, denial: Denial | None) -> str:
    """A refused event's text for the quarantine: without what is denied, and without addresses in its context."""
    has_address = any(f'"{name}"' in text for name in ADDRESS_NAMES)
    if denial is None and not has_address:
        return text
    try:
        content = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    if not isinstance(content, dict):
        return text
    for name in ("context", "properties"):
        if isinstance(content.get(name), Mapping):
            content[name] = {key: value for key, value in content[name].items() if key not in ADDRESS_NAMES}
    if denial is not None:
        content = {
            name: denial.cleaned_value(value)
            for name, value in content.items()
            if name in _OWN_NAMES or not denial.denies(name)
        }
    return msgspec.json.encode(content).decode()

"""API keys: how they are made, hashed and looked up. They are stored inside their project's record."""

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import msgspec

from iafa.meta.collect_rules import USUAL_PRIVACY, PrivacySettings, SamplingRule, SchemaRule
from iafa.meta.ids import new_id

KeyKind = Literal["write", "secret"]
PREFIXES: Mapping[KeyKind, str] = {"write": "iafa_w_", "secret": "iafa_s_"}
KEY_BYTES = 32
KEY_CHARS_MAX = 200  # longer text is not hashed: nothing that long is a key


class ApiKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    id: str
    kind: KeyKind
    name: str
    sha256: str
    prefix: str
    last4: str
    created_us: int
    expires_us: int | None = None
    # A write key stands in the source of every page that carries the snippet: it is public by nature, and the
    # tracking-code page must be able to show it again. A secret key's text is never kept.
    public_text: str | None = None


class RemovedKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a project remembers of a key that was revoked or has expired, so that who still uses it can be told."""

    kind: KeyKind
    name: str
    sha256: str
    last4: str
    removed_us: int
    is_expired: bool = False


class FormerKey(NamedTuple):
    """Whose a key was that is valid no more."""

    project_id: str
    is_expired: bool


@dataclass(frozen=True)
class KeyGrant:
    """What a key lets its bearer do, with all that the collect path has to know of the project."""

    project_id: str
    key_id: str
    kind: KeyKind
    expires_us: int | None
    salt: bytes
    timezone: str
    allowed_origins: tuple[str, ...]
    rate_limit_per_minute: int | None
    rate_limit_per_ip_per_minute: int | None
    retention_days: int | None
    monthly_quota: int | None = None
    sampling: tuple[SamplingRule, ...] = ()
    schemas: tuple[SchemaRule, ...] = ()
    privacy: PrivacySettings = USUAL_PRIVACY


class KeyRing:
    """An immutable view of all keys of one generation of the projects' file."""

    def __init__(
        self,
        generation: int,
        grants: Iterable[tuple[bytes, KeyGrant]],
        former: Iterable[tuple[bytes, FormerKey]] = (),
    ) -> None:
        self.generation = generation
        self.grants: Mapping[bytes, KeyGrant] = dict(grants)
        self._former: Mapping[bytes, FormerKey] = dict(former)

    def grant(self, key: str, *, now_us: int) -> KeyGrant | None:
        """The grant of a key as it was sent; None for one that is unknown, revoked or expired."""
        if len(key) > KEY_CHARS_MAX:
            return None
        grant = self.grants.get(digest(key))
        if grant is None or (grant.expires_us is not None and grant.expires_us <= now_us):
            return None
        return grant

    def former(self, key: str, *, now_us: int) -> FormerKey | None:
        """Whose key it was, if it is one that expired or was revoked lately."""
        if len(key) > KEY_CHARS_MAX:
            return None
        hashed = digest(key)
        grant = self.grants.get(hashed)
        if grant is not None and grant.expires_us is not None and grant.expires_us <= now_us:
            return FormerKey(grant.project_id, True)
        return self._former.get(hashed)


def digest(key: str) -> bytes:
    """SHA-256: the keys hold 256 random bits, so there is nothing to guess and no need for a slow hash."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def make_key(kind: KeyKind, *, name: str, now_us: int) -> tuple[ApiKey, str]:
    """A new key and its text, which is to be shown once."""
    text = PREFIXES[kind] + secrets.token_urlsafe(KEY_BYTES)
    key = ApiKey(
        id=new_id(),
        kind=kind,
        name=name,
        sha256=digest(text).hex(),
        prefix=PREFIXES[kind],
        last4=text[-4:],
        created_us=now_us,
        public_text=text if kind == "write" else None,
    )
    return key, text

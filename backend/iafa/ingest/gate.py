"""Who may send how much: keys, origins, limits a minute, and the quota of a month. Decides about whole requests."""

import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from iafa.clock import Clock
from iafa.errors import InsufficientScope, InvalidCredentials, QuotaExceeded, RateLimited
from iafa.event import DropReason
from iafa.ingest.attempts import (
    BLOCKED_ORIGIN,
    CHECK_AGENT,
    EXPIRED_KEY,
    NO_KEY,
    REVOKED_KEY,
    SECRET_KEY,
    UNKNOWN_KEY,
    Attempts,
    Sample,
    key_parts,
)
from iafa.ingest.limits import RateLimiter, SharedLimits, Taken
from iafa.ingest.rejections import Rejections
from iafa.ingest.usage import Usage
from iafa.meta.api_keys import FormerKey, KeyGrant
from iafa.metrics import Counters

ANONYMOUS_REQUESTS_PER_MINUTE = 100  # requests without a valid key, per address


class Origin(msgspec.Struct, frozen=True):
    """What the transport knows about a request; and what its limits said, for the answer's header."""

    address: str
    user_agent: str | None = None
    origin: str | None = None
    request_key: str | None = None
    spent: list[Taken] = []
    path: str = ""


def nothing_former(_key: str, _now_us: int) -> FormerKey | None:
    """For tests without projects."""
    return None


def nobody_counts(_key_id: str) -> None:
    """Where nothing remembers which keys are used."""


@dataclass(frozen=True)
class Gate:
    find_grant: Callable[[str, int], KeyGrant | None]
    limiter: RateLimiter
    usage: Usage
    rejections: Rejections
    counters: Counters
    clock: Clock
    shared: SharedLimits | None = None  # beside this server's own limits
    attempts: Attempts | None = None  # what the diagnosis is told
    find_former: Callable[[str, int], FormerKey | None] = nothing_former
    note_use: Callable[[str], None] = nobody_counts  # of a key, by its id

    async def admit(self, key: str | None, origin: Origin, *, is_beacon: bool = False) -> KeyGrant:
        """The key's grant, before the body is read. Raises InvalidCredentials, InsufficientScope or RateLimited."""
        grant = self.find_grant(key, self.clock.now_us()) if key else None
        if grant is None:
            await self._limit(origin, f"ip:{_network(origin.address)}", 1, ANONYMOUS_REQUESTS_PER_MINUTE, None)
            self._tell_of_stranger(key, origin)
            raise InvalidCredentials("send a valid API key in X-API-Key" if not is_beacon else "unknown key")
        if is_beacon and grant.kind != "write":
            self._tell(grant.project_id, SECRET_KEY, key, origin)
            raise InsufficientScope(
                "this is the secret key, which must not stand in a page: use the write key, and rotate this one"
            )
        if grant.kind == "write":
            if origin.origin is not None and not is_allowed_origin(origin.origin, grant.allowed_origins):
                self._tell(grant.project_id, BLOCKED_ORIGIN, key, origin)
                raise InsufficientScope("this key may not be used from this origin; see the project's allowed origins")
            if grant.rate_limit_per_ip_per_minute is not None and (is_beacon or origin.origin is not None):
                name = f"{grant.project_id}:{_network(origin.address)}"
                await self._limit(origin, name, 1, grant.rate_limit_per_ip_per_minute, grant.project_id)
        self.note_use(grant.key_id)
        return grant

    async def spend(self, grant: KeyGrant, origin: Origin, count: int) -> None:
        """Let so many events pass, or refuse them all. Raises RateLimited or QuotaExceeded."""
        if grant.rate_limit_per_minute is not None:
            await self._limit(origin, f"key:{grant.key_id}", count, grant.rate_limit_per_minute, grant.project_id)
        quota = grant.monthly_quota
        if quota is not None and self.usage.of(grant.project_id) >= quota:
            self.rejections.drop(grant.project_id, self.clock.now_us(), DropReason.QUOTA_EXCEEDED, count)
            raise QuotaExceeded(f"the project has had its {quota} events of this month (UTC)", limit=quota)

    def _tell_of_stranger(self, key: str | None, origin: Origin) -> None:
        former = self.find_former(key, self.clock.now_us()) if key else None
        if former is not None:
            what = EXPIRED_KEY if former.is_expired else REVOKED_KEY
            self._tell(former.project_id, what, key, origin)
        else:
            self._tell(None, UNKNOWN_KEY if key else NO_KEY, key, origin)

    def _tell(self, project_id: str | None, what: str, key: str | None, origin: Origin) -> None:
        if self.attempts is None or origin.user_agent == CHECK_AGENT:
            return
        kind, last4 = key_parts(key)
        sample = Sample(what=what, origin=origin.origin, key_kind=kind, key_last4=last4, last_us=self.clock.now_us())
        self.attempts.refuse(project_id, sample, path=origin.path)

    async def _limit(
        self, origin: Origin, name: str, count: int, limit_per_minute: int, project_id: str | None
    ) -> None:
        # This server's own bucket comes first: what it refuses nobody else need be asked about.
        taken = self.limiter.take(name, count, limit_per_minute)
        if taken.is_allowed and self.shared is not None:
            taken = await self.shared.take(name, count, limit_per_minute) or taken
        if taken.is_allowed:
            origin.spent.append(taken)
            return
        if project_id is None:
            self.counters.add("events_dropped", DropReason.RATE_LIMITED, count)
        else:
            self.rejections.drop(project_id, self.clock.now_us(), DropReason.RATE_LIMITED, count)
        raise RateLimited(
            f"more than {limit_per_minute} a minute",
            retry_after_s=taken.retry_after_s,
            limit=limit_per_minute,
            fields=taken.fields,
        )


def is_allowed_origin(origin: str, allowed: Sequence[str]) -> bool:
    """An empty list allows every origin; `*.example.com` allows subdomains; the scheme may be left out."""
    if not allowed:
        return True
    host = origin.partition("://")[2].lower()
    for pattern in allowed:
        wanted = pattern.lower().rstrip("/")
        compared = origin.lower() if "://" in wanted else host
        if compared == wanted:
            return True
        scheme, separator, rest = wanted.rpartition("://")
        if rest.startswith("*.") and compared.endswith(rest[1:]) and compared.startswith(scheme + separator):
            return True
    return False


def _network(address: str) -> str:
    """An IPv6 visitor owns a /64; an IPv4 one an address."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address

"""Collecting: from a request's bytes to the durable acknowledgement. Knows nothing of HTTP."""

import hashlib
import ipaddress
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from iafa.clock import US_PER_DAY, Clock
from iafa.errors import (
    FieldError,
    InsufficientScope,
    InvalidCredentials,
    PayloadTooLarge,
    RateLimited,
    ValidationFailed,
)
from iafa.event import BATCH_DATES_MAX, EVENT_BYTES_MAX, DropReason
from iafa.ingest.limits import RateLimiter, Taken
from iafa.ingest.pipeline import Draft, Sender, run
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.wire import Parsed, WireEvent, decode_batch, decode_beacon, decode_event
from iafa.journal.writer import JournalWriter
from iafa.meta.api_keys import KeyGrant
from iafa.metrics import Counters

ANONYMOUS_REQUESTS_PER_MINUTE = 100  # requests without a valid key, per address


class Origin(msgspec.Struct, frozen=True):
    """What the transport knows about a request."""

    address: str
    user_agent: str | None = None
    origin: str | None = None


class Result(msgspec.Struct, gc=False, omit_defaults=True):
    """What became of one event of a batch; `index` counts from 0."""

    index: int
    event_id: str | None
    result: str
    code: str | None = None
    pointer: str | None = None
    message: str | None = None


class BatchAnswer(msgspec.Struct, gc=False):
    """The five counts add up to the events that were sent."""

    accepted: int
    duplicates: int
    sampled_out: int
    rejected: int
    retry: int
    results: list[Result]


class EventAnswer(msgspec.Struct, gc=False):
    status: str
    id: str


@dataclass(frozen=True)
class Collector:
    """The one implementation behind every collect route."""

    journal: JournalWriter
    find_grant: Callable[[str, int], KeyGrant | None]
    limiter: RateLimiter
    recent: RecentIds
    counters: Counters
    clock: Clock

    def admit(self, key: str | None, origin: Origin, *, is_beacon: bool = False) -> KeyGrant:
        """The key's grant, before the body is read. Raises InvalidCredentials, InsufficientScope or RateLimited."""
        grant = self.find_grant(key, self.clock.now_us()) if key else None
        if grant is None:
            self._limit(f"ip:{_network(origin.address)}", 1, ANONYMOUS_REQUESTS_PER_MINUTE)
            raise InvalidCredentials("send a valid API key in X-API-Key" if not is_beacon else "unknown key")
        if grant.kind == "write":
            if origin.origin is not None and not is_allowed_origin(origin.origin, grant.allowed_origins):
                raise InsufficientScope("this key may not be used from this origin; see the project's allowed origins")
            if grant.rate_limit_per_ip_per_minute is not None and (is_beacon or origin.origin is not None):
                name = f"{grant.project_id}:{_network(origin.address)}"
                self._limit(name, 1, grant.rate_limit_per_ip_per_minute)
        return grant

    async def one(self, grant: KeyGrant, origin: Origin, body: bytes) -> EventAnswer:
        """One event; raises ValidationFailed with every error, or PayloadTooLarge."""
        parsed = decode_event(body)
        self._limit_key(grant, 1)
        sender = self._sender(grant, origin)
        draft = _draft(parsed, sender, "")
        if draft.errors:
            self._count_drop(draft)
            if draft.errors[0].code == DropReason.EVENT_TOO_LARGE:
                raise PayloadTooLarge(draft.errors[0].message, code="event_too_large", limit=EVENT_BYTES_MAX)
            raise ValidationFailed("the event was not stored", errors=draft.errors)
        answer = EventAnswer("ok", draft.id)
        if (grant.project_id, draft.id) in self.recent:
            self.counters.add("events_dropped", DropReason.DUPLICATE)
            return EventAnswer("duplicate", draft.id)
        await self._store(grant, sender, [draft])
        return answer

    async def batch(self, grant: KeyGrant, origin: Origin, body: bytes, *, verbose: bool = False) -> BatchAnswer:
        """Many events, each judged alone."""
        return await self._many(grant, self._sender(grant, origin), decode_batch(body), verbose=verbose)

    async def beacon(self, grant: KeyGrant, origin: Origin, body: bytes) -> BatchAnswer:
        """What tracker.js sends; a client's wrong clock is corrected by the time it sent the body."""
        events, sent_ms = decode_beacon(body)
        sender = self._sender(grant, origin)._replace(is_browser=True, sent_ms=sent_ms)
        return await self._many(grant, sender, events, verbose=False)

    async def _many(self, grant: KeyGrant, sender: Sender, events: Sequence[Parsed], *, verbose: bool) -> BatchAnswer:
        self._limit_key(grant, len(events))
        answer = BatchAnswer(0, 0, 0, 0, 0, [])
        accepted: list[Draft] = []
        ids: set[str] = set()
        days: set[int] = set()
        for index, parsed in enumerate(events):
            draft = _draft(parsed, sender, f"/events/{index}")
            if not draft.errors:
                days.add(draft.created_at // US_PER_DAY)
                if len(days) > BATCH_DATES_MAX:
                    days.discard(draft.created_at // US_PER_DAY)
                    draft.wrong(
                        "timestamp",
                        DropReason.TOO_MANY_DATES,
                        f"a batch spans at most {BATCH_DATES_MAX} days",
                    )
            if draft.errors:
                self._count_drop(draft)
                answer.rejected += 1
                answer.results.append(_rejection(index, draft))
            elif draft.id in ids or (grant.project_id, draft.id) in self.recent:
                answer.duplicates += 1
                answer.results.append(Result(index, draft.id, "duplicate"))
            else:
                ids.add(draft.id)
                accepted.append(draft)
                if verbose:
                    answer.results.append(Result(index, draft.id, "ok"))
        answer.accepted = len(accepted)
        if answer.duplicates:
            self.counters.add("events_dropped", DropReason.DUPLICATE, answer.duplicates)
        if accepted:
            await self._store(grant, sender, accepted)
        return answer

    async def _store(self, grant: KeyGrant, sender: Sender, drafts: list[Draft]) -> None:
        events = b"[" + b",".join([draft.encoded for draft in drafts]) + b"]"
        await self.journal.append(grant.project_id, sender.received_at, events, len(drafts))
        for draft in drafts:
            self.recent.add((grant.project_id, draft.id))
        self.counters.add("events_accepted", amount=len(drafts))

    def _sender(self, grant: KeyGrant, origin: Origin) -> Sender:
        # Pages use the public key; whoever holds the secret one is a server, and its own address is no visitor's.
        is_browser = grant.kind == "write"
        return Sender(
            received_at=self.clock.now_us(),
            is_browser=is_browser,
            user_agent=origin.user_agent,
            ip_address=hash_address(origin.address, grant.salt) if is_browser else None,
            salt=grant.salt,
        )

    def _limit_key(self, grant: KeyGrant, count: int) -> None:
        if grant.rate_limit_per_minute is not None:
            self._limit(f"key:{grant.key_id}", count, grant.rate_limit_per_minute)

    def _limit(self, name: str, count: int, limit_per_minute: int) -> None:
        taken: Taken = self.limiter.take(name, count, limit_per_minute)
        if not taken.is_allowed:
            self.counters.add("events_dropped", DropReason.RATE_LIMITED, count)
            raise RateLimited(
                f"more than {limit_per_minute} a minute",
                retry_after_s=taken.retry_after_s,
                limit=limit_per_minute,
            )

    def _count_drop(self, draft: Draft) -> None:
        self.counters.add("events_dropped", draft.errors[0].code)


def hash_address(address: str, salt: bytes) -> str:
    """The stored form of an address: a keyed hash, never the address."""
    return hashlib.blake2b(address.encode(), key=salt[:64], digest_size=16).hexdigest()


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


def _draft(parsed: Parsed, sender: Sender, pointer: str) -> Draft:
    if isinstance(parsed, WireEvent):
        return run(parsed, sender, pointer)
    return Draft(WireEvent(), sender, pointer, list(parsed))


def _rejection(index: int, draft: Draft) -> Result:
    first: FieldError = draft.errors[0]
    return Result(index, draft.id or None, "rejected", first.code, first.pointer, first.message)


def _network(address: str) -> str:
    """An IPv6 visitor owns a /64; an IPv4 one an address."""
    if ":" not in address:
        return address
    try:
        return str(ipaddress.ip_network((address.partition("%")[0], 64), strict=False))
    except ValueError:
        return address

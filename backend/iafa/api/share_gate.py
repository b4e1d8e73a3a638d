"""What stands before the links that anybody may open: how often, how many at once, and passes for passwords."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from iafa.clock import US_PER_S, Clock
from iafa.errors import QueryBusy, RateLimited
from iafa.ingest.limits import RateLimiter
from iafa.meta.shares import StoredShare

REQUESTS_PER_MINUTE = 300  # of one address; a board has up to 40 cards
WAITING_MAX = 100
PASS_S = 12 * 3_600
PASS_CHARS_MAX = 100


class ShareGate:
    """`at_once` bounds the questions of all links in this process: members must not wait behind strangers."""

    def __init__(self, limiter: RateLimiter, key: bytes, clock: Clock, *, at_once: int) -> None:
        self._limiter = limiter
        self._key = key
        self._clock = clock
        self._turns = asyncio.Semaphore(at_once)
        self._waiting = 0

    def let_in(self, address: str) -> None:
        taken = self._limiter.take(f"share {address}", 1, REQUESTS_PER_MINUTE)
        if not taken.is_allowed:
            raise RateLimited("too many requests from your address", retry_after_s=taken.retry_after_s)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        if self._waiting >= WAITING_MAX:
            raise QueryBusy("too many questions are waiting now", retry_after_s=2)
        self._waiting += 1
        try:
            async with self._turns:
                yield
        finally:
            self._waiting -= 1

    def pass_of(self, share: StoredShare) -> str:
        """What a browser sends instead of the password from now on."""
        return self._signed(share, self._clock.now_us() // US_PER_S + PASS_S)

    def is_pass(self, share: StoredShare, text: str) -> bool:
        until, _, _mac = text[:PASS_CHARS_MAX].partition(".")
        if not (until.isascii() and until.isdigit()) or self._clock.now_us() // US_PER_S >= int(until):
            return False
        return hmac.compare_digest(self._signed(share, int(until)).encode(), text.encode("utf-8", "replace"))

    def _signed(self, share: StoredShare, until_s: int) -> str:
        said = f"share pass {share.id} {share.sha256} {share.password_hash} {until_s}"
        return f"{until_s}.{hmac.new(self._key, said.encode(), hashlib.sha256).hexdigest()}"

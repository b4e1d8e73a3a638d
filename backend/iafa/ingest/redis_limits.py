"""Limits in Redis, through the package `limits`, for several servers of one deployment. Beside each server's own.

Redis is asked for a moment at most. While it cannot be asked, each server's own limits hold, and nothing is lost.
"""

import asyncio
import hashlib
import importlib
import logging
import math
from typing import Any

from iafa.clock import US_PER_S, Clock
from iafa.errors import WrongUsage
from iafa.ingest.limits import Taken
from iafa.metrics import Counters

log = logging.getLogger("iafa.limits")
ANSWER_S = 0.25
PAUSE_S = 5.0  # after a failure: so long nobody waits for Redis
PREFIX = "iafa"
WINDOW_S = 60


class RedisLimits:
    """A sliding window of a minute a name. A batch larger than the limit takes the whole window; the debt that it
    leaves beyond it is kept by its own server alone."""

    def __init__(self, url: str, secret: bytes, clock: Clock, counters: Counters) -> None:
        try:
            storages: Any = importlib.import_module("limits.aio.storage")
            strategies: Any = importlib.import_module("limits.aio.strategies")
            self._per_minute: Any = importlib.import_module("limits").RateLimitItemPerMinute
            # It opens no connection yet.
            storage = storages.RedisStorage(
                f"async+{url}", implementation="redispy", key_prefix=PREFIX, socket_connect_timeout=ANSWER_S
            )
        except ImportError as error:
            raise WrongUsage("USE_REDIS needs the packages of the extra `redis`: pip install 'iafa[redis]'") from error
        self._storage: Any = storage
        self._limiter: Any = strategies.SlidingWindowCounterRateLimiter(storage)
        self._secret = hashlib.sha256(b"iafa limits" + secret).digest()
        self._clock = clock
        self._counters = counters
        self._again_s = 0.0
        self._is_failing = False

    async def take(self, name: str, count: int, limit_per_minute: int) -> Taken | None:
        """None: Redis could not be asked."""
        if self._clock.monotonic_s() < self._again_s:
            return None
        try:
            async with asyncio.timeout(ANSWER_S):
                taken = await self._take(name, count, limit_per_minute)
        except Exception as error:  # whatever the client, the network or the server comes up with
            self._note(error)
            return None
        if self._is_failing:
            self._is_failing = False
            log.warning("redis answers again: limits are shared between servers")
        return taken

    async def close(self) -> None:
        await self._storage.bridge.storage.aclose()

    async def _take(self, name: str, count: int, limit: int) -> Taken:
        item = self._per_minute(limit)
        # An address is nobody's to read in another database.
        hidden = hashlib.blake2b(name.encode(), key=self._secret, digest_size=16).hexdigest()
        is_allowed = await self._limiter.hit(item, hidden, cost=min(count, limit))
        stats = await self._limiter.get_window_stats(item, hidden)
        reset_s = max(1, math.ceil(stats.reset_time - self._clock.now_us() / US_PER_S))
        reset_s = min(reset_s, WINDOW_S)
        return Taken(is_allowed, limit, max(0, stats.remaining), 0 if is_allowed else reset_s, reset_s)

    def _note(self, error: Exception) -> None:
        self._counters.add("redis_failures")
        self._again_s = self._clock.monotonic_s() + PAUSE_S
        if not self._is_failing:
            self._is_failing = True
            log.warning("redis cannot be asked, each server's own limits hold: %s", type(error).__name__)

"""Rate limits in memory: token buckets by event count, per key and per address. Bounded: the longest idle go first."""

import math
from collections import OrderedDict
from typing import NamedTuple

from iafa.clock import Clock

BUCKETS_MAX = 100_000


class Taken(NamedTuple):
    """Whether a request may pass, and what the RateLimit fields say."""

    is_allowed: bool
    limit: int
    remaining: int
    retry_after_s: int


class _Bucket:
    __slots__ = ("tokens", "updated_s")

    def __init__(self, tokens: float, updated_s: float) -> None:
        self.tokens = tokens
        self.updated_s = updated_s


class RateLimiter:
    """One bucket a name, refilled by its limit per minute. A batch larger than the bucket passes when the bucket is
    full and leaves a debt, so that no batch size is locked out for ever."""

    def __init__(self, clock: Clock, *, buckets_max: int = BUCKETS_MAX) -> None:
        self._clock = clock
        self._buckets_max = buckets_max
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, name: str, count: int, limit_per_minute: int) -> Taken:
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = _Bucket(float(limit_per_minute), now_s)
            if len(self._buckets) > self._buckets_max:
                self._buckets.popitem(last=False)
        else:
            self._buckets.move_to_end(name)
            refill = (now_s - bucket.updated_s) * limit_per_minute / 60
            bucket.tokens = min(float(limit_per_minute), bucket.tokens + refill)
            bucket.updated_s = now_s
        needed = min(count, limit_per_minute)
        if bucket.tokens < needed:
            wait_s = (needed - bucket.tokens) * 60 / limit_per_minute
            return Taken(False, limit_per_minute, max(0, int(bucket.tokens)), max(1, math.ceil(wait_s)))
        bucket.tokens -= count
        return Taken(True, limit_per_minute, max(0, int(bucket.tokens)), 0)

"""Rate limits: token buckets by event count, per key and per address. Where the buckets lie, their slots decide."""

import math
from typing import NamedTuple, Protocol

from iafa.clock import Clock
from iafa.slots import MemorySlots, Slots, State

BUCKETS_MAX = 100_000


class Taken(NamedTuple):
    """Whether a request may pass, and what the RateLimit fields say. `reset_s`: until the bucket is full again."""

    is_allowed: bool
    limit: int
    remaining: int
    retry_after_s: int
    reset_s: int

    @property
    def fields(self) -> dict[str, str]:
        """Names of the IETF draft `ratelimit-headers`."""
        return {
            "ratelimit-limit": str(self.limit),
            "ratelimit-remaining": str(self.remaining),
            "ratelimit-reset": str(self.reset_s),
        }


class SharedLimits(Protocol):
    """Limits that several servers share. None: it could not be asked, and what this server knows has to do."""

    async def take(self, name: str, count: int, limit_per_minute: int) -> Taken | None: ...

    async def close(self) -> None: ...


class RateLimiter:
    """One bucket a name, refilled by its limit per minute. A batch larger than the bucket passes when the bucket is
    full and leaves a debt, so that no batch size is locked out for ever."""

    def __init__(self, clock: Clock, slots: Slots | None = None) -> None:
        self._clock = clock
        self._slots = slots if slots is not None else MemorySlots(BUCKETS_MAX)

    def take(self, name: str, count: int, limit_per_minute: int) -> Taken:
        return self._slots.change(name, _take, self._clock.monotonic_s(), count, limit_per_minute)


def _take(bucket: State | None, now_s: float, count: int, limit: int) -> tuple[State, Taken]:
    tokens = float(limit)
    if bucket is not None:
        # Another worker may have been here after `now_s` was read.
        elapsed_s = max(0.0, now_s - bucket[1])
        tokens = min(tokens, bucket[0] + elapsed_s * limit / 60)
        now_s = max(now_s, bucket[1])
    needed = min(count, limit)
    is_allowed = tokens >= needed
    wait_s = 0 if is_allowed else max(1, math.ceil((needed - tokens) * 60 / limit))
    if is_allowed:
        tokens -= count
    full_in_s = (limit - tokens) * 60 / limit
    taken = Taken(is_allowed, limit, max(0, int(tokens)), wait_s, math.ceil(full_in_s))
    # A full bucket is worth as much as none: the one that is full soonest is given up first.
    return (tokens, now_s, 0.0, now_s + full_in_s), taken

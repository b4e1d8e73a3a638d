"""Rate limits: token buckets by event count, per key and per address. Where the buckets lie, their slots decide."""

import math
from typing import NamedTuple

from iafa.clock import Clock
from iafa.slots import MemorySlots, Slots, State

BUCKETS_MAX = 100_000


class Taken(NamedTuple):
    """Whether a request may pass, and what the RateLimit fields say."""

    is_allowed: bool
    limit: int
    remaining: int
    retry_after_s: int


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
    if tokens < needed:
        wait_s = (needed - tokens) * 60 / limit
        taken = Taken(False, limit, max(0, int(tokens)), max(1, math.ceil(wait_s)))
    else:
        tokens -= count
        taken = Taken(True, limit, max(0, int(tokens)), 0)
    # A full bucket is worth as much as none: the one that is full soonest is given up first.
    return (tokens, now_s, 0.0, now_s + (limit - tokens) * 60 / limit), taken

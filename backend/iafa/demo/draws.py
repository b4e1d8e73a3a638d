"""Seeded chance for the demo: streams of numbers, the shapes drawn from them, digests and microseconds."""

import hashlib
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

import numpy as np

T = TypeVar("T")

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BLOCK_DRAWS = 16_384
SECOND_US = 1_000_000
# Two pauses in a row stay below the half hour after which a tracker would begin a new session.
PAUSE_MAX_S = 840.0


def digest(*parts: object) -> str:
    """32 hex digits that depend on every part and on nothing else."""
    text = "/".join(map(str, parts))
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def epoch_us(instant: datetime) -> int:
    return (instant - EPOCH) // timedelta(microseconds=1)


def generator(*parts: object) -> np.random.Generator:
    return np.random.default_rng(int(digest(*parts), 16))


class Weighted(Generic[T]):
    """Values with the weights they are picked by."""

    __slots__ = ("edges", "values")

    def __init__(self, pairs: Iterable[tuple[T, float]]) -> None:
        values, weights = zip(*pairs, strict=True)
        self.values: tuple[T, ...] = values
        self.edges: list[float] = np.cumsum(weights).tolist()


class Draws:
    """A stream of chance. Numbers come from numpy in blocks: one by one they would cost ten times as much."""

    __slots__ = ("unit",)

    def __init__(self, *key: object) -> None:
        self.unit = _units(generator(*key)).__next__

    def chance(self, probability: float) -> bool:
        return self.unit() < probability

    def whole(self, low: int, high: int) -> int:
        """An integer from low to high, both included."""
        return low + int(self.unit() * (high - low + 1))

    def pick(self, values: Sequence[T]) -> T:
        return values[int(self.unit() * len(values))]

    def weighted(self, table: Weighted[T]) -> T:
        return table.values[bisect_right(table.edges, self.unit() * table.edges[-1])]

    def pause_us(self, median_s: float) -> int:
        """A human pause (log-logistic: mostly near the median, now and then very long), at least 0.2 s."""
        unit = self.unit()
        seconds = median_s * (unit / (1.0 - unit)) ** 0.55
        return int(min(max(seconds, 0.2), PAUSE_MAX_S) * SECOND_US)


def _units(source: np.random.Generator) -> Iterator[float]:
    while True:
        yield from source.random(BLOCK_DRAWS).tolist()

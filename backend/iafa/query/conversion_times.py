"""Time to convert: from stage to stage and in total, with quantiles that are observed values, and a histogram."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from iafa.clock import US_PER_S
from iafa.query.paths.plan import Int64s
from iafa.query.paths.solving import Solved

_DAY_S = 86_400
EDGES_S = (0, 1, 10, 60, 300, 900, 3_600, 21_600, *(days * _DAY_S for days in (1, 3, 7, 14, 30)))


@dataclass
class ConversionTimes:
    """Collects durations in microseconds; `strides[k]` from the k-th time of the paths to the next, from 0.

    With a grace a step may come before the one it follows: that took no time.
    """

    steps: int
    is_ordered: bool
    strides: list[list[Int64s]] = field(init=False)
    totals: list[Int64s] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.strides = [[] for _ in range(self.steps - 1)]

    def add(self, solved: Solved) -> None:
        rows, reached = solved.paths.rows, solved.paths.reached
        times = np.where(rows >= 0, solved.chunk.histories.time_us[rows], np.iinfo(np.int64).max)
        if not self.is_ordered:
            times = np.sort(times, axis=1)
        for step in range(1, self.steps):
            there = reached > step
            self.strides[step - 1].append(np.maximum(times[there, step] - times[there, step - 1], 0))
        converted = reached == self.steps
        self.totals.append(np.maximum(times[converted, self.steps - 1] - times[converted, 0], 0))

    def answer(self, window_seconds: int | None) -> dict[str, object]:
        """The member `times` of the answer; durations are seconds."""
        total = _joined(self.totals)
        return {
            "steps": [
                {"from_order": step, "to_order": step + 1, **summary(_joined(durations))}
                for step, durations in enumerate(self.strides, start=1)
            ],
            "total": summary(total),
            "histogram": histogram(total, window_seconds),
        }


def summary(durations_us: Int64s) -> dict[str, object]:
    """Count, average, median and p90; null where nobody is."""
    count = len(durations_us)
    if not count:
        return {"count": 0, "average_s": None, "median_s": None, "p90_s": None}
    ordered = np.sort(durations_us)
    return {
        "count": count,
        "average_s": _seconds(float(ordered.mean())),
        "median_s": _seconds(float(quantile(ordered, 1, 2))),
        "p90_s": _seconds(float(quantile(ordered, 9, 10))),
    }


def quantile(ordered: Int64s, part: int, whole: int) -> int:
    """The ceil(q * m)-th smallest of m values, q = part / whole: a value that was observed."""
    return int(ordered[max(1, math.ceil(part * len(ordered) / whole)) - 1])


def histogram(durations_us: Int64s, window_seconds: int | None) -> list[dict[str, object]]:
    """Bins are closed on the left; the last one on both sides. They sum up to the converted.

    A grace lets the last step be a little earlier than the first: that is in the first bin.
    """
    edges = [edge for edge in EDGES_S if window_seconds is None or edge < window_seconds or edge == 0]
    places = np.searchsorted(np.array(edges[1:]) * US_PER_S, durations_us, side="right")
    counts = np.bincount(places, minlength=len(edges))
    ends: Sequence[int | None] = [*edges[1:], window_seconds]
    return [
        {"from_s": start, "to_s": end, "count": int(count)}
        for start, end, count in zip(edges, ends, counts, strict=True)
    ]


def _joined(parts: Sequence[Int64s]) -> Int64s:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)


def _seconds(us: float) -> float:
    return round(us / US_PER_S, 6)

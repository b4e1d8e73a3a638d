"""Is the difference of two conversion rates more than chance? Newcombe's interval, a two-sided test, Holm's correction.

Standard library only. Each person must be in one of the two samples.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

Z_95 = 1.959963984540054
LEVEL = 0.05
EXPECTED_MIN = 5  # people expected in each cell; below, the test says nothing


@dataclass(frozen=True)
class Sample:
    """`open_`: so many of those who entered and are not converted may still be. `coming`: so many more may still
    enter, and then convert or not."""

    converted: int
    entered: int
    open_: int = 0
    coming: int = 0

    @property
    def share(self) -> float:
        return self.converted / self.entered if self.entered else 0.0


def wilson(sample: Sample) -> tuple[float, float]:
    """The 95 % interval of a share."""
    n, p = sample.entered, sample.share
    if not n:
        return 0.0, 1.0
    middle = p + Z_95**2 / (2 * n)
    spread = Z_95 * math.sqrt(p * (1 - p) / n + Z_95**2 / (4 * n * n))
    whole = 1 + Z_95**2 / n
    return max(0.0, (middle - spread) / whole), min(1.0, (middle + spread) / whole)


def newcombe(one: Sample, other: Sample) -> tuple[float, float]:
    """The 95 % interval of the difference of two shares, from their Wilson intervals."""
    (low, high), (other_low, other_high) = wilson(one), wilson(other)
    difference = one.share - other.share
    return (
        difference - math.hypot(one.share - low, other_high - other.share),
        difference + math.hypot(high - one.share, other.share - other_low),
    )


def p_value(one: Sample, other: Sample) -> float:
    """Two-sided, with the pooled share; 1 where nothing can be said."""
    n = one.entered + other.entered
    if not one.entered or not other.entered:
        return 1.0
    pooled = (one.converted + other.converted) / n
    variance = pooled * (1 - pooled) * (1 / one.entered + 1 / other.entered)
    if variance <= 0:
        return 1.0
    return math.erfc(abs(one.share - other.share) / math.sqrt(variance) / math.sqrt(2))


def is_too_small(one: Sample, other: Sample) -> bool:
    """True if in some cell, converted or not, fewer than EXPECTED_MIN people would be expected without a difference."""
    n = one.entered + other.entered
    if not n:
        return True
    converted = one.converted + other.converted
    return min(one.entered, other.entered) * min(converted, n - converted) < EXPECTED_MIN * n


def holm(p_values: Sequence[float]) -> list[float]:
    """Each p-value for a family of tests: the chance of a single false finding among all stays below the level."""
    order = sorted(range(len(p_values)), key=lambda index: p_values[index])
    adjusted = [1.0] * len(p_values)
    highest = 0.0
    for rank, index in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = highest
    return adjusted


def outcomes(sample: Sample) -> list[Sample]:
    """The corners of what it may become: of the open and the coming nobody converts, or everybody. One if all is over.

    A converted person more moves the test statistic up, one who is not moves it down: what lies between the corners is
    no more extreme than they are.
    """
    converted, entered = sample.converted, sample.entered
    later = entered + sample.coming
    corners = {
        (converted, entered),
        (converted + sample.open_, entered),
        (converted, later),
        (converted + sample.open_ + sample.coming, later),
    }
    return [Sample(*corner) for corner in sorted(corners)]


def bounds(one: Sample, other: Sample) -> list[tuple[Sample, Sample]]:
    """What the two may become together."""
    return list(product(outcomes(one), outcomes(other)))


def safe_p_value(one: Sample, other: Sample) -> float:
    """The largest that open entries may lead to; 1 where they may turn the difference round."""
    pairs = bounds(one, other)
    differences = [mine.share - others.share for mine, others in pairs]
    if min(differences) < 0 < max(differences):
        return 1.0
    return max(p_value(mine, others) for mine, others in pairs)


def significance(one: Sample, other: Sample, *, p: float | None = None) -> dict[str, object]:
    """The member `significance` of an answer: differences are percentage points. `p` is one corrected before.

    The difference is that of the counts as they stand; what is said about it holds whatever open entries still do.
    """
    pairs = bounds(one, other)
    intervals = [newcombe(mine, others) for mine, others in pairs]
    p = safe_p_value(one, other) if p is None else p
    too_small = any(is_too_small(mine, others) for mine, others in pairs)
    return {
        "difference": _points(one.share - other.share),
        "interval": [_points(min(low for low, _ in intervals)), _points(max(high for _, high in intervals))],
        "p_value": round(p, 6),
        "is_significant": p < LEVEL and not too_small,
        "is_too_small": too_small,
        "is_open": len(pairs) > 1,
    }


def _points(share: float) -> float:
    return round(100 * share, 2) + 0.0

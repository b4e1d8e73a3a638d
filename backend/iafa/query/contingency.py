"""Two-by-two tables of people: Fisher's exact test, the odds ratio, and which of many tables are more than chance.

Standard library only. A table is two samples that share nobody: people with a factor, and people without it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from iafa.query.significance import LEVEL, Z_95, Sample, holm, is_too_small, newcombe

PEOPLE_MIN = 20  # on either side; below, a table is not tested
_EQUAL = 1e-7  # tables whose chances differ by less than this share are equally likely
_NOTHING = 1e-18


@dataclass(frozen=True)
class Table:
    """`with_it` have the factor."""

    with_it: Sample
    without: Sample

    @property
    def is_testable(self) -> bool:
        """Decided by the margins alone, never by how the converted are spread: so the choice is no finding itself."""
        return min(self.with_it.entered, self.without.entered) >= PEOPLE_MIN and not is_too_small(
            self.with_it, self.without
        )


@dataclass(frozen=True)
class Verdict:
    """Shares, not percentages. `interval` and `odds_interval` are 95 % intervals of this table alone."""

    difference: float
    interval: tuple[float, float]
    odds_ratio: float
    odds_interval: tuple[float, float]
    p_value: float
    p_corrected: float

    @property
    def is_significant(self) -> bool:
        return self.p_corrected < LEVEL

    @property
    def strength(self) -> float:
        """The end of the interval that is nearer to no difference; 0 if it holds none."""
        low, high = self.interval
        return min(abs(low), abs(high)) if low * high > 0 else 0.0


def judge(tables: Sequence[Table]) -> list[Verdict]:
    """By table. The p-values are corrected for all of them, so that the chance of one false finding stays below 5 %."""
    p_values = [fisher(table) for table in tables]
    return [
        Verdict(
            difference=table.with_it.share - table.without.share,
            interval=newcombe(table.with_it, table.without),
            odds_ratio=odds_ratio(table)[0],
            odds_interval=odds_ratio(table)[1],
            p_value=p,
            p_corrected=corrected,
        )
        for table, p, corrected in zip(tables, p_values, holm(p_values), strict=True)
    ]


def odds_ratio(table: Table) -> tuple[float, tuple[float, float]]:
    """With its 95 % interval (Woolf). Where a cell is empty, half a person is added to each (Haldane, Anscombe)."""
    cells = [float(count) for sample in (table.with_it, table.without) for count in _cells(sample)]
    if 0.0 in cells:
        cells = [count + 0.5 for count in cells]
    converted, lost, converted_without, lost_without = cells
    middle = math.log(converted * lost_without / (lost * converted_without))
    spread = Z_95 * math.sqrt(sum(1 / count for count in cells))
    return math.exp(middle), (math.exp(middle - spread), math.exp(middle + spread))


def _cells(sample: Sample) -> tuple[int, int]:
    return sample.converted, sample.entered - sample.converted


def fisher(table: Table) -> float:
    """Two-sided and exact: how likely a table is that is at most as likely as this one, by its margins."""
    margins = _Margins(table.with_it.entered, table.without.entered, table.with_it.converted + table.without.converted)
    seen = table.with_it.converted
    most_likely = margins.most_likely
    limit = margins.log_chance(seen) + math.log1p(_EQUAL)
    if seen >= most_likely:
        near, far = margins.tail(seen, 1), margins.outside(limit, most_likely - 1, margins.low, -1)
    else:
        near, far = margins.tail(seen, -1), margins.outside(limit, most_likely, margins.high, 1)
    return min(1.0, near + far) if margins.log_chance(most_likely) > limit else 1.0


@dataclass(frozen=True)
class _Margins:
    """How many of the people with a factor converted, if it has nothing to do with converting: hypergeometric."""

    with_it: int
    without: int
    converted: int

    @property
    def low(self) -> int:
        return max(0, self.converted - self.without)

    @property
    def high(self) -> int:
        return min(self.with_it, self.converted)

    @property
    def most_likely(self) -> int:
        return (self.converted + 1) * (self.with_it + 1) // (self.with_it + self.without + 2)

    def log_chance(self, count: int) -> float:
        """Of just so many."""
        return (
            _log_choose(self.with_it, count)
            + _log_choose(self.without, self.converted - count)
            - _log_choose(self.with_it + self.without, self.converted)
        )

    def tail(self, first: int, direction: int) -> float:
        """The chance of `first` or more (direction 1), or of so many or fewer (-1); the terms fall from there on."""
        term = whole = math.exp(self.log_chance(first))
        count = first
        while term > whole * _NOTHING and self.low <= count + direction <= self.high:
            term *= self._ratio(count) if direction > 0 else 1 / self._ratio(count - 1)
            whole += term
            count += direction
        return whole

    def outside(self, limit: float, nearest: int, farthest: int, direction: int) -> float:
        """The chance of the counts from `nearest` outwards that are at most as likely as the limit says."""
        if (farthest - nearest) * direction < 0 or self.log_chance(farthest) > limit:
            return 0.0
        near, far = nearest, farthest  # the chances fall from near to far
        while near != far:
            middle = (near + far) // 2 if direction > 0 else -((-near - far) // 2)  # rounded towards near
            if self.log_chance(middle) <= limit:
                far = middle
            else:
                near = middle + direction
        return self.tail(far, direction)

    def _ratio(self, count: int) -> float:
        """How much likelier one more is."""
        chosen = (self.with_it - count) * (self.converted - count)
        return chosen / ((count + 1) * (self.without - self.converted + count + 1))


def _log_choose(n: int, k: int) -> float:
    return math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)

"""Fisher's test against its definition in whole numbers, odds ratios against a textbook, and silence on noise."""

import math
import random
from fractions import Fraction

import numpy as np
import pytest

from iafa.query.contingency import PEOPLE_MIN, Table, fisher, judge, odds_ratio
from iafa.query.significance import LEVEL, Sample


def table(converted: int, people: int, converted_without: int, people_without: int) -> Table:
    return Table(Sample(converted, people), Sample(converted_without, people_without))


def by_definition(one: Table) -> float:
    """The share of all ways to spread the converted over the people that are at most as likely as this one."""
    people, without = one.with_it.entered, one.without.entered
    converted = one.with_it.converted + one.without.converted
    ways = {
        count: math.comb(people, count) * math.comb(without, converted - count)
        for count in range(max(0, converted - without), min(people, converted) + 1)
    }
    limit = Fraction(ways[one.with_it.converted]) * Fraction(10_000_001, 10_000_000)
    return float(Fraction(sum(way for way in ways.values() if way <= limit), sum(ways.values())))


def test_the_exact_test_is_what_its_definition_says() -> None:
    draw = random.Random(1)
    for _ in range(3_000):
        people, without = draw.randint(1, 60), draw.randint(1, 60)
        one = table(draw.randint(0, people), people, draw.randint(0, without), without)
        assert fisher(one) == pytest.approx(by_definition(one), rel=1e-6), one


@pytest.mark.parametrize(
    ("one", "p"),
    [
        (table(3, 4, 1, 4), 0.4857142857),  # Fisher's lady tasting tea
        (table(10, 13, 2, 17), 0.0005367241),  # his convictions of twins of criminals
        (table(0, 10, 0, 10), 1.0),
        (table(10, 10, 10, 10), 1.0),
        (table(5, 10, 5, 10), 1.0),
    ],
)
def test_known_tables(one: Table, p: float) -> None:
    assert fisher(one) == pytest.approx(p, rel=1e-6)


def test_a_million_people_are_no_work() -> None:
    assert fisher(table(100_300, 500_000, 100_000, 500_000)) == pytest.approx(0.455, abs=0.001)
    assert fisher(table(10_000, 500_000, 100_000, 500_000)) == 0.0
    assert fisher(table(100_000, 500_000, 100_000, 500_000)) == 1.0


def test_odds_with_their_interval() -> None:
    odds, (low, high) = odds_ratio(table(10, 12, 2, 15))
    assert odds == pytest.approx(10 * 13 / (2 * 2))
    assert (low, high) == pytest.approx(
        (odds * math.exp(-1.959964 * math.sqrt(0.1 + 0.5 + 0.5 + 1 / 13)),
         odds * math.exp(1.959964 * math.sqrt(0.1 + 0.5 + 0.5 + 1 / 13))), rel=1e-5
    )  # fmt: skip
    odds, (low, high) = odds_ratio(table(0, 50, 10, 50))
    assert odds == pytest.approx((0.5 / 50.5) / (10.5 / 40.5))
    assert 0 < low < odds < high


@pytest.mark.parametrize(
    ("one", "is_testable"),
    [
        (table(10, PEOPLE_MIN, 10, PEOPLE_MIN), True),
        (table(10, PEOPLE_MIN - 1, 100, 200), False),
        (table(100, 200, 10, PEOPLE_MIN - 1), False),
        (table(5, 100, 5, 100), True),
        (table(4, 100, 5, 100), False),  # fewer than five converted expected on a side
        (table(0, 100, 0, 100), False),
        (table(100, 100, 100, 100), False),
    ],
)
def test_small_tables_are_not_tested(one: Table, is_testable: bool) -> None:
    assert one.is_testable is is_testable


def test_a_verdict_needs_the_correction() -> None:
    strong, weak = table(90, 100, 40, 100), table(60, 100, 45, 100)
    alone = judge([weak])[0]
    assert alone.is_significant
    assert alone.p_corrected == alone.p_value
    verdicts = judge([strong] + [weak] * 20)
    assert [one.is_significant for one in verdicts] == [True] + [False] * 20
    assert verdicts[0].strength > verdicts[1].strength > 0
    assert judge([table(50, 100, 50, 100)])[0].strength == 0
    assert judge([]) == []


SHUFFLES = 400
PEOPLE = 400
FACTORS = 40


def test_shuffled_labels_give_at_most_five_percent_false_findings() -> None:
    """Factors that depend on each other, rare ones among them; the label is dealt out anew each time."""
    random_ = np.random.default_rng(11)
    shares = random_.uniform(0.06, 0.6, FACTORS)
    has = random_.random((FACTORS, PEOPLE)) < shares[:, None]
    has[FACTORS // 2 :] = has[: FACTORS - FACTORS // 2] ^ (random_.random((FACTORS - FACTORS // 2, PEOPLE)) < 0.1)
    labels = np.arange(PEOPLE) < 90
    false_findings = uncorrected = tests = 0
    for _ in range(SHUFFLES):
        label = random_.permutation(labels)
        tables = [
            table(converted, people, 90 - converted, PEOPLE - people)
            for converted, people in zip((has & label).sum(axis=1).tolist(), has.sum(axis=1).tolist(), strict=True)
        ]
        verdicts = judge([one for one in tables if one.is_testable])
        tests += len(verdicts)
        false_findings += any(one.is_significant for one in verdicts)
        uncorrected += any(one.p_value < LEVEL for one in verdicts)
    assert tests > SHUFFLES * FACTORS / 2
    # If the true share were 5 %, more than this would come up once in a million runs of this test.
    assert false_findings <= binomial_bound(SHUFFLES, LEVEL, 1e-6)
    # The test can see: without the correction most shuffles would have a finding.
    assert uncorrected > SHUFFLES / 2


def binomial_bound(n: int, share: float, chance: float) -> int:
    """The smallest count that is passed with at most that chance."""
    tail, count = 1.0, -1
    while tail > chance:
        count += 1
        tail -= math.comb(n, count) * share**count * (1 - share) ** (n - count)
    return count

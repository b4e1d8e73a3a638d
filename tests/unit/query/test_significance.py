"""Two rates: intervals and tests against published figures, and what must hold for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.query.significance import Sample, holm, is_too_small, newcombe, p_value, significance, wilson


@pytest.mark.parametrize(
    ("one", "other", "low", "high"),
    [  # Newcombe 1998, Statistics in Medicine 17, table II, method 10
        (Sample(56, 70), Sample(48, 80), 0.0524, 0.3339),
        (Sample(9, 10), Sample(3, 10), 0.1705, 0.8090),
        (Sample(10, 10), Sample(0, 20), 0.6791, 1.0),
        (Sample(10, 10), Sample(0, 10), 0.6075, 1.0),
    ],
)
def test_interval_of_a_difference_equals_the_published_one(one: Sample, other: Sample, low: float, high: float) -> None:
    assert list(newcombe(one, other)) == pytest.approx([low, high], abs=5e-5)


def test_interval_of_a_share_equals_the_published_one() -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857: 81 of 263."""
    assert list(wilson(Sample(81, 263))) == pytest.approx([0.2553, 0.3662], abs=5e-5)
    assert wilson(Sample(0, 0)) == (0.0, 1.0)


def test_p_value_of_a_known_table() -> None:
    """56 of 70 and 48 of 80: chi-squared without a correction is 7.0234, of which the tail is 0.008045."""
    squared = 150 * (56 * 32 - 14 * 48) ** 2 / (70 * 80 * 104 * 46)
    assert squared == pytest.approx(7.0234, abs=5e-5)
    assert p_value(Sample(56, 70), Sample(48, 80)) == pytest.approx(0.008045, abs=5e-6)
    assert p_value(Sample(0, 5), Sample(0, 9)) == 1.0
    assert p_value(Sample(0, 0), Sample(1, 9)) == 1.0


def test_holm_multiplies_the_smallest_most_and_never_falls() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


samples = st.integers(0, 500).flatmap(lambda n: st.builds(Sample, st.integers(0, n), st.just(n)))


@given(one=samples, other=samples)
def test_difference_lies_in_its_interval_and_mirrors(one: Sample, other: Sample) -> None:
    low, high = newcombe(one, other)
    assert -1 - 1e-9 <= low <= one.share - other.share + 1e-9
    assert one.share - other.share - 1e-9 <= high <= 1 + 1e-9
    assert list(newcombe(other, one)) == pytest.approx([-high, -low])
    assert p_value(one, other) == pytest.approx(p_value(other, one))


def test_too_few_people_are_never_significant() -> None:
    assert is_too_small(Sample(4, 4), Sample(0, 4))
    assert p_value(Sample(4, 4), Sample(0, 4)) < 0.05
    assert significance(Sample(4, 4), Sample(0, 4))["is_significant"] is False
    assert significance(Sample(40, 40), Sample(0, 40))["is_significant"] is True


def test_open_entries_that_may_turn_a_difference_round_leave_nothing_to_claim() -> None:
    told = significance(Sample(0, 400, open_=400), Sample(200, 400))
    assert (told["difference"], told["p_value"], told["is_significant"], told["is_open"]) == (-50.0, 1.0, False, True)
    assert told["interval"] == [-54.88, 54.88]
    few = significance(Sample(0, 400, open_=40), Sample(200, 400))
    assert (few["is_significant"], few["is_open"]) == (True, True)


@given(one=samples, other=samples, most=st.tuples(st.integers(0, 500), st.integers(0, 500)), late=st.floats(0, 1))
def test_what_is_claimed_of_open_samples_holds_for_every_outcome(
    one: Sample, other: Sample, most: tuple[int, int], late: float
) -> None:
    open_ = [min(may, each.entered - each.converted) for may, each in zip(most, (one, other), strict=True)]
    told = significance(*(Sample(s.converted, s.entered, may) for s, may in zip((one, other), open_, strict=True)))
    final = significance(
        Sample(one.converted + int(late * open_[0]), one.entered),
        Sample(other.converted + int((1 - late) * open_[1]), other.entered),
    )
    assert float(str(told["p_value"])) >= float(str(final["p_value"])) - 1e-6
    assert not told["is_significant"] or final["is_significant"]
    assert told["is_open"] is (sum(open_) > 0)


shares = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(
    one=shares, other=shares, waiting=st.tuples(st.integers(0, 60), st.integers(0, 60)), coming=st.integers(0, 40),
    ends=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1)),
)  # fmt: skip
def test_what_is_claimed_of_a_step_holds_whoever_still_comes_to_it(
    one: tuple[int, int],
    other: tuple[int, int],
    waiting: tuple[int, int],
    coming: int,
    ends: tuple[float, float, float],
) -> None:
    (converted, entered), (others_converted, others_entered) = one, other
    open_ = min(waiting[0], entered - converted)
    others_open = min(waiting[1], others_entered - others_converted)
    told = significance(
        Sample(converted, entered, open_, coming), Sample(others_converted, others_entered, others_open)
    )
    came = round(ends[0] * coming)
    went_on = round(ends[1] * (open_ + came))
    final = significance(
        Sample(converted + went_on, entered + came),
        Sample(others_converted + round(ends[2] * others_open), others_entered),
    )
    assert float(str(told["p_value"])) >= float(str(final["p_value"])) - 1e-6
    assert not told["is_significant"] or final["is_significant"]
    assert told["is_open"] is (open_ + others_open + coming > 0)

"""Planted anomalies are found on top of season, trend and noise; quiet series, however noisy, stay quiet."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from iafa.query.reports.expectation import HISTORY_MIN, Expectation, expectation

WEEK = np.array([1.0, 1.1, 1.2, 1.1, 1.0, 0.5, 0.4])
DAYS, MEDIUM = 70, 4.0
Noise = Callable[[np.random.Generator, Any], Any]
KINDS: dict[str, Noise] = {
    "poisson on a week": lambda draw, t: draw.poisson(100 * WEEK[t % 7]),
    "rare": lambda draw, t: draw.poisson(0.4 + 0 * t),
    "few": lambda draw, t: draw.poisson(5 + 0 * t),
    "growing": lambda draw, t: draw.poisson(900 * WEEK[t % 7] * np.exp(0.005 * t) * draw.lognormal(0, 0.1, t.size)),
    "shrinking": lambda draw, t: draw.poisson(900 * WEEK[t % 7] * np.exp(-0.01 * t) * draw.lognormal(0, 0.1, t.size)),
    "bursts": lambda draw, t: draw.negative_binomial(5, 5 / (5 + 50 * WEEK[t % 7])),
    "weekends almost empty": lambda draw, t: draw.poisson(5_000 * WEEK[t % 7] ** 3 * draw.lognormal(0, 0.15, t.size)),
}


def many(kind: str, series: int = 200) -> Any:
    draw = np.random.default_rng(7)
    return np.stack([KINDS[kind](draw, np.arange(DAYS)) for _ in range(series)]).astype(float)


def flagged(values: Any, found: Expectation) -> Any:
    return (values < found.low) | (values > found.high)


@pytest.mark.parametrize("kind", KINDS)
def test_quiet_series_are_seldom_flagged(kind: str) -> None:
    values = many(kind)
    found = expectation(values, MEDIUM)
    judged = ~np.isnan(found.score)
    assert judged[:, HISTORY_MIN:].all()
    assert not judged[:, :HISTORY_MIN].any()
    scores = np.abs(np.nan_to_num(found.score))
    assert (flagged(values, found) == (scores > MEDIUM)).all()
    for threshold, percent in ((3.0, 4), (MEDIUM, 1.5), (6.0, 0.5)):
        assert 100 * (scores > threshold).sum() / judged.sum() < percent


@pytest.mark.parametrize("kind", ["poisson on a week", "growing", "shrinking", "weekends almost empty"])
@pytest.mark.parametrize(("factor", "sign"), [(0.05, -1), (4.0, 1)])
def test_a_planted_day_is_found_and_does_not_blind_those_after_it(kind: str, factor: float, sign: int) -> None:
    values = many(kind, 50)
    day = 52
    values[:, day] = np.round(values[:, day] * factor)
    found = expectation(values, MEDIUM)
    flags = flagged(values, found)
    assert flags[:, day].mean() > 0.9
    assert (np.sign(found.score[flags[:, day], day]) == sign).all()
    assert flags[:, day + 1 :].mean() < 0.02
    again = values.copy()
    again[:, 60] = np.round(again[:, 60] * factor)
    assert flagged(again, expectation(again, MEDIUM))[:, 60].mean() > 0.9


def test_what_was_expected_follows_season_and_trend() -> None:
    t = np.arange(DAYS)
    values = (1_000 * WEEK[t % 7] * (1 + 0.01 * t))[None, :]
    found = expectation(values, MEDIUM)
    assert np.abs(found.expected[0, 28:] / values[0, 28:] - 1).max() < 0.03


def test_a_wild_day_does_not_make_the_same_weekday_of_the_next_week_look_low() -> None:
    values = np.round(200 * WEEK[np.arange(21) % 7])[None, :]
    values[0, 9] = 1_000
    found = expectation(values, MEDIUM)
    assert not flagged(values, found)[0, 14:].any()


def test_a_verdict_does_not_change_with_later_days() -> None:
    values = many("growing", 20)
    whole, part = expectation(values, MEDIUM), expectation(values[:, :50], MEDIUM)
    np.testing.assert_array_equal(whole.score[:, :50], part.score)


def test_unknown_days_are_left_out_and_a_weekday_that_was_never_known_is_not_judged() -> None:
    values = many("poisson on a week", 50)
    values[:, 6::7] = np.nan
    values[:, 30] = np.nan
    values[:, -1] = 60.0
    found = expectation(values, MEDIUM)
    assert np.isnan(found.score[:, 30]).all()
    assert np.isnan(found.score[:, -1]).all()
    judged = ~np.isnan(found.score[:, 20:-1])
    assert judged.mean() > 0.8
    assert flagged(values, found)[:, 20:].mean() < 0.01


def test_a_lasting_change_is_taken_for_usual_after_some_weeks() -> None:
    values = many("poisson on a week", 50)
    values[:, 21:] *= 3
    flags = flagged(values, expectation(values, MEDIUM))
    assert flags[:, 21].all()
    assert flags[:, -7:].mean() < 0.02

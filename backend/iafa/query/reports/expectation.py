"""What a day's count should have been, judged by the six weeks before it: a robust trend times the weekday's season.

Only earlier days judge a day, so that a verdict stays. Medians throughout: one wild day among them changes nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

WEEKS = 6
HISTORY_DAYS = 7 * WEEKS
HISTORY_MIN = 14  # days before it that a day needs to be judged
TREND_WEEKS_MIN = 4
_WEEK_DAYS_MIN = 4  # a week with fewer known days says nothing
_SEASON_MIN = 3  # with fewer such weekdays nobody knows which of them was the usual one
_SIGMA_OF_MAD = 1.4826
_FITTED = 8  # seven weekdays and a level
_CHANCE = 1.0  # what chance alone moves a count by, on the scale of _rooted
_RELATIVE = 0.02  # no traffic is steadier than this
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Expectation:
    """Per series and day; NaN where a day is not judged. `low` and `high` enclose what is not flagged."""

    expected: Floats
    low: Floats
    high: Floats
    score: Floats


def expectation(values: Floats, threshold: float) -> Expectation:
    """`values`: a row per series, a column per day, NaN where it is not known. `threshold` is the score that flags."""
    series, days = values.shape
    padded = np.concatenate([np.full((series, HISTORY_DAYS), np.nan), values], axis=1)
    past = sliding_window_view(padded, HISTORY_DAYS, axis=1)[:, :days].reshape(series, days, WEEKS, 7)
    with np.errstate(divide="ignore", invalid="ignore"):
        season, least, most = _season(past)
        level, slope = _trend(past, season)
        spread = _spread(past, season, level, slope)
        expected = level * season[..., 0]
        lower, upper = _rooted(level * least), _rooted(level * most)
        score = (_rooted(values) - np.clip(_rooted(values), lower, upper)) / spread
        low, high = _counted(lower - threshold * spread), _counted(upper + threshold * spread)
    known = _known(past)
    is_judged = (known.sum(axis=(2, 3)) >= HISTORY_MIN) & known[..., 0].any(axis=2) & ~np.isnan(values)
    made = (np.where(is_judged, one, np.nan) for one in (expected, np.ceil(low - 1e-9), np.floor(high + 1e-9), score))
    return Expectation(*made)


def _season(past: Floats) -> tuple[Floats, Floats, Floats]:
    """The part of its week's median that each weekday has, the judged one first; and what the judged one may have."""
    weeks = _median(past, axis=3)
    weeks = np.where((_known(past).sum(axis=3) >= _WEEK_DAYS_MIN) & (weeks > 0), weeks, np.nan)
    is_sparse = 2 * _known(weeks).sum(axis=2) < (_known(past).sum(axis=3) >= _WEEK_DAYS_MIN).sum(axis=2)
    ratios = np.where(is_sparse[..., None, None], np.nan, past / weeks[..., None])
    season = _median(ratios, axis=2)
    season = np.where(np.isnan(season), 1.0, season)
    own, known = ratios[..., 0], _known(ratios[..., 0]).sum(axis=2)
    is_open = (known > 0) & (known < _SEASON_MIN)
    least = np.where(is_open, np.fmin.reduce(own, axis=2), season[..., 0])
    most = np.where(is_open, np.fmax.reduce(own, axis=2), season[..., 0])
    return season, least, most


def _trend(past: Floats, season: Floats) -> tuple[Floats, Floats]:
    """The level on the judged day and its growth a week: the line through the weeks' medians by median slopes."""
    weeks = _median(past / season[..., None, :], axis=3)
    ages = np.arange(WEEKS, 0, -1.0) - 1
    pairs = [(older, newer) for older in range(WEEKS) for newer in range(older + 1, WEEKS)]
    slopes = np.stack([(weeks[..., newer] - weeks[..., older]) / (newer - older) for older, newer in pairs], axis=-1)
    slope = np.where(_known(weeks).sum(axis=2) >= TREND_WEEKS_MIN, _median(slopes, axis=2), 0.0)
    middle_days = 4 / 7  # from the middle of the last week
    level = _median(weeks + slope[..., None] * (ages + middle_days), axis=2)
    return np.maximum(level, 0.0), slope


def _spread(past: Floats, season: Floats, level: Floats, slope: Floats) -> Floats:
    """How far from what was expected a day usually is, on the scale of _rooted."""
    weeks_ago = np.arange(HISTORY_DAYS, 0, -1.0).reshape(WEEKS, 7) / 7
    line = np.maximum(level[..., None, None] - slope[..., None, None] * weeks_ago, 0.0)
    fitted = _rooted(line * season[..., None, :])
    residuals = np.abs(_rooted(past) - fitted) / fitted
    series, days = level.shape
    known = _known(past).sum(axis=(2, 3))
    unbiased = np.sqrt(known / np.maximum(known - _FITTED, 1))
    part = _SIGMA_OF_MAD * _median(residuals.reshape(series, days, HISTORY_DAYS), axis=2) * unbiased
    seen = np.fmax(part, _RELATIVE / 2) * _rooted(level * season[..., 0])  # half the part of a root is that of a count
    same_days = np.maximum(_known(past[..., 0]).sum(axis=2), 1)
    of_estimate = np.sqrt(1 + (np.pi / 2) / same_days + 0.2)  # the season and the line are estimates themselves
    made: Floats = np.fmax(seen, _CHANCE) * of_estimate
    return made


def _rooted(counts: Floats) -> Floats:
    """Anscombe's scale: chance alone moves any count by about one on it, be it large or small."""
    made: Floats = 2 * np.sqrt(np.maximum(counts, 0.0) + 0.375)
    return made


def _counted(rooted: Floats) -> Floats:
    made: Floats = np.maximum((np.maximum(rooted, 0.0) / 2) ** 2 - 0.375, 0.0)
    return made


def _known(values: Floats) -> NDArray[np.bool_]:
    return ~np.isnan(values)


def _median(values: Floats, axis: int) -> Floats:
    """Of what is known; NaN where nothing is, without the warning of numpy's."""
    ordered = np.sort(values, axis=axis)  # NaN last
    known = _known(values).sum(axis=axis, keepdims=True)
    lower = np.take_along_axis(ordered, np.maximum(known - 1, 0) // 2, axis)
    upper = np.take_along_axis(ordered, known // 2 - (known // 2 == values.shape[axis]), axis)
    made: Floats = np.squeeze((lower + upper) / 2, axis=axis)
    return made

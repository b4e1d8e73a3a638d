"""Durations of paths: quantiles are observed values, the bins of the histogram sum up to the converted."""

import numpy as np

from iafa.query.conversion_times import histogram, summary


def test_a_grace_lets_a_conversion_take_less_than_no_time() -> None:
    durations_us = np.array([-1_800_000_000, 0, 60_000_000], dtype=np.int64)
    bins = histogram(durations_us, 3_600)
    assert sum(one["count"] for one in bins if isinstance(one["count"], int)) == 3
    assert bins[0] == {"from_s": 0, "to_s": 1, "count": 2}
    assert summary(durations_us)["median_s"] == 0

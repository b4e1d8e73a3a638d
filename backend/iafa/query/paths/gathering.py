"""Taking histories apart: those of some people, or one person's several times, as arrays that solvers take."""

import numpy as np

from iafa.query.paths.plan import Histories, Int64s


def people_of_rows(histories: Histories) -> Int64s:
    """By row, the number of its person."""
    return np.repeat(np.arange(len(histories.offsets) - 1, dtype=np.int64), np.diff(histories.offsets))


def rows_of(histories: Histories, people: Int64s) -> tuple[Int64s, Int64s]:
    """(the rows of the given people one after another, where each one's begin and, last, the number of rows)."""
    starts = histories.offsets[people]
    lengths = histories.offsets[people + 1] - starts
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int64)
    rows = np.arange(offsets[-1], dtype=np.int64) + np.repeat(starts - offsets[:-1], lengths)
    return rows, offsets


def taken(histories: Histories, people: Int64s) -> tuple[Int64s, Histories]:
    """(the rows of the given people, their histories)."""
    rows, offsets = rows_of(histories, people)
    return rows, Histories(offsets, histories.time_us[rows], histories.steps[rows], histories.excluded[rows])


def between(histories: Histories, people: Int64s, from_us: int, to_us: int) -> Histories:
    """What the given people did in [from, to). Each must have done something then."""
    rows, offsets = rows_of(histories, people)
    times = histories.time_us[rows]
    is_inside = (times >= from_us) & (times < to_us)
    counts = np.add.reduceat(is_inside.astype(np.int64), offsets[:-1])
    rows = rows[is_inside]
    return Histories(
        offsets=np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        time_us=histories.time_us[rows],
        steps=histories.steps[rows],
        excluded=histories.excluded[rows],
    )

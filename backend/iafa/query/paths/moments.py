"""When each person had first got as far as a stage, judged by nothing that came later.

The reported path will not do: which entry it begins with depends on whether a later one converts. Whoever asks what
people had done before a stage needs a moment that does not know the outcome.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from iafa.query.definition import FunnelDefinition
from iafa.query.paths.gathering import rows_of
from iafa.query.paths.plan import ENTRY_BEST, ENTRY_LAST, Histories, Int64s, Paths, Plan
from iafa.query.paths.solving import paths_of

CheckTime = Callable[[], None]


class Moments(NamedTuple):
    """Person by person, those who got there: the moment, the row that began it and the row that reached the stage."""

    person: Int64s
    at_us: Int64s
    entry_rows: Int64s
    stage_rows: Int64s


def moments(
    definition: FunnelDefinition, plan: Plan, histories: Histories, level: int, check_time: CheckTime
) -> Moments:
    """Each person once; ties within the moment are decided as for reported paths."""
    if definition.order == "unordered":
        # Exclusions that end a path later than here have no say yet; those of `drop` look ahead.
        blind = _without_hindsight(plan)
        return _by_prefixes(definition, blind, histories, level, check_time)
    short, own = _first_stages(plan, histories, level)
    if definition.tie == "grace":
        return _by_prefixes(definition, short, own, level, check_time)
    paths = paths_of(definition, short, own, check_time)
    rows = paths.rows[paths.reached == level]
    person = paths.person[paths.reached == level]
    return Moments(person, histories.time_us[rows[:, level - 1]], rows[:, 0], rows[:, level - 1])


def _without_hindsight(plan: Plan) -> Plan:
    """The last of several entries is known only afterwards, and so is what `drop` looks for."""
    return plan._replace(is_drop=False, entry=ENTRY_BEST if plan.entry == ENTRY_LAST else plan.entry)


def _first_stages(plan: Plan, histories: Histories, level: int) -> tuple[Plan, Histories]:
    """The funnel of the first stages alone, with the exclusions that end there."""
    kept = np.flatnonzero(plan.excluded_to <= level)
    short = _without_hindsight(plan)._replace(
        steps=level,
        within_us=plan.within_us[: level + 1],
        after_us=plan.after_us[: level + 1],
        excluded_from=plan.excluded_from[kept],
        excluded_to=plan.excluded_to[kept],
    )
    excluded = np.zeros_like(histories.excluded)
    for bit, exclusion in enumerate(kept.tolist()):
        excluded |= ((histories.excluded >> exclusion) & 1) << bit
    steps = histories.steps & np.int32((1 << level) - 1)
    return short, histories._replace(steps=steps, excluded=excluded)


def _by_prefixes(
    definition: FunnelDefinition, plan: Plan, histories: Histories, level: int, check_time: CheckTime
) -> Moments:
    """By trying: the first instant up to which the events are enough. More events never lower what is reached."""
    ends = _instant_ends(histories)
    whole = paths_of(definition, plan, histories, check_time)
    people = whole.person[whole.reached >= level].astype(np.int64)
    # Instants by their number: too_few is not enough, enough is.
    enough = np.searchsorted(ends, histories.offsets[people + 1])
    too_few = np.searchsorted(ends, histories.offsets[people])
    while len(left := np.flatnonzero(enough - too_few > 1)):
        middle = (enough[left] + too_few[left]) // 2
        tried, _rows = _prefixes(histories, people[left], ends[middle])
        reached = paths_of(definition, plan, tried, check_time).reached >= level
        enough[left[reached]] = middle[reached]
        too_few[left[~reached]] = middle[~reached]
        check_time()
    own, rows = _prefixes(histories, people, ends[enough])
    paths = paths_of(definition, plan, own, check_time)
    entry_rows, stage_rows = _ends_of(definition, paths, level)
    at_us = histories.time_us[ends[enough] - 1]
    return Moments(people, at_us, rows[entry_rows], rows[stage_rows])


def _ends_of(definition: FunnelDefinition, paths: Paths, level: int) -> tuple[Int64s, Int64s]:
    """By path, the row that begins it and the one that reaches the level: without an order, by time."""
    rows = paths.rows
    if definition.order == "unordered":
        rows = np.sort(np.where(rows >= 0, rows, np.iinfo(np.int64).max), axis=1)
    return rows[:, 0], rows[:, level - 1]


def _instant_ends(histories: Histories) -> Int64s:
    """After which rows an instant of a person ends, counted from 1 row on; a leading 0 is no instant."""
    is_last = np.diff(histories.time_us, append=np.iinfo(np.int64).min) != 0
    is_last[histories.offsets[1:] - 1] = True
    return np.concatenate(([0], np.flatnonzero(is_last) + 1)).astype(np.int64)


def _prefixes(histories: Histories, people: Int64s, ends: Int64s) -> tuple[Histories, Int64s]:
    """The events of the given people before the given rows, and which rows these are."""
    starts = histories.offsets[people]
    cut = histories._replace(offsets=np.stack((starts, ends), axis=1).ravel())
    rows, offsets = rows_of(cut, np.arange(len(people), dtype=np.int64) * 2)
    return Histories(offsets, histories.time_us[rows], histories.steps[rows], histories.excluded[rows]), rows

"""Ordered and strict paths of many people at once, step by step over sorted arrays; no loop over people or starts.

Of all ways to an event that fills step k, the one whose earlier steps are latest is never worse than another: every
window, exclusion and order that looks back only gains by it. So each event looks back to the latest event that fills
step k - 1. In the same way, looking ahead, the earliest next event is never worse: that gives the reported path.
Not for events of one instant of which one could fill several steps, and not for `after_seconds`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from iafa.query.paths.gathering import people_of_rows
from iafa.query.paths.plan import ENTRY_FIRST, ENTRY_LAST, NO_LIMIT_US, Histories, Int32s, Int64s, Paths, Plan

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class _Line:
    """All instants of all people in one row: by person, then by time."""

    instant: Int64s  # by row
    person: Int64s  # by instant
    time_us: Int64s  # by instant
    is_shared: Bools | None  # by instant: two steps may lie in it; None: in every one
    breaks: Sequence[Int64s]  # by exclusion: the instants with an excluded event, and one that never comes


@dataclass(frozen=True)
class _Level:
    """The events that can fill a step, at most one an instant, in order."""

    instant: Int64s
    row: Int64s
    link: Int64s  # the place of its neighbour in the level before (looking back) or after (looking ahead)
    end: Int64s  # the instant where the chain began


def can_solve(plan: Plan) -> bool:
    return not (plan.after_us[2:] > 0).any()


def solve_together(plan: Plan, histories: Histories, paths: Paths, *, wants_rows: bool) -> Int64s:
    """Write the reported paths; returns the people whose path must be looked for one by one."""
    person_of_row = people_of_rows(histories)
    line, is_open = _line(plan, histories, person_of_row)
    starts = _starts(plan, histories, line, is_open[person_of_row])
    levels = _reach(plan, line, starts, histories, plan.steps)
    _say_lengths(line, levels, paths.reached)
    is_left = ~is_open
    if plan.is_drop:
        is_tainted = _is_tainted(plan, line, paths.reached)
        paths.reached[is_tainted] = 0
        if (plan.excluded_from == 1).all():
            _solve_tainted(plan, line, histories, _asked(line, starts, is_tainted), paths, wants_rows=wants_rows)
        else:
            is_left |= is_tainted
        is_open &= ~is_tainted
    if wants_rows:
        for target in range(1, len(levels) + 1):
            _report(plan, line, levels[:target], is_open & (paths.reached == target), paths)
    return np.flatnonzero(is_left)


def _say_lengths(line: _Line, levels: Sequence[_Level], reached: Int32s) -> None:
    for number, level in enumerate(levels, start=1):
        reached[line.person[level.instant]] = number


def _solve_tainted(
    plan: Plan, line: _Line, histories: Histories, starts: _Level, paths: Paths, *, wants_rows: bool
) -> None:
    """`drop`, with exclusions from step 1 on: a path that ends before step j needs a start with no excluded event in
    its window. Tried from the longest paths to the shortest, by which exclusions they end before."""
    is_left = np.zeros(len(paths.reached), dtype=np.bool_)
    is_left[line.person[starts.instant]] = True
    bounds = sorted(set(plan.excluded_to.tolist()))
    for least, behind in reversed(list(zip([1, *bounds[:-1]], bounds, strict=True))):
        asked = _asked(line, starts, is_left)
        is_clean = np.ones(len(asked.instant), dtype=np.bool_)
        for _low, high, breaks in _exclusions(plan, line):
            if high >= behind:
                is_clean &= ~_is_met(plan, line, asked.instant, breaks)
        levels = _reach(plan, line, _at(asked, np.flatnonzero(is_clean)), histories, behind - 1)
        lengths = np.zeros_like(paths.reached)
        _say_lengths(line, levels, lengths)
        for target in range(least, len(levels) + 1):
            is_found = is_left & (lengths == target)
            paths.reached[is_found] = target
            if wants_rows:
                _report(plan, line, levels[:target], is_found, paths)
        is_left &= lengths < least


def _is_met(plan: Plan, line: _Line, starts: Int64s, breaks: Int64s) -> Bools:
    """Does an excluded event come after the start and within its window?"""
    count = len(line.person)
    following = _next(breaks, starts)
    others = np.minimum(following, count - 1)
    is_same = (following < count) & (line.person[others] == line.person[starts])
    found: Bools = is_same & (line.time_us[others] - line.time_us[starts] <= plan.window_us)
    return found


def _line(plan: Plan, histories: Histories, person_of_row: Int64s) -> tuple[_Line, Bools]:
    """The instants; and by person, whether no instant of theirs needs a choice between its events."""
    times, steps = histories.time_us, histories.steps
    is_new = np.ones(len(times), dtype=np.bool_)
    is_new[1:] = times[1:] != times[:-1]
    is_new[histories.offsets[:-1]] = True
    instant = np.cumsum(is_new) - 1
    first_rows = np.flatnonzero(is_new)
    is_open = np.ones(len(histories.offsets) - 1, dtype=np.bool_)
    has_several = steps & (steps - 1) != 0  # several bits
    is_shared: Bools | None = None
    if has_several.any():
        is_shared = np.ones(len(first_rows), dtype=np.bool_)
        is_shared[instant[has_several]] = False
        matching = np.add.reduceat((steps != 0).astype(np.int64), first_rows)
        is_open[person_of_row[first_rows[~is_shared & (matching > 1)]]] = False
    breaks = []
    for number in range(len(plan.excluded_from)):
        hit = instant[histories.excluded >> number & 1 == 1]
        breaks.append(np.append(hit, len(first_rows)))
    return _Line(instant, person_of_row[first_rows], times[first_rows], is_shared, breaks), is_open


def _starts(plan: Plan, histories: Histories, line: _Line, is_asked: Bools) -> _Level:
    times = histories.time_us
    to_us = min(plan.to_us, plan.end_us)
    starts = _filling(line, (histories.steps & 1 == 1) & (times >= plan.from_us) & (times < to_us) & is_asked)
    if plan.entry == ENTRY_FIRST:
        people = line.person[starts.instant]
        starts = _at(starts, _firsts(people))
    return starts


def _filling(line: _Line, is_fitting: Bools) -> _Level:
    """Of each instant the first of the fitting rows: it has the smallest id."""
    rows = np.flatnonzero(is_fitting)
    instants = line.instant[rows]
    is_first = np.ones(len(rows), dtype=np.bool_)
    is_first[1:] = instants[1:] != instants[:-1]
    if not is_first.all():
        rows, instants = rows[is_first], instants[is_first]
    return _Level(instants, rows, np.zeros(0, dtype=np.int64), instants)


def _firsts(people: Int64s) -> Int64s:
    """Where each person begins."""
    is_first = np.ones(len(people), dtype=np.bool_)
    is_first[1:] = people[1:] != people[:-1]
    return np.flatnonzero(is_first)


def _at(level: _Level, places: Int64s) -> _Level:
    links = level.link[places] if len(level.link) else level.link
    return _Level(level.instant[places], level.row[places], links, level.end[places])


def _reach(plan: Plan, line: _Line, starts: _Level, histories: Histories, most: int) -> list[_Level]:
    """By step, at most `most`, the events that can fill it, each linked to the latest one before it."""
    levels = [starts] if len(starts.instant) else []
    is_early = histories.time_us < plan.end_us
    while levels and len(levels) < most:
        step = len(levels) + 1
        before = levels[-1]
        found = _filling(line, (histories.steps >> (step - 1) & 1 == 1) & is_early)
        looked = found.instant - _is_apart(plan, line, found.instant)
        links = np.searchsorted(before.instant, looked, side="right") - 1
        found, links = _linked(line, found, links, before, links >= 0)
        fits = _is_stride(plan, line, step, before.instant[links], found.instant)
        fits &= line.time_us[found.instant] - line.time_us[before.end[links]] <= plan.window_us
        for low, _high, breaks in _exclusions(plan, line, to=step):
            opened = _along(levels[low:], links)
            fits &= _next(breaks, levels[low - 1].instant[opened]) >= found.instant
        found, links = _linked(line, found, links, before, fits)
        if not len(links):
            break
        levels.append(_Level(found.instant, found.row, links, before.end[links]))
    return levels


def _is_apart(plan: Plan, line: _Line, instants: Int64s) -> Int64s | int:
    """1 where a neighbour may not lie in the same instant, else 0."""
    if plan.is_tie_strict:
        return 1
    return 0 if line.is_shared is None else (~line.is_shared[instants]).astype(np.int64)


def _linked(line: _Line, level: _Level, links: Int64s, others: _Level, fits: Bools) -> tuple[_Level, Int64s]:
    """The events that fit and whose neighbour is of the same person."""
    places = np.flatnonzero(fits)
    links = links[places]
    is_same = line.person[level.instant[places]] == line.person[others.instant[links]]
    return _at(level, places[is_same]), links[is_same]


def _is_stride(plan: Plan, line: _Line, step: int, before: Int64s, after: Int64s) -> Bools:
    """May the step and the one before it lie in these instants?"""
    fits = np.ones(len(before), dtype=np.bool_)
    if plan.within_us[step] < NO_LIMIT_US:
        fits &= line.time_us[after] - line.time_us[before] <= plan.within_us[step]
    if plan.is_strict:
        fits &= after - before <= 1
    return fits


def _exclusions(plan: Plan, line: _Line, *, to: int = 0, low: int = 0) -> list[tuple[int, int, Int64s]]:
    """(from step, to step, instants) of the exclusions that end or begin at a step."""
    steps = zip(plan.excluded_from.tolist(), plan.excluded_to.tolist(), line.breaks, strict=True)
    return [each for each in steps if to in (0, each[1]) and low in (0, each[0])]


def _next(breaks: Int64s, instants: Int64s) -> Int64s:
    """The first excluded instant after each."""
    found: Int64s = breaks[np.searchsorted(breaks, instants, side="right")]
    return found


def _along(levels: Sequence[_Level], places: Int64s) -> Int64s:
    """Where the links of all the levels lead, the last level's first, from places in it."""
    for level in reversed(levels):
        places = level.link[places]
    return places


def _is_tainted(plan: Plan, line: _Line, reached: Int32s) -> Bools:
    """By person: a path of this length ends between the steps of an exclusion that happened to them at some time.

    All others have, whether the exclusion cuts or drops, the same paths of that length and none that is longer.
    """
    is_tainted = np.zeros(len(reached), dtype=np.bool_)
    for low, high, breaks in _exclusions(plan, line):
        met = np.zeros(len(reached), dtype=np.bool_)
        met[line.person[breaks[:-1]]] = True
        is_tainted |= met & (reached >= low) & (reached < high)
    return is_tainted


def _report(plan: Plan, line: _Line, levels: Sequence[_Level], is_asked: Bools, paths: Paths) -> None:
    """Of the paths of just this length the earliest: from its start each next event as early as it leads to the end."""
    target = len(levels)
    chain = [_asked(line, levels[-1], is_asked)]  # from the last step to the first
    for step in range(target - 1, 0, -1):
        after = chain[-1]
        found = _asked(line, levels[step - 1], is_asked)
        looked = found.instant + _is_apart(plan, line, found.instant)
        links = np.searchsorted(after.instant, looked, side="left")
        found, links = _linked(line, found, links, after, links < len(after.instant))
        fits = _is_stride(plan, line, step + 1, found.instant, after.instant[links])
        if step == 1:
            fits &= line.time_us[after.end[links]] - line.time_us[found.instant] <= plan.window_us
        for _low, high, breaks in _exclusions(plan, line, low=step):
            if high <= target:
                closed = _along(chain[target - high + 1 :], links)
                fits &= _next(breaks, found.instant) >= chain[target - high].instant[closed]
        found, links = _linked(line, found, links, after, fits)
        chain.append(_Level(found.instant, found.row, links, after.end[links]))
    if not len(chain[-1].instant):
        return
    people = line.person[chain[-1].instant]
    places = _firsts(people)
    if plan.entry == ENTRY_LAST:
        places = np.append(places[1:], len(people)) - 1
    people = people[places]
    for step, level in enumerate(reversed(chain), start=1):
        paths.rows[people, step - 1] = level.row[places]
        if step < target:
            places = level.link[places]


def _asked(line: _Line, level: _Level, is_asked: Bools) -> _Level:
    places = np.flatnonzero(is_asked[line.person[level.instant]])
    return _Level(level.instant[places], level.row[places], np.zeros(0, dtype=np.int64), level.instant[places])

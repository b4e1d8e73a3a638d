"""How many steps everybody's path has, and nothing else of it: one pass over each person's events, in machine code.

The argument is that of `together`: of all ways to an event that fills step k, the one whose earlier steps are latest
is never worse. So for each step only the latest event that fills it is kept, with the times of what led to it.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.instants import fill
from iafa.query.paths.plan import ENTRY_FIRST, Histories, Int32s, Int64s, Paths, Plan
from iafa.query.paths.stopping import never, stopping

_NEVER = -(1 << 62)
_ALWAYS = 1 << 62


class _Latest(NamedTuple):
    """By step, from 1: the latest event that fills it. `x` are the exclusions."""

    at_us: Int64s
    instant: Int64s
    start_us: Int64s  # of the path that leads to it; _NEVER: nothing fills the step
    chain_us: Int64s  # step x earlier step: the time of that one
    least_us: Int64s  # the earliest time that the step may have
    found: Int32s  # to which step an instant leads from each step
    hit_us: Int64s  # x: the latest excluded event before the present instant
    bound_us: Int64s  # x: the latest one that a start can see
    stop: Int32s  # 1: not 0 when nobody waits any more


def solve_lengths(plan: Plan, histories: Histories, *, check_time: Callable[[], None] = never) -> Paths:
    """The length of each person's path, for every plan without `after_seconds`; it is exact for all people."""
    paths = Paths.room(len(histories.offsets) - 1, plan.steps, wants_rows=False)
    if len(paths.reached):
        with stopping(check_time) as stop:
            _solve(plan, histories.writable(), paths.reached, stop)
    return paths


@compiled
def _solve(plan: Plan, histories: Histories, reached: Int32s, stop: Int32s) -> None:
    n, x = plan.steps + 1, len(plan.excluded_from)
    latest = _Latest(
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros((n, n), dtype=np.int64),
        np.full(n, _NEVER, dtype=np.int64),
        np.zeros(n, dtype=np.int32),
        np.zeros(x, dtype=np.int64),
        np.zeros(x, dtype=np.int64),
        stop,
    )
    for person in range(len(histories.offsets) - 1):
        if stop[0]:
            return
        first, last = histories.offsets[person], histories.offsets[person + 1]
        to_us = _entries_end(plan, histories, first, last)
        length = _longest(plan, histories, first, last, to_us, _ALWAYS, plan.steps, latest)
        if plan.is_drop and 0 < length < plan.steps:
            length = _kept(plan, histories, first, last, to_us, length, latest)
        reached[person] = length


@compiled
def _entries_end(plan: Plan, histories: Histories, first: int, last: int) -> int:
    """Before which time a path of the person may begin."""
    if plan.entry == ENTRY_FIRST:
        for row in range(first, last):
            if histories.steps[row] & 1 and plan.from_us <= histories.time_us[row] < plan.to_us:
                return histories.time_us[row] + 1
    return plan.to_us


@compiled
def _longest(
    plan: Plan, histories: Histories, first: int, last: int, to_us: int, end_us: int, most: int, latest: _Latest
) -> int:
    """Steps of the longest path, at most `most`, with a start before `to_us` and its other steps before `end_us`.

    All in one body: a call for each event would cost more than the event.
    """
    times, masks, excluded = histories.time_us, histories.steps, histories.excluded
    at_us, instants, starts_us, chain_us = latest.at_us, latest.instant, latest.start_us, latest.chain_us
    exclusions = len(plan.excluded_from)
    starts_us[:] = _NEVER
    latest.hit_us[:] = _NEVER
    end_us = min(end_us, plan.end_us)
    highest, instant, row = 0, 0, first
    while row < last and highest < most and times[row] < end_us:
        begin, now_us, matched, hits = row, times[row], masks[row], excluded[row]
        is_choice, matching, row = matched & (matched - 1) != 0, 1 if matched else 0, row + 1
        while row < last and times[row] == now_us:
            mask = masks[row]
            if mask:
                matching += 1
                matched |= mask
                is_choice = is_choice or mask & (mask - 1) != 0
            hits |= excluded[row]
            row += 1
        may_begin = plan.from_us <= now_us < to_us
        may_share = matching > 1 and not plan.is_tie_strict
        if may_share and is_choice:
            highest = max(highest, _choose(plan, histories, begin, row, may_begin, instant, most, latest))
        elif matched:
            # If one step at most lies in the instant: the highest first, so that none sees what this instant fills.
            top = most if may_share else min(most, highest + 1)
            for turn in range(top):
                step = turn + 1 if may_share else top - turn
                if not matched >> (step - 1) & 1 or now_us < latest.least_us[step]:
                    continue
                start_us = now_us
                if step == 1 and not may_begin:
                    continue
                if step > 1:
                    start_us = starts_us[step - 1]
                    is_far = now_us - start_us > plan.window_us or now_us - at_us[step - 1] > plan.within_us[step]
                    if start_us == _NEVER or is_far or (plan.is_strict and instant - instants[step - 1] > 1):
                        continue
                    if exclusions and _is_cut(plan, step - 1, step, latest):
                        continue
                at_us[step], instants[step], starts_us[step] = now_us, instant, start_us
                highest = max(highest, step)
                if exclusions:
                    for each in range(1, step):
                        chain_us[step, each] = chain_us[step - 1, each]
                    chain_us[step, step] = now_us
        if hits:
            for x in range(exclusions):
                if hits >> x & 1:
                    latest.hit_us[x] = now_us
        instant += 1
    return highest


@compiled
def _choose(
    plan: Plan, histories: Histories, begin: int, end: int, may_begin: bool, instant: int, most: int, latest: _Latest
) -> int:
    """All that distinct events of one instant can fill, one of which matches several steps; the highest step of it."""
    now_us = histories.time_us[begin]
    highest = 0
    _furthest(histories.steps[begin:end], plan.steps, latest.found)
    for step in range(most, 0, -1):
        for before in range(step):  # the lowest step to come from has the latest way
            if latest.found[before] >= step and _fill(plan, before, step, now_us, instant, may_begin, latest):
                highest = max(highest, step)
                break
    return highest


@compiled
def _furthest(masks: Int32s, steps: int, found: Int32s) -> None:
    """found[k] = the furthest step that distinct events of the instant lead to from step k. It never falls with k."""
    holder = np.zeros(len(masks), dtype=np.int32)
    reached = 0
    for level in range(steps):
        reached = max(reached, level)
        while reached < steps and fill(reached + 1, masks, holder):
            reached += 1
        found[level] = reached
        for place in range(len(masks)):
            if holder[place] == level + 1:
                holder[place] = 0


@compiled
def _fill(plan: Plan, before: int, step: int, now_us: int, instant: int, may_begin: bool, latest: _Latest) -> bool:
    """Fill all steps after `before` up to `step` in this instant, if what leads there allows it."""
    start_us = now_us
    if before == 0:
        if not may_begin:
            return False
    else:
        start_us = latest.start_us[before]
        if start_us == _NEVER or now_us - start_us > plan.window_us:
            return False
        if now_us - latest.at_us[before] > plan.within_us[before + 1]:
            return False
        if plan.is_strict and instant - latest.instant[before] > 1:
            return False
        if _is_cut(plan, before, step, latest):
            return False
    for each in range(before + 1, step + 1):
        if now_us < latest.least_us[each]:
            return False
    latest.at_us[step] = now_us
    latest.instant[step] = instant
    latest.start_us[step] = start_us
    for each in range(1, step + 1):
        latest.chain_us[step, each] = latest.chain_us[before, each] if each <= before else now_us
    return True


@compiled
def _is_cut(plan: Plan, before: int, step: int, latest: _Latest) -> bool:
    """Has an excluded event come between the way to `before` and this instant, which is to fill up to `step`?"""
    for x in range(len(plan.excluded_from)):
        low, high = plan.excluded_from[x], plan.excluded_to[x]
        if low <= before < high <= step and latest.hit_us[x] > latest.chain_us[before, low]:
            return True
    return False


@compiled
def _kept(plan: Plan, histories: Histories, first: int, last: int, to_us: int, length: int, latest: _Latest) -> int:
    """`drop`: a path that ends between the steps of an exclusion needs that no excluded event follows the first of
    them within the window. The longest such path; `length` is that of the longest without this rule.
    """
    for target in range(length, 0, -1):
        bounding = 0
        for x in range(len(plan.excluded_from)):
            if plan.excluded_from[x] <= target < plan.excluded_to[x]:
                bounding |= 1 << x
        is_hit = False
        for row in range(first, last):
            if histories.excluded[row] & bounding:
                is_hit = True
                break
        if not is_hit or _has_kept(plan, histories, first, last, to_us, target, bounding, latest):
            return target
    return 0


@compiled
def _has_kept(
    plan: Plan,
    histories: Histories,
    first: int,
    last: int,
    to_us: int,
    target: int,
    bounding: int,
    latest: _Latest,
) -> bool:
    """Is there a path of that length? Starts between whose windows no excluded event ends are tried at once: for
    them the same excluded events bound the steps, and again the latest start is never worse.
    """
    for x in range(len(plan.excluded_from)):
        latest.bound_us[x] = _NEVER
    is_found = False
    row, ahead = first, first
    while row < last and histories.time_us[row] < to_us and not is_found and not latest.stop[0]:
        start_us = histories.time_us[row]
        if not histories.steps[row] & 1 or start_us < plan.from_us:
            row += 1
            continue
        while ahead < last and histories.time_us[ahead] <= start_us + plan.window_us:
            for x in range(len(plan.excluded_from)):
                if histories.excluded[ahead] & bounding & (1 << x):
                    latest.bound_us[x] = histories.time_us[ahead]
            ahead += 1
        following = ahead
        while following < last and not histories.excluded[following] & bounding:
            following += 1
        until_us = to_us
        if following < last:
            until_us = min(to_us, histories.time_us[following] - plan.window_us)
        for x in range(len(plan.excluded_from)):
            if bounding >> x & 1:
                low = plan.excluded_from[x]
                latest.least_us[low] = max(latest.least_us[low], latest.bound_us[x])
        begin = row
        while begin > first and histories.time_us[begin - 1] == start_us:
            begin -= 1
        end_us = until_us + plan.window_us
        is_found = _longest(plan, histories, begin, last, until_us, end_us, target, latest) == target
        for step in range(plan.steps + 1):
            latest.least_us[step] = _NEVER
        while row < last and histories.time_us[row] < until_us:
            row += 1
    return is_found

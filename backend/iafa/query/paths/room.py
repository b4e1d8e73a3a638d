"""One person's history by instants, in working space that is made once for many people."""

from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.instants import furthest
from iafa.query.paths.plan import REMOVED, Histories, Int32s, Int64s, Plan

NEVER = -(1 << 62)
ALWAYS = 1 << 62


class Room(NamedTuple):
    """Working space for the person with the most events. `n` is steps + 1, `m` instants, `x` exclusions."""

    row: Int64s  # m: first row of each instant
    end: Int64s  # m: behind its last row
    time_us: Int64s  # m
    furthest: Int32s  # m x n
    excluded_before: Int64s  # x x m: the latest excluded event before the instant
    excluded_after: Int64s  # x x m: the earliest one after it
    excluded_at: Int32s  # x x m
    entered_from: Int32s  # n x m: reachable at step k in instant q, from which step before q; -1 = not reachable
    may_take: Int32s  # n x m: taking step k + 1 in instant q can still lead to the end
    may_leave: Int32s  # n x m: standing at step k in instant q, a later instant can
    earliest_us: Int64s  # n: the earliest time that a step may have
    latest_us: Int64s  # n: and the latest
    at: Int64s  # n: the instant of each step of the path
    best_at: Int64s  # n: the same of the best path so far
    span: Int64s  # x: which span free of excluded events step i of a wide exclusion is tried in
    stop: Int32s  # 1: not 0 when nobody waits any more


@compiled
def most_events(histories: Histories) -> int:
    most = 0
    for person in range(len(histories.offsets) - 1):
        most = max(most, histories.offsets[person + 1] - histories.offsets[person])
    return most


@compiled
def make_room(most: int, n: int, x: int, is_greedy: bool, stop: Int32s) -> Room:
    spread = 1 if is_greedy else most
    return Room(
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
        np.zeros(most, dtype=np.int64),
        np.zeros((most, n), dtype=np.int32),
        np.zeros((x, most), dtype=np.int64),
        np.zeros((x, most), dtype=np.int64),
        np.zeros((x, most), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros((n, spread), dtype=np.int32),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(n, dtype=np.int64),
        np.zeros(x, dtype=np.int64),
        stop,
    )


@compiled
def read_instants(plan: Plan, histories: Histories, first: int, last: int, room: Room) -> int:
    """The person's instants; returns how many."""
    count = 0
    row = first
    while row < last:
        end, alive, hits = row, 0, 0
        while end < last and histories.time_us[end] == histories.time_us[row]:
            if histories.steps[end] != REMOVED:
                alive += 1
                hits |= histories.excluded[end]
            end += 1
        if alive:
            room.row[count] = row
            room.end[count] = end
            room.time_us[count] = histories.time_us[row]
            furthest(histories.steps, row, end, plan.steps, room.furthest[count])
            for x in range(len(plan.excluded_from)):
                room.excluded_at[x, count] = (hits >> x) & 1
            count += 1
        row = end
    for x in range(len(plan.excluded_from)):
        seen_us = NEVER
        for q in range(count):
            room.excluded_before[x, q] = seen_us
            if room.excluded_at[x, q]:
                seen_us = room.time_us[q]
        seen_us = ALWAYS
        for q in range(count - 1, -1, -1):
            room.excluded_after[x, q] = seen_us
            if room.excluded_at[x, q]:
                seen_us = room.time_us[q]
    return count

"""One person's history by instants, in working space that is made once for many people.

Events can be taken away. What is asked of the rest are neighbours: the next event that can fill a step, the excluded
instant before another one. Each is found through links that are shortened whenever somebody follows them.
"""

from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Histories, Int32s, Int64s, Plan


class Room(NamedTuple):
    """Working space for the person with the most events. `n` is steps + 1, `r` rows + 1, `m` instants + 1.

    Rows are counted from the person's first one, and behind the last row and instant there is one more that never is.
    """

    masks: Int32s  # r: the steps that the row could fill; 0 once it is taken away
    excluded: Int32s  # r
    instant: Int32s  # r
    next_row: Int32s  # n x r: itself if the row can fill the step, else a later one on the way to the next that can
    first: Int32s  # m: its first row
    time_us: Int64s  # m
    is_mixed: Int32s  # m: a row of it could fill several steps
    left: Int32s  # m: how many rows of it are not taken away
    before: Int32s  # m: the instant before it that has rows left, -1 = none
    after: Int32s  # m: the same after it
    hits: Int32s  # x x m: rows that exclusion x matches
    last_hit: Int32s  # x x m: of instant q at q + 1: itself, or an earlier one on the way to the last that has hits
    counts: Int64s  # instants and rows of the person at hand
    stop: Int32s  # 1: not 0 when nobody waits any more


@compiled
def most_events(histories: Histories) -> int:
    most = 0
    for person in range(len(histories.offsets) - 1):
        most = max(most, histories.offsets[person + 1] - histories.offsets[person])
    return most


@compiled
def make_room(most: int, n: int, x: int, stop: Int32s) -> Room:
    return Room(
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros((n, most + 1), dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int64),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros(most + 1, dtype=np.int32),
        np.zeros((x, most + 1), dtype=np.int32),
        np.zeros((x, most + 2), dtype=np.int32),
        np.zeros(2, dtype=np.int64),
        stop,
    )


@compiled
def read_person(plan: Plan, histories: Histories, first: int, last: int, room: Room) -> None:
    """Fill the room with the rows first to last."""
    count = 0
    for row in range(last - first):
        if room.stop[0]:
            return
        if row == 0 or histories.time_us[first + row] != histories.time_us[first + row - 1]:
            room.first[count] = row
            room.time_us[count] = histories.time_us[first + row]
            room.is_mixed[count] = 0
            room.left[count] = 0
            for x in range(len(plan.excluded_from)):
                room.hits[x, count] = 0
            count += 1
        mask = histories.steps[first + row]
        room.masks[row] = mask
        room.excluded[row] = histories.excluded[first + row]
        room.instant[row] = count - 1
        room.left[count - 1] += 1
        if mask & (mask - 1):
            room.is_mixed[count - 1] = 1
        for x in range(len(plan.excluded_from)):
            room.hits[x, count - 1] += (histories.excluded[first + row] >> x) & 1
    room.counts[0], room.counts[1] = count, last - first
    room.instant[last - first], room.first[count] = count, last - first
    for q in range(count):
        room.before[q], room.after[q] = q - 1, q + 1
    _link(plan, room)


@compiled
def _link(plan: Plan, room: Room) -> None:
    count, rows = room.counts[0], room.counts[1]
    for step in range(1, plan.steps + 1):
        following = rows
        for row in range(rows, -1, -1):
            if row < rows and (room.masks[row] >> (step - 1)) & 1:
                following = row
            room.next_row[step, row] = following
    for x in range(len(plan.excluded_from)):
        latest = 0
        for q in range(count + 1):
            if q and room.hits[x, q - 1]:
                latest = q
            room.last_hit[x, q] = latest


@compiled
def end_of(links: Int32s, place: int) -> int:
    """Where a chain of links ends; all of it is made short, so that nobody walks it twice."""
    found = place
    while links[found] != found:
        found = links[found]
    while place != found:
        following = links[place]
        links[place] = found
        place = following
    return found


@compiled
def next_row(room: Room, step: int, row: int) -> int:
    """The first row from this one on that can fill the step; the number of rows if there is none."""
    return end_of(room.next_row[step], row)


@compiled
def next_instant(room: Room, step: int, q: int) -> int:
    """The first instant from this one on in which the step can be filled; the number of instants if there is none."""
    if q >= room.counts[0]:
        return room.counts[0]
    return room.instant[next_row(room, step, room.first[q])]


@compiled
def last_hit(room: Room, x: int, q: int) -> int:
    """The last instant up to this one with an excluded event; -1 if there is none."""
    return end_of(room.last_hit[x], q + 1) - 1


@compiled
def instant_from(room: Room, at_us: int) -> int:
    """The first instant that is not before that time; the number of instants if there is none."""
    return int(np.searchsorted(room.time_us[: room.counts[0]], at_us))


@compiled
def take_away(plan: Plan, room: Room, row: int) -> int:
    """The row fills nothing any more, excludes nothing and interrupts nothing. Returns a mask: the exclusions that
    have thereby left its instant, shifted by one, and 1 if the instant is no more.
    """
    q = room.instant[row]
    for step in range(1, plan.steps + 1):
        if (room.masks[row] >> (step - 1)) & 1:
            room.next_row[step, row] = row + 1
    gone = 0
    for x in range(len(plan.excluded_from)):
        if (room.excluded[row] >> x) & 1:
            room.hits[x, q] -= 1
            if room.hits[x, q] == 0:
                room.last_hit[x, q + 1] = q
                gone |= 2 << x
    room.masks[row] = 0
    room.left[q] -= 1
    if room.left[q] == 0:
        before, after = room.before[q], room.after[q]
        if before >= 0:
            room.after[before] = after
        if after < room.counts[0]:
            room.before[after] = before
        gone |= 1
    return gone

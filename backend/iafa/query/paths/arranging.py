"""Putting rows in order by person and time, in machine code: parted by the person's hash, then each part sorted.

A row of a part becomes one number of 63 bits, (person, time, kind of event) from left to right, so that the sort is
that of plain numbers.
"""

from typing import NamedTuple

import numpy as np

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Histories, Int32s, Int64s

KINDS_MAX = 1 << 12
SPREAD = 0x9E3779B97F4A7C15  # an odd number with no pattern: 2^64 over the golden ratio
_SLOTS_LEAST = 1 << 10


class Kinds(NamedTuple):
    """The different marks of events, each with a number, in the order in which they were met."""

    marks: Int32s  # by kind
    slots: Int32s  # a table of kinds + 1 by their marks; 0 = free
    known: Int64s  # 1: how many there are


class Layout(NamedTuple):
    """What the bits of a sorted number mean, and those of a mark."""

    time_bits: int
    kind_bits: int
    first_us: int
    instants: Int64s  # by time in a number, the time; empty: it is microseconds from `first_us` on
    steps: int
    entry_bits: int  # steps that a path may begin with
    from_us: int
    to_us: int


def no_kinds(most: int = KINDS_MAX) -> Kinds:
    slots = 4 << (most - 1).bit_length()
    return Kinds(np.zeros(most, np.int32), np.zeros(slots, np.int32), np.zeros(1, np.int64))


@compiled
def part_of(entity: int, shift: int) -> np.int64:
    """The number of the part in which a person lies; all bits of the hash have a say."""
    return np.int64((np.uint64(entity) * np.uint64(SPREAD)) >> np.uint64(shift))


@compiled
def number_kinds(marks: Int32s, ignored: int, kinds: Kinds, found: Int32s) -> bool:
    """Write the kind of each event; False if there are too many kinds. Bits of `ignored` make no difference."""
    last_mark, last_kind = -1, -1
    last_slot = len(kinds.slots) - 1
    for row in range(len(marks)):
        mark = marks[row] & ~ignored
        if mark != last_mark:
            slot = (mark * 40503) & last_slot
            while kinds.slots[slot] and kinds.marks[kinds.slots[slot] - 1] != mark:
                slot = (slot + 1) & last_slot
            if not kinds.slots[slot]:
                if kinds.known[0] == len(kinds.marks):
                    return False
                kinds.marks[kinds.known[0]] = mark
                kinds.known[0] += 1
                kinds.slots[slot] = kinds.known[0]
            last_mark, last_kind = mark, kinds.slots[slot] - 1
        found[row] = last_kind
    return True


@compiled
def count_parts(entities: Int64s, shift: int, counts: Int64s) -> None:
    for row in range(len(entities)):
        counts[part_of(entities[row], shift)] += 1


@compiled
def part(
    entities: Int64s,
    time_us: Int64s,
    kinds: Int32s,
    shift: int,
    places: Int64s,
    to: tuple[Int64s, Int64s, Int32s],
) -> None:
    """Write the rows part by part; `places` says where each begins (-1 = left out) and then where it ends."""
    for row in range(len(entities)):
        number = part_of(entities[row], shift)
        place = places[number]
        if place >= 0:
            places[number] = place + 1
            to[0][place] = entities[row]
            to[1][place] = time_us[row]
            to[2][place] = kinds[row]


@compiled
def number_people(entities: Int64s, numbers: Int64s) -> Int64s:
    """Write the number of each row's person; returns the people by number."""
    size = _SLOTS_LEAST
    slots = np.zeros(size, dtype=np.int32)  # number + 1; 0 = free
    people = np.zeros(size // 2, dtype=np.int64)
    count = 0
    for row in range(len(entities)):
        entity = entities[row]
        if row and entity == entities[row - 1]:
            numbers[row] = numbers[row - 1]
            continue
        slot = _slot_of(entity, slots, people)
        if not slots[slot]:
            if count == len(people):
                size *= 2
                slots = np.zeros(size, dtype=np.int32)
                more = np.zeros(size // 2, dtype=np.int64)
                more[:count] = people
                people = more
                for one in range(count):
                    slots[_slot_of(people[one], slots, people)] = one + 1
                slot = _slot_of(entity, slots, people)
            people[count] = entity
            count += 1
            slots[slot] = count
        numbers[row] = slots[slot] - 1
    return people[:count]


@compiled
def _slot_of(entity: int, slots: Int32s, people: Int64s) -> np.int64:
    """Where the person is, or where there is room."""
    last = len(slots) - 1
    slot = np.int64((np.uint64(entity) * np.uint64(SPREAD)) >> np.uint64(20)) & last
    while slots[slot] and people[slots[slot] - 1] != entity:
        slot = (slot + 1) & last
    return slot


@compiled
def compose(numbers: Int64s, times: Int64s, kinds: Int32s, layout: Layout) -> None:
    """Make of the number of each row's person the number by which the row is sorted."""
    for row in range(len(numbers)):
        at = (numbers[row] << layout.time_bits) | (times[row] - layout.first_us)
        numbers[row] = (at << layout.kind_bits) | kinds[row]


@compiled
def write_histories(
    ordered: Int64s,
    people: Int64s,
    marks: Int32s,
    layout: Layout,
    to: Histories,
    entities: Int64s,
    rows: int,
    count: int,
) -> tuple[int, int]:
    """Add the histories of those who entered to what has so many rows of so many people; returns how many it has now.

    `to.offsets` gets the end of each person.
    """
    time_mask = (1 << layout.time_bits) - 1
    kind_mask = (1 << layout.kind_bits) - 1
    person_shift = layout.time_bits + layout.kind_bits
    step_mask = (1 << layout.steps) - 1
    begin = 0
    while begin < len(ordered):
        person = ordered[begin] >> person_shift
        at, has_entered = rows, False
        while begin < len(ordered) and ordered[begin] >> person_shift == person:
            time_us = (ordered[begin] >> layout.kind_bits) & time_mask
            time_us = layout.instants[time_us] if len(layout.instants) else time_us + layout.first_us
            mark = marks[ordered[begin] & kind_mask]
            to.time_us[at] = time_us
            to.steps[at] = mark & step_mask
            to.excluded[at] = mark >> layout.steps
            has_entered = has_entered or (mark & layout.entry_bits != 0 and layout.from_us <= time_us < layout.to_us)
            at += 1
            begin += 1
        if has_entered:
            rows = at
            entities[count] = people[person]
            count += 1
            to.offsets[count] = rows
    return rows, count

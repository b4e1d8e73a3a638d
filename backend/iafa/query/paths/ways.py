"""The ways that sessions or people take, in machine code: what each did in order as one packed number, and how many
took each way. The mark of an event is the place of its name, and whether ways begin or end with it.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from iafa.query.array_memory import ArrayMemory
from iafa.query.paths.arranging import SPREAD
from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Histories, Int32s, Int64s

START, END = 1, 2
NAME_SHIFT = 2  # above them in a mark; 0 = the event is no step
_WORD_BITS = 62  # for names; below them the last word says whether the way ends with its names
_MORE_LEAST = 1 << 12
_SLOT_BYTES = 4


class Walking(NamedTuple):
    """How a way is followed, and how it is packed: the first name in the highest bits, so that ways sort by names."""

    gap_us: int  # a longer pause ends a way; -1: everything is one way
    from_us: int  # ways begin in [from_us, to_us)
    to_us: int
    has_start: bool
    has_end: bool
    collapses: bool
    depth: int
    name_bits: int
    word_names: int  # in one word
    words: int

    @classmethod
    def of(
        cls,
        *,
        gap_us: int,
        span: tuple[int, int],
        has_start: bool,
        has_end: bool,
        collapses: bool,
        depth: int,
        names: int,
    ) -> "Walking":
        bits = max(1, names.bit_length())
        word_names = _WORD_BITS // bits
        words = -(-depth // word_names)
        return cls(gap_us, *span, has_start, has_end, collapses, depth, bits, word_names, words)


class _Ways(NamedTuple):
    """Distinct ways in the order in which they were met, and how many took each."""

    words: Int64s  # ways x words
    counts: Int64s
    slots: Int32s  # a table of ways + 1 by their words; 0 = free
    known: Int64s  # 1: how many there are


class Tally:
    """Counts ways within the memory that there is. To be closed."""

    def __init__(self, arrays: ArrayMemory, walking: Walking) -> None:
        self.walking = walking
        self._arrays = arrays
        self._taken = 0
        self._ways = _no_ways(0, walking.words)

    def close(self) -> None:
        self._arrays.give(self._taken)
        self._taken = 0

    def add(self, histories: Histories, is_left_out: npt.NDArray[np.bool_]) -> bool:
        """Count the ways of all but some people; False if there is no room."""
        firsts, lasts = (np.empty(len(histories.steps) + 1, dtype=np.int64) for _ in range(2))
        found = find_ways(self.walking, histories, is_left_out, firsts, lasts)
        words = np.empty((found, self.walking.words), dtype=np.int64)
        found = pack_ways(self.walking, histories.steps, firsts[:found], lasts[:found], words)
        if not self._has_room(found):
            return False
        count_ways(words, np.ones(found, dtype=np.int64), self._ways)
        return True

    def names(self, names: int) -> Int64s:
        """By depth and place of a name, how many are there; the first name has the place 1."""
        totals = np.zeros((self.walking.depth, names + 1), dtype=np.int64)
        count_names(self.walking, self._ways, totals)
        return totals

    def links(self, groups: Int32s, most: int) -> Int64s:
        """By depth and group: how many go on to each group, then how many end there and how many go further than is
        shown. `groups` has the group of each name at each depth, less than `most`."""
        links = np.zeros((self.walking.depth, most, most + 2), dtype=np.int64)
        count_links(self.walking, self._ways, groups, links)
        return links

    def largest(self, most: int) -> list[tuple[list[int], bool, int]]:
        """The most frequent ways, ties by names: the places of their names, whether it ends there, how many took it."""
        found = np.full(most, -1, dtype=np.int64)
        find_largest(self._ways, found)
        shown = []
        for place in found[found >= 0].tolist():
            words = self._ways.words
            names = [name_of(self.walking, words, place, depth) for depth in range(self.walking.depth)]
            is_whole = bool(words[place, -1] & 1)
            shown.append(([int(one) for one in names if one], is_whole, int(self._ways.counts[place])))
        return shown

    def _has_room(self, more: int) -> bool:
        known, held = int(self._ways.known[0]), len(self._ways.counts)
        if known + more <= held:
            return True
        size = max(known + more, held + held // 2, _MORE_LEAST)
        grown_bytes = size * (self.walking.words + 1) * 8 + _slots_of(size) * _SLOT_BYTES
        if not self._arrays.take(grown_bytes):
            return False
        old, self._ways = self._ways, _no_ways(size, self.walking.words)
        count_ways(old.words, old.counts[:known], self._ways)
        self._arrays.give(self._taken)
        self._taken = grown_bytes
        return True


def _slots_of(size: int) -> int:
    return 2 << max(0, size - 1).bit_length()


def _no_ways(size: int, words: int) -> _Ways:
    return _Ways(
        np.zeros((size, words), np.int64),
        np.zeros(size, np.int64),
        np.zeros(_slots_of(size), np.int32),
        np.zeros(1, np.int64),
    )


@compiled
def find_ties(histories: Histories, found: npt.NDArray[np.bool_]) -> int:
    """Mark the steps of instants at which a person has different ones: only their ids tell the order. How many?"""
    ties = 0
    for person in range(len(histories.offsets) - 1):
        begin, end = histories.offsets[person], histories.offsets[person + 1]
        while begin < end:
            until, mark, is_mixed = begin, 0, False
            while until < end and histories.time_us[until] == histories.time_us[begin]:
                is_mixed = is_mixed or (mark != 0 and histories.steps[until] != 0 and histories.steps[until] != mark)
                mark = histories.steps[until] or mark
                until += 1
            if is_mixed:
                for row in range(begin, until):
                    found[row] = histories.steps[row] != 0
                    ties += found[row]
            begin = until
    return ties


@compiled
def find_ways(
    walking: Walking, histories: Histories, is_left_out: npt.NDArray[np.bool_], firsts: Int64s, lasts: Int64s
) -> int:
    """Write the first and the last row of each way, the last one before the first if there is none. How many?"""
    times, marks = histories.time_us, histories.steps
    count = 0
    for person in range(len(histories.offsets) - 1):
        end, until = histories.offsets[person], histories.offsets[person + 1]
        while end < until and not is_left_out[person]:
            begin = end
            end += 1
            while end < until and (walking.gap_us < 0 or times[end] - times[end - 1] <= walking.gap_us):
                end += 1
            if walking.gap_us >= 0 and not walking.from_us <= times[begin] < walking.to_us:
                continue
            first, last = begin, end - 1
            while walking.has_start and first < end and not marks[first] & START:
                first += 1
            if walking.has_start and walking.has_end:
                last = first + 1
                while last < end and not marks[last] & END:
                    last += 1
                last = last if last < end else first - 1
            while walking.has_end and not walking.has_start and last >= begin and not marks[last] & END:
                last -= 1
            firsts[count], lasts[count] = first, last
            count += last >= first
    return count


@compiled
def pack_ways(walking: Walking, marks: Int32s, firsts: Int64s, lasts: Int64s, words: Int64s) -> int:
    """Write those that have steps, packed. How many?"""
    step = -1 if walking.has_end and not walking.has_start else 1
    count = 0
    for way in range(len(firsts)):
        row, rows = firsts[way] if step > 0 else lasts[way], lasts[way] - firsts[way] + 1
        depth, before, is_whole, word, shift = 0, 0, 1, -1, 0
        while rows:
            name = marks[row] >> NAME_SHIFT
            row, rows = row + step, rows - 1
            if not name or (walking.collapses and name == before):
                continue
            before = name
            if depth == walking.depth:
                is_whole = 0
                break
            shift -= walking.name_bits
            if shift <= 0:
                word, shift = word + 1, 1 + (walking.word_names - 1) * walking.name_bits
                words[count, word] = 0
            words[count, word] |= name << shift
            depth += 1
        if depth:
            while word < walking.words - 1:
                word += 1
                words[count, word] = 0
            words[count, word] |= is_whole
            count += 1
    return count


@compiled
def name_of(walking: Walking, words: Int64s, way: int, depth: int) -> int:
    """The place of the name at a depth, from 0 on; 0 if the way has ended."""
    word, place = depth // walking.word_names, depth % walking.word_names
    shift = 1 + (walking.word_names - 1 - place) * walking.name_bits
    return (words[way, word] >> shift) & ((1 << walking.name_bits) - 1)


@compiled
def count_ways(words: Int64s, counts: Int64s, ways: _Ways) -> None:
    """Add ways, as many as there are counts. There is room for all of them."""
    last = len(ways.slots) - 1
    for row in range(len(counts)):
        hashed = np.uint64(0)
        for word in range(words.shape[1]):
            hashed = (hashed ^ np.uint64(words[row, word])) * np.uint64(SPREAD)
            hashed = (hashed ^ (hashed >> np.uint64(32))) * np.uint64(SPREAD)
        slot = np.int64(hashed >> np.uint64(20)) & last
        way, is_new = -1, True
        while is_new and ways.slots[slot]:
            way, is_new = ways.slots[slot] - 1, False
            for word in range(words.shape[1]):
                is_new = is_new or ways.words[way, word] != words[row, word]
            slot = (slot + 1) & last
        if is_new:
            way = ways.known[0]
            for word in range(words.shape[1]):
                ways.words[way, word] = words[row, word]
            ways.counts[way] = 0
            ways.known[0] = way + 1
            ways.slots[slot] = way + 1
        ways.counts[way] += counts[row]


@compiled
def count_names(walking: Walking, ways: _Ways, totals: Int64s) -> None:
    for way in range(ways.known[0]):
        for depth in range(walking.depth):
            totals[depth, name_of(walking, ways.words, way, depth)] += ways.counts[way]


@compiled
def count_links(walking: Walking, ways: _Ways, groups: Int32s, links: Int64s) -> None:
    most = links.shape[1]
    for way in range(ways.known[0]):
        words, entities = ways.words, ways.counts[way]
        name = name_of(walking, words, way, 0)
        for depth in range(walking.depth):
            following = name_of(walking, words, way, depth + 1) if depth + 1 < walking.depth else 0
            if following:
                target = groups[depth + 1, following]
            else:
                target = most if words[way, walking.words - 1] & 1 else most + 1
            links[depth, groups[depth, name], target] += entities
            if not following:
                break
            name = following


@compiled
def find_largest(ways: _Ways, found: Int64s) -> None:
    """Write the ways that most took, the largest first; -1 where there are no more."""
    for way in range(ways.known[0]):
        place = len(found)
        while place and (found[place - 1] < 0 or _is_before(ways, way, found[place - 1])):
            place -= 1
        if place < len(found):
            found[place + 1 :] = found[place:-1].copy()
            found[place] = way


@compiled
def _is_before(ways: _Ways, one: int, other: int) -> bool:
    """Is it larger, or of equal size with the smaller names?"""
    if ways.counts[one] != ways.counts[other]:
        return ways.counts[one] > ways.counts[other]
    for word in range(ways.words.shape[1]):
        if ways.words[one, word] != ways.words[other, word]:
            return ways.words[one, word] < ways.words[other, word]
    return False

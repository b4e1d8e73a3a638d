"""Sessions, in machine code: when each was, how deep, and which words it tells. A word is what an event says of
something, as a number; what the words mean is known elsewhere.

Of each event there is a row of numbers: the first is above 0 for a page view, and has a bit that says whether the event
passes the filters; the others are words, 0 where the event says nothing.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from iafa.query.paths.arranging import SPREAD, number_people, part_of
from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Int32s, Int64s

WORD_BITS = 24
WORDS_MAX = (1 << WORD_BITS) - 1
PASSES = 1 << WORD_BITS  # in the first column
_SIGNIFICANT_BITS = 63


class Told(NamedTuple):
    """What sessions tell, one thing after another: the word in a column of the first, or the last, event with one."""

    column: Int64s
    is_last: npt.NDArray[np.bool_]


class Visiting(NamedTuple):
    gap_us: int  # a longer pause ends a session
    from_us: int  # sessions begin in [from_us, to_us), and pages are counted there
    to_us: int
    told: Told
    page: int  # the column with the words of pages that are counted; -1: none are


class Part(NamedTuple):
    """Events of whole people, in any order."""

    people: Int64s  # the different ones
    numbers: Int64s  # by row, which of them it is
    time_us: Int64s
    kinds: Int32s  # rows x columns
    order: Int64s  # of the rows, by person and time

    @classmethod
    def of(cls, entities: Int64s, time_us: Int64s, kinds: Int32s) -> "Part":
        numbers = np.empty(len(entities), dtype=np.int64)
        people = number_people(entities, numbers)
        first_us = int(time_us.min())
        time_bits = (int(time_us.max()) - first_us).bit_length()
        if len(people).bit_length() + time_bits > _SIGNIFICANT_BITS:
            order = np.lexsort((time_us, numbers))
        else:
            order = np.argsort((numbers << time_bits) | (time_us - first_us))
        return cls(people, numbers, time_us, kinds, order)


class Visits(NamedTuple):
    """Sessions, those of a person one after another."""

    people: Int64s
    start_us: Int64s
    length_us: Int64s
    events: Int32s
    views: Int32s
    words: Int32s  # visits x what is told


class Ties(NamedTuple):
    """Where several events of one instant tell different words: whose, when, of which visit, which thing told."""

    people: Int64s
    time_us: Int64s
    visit: Int64s
    told: Int64s


class Pages(NamedTuple):
    """By word how often a page was viewed, by how many people. Words of one page have the same place."""

    place: Int32s  # by word
    views: Int64s  # by place
    people: Int64s
    last: Int64s  # by place, the number of the last person, from 1 on


class Words(NamedTuple):
    """A table of words by their hashes, none of which is 0."""

    hashes: Int64s
    words: Int32s  # 0 = free

    @classmethod
    def of(cls, hashes: Int64s) -> "Words":
        """The first has the number 1."""
        slots = 2 << len(hashes).bit_length()
        table = cls(np.zeros(slots, np.int64), np.zeros(slots, np.int32))
        _fill(hashes, table)
        return table

    @staticmethod
    def bytes_of(count: int) -> int:
        return 12 * (2 << count.bit_length())


def no_visits(most: int, told: int) -> Visits:
    """Room for so many."""
    kinds = (np.int64, np.int64, np.int64, np.int32, np.int32)
    columns: list[Any] = [np.empty(most, dtype=kind) for kind in kinds]
    return Visits._make([*columns, np.empty((most, told), dtype=np.int32)])


def no_ties(most: int) -> Ties:
    return Ties(*(np.empty(most, dtype=np.int64) for _ in range(4)))


@compiled
def _fill(hashes: Int64s, table: Words) -> None:
    last = len(table.hashes) - 1
    for number in range(len(hashes)):
        slot = np.int64((np.uint64(hashes[number]) * np.uint64(SPREAD)) >> np.uint64(20)) & last
        while table.words[slot]:
            slot = (slot + 1) & last
        table.hashes[slot] = hashes[number]
        table.words[slot] = number + 1


@compiled
def find_words(hashes: Int64s, table: Words, kinds: Int32s, column: int) -> bool:
    """Write the word of each hash; False if one is not known. The hash 0 says nothing."""
    last = len(table.hashes) - 1
    hashed, word = np.int64(0), np.int32(0)
    for row in range(len(hashes)):
        if hashes[row] != hashed:
            hashed, word = hashes[row], np.int32(0)
            slot = np.int64((np.uint64(hashed) * np.uint64(SPREAD)) >> np.uint64(20)) & last
            while hashed and table.words[slot] and table.hashes[slot] != hashed:
                slot = (slot + 1) & last
            if hashed and not table.words[slot]:
                return False
            word = table.words[slot] if hashed else word
        kinds[row, column] = word
    return True


@compiled
def part_kinds(
    entities: Int64s, time_us: Int64s, kinds: Int32s, shift: int, places: Int64s, to: tuple[Int64s, Int64s, Int32s]
) -> None:
    """Write the rows part by part; `places` says where each begins (-1 = left out) and then where it ends."""
    for row in range(len(entities)):
        number = part_of(entities[row], shift)
        place = places[number]
        if place >= 0:
            places[number] = place + 1
            to[0][place] = entities[row]
            to[1][place] = time_us[row]
            for column in range(kinds.shape[1]):
                to[2][place, column] = kinds[row, column]


@compiled
def find_visits(asked: Visiting, part: Part, visits: Visits, ties: Ties, done: Int64s) -> None:
    """Add the sessions of a part and their ties; `done` has the numbers of both that there are."""
    order, numbers, times, kinds = part.order, part.numbers, part.time_us, part.kinds
    begin = 0
    while begin < len(order):
        number, passes, views = numbers[order[begin]], 0, 0
        end, before_us = begin, times[order[begin]]
        while end < len(order):
            row = order[end]
            if numbers[row] != number or times[row] - before_us > asked.gap_us:
                break
            before_us = times[row]
            passes |= kinds[row, 0] & PASSES
            views += kinds[row, 0] & WORDS_MAX != 0
            end += 1
        start_us = times[order[begin]]
        if passes and asked.from_us <= start_us < asked.to_us:
            visit = done[0]
            visits.people[visit] = part.people[number]
            visits.start_us[visit] = start_us
            visits.length_us[visit] = before_us - start_us
            visits.events[visit] = end - begin
            visits.views[visit] = views
            _tell(asked.told, part, begin, end, visits, ties, done)
            done[0] += 1
        begin = end


@compiled
def _tell(told: Told, part: Part, begin: int, end: int, visits: Visits, ties: Ties, done: Int64s) -> None:
    order, times, kinds, visit = part.order, part.time_us, part.kinds, done[0]
    for one in range(len(told.column)):
        step = -1 if told.is_last[one] else 1
        place, last = (end - 1, begin - 1) if told.is_last[one] else (begin, end)
        while place != last and kinds[order[place], told.column[one]] & WORDS_MAX == 0:
            place += step
        visits.words[visit, one] = 0
        if place == last:
            continue
        time_us = times[order[place]]
        word = kinds[order[place], told.column[one]] & WORDS_MAX
        visits.words[visit, one] = word
        place += step
        while place != last and times[order[place]] == time_us:
            other = kinds[order[place], told.column[one]] & WORDS_MAX
            if other not in (0, word):
                tie = done[1]
                ties.people[tie] = visits.people[visit]
                ties.time_us[tie] = time_us
                ties.visit[tie] = visit
                ties.told[tie] = one
                done[1] += 1
                break
            place += step


@compiled
def count_pages(asked: Visiting, part: Part, pages: Pages, before: int) -> None:
    """Add the views of a part's people, `before` whom there were so many others."""
    kinds, times = part.kinds, part.time_us
    for place in range(len(part.order)):
        row = part.order[place]
        word = kinds[row, asked.page] & WORDS_MAX
        if word and kinds[row, 0] & PASSES and asked.from_us <= times[row] < asked.to_us:
            page, person = pages.place[word], before + part.numbers[row] + 1
            pages.views[page] += 1
            if pages.last[page] != person:
                pages.last[page] = person
                pages.people[page] += 1


@compiled
def settle(told: Told, ties: Ties, order: Int64s, people: Int64s, times: Int64s, kinds: Int32s, visits: Visits) -> None:
    """Write what was told at an instant of ties: the ids tell, in whose order the events are given, by person and time.
    `order` is that of the ties."""
    begin = 0
    for place in range(len(order)):
        tie = order[place]
        while people[begin] != ties.people[tie] or times[begin] != ties.time_us[tie]:
            begin += 1
        one, row, is_done = ties.told[tie], begin, False
        while row < len(people) and people[row] == people[begin] and times[row] == times[begin] and not is_done:
            word = kinds[row, told.column[one]] & WORDS_MAX
            if word:
                visits.words[ties.visit[tie], one] = word
                is_done = not told.is_last[one]
            row += 1


@compiled
def count_figures(visits: Visits, groups: Int32s, by_length: Int32s, figures: Int64s) -> None:
    """By group: how many visits, of how many people, with how many events and views, how many of one event, how long
    altogether and in the middle. `by_length` is the order of the visits by how long they are."""
    last = np.full(len(figures), -1, dtype=np.int64)  # by group, the latest visit
    first = 0  # of the person
    for visit in range(len(groups)):
        if visit and visits.people[visit] != visits.people[visit - 1]:
            first = visit
        group = groups[visit]
        figures[group, 0] += 1
        figures[group, 1] += last[group] < first
        figures[group, 2] += visits.events[visit]
        figures[group, 3] += visits.views[visit]
        figures[group, 4] += visits.events[visit] == 1
        figures[group, 5] += visits.length_us[visit]
        last[group] = visit
    met = np.zeros(len(figures), dtype=np.int64)
    for place in range(len(by_length)):
        visit = by_length[place]
        group = groups[visit]
        met[group] += 1
        if met[group] == (figures[group, 0] + 1) // 2:
            figures[group, 6] = visits.length_us[visit]

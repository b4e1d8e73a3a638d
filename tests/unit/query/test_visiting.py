"""Finding sessions and what they tell, against plain lists: at any times, with and without ties."""

import random
from collections import Counter, defaultdict

import numpy as np
import pytest

from iafa.event import TIME_MAX_US
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.visiting import (
    PASSES,
    WORDS_MAX,
    Pages,
    Part,
    Told,
    Visiting,
    Visits,
    Words,
    count_figures,
    count_pages,
    find_visits,
    find_words,
    no_ties,
    no_visits,
)
from iafa.query.paths.warming import visit_little

pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed: nothing calls this")
GAP_US, FROM_US, TO_US = 3, 5, 60
TOLD = Told(np.array([1, 1, 0], np.int64), np.array([False, True, False], np.bool_))
ASKED = Visiting(GAP_US, FROM_US, TO_US, TOLD, 1)
Row = tuple[int, int, int, int]  # person, time, the two numbers
Session = list[Row]


def some_rows(draw: random.Random, latest: int) -> list[Row]:
    people = [draw.randrange(-(1 << 63), 1 << 63) for _ in range(12)]
    marks = (0, 1, 2, PASSES, PASSES | 1)
    times = [*range(70), latest]
    return [
        (draw.choice(people), draw.choice(times), draw.choice(marks), draw.choice((0, 0, 1, 2, 3)))
        for _ in range(draw.randrange(1, 200))
    ]


def sessions(rows: list[Row]) -> list[Session]:
    """Those that count."""
    own: dict[int, list[Session]] = defaultdict(list)
    for row in sorted(rows, key=lambda one: one[1]):
        theirs = own[row[0]]
        if not theirs or row[1] - theirs[-1][-1][1] > GAP_US:
            theirs.append([])
        theirs[-1].append(row)
    every = [session for theirs in own.values() for session in theirs]
    return [one for one in every if FROM_US <= one[0][1] < TO_US and any(row[2] & PASSES for row in one)]


def words_of(session: Session, column: int, *, is_last: bool) -> set[int]:
    """Of the first instant, or the last, at which there are any."""
    said = [(row[1], row[column] & WORDS_MAX) for row in session if row[column] & WORDS_MAX]
    at = (max if is_last else min)((time for time, _word in said), default=None)
    return {word for time, word in said if time == at} or {0}


@pytest.mark.parametrize("latest", [69, TIME_MAX_US, (1 << 62) + 1])
def test_sessions_are_found_as_by_hand(latest: int) -> None:
    """Also where person and time have no room in one number."""
    draw = random.Random(latest)
    for _ in range(60):
        rows = some_rows(draw, latest)
        people, times, *marks = (np.array([row[place] for row in rows]) for place in range(4))
        part = Part.of(people.astype(np.int64), times.astype(np.int64), np.stack(marks, axis=1).astype(np.int32))
        visits, ties, done = no_visits(len(rows), 3), no_ties(3 * len(rows)), np.zeros(2, dtype=np.int64)
        find_visits(ASKED, part, visits, ties, done)
        count, tied = done.tolist()
        expected = {(one[0][0], one[0][1]): one for one in sessions(rows)}
        found = list(zip(*(column[:count].tolist() for column in visits), strict=True))
        assert len(found) == len(expected)
        unclear = set(zip(ties.visit[:tied].tolist(), ties.told[:tied].tolist(), strict=True))
        for number, (person, start_us, length_us, events, views, words) in enumerate(found):
            own = expected[person, start_us]
            assert (length_us, events) == (own[-1][1] - start_us, len(own))
            assert views == sum(row[2] & WORDS_MAX > 0 for row in own)
            for place, (column, is_last) in enumerate(((3, False), (3, True), (2, False))):
                may = words_of(own, column, is_last=is_last)
                assert words[place] in may
                assert ((number, place) in unclear) == (len(may) > 1)
        check_pages(rows, part)


def check_pages(rows: list[Row], part: Part) -> None:
    """The words 1 and 3 are of one page."""
    pages = Pages(np.array([-1, 0, 1, 0], np.int32), *(np.zeros(2, np.int64) for _ in range(3)))
    count_pages(ASKED, part, pages, 5)
    viewed = [row for row in rows if row[2] & PASSES and row[3] and FROM_US <= row[1] < TO_US]
    for page, words in enumerate(((1, 3), (2,))):
        assert pages.views[page] == sum(row[3] in words for row in viewed)
        assert pages.people[page] == len({row[0] for row in viewed if row[3] in words})


def test_figures_are_those_of_each_group() -> None:
    draw = random.Random(3)
    people = np.sort(np.array([draw.randrange(20) for _ in range(90)], dtype=np.int64))
    numbers = [np.array([draw.randrange(1, 9) for _ in people]) for _ in range(4)]
    start, length, events, views = numbers
    words = np.zeros((90, 0), np.int32)
    visits = Visits(people, start, length, events.astype(np.int32), views.astype(np.int32), words)
    groups = np.array([draw.randrange(3) for _ in people], dtype=np.int32)
    figures = np.zeros((4, 7), dtype=np.int64)
    count_figures(visits, groups, np.argsort(length).astype(np.int32), figures)
    for group in range(3):
        own = groups == group
        middle = np.sort(length[own])[-(-int(own.sum()) // 2) - 1]
        bounces = int((events[own] == 1).sum())
        sums = [int(column[own].sum()) for column in (events, views)]
        expected = [int(own.sum()), len(set(people[own].tolist())), *sums, bounces, int(length[own].sum()), int(middle)]
        assert figures[group].tolist() == expected
    assert not figures[3].any()


def test_words_are_found_by_their_hashes() -> None:
    draw = random.Random(4)
    known = np.array([draw.randrange(1, 1 << 62) * draw.choice((1, -1)) for _ in range(3_000)], dtype=np.int64)
    asked = np.concatenate((known, known[::-1], np.zeros(5, np.int64)))
    kinds = np.full((len(asked), 2), 9, dtype=np.int32)
    assert find_words(asked, Words.of(known), kinds, 1)
    numbers = [*range(1, 3_001)]
    assert kinds[:, 1].tolist() == [*numbers, *numbers[::-1], *[0] * 5]
    assert Counter(kinds[:, 0].tolist()) == {9: len(asked)}
    assert not find_words(np.array([known[0] ^ 1]), Words.of(known), kinds, 0)


def test_the_code_is_warmed_up() -> None:
    assert visit_little() == 2

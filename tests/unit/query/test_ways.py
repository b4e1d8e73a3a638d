"""Following and counting ways, against plain lists: any marks, any number of names, in little memory."""

import random
from collections import Counter

import numpy as np
import pytest

from iafa.query.array_memory import ArrayMemory
from iafa.query.paths import ways
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.plan import Histories
from iafa.query.paths.warming import walk_little
from iafa.query.paths.ways import END, NAME_SHIFT, START, Tally, Walking, find_ties

Event = tuple[int, int]  # time, mark
Way = tuple[tuple[int, ...], bool]
pytestmark = pytest.mark.skipif(not IS_COMPILED, reason="numba is not installed: nothing calls this")
MOST = 1 << 20


def some_people(draw: random.Random, names: int) -> list[list[Event]]:
    few = [draw.randrange(1, names + 1) for _ in range(draw.choice((2, 5)))]
    people = []
    for _ in range(draw.randrange(1, 60)):
        times = sorted(draw.randrange(40) for _ in range(draw.randrange(1, 14)))
        people.append([(time, draw.choice((0, draw.choice(few) << NAME_SHIFT | draw.randrange(4)))) for time in times])
    return people


def histories_of(people: list[list[Event]]) -> Histories:
    events = [event for own in people for event in own]
    times, marks = (np.array([event[place] for event in events]) for place in (0, 1))
    offsets = np.cumsum([0, *map(len, people)]).astype(np.int64)
    return Histories(offsets, times.astype(np.int64), marks.astype(np.int32), np.zeros(len(events), np.int32))


def walking_of(draw: random.Random, names: int) -> Walking:
    return Walking.of(
        gap_us=draw.choice((-1, 0, 3, 8)),
        span=(draw.randrange(10), draw.randrange(20, 40)),
        has_start=draw.random() < 0.4,
        has_end=draw.random() < 0.4,
        collapses=draw.random() < 0.6,
        depth=draw.choice((1, 2, 5, 10)),
        names=names,
    )


def expected(people: list[list[Event]], asked: Walking) -> Counter[Way]:
    found = Counter[Way]()
    for own in people:
        sessions: list[list[Event]] = []
        for event in own:
            if not sessions or (asked.gap_us >= 0 and event[0] - sessions[-1][-1][0] > asked.gap_us):
                sessions.append([])
            sessions[-1].append(event)
        for session in sessions:
            if asked.gap_us >= 0 and not asked.from_us <= session[0][0] < asked.to_us:
                continue
            names = steps([mark for _time, mark in session], asked)
            if names:
                found[tuple(names[: asked.depth]), len(names) <= asked.depth] += 1
    return found


def steps(marks: list[int], asked: Walking) -> list[int]:
    starts = [place for place, mark in enumerate(marks) if mark & START]
    ends = [place for place, mark in enumerate(marks) if mark & END]
    if asked.has_start:
        if not starts:
            return []
        later = [place for place in ends if place > starts[0]]
        if asked.has_end and not later:
            return []
        marks = marks[starts[0] : later[0] + 1] if asked.has_end else marks[starts[0] :]
    elif asked.has_end:
        marks = marks[: ends[-1] + 1][::-1] if ends else []
    names = [mark >> NAME_SHIFT for mark in marks if mark]
    return [name for place, name in enumerate(names) if not asked.collapses or not place or names[place - 1] != name]


@pytest.mark.parametrize("names", [1, 3, 31, 32, 5_000, 262_143])
def test_ways_are_counted_as_by_hand(names: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_MORE_LEAST", 1)  # the table grows many times
    draw = random.Random(names)
    for _ in range(40 if names < 1_000 else 8):
        asked, arrays = walking_of(draw, names), ArrayMemory(MOST)
        tally = Tally(arrays, asked)
        every: list[list[Event]] = []
        for _ in range(draw.randrange(1, 6)):
            people = some_people(draw, names)
            left_out = np.array([draw.random() < 0.2 for _ in people])
            assert tally.add(histories_of(people), left_out)
            every += [own for own, is_out in zip(people, left_out, strict=True) if not is_out]
        check(tally, expected(every, asked), names)
        tally.close()
        assert arrays.take(MOST)


def check(tally: Tally, found: Counter[Way], names: int) -> None:
    depth = tally.walking.depth
    order = sorted(found.items(), key=lambda one: (-one[1], one[0]))
    assert tally.largest(20) == [(list(places), is_whole, count) for (places, is_whole), count in order[:20]]
    totals, links = Counter[tuple[int, int]](), Counter[tuple[int, int, int]]()
    groups = np.arange(depth * (names + 1), dtype=np.int32).reshape(depth, names + 1) % 3
    for (places, is_whole), count in found.items():
        for step, place in enumerate(places):
            totals[step, place] += count
            following = groups[step + 1, places[step + 1]] if step + 1 < len(places) else 3 if is_whole else 4
            links[step, int(groups[step, place]), int(following)] += count
    counted, linked = tally.names(names), tally.links(groups, 3)
    assert {(at, place): int(counted[at, place]) for at, place in np.argwhere(counted).tolist() if place} == totals
    assert {(at, one, other): int(linked[at, one, other]) for at, one, other in np.argwhere(linked).tolist()} == links


def test_what_does_not_fit_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ways, "_MORE_LEAST", 1)
    arrays = ArrayMemory(2_000)
    walking = Walking.of(gap_us=-1, span=(0, 9), has_start=False, has_end=False, collapses=False, depth=1, names=200)
    tally = Tally(arrays, walking)
    did = [tally.add(histories_of([[(1, name << NAME_SHIFT)]]), np.zeros(1, np.bool_)) for name in range(1, 200)]
    assert did[0]
    assert not did[-1]
    tally.close()
    assert arrays.take(2_000)


def test_ties_are_different_steps_of_one_instant() -> None:
    people = [
        [(1, 4), (1, 8), (2, 4)],
        [(1, 4), (1, 4), (2, 0), (2, 8), (3, 12)],
        [(1, 4), (1, 0), (1, 8)],
        [(1, 4), (1, 4 | START), (2, 8), (3, 12)],
    ]
    did = histories_of(people)
    found = np.zeros(len(did.steps), dtype=np.bool_)
    assert find_ties(did, found) == 6
    rows = np.split(found, did.offsets[1:-1])
    assert [np.flatnonzero(own).tolist() for own in rows] == [[0, 1], [], [0, 2], [0, 1]]


def test_the_code_is_warmed_up() -> None:
    assert walk_little() == 1

"""How far everybody gets: a slow program that is written for reading. It goes into notebooks as it is, and imports
nothing of IAFA. The rules are those of the page "Semantics" of the documentation.

Every choice of events is tried. Choices that leave the same possibilities are tried once.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from itertools import groupby
from typing import Any, NamedTuple

Plan = Mapping[str, Any]  # the definition as numbers; steps are its required stages, from 1


class Event(NamedTuple):
    """Of one person, in the order of time, then id. Bit k - 1 of a mask says that the event matches number k."""

    time: int  # microseconds
    id: str
    steps: int
    optional: int
    excluded: int


class Path(NamedTuple):
    """Comparing two says which one is reported: the longer, then the better start, then times, then ids."""

    shortness: int
    start: int
    times: tuple[int, ...]
    places: tuple[int, ...]  # of the events in the person's list, which is sorted by (time, id)
    steps: tuple[int, ...]  # which step each of them fills

    def __len__(self) -> int:
        return -self.shortness


End = tuple[int, tuple[int, ...], tuple[int, ...], tuple[int, ...]]  # of a path: (shortness, times, places, steps)
Since = tuple[int | None, ...]  # by exclusion: when the step was with which it begins
_END: End = (0, (), (), ())


def count(rows: Iterable[tuple[Any, ...]], plan: Plan) -> dict[str, Any]:
    """The numbers of the funnel, from rows (entity, time, id, steps, optional, excluded) sorted by these."""
    steps = plan["steps"]
    users, filled, optional = [0] * steps, [0] * steps, [0] * sum(map(bool, plan["stages"]))
    open_by_length: Counter[int] = Counter()
    entered = dropped = 0
    for _entity, own in groupby(rows, key=lambda row: row[0]):
        events = [Event(*row[1:]) for row in own]
        begins = entries(events, plan)
        if not begins:
            continue
        paths = list(reported_paths(events, plan))
        for path in paths:
            for k in range(len(path)):
                users[k] += 1
            for step in path.steps:
                filled[step - 1] += 1
            for number in filled_optional(events, path, plan):
                optional[number - 1] += 1
        longest = max(map(len, paths), default=0)
        entered += 1
        dropped += longest == 0
        is_live = max(begins) >= plan["open_from"] and events[-1].time >= plan["live_from"]
        open_by_length[longest] += longest < steps and is_live
    most = [reached + sum(open_by_length[length] for length in range(k + 1)) for k, reached in enumerate(users)]
    return {
        "users": users,
        "users_max": most,
        "people_total": entered,
        "open": sum(open_by_length[length] for length in range(steps)),
        "dropped_by_exclusion": dropped,
        "stages_filled": filled,
        "optional_stages": optional,
    }


def entries(events: Sequence[Event], plan: Plan) -> list[int]:
    """When a path may begin: the times of events of step 1 in the range; in any order those of any step."""
    bits = plan["entry_bits"]
    return [event.time for event in events if event.steps & bits and plan["from"] <= event.time < plan["to"]]


def reported_paths(events: Sequence[Event], plan: Plan) -> Iterator[Path]:
    """The path that counts; for totals all, each from the events that the ones before left over."""
    left = list(events)
    while path := best_path(left, plan):
        yield path
        if not plan["totals"]:
            return
        used = set(path.places)
        left = [event for place, event in enumerate(left) if place not in used]


def best_path(events: Sequence[Event], plan: Plan) -> Path | None:
    """Every start is tried, the preferred ones first."""
    begins = sorted(set(entries(events, plan)), reverse=plan["entry"] == "last")
    if plan["entry"] == "first":
        begins = begins[:1]
    best: Path | None = None
    for preference, start in enumerate(begins):
        if best and bound(events, start, plan) <= len(best):
            continue  # a later choice would have to be longer
        find = unordered_ends if plan["is_unordered"] else ordered_ends
        for end in find(events, start, plan):
            if end is not None and end[0] < 0:
                path = Path(end[0], preference, *end[1:])
                best = path if best is None else min(best, path)
    return best


def bound(events: Sequence[Event], start: int, plan: Plan) -> int:
    """No path from this start is longer: how many steps have any event at all within the window."""
    found = 0
    for place in range(bisect_left(events, start - plan["grace"], key=time_of), len(events)):
        if events[place].time > start + plan["window"]:
            break
        found |= events[place].steps
    if plan["is_unordered"]:
        return found.bit_count()
    return next((k for k in range(plan["steps"]) if not found >> k & 1), int(plan["steps"]))


def time_of(event: Event) -> int:
    return event.time


# --- in order: each step later than the one before, with all that may forbid it


def ordered_ends(events: Sequence[Event], start: int, plan: Plan) -> Iterator[End | None]:
    """The best path for each event of step 1 at this time; None where an excluded event forbids all."""
    for first, event in enumerate(events):
        if event.time == start and event.steps & 1:
            yield Ordered(events, start, plan).end_from(first)


class Ordered:
    """The search for paths whose first step has the time `start`."""

    def __init__(self, events: Sequence[Event], start: int, plan: Plan) -> None:
        self.plan, self.events, self.start = plan, events, start
        self.times = [event.time for event in events]
        self.window_end = start + plan["window"]
        self.fitting = [[n for n, event in enumerate(events) if event.steps >> k & 1] for k in range(plan["steps"])]
        self.guards = [
            (low, high, [event.time for event in events if event.excluded >> x & 1])
            for x, (low, high) in enumerate(plan["exclusions"])
        ]
        self.best = cache(self._best)

    def end_from(self, first: int) -> End | None:
        end = self._after(1, self.start, frozenset({first}), (None,) * len(self.guards), first)
        return None if end is None else _before(first, self.start, 1, end)

    def _best(self, step: int, high: int, used: frozenset[int], since: Since) -> End | None:
        """The best end of a path that has reached `step`; `high` is its latest time, `used` may be taken no more."""
        ends: list[End] = [] if self._is_tainted(step, since) else [_END]
        tried: set[tuple[int, int]] = set()
        for place in self.fitting[step] if step < self.plan["steps"] else ():
            t = self.times[place]
            looks = (t, self.events[place].steps)
            if place in used or looks in tried or not self._may_follow(step + 1, high, t):
                continue
            tried.add(looks)  # of events that look the same the one with the smallest id
            if not self._is_cut(step + 1, since, t):
                end = self._after(step + 1, max(high, t), used | {place}, since, place)
                if end is not None:
                    ends.append(_before(place, t, step + 1, end))
        return min(ends, default=None)

    def _after(self, step: int, high: int, used: frozenset[int], since: Since, place: int) -> End | None:
        t = self.times[place]
        # Events from before `high`, less the grace, cannot be taken again anyway.
        still = frozenset(one for one in used if self.times[one] >= high - self.plan["grace"])
        begun = tuple(t if low == step else known for (low, *_), known in zip(self.guards, since, strict=True))
        return self.best(step, high, still, begun)

    def _may_follow(self, step: int, high: int, t: int) -> bool:
        """May an event of this time fill the step, when the latest one before it has the time `high`?"""
        plan, pause = self.plan, t - high
        if pause < -plan["grace"] or not self.start - plan["window"] <= t <= self.window_end:
            return False
        if not plan["earliest"] <= t < plan["end"] or (plan["is_tie_strict"] and pause <= 0):
            return False
        if plan["is_strict"] and pause > 0 and self.times[bisect_right(self.times, high)] < t:
            return False  # another event in between
        if plan["after"][step - 1] and pause < plan["after"][step - 1]:
            return False
        return bool(pause <= plan["within"][step - 1])

    def _is_cut(self, step: int, since: Since, t: int) -> bool:
        """Does the step end what an exclusion guards, with an excluded event strictly in between?"""
        return any(
            step == high and begun is not None and any_between(excluded, begun, t - 1)
            for (_low, high, excluded), begun in zip(self.guards, since, strict=True)
        )

    def _is_tainted(self, step: int, since: Since) -> bool:
        """`drop`: does a path that ends here leave a guarded part open, with an excluded event in its window?"""
        return self.plan["is_drop"] and any(
            low <= step < high and begun is not None and any_between(excluded, begun, self.window_end)
            for (low, high, excluded), begun in zip(self.guards, since, strict=True)
        )


def any_between(times: Sequence[int], low: int, high: int) -> bool:
    """Is one of the sorted times above `low` and at most `high`?"""
    place = bisect_right(times, low)
    return place < len(times) and times[place] <= high


def _before(place: int, time: int, step: int, end: End) -> End:
    return end[0] - 1, (time, *end[1]), (place, *end[2]), (step, *end[3])


# --- in any order: the largest set of steps


def unordered_ends(events: Sequence[Event], start: int, plan: Plan) -> Iterator[End | None]:
    """The best set whose earliest event has this time."""
    times = [event.time for event in events]
    steps, everything = plan["steps"], (1 << plan["steps"]) - 1
    last = min(start + plan["window"], plan["end"] - 1)
    excluded = [event.time for event in events if event.excluded and event.time > start]
    if excluded:
        last = min(last, excluded[0])  # at the same instant as the last event it is not in between
    is_tainted = plan["is_drop"] and bool(excluded) and excluded[0] <= start + plan["window"]

    @cache
    def best(place: int, taken: int) -> End | None:
        """The best end of a set that has the steps `taken`, with events from `place` on."""
        is_allowed = not (is_tainted and taken != everything) and not (plan["first_required"] and not taken & 1)
        ends: list[End] = [_END] if is_allowed else []
        tried: set[tuple[int, int]] = set()
        for later in range(place, bisect_right(times, last if taken else start)):
            looks = (times[later], events[later].steps)
            if looks in tried:
                continue
            tried.add(looks)
            for step in range(1, steps + 1):
                bit = 1 << (step - 1)
                if taken & bit or not events[later].steps & bit:
                    continue
                if plan["first_required"] and step == 1 and times[later] != start:
                    continue
                end = best(later + 1, taken | bit)
                if end is not None:
                    ends.append(_before(later, times[later], step, end))
        return min(ends, default=None)

    yield best(bisect_left(times, start), 0)


# --- optional stages: they fill up a path whose times are settled


def filled_optional(events: Sequence[Event], path: Path, plan: Plan) -> tuple[int, ...]:
    """The optional stages that the path fills, from 1: the most, then the earliest, then by ids."""
    stages = plan["stages"]  # 0: a required one; else the number of an optional one
    last = min(path.times[0] + plan["window"], plan["end"] - 1)
    required = [n for n, number in enumerate(stages) if not number]
    until = required[len(path)] if len(path) < len(required) else len(stages)
    if not any(stages):
        return ()

    @cache
    def best(n: int, high: int, used: frozenset[int]) -> End | None:
        if n == until:
            return _END
        number = stages[n]
        ends = []
        if number:
            ends.append(best(n + 1, high, used))
        low, top = (high, last) if number else (path.times[required.index(n)],) * 2
        for place, event in enumerate(events):
            fits = event.optional >> (number - 1) & 1 if number else event.steps >> required.index(n) & 1
            if not fits or place in used or not max(low, high) <= event.time <= top:
                continue
            still = frozenset(one for one in used | {place} if events[one].time == event.time)
            end = best(n + 1, event.time, still)
            if end is not None and number:
                ends.append(_before(place, event.time, number, end))
            elif end is not None:
                ends.append((end[0], end[1], (place, *end[2]), end[3]))
        return min((end for end in ends if end is not None), default=None)

    end = best(0, path.times[0], frozenset())
    assert end is not None
    return end[3]

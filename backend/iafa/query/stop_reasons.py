"""Why a path ends where it ends: what each later event would have broken, the nearest miss first. Pure, over lists.

Every event that could fill the next stage by its name is a candidate. Its causes are all rules that it would break as
the next event of the reported path; a candidate with one cause would have been counted but for that cause.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from iafa.query.paths.plan import ENTRY_FIRST, NO_LIMIT_US, Plan

CANDIDATES_MAX = 20_000
REASONS_MAX = 10
BLAMED_MAX = 20


class Cause(StrEnum):
    """The closed set of reasons."""

    NEVER_HAPPENED = "never_happened"
    AFTER_WINDOW = "after_window"
    BEFORE_WINDOW = "before_window"
    BEFORE_PREVIOUS = "before_previous"
    SAME_INSTANT = "same_instant"
    FILTER_NOT_MET = "filter_not_met"
    EXCLUDED = "excluded"
    INTERRUPTED = "interrupted"
    WITHIN_TOO_LATE = "within_too_late"
    AFTER_TOO_EARLY = "after_too_early"
    OUT_OF_RANGE = "out_of_range"
    OTHER_SESSION = "other_session"
    OTHER_HOLD_VALUE = "other_hold_value"
    ALREADY_USED = "already_used"
    NOT_FIRST_ENTRY = "not_first_entry"


@dataclass(frozen=True)
class Broken:
    """One rule that an event breaks: by how much, through which other events, by which exclusion (from 0)."""

    cause: Cause
    by_us: int | None = None
    blamed: tuple[int, ...] = ()
    exclusion: int | None = None


@dataclass(frozen=True)
class Miss:
    """An event that did not fill the stage, and why. `event` is None when there was none at all."""

    stage: int
    event: int | None
    broken: tuple[Broken, ...]


@dataclass(frozen=True)
class Rules:
    """What the definition asks for beside the numbers of the plan."""

    plan: Plan
    grace_us: int = 0
    is_unordered: bool = False
    is_first_required: bool = False
    is_strict_filtered: bool = False
    other_part: Cause = Cause.OTHER_SESSION


@dataclass
class Story:
    """One person's events by (time, id). Bit i - 1 of a mask is step i, or exclusion i."""

    time_us: Sequence[int]
    named: Sequence[int]
    steps: Sequence[int]
    excluded: Sequence[int]
    is_filtered: Sequence[bool]  # passes the global filters
    is_own: Sequence[bool]  # belongs to the session or values that are explained
    path: dict[int, int] = field(default_factory=dict)  # step -> event


def misses(rules: Rules, story: Story) -> list[Miss]:
    """Why the path has no further step, the nearest miss first; empty when it is complete."""
    missing = _missing(rules, story)
    if not missing:
        return []
    anchor_us = _anchor_us(rules, story)
    bits = sum(1 << (step - 1) for step in missing)
    candidates = [event for event, named in enumerate(story.named) if named & bits]
    candidates.sort(key=lambda event: (abs(story.time_us[event] - anchor_us), event))
    judged = _Judge(rules, story, missing)
    found = [judged.miss(event) for event in candidates[:CANDIDATES_MAX]]
    found.sort(key=lambda miss: len(miss.broken))
    return found[:REASONS_MAX] or [Miss(missing[0], None, (Broken(Cause.NEVER_HAPPENED),))]


def _missing(rules: Rules, story: Story) -> list[int]:
    if not rules.is_unordered:
        return [len(story.path) + 1] if len(story.path) < rules.plan.steps else []
    if rules.is_first_required and not story.path:
        return [1]
    return [step for step in range(1, rules.plan.steps + 1) if step not in story.path]


def _anchor_us(rules: Rules, story: Story) -> int:
    """Near which time a next event would have been expected."""
    if story.path:
        return max(story.time_us[event] for event in story.path.values())
    return rules.plan.from_us


class _Judge:
    def __init__(self, rules: Rules, story: Story, missing: list[int]) -> None:
        self._rules = rules
        self._plan = rules.plan
        self._story = story
        self._missing = missing
        self._used = set(story.path.values())
        self._times = [story.time_us[event] for _step, event in sorted(story.path.items())]
        own = [event for event, is_own in enumerate(story.is_own) if is_own]
        self._excluding = [
            [event for event in own if story.excluded[event] >> number & 1]
            for number in range(len(rules.plan.excluded_from))
        ]
        bits = 1 if rules.is_first_required or not rules.is_unordered else -1
        self._entries = [
            event for event in own if story.steps[event] & bits and self._is_in_range(story.time_us[event])
        ]
        self._others = [event for event in own if story.is_filtered[event] or not rules.is_strict_filtered]

    def miss(self, event: int) -> Miss:
        story = self._story
        step = self._step(event)
        if event in self._used:
            return Miss(step, event, (Broken(Cause.ALREADY_USED),))
        broken = []
        if not story.steps[event] >> (step - 1) & 1:
            broken.append(Broken(Cause.FILTER_NOT_MET))
        if not story.is_own[event]:
            broken.append(Broken(self._rules.other_part))
        if not self._times:
            broken += self._as_first(story.time_us[event])
        elif self._rules.is_unordered:
            broken += self._without_order(story.time_us[event])
        else:
            broken += self._as_next(step, event)
        return Miss(step, event, tuple(broken))

    def _step(self, event: int) -> int:
        """The missing step that the event is nearest to filling."""
        for mask in (self._story.steps[event], self._story.named[event]):
            for step in self._missing:
                if mask >> (step - 1) & 1:
                    return step
        return self._missing[0]

    def _is_in_range(self, at_us: int) -> bool:
        """May a path begin at that time?"""
        return self._plan.from_us <= at_us < self._plan.to_us

    def _as_first(self, at_us: int) -> Iterator[Broken]:
        if not self._is_in_range(at_us):
            yield Broken(Cause.OUT_OF_RANGE)
        elif self._plan.entry == ENTRY_FIRST and at_us > self._story.time_us[self._entries[0]]:
            yield Broken(Cause.NOT_FIRST_ENTRY)
        if self._rules.is_unordered:
            yield from self._excluded_in_set(at_us, at_us, 1)
        else:
            yield from self._excluded([at_us])

    def _as_next(self, step: int, event: int) -> Iterator[Broken]:
        plan, at_us = self._plan, self._story.time_us[event]
        first_us, last_us = self._times[0], self._times[-1]
        newest_us = max(self._times)
        is_before = at_us < newest_us - self._rules.grace_us
        if is_before:
            yield Broken(Cause.BEFORE_PREVIOUS, newest_us - at_us)
        elif plan.is_tie_strict and at_us == last_us:
            yield Broken(Cause.SAME_INSTANT)
        if at_us - first_us > plan.window_us:
            yield Broken(Cause.AFTER_WINDOW, at_us - first_us - plan.window_us)
        elif first_us - at_us > plan.window_us and not is_before:
            yield Broken(Cause.BEFORE_WINDOW, first_us - at_us - plan.window_us)
        if at_us >= plan.end_us and plan.is_all_steps:
            yield Broken(Cause.OUT_OF_RANGE)
        if is_before:
            return
        within_us, after_us = int(plan.within_us[step]), int(plan.after_us[step])
        if within_us < NO_LIMIT_US and at_us - last_us > within_us:
            yield Broken(Cause.WITHIN_TOO_LATE, at_us - last_us - within_us)
        if at_us - last_us < after_us:
            yield Broken(Cause.AFTER_TOO_EARLY, after_us - (at_us - last_us))
        if plan.is_strict:
            between = self._between(self._others, last_us, at_us - 1)
            if between:
                yield Broken(Cause.INTERRUPTED, blamed=between)
        yield from self._excluded([*self._times, at_us])

    def _excluded(self, times: list[int]) -> Iterator[Broken]:
        """Which exclusions forbid a path at these times?"""
        plan, length = self._plan, len(times)
        for number, events in enumerate(self._excluding):
            low, high = int(plan.excluded_from[number]), int(plan.excluded_to[number])
            if length < (low if plan.is_drop else high):
                continue
            until_us = times[high - 1] - 1 if length >= high else times[0] + plan.window_us
            if between := self._between(events, times[low - 1], until_us):
                yield Broken(Cause.EXCLUDED, blamed=between, exclusion=number)

    def _without_order(self, at_us: int) -> Iterator[Broken]:
        plan = self._plan
        first_us, last_us = min(self._times), max(self._times)
        is_earlier = at_us < first_us
        if at_us - first_us > plan.window_us:
            yield Broken(Cause.AFTER_WINDOW, at_us - first_us - plan.window_us)
        if last_us - at_us > plan.window_us:
            yield Broken(Cause.BEFORE_WINDOW, last_us - at_us - plan.window_us)
        if is_earlier and self._rules.is_first_required:
            yield Broken(Cause.BEFORE_PREVIOUS, first_us - at_us)
        is_late = at_us >= plan.end_us and plan.is_all_steps
        if is_late or (is_earlier and not self._is_in_range(at_us)):
            yield Broken(Cause.OUT_OF_RANGE)
        yield from self._excluded_in_set(min(first_us, at_us), max(last_us, at_us), len(self._times) + 1)

    def _excluded_in_set(self, first_us: int, last_us: int, size: int) -> Iterator[Broken]:
        until_us = last_us - 1
        if self._plan.is_drop and size < self._plan.steps:
            until_us = first_us + self._plan.window_us
        for number, events in enumerate(self._excluding):
            if between := self._between(events, first_us, until_us):
                yield Broken(Cause.EXCLUDED, blamed=between, exclusion=number)

    def _between(self, events: list[int], after_us: int, until_us: int) -> tuple[int, ...]:
        """The events later than the one time and not later than the other."""
        low = bisect_right(events, after_us, key=self._story.time_us.__getitem__)
        high = bisect_right(events, until_us, key=self._story.time_us.__getitem__)
        return tuple(events[low : min(high, low + BLAMED_MAX)])

"""The tables of drivers by brute force: person by person, prefix by prefix. Imports nothing of the product."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from tests.support import paths_oracle
from tests.support.oracle import matches
from tests.support.paths_oracle import NO_LIMIT, SECOND_US, Definition, Event

Name = tuple[str, str, str, Any]  # where, name, op, value
Counts = tuple[int, int]  # people, converted
VALUES_MAX = 10
PEOPLE_MIN = 20
SHARES = (0.1, 0.25, 0.5, 0.75, 0.9)


@dataclass
class Person:
    events: Sequence[Event]
    at: int
    next_at: float
    converted: bool
    entry: Event
    stage: Event


def reported(history: Sequence[Event], definition: Definition, lo: int, hi: int) -> list[paths_oracle.Path]:
    """The reported paths of one person within [lo, hi)."""

    def is_within(event: Event) -> bool:
        return bool(lo <= event["t"] < hi)

    return paths_oracle.reported(history, definition, is_within, is_within)


def first_moment(history: Sequence[Event], given: Definition, level: int, lo: int, hi: int) -> int | None:
    """The first instant up to which the events are enough for the level."""
    for instant in sorted({event["t"] for event in history}):
        known = [event for event in history if event["t"] <= instant]
        paths = reported(known, blind(given), lo, hi)
        filled = [number for path in paths for number in path if not given["stages"][number - 1].get("optional")]
        if len(filled) >= level:
            return int(instant)
    return None


def blind(given: Definition) -> dict[str, Any]:
    """Without what only the future tells: the last of several entries, what `drop` looks for."""
    definition: dict[str, Any] = {**given, "exclusion_mode": "cut"}
    if definition.get("entry") == "last":
        definition["entry"] = "best"
    return definition


def people_of(
    histories: Iterable[Sequence[Event]], definition: Definition, level: int, lo: int, hi: int
) -> list[Person]:
    """Those who reached the level, in order of nothing."""
    found = []
    for history in histories:
        (path,) = reported(history, definition, lo, hi) or [{}]
        reached = sum(not definition["stages"][number - 1].get("optional") for number in path)
        if reached < level:
            continue
        at = first_moment(history, definition, level, lo, hi)
        assert at is not None
        later = first_moment(history, definition, level + 1, lo, hi)
        known = [event for event in history if event["t"] <= at]
        if definition.get("order") == "unordered":
            (own,) = reported(known, blind(definition), lo, hi)
            events = sorted(own.values(), key=lambda event: (event["t"], event["id"]))
        else:
            (own,) = reported(known, _first_stages(definition, level), lo, hi)
            events = [own[number] for number in sorted(own)]
        next_at = NO_LIMIT if later is None else later
        found.append(Person(history, at, next_at, reached > level, events[0], events[level - 1]))
    return found


def _first_stages(given: Definition, level: int) -> dict[str, Any]:
    definition = blind(given)
    required = [number for number, stage in enumerate(given["stages"], start=1) if not stage.get("optional")]
    numbers = {number: place for place, number in enumerate(required[:level], start=1)}
    definition["stages"] = [given["stages"][number - 1] for number in numbers]
    definition["exclusions"] = [
        {**one, "from_stage": numbers[one["from_stage"]], "to_stage": numbers[one["to_stage"]]}
        for one in given.get("exclusions", ())
        if one["to_stage"] in numbers
    ]
    return definition


def of_properties(people: Sequence[Person], names: Sequence[str], level: int) -> dict[Name, Counts]:
    """Every value that 20 people have (the ten most frequent), thresholds of numbers, and who has the property."""
    tables: dict[Name, Counts] = {}
    for where in ("entry", "stage")[: 1 if level == 1 else 2]:
        for name in names:
            having: dict[Any, list[Person]] = defaultdict(list)
            for person in people:
                value = (person.entry if where == "entry" else person.stage)["properties"].get(name)
                if value is not None:
                    having[value].append(person)
            known = [person for own in having.values() for person in own]
            if known:
                tables[where, name, "exists", None] = _counts(known)
            is_id = len(having) == len(known)  # whole numbers that nobody shares
            if len(having) > VALUES_MAX and not is_id and all(isinstance(value, int) for value in having):
                tables |= _thresholds(having, where, name)
                continue
            shared = [(value, own) for value, own in having.items() if len(own) >= PEOPLE_MIN]
            for value, own in sorted(shared, key=lambda pair: (-len(pair[1]), str(pair[0])))[:VALUES_MAX]:
                tables[where, name, "eq", str(value)] = _counts(own)
    return tables


def _thresholds(having: dict[Any, list[Person]], where: str, name: str) -> dict[Name, Counts]:
    numbers = sorted(value for value, own in having.items() for _ in own)
    cuts = {numbers[math.ceil(share * len(numbers)) - 1] for share in SHARES}
    return {
        (where, name, "gte", float(cut)): _counts([one for value, own in having.items() if value >= cut for one in own])
        for cut in cuts
    }


def of_events(
    people: Sequence[Person], definition: Definition, level: int, *, lookback_s: int, landmark_s: int, as_of: int
) -> dict[Name, Counts]:
    required = [stage for stage in definition["stages"] if not stage.get("optional")]
    later = required if definition.get("order") == "unordered" else required[level:]
    tie = definition.get("tie", "any")
    grace = int(tie.removeprefix("grace:")) * SECOND_US if tie.startswith("grace") else 0
    did: dict[Name, list[Person]] = defaultdict(list)
    for person in people:
        landmark = person.at + landmark_s * SECOND_US
        is_undecided = landmark_s > 0 and person.next_at > landmark and landmark <= as_of
        seen = set()
        for event in person.events:
            if any(matches(event, stage) for stage in later):
                continue
            if person.at - grace - lookback_s * SECOND_US <= event["t"] < person.at - grace:
                seen.add(("before", event["name"], "did", None))
            if is_undecided and person.at < event["t"] <= landmark:
                seen.add(("after", event["name"], "did", None))
        for name in seen:
            did[name].append(person)
    return {name: _counts(own) for name, own in did.items()}


def undecided(people: Sequence[Person], landmark_s: int, as_of: int) -> Counts:
    wait = landmark_s * SECOND_US
    return _counts([one for one in people if landmark_s and one.next_at > one.at + wait and one.at + wait <= as_of])


def _counts(people: Sequence[Person]) -> Counts:
    return len(people), sum(person.converted for person in people)

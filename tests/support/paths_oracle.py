"""The paths of one entity by brute force, from the text of the semantics. Imports nothing of the product.

Every choice of distinct events is tried. An event is a mapping with `id`, `t` (microseconds), `name`, `properties`; a
definition is its JSON. A path maps the number of a stage (from 1, optional ones included) to the event that fills it.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from tests.support.oracle import matches

Event = Mapping[str, Any]
Definition = Mapping[str, Any]
Chain = tuple[Event, ...]
Path = dict[int, Event]
Choice = Callable[[Event], bool]
SECOND_US = 1_000_000
NO_LIMIT = float("inf")


def paths(events: Sequence[Event], definition: Definition, may_begin: Choice, may_follow: Choice) -> Iterator[Path]:
    """Every path by the numbers of its required steps: ordered, strict and unordered, with ties, ranges, exclusions."""
    steps, order, tie = required(definition), definition.get("order", "ordered"), definition.get("tie", "any")
    window, is_drop = window_us(definition), definition.get("exclusion_mode") == "drop"
    grace = int(tie.removeprefix("grace:")) * SECOND_US if tie.startswith("grace") else None
    fitting = [[event for event in events if hits(event, step, definition)] for step in steps]
    entries = [
        each for own in fitting[: len(steps) if is_any_first(definition) else 1] for each in own if may_begin(each)
    ]
    others = [each for each in events if definition.get("strict_scope") != "filtered" or passes(each, definition)]
    exclusions = [
        (x["t"], *(required_number(definition, one[key]) for key in ("from_stage", "to_stage")))
        for one in definition.get("exclusions", ())
        for x in events
        if hits(x, one, definition)
    ]

    def follows(chain: Chain) -> bool:
        step, t, before, first = steps[len(chain) - 1], chain[-1]["t"], chain[-2]["t"], chain[0]["t"]
        if grace is None and (t < before or (tie == "strict" and t == before)):
            return False
        if grace is not None and any(t < earlier["t"] - grace for earlier in chain):
            return False
        if not step.get("after_seconds", -NO_LIMIT) <= (t - before) / SECOND_US <= step.get("within_seconds", NO_LIMIT):
            return False
        if order == "strict" and any(before < other["t"] < t for other in others):
            return False
        return bool(abs(t - first) <= window)

    def grow(path: Path) -> Iterator[Path]:
        last = max(path, default=0)
        for number in range(last + 1, min(len(steps), last + 1 if order != "unordered" else len(steps)) + 1):
            for event in fitting[number - 1]:
                longer = {**path, number: event}
                chain = tuple(longer.values())
                if event in path.values() or (definition.get("range") == "all_steps" and not may_follow(event)):
                    continue
                if order == "unordered" or (follows(chain) if path else event in entries):
                    yield longer
                    yield from grow(longer)

    def is_path(path: Path) -> bool:
        times = [event["t"] for event in path.values()]
        first, last, k = min(times) if order == "unordered" else times[0], max(times), len(path)
        begins = [event for event in path.values() if event["t"] == first and event in entries]
        if not begins or (definition.get("first_required") and path.get(1) not in begins):
            return False
        if last - first > window or (definition.get("entry") == "first" and first > min(e["t"] for e in entries)):
            return False
        for x, i, j in exclusions:
            after, until = (first, last) if order == "unordered" else (times[min(i, k) - 1], times[min(j, k) - 1])
            if (k >= j or (order == "unordered" and not is_drop)) and after < x < until:
                return False
            if is_drop and i <= k < j and after < x <= first + window:
                return False
        return True

    return filter(is_path, grow({}))


# --- the reported ones, and whose optional stages


def reported(events: Sequence[Event], definition: Definition, may_begin: Choice, may_follow: Choice) -> list[Path]:
    """The paths of one entity that count: at most one, or with `totals` one after the other."""
    left, found = list(events), []
    while path := min(
        paths(left, definition, may_begin, may_follow), key=lambda path: rank(path, definition), default=None
    ):
        found.append(with_optional(left, definition, numbered(path, definition), may_follow))
        if definition.get("count") != "totals":
            break
        used = {event["id"] for event in path.values()}
        left = [event for event in left if event["id"] not in used]
    return found


def rank(path: Path, definition: Definition) -> tuple[Any, ...]:
    """Longest, then by times, then by ids; without an order by the times, ids and stages of the events in time."""
    chain = [(event["t"], event["id"], number) for number, event in path.items()]
    if definition.get("order") == "unordered":
        chain.sort()
    latest_first = -chain[0][0] if definition.get("entry") == "last" else 0
    return -len(path), latest_first, [one[0] for one in chain], [one[1] for one in chain], [one[2] for one in chain]


def numbered(path: Path, definition: Definition) -> Path:
    """By the numbers of all stages instead of those of the required ones."""
    numbers = [number for number, stage in stages_of(definition) if not stage.get("optional")]
    return {numbers[step - 1]: event for step, event in path.items()}


def with_optional(events: Sequence[Event], definition: Definition, path: Path, may_follow: Choice) -> Path:
    """Most optional stages, then the earliest, then ids; the times of the required ones stay what they are."""
    optional = [number for number, stage in stages_of(definition) if stage.get("optional")]
    if not optional:
        return path
    required_numbers = [number for number, stage in stages_of(definition) if number not in optional]
    end = next((number for number in required_numbers if number not in path), len(definition["stages"]) + 1)
    optional = [number for number in optional if number < end]
    last = path[1]["t"] + window_us(definition)
    for size in range(len(optional), -1, -1):
        found = []
        for extra in combinations(optional, size):
            numbers = [number for number in range(1, end) if number in path or number in extra]
            for chosen in _fillings(events, definition, numbers, path):
                if chosen[-1]["t"] > last or (definition.get("range") == "all_steps" and not may_follow(chosen[-1])):
                    continue
                times = [event["t"] for number, event in zip(numbers, chosen, strict=True) if number in extra]
                found.append((times, [event["id"] for event in chosen], numbers, chosen))
        if found:
            _times, _ids, numbers, chosen = min(found, key=lambda one: one[:3])
            return dict(zip(numbers, chosen, strict=True))
    raise AssertionError("the path itself is always a way")


def _fillings(events: Sequence[Event], definition: Definition, numbers: Sequence[int], path: Path) -> Iterator[Chain]:
    """Distinct events in order of time for the stages, the required ones at the times that the path gives them."""

    def grow(chain: Chain) -> Iterator[Chain]:
        if len(chain) == len(numbers):
            yield chain
            return
        number = numbers[len(chain)]
        for event in events:
            fits = event not in chain and hits(event, definition["stages"][number - 1], definition)
            is_in_time = number not in path or event["t"] == path[number]["t"]
            if fits and is_in_time and (not chain or chain[-1]["t"] <= event["t"]):
                yield from grow((*chain, event))

    return grow(())


# --- small words


def stages_of(definition: Definition) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return enumerate(definition["stages"], start=1)


def required(definition: Definition) -> list[Mapping[str, Any]]:
    return [stage for stage in definition["stages"] if not stage.get("optional")]


def required_number(definition: Definition, number: int) -> int:
    return len(required({"stages": definition["stages"][:number]}))


def is_any_first(definition: Definition) -> bool:
    """May a path begin with whichever stage?"""
    return definition.get("order") == "unordered" and not definition.get("first_required")


def window_us(definition: Definition) -> float:
    seconds = definition["window_seconds"]
    return NO_LIMIT if seconds is None else seconds * SECOND_US


def passes(event: Event, definition: Definition) -> bool:
    return all(event["properties"].get(each["property"]) == each["value"] for each in definition.get("filters", ()))


def hits(event: Event, matcher: Mapping[str, Any], definition: Definition) -> bool:
    return passes(event, definition) and matches(event, matcher)

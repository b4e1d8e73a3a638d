"""The reported paths of one entity by brute force, from the text of the semantics. Imports nothing of the product.

Every choice of distinct events is tried. An event is a mapping with `id`, `user`, `t` (microseconds), `name`,
`properties` and perhaps `anonymous`, `is_bot`, `session_id`; a definition is its JSON. A path maps the number of a
stage (from 1, optional ones included) to the event that fills it.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations, permutations
from typing import Any

from tests.support.oracle import matches

Event = Mapping[str, Any]
Definition = Mapping[str, Any]
Chain = tuple[Event, ...]  # the events of steps 1 to k
Path = dict[int, Event]
SECOND_US = 1_000_000
NO_LIMIT = float("inf")
SESSION_GAP_US = 3_600 * SECOND_US


def reported(events: Sequence[Event], definition: Definition, lo: int, hi: int) -> list[Path]:
    """The paths of one entity that count: at most one, or with `totals` one after the other."""
    left, found = list(events), []
    while path := _best(left, definition, lo, hi):
        found.append(path)
        if definition.get("count") != "totals":
            break
        used = {event["id"] for event in path.values()}
        left = [event for event in left if event["id"] not in used]
    return found


def _best(events: Sequence[Event], definition: Definition, lo: int, hi: int) -> Path:
    if definition.get("order") == "unordered":
        return min(_sets(events, definition, lo, hi), key=lambda path: _set_rank(path, definition), default={})
    chain = min(_chains(events, definition, lo, hi), key=lambda one: _rank(one, definition), default=())
    required = [number for number, stage in _stages(definition) if not stage.get("optional")]
    path = dict(zip(required, chain, strict=False))
    return _with_optional(events, definition, path, hi) if chain and len(required) < len(definition["stages"]) else path


# --- ordered and strict: the text of sections 2 to 4


def _chains(events: Sequence[Event], definition: Definition, lo: int, hi: int) -> Iterator[Chain]:
    """Every path of the ordered kinds, as far as exclusions and the choice of the entry allow it."""
    steps = [stage for _number, stage in _stages(definition) if not stage.get("optional")]
    window, tie = _window(definition), definition.get("tie", "any")
    grace = int(tie.removeprefix("grace:")) * SECOND_US if tie.startswith("grace") else 0
    fitting = {
        step: {event["id"] for event in events if hits(event, stage, definition)} for step, stage in enumerate(steps)
    }
    others = events
    if definition.get("strict_scope") == "filtered":
        others = [event for event in events if passes(event, definition)]

    def follows(chain: Chain, event: Event) -> bool:
        t, first, before = event["t"], chain[0]["t"], chain[-1]["t"]
        step = steps[len(chain)]
        if grace:
            if any(t < earlier["t"] - grace for earlier in chain):
                return False
        elif t < before or (tie == "strict" and t == before):
            return False
        if definition.get("range") == "all_steps" and not lo <= t < hi:
            return False
        if not step.get("after_seconds", -NO_LIMIT) <= (t - before) / SECOND_US <= step.get("within_seconds", NO_LIMIT):
            return False
        if definition.get("order") == "strict" and any(before < other["t"] < t for other in others):
            return False
        return bool(abs(t - first) <= window)

    def grow(chain: Chain) -> Iterator[Chain]:
        if chain:
            yield chain
        for event in events if len(chain) < len(steps) else ():
            fits = event["id"] in fitting[len(chain)] and event not in chain
            if fits and (follows(chain, event) if chain else lo <= event["t"] < hi):
                yield from grow((*chain, event))

    entries = [event["t"] for event in events if event["id"] in fitting[0] and lo <= event["t"] < hi]
    for chain in grow(()):
        if definition.get("entry") == "first" and chain[0]["t"] != min(entries):
            continue
        if not _is_excluded(chain, events, definition):
            yield chain


def _is_excluded(chain: Chain, events: Sequence[Event], definition: Definition) -> bool:
    k, is_drop = len(chain), definition.get("exclusion_mode") == "drop"
    for exclusion in definition.get("exclusions", ()):
        i, j = (_required_number(definition, exclusion[key]) for key in ("from_stage", "to_stage"))
        for x in (event["t"] for event in events if hits(event, exclusion, definition)):
            if k >= j and chain[i - 1]["t"] < x < chain[j - 1]["t"]:
                return True
            if is_drop and i <= k < j and chain[i - 1]["t"] < x <= chain[0]["t"] + _window(definition):
                return True
    return False


def _rank(chain: Chain, definition: Definition) -> tuple[Any, ...]:
    latest_first = -chain[0]["t"] if definition.get("entry") == "last" else 0
    return -len(chain), latest_first, [event["t"] for event in chain], [event["id"] for event in chain]


def _with_optional(events: Sequence[Event], definition: Definition, path: Path, hi: int) -> Path:
    """Most optional stages, then the earliest, then ids; the times of the required ones stay what they are."""
    required = [number for number, stage in _stages(definition) if not stage.get("optional")]
    end = next((number for number in required if number not in path), len(definition["stages"]) + 1)
    optional = [number for number in range(1, end) if number not in required]
    last = path[1]["t"] + _window(definition)
    best: tuple[Any, ...] = ()
    for size in range(len(optional), -1, -1):
        for extra in combinations(optional, size):
            numbers = [number for number in range(1, end) if number in path or number in extra]
            for chosen in _fillings(events, definition, numbers, path):
                if chosen[-1]["t"] > last or (definition.get("range") == "all_steps" and chosen[-1]["t"] >= hi):
                    continue
                times = [event["t"] for number, event in zip(numbers, chosen, strict=True) if number in extra]
                rank = (times, [event["id"] for event in chosen], numbers)
                if not best or rank < best[0]:
                    best = (rank, dict(zip(numbers, chosen, strict=True)))
        if best:
            break
    filled: Path = best[1]
    return filled


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


# --- unordered: the largest set of steps


def _sets(events: Sequence[Event], definition: Definition, lo: int, hi: int) -> Iterator[Path]:
    stages, is_first = definition["stages"], definition.get("first_required", False)
    n, window, is_drop = len(stages), _window(definition), definition.get("exclusion_mode") == "drop"
    useful = [event for event in events if any(hits(event, stage, definition) for stage in stages)]
    entries = [one["t"] for one in useful if lo <= one["t"] < hi and (not is_first or hits(one, stages[0], definition))]
    exclusions = definition.get("exclusions", ())
    excluded = [event["t"] for event in events if any(hits(event, one, definition) for one in exclusions)]
    for size in range(1, min(n, len(useful)) + 1):
        for numbers in combinations(range(1, n + 1), size):
            for chosen in permutations(useful, size):
                filled = list(zip(numbers, chosen, strict=True))
                if not all(hits(event, stages[number - 1], definition) for number, event in filled):
                    continue
                first, last = min(event["t"] for event in chosen), max(event["t"] for event in chosen)
                if not lo <= first < hi or last - first > window:
                    continue
                if definition.get("range") == "all_steps" and last >= hi:
                    continue
                if is_first and (numbers[0] != 1 or chosen[0]["t"] != first):
                    continue
                if definition.get("entry") == "first" and first != min(entries):
                    continue
                is_open_ended = is_drop and size < n
                if not any(first < x and (x <= first + window if is_open_ended else x < last) for x in excluded):
                    yield dict(filled)


def _set_rank(path: Path, definition: Definition) -> tuple[Any, ...]:
    """Size, start, times, then ids, then stages; events in the order of (time, id)."""
    listed = sorted((event["t"], event["id"], number) for number, event in path.items())
    latest_first = -listed[0][0] if definition.get("entry") == "last" else 0
    return -len(path), latest_first, [one[0] for one in listed], [one[1] for one in listed], [one[2] for one in listed]


# --- whose events are they? Sections 1.3, 1.4 and 8


def owner(event: Event, edges: Sequence[Mapping[str, Any]]) -> str:
    """The person of an event, by edges with `id`, `kind`, `user`, `other`, `t` and `is_revoked`."""
    valid = [edge for edge in edges if not edge["is_revoked"]]
    person: str | None = event["user"]
    if person is None:
        person = str(event["anonymous"])
        own = sorted(
            (edge["t"], edge["id"], edge["user"])
            for edge in valid
            if (edge["kind"], edge["other"]) == ("identify", person)
        )
        if own:
            person = ([edge for edge in own if edge[0] <= event["t"]] or own[:1])[-1][2]
        else:
            return f"anonymous {person}"
    same = {person}
    for _ in valid:
        for edge in valid:
            if edge["kind"] == "alias" and same & {edge["user"], edge["other"]}:
                same |= {edge["user"], edge["other"]}
    return str(min(same))


def entities(events: Sequence[Event], definition: Definition, own: Callable[[Event], str]) -> list[list[Event]]:
    """The histories that the definition looks at: of people, sessions, or people and the values held constant."""
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda each: (each["t"], each["id"])):
        if not (definition.get("exclude_bots") and event.get("is_bot")):
            by_user[own(event)].append(event)
    histories = list(by_user.values())
    if definition.get("unit") == "session":
        histories = [part for history in histories for part in _sessions(history, definition)]
    for name in definition.get("hold", ()):
        histories = [part for history in histories for part in _held(history, name)]
    return histories


def _sessions(history: Sequence[Event], definition: Definition) -> list[list[Event]]:
    if definition.get("sessions") == "client":
        named: dict[str, list[Event]] = defaultdict(list)
        for event in history:
            if event.get("session_id") is not None:
                named[event["session_id"]].append(event)
        return list(named.values())
    sessions: list[list[Event]] = []
    for place, event in enumerate(history):
        if place == 0 or event["t"] - history[place - 1]["t"] > SESSION_GAP_US:
            sessions.append([])
        sessions[-1].append(event)
    return sessions


def _held(history: Sequence[Event], name: str) -> list[list[Event]]:
    parts: dict[str, list[Event]] = defaultdict(list)
    for event in history:
        if event["properties"].get(name) is not None:
            parts[str(event["properties"][name])].append(event)
    return list(parts.values())


# --- small words


def _stages(definition: Definition) -> Iterator[tuple[int, Mapping[str, Any]]]:
    return enumerate(definition["stages"], start=1)


def _required_number(definition: Definition, number: int) -> int:
    return sum(not stage.get("optional") for stage in definition["stages"][:number])


def _window(definition: Definition) -> float:
    seconds = definition["window_seconds"]
    return NO_LIMIT if seconds is None else seconds * SECOND_US


def passes(event: Event, definition: Definition) -> bool:
    return all(event["properties"].get(each["property"]) == each["value"] for each in definition.get("filters", ()))


def hits(event: Event, matcher: Mapping[str, Any], definition: Definition) -> bool:
    return passes(event, definition) and matches(event, matcher)

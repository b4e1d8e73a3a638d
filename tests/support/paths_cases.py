"""Random funnels of every kind and random histories for them, on times so few that ties abound."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from iafa.query.time_range import TimeRange
from tests.support import paths_oracle

HOUR_US = 3_600 * 1_000_000
FIRST_US = 1_763_726_400 * 1_000_000 - 12 * HOUR_US  # a midnight of UTC
NAMES = "ABCD"
Draw = random.Random
Options = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """Many people and one definition; times are multiples of `unit_us` after FIRST_US."""

    events: list[dict[str, Any]]
    definition: dict[str, Any]
    lo: int
    hi: int

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(self.lo, self.hi, None, None, "UTC")

    def histories(self, own: Callable[[paths_oracle.Event], str] | None = None) -> list[list[paths_oracle.Event]]:
        return paths_oracle.entities(self.events, self.definition, own or (lambda event: str(event["user"])))

    def paths(self, histories: Sequence[Sequence[paths_oracle.Event]]) -> list[paths_oracle.Path]:
        return [path for own in histories for path in paths_oracle.reported(own, self.definition, self.lo, self.hi)]


def has_tie(history: Sequence[paths_oracle.Event], definition: Mapping[str, Any]) -> bool:
    """Do two events of the same instant match stages?"""
    times = Counter(event["t"] for event in history if fills(event, definition))
    return max(times.values(), default=0) > 1


def has_overlap(history: Sequence[paths_oracle.Event], definition: Mapping[str, Any]) -> bool:
    """Does an event match two stages: are they repeated or do they overlap?"""
    return any(fills(event, definition) > 1 for event in history)


def fills(event: paths_oracle.Event, definition: Mapping[str, Any]) -> int:
    return sum(paths_oracle.hits(event, stage, definition) for stage in definition["stages"])


# --- definitions


def random_definition(draw: Draw, mode: str, unit_us: int) -> dict[str, Any]:
    unit_s = unit_us // 1_000_000
    stages = _stages(draw, 3 if mode.startswith("unordered") else draw.randint(2, 5))
    definition: dict[str, Any] = {
        "name": "funnel",
        "stages": stages,
        "window_seconds": draw.choice((None, 0, 2 * unit_s, 4 * unit_s, 6 * unit_s)),
        "range": draw.choice(("entry", "entry", "all_steps")),
        "filters": [{"property": "g", "op": "eq", "value": "1"}] if draw.random() < 0.2 else [],
    }
    MODES[mode](draw, definition, unit_s)
    return definition


def _stages(draw: Draw, count: int) -> list[dict[str, Any]]:
    if draw.random() < 0.2:
        return [{"name": name, "event": name} for name in draw.sample(NAMES, min(count, len(NAMES)))]
    return [_stage(draw) for _ in range(count)]


def _stage(draw: Draw) -> dict[str, Any]:
    kind = draw.random()
    stage: dict[str, Any] = {"name": "stage"}
    if kind < 0.1:
        stage["event"] = "*"
    elif kind < 0.7:
        stage["event"] = draw.choice(NAMES[:3])
    else:
        stage["events"] = draw.sample(NAMES, 2)
    if draw.random() < 0.15:
        stage["filters"] = [{"property": "p", "op": "eq", "value": "1"}]
    return stage


def _plain(draw: Draw, definition: Options, _unit_s: int) -> None:
    definition["entry"] = draw.choice(("best", "best", "first", "last"))


def _tie_strict(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    definition["tie"] = "strict"


def _grace(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    if draw.random() < 0.3:
        _exclusions(draw, definition)
    definition["tie"] = f"grace:{min(3_600, draw.randint(1, 3) * unit_s)}"


def _strict(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    definition |= {"order": "strict", "strict_scope": draw.choice(("all", "filtered"))}
    definition["tie"] = draw.choice(("any", "strict"))


def _windows(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    if draw.random() < 0.3:
        definition["order"] = "strict"
    for stage in definition["stages"][1:]:
        if draw.random() < 0.6:
            stage["within_seconds"] = draw.randint(0, 4) * unit_s
        if draw.random() < 0.4:
            stage["after_seconds"] = draw.randint(0, stage.get("within_seconds", 3 * unit_s) // unit_s) * unit_s


def _cut(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    _exclusions(draw, definition)
    definition["exclusion_mode"] = "cut"
    definition["tie"] = draw.choice(("any", "any", "strict"))


def _drop(draw: Draw, definition: Options, unit_s: int) -> None:
    _cut(draw, definition, unit_s)
    definition["exclusion_mode"] = "drop"


def _exclusions(draw: Draw, definition: Options) -> None:
    last = len(definition["stages"])
    bounds = [sorted(draw.sample(range(1, last + 1), 2)) for _ in range(draw.randint(1, 2)) if last > 1]
    definition["exclusions"] = [
        {"event": draw.choice("XXAB"), "from_stage": low, "to_stage": high} for low, high in bounds
    ]


def _unordered(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    definition["stages"] = definition["stages"][:3]
    definition |= {"order": "unordered", "first_required": draw.random() < 0.4}
    last = len(definition["stages"])
    if draw.random() < 0.5 and last > 1:
        definition["exclusions"] = [{"event": draw.choice("XXAB"), "from_stage": 1, "to_stage": last}]
        definition["exclusion_mode"] = draw.choice(("cut", "drop"))


def _optional(draw: Draw, definition: Options, unit_s: int) -> None:
    _plain(draw, definition, unit_s)
    if len(definition["stages"]) < 3:
        definition["stages"].insert(1, _stage(draw))
    for stage in definition["stages"][1:-1]:
        stage["optional"] = draw.random() < 0.6
    definition["tie"] = draw.choice(("any", "strict"))


def _totals(draw: Draw, definition: Options, unit_s: int) -> None:
    draw.choice((_plain, _tie_strict, _strict, _windows, _cut, _drop))(draw, definition, unit_s)
    definition["count"] = "totals"


def _unordered_totals(draw: Draw, definition: Options, unit_s: int) -> None:
    _unordered(draw, definition, unit_s)
    definition["count"] = "totals"


def _hold(draw: Draw, definition: Options, unit_s: int) -> None:
    draw.choice((_plain, _tie_strict, _strict, _windows, _cut, _drop, _unordered))(draw, definition, unit_s)
    definition["hold"] = draw.choice((["p"], ["g"], ["p", "g"]))


def _session(draw: Draw, definition: Options, unit_s: int) -> None:
    draw.choice((_plain, _tie_strict, _strict, _windows, _cut, _drop, _unordered, _hold))(draw, definition, unit_s)
    definition |= {"unit": "session", "sessions": draw.choice(("derived", "derived", "client"))}


MODES: Mapping[str, Callable[[Draw, Options, int], None]] = {
    "ordered": _plain,
    "tie strict": _tie_strict,
    "grace": _grace,
    "strict": _strict,
    "windows between stages": _windows,
    "exclusions cut": _cut,
    "exclusions drop": _drop,
    "unordered": _unordered,
    "optional": _optional,
    "totals": _totals,
    "unordered totals": _unordered_totals,
    "hold": _hold,
    "session": _session,
}


# --- histories


def unit_of(mode: str) -> int:
    """Six hours, so that a few units lie on several days; what is bounded by an hour needs half an hour."""
    return HOUR_US // 2 if mode in ("grace", "session") else 6 * HOUR_US


def random_case(draw: Draw, mode: str, people: int, events_max: int = 7) -> Case:
    unit_us = unit_of(mode)
    definition = random_definition(draw, mode, unit_us)
    if mode.startswith("unordered") or definition.get("order") == "unordered":
        events_max = min(events_max, 6)
    elif "hold" in definition:
        events_max += 2
    instants = draw.choice((5, 8, 12))
    events = [event for person in range(people) for event in _history(draw, person, instants, unit_us, events_max)]
    if draw.random() < 0.3:
        definition["exclude_bots"] = True
    if draw.random() < 0.3:
        return Case(events, definition, FIRST_US - 400 * 24 * HOUR_US, FIRST_US + 400 * 24 * HOUR_US)
    lo = draw.randint(0, 2)
    hi = draw.randint(lo + 1, instants + 1)
    last_day = 2 * 24 * HOUR_US if unit_us < HOUR_US else 0  # everybody of those has a day of three
    return Case(events, definition, FIRST_US + lo * unit_us, FIRST_US + last_day + hi * unit_us)


def _history(draw: Draw, person: int, instants: int, unit_us: int, events_max: int) -> list[dict[str, Any]]:
    start = FIRST_US + (draw.randrange(3) * 24 * HOUR_US if unit_us < HOUR_US else 0)
    return [
        {
            "id": f"{draw.randrange(10**12):012d}",
            "user": f"user-{person}",
            "t": start + draw.randrange(instants) * unit_us,
            "name": draw.choice("AABBCCDX"),
            "properties": {"p": draw.choice(("1", "1", "1", "2", None)), "g": draw.choice("1112")},
            "session_id": draw.choice((f"s{person}", f"s{person}-2", None)),
            "is_bot": draw.random() < 0.1,
        }
        for _ in range(draw.choice((0, 3, 4, 5, events_max, events_max)))
    ]

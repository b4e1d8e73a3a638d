"""Random funnels of every kind and random histories for them, on times so few that ties abound."""

import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from iafa.clock import to_iso
from iafa.query.time_range import TimeRange
from tests.support import paths_oracle, reports_oracle

HOUR_US = 3_600 * 1_000_000
FIRST_US = 1_763_726_400 * 1_000_000 - 12 * HOUR_US  # a midnight of UTC
DAY_US = 24 * HOUR_US
SHARE_MIN = 0.3  # of ties, of repeated or overlapping steps
SHARE_MIN_OF_A_KIND = 0.2  # which chance moves more than all kinds together
NAMES = "ABCD"
ZONES = ("UTC", "Europe/Vienna", "Pacific/Chatham", "America/St_Johns")
Draw = random.Random
Options = dict[str, Any]
Own = Callable[[paths_oracle.Event], str]


@dataclass(frozen=True)
class Case:
    """Many people and one definition; times are multiples of `unit_us` after FIRST_US."""

    events: list[dict[str, Any]]
    definition: dict[str, Any]
    lo: int
    hi: int
    now: int = FIRST_US + 1_000 * DAY_US
    zone: str = "UTC"
    gap_s: int = 3_600

    @property
    def time_range(self) -> TimeRange:
        return TimeRange(self.lo, self.hi, None, None, self.zone)

    def histories(self, own: Own | None = None) -> list[list[paths_oracle.Event]]:
        own = own or (lambda event: str(event["user"]))
        return reports_oracle.entities(self.events, self.definition, own, self.gap_s)

    def answer(self, histories: Sequence[Sequence[paths_oracle.Event]]) -> reports_oracle.Answer:
        return reports_oracle.Answer(
            reports_oracle.Asked(self.definition, self.lo, self.hi, self.now, self.zone, self.gap_s), histories
        )


@dataclass
class Shares:
    """How many entities were compared, and how many of them have what makes a funnel hard."""

    cases: int = 0
    paths: int = 0
    _with_ties: int = 0
    _with_overlaps: int = 0

    def add(self, histories: Sequence[Sequence[paths_oracle.Event]], definition: Mapping[str, Any]) -> None:
        self.cases += len(histories)
        self._with_ties += sum(has_tie(own, definition) for own in histories)
        self._with_overlaps += sum(has_overlap(own, definition) for own in histories)

    @property
    def ties(self) -> float:
        return self._with_ties / self.cases

    @property
    def overlaps(self) -> float:
        return self._with_overlaps / self.cases

    def __str__(self) -> str:
        return (
            f"{self.cases} histories with {self.paths} paths, with ties {self.ties:.0%}, "
            f"with repeated or overlapping steps {self.overlaps:.0%}"
        )


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
    if draw.random() < 0.1:
        definition["exclusions"] = []


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


def with_reports(draw: Draw, case: Case) -> Case:
    """The case with a breakdown, a trend, a zone and an instant of the question, so that everything can be asked."""
    definition = case.definition | {"trend": draw.choice(("day", "day", "week", "month"))}
    attributions = ["entry", "first_known", "last_known"]
    required = [number for number, stage in paths_oracle.stages_of(definition) if not stage.get("optional")]
    attributions.append(f"step:{draw.choice(required)}")
    is_ordered = not paths_oracle.is_any_first(definition)
    if is_ordered and definition.get("count") != "totals":
        attributions.append("each")
    definition["breakdown"] = {
        "property": draw.choice(("p", "v", "v")),
        "attribution": draw.choice(attributions),
        "limit": draw.choice((1, 2, 3, 10)),
    }
    now = draw.choice((case.now, FIRST_US + draw.randint(1, 20) * 6 * HOUR_US + 1))
    if draw.random() < 0.15:
        definition["as_of"] = to_iso(now - draw.randint(0, 4) * 6 * HOUR_US)
    if draw.random() < 0.15:
        definition["mature_only"] = True
    gap_s = draw.choice((1_799, 3_600, 3_600, 5_400))
    return replace(case, definition=definition, now=now, zone=draw.choice(ZONES), gap_s=gap_s)


# --- histories


def unit_of(mode: str) -> int:
    """Six hours, so that a few units lie on several days; what is bounded by an hour needs half an hour."""
    return HOUR_US // 2 if mode in ("grace", "session") else 6 * HOUR_US


def random_case(draw: Draw, mode: str, people: int, events_max: int = 7, *, is_dense: bool = False) -> Case:
    """Dense are histories of few instants, each of which has several events of few stages."""
    unit_us = unit_of(mode)
    definition = random_definition(draw, mode, unit_us)
    if mode.startswith("unordered") or definition.get("order") == "unordered":
        events_max = min(events_max, 6)
    elif "hold" in definition:
        events_max += 2
    instants = draw.choice((1, 2, 3)) if is_dense else draw.choice((5, 8, 12))
    events = random_events(draw, people, instants, unit_us, events_max)
    return _over(draw, events, definition, instants, unit_us)


def random_question(draw: Draw, mode: str, events: list[dict[str, Any]], instants: int) -> Case:
    """A definition and a range over events that are there."""
    return _over(draw, events, random_definition(draw, mode, unit_of(mode)), instants, unit_of(mode))


def random_events(draw: Draw, people: int, instants: int, unit_us: int, events_max: int) -> list[dict[str, Any]]:
    return [event for person in range(people) for event in _history(draw, person, instants, unit_us, events_max)]


def _over(draw: Draw, events: list[dict[str, Any]], definition: Options, instants: int, unit_us: int) -> Case:
    if draw.random() < 0.3:
        definition["exclude_bots"] = True
    if draw.random() < 0.3:
        return Case(events, definition, FIRST_US - 400 * DAY_US, FIRST_US + 400 * DAY_US)
    lo = draw.randint(0, min(2, instants))
    hi = draw.randint(lo + 1, instants + 1)
    last_day = 2 * DAY_US if unit_us < HOUR_US else 0  # everybody of those has a day of three
    return Case(events, definition, FIRST_US + lo * unit_us, FIRST_US + last_day + hi * unit_us)


def _history(draw: Draw, person: int, instants: int, unit_us: int, events_max: int) -> list[dict[str, Any]]:
    start = FIRST_US + (draw.randrange(3) * 24 * HOUR_US if unit_us < HOUR_US else 0)
    return [
        {
            "id": f"{draw.randrange(10**12):012d}",
            "user": f"user-{person}",
            "t": start + draw.randrange(instants) * unit_us,
            "name": draw.choice("AABBCCDX"),
            "properties": {
                "p": draw.choice(("1", "1", "1", "2", None)),
                "g": draw.choice("1112"),
                "v": draw.choice(("a", "b", "c", "d", "(none)", None, None)),
            },
            "session_id": draw.choice((f"s{person}", f"s{person}-2", None)),
            "is_bot": draw.random() < 0.1,
        }
        for _ in range(draw.choice((0, 3, 4, 5, events_max, events_max)))
    ]


def random_edges(draw: Draw, events: Sequence[Mapping[str, Any]], people: int) -> list[dict[str, Any]]:
    """Edges between devices and users, some aliases among them, some revoked."""
    return [
        {
            "id": f"edge-{number}",
            "kind": kind,
            "user": f"user-{draw.randrange(people)}",
            "other": f"{'device' if kind == 'identify' else 'user'}-{draw.randrange(people)}",
            "t": draw.choice(events)["t"],
            "is_revoked": draw.random() < 0.2,
        }
        for number, kind in enumerate(draw.choices(("identify", "alias"), (10, 1), k=people))
    ]

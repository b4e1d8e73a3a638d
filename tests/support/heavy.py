"""One person with very many events in the worst shapes that we know, and every kind of question about them."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from iafa.lake.snapshot import Snapshot
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.explain import explain
from iafa.query.funnel import funnel
from iafa.query.question import Extras
from iafa.query.time_range import TimeRange
from tests.unit.query.rows import NOON_US, SECOND_US, a_definition

Events = list[dict[str, Any]]
DAY_US = 86_400 * SECOND_US
RANGE = TimeRange(NOON_US - DAY_US, NOON_US + 365 * DAY_US, None, None, "UTC")


def events_of(names: Callable[[int, int], str], many: int, step_us: int, properties: int) -> Events:
    def one(place: int) -> dict[str, Any]:
        values = {"p": f"v{place % properties}", "q": "same"}
        return {"user": "u", "t": NOON_US + place * step_us, "name": names(place, many), "properties": values}

    return [one(place) for place in range(many)]


SHAPES: Mapping[str, tuple[Callable[[int, int], str], int]] = {
    "A B A B": (lambda place, _many: "AB"[place % 2], 100_000),
    "A.. B..": (lambda place, many: "AB"[place * 2 >= many], 100_000),
    "B.. A..": (lambda place, many: "BA"[place * 2 >= many], 100_000),
    "one instant": (lambda place, _many: "AB"[place % 2], 0),
    "A X B X": (lambda place, _many: "AXBX"[place % 4], 100_000),
    "A only": (lambda _place, _many: "A", 100_000),
}
ABC = a_definition("A", "B", "C", window_seconds=None)
AB = a_definition("A", "B", window_seconds=None)
AAB = a_definition("A", "A", "B", window_seconds=3_600)


def _with(definition: dict[str, Any], number: int, **over: Any) -> dict[str, Any]:
    stages = [dict(stage) for stage in definition["stages"]]
    stages[number - 1] |= over
    return definition | {"stages": stages}


def _exclusion(low: int, high: int) -> list[dict[str, Any]]:
    return [{"event": "X", "from_stage": low, "to_stage": high}]


OVERLAP = _with(AAB, 2, event="*")
MODES: Mapping[str, dict[str, Any]] = {
    "ordered": ABC,
    "overlapping": OVERLAP | {"entry": "first"},
    "repeated, tie strict": AAB | {"tie": "strict"},
    "totals": AB | {"count": "totals"},
    "totals of 3": ABC | {"count": "totals"},
    "totals, last": AB | {"count": "totals", "entry": "last"},
    "totals, strict": AB | {"count": "totals", "order": "strict"},
    "totals, within": _with(ABC, 2, within_seconds=5) | {"count": "totals"},
    "totals, cut": ABC | {"count": "totals", "exclusions": _exclusion(2, 3)},
    "totals, overlapping": OVERLAP | {"count": "totals"},
    "strict": AB | {"order": "strict", "entry": "last"},
    "after": _with(ABC, 2, after_seconds=5),
    "after and within": _with(_with(ABC, 2, after_seconds=5), 3, within_seconds=5),
    "within": _with(ABC, 2, within_seconds=5),
    "cut 1-2": ABC | {"exclusions": _exclusion(1, 2)},
    "cut 2-3": ABC | {"exclusions": _exclusion(2, 3)},
    "drop 1-2": ABC | {"exclusions": _exclusion(1, 2), "exclusion_mode": "drop"},
    "drop 2-3": ABC | {"exclusions": _exclusion(2, 3), "exclusion_mode": "drop", "window_seconds": 1_000},
    "unordered": ABC | {"order": "unordered"},
    "unordered, hour": ABC | {"order": "unordered", "window_seconds": 3_600},
    "unordered, first": ABC | {"order": "unordered", "first_required": True},
    "unordered, drop": ABC | {"order": "unordered", "exclusions": _exclusion(1, 3), "exclusion_mode": "drop"},
    "unordered totals": ABC | {"order": "unordered", "count": "totals"},
    "grace": AB | {"tie": "grace:60"},
    "grace of 3": ABC | {"tie": "grace:60"},
    "grace, repeated": a_definition("A", "A", "A", "C", window_seconds=3_600) | {"tie": "grace:60"},
    "optional": _with(a_definition("A", "B", "A", window_seconds=3_600), 2, optional=True),
    "session": ABC | {"unit": "session"},
    "hold same": ABC | {"hold": ["q"]},
    "hold different": ABC | {"hold": ["p"]},
}


Question = Callable[[DuckEngine, Snapshot], dict[str, Any]]


def _asked(
    definition: dict[str, Any], include: frozenset[str], engine: DuckEngine, snapshot: Snapshot
) -> dict[str, Any]:
    return funnel(engine, snapshot, parse_definition(definition), RANGE, extras=Extras(include))


def _explained(definition: dict[str, Any], engine: DuckEngine, snapshot: Snapshot) -> dict[str, Any]:
    return explain(engine, snapshot, parse_definition(definition), RANGE, "u")


def _grouped(attribution: str) -> Question:
    definition = ABC | {"breakdown": {"property": "p", "attribution": attribution}}
    return partial(_asked, definition, frozenset({"breakdown"}))


QUESTIONS: Mapping[str, Question] = {
    **{name: partial(_asked, definition, frozenset({"times"})) for name, definition in MODES.items()},
    "groups, each": _grouped("each"),
    "groups, first_known": _grouped("first_known"),
    "explain": partial(_explained, ABC),
    "explain totals": partial(_explained, MODES["totals"]),
}

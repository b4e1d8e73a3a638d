"""The reports of a funnel on top of the brute-force paths: sections 1, 5, 6 and 8 of the semantics, word by word.

Imports nothing of the product. An event has the keys of `paths_oracle` and `user`, perhaps `anonymous`, `is_bot`,
`session_id`.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

from tests.support.paths_oracle import (
    SECOND_US,
    Choice,
    Definition,
    Event,
    Path,
    hits,
    is_any_first,
    reported,
    required,
    required_number,
    stages_of,
    window_us,
)

Group = tuple[str, str | None, list[int]]  # kind, value, counts by stage
DAY_S = 86_400
EDGES_S = (0, 1, 10, 60, 300, 900, 3_600, 21_600, *(days * DAY_S for days in (1, 3, 7, 14, 30)))
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Asked:
    """A definition, the range [lo, hi) and the minute of the question, in microseconds."""

    definition: Definition
    lo: int
    hi: int
    now: int = 2**60
    zone: str = "UTC"
    gap_s: int = 3_600

    @property
    def as_of(self) -> int:
        return as_of_us(self.definition) or self.now // (60 * SECOND_US) * 60 * SECOND_US

    def may_begin(self, event: Event) -> bool:
        is_mature = event["t"] + window_us(self.definition) < self.as_of
        return self.may_follow(event) and (is_mature or not self.definition.get("mature_only"))

    def may_follow(self, event: Event) -> bool:
        """Where all steps must lie in the range."""
        return bool(self.lo <= event["t"] < self.hi)

    def entries(self, history: Sequence[Event]) -> list[Event]:
        stages = self.definition["stages"] if is_any_first(self.definition) else self.definition["stages"][:1]
        return [
            event
            for event in history
            if self.may_begin(event) and any(hits(event, stage, self.definition) for stage in stages)
        ]

    @property
    def tells_the_end(self) -> bool:
        """Of a session of which every event is seen: it is over when nothing came for longer than the pause."""
        asked = self.definition
        is_partial = asked.get("hold") or (asked.get("order"), asked.get("strict_scope")) == ("strict", "filtered")
        return asked.get("unit") == "session" and asked.get("sessions", "derived") == "derived" and not is_partial

    def is_open(self, entry: Event) -> bool:
        until = entry["t"] + window_us(self.definition)
        if self.definition.get("range") == "all_steps":
            until = min(until, self.hi - 1)
        return bool(until >= self.as_of)


@dataclass(frozen=True)
class Found:
    """An entity with entries, and its reported paths."""

    history: Sequence[Event]
    entries: Sequence[Event]
    paths: Sequence[Path]
    definition: Definition

    @property
    def longest(self) -> int:
        return max((reach(path, self.definition) for path in self.paths), default=0)

    def is_open(self, asked: Asked) -> bool:
        may_go_on = not asked.tells_the_end or self.history[-1]["t"] + asked.gap_s * SECOND_US >= asked.as_of
        return self.longest < len(required(self.definition)) and may_go_on and any(map(asked.is_open, self.entries))


@dataclass
class Answer:
    """Everything that is said about the histories of one question."""

    asked: Asked
    histories: Sequence[Sequence[Event]]
    found: list[Found] = field(init=False)

    def __post_init__(self) -> None:
        self.found = self.find(self.asked)

    def find(self, asked: Asked, also: Choice = lambda _event: True) -> list[Found]:
        """Whoever may enter by an event that is allowed to begin, `also` by its value."""
        found = []
        for history in self.histories:
            entries = [event for event in asked.entries(history) if also(event)]
            if entries:
                definition = asked.definition
                ways = reported(history, definition, lambda one: asked.may_begin(one) and also(one), asked.may_follow)
                found.append(Found(history, entries, ways, definition))
        return found

    @property
    def definition(self) -> Definition:
        return self.asked.definition

    @property
    def paths(self) -> list[Path]:
        return [path for one in self.found for path in one.paths]

    def counts(self) -> dict[str, Any]:
        return counts_of(self.asked, self.found)

    def stages_filled(self) -> list[int]:
        """How many paths fill each stage by its own number."""
        return [sum(number in path for path in self.paths) for number, _stage in stages_of(self.definition)]

    def times(self) -> dict[str, Any]:
        """Seconds from stage to stage, in total, and the bins. With a grace a stage that came too early took none."""
        n = len(required(self.definition))
        chains = [[event["t"] for event in chain(path, self.definition)] for path in self.paths]
        strides: list[list[int]] = [[] for _ in range(n - 1)]
        for times in chains:
            for place, (before, after) in enumerate(pairwise(times)):
                strides[place].append(max(0, after - before))
        totals = [max(0, times[-1] - times[0]) for times in chains if len(times) == n]
        window = self.definition["window_seconds"]
        edges = [edge for edge in EDGES_S if edge == 0 or window is None or edge < window]
        bins = [sum(low * SECOND_US <= one for one in totals) for low in edges]
        counts = [a - b for a, b in pairwise([*bins, 0])]
        return {
            "steps": [summary(durations) for durations in strides],
            "total": summary(totals),
            "histogram": list(zip(edges, [*edges[1:], window], counts, strict=True)),
        }

    def groups(self) -> list[Group]:
        """Of the breakdown, in the order that is shown."""
        breakdown = self.definition["breakdown"]
        attribution, name = breakdown["attribution"], breakdown["property"]
        reached: dict[str | None, list[int]] = defaultdict(list)
        if attribution == "each":
            for value in {event["properties"].get(name) for one in self.found for event in one.entries}:
                for one in self.find(self.asked, lambda event, wanted=value: event["properties"].get(name) == wanted):  # type: ignore[misc]
                    reached[value] += [reach(path, self.definition) for path in one.paths]
        else:
            for one in self.found:
                for path in one.paths:
                    reached[self._value(one, path, attribution, name)].append(reach(path, self.definition))
        known = sorted(
            (value for value in reached if value is not None), key=lambda value: (-len(reached[value]), value)
        )
        kept = known[: breakdown["limit"]]
        rest = [length for value in known[len(kept) :] for length in reached[value]]
        shown: list[Group] = [("value", value, self._by_stage(reached[value])) for value in kept]
        shown += [("other", None, self._by_stage(rest)), ("none", None, self._by_stage(reached[None]))]
        return [group for group in shown if group[2][0]]

    def _value(self, one: Found, path: Path, attribution: str, name: str) -> str | None:
        way = chain(path, self.definition)
        if attribution == "entry":
            return text_of(way[0], name)
        if attribution.startswith("step:"):
            step = required_number(self.definition, int(attribution.removeprefix("step:")))
            return text_of(way[step - 1], name) if len(way) >= step else None
        until = (
            self.asked.hi - 1
            if self.definition.get("range") == "all_steps"
            else self.asked.hi + window_us(self.definition)
        )
        known = [
            event
            for event in one.history
            if self.asked.lo <= event["t"] <= until
            and text_of(event, name) is not None
            and any(hits(event, stage, self.definition) for stage in self.definition["stages"])
        ]
        return text_of(known[0 if attribution == "first_known" else -1], name) if known else None

    def _by_stage(self, reached: Sequence[int]) -> list[int]:
        return [sum(length >= k for length in reached) for k in range(1, len(required(self.definition)) + 1)]

    def trend(self) -> dict[str, dict[str, Any]]:
        """By bucket the counts of the funnel whose range it is; without the buckets that nobody enters."""
        bounds = {
            bucket(event["t"], self.definition["trend"], self.asked.zone) for one in self.found for event in one.entries
        }
        answers = {}
        for name, low, high in bounds:
            part = Asked(
                self.definition, max(low, self.asked.lo), min(high, self.asked.hi), self.asked.now, self.asked.zone
            )
            answers[name] = counts_of(part, self.find(part))
        return answers

    def people(self, kind: str, stage: int) -> list[dict[str, Any]]:
        """The rows of a list, in no order: who, their way, when it began, and whether it is still open."""
        rows = []
        for one in self.found:
            who = {"ids": {event["id"] for event in one.history}, "is_open": one.is_open(self.asked)}
            if kind == "dropped_by_exclusion" and not one.paths:
                rows.append(who | {"path": (), "entry": min(event["t"] for event in one.entries), "number": 1})
            for number, path in enumerate(one.paths, start=1):
                length = reach(path, self.definition)
                if (kind == "converted" and length >= stage) or (kind == "dropped" and length == stage - 1):
                    start = chain(path, self.definition)[0]["t"]
                    ids = tuple(sorted((place, event["id"]) for place, event in path.items()))
                    rows.append(who | {"path": ids, "entry": start, "number": number})
        return rows


def counts_of(asked: Asked, found: Sequence[Found]) -> dict[str, Any]:
    n = len(required(asked.definition))
    lengths = [reach(path, asked.definition) for one in found for path in one.paths]
    is_open = [one for one in found if one.is_open(asked)]
    users = [sum(length >= k for length in lengths) for k in range(1, n + 1)]
    return {
        "users": users,
        "users_max": [users[k - 1] + sum(one.longest < k for one in is_open) for k in range(1, n + 1)],
        "open": len(is_open),
        "entered": len(found),
        "dropped_by_exclusion": sum(not one.paths for one in found),
    }


def chain(path: Path, definition: Definition) -> list[Event]:
    """The required events as the path is reported: by stage, or without an order by time, ties by the stage."""
    steps = [(number, event) for number, event in path.items() if not definition["stages"][number - 1].get("optional")]
    steps.sort(key=lambda one: (one[1]["t"], one[0]) if definition.get("order") == "unordered" else one[0])
    return [event for _number, event in steps]


def reach(path: Path, definition: Definition) -> int:
    return len(chain(path, definition))


def summary(durations: Sequence[int]) -> dict[str, Any]:
    """Count, average and the ceil(q * m)-th smallest, in seconds."""
    if not durations:
        return {"count": 0, "average_s": None, "median_s": None, "p90_s": None}
    ordered, m = sorted(durations), len(durations)
    return {
        "count": m,
        "average_s": sum(durations) / m / SECOND_US,
        "median_s": ordered[-(-m // 2) - 1] / SECOND_US,
        "p90_s": ordered[-(-9 * m // 10) - 1] / SECOND_US,
    }


def text_of(event: Event, name: str) -> str | None:
    value: str | None = event["properties"].get(name)
    return value


@cache
def bucket(t: int, kind: str, zone: str) -> tuple[str, int, int]:
    """(name, first instant, first instant after it) of the local hour, day, week or month around an instant."""
    place = ZoneInfo(zone)

    def name(at: int) -> str:
        local = (_EPOCH + timedelta(microseconds=at)).astimezone(place)
        if kind == "hour":
            return local.replace(minute=0, second=0, microsecond=0).isoformat(timespec="minutes")
        day = local.date()
        if kind == "week":
            day -= timedelta(days=day.weekday())
        return (day.replace(day=1) if kind == "month" else day).isoformat()

    def edge(direction: int) -> int:
        """The last instant of the bucket in a direction."""
        near, far = 0, 40 * DAY_S * SECOND_US if kind != "hour" else 4_000 * SECOND_US
        while near < far:
            middle = (near + far + 1) // 2
            near, far = (middle, far) if name(t + direction * middle) == own else (near, middle - 1)
        return t + direction * near

    own = name(t)
    return own, edge(-1), edge(1) + 1


def as_of_us(definition: Definition) -> int | None:
    text = definition.get("as_of")
    return None if text is None else (datetime.fromisoformat(text) - _EPOCH) // timedelta(microseconds=1)


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
    same, more = set[str](), {person}
    while same != more:
        same = more
        more = same.union(
            *(
                {edge["user"], edge["other"]}
                for edge in valid
                if edge["kind"] == "alias" and same & {edge["user"], edge["other"]}
            )
        )
    return str(min(same))


def entities(
    events: Sequence[Event], definition: Definition, own: Callable[[Event], str], gap_s: int = 3_600
) -> list[list[Event]]:
    """The histories that the definition looks at: of people, sessions, or people and the values held constant."""
    as_of = as_of_us(definition)
    by_user: dict[str, list[Event]] = defaultdict(list)
    for event in sorted(events, key=lambda each: (each["t"], each["id"])):
        exists = as_of is None or event["t"] <= as_of
        if exists and not (definition.get("exclude_bots") and event.get("is_bot")):
            by_user[own(event)].append(event)
    histories = list(by_user.values())
    if definition.get("unit") == "session":
        histories = [part for history in histories for part in sessions(history, definition, gap_s * SECOND_US)]
    if definition.get("hold"):
        histories = [part for history in histories for part in _held(history, definition["hold"])]
    return histories


def sessions(history: Sequence[Event], definition: Definition, gap_us: int) -> list[list[Event]]:
    if definition.get("sessions") == "client":
        named: dict[str, list[Event]] = defaultdict(list)
        for event in history:
            if event.get("session_id") is not None:
                named[event["session_id"]].append(event)
        return list(named.values())
    found: list[list[Event]] = []
    for place, event in enumerate(history):
        if place == 0 or event["t"] - history[place - 1]["t"] > gap_us:
            found.append([])
        found[-1].append(event)
    return found


def _held(history: Sequence[Event], names: Sequence[str]) -> Iterator[list[Event]]:
    parts: dict[tuple[str, ...], list[Event]] = defaultdict(list)
    for event in history:
        values = [text_of(event, name) for name in names]
        if None not in values:
            parts[tuple(map(str, values))].append(event)
    yield from parts.values()

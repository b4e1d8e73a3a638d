"""Walks through the event log of a lake that the real pipeline writes, flushes and merges between any two pages.

Each page is compared with one that is cut out of a plain list at that instant; a walk as a whole must have shown each
event that was there from its begin to its end exactly once. Ties are everywhere, also at the borders of pages.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from iafa.api.event_files import event_file
from iafa.clock import US_PER_DAY, FakeClock, to_iso
from iafa.event import identity_hash
from iafa.query.cancellation import Cancellation
from iafa.query.cursor import decode_cursor, encode_cursor
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.entity_names import entity_text
from iafa.query.events import page as page_module
from iafa.query.events.export import EventExport
from iafa.query.events.fields import parse_fields
from iafa.query.events.page import PageAsked, Place, events_page
from iafa.query.events.question import parse_events_question
from tests.support.chance import cases_of, chance
from tests.support.deliveries import sent
from tests.support.events import PROJECT
from tests.support.events_oracle import Asked, Event, Key, chosen, key_of
from tests.support.lake import TestLake
from tests.support.reports_oracle import owner
from tests.unit.query.rows import an_engine

WALKS = cases_of(12)
WALKS_OF_A_LAKE = 12
EVENTS_MAX = 250  # of a lake
LONG_EVERY = 6  # one of so many walks is through everything
STEPS_MAX = 15  # of a walk in small pages; the others go to the end
KEY = b"k" * 32
FIELDS = parse_fields(["id,created_at,received_at,user_id,person,properties"])
# Days on which the clocks of these places change, both ways, and one on which they do not.
ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Sao_Paulo")
DAYS = tuple(map(date.fromisoformat, ("2025-03-30", "2025-10-05", "2025-10-26", "2025-11-02", "2018-11-04")))
NOW_US = 1_763_726_400_000_000
VALUES: tuple[Any, ...] = (None, "", "pro", "Pro plan", 1, 1.0, "1", 2.5, "2.5", -3, True, ["pro", 1], [], {"a": 1})
ASKED_VALUES: tuple[Any, ...] = ("pro", "Pro", 1, "1", 2.5, True, "", "web", "-3")
OPERATORS = (
    *("eq", "neq", "contains", "not_contains", "icontains", "starts_with", "ends_with", "exists", "not_exists"),
    *("in", "not_in", "gt", "gte", "lt", "lte", "regex"),
)


@dataclass
class World:
    """A lake and the list of what is in it."""

    lake: TestLake
    draw: random.Random
    events: list[dict[str, Any]] = field(default_factory=list)
    edges: list[dict[str, Any]] = field(default_factory=list)
    made: int = 0
    merged: int = 0

    def send(self, most: int) -> None:
        """Some new events, many at the same instant, any day; some deliveries come again."""
        draw = self.draw
        fresh = [self._event() for _ in range(draw.randint(1, most))]
        now_us = self.lake.clock.now_us()
        known = [one for one in self.events if now_us - one["received"] < 7 * US_PER_DAY]
        again = [one for one in known if draw.random() < 0.02]
        self.lake.write([sent(one) for one in [*fresh, *again]])
        self.events += fresh

    def _event(self) -> dict[str, Any]:
        draw, self.made = self.draw, self.made + 1
        kind = draw.random()
        user = f"user-{draw.randrange(4)}" if kind < 0.7 else None
        anonymous = f"device-{draw.randrange(4)}" if user is None or kind < 0.3 else None
        event: dict[str, Any] = {
            "id": f"{draw.choice(['e', 'E', 'é', '~', '😀', ''])}{self.made}",
            "t": random_instant(draw),
            "received": self.lake.clock.now_us(),
            "name": draw.choice(["view", "cart", "buy"]),
            "user": user,
            "anonymous": anonymous,
            "properties": {"plan": draw.choice(VALUES), "n.o": draw.choice(VALUES)} if draw.random() < 0.8 else {},
            "source": draw.choice(["web", "ios", None]),
            "is_bot": draw.random() < 0.15,
        }
        if user is not None and anonymous is not None and draw.random() < 0.15:
            event["name"] = "identify"
            edge = {"id": event["id"], "user": user, "other": anonymous, "t": event["t"], "is_revoked": False}
            self.edges.append({**edge, "kind": "identify"})
        elif user is not None and draw.random() < 0.02:
            event |= {"name": "alias", "properties": {"previous_id": f"user-{draw.randrange(6)}"}}
            other = event["properties"]["previous_id"]
            edge = {"id": event["id"], "user": user, "other": other, "t": event["t"], "is_revoked": False}
            if other != user:
                self.edges.append({**edge, "kind": "alias"})
        return event

    def change(self) -> None:
        """What may happen between two pages."""
        kind = self.draw.random()
        if kind < 0.4 and len(self.events) < EVENTS_MAX:
            self.send(4)
        elif kind < 0.55:
            self.lake.flusher.run()
        elif kind < 0.63:
            self.merged += self.lake.compactor.run(everything=True).files_in
        elif kind < 0.7:
            self.lake.clock.advance(self.draw.choice([1, 700, 9 * 86_400]))


def random_instant(draw: random.Random) -> int:
    """One of few hours around the midnights of the days, so that several events share each."""
    day = datetime.combine(draw.choice(DAYS), datetime.min.time(), UTC)
    at = day + timedelta(hours=draw.choice([-13, -11, -5, -1, 0, 2, 3, 12, 23]), microseconds=draw.randrange(2))
    return (at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def random_question(draw: random.Random) -> Asked:
    first, last = sorted(draw.choice(DAYS) + timedelta(days=draw.randrange(-1, 2)) for _ in range(2))
    return Asked(
        names=draw.sample(["view", "cart", "buy", "identify", "gone"], draw.randrange(1, 4))
        if draw.random() < 0.3
        else (),
        user=draw.choice([f"user-{draw.randrange(6)}", f"device-{draw.randrange(4)}"]) if draw.random() < 0.3 else None,
        first=first if draw.random() < 0.3 else None,
        last=last if draw.random() < 0.3 else None,
        zone=draw.choice(ZONES),
        filters=[random_filter(draw) for _ in range(draw.randint(1, 2))] if draw.random() < 0.5 else (),
        exclude_bots=draw.random() < 0.3,
    )


def random_filter(draw: random.Random, depth: int = 0) -> dict[str, Any]:
    if depth < 2 and draw.random() < 0.15:
        return {"any_of": [random_filter(draw, depth + 1) for _ in range(2)]}
    op = draw.choice(OPERATORS)
    name = draw.choice(["plan", "property:plan", "n.o", "source", "column:source", "event_type", "column:user_id"])
    if op in ("exists", "not_exists"):
        return {"property": name, "op": op}
    value: Any = draw.choice(ASKED_VALUES)
    if op in ("in", "not_in"):
        value = draw.sample(ASKED_VALUES, draw.randrange(3))
    elif op in ("gt", "gte", "lt", "lte"):
        value = draw.choice([1, 2.5, "1", -3])
    elif op == "regex":
        value = draw.choice(["^p", "o$", "[0-9]", "^$", "user-[01]"])
    return {"property": name, "op": op, "value": value}


@dataclass
class Walk:
    """One question, page after page."""

    engine: DuckEngine
    world: World
    asked: Asked
    order: Any

    def __post_init__(self) -> None:
        asked = self.asked
        self.question = parse_events_question(
            event_types=list(asked.names),
            user_id=asked.user,
            start=None if asked.first is None else asked.first.isoformat(),
            end=None if asked.last is None else asked.last.isoformat(),
            filters=json.dumps(list(asked.filters)),
            exclude_bots=asked.exclude_bots,
            timezone=asked.zone,
        )

    def now(self) -> list[Event]:
        """All that is meant, in the asked order."""
        found = chosen(self.world.events, self.world.edges, self.asked)
        return found[::-1] if self.order == "desc" else found

    def step(self, cursor: str | None, limit: int) -> tuple[list[Key], str | None, str | None]:
        """A page, which must be what stands in the list: its keys, and the cursors behind and before it."""
        place, is_backward = self._place(cursor)
        wanted = PageAsked(self.order, place, is_backward, limit, FIELDS)
        page = events_page(self.engine, self.world.lake.take(), self.question, wanted)
        everything = self.now()
        keys = [key_of(one) for one in everything]
        found = [tuple(row[name] for name in FIELDS.names) for row in page.rows]
        behind = 0 if place is None else sum(not self._is_behind(key, place) for key in keys)
        start, end = (max(0, behind - limit), behind) if is_backward else (behind, behind + limit)
        if is_backward:
            end = sum(self._is_before(key, place) for key in keys)
            start = max(0, end - limit)
        expected = everything[start:end]
        assert found == [self.shown(one) for one in expected]
        if expected:
            assert (page.after is None) == (not is_backward and end >= len(keys))
            assert (page.before is None) == (place is None if not is_backward else start == 0)
        ends = [
            None if one is None else self._cursor(kind, one)
            for kind, one in (("next", page.after), ("prev", page.before))
        ]
        return keys[start:end], ends[0], ends[1]

    def shown(self, event: Event) -> tuple[Any, ...]:
        person = owner(event, self.world.edges).removeprefix("anonymous ")
        properties = msgspec.Raw(json.dumps(event["properties"]).encode())
        times = to_iso(event["t"]), to_iso(event["received"])
        return event["id"], *times, event["user"], entity_text(identity_hash(person)), properties

    def check_export(self) -> None:
        """A file of the same question holds the same events."""
        lake = self.world.lake
        file = event_file("ndjson", [",".join(FIELDS.names)])
        export = EventExport(self.engine, lake.layout, lake.take(), self.question, file, Cancellation())
        lines = b"".join(iter(export.piece, None)).splitlines()
        export.close()
        expected = [
            {**dict(zip(FIELDS.names, self.shown(one), strict=True)), "properties": one["properties"]}
            for one in self.now()
        ]
        found = sorted(map(json.loads, lines), key=lambda row: (row["created_at"], row["id"], row["received_at"]))
        assert found == expected[:: -1 if self.order == "desc" else 1]

    def _is_behind(self, key: Key, place: Key) -> bool:
        return key < place if self.order == "desc" else key > place

    def _is_before(self, key: Key, place: Key | None) -> bool:
        assert place is not None
        return key > place if self.order == "desc" else key < place

    def _cursor(self, kind: str, place: Place) -> str:
        return encode_cursor(KEY, PROJECT, self.question.fingerprint(self.order), [kind, *place])

    def _place(self, cursor: str | None) -> tuple[Place | None, bool]:
        if cursor is None:
            return None, False
        kind, *found = decode_cursor(KEY, PROJECT, self.question.fingerprint(self.order), cursor)
        return Place(int(found[0]), str(found[1]), int(found[2])), kind == "prev"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckEngine]:
    engine = an_engine(tmp_path_factory.mktemp("engine"))
    yield engine
    engine.close()


def worlds(root: Path, walks: int) -> Iterator[World]:
    """The same lake for some walks, then a new one."""
    draw = chance("event log")
    for number in range(walks):
        if number % WALKS_OF_A_LAKE == 0:
            world = World(TestLake(root / f"lake{number}", clock=FakeClock(NOW_US)), draw)
            for _ in range(4):
                world.send(EVENTS_MAX // 8)
                world.change()
            world.lake.flusher.run()
            world.lake.compactor.run(everything=True)
        yield world


def test_a_walk_shows_each_event_once(
    engine: DuckEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    # As few as make several rounds of reading out of a small lake.
    monkeypatch.setattr(page_module, "ROWS_FIRST", 10)
    monkeypatch.setattr(page_module, "ROWS_GROWTH", 2)
    steps = events = back = moved = merged = ties = 0
    for number, world in enumerate(worlds(tmp_path, WALKS)):
        draw, is_long = world.draw, number % LONG_EVERY == 0
        asked = Asked() if is_long else random_question(draw)
        walk = Walk(engine, world, asked, draw.choice(["desc", "asc"]))
        limit = 7 if is_long else draw.choice([1, 3, 7, 20, 1000])
        began, before = [key_of(one) for one in walk.now()], len(world.events)
        merged_before = world.merged
        seen: list[Key] = []
        cursor = None
        for _ in range(STEPS_MAX if limit < 20 else 10 * STEPS_MAX):
            page, cursor, previous = walk.step(cursor, limit)
            seen += page
            steps += 1
            ties += bool(page) and page[-1][0] in {key[0] for key in began if key not in seen}
            if previous is not None and draw.random() < 0.2:
                walk.step(previous, draw.choice([1, 2, 5]))
                back += 1
            if cursor is None:
                break
            world.change()
        assert len(seen) == len(set(seen))
        assert seen == sorted(seen, reverse=walk.order == "desc")
        still = {key_of(one) for one in walk.now()}
        if cursor is None:
            assert not [key for key in began if key in still and key not in set(seen)]
        elif seen:
            assert not [
                key
                for key in began
                if key in still and key not in set(seen) and not walk._is_behind(key, Place(*seen[-1]))
            ]
        if draw.random() < 0.3:
            walk.check_export()
        events += len(seen)
        moved += len(world.events) > before
        merged += world.merged > merged_before
    say(
        f"{WALKS} walks, {steps} pages and {back} back, {events} events; in {moved} walks events came, in {merged} "
        f"files were merged; {ties} borders of pages had a tie"
    )
    assert min(steps, events, back, moved, ties) > WALKS / 10
    assert merged

"""People by brute force: whose each event is, how many they are, their sessions, and what an erasure takes away."""

import random
from collections import defaultdict
from pathlib import Path

import pytest

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.event import Event, identity_hash
from iafa.query.cancellation import Cancellation
from iafa.query.person import END, At, PersonQuestion, all_events, person_events, profile
from iafa.query.person_list import BEFORE_ALL, person_list
from iafa.query.person_rows import find_person
from tests.support.chance import chance, times
from tests.support.erasing import ErasingLake
from tests.support.events import NOON_US, PROJECT, make_event
from tests.support.lake import WINDOW_US

EVENTS, AGAIN = 90, 8
GAP_S = 3_600
Edge = tuple[int, str, str, str]  # time, event id, user, anonymous id


def random_events(choose: random.Random) -> list[Event]:
    """Few ids and few instants, so that devices are shared and times are equal."""
    found = []
    for number in range(EVENTS):
        user = choose.choice([None, "u1", "u2", "u3"])
        device = choose.choice(["d1", "d2", "d3", "d4"] if user is None else [None, "d1", "d2", "d3"])
        is_login = user is not None and device is not None and choose.random() < 0.25
        found.append(
            make_event(
                id=f"e{number:03}",
                event_type="identify" if is_login else choose.choice(["a", "b"]),
                user_id=user,
                anonymous_id=device,
                created_at=NOON_US - choose.randrange(40) * 600 * US_PER_S,
            )
        )
    return found


def owners_of(events: list[Event]) -> dict[str, str]:
    """Event id -> whose it is, by the words of the semantics (1.3)."""
    edges: list[Edge] = sorted(
        (one.created_at, one.id, one.user_id, one.anonymous_id)
        for one in events
        if one.event_type == "identify" and one.user_id and one.anonymous_id
    )
    found = {}
    for event in events:
        own = [edge for edge in edges if edge[3] == event.anonymous_id]
        before = [edge for edge in own if edge[0] <= event.created_at]
        if event.user_id is not None:
            found[event.id] = event.user_id
        elif own:
            found[event.id] = before[-1][2] if before else own[0][2]
        else:
            found[event.id] = str(event.anonymous_id)
    return found


def sessions_of(times_us: list[int]) -> list[tuple[int, int]]:
    """(events, length in microseconds), the latest first."""
    found: list[list[int]] = []
    for time_us in sorted(times_us):
        if not found or time_us - found[-1][-1] > GAP_S * US_PER_S:
            found.append([])
        found[-1].append(time_us)
    return [(len(one), one[-1] - one[0]) for one in reversed(found)]


@pytest.mark.parametrize("case", range(times(3)))
def test_people_are_those_of_brute_force_and_an_erasure_takes_one_of_them(
    tmp_path: Path, case: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("iafa.query.person.EXPORT_ROWS", 7)
    choose = chance(f"people {case}")
    events = random_events(choose)
    erasing = ErasingLake(tmp_path / "data")
    for batch in (events[:30], events[30:60], events[60:]):
        erasing.lake.flusher.run()
        erasing.lake.write(batch)  # the last one stays in the journal
    owners = owners_of(events)
    theirs: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        theirs[owners[event.id]].append(event)
    again = choose.sample(events, AGAIN)  # kept as new ones: nobody remembers their ids any more
    erasing.lake.flusher.run()
    erasing.lake.clock.advance((WINDOW_US + US_PER_DAY) // US_PER_S)
    erasing.lake.write(again)
    for event in again:
        theirs[owners[event.id]].append(event)

    snapshot = erasing.lake.take()
    rows, after = [], BEFORE_ALL
    while True:
        page = person_list(erasing.engine, snapshot, None, after, choose.randrange(1, 4))
        rows += page.rows
        if page.next_place is None:
            break
        after = page.next_place
    assert [row["last_seen"] for row in rows] == sorted((row["last_seen"] for row in rows), reverse=True)
    expected = {f"{identity_hash(who) & (2**64 - 1):016x}": len(own) for who, own in theirs.items()}
    assert {row["entity"]: row["events"] for row in rows} == expected

    for who, own in theirs.items():
        asked = PersonQuestion(snapshot, find_person(erasing.engine, snapshot, who), GAP_S)
        ordered = sorted(own, key=lambda one: (one.created_at, one.id), reverse=True)
        assert ids_page_by_page(erasing, asked, choose) == [one.id for one in ordered]
        exported = [row["id"] for rows in all_events(erasing.engine, asked, Cancellation()) for row in rows]
        assert exported == [one.id for one in reversed(ordered)]
        told = profile(erasing.engine, asked)
        assert [(one["events"], round(one["duration_seconds"] * US_PER_S)) for one in told["sessions"]] == sessions_of(
            [one.created_at for one in own]
        )

    gone = choose.choice(sorted(theirs))
    erasing.desk.erase("user:test", PROJECT, gone)
    left = sorted(one.id for one in events + again if owners[one.id] != gone)
    assert erasing.visible_ids() == left
    erasing.finish()
    assert erasing.visible_ids() == left


def ids_page_by_page(erasing: ErasingLake, asked: PersonQuestion, choose: random.Random) -> list[str]:
    found: list[str] = []
    after, limit = END, choose.randrange(5, 40)
    while rows := person_events(erasing.engine, asked, after, limit):
        found += [row["id"] for row in rows]
        after = At.of(rows[-1])
    return found

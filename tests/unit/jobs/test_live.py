"""The live view without sockets: what is read of a journal, the bounds of a watcher, tickets, flags between workers."""

import threading
from collections.abc import Collection
from pathlib import Path

import msgspec
import pytest

from iafa.clock import FakeClock
from iafa.errors import RateLimited
from iafa.event import Event, Location, Rejected
from iafa.jobs.live import (
    PROJECT_WATCHERS_MAX,
    QUEUE_MAX,
    SHOWN_MAX,
    TENANT_WATCHERS_MAX,
    Choice,
    LiveFeed,
    LiveItem,
    Watcher,
)
from iafa.journal.follow import Follower
from iafa.journal.format import Kind
from iafa.journal.watchers import LOOKED_EVERY_S, STALE_S, Watchers
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.enrichment import Columns, Enrichment
from iafa.meta.live_tickets import LIFE_S, TICKETS_MAX, USER_TICKETS_MAX, LiveTickets
from tests.support.events import OTHER_PROJECT, PROJECT, encode, make_event, make_events
from tests.support.lake import TestLake

WAIT_S = 30


def item(number: int, **over: object) -> LiveItem:
    fields = {"result": "stored", "received_at": "", "worker": 1, "event_id": f"e{number}"} | over
    return LiveItem(**fields)  # type: ignore[arg-type]  # the test names real fields


def send(lake: TestLake, journal: JournalWriter, *events: Event, project_id: str = PROJECT) -> None:
    journal.append_blocking(project_id, lake.clock.now_us(), encode(events), len(events))


def ids_of(follower: Follower, *projects: str) -> list[str]:
    look = follower.look(projects or (PROJECT,))
    return [msgspec.json.decode(text)["id"] for found in look.records for text in found.record.e]


def test_a_follower_begins_now_and_goes_on_through_new_segments_and_starts(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, limits=JournalLimits(segment_events_max=2))
    journal = lake.open_journal()
    send(lake, journal, make_event(id="before"))
    follower = Follower(lake.layout.journal)
    assert ids_of(follower) == []
    for number in range(5):
        send(lake, journal, make_event(id=f"e{number}"))
    send(lake, journal, make_event(id="not mine"), project_id=OTHER_PROJECT)
    other = lake.open_journal()
    send(lake, other, make_event(id="of another start"))
    assert sorted(ids_of(follower)) == ["e0", "e1", "e2", "e3", "e4", "of another start"]
    assert ids_of(follower) == []
    journal.close()
    other.close()
    lake.flusher.run()
    assert ids_of(follower) == []
    last = lake.open_journal()
    send(lake, last, make_event(id="afterwards"))
    assert ids_of(follower) == ["afterwards"]
    last.close()
    follower.close()


def test_what_one_look_cannot_read_is_a_gap(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    follower = Follower(lake.layout.journal, piece_bytes=2_000)
    for number in range(100):
        send(lake, journal, make_event(id=f"e{number}"))
    look = follower.look((PROJECT,))
    assert look.has_gap
    found = [msgspec.json.decode(text)["id"] for one in look.records for text in one.record.e]
    assert found == [f"e{number}" for number in range(100 - len(found), 100)]
    assert 0 < len(found) < 100
    assert not follower.look((PROJECT,)).has_gap
    journal.close()
    follower.close()


def test_a_watcher_loses_its_oldest_and_says_how_many() -> None:
    watcher = Watcher(PROJECT, lambda: None)
    watcher.put([(item(number), b"%d" % number) for number in range(QUEUE_MAX + 7)], 3, False)
    taken = watcher.take(2)
    assert (taken.items, taken.skipped) == ([b"7", b"8"], 3 + 7)
    assert watcher.take(2).skipped == 0
    assert len(watcher) == QUEUE_MAX - 4


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Choice(), ["e1", "e2", "e3"]),
        (Choice(event_type="buy"), ["e1"]),
        (Choice(result="rejected"), ["e3"]),
        (Choice(person="ann"), ["e1", "e3"]),
        (Choice(person="an"), []),
        (Choice(person="ann", result="rejected", event_type="buy"), []),
    ],
)
def test_a_choice_meets_all_that_it_says(wanted: Choice, expected: list[str]) -> None:
    items = [
        item(1, event_type="buy", event={"user_id": "ann"}),
        item(2, event_type="visit", event={"anonymous_id": "bob"}),
        item(3, result="rejected", body='{"usr":"ann"}'),
    ]
    assert [one.event_id for one in items if wanted.matches(one)] == expected


def test_the_newest_are_shown_and_the_rest_is_counted(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    feed, has_news = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock)), threading.Event()
    watcher = feed.watch(PROJECT, has_news.set)
    assert watcher is not None
    send(lake, journal, *make_events(SHOWN_MAX + 50))
    journal.offer(PROJECT, 1, msgspec.json.encode([Rejected(code="too_deep", event_id="x")]), 1, kind=Kind.REJECTED)
    shown: list[bytes] = []
    skipped = 0
    while len(shown) + skipped < SHOWN_MAX + 51:
        assert has_news.wait(WAIT_S), "nothing more came"
        has_news.clear()
        taken = watcher.take(1000)
        shown += taken.items
        skipped += taken.skipped
    results = [msgspec.json.decode(text) for text in shown]
    assert [one["event_id"] for one in results][-2:] == [f"event-{SHOWN_MAX + 49}", "x"]
    assert skipped >= 50
    feed.leave(watcher)
    journal.close()


def test_a_stored_event_tells_who_where_and_with_what(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    feed, has_news = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock)), threading.Event()
    watcher = feed.watch(PROJECT, has_news.set)
    assert watcher is not None
    agent = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148 Safari/604.1"
    known = make_event(id="known", url="https://a.example/x", user_agent=agent, location=Location(country="DE"))
    send(lake, journal, known, make_event(id="bare", user_id=None, anonymous_id="visitor"))
    assert has_news.wait(WAIT_S), "nothing came"
    shown = [msgspec.json.decode(text) for text in watcher.take(10).items]
    names = ("person", "page", "device", "country")
    assert [[one.get(name) for name in names] for one in shown] == [
        ["user-1", "https://a.example/x", "mobile", "DE"],
        ["visitor", None, None, None],
    ]
    feed.leave(watcher)
    journal.close()


def test_watchers_are_bounded_and_make_room_when_they_leave(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    feed = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock))
    watchers = [feed.watch(PROJECT, lambda: None) for _ in range(PROJECT_WATCHERS_MAX)]
    assert None not in watchers
    assert feed.watch(PROJECT, lambda: None) is None
    other = feed.watch(OTHER_PROJECT, lambda: None)
    assert other is not None
    assert watchers[0] is not None
    feed.leave(watchers[0])
    again = feed.watch(PROJECT, lambda: None)
    assert again is not None
    for one in (*watchers[1:], other, again):
        assert one is not None
        feed.leave(one)


def test_no_number_of_projects_takes_the_places_of_other_tenants(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    feed = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock))
    own = [feed.watch(f"p{n:011}", lambda: None, "greedy") for n in range(TENANT_WATCHERS_MAX)]
    assert None not in own
    assert feed.watch("p99999999999", lambda: None, "greedy") is None
    other = feed.watch(OTHER_PROJECT, lambda: None, "modest")
    assert other is not None
    for one in (*own, other):
        assert one is not None
        feed.leave(one)


def test_who_watches_is_known_to_other_workers_until_they_stop_or_die(tmp_path: Path) -> None:
    clock = FakeClock()
    here, there = Watchers(tmp_path / "run", clock), Watchers(tmp_path / "run", clock)
    assert not there.is_watched(PROJECT)
    here.tell({PROJECT})
    clock.advance(LOOKED_EVERY_S)
    assert there.is_watched(PROJECT)
    assert not there.is_watched(OTHER_PROJECT)
    clock.advance(STALE_S)
    assert not there.is_watched(PROJECT), "its worker has told nothing for long"
    here.tell({PROJECT})
    clock.advance(LOOKED_EVERY_S)
    assert there.is_watched(PROJECT)
    here.tell(())
    clock.advance(LOOKED_EVERY_S)
    assert not there.is_watched(PROJECT)


def test_a_ticket_is_good_once_for_a_while_and_not_made_without_end(tmp_path: Path) -> None:
    clock = FakeClock()
    here, there = LiveTickets(tmp_path / "run", clock), LiveTickets(tmp_path / "run", clock)
    text = here.issue(PROJECT, "user", "session")
    ticket = there.redeem(text)
    assert ticket is not None
    assert (ticket.project_id, ticket.user_id, ticket.session_id) == (PROJECT, "user", "session")
    assert here.redeem(text) is None
    late = here.issue(PROJECT, "user", "session")
    clock.advance(LIFE_S)
    assert there.redeem(late) is None
    for wrong in ("", "x", "../x", "x" * 10_000):
        assert here.redeem(wrong) is None
    assert text not in "".join(path.name for path in (tmp_path / "run").iterdir())


def test_tickets_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("iafa.meta.live_tickets.TICKETS_MAX", 3)
    clock = FakeClock()
    tickets = LiveTickets(tmp_path / "run", clock)
    for _ in range(3):
        tickets.issue(PROJECT, "user", "session")
    with pytest.raises(RateLimited):
        tickets.issue(PROJECT, "user", "session")
    clock.advance(LIFE_S)
    tickets.issue(PROJECT, "user", "session")
    assert TICKETS_MAX > 3


def test_one_user_cannot_hold_all_tickets(tmp_path: Path) -> None:
    tickets = LiveTickets(tmp_path / "run", FakeClock())
    for _ in range(USER_TICKETS_MAX):
        text = tickets.issue(PROJECT, "greedy", "session")
    with pytest.raises(RateLimited):
        tickets.issue(PROJECT, "greedy", "another session")
    tickets.issue(PROJECT, "other", "session")
    assert tickets.redeem(text) is not None
    tickets.issue(PROJECT, "greedy", "session")


class SlowDisk(Watchers):
    """Writes nothing for the other project until it is let."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, FakeClock())
        self.reached, self.open = threading.Event(), threading.Event()

    def tell(self, project_ids: Collection[str]) -> None:
        if OTHER_PROJECT in project_ids:
            self.reached.set()
            assert self.open.wait(WAIT_S)
        super().tell(project_ids)


def test_who_leaves_does_not_wait_for_who_comes(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    disk = SlowDisk(tmp_path / "run")
    feed = LiveFeed(lake.layout.journal, disk)
    first = feed.watch(PROJECT, lambda: None)
    assert first is not None
    found: list[Watcher | None] = []
    coming = threading.Thread(target=lambda: found.append(feed.watch(OTHER_PROJECT, lambda: None)), daemon=True)
    coming.start()
    assert disk.reached.wait(WAIT_S)
    leaving = threading.Thread(target=feed.leave, args=[first], daemon=True)
    leaving.start()
    leaving.join(5)
    has_waited = leaving.is_alive()
    disk.open.set()
    coming.join(WAIT_S)
    assert not has_waited
    assert found[0] is not None
    feed.leave(found[0])


def test_a_view_whose_thread_cannot_start_is_refused_and_the_next_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = TestLake(tmp_path)
    feed = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock))

    def refused(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as few:
        few.setattr(threading.Thread, "start", refused)
        assert feed.watch(PROJECT, lambda: None) is None
    journal, has_news = lake.open_journal(), threading.Event()
    watcher = feed.watch(PROJECT, has_news.set)
    assert watcher is not None
    send(lake, journal, make_event(id="e1"))
    assert has_news.wait(WAIT_S)
    feed.leave(watcher)
    journal.close()


def test_bots_are_marked_without_reading_user_agents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[object] = []

    def columns(*arguments: object) -> Columns:
        read.append(arguments)
        return {}

    monkeypatch.setattr(Enrichment, "columns", columns)
    lake = TestLake(tmp_path)
    journal, has_news = lake.open_journal(), threading.Event()
    feed = LiveFeed(lake.layout.journal, Watchers(tmp_path / "run", lake.clock))
    watcher = feed.watch(PROJECT, has_news.set)
    assert watcher is not None
    send(lake, journal, make_event(id="e1", user_agent="Googlebot/2.1"), make_event(id="e2"))
    assert has_news.wait(WAIT_S)
    assert [msgspec.json.decode(text)["result"] for text in watcher.take(9).items] == ["bot", "stored"]
    assert read == []
    feed.leave(watcher)
    journal.close()

"""Records that nobody waits for: stored like any other when there is room, only counted when there is none."""

import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from iafa.event import Rejected
from iafa.failpoints import Failpoints, Hit, no_failpoints
from iafa.journal.format import Kind
from iafa.journal.reader import Damage, journals, read_segment, segments
from iafa.journal.writer import OFFERED_SHARE, JournalLimits, JournalWriter
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT, encode, make_events
from tests.support.lake import TestLake

REJECTED = [Rejected(code="validation_error", pointer="/events/0", message="is required", body="{}")]
CONTENT = msgspec.json.encode(REJECTED)


def open_journal(
    root: Path, counters: Counters, hit: Hit = no_failpoints, limits: JournalLimits | None = None
) -> JournalWriter:
    lake = TestLake(root)
    return JournalWriter(lake.layout.journal, lake.clock, limits or JournalLimits(), counters=counters, hit=hit)


def stored(root: Path) -> list[tuple[str, int]]:
    return [
        (record.k, len(record.e) + len(record.x))
        for epoch, directory in journals(TestLake(root).layout.journal)
        for segment in segments(epoch, directory)
        for record in read_segment(segment, Damage())
    ]


class Gate:
    """Holds the commit thread at a failpoint, so that what is handed over meanwhile has to wait."""

    def __init__(self, name: str) -> None:
        self._name = name
        self.reached = threading.Event()
        self.open = threading.Event()

    def hit(self, name: str) -> None:
        if name == self._name:
            self.reached.set()
            assert self.open.wait(30)


def test_offered_record_is_in_the_journal_after_closing(tmp_path: Path) -> None:
    journal = open_journal(tmp_path, Counters())
    journal.offer(PROJECT, NOON_US, CONTENT, 1, kind=Kind.REJECTED)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.close()
    assert stored(tmp_path) == [("rejected", 1), ("events", 2)]


def test_offers_have_a_share_of_their_own_and_take_no_request_its_room(tmp_path: Path) -> None:
    gate, counters = Gate("journal.before_write"), Counters()
    limits = JournalLimits(waiting_bytes_max=1000 * OFFERED_SHARE)
    journal = open_journal(tmp_path, counters, gate.hit, limits)
    first = threading.Thread(target=journal.append_blocking, args=(PROJECT, NOON_US, b"[]", 0))
    first.start()
    assert gate.reached.wait(30)
    for _ in range(100):
        journal.offer(PROJECT, NOON_US, CONTENT, 1, kind=Kind.REJECTED)
    second = threading.Thread(target=journal.append_blocking, args=(PROJECT, NOON_US, b"[]", 0))
    second.start()
    gate.open.set()
    first.join()
    second.join()
    journal.close()
    kept = [kind for kind, _count in stored(tmp_path)].count("rejected")
    assert 1000 // len(CONTENT) <= kept <= 1000 // len(CONTENT) + 1
    assert counters.read() == {"journal_offers_dropped": {"rejected": 100 - kept}}


def closed(journal: JournalWriter) -> None:
    journal.close()


def open_still(_journal: JournalWriter) -> None:
    return


@pytest.mark.parametrize(
    ("point", "before"),
    [
        pytest.param("journal.written:1:enospc", open_still, id="the disk is full"),
        pytest.param("", closed, id="the journal is closed"),
    ],
)
def test_what_cannot_be_stored_is_counted_and_raises_nothing(
    tmp_path: Path, point: str, before: Callable[[JournalWriter], None]
) -> None:
    counters = Counters()
    journal = open_journal(tmp_path, counters, Failpoints(point).hit)
    before(journal)
    journal.offer(PROJECT, NOON_US, CONTENT, 3, kind=Kind.REJECTED)
    if not point:
        assert counters.read() == {"journal_offers_dropped": {"rejected": 3}}
        return
    journal.close()
    assert counters.read()["journal_offers_dropped"] == {"rejected": 3}
    assert stored(tmp_path) == []

"""Events that were acknowledged and that Parquet cannot hold: set aside alone, with their neighbours stored."""

from pathlib import Path

import pytest

from iafa.event import TIME_MAX_US, Event
from iafa.journal.format import encode_record
from iafa.journal.reader import journals
from tests.support.events import NOON_US, OTHER_PROJECT, PROJECT, encode, make_event, make_events, poison
from tests.support.lake import TestLake, ids, read_rejected


def in_the_middle(events: list[Event], *guests: Event) -> bytes:
    half = len(events) // 2
    return encode([*events[:half], *guests, *events[half:]])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(in_the_middle(make_events(9), poison("bad")), id="a time beyond 64 bits"),
        pytest.param(in_the_middle(make_events(9), make_event(id="bad", created_at=TIME_MAX_US + 1)), id="year 10000"),
        pytest.param(in_the_middle(make_events(9), make_event(id="bad", created_at=-1)), id="before 1970"),
        pytest.param(encode(make_events(9))[:-1] + b"," + encode([poison("bad")])[1:], id="the last of a request"),
        pytest.param(
            encode(make_events(9))[:-1] + b',{"id":"bad","event_type":"x","created_at":1,"properties":{"a":"\xff"}}]',
            id="properties that are not UTF-8",
        ),
    ],
)
def test_poison_is_set_aside_and_every_neighbour_is_stored(tmp_path: Path, content: bytes) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking(OTHER_PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.append_blocking(PROJECT, NOON_US, content, 10)
    expected = sorted(event.id for event in make_events(9))
    assert ids(lake.take()) == expected, "a query over the tail stands it too"
    journal.close()
    flushed = lake.flusher.run()
    assert (flushed.segments, flushed.events, flushed.poisoned) == (1, 11, 1)
    assert ids(lake.take()) == expected
    assert journals(lake.layout.journal) == []
    (row,) = read_rejected(lake.layout, PROJECT, 10)
    assert (row["code"], row["event_id"]) == ("poison", "bad")
    assert '"bad"' in str(row["body"])
    assert lake.counters.read()["events_quarantined"] == {"poison": 1}
    assert lake.counters.read()["events_dropped"] == {"poison": 1}


def test_many_poisoned_events_and_a_request_of_nothing_else(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, NOON_US, encode([poison(f"only-{number}") for number in range(20)]), 20)
    bad = [poison(f"bad-{number}") for number in range(50)]
    mixed = [event for pair in zip(make_events(50), bad, strict=True) for event in pair]
    journal.append_blocking(PROJECT, NOON_US, encode(mixed), 100)
    journal.close()
    assert lake.flusher.run().poisoned == 70
    assert len(ids(lake.take())) == 50
    assert len(read_rejected(lake.layout, PROJECT, 100)) == 70


def test_time_of_receipt_that_cannot_be_stored_poisons_its_own_request_only(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking(PROJECT, 2**70, encode(make_events(2, prefix="timeless")), 2)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.close()
    assert lake.flusher.run().poisoned == 2
    assert ids(lake.take()) == ["event-0", "event-1"]
    assert len(read_rejected(lake.layout, PROJECT, 10)) == 2


def test_event_of_a_sound_record_that_cannot_be_decoded_costs_no_neighbour(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    lake.write([make_event(id="first")])
    (segment,) = lake.layout.journal.glob("*/*.ndjson")
    content = b'[{"id":"second","event_type":"x","created_at":1},{"event_type":"nameless","created_at":1}]'
    segment.write_bytes(segment.read_bytes() + encode_record(2, PROJECT, NOON_US, content))
    flushed = lake.flusher.run()
    assert (flushed.events, flushed.damage.damaged) == (2, [])
    assert ids(lake.take()) == ["first", "second"]
    (row,) = read_rejected(lake.layout, PROJECT, 10)
    assert row["code"] == "poison"
    assert "nameless" in str(row["body"])


def test_record_of_a_project_that_cannot_be_named_does_not_stop_the_segment(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    journal = lake.open_journal()
    journal.append_blocking("../evil", NOON_US, encode(make_events(2)), 2)
    journal.append_blocking(PROJECT, NOON_US, encode(make_events(2)), 2)
    journal.close()
    assert lake.flusher.run().of_deleted_projects == 2
    assert len(ids(lake.take())) == 2

"""Collecting without HTTP: admission, limits, duplicates, and the counts of a batch."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from iafa.clock import US_PER_DAY, US_PER_S, FakeClock
from iafa.errors import (
    InsufficientScope,
    InvalidCredentials,
    PayloadTooLarge,
    RateLimited,
    StorageUnavailable,
    ValidationFailed,
)
from iafa.event import REJECTED_BODY_CHARS_MAX, Rejected
from iafa.failpoints import Failpoints
from iafa.ingest.collector import Collector
from iafa.ingest.gate import Gate, Origin, _network, is_allowed_origin
from iafa.ingest.limits import RateLimiter
from iafa.ingest.privacy import hash_address
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.rejections import Rejections
from iafa.ingest.salts import Salts
from iafa.ingest.usage import Usage, open_usage
from iafa.journal.format import Kind
from iafa.journal.reader import Damage, journals, read_segment, sealed_segments, segments
from iafa.meta.api_keys import KeyGrant
from iafa.meta.collect_rules import SamplingRule
from iafa.metrics import Counters
from tests.support.events import NOON_US, PROJECT
from tests.support.lake import TestLake, ids, rows

WRITE = KeyGrant(
    project_id=PROJECT,
    key_id="key-w",
    kind="write",
    expires_us=None,
    salt=b"salt",
    timezone="UTC",
    allowed_origins=(),
    rate_limit_per_minute=None,
    rate_limit_per_ip_per_minute=None,
    retention_days=90,
)
SECRET = replace(WRITE, key_id="key-s", kind="secret")
HERE = Origin("192.0.2.1", "Agent/1.0")


def collector_of(lake: TestLake, *, is_watched: bool = False, **grants: KeyGrant) -> Collector:
    known = {"write": WRITE, "secret": SECRET, **grants}
    journal, counters = lake.open_journal(), Counters()
    rejections = Rejections(journal, RateLimiter(lake.clock), counters, lambda _project_id: is_watched)
    gate = Gate(
        find_grant=lambda key, _now_us: known.get(key),
        limiter=RateLimiter(lake.clock),
        usage=Usage(open_usage(lake.layout.usage, lake.layout.tmp), lake.clock),
        rejections=rejections,
        counters=counters,
        clock=lake.clock,
    )
    return Collector(
        journal=journal,
        gate=gate,
        salts=Salts(lake.layout.salts, lake.layout.tmp, lake.clock),
        recent=RecentIds(lake.clock),
        rejections=rejections,
        counters=counters,
        clock=lake.clock,
    )


def body(*events: dict[str, Any]) -> bytes:
    return json.dumps(list(events)).encode()


def event(id_: str, **over: Any) -> dict[str, Any]:
    return {"event": "a", "user_id": "u", "id": id_, **over}


async def test_accepted_event_is_in_the_next_snapshot(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    answer = await collector.one(SECRET, HERE, json.dumps(event("e1")).encode())
    assert (answer.status, answer.id) == ("ok", "e1")
    assert ids(lake.take()) == ["e1"]
    collector.journal.close()


async def test_batch_judges_each_event_alone_and_the_counts_add_up(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    await collector.one(SECRET, HERE, json.dumps(event("old")).encode())
    events = [event("a"), event("a"), event("old"), event("bad", timestamp="?"), event("b"), {"event": 1}]
    answer = await collector.batch(SECRET, HERE, body(*events))
    assert (answer.accepted, answer.duplicates, answer.rejected) == (2, 2, 2)
    assert answer.accepted + answer.duplicates + answer.sampled_out + answer.rejected + answer.retry == len(events)
    assert [(one.index, one.result, one.code) for one in answer.results] == [
        (1, "duplicate", None),
        (2, "duplicate", None),
        (3, "rejected", "invalid_timestamp"),
        (5, "rejected", "validation_error"),
    ]
    assert ids(lake.take()) == ["a", "b", "old"]
    assert collector.counters.read()["events_dropped"] == {
        **{"duplicate": 2, "invalid_timestamp": 1, "validation_error": 1}
    }
    collector.journal.close()


@pytest.mark.parametrize("more", [[], [{"event": "wrong"}]], ids=["plain", "judged one by one"])
async def test_who_watches_is_told_the_names_of_what_a_batch_leaves_out(
    tmp_path: Path, more: list[dict[str, Any]]
) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake, is_watched=True)
    grant = replace(SECRET, sampling=(SamplingRule(rate=0, event_type="rare"),))
    await collector.batch(grant, HERE, body(event("e1"), event("e1"), event("e2", event="rare"), *more))
    collector.rejections.tell()
    collector.journal.close()
    tallies = [
        tally
        for epoch, directory in journals(lake.layout.journal)
        for segment in segments(epoch, directory)
        for record in read_segment(segment, Damage())
        for tally in record.d
    ]
    assert {tally.code: [(one.event_id, one.event_type) for one in tally.seen] for tally in tallies if tally.seen} == {
        "duplicate": [("e1", "a")],
        "sampled_out": [("e2", "rare")],
    }


async def test_batch_of_nothing_but_invalid_events_answers_and_stores_nothing(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    answer = await collector.batch(SECRET, HERE, body({"x": 1}, {"y": 2}))
    assert (answer.accepted, answer.rejected) == (0, 2)
    assert ids(lake.take()) == []
    collector.journal.close()


async def test_batch_over_too_many_days_keeps_the_first_31(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    day_s = US_PER_DAY // 1_000_000
    events = [event(str(day), timestamp=NOON_US // 1_000_000 - day * day_s) for day in range(33)]
    answer = await collector.batch(SECRET, HERE, body(*events))
    assert (answer.accepted, answer.rejected) == (31, 2)
    assert {one.code for one in answer.results} == {"too_many_dates"}
    collector.journal.close()


async def test_event_that_was_not_stored_is_no_duplicate_when_it_is_sent_again(tmp_path: Path) -> None:
    lake = TestLake(tmp_path, hit=Failpoints("journal.before_write:1:enospc").hit)
    collector = collector_of(lake)
    with pytest.raises(StorageUnavailable):
        await collector.batch(SECRET, HERE, body(event("a")))
    assert (await collector.batch(SECRET, HERE, body(event("a")))).accepted == 1
    assert ids(lake.take()) == ["a"]
    collector.journal.close()


def rejected_of(collector: Collector) -> list[Rejected]:
    """What the journal holds for the quarantine, once it is closed."""
    collector.journal.close()
    segments, _is_dead = sealed_segments(collector.journal.epoch, collector.journal.directory)
    records = [record for segment in segments for record in read_segment(segment, Damage())]
    return [one for record in records if record.k == Kind.REJECTED for one in record.x]


async def test_refused_events_go_to_the_journal_with_their_reason_and_text(tmp_path: Path) -> None:
    collector = collector_of(TestLake(tmp_path))
    wrong = b'{"event":"a","user_id":"u","id":"e1","timestamp":"?", "n": 1}'
    await collector.batch(WRITE, HERE, b'[{"event":"a","user_id":"u"}, %b, {"event": 1}]' % wrong)
    await collector.beacon(WRITE, HERE, b'{"e":[{"n":"ok"},{"n":"late","t":-1}]}')
    large = json.dumps(event("e2", properties={str(n): "x" * 8000 for n in range(5)})).encode()
    for body_, error in ((wrong, ValidationFailed), (large, PayloadTooLarge)):
        with pytest.raises(error):
            await collector.one(WRITE, HERE, body_)
    found = rejected_of(collector)
    assert [(one.code, one.pointer, one.event_id, one.event_type, one.body) for one in found] == [
        ("invalid_timestamp", "/events/1/timestamp", "e1", "a", wrong.decode()),
        ("validation_error", "/events/2/event", None, None, '{"event": 1}'),
        ("timestamp_out_of_window", "/events/1/timestamp", found[2].event_id, "late", '{"n":"late","t":-1}'),
        ("invalid_timestamp", "/timestamp", "e1", "a", wrong.decode()),
        ("event_too_large", "", "e2", "a", large.decode()[:REJECTED_BODY_CHARS_MAX]),
    ]
    assert all(one.message for one in found)
    journal = b"".join(path.read_bytes() for path in collector.journal.directory.glob("*.ndjson"))
    assert b"192.0.2.1" not in journal


async def test_flood_of_refused_events_is_counted_and_only_some_are_kept(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    for _ in range(2):
        await collector.batch(SECRET, HERE, body(*({"event": n} for n in range(400))))
    lake.clock.advance(60)
    other = replace(SECRET, project_id="p0projectbbbb")
    await collector.batch(other, HERE, body({"event": 1}))
    assert len(rejected_of(collector)) == 601
    counted = collector.counters.read()
    assert counted["events_dropped"] == {"validation_error": 801}
    assert counted["journal_offers_dropped"] == {"rate": 200}


@pytest.mark.parametrize("over", [{}, {"plan": "an unknown member takes the way through the pipeline"}])
async def test_event_of_a_day_that_the_project_no_longer_keeps_is_refused(tmp_path: Path, over: dict[str, str]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    first_s = (NOON_US // US_PER_DAY - 90) * US_PER_DAY // US_PER_S
    events = [event("kept", timestamp=first_s, **over), event("old", timestamp=first_s - 1, **over)]
    answer = await collector.batch(SECRET, HERE, body(*events))
    assert [(one.event_id, one.code) for one in answer.results] == [("old", "timestamp_out_of_window")]
    assert "retention_days" in str(answer.results[0].message)
    assert (await collector.batch(replace(SECRET, retention_days=None), HERE, body(events[1]))).accepted == 1
    assert ids(lake.take()) == ["kept", "old"]
    collector.journal.close()


@pytest.mark.parametrize("over", [{}, {"plan": "an unknown member takes the way through the pipeline"}])
async def test_request_key_makes_the_same_ids_again(tmp_path: Path, over: dict[str, str]) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    events = [{"event": "a", "user_id": "u", **over}, {"event": "b", "user_id": "u", **over}]
    keyed, other = Origin("192.0.2.1", request_key="order-77"), Origin("192.0.2.1", request_key="order-78")
    answers = [await collector.batch(SECRET, origin, body(*events)) for origin in (keyed, keyed, other, HERE, HERE)]
    assert [(answer.accepted, answer.duplicates) for answer in answers] == [(2, 0), (0, 2), (2, 0), (2, 0), (2, 0)]
    one = [await collector.one(SECRET, Origin("", request_key="single"), json.dumps(events[0]).encode()) for _ in "12"]
    assert [answer.status for answer in one] == ["ok", "duplicate"]
    assert one[0].id == one[1].id
    collector.journal.close()


async def test_request_key_is_found_again_after_a_restart(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    for _ in range(2):
        collector = collector_of(lake)
        await collector.batch(SECRET, Origin("", request_key="order-77"), body({"event": "a", "user_id": "u"}))
        collector.journal.close()
    assert len(ids(lake.take())) == 1


async def test_refused_event_lists_all_errors(tmp_path: Path) -> None:
    collector = collector_of(TestLake(tmp_path))
    with pytest.raises(ValidationFailed) as failure:
        await collector.one(SECRET, HERE, b'{"timestamp":"?"}')
    assert [error.pointer for error in failure.value.errors] == ["/event_type", "/user_id", "/timestamp"]
    collector.journal.close()


async def test_address_is_stored_as_a_keyed_hash_and_only_for_browsers(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    await collector.batch(WRITE, HERE, body(event("w")))
    await collector.batch(SECRET, HERE, body(event("s")))
    assert rows(lake.take(), "id, ip_address") == [("s", None), ("w", hash_address("192.0.2.1", b"salt"))]
    (segment,) = lake.layout.journal.glob("*/*.ndjson")
    assert b"192.0.2.1" not in segment.read_bytes()
    collector.journal.close()


async def test_unknown_key_is_refused_and_guessing_is_limited_by_address(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    collector = collector_of(lake)
    for _ in range(100):
        with pytest.raises(InvalidCredentials):
            await collector.gate.admit("guess", HERE)
    with pytest.raises(RateLimited) as failure:
        await collector.gate.admit("guess", HERE)
    assert failure.value.retry_after_s == 1
    with pytest.raises(InvalidCredentials):
        await collector.gate.admit(None, Origin("192.0.2.2"))
    assert await collector.gate.admit("secret", HERE) is SECRET
    collector.journal.close()


async def test_key_of_pages_may_be_bound_to_origins(tmp_path: Path) -> None:
    bound = replace(WRITE, allowed_origins=("https://shop.example", "*.shop.example"))
    collector = collector_of(TestLake(tmp_path), bound=bound)
    assert await collector.gate.admit("bound", Origin("192.0.2.1", origin="https://shop.example")) is bound
    with pytest.raises(InsufficientScope):
        await collector.gate.admit("bound", Origin("192.0.2.1", origin="https://evil.example"))
    assert await collector.gate.admit("bound", HERE) is bound
    collector.journal.close()


@pytest.mark.parametrize(
    ("origin", "allowed", "expected"),
    [
        ("https://a.example", [], True),
        ("https://a.example", ["a.example"], True),
        ("http://a.example", ["https://a.example"], False),
        ("https://b.a.example", ["*.a.example"], True),
        ("https://a.example", ["*.a.example"], False),
        ("https://evila.example", ["*.a.example"], False),
        ("https://b.a.example", ["https://*.a.example"], True),
        ("http://b.a.example", ["https://*.a.example"], False),
        ("https://A.Example", ["a.example"], True),
        ("null", ["a.example"], False),
    ],
)
def test_allowed_origins(origin: str, allowed: list[str], expected: bool) -> None:
    assert is_allowed_origin(origin, allowed) is expected


async def test_events_are_limited_by_key_and_the_bucket_refills(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    limited = replace(SECRET, rate_limit_per_minute=60)
    collector = collector_of(lake)
    assert (await collector.batch(limited, HERE, body(*(event(f"a{n}") for n in range(60))))).accepted == 60
    with pytest.raises(RateLimited) as failure:
        await collector.batch(limited, HERE, body(event("b")))
    assert failure.value.retry_after_s == 1
    lake.clock.advance(1)
    assert (await collector.batch(limited, HERE, body(event("b")))).accepted == 1
    collector.journal.close()


async def test_batch_larger_than_the_bucket_passes_when_it_is_full_and_leaves_a_debt(tmp_path: Path) -> None:
    lake = TestLake(tmp_path)
    limited = replace(SECRET, rate_limit_per_minute=10)
    collector = collector_of(lake)
    assert (await collector.batch(limited, HERE, body(*(event(f"a{n}") for n in range(30))))).accepted == 30
    lake.clock.advance(60)
    with pytest.raises(RateLimited):
        await collector.batch(limited, HERE, body(event("b")))
    lake.clock.advance(66)
    assert (await collector.batch(limited, HERE, body(event("b")))).accepted == 1
    collector.journal.close()


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:5:6:7:8", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_visitors_of_one_ipv6_network_share_a_limit(address: str, network: str) -> None:
    assert _network(address) == network


def test_recent_ids_are_bounded_and_forget_the_oldest() -> None:
    recent = RecentIds(FakeClock(), ids_max=3)
    for number in range(7):
        recent.add("p", [str(number)])
    assert recent.known("p", ["0", "6"]) == {"6"}
    assert not recent.known("other", ["6"])


def test_recent_ids_are_forgotten_within_the_dedup_window() -> None:
    clock = FakeClock()
    recent = RecentIds(clock, window_s=100)
    recent.add("p", ["early"])
    clock.advance(60)
    recent.add("p", ["late"])
    assert recent.known("p", ["early", "late"]) == {"early", "late"}
    clock.advance(50)
    assert recent.known("p", ["early", "late"]) == {"late"}
    clock.advance(101)
    assert not recent.known("p", ["early", "late"])

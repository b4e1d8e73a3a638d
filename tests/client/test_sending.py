"""Events through the real client into a real server: each stored once, and nothing lost without a reason."""

import gc
import json
import logging
import threading
import time
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Any, cast
from uuid import UUID

import httpx
import numpy as np
import pandas as pd
import pytest

from iafa.client import Client, Counts
from iafa.client.connection import Connection
from iafa.client.delivery import Delivery
from iafa.client.events import Prepared
from tests.client.conftest import Made, Shop
from tests.support.server import Account, ServerProcess, free_port

UNREACHABLE = "http://127.0.0.1:9"
WAIT_S = 60.0


class Plan(Enum):
    PRO = "pro"


AT = datetime(2026, 11, 20, 10, 0, 0, 123456, tzinfo=UTC)
PROPERTIES: dict[Any, Any] = {
    "words": "Zürich 日本 🎉",
    "nul": "a\x00b",
    "half": "a\ud83db",
    "price": Decimal("19.90"),
    "long": Decimal("0.12345678901234567890123"),
    "big": 2**64,
    "gone": float("nan"),
    "np": {"int": np.int64(3), "float": np.float32(0.5), "bool": np.bool_(True), "array": np.array([[1, 2], [3, 4]])},
    "np_time": np.datetime64("2026-11-20T10:00:00"),
    "no_time": [np.datetime64("NaT"), pd.NaT, pd.NA],
    "times": [AT, AT.date(), timedelta(minutes=2), pd.Timestamp("2026-11-20", tz="Europe/Vienna")],
    "set": {3, 1, 2},
    "bytes": [b"abc", b"\xff\x00"],
    "enum": Plan.PRO,
    "uuid": UUID(int=5),
    1: "a number as name",
}
STORED: dict[str, Any] = {
    "words": "Zürich 日本 🎉",
    "nul": "a\ufffdb",
    "half": "a\ufffdb",
    "price": 19.9,
    "long": "0.12345678901234567890123",
    "big": "18446744073709551616",
    "gone": None,
    "np": {"int": 3, "float": 0.5, "bool": True, "array": [[1, 2], [3, 4]]},
    "np_time": "2026-11-20T10:00:00",
    "no_time": [None, None, None],
    "times": ["2026-11-20T10:00:00.123456+00:00", "2026-11-20", 120.0, "2026-11-20T00:00:00+01:00"],
    "set": [1, 2, 3],
    "bytes": ["abc", "/wA="],
    "enum": "pro",
    "uuid": "00000000-0000-0000-0000-000000000005",
    "1": "a number as name",
}


def add_up(counts: Counts) -> bool:
    stored = counts.accepted + counts.duplicates + counts.sampled_out
    return counts.tracked == stored + counts.pending + sum(counts.dropped.values())


def test_every_call_is_one_event_as_it_was_given(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    properties, number = dict(PROPERTIES), cast(int, np.int64(42))
    ids = [
        client.track("Order", "anna", properties, timestamp=AT, session_id=7, url="https://shop.example/a"),
        client.identify("anna", {"plan": "pro"}, anonymous_id="visitor-1"),
        client.group(42, "acme", {"name": "Acme"}),
        client.alias("anna-old", "anna"),
        client.page(None, {"title": "A"}, anonymous_id="visitor-2", url="https://shop.example/b", user_agent="UA/1"),
        client.track("Naive", 42.0, timestamp=AT.replace(tzinfo=None), id="mine"),
        client.track("Days", number, timestamp=date(2026, 11, 20)),
        client.track("Seconds", "anna", timestamp=AT.timestamp(), timezone="Europe/Vienna"),
        client.track("Text", "anna", timestamp="2026-11-20T11:00:00.123456+01:00"),
        client.track("Pandas", "anna", timestamp=pd.Timestamp(AT)),
    ]
    properties.clear()  # what was tracked stays as it was
    assert client.flush(WAIT_S)
    assert make.dropped == []
    assert client.counts == Counts(10, 10, 0, 0, 0, {})
    rows = {row["id"]: row for row in shop.rows(10)}
    assert list(rows) != []
    assert sorted(rows) == sorted(str(id_) for id_ in ids)
    found = [rows[str(id_)] for id_ in ids]
    assert found[0]["properties"] == STORED
    assert (found[0]["session_id"], found[0]["url"], found[0]["created_at"]) == ("7", "https://shop.example/a", AT)
    assert (found[1]["user_id"], found[1]["anonymous_id"], found[1]["properties"]) == (
        "anna",
        "visitor-1",
        {"plan": "pro"},
    )
    assert (found[2]["user_id"], found[2]["properties"]) == ("42", {"name": "Acme", "group_id": "acme"})
    assert (found[3]["user_id"], found[3]["properties"]) == ("anna", {"previous_id": "anna-old"})
    assert [row["event_type"] for row in found[1:5]] == ["identify", "group", "alias", "page_view"]
    assert (found[4]["user_agent"], found[4]["user_id"]) == ("UA/1", None)
    assert (found[5]["id"], found[5]["user_id"]) == ("mine", "42")
    assert [row["created_at"] for row in found[5:]] == [AT, datetime(2026, 11, 20, tzinfo=UTC), AT, AT, AT]
    assert {row["source"] for row in found} == {"server"}
    assert {row["ip_address"] for row in found} == {None}
    assert {row["user_agent"] for row in found} == {None, "UA/1"}


ENDS = {
    "falls off its end": "",
    "sys.exit": "import sys; sys.exit(0)",
    "an exception": "raise ValueError('as planned')",
}


@pytest.mark.parametrize("end", ENDS)
def test_program_that_ends_without_flush_loses_nothing(shop: Shop, end: str) -> None:
    program = """
client = Client(key, host, flush_interval_s=60)
for n in range(1200):
    assert client.track("Tracked", f"u{n % 7}", {"n": n})
"""
    shop.run(program + ENDS[end], exit_code=1 if end == "an exception" else 0)
    assert shop.event_counts() == {"Tracked": 1200}


STRICT = """
client = Client(key, host)
client.identify("anna", {"plan": "pro"}, anonymous_id="v-1")
client.group("anna", "acme", {"seats": 3})
client.alias("old", "anna")
client.page("anna", url="https://shop.example/a")
client.track("Paid", "anna", {"total": 9.9}, timestamp="2026-11-01T10:00:00+01:00")
assert client.flush(60)
receipt = client.upload([{"id": "u1", "user_id": "anna", "event_type": "loaded", "timestamp": "2026-11-02T10:00:00Z"}])
assert receipt.accepted == 1
assert client.counts.accepted == 5
client.track("Last", "anna")
"""


@pytest.mark.parametrize("end", ["", "client.close()", "del client"], ids=["exit", "close", "forgotten"])
def test_program_for_which_every_warning_is_an_error(shop: Shop, end: str) -> None:
    """No socket, file or thread is left to its end."""
    assert shop.run(STRICT + end, strictly=True) == ""
    names = sorted(row["event_type"] for row in shop.rows(7))
    assert names == ["Last", "Paid", "alias", "group", "identify", "loaded", "page_view"]


def test_forgotten_client_sends_what_it_has_and_its_thread_ends(shop: Shop) -> None:
    before = set(threading.enumerate())
    Client(shop.secret_key, shop.recorder.url, flush_interval_s=60).track("Tracked", "anna")
    deadline = time.monotonic() + WAIT_S
    while set(threading.enumerate()) - before:
        gc.collect()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert shop.event_counts() == {"Tracked": 1}


FORKS = {
    "os.fork": """
import os
pid = os.fork()
client.track("Child" if pid == 0 else "Parent", "anna")
if pid:
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
""",
    "os.fork, flushed": """
import os
pid = os.fork()
client.track("Child" if pid == 0 else "Parent", "anna")
if pid == 0:
    assert client.flush(60)
    assert client.counts.tracked == 1
    os._exit(0)
assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
""",
    "multiprocessing": """
import multiprocessing
def work():
    client.track("Child", "anna")
context = multiprocessing.get_context("fork")
child = context.Process(target=work)
child.start()
child.join()
assert child.exitcode == 0
client.track("Parent", "anna")
""",
}


@pytest.mark.parametrize("way", FORKS)
def test_parent_and_child_send_their_own_events(shop: Shop, way: str) -> None:
    program = """
client = Client(key, host, flush_interval_s=0.05)
for n in range(300):
    client.track("Before", "anna", {"n": n})
"""
    shop.run(program + FORKS[way])
    assert shop.event_counts() == {"Before": 300, "Child": 1, "Parent": 1}
    # The child does not send what its parent has: each id came once.
    ids = [event["id"] for one in shop.recorder.posts() for event in one.content["events"]]
    assert len(ids) == len(set(ids)) == 302


def test_server_that_is_killed_and_comes_back_loses_nothing(tmp_path: Any, make: Made) -> None:
    port = free_port()
    server = ServerProcess(tmp_path / "data", port=port).start()
    try:
        owner = Account(server.url)
        client = make(owner.secret_key, server.url, batch_size=50, flush_interval_s=0.05)
        for n in range(300):
            client.track("Tracked", "anna", {"n": n})
            if n == 100:
                server.kill(whole_group=True)
        assert not client.flush(0.5)
        assert client.counts.pending > 0
        server.start()
        assert client.flush(WAIT_S)
        assert owner.event_counts() == {"Tracked": 300}
        assert make.dropped == []
        counts = client.counts
        assert (counts.accepted + counts.duplicates, counts.pending) == (300, 0)
        owner.client.close()
    finally:
        server.stop()


def test_event_whose_answer_was_lost_counts_once(shop: Shop, make: Made) -> None:
    shop.recorder.faults.extend(["lose the answer", 503, 502, 429, 500, "send twice"])
    client = make(shop.secret_key, shop.recorder.url)
    for n in range(20):
        client.track("Paid", "anna", {"n": n})
    assert client.flush(WAIT_S)
    assert len(shop.recorder.posts(status=None)) == 7
    bodies = {json.dumps(one.content) for one in shop.recorder.posts(status=None)}
    assert len(bodies) == 1, "what is sent again is the same"
    rows = shop.rows(20)
    assert sorted(row["properties"]["n"] for row in rows) == list(range(20))
    assert client.counts == Counts(20, 0, 20, 0, 0, {})


def test_client_waits_as_long_as_the_server_says(slow_shop: Shop, make: Made) -> None:
    client = make(slow_shop.secret_key, slow_shop.recorder.url, batch_size=31, flush_interval_s=0.01)
    started_s = time.monotonic()
    for n in range(62):
        client.track("Tracked", "anna", {"n": n})
    assert client.flush(WAIT_S)
    refused = slow_shop.recorder.posts(status=429)
    assert refused, "the server never said that it is too much"
    assert len(refused) <= 2, "the client did not wait"
    assert time.monotonic() - started_s >= 1
    assert slow_shop.event_counts() == {"Tracked": 62}
    assert make.dropped == []


def test_full_queue_drops_the_newest_with_a_reason(make: Made, caplog: pytest.LogCaptureFixture) -> None:
    client = make("iafa_s_x", UNREACHABLE, queue_size=10, batch_size=4)
    ids = [client.track("Tracked", "anna", {"n": n}) for n in range(25)]
    assert [id_ is not None for id_ in ids] == [True] * 10 + [False] * 15
    assert {(one.reason, one.count) for one in make.dropped} == {("queue_full", 1)}
    assert client.counts == Counts(25, 0, 0, 0, 10, {"queue_full": 15})
    client.close(0.2)
    assert client.counts == Counts(25, 0, 0, 0, 0, {"queue_full": 15, "shutdown": 10})
    assert client.track("Late", "anna") is None
    assert client.counts.dropped == {"queue_full": 15, "shutdown": 10, "closed": 1}
    assert make.dropped[-1].reason == "closed"
    # Each doubling is one line: 1, 2, 4, 8.
    assert sum("queue_full" in record.message for record in caplog.records) == 4


class Broken:
    def __str__(self) -> str:
        raise RuntimeError("no text")


HOLDS_ITSELF: dict[str, Any] = {}
HOLDS_ITSELF["self"] = HOLDS_ITSELF
INVALID: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
    ((None, "anna"), {}, "name"),
    (("  ", "anna"), {}, "name"),
    ((5, "anna"), {}, "name"),
    (("Tracked",), {}, "user_id or an anonymous_id"),
    (("Tracked", ""), {}, "user_id or an anonymous_id"),
    (("Tracked", float("nan")), {}, "user_id or an anonymous_id"),
    (("Tracked", True), {}, "user_id must be"),
    (("Tracked", ["anna"]), {}, "user_id must be"),
    (("Tracked", "anna", ["no mapping"]), {}, "properties must be"),
    (("Tracked", "anna", {"x": Broken()}), {}, "RuntimeError"),
    (("Tracked", "anna", HOLDS_ITSELF), {}, "hold themselves"),
    (("Tracked", "anna"), {"timestamp": "yesterday"}, "timestamp"),
    (("Tracked", "anna"), {"timestamp": pd.NaT}, "timestamp"),
    (("Tracked", "anna"), {"timestamp": 1e300}, "timestamp"),
    (("Tracked", "anna"), {"url": 5}, "url must be"),
    (("Tracked", "anna"), {"ip": "203.0.113.77"}, "no field ip"),
]


@pytest.mark.parametrize(("arguments", "fields", "message"), INVALID)
def test_bad_input_is_counted_and_told_and_never_raised(
    make: Made, arguments: tuple[Any, ...], fields: dict[str, Any], message: str
) -> None:
    client = make("iafa_s_x", UNREACHABLE)
    assert client.track(*arguments, **fields) is None
    assert client.counts == Counts(1, 0, 0, 0, 0, {"invalid": 1})
    assert [(one.reason, one.count) for one in make.dropped] == [("invalid", 1)]
    assert message in make.dropped[0].message


def test_what_the_server_refuses_is_told_by_event(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url)
    client.track("Good", "anna")
    old = client.track("Old", "anna", timestamp=datetime(1969, 1, 1, tzinfo=UTC))
    large = client.track("Large", "anna", {f"k{n}": "y" * 8_000 for n in range(25)})
    assert client.track("Huge", "anna", {f"k{n}": "y" * 8_000 for n in range(140)}) is None
    assert client.flush(WAIT_S)
    told = sorted((one.reason, one.code, one.ids) for one in make.dropped if one.reason == "rejected")
    assert told == sorted(
        [("rejected", "timestamp_out_of_window", (old,)), ("rejected", "event_too_large", (large,))],
    )
    assert client.counts == Counts(4, 1, 0, 0, 0, {"rejected": 2, "too_large": 1})
    assert shop.event_counts() == {"Good": 1}


@pytest.mark.parametrize(
    ("faults", "reason", "code", "requests"),
    [
        ([], "refused", "invalid_credentials", 1),
        ([404], "refused", "http_404", 1),
        ([308], "refused", "http_308", 1),
        ([500] * 10, "given_up", "http_500", 10),
        ([200] * 10, "given_up", "foreign_answer", 10),
    ],
)
def test_request_that_cannot_succeed_is_given_up(
    shop: Shop, make: Made, faults: list[Any], reason: str, code: str, requests: int
) -> None:
    shop.recorder.faults.extend(faults)
    client = make("iafa_s_" + "x" * 43 if not faults else shop.secret_key, shop.recorder.url)
    ids = tuple(client.track("Tracked", "anna") for _ in range(3))
    assert client.flush(WAIT_S)
    assert [(one.reason, one.count, one.code, one.ids) for one in make.dropped] == [(reason, 3, code, ids)]
    assert len(shop.recorder.posts(status=None)) == requests
    assert client.counts == Counts(3, 0, 0, 0, 0, {reason: 3})
    client.track("Next", "anna")  # what comes after goes on
    assert client.flush(WAIT_S)
    assert client.counts.pending == 0


@pytest.mark.parametrize(
    ("said", "results", "kind"),
    [
        ({"rejected": 1}, [{"index": 0, "result": "rejected"}], "answered"),
        ({"retry": 1}, [{"index": 0, "result": "retry"}], "answered"),
        ({"accepted": 1}, None, "answered"),
        ({"accepted": 1}, [None], "later"),
        ({"accepted": 1}, 5, "later"),
        ({"accepted": 2, "rejected": -1}, [], "later"),
        ({"rejected": 1}, [], "later"),
        ({"rejected": 1}, [{"index": 1, "result": "rejected"}], "later"),
        ({"rejected": 1}, [{"index": [], "result": "rejected"}], "later"),
        ({"rejected": 1}, [{"result": "rejected"}], "later"),
        ({"rejected": 1}, [{"index": 0, "result": "retry"}], "later"),
    ],
)
def test_an_answer_that_does_not_add_up_is_nobodys(said: dict[str, int], results: Any, kind: str) -> None:
    counts = {"accepted": 0, "duplicates": 0, "sampled_out": 0, "rejected": 0, "retry": 0} | said
    answer = httpx.Response(200, json=counts | {"results": results})
    transport = httpx.MockTransport(lambda _request: answer)
    with httpx.Client(transport=transport, base_url="http://shop.example") as client:
        connection = Connection("iafa_s_key", "http://shop.example")
        connection._client = client
        outcome = Delivery(connection)([Prepared("e1", b"{}", 0)])
    assert outcome.kind == kind
    assert (outcome.code == "foreign_answer") == (kind == "later")
    if kind == "answered":
        assert outcome.accepted + len(outcome.refused) + len(outcome.again) == 1


def test_requests_keep_the_limits_of_the_server(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url, batch_size=2_500, flush_interval_s=60)
    now = datetime.now(UTC)
    for n in range(6_000):
        client.track("Small", "anna", {"n": n})
    for n in range(80):
        client.track("Large", "anna", {f"k{k}": "y" * 7_500 for k in range(4)} | {"n": n})
    for n in range(70):
        client.track("Old", "anna", {"n": n}, timestamp=now - timedelta(days=n))
    assert client.flush(WAIT_S)
    assert make.dropped == []
    sent = [one.content["events"] for one in shop.recorder.posts()]
    assert max(map(len, sent)) == 2_500
    sizes = [len(json.dumps(one.content, separators=(",", ":"))) for one in shop.recorder.posts()]
    assert 900_000 < max(sizes) <= 1024 * 1024
    assert max(len({event["timestamp"][:10] for event in events}) for events in sent) == 31
    assert {one.headers.get("content-encoding") for one in shop.recorder.posts()} == {"gzip"}
    assert shop.event_counts() == {"Small": 6_000, "Large": 80, "Old": 70}


def test_request_that_is_too_large_for_a_proxy_is_halved(shop: Shop, make: Made) -> None:
    shop.recorder.faults.extend([413, 413, "pass", 413, 413])
    client = make(shop.secret_key, shop.recorder.url)
    for n in range(8):
        client.track("Tracked", "anna", {"n": n})
    assert client.flush(WAIT_S)
    assert [len(one.content["events"]) for one in shop.recorder.posts(status=None)] == [8, 4, 2, 2, 1, 1, 4]
    # The one that was refused alone cannot be made smaller.
    assert [(one.reason, one.count) for one in make.dropped] == [("refused", 1)]
    assert sorted(row["properties"]["n"] for row in shop.rows(7)) == [0, 1, 3, 4, 5, 6, 7]
    assert add_up(client.counts)


def test_callback_that_fails_costs_nothing(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    asked: list[bool] = []

    def fail(_dropped: object) -> None:
        asked.append(client.flush(WAIT_S))
        raise RuntimeError("in the callback")

    client = Client(shop.secret_key, shop.recorder.url, on_error=fail)
    client.track("Old", "anna", timestamp=datetime(1969, 1, 1, tzinfo=UTC))
    client.track("Good", "anna")
    assert client.flush(WAIT_S)
    client.close()
    assert asked == [False], "the thread that sends cannot wait for itself"
    assert shop.event_counts() == {"Good": 1}
    assert "on_error failed" in caplog.text


def test_many_threads_track_at_once(shop: Shop, make: Made) -> None:
    client = make(shop.secret_key, shop.recorder.url, batch_size=100, flush_interval_s=0.01)
    threads = [
        threading.Thread(target=lambda k=k: [client.track("Tracked", f"u{k}", {"n": n}) for n in range(250)])
        for k in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert client.flush(WAIT_S)
    assert client.counts == Counts(2_000, 2_000, 0, 0, 0, {})
    assert shop.event_counts() == {"Tracked": 2_000}


def test_debug_log_says_what_happens_and_never_the_key(
    shop: Shop, make: Made, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "iafa.client")
    client = make(shop.secret_key, shop.recorder.url)
    id_ = client.track("Tracked", "anna")
    assert client.flush(WAIT_S)
    assert f"tracked Tracked, id {id_}" in caplog.text
    assert "sent 1 events" in caplog.text
    assert shop.secret_key not in caplog.text


@pytest.mark.parametrize("key", [None, "", " "])
def test_no_key_is_said_at_once(key: Any) -> None:
    with pytest.raises(ValueError, match="the key must be"):
        Client(key, UNREACHABLE)


@pytest.mark.parametrize("host", ["http://127.0.0.1:99999", "http://a b", "a.example", "ftp://a.example"])
def test_no_address_of_a_server_is_said_at_once(host: str) -> None:
    with pytest.raises(ValueError, match=r"[Pp]ort|host must"):
        Client("iafa_s_x", host)


@pytest.mark.parametrize(
    "options",
    [
        {"host": "iafa.example.org"},
        {"host": "ftp://iafa.example.org"},
        {"host": "http://"},
        {"key": ""},
        {"key": "ä"},
        {"key": "a\nb"},
        {"batch_size": 0},
        {"batch_size": 2_501},
        {"queue_size": 0},
        {"flush_interval_s": -1},
        {"exit_timeout_s": -1},
    ],
)
def test_options_that_cannot_work_are_refused_at_once(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"must be"):
        Client(**{"key": "iafa_s_x", "host": UNREACHABLE, **options})

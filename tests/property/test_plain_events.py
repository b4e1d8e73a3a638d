"""Plain events against the pipeline: whatever the fast way takes, the pipeline accepts and stores byte for byte alike.

The bodies are generated around the borders of every rule; which of them are plain is left to the code. Then the whole
collector, once with the fast way and once without: the same answers, the same journal, the same counters.
"""

import asyncio
import json
import random
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.errors import IafaError
from iafa.event import BATCH_DATES_MAX, BATCH_EVENTS_MAX, EVENT_BYTES_MAX, Location
from iafa.ingest import collector as collector_module
from iafa.ingest.collector import Collector
from iafa.ingest.gate import Origin
from iafa.ingest.pipeline import Draft, Sender, run
from iafa.ingest.plain import Plain, read_batch, read_beacon, read_event
from iafa.ingest.wire import Parsed, WireEvent, decode_batch, decode_beacon, decode_event
from iafa.journal.reader import Damage, read_segment, sealed_segments
from iafa.meta.collect_rules import PrivacySettings, SamplingRule
from tests.support.chance import CHECKS_OFF
from tests.support.events import NOON_US
from tests.support.lake import TestLake
from tests.unit.ingest.test_collector import HERE, SECRET, WRITE, collector_of

SERVER = Sender(
    NOON_US, is_browser=False, salt=b"salt", earliest_us=NOON_US // US_PER_DAY * US_PER_DAY - 90 * US_PER_DAY
)
BROWSER = SERVER._replace(is_browser=True, user_agent="Agent/1.0", ip_address="c0ffee")
SENDERS = [SERVER, BROWSER, SERVER._replace(request_key="retry-1"), BROWSER._replace(user_agent=None, ip_address=None)]
SENDERS.append(BROWSER._replace(location=Location(country="AT", timezone="Europe/Vienna")))

NOON_S = NOON_US // US_PER_S
INTEGERS = [0, -1, 1, 2**53, -(2**53), 2**53 + 1, -(2**53) - 1, 2**63, 2**64, 10**30]
characters = st.characters(exclude_categories=["Cs"])
odd_texts = st.sampled_from(
    ["", " ", "null", "NULL ", "guest", "0", "-1", "a\x7fb", "a\x00b", "a\nb", "\u2003", 'q"', "\\", "Ä€😀"]
)
texts = st.text(characters, max_size=8) | odd_texts


def long_texts(*lengths: int) -> st.SearchStrategy[str]:
    return st.builds(
        lambda letter, length, by: letter * (length + by),
        st.sampled_from("xä😀"),
        st.sampled_from(lengths),
        st.sampled_from([-1, 0, 1]),
    )


names = texts | st.sampled_from(["signup", "page_view"]) | long_texts(200)
ids = names | st.sampled_from(INTEGERS) | st.sampled_from(["u1", "u2", "e1", "e2"]) | st.none()
scalars = (
    texts
    | long_texts(2048, 4096, 8192)
    | st.integers()
    | st.sampled_from(INTEGERS)
    | st.booleans()
    | st.none()
    | st.floats(allow_nan=False, allow_infinity=False)
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
many_keys = st.builds(lambda count: {f"k{n}": n for n in range(count)}, st.sampled_from([254, 255, 256]))
addresses = st.sampled_from(["192.0.2.9", "[2001:db8::7]:80", "unknown, 192.0.2.9:80", "no address", 7])
addressed = st.dictionaries(
    st.sampled_from(["ip", "$ip", "ip_address", "context", "k"]),
    addresses | st.dictionaries(st.sampled_from(["ip", "k"]), addresses),
    max_size=3,
)
objects = st.dictionaries(texts | long_texts(200), values, max_size=4) | many_keys | addressed
edges_s = st.sampled_from([NOON_S, NOON_S + 86_400, NOON_S - 90 * 86_400 - 43_200, NOON_S - 30 * 86_400, 0])
times: st.SearchStrategy[Any] = (
    st.builds(lambda edge, by: edge + by, edges_s, st.sampled_from([-1, 0, 1, -0.5, 1e-6]))
    | st.builds(lambda edge, by: (edge + by) * 1000, edges_s, st.sampled_from([-1, 0, 1]))
    | st.datetimes().map(lambda value: value.isoformat())
    | st.builds(
        lambda second, fraction, zone: f"2025-11-21T11:{second:02}:{second:02}{fraction}{zone}",
        st.integers(0, 61),
        st.sampled_from(["", ".1", ".123", ".123456", ".1234567", ".9999999", ".0000005", ","]),
        st.sampled_from(["", "Z", "z", "+00:00", "+05:30", "-23:59", "+24:00"]),
    )
    | st.sampled_from(
        ["2025-11-21", "2025-11-21 10:00:00", "yesterday", "", "2025-11-20T24:00:00Z", True, [], 1e306, 10**40, None]
    )
)
rates = st.sampled_from([1, 1.0, 0.5, 0, 1e-9, 1.0000001, "1", None, True])
urls = texts | long_texts(2048, 8192) | st.none()

FIELDS: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys(("event_type", "event_name", "event", "name"), names | st.none()),
    **dict.fromkeys(("id", "event_id", "messageId"), ids),
    **dict.fromkeys(("user_id", "userId", "anonymous_id", "anonymousId", "session_id", "sessionId"), ids),
    **dict.fromkeys(("timestamp", "created_at"), times),
    **dict.fromkeys(("properties", "event_properties"), objects | st.none()),
    **dict.fromkeys(("source", "event_source", "platform", "timezone"), names | st.none()),
    **dict.fromkeys(("url", "referrer", "user_agent"), urls),
    "sample_rate": rates,
    "ip_address": texts | st.none(),
    "other": scalars,
}


@st.composite
def events(draw: st.DrawFn) -> dict[str, Any]:
    """Mostly sound: a good event with a few members set at random."""
    event: dict[str, Any] = {"event_type": "signup", "user_id": "user-7", "timestamp": "2025-11-21T11:00:00.120Z"}
    for name in draw(st.lists(st.sampled_from(sorted(FIELDS)), max_size=3)):
        event[name] = draw(FIELDS[name])
    for name in draw(st.lists(st.sampled_from(sorted(event)), max_size=1)):
        del event[name]
    return event


@st.composite
def texts_of(draw: st.DrawFn, content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, None, 1])))
    return text.encode()


bodies = st.lists(events(), min_size=1, max_size=4).flatmap(lambda made: texts_of(made) | texts_of({"events": made}))


def judged(parsed: Parsed, sender: Sender, index: int) -> Draft:
    if isinstance(parsed, WireEvent):
        return run(parsed, sender, f"/events/{index}", index)
    return Draft(WireEvent(), sender, "", list(parsed))


def assert_pipeline_agrees(plain: Plain, parsed: list[Parsed], sender: Sender, seed: int) -> None:
    random.seed(seed)
    drafts = [judged(one, sender, index) for index, one in enumerate(parsed)]
    assert [draft.errors for draft in drafts] == [[]] * len(drafts)
    assert len({draft.created_at // US_PER_DAY for draft in drafts}) <= BATCH_DATES_MAX
    assert plain.ids == [draft.id for draft in drafts]
    assert plain.encoded == b"[" + b",".join(draft.encoded for draft in drafts) + b"]"


@settings(max_examples=120, suppress_health_check=[*CHECKS_OFF, HealthCheck.filter_too_much])
@given(body=bodies, sender=st.sampled_from(SENDERS), seed=st.integers(0, 99))
def test_pipeline_accepts_every_plain_batch_and_stores_the_same_bytes(body: bytes, sender: Sender, seed: int) -> None:
    random.seed(seed)
    plain = read_batch(body, sender)
    assume(plain is not None)
    assert plain is not None
    assert_pipeline_agrees(plain, list(decode_batch(body)), sender, seed)


@settings(max_examples=60, suppress_health_check=[*CHECKS_OFF, HealthCheck.filter_too_much])
@given(body=events().flatmap(texts_of), sender=st.sampled_from(SENDERS), seed=st.integers(0, 99))
def test_pipeline_accepts_every_plain_event_and_stores_the_same_bytes(body: bytes, sender: Sender, seed: int) -> None:
    random.seed(seed)
    plain = read_event(body, sender)
    assume(plain is not None)
    assert plain is not None
    assert_pipeline_agrees(plain, [decode_event(body)], sender, seed)


BEACON: dict[str, st.SearchStrategy[Any]] = {
    **dict.fromkeys("isua", ids),
    **dict.fromkeys("lrcwgv", urls),
    **{"n": names, "t": times, "z": names, "p": objects, "x": rates, "other": scalars},
}


@st.composite
def beacons(draw: st.DrawFn) -> bytes:
    beacon: dict[str, Any] = {"e": []}
    for _ in range(draw(st.integers(1, 3))):
        event: dict[str, Any] = {"n": "page_view", "i": draw(st.sampled_from(["e1", "e2", "e3"])), "a": "visitor"}
        for name in draw(st.lists(st.sampled_from(sorted(BEACON)), max_size=3)):
            event[name] = draw(BEACON[name])
        beacon["e"].append(event)
    for name, strategy in {"t": times, "a": ids, "d": st.integers(0, 3)}.items():
        if draw(st.booleans()):
            beacon[name] = draw(strategy)
    return draw(texts_of(beacon))


@settings(max_examples=60, suppress_health_check=[*CHECKS_OFF, HealthCheck.filter_too_much])
@given(body=beacons(), sender=st.sampled_from(SENDERS[1:]), seed=st.integers(0, 99))
def test_pipeline_accepts_every_plain_beacon_and_stores_the_same_bytes(body: bytes, sender: Sender, seed: int) -> None:
    random.seed(seed)
    plain = read_beacon(body, sender)
    assume(plain is not None)
    assert plain is not None
    parsed, sent_ms = decode_beacon(body)
    assert_pipeline_agrees(plain, list(parsed), sender._replace(sent_ms=sent_ms), seed)


GOOD = {"id": "e1", "event_type": "a", "user_id": "u", "timestamp": "2025-11-21T11:00:00Z", "properties": {"x": 1}}


PLAIN = [
    pytest.param([GOOD], id="the usual"),
    pytest.param(
        [{"event": "a", "userId": 42, "messageId": 7, "properties": {"n": {"m": {"o": 1}}, "items": [{"p": 2}]}}],
        id="aliases",
    ),
    pytest.param([GOOD | {"timestamp": NOON_S * 1000}], id="milliseconds"),
    pytest.param([GOOD | {"timestamp": "2025-11-21T11:00:00.123456"}], id="no zone"),
    pytest.param([GOOD | {"properties": {f"k{n}": n for n in range(255)}}], id="255 keys"),
    pytest.param([GOOD | {"id": f"e{n}", "timestamp": NOON_S - n * 86_400} for n in range(31)], id="31 days"),
    pytest.param([GOOD | {"timestamp": NOON_S - 90 * 86_400 - 43_200}], id="the first instant that is kept"),
    pytest.param([GOOD | {"id": f"e{n}"} for n in range(BATCH_EVENTS_MAX)], id="the largest batch"),
    pytest.param([GOOD | {"properties": {"ip": "192.0.2.9", "context": {"ip": "::1"}}}], id="addresses"),
    pytest.param([GOOD | {"properties": {"a": 2**53, "b": "😀" * 2048, "k" * 200: None}}], id="the largest values"),
]
NOT_PLAIN = [
    pytest.param([GOOD | {"id": f"e{n}", "timestamp": NOON_S - n * 86_400} for n in range(32)], id="32 days"),
    pytest.param([GOOD | {"timestamp": NOON_S - 90 * 86_400 - 43_201}], id="a second too old"),
    pytest.param([GOOD | {"timestamp": NOON_S + 86_401}], id="a second too far ahead"),
    pytest.param([GOOD | {"id": f"e{n}"} for n in range(BATCH_EVENTS_MAX + 1)], id="one event too many"),
    pytest.param([GOOD | {"user_id": "Null "}], id="placeholder"),
    pytest.param([GOOD | {"properties": {"k" * 201: 1}}], id="long key"),
    pytest.param([GOOD | {"properties": {"a": {"k" * 201: 1}}}], id="long inner key"),
    pytest.param([GOOD | {"ip_address": "192.0.2.1"}], id="an address of the sender's own"),
    pytest.param([GOOD | {"plan": "pro"}], id="unknown member"),
    pytest.param([GOOD | {"event_type": "\x7f"}], id="DEL"),
    pytest.param([GOOD, GOOD | {"event_type": " "}], id="one blank name"),
]


@pytest.mark.parametrize("made", PLAIN)
def test_usual_bodies_are_plain(made: list[Any]) -> None:
    assert read_batch(json.dumps(made, ensure_ascii=False).encode(), SERVER) is not None


@pytest.mark.parametrize("made", NOT_PLAIN)
def test_doubtful_bodies_are_left_to_the_pipeline(made: list[Any]) -> None:
    assert read_batch(json.dumps(made, ensure_ascii=False).encode(), SERVER) is None


def test_size_of_an_event_is_judged_to_the_byte() -> None:
    """The last byte that fits is plain beside small neighbours, one more is not; and so says the pipeline."""

    def body(fill: int) -> bytes:
        large = GOOD | {"properties": {f"k{n}": "x" * 2000 for n in range(16)} | {"rest": "x" * fill}}
        return json.dumps([GOOD, large, GOOD]).encode()

    base = len(judged(decode_batch(body(0))[1], SERVER, 1).encoded)
    fitting, larger = body(EVENT_BYTES_MAX - base), body(EVENT_BYTES_MAX - base + 1)
    assert judged(decode_batch(fitting)[1], SERVER, 1).errors == []
    assert read_batch(fitting, SERVER) is not None
    assert [one.code for one in judged(decode_batch(larger)[1], SERVER, 1).errors] == ["event_too_large"]
    assert read_batch(larger, SERVER) is None


def collected(
    collector: Collector, lake: TestLake, body: bytes, grant: Any, route: str, seed: int
) -> tuple[list[Any], list[Any], Any]:
    """What two equal requests were answered, what the journal holds, what was counted."""
    answers: list[Any] = []
    for _ in range(2):
        random.seed(seed)
        try:
            answers.append(run_route(collector, grant, route, body))
        except IafaError as error:
            answers.append((error.code, error.detail, error.errors))
    collector.journal.close()
    journal = [
        (record.k, record.p, record.r, record.e, record.x)
        for directory in sorted(lake.layout.journal.glob("0*"))
        for segment in sealed_segments(int(directory.name), directory)[0]
        for record in read_segment(segment, Damage())
    ]
    return answers, journal, collector.counters.read()


def run_route(collector: Collector, grant: Any, route: str, body: bytes) -> Any:
    if route == "track":
        return asyncio.run(collector.one(grant, HERE, body))
    if route == "beacon":
        return asyncio.run(collector.beacon(grant, HERE, body))
    origin = Origin("192.0.2.1", "Agent/1.0", request_key="retry-1")
    return asyncio.run(collector.batch(grant, origin, body, verbose=route == "verbose"))


SAMPLED = (SamplingRule(rate=0.5), SamplingRule(rate=0.7, by="random", event_type="signup"))
DENYING = PrivacySettings(ip="truncate", deny_properties=("k1*", "x", "*a*", ""))
WITH_RETENTION = [
    replace(WRITE, rate_limit_per_minute=5),
    SECRET,
    replace(SECRET, rate_limit_per_minute=5),
    replace(SECRET, sampling=SAMPLED, monthly_quota=3),
    replace(WRITE, sampling=(SamplingRule(rate=0.4, by="window", source="web"),), privacy=DENYING),
]
requests = st.one_of(
    st.tuples(st.sampled_from(["batch", "verbose"]), bodies),
    st.tuples(st.just("track"), events().flatmap(texts_of)),
    st.tuples(st.just("beacon"), beacons() | bodies),
)


@settings(max_examples=50)
@given(request=requests, grant=st.sampled_from(WITH_RETENTION), seed=st.integers(0, 99))
@example(request=("verbose", json.dumps([GOOD, GOOD, {**GOOD, "id": "e2"}]).encode()), grant=SECRET, seed=0)
@example(request=("batch", json.dumps([GOOD, {"event": "a", "user_id": "u"}]).encode()), grant=SECRET, seed=0)
def test_collector_answers_and_stores_the_same_without_the_fast_way(
    tmp_path_factory: pytest.TempPathFactory, request: tuple[str, bytes], grant: Any, seed: int
) -> None:
    route, body = request
    seen = []
    for is_fast in (True, False):
        lake = TestLake(tmp_path_factory.mktemp("lake"))
        with pytest.MonkeyPatch.context() as patch:
            for name in () if is_fast else ("read_event", "read_batch", "read_beacon"):
                patch.setattr(collector_module, name, lambda _body, _sender: None)
            seen.append(collected(collector_of(lake), lake, body, grant, route, seed))
    assert seen[0] == seen[1]

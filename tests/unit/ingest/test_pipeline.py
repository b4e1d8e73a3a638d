"""The rules for one event, as a table: what is accepted and as what, what is refused and why."""

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.clock import US_PER_S, from_datetime
from iafa.errors import InvalidJson, PayloadTooLarge, ValidationFailed
from iafa.event import BATCH_EVENTS_MAX, Event
from iafa.ingest.pipeline import Draft, Sender, fallback_id, parse_time, run
from iafa.ingest.plain import read_beacon
from iafa.ingest.wire import WireEvent, decode_batch, decode_beacon, decode_event
from tests.support.events import NOON_US

SERVER = Sender(NOON_US, is_browser=False)
BROWSER = Sender(NOON_US, is_browser=True, user_agent="Agent/1.0", ip_address="c0ffee", salt=b"salt")


def judged(body: object, sender: Sender = SERVER) -> Draft:
    parsed = decode_event(body if isinstance(body, bytes) else json.dumps(body).encode())
    return run(parsed, sender, "") if isinstance(parsed, WireEvent) else Draft(WireEvent(), sender, "", list(parsed))


def accepted(body: object, sender: Sender = SERVER) -> Event:
    draft = judged(body, sender)
    assert draft.errors == []
    assert draft.event is not None
    return draft.event


def refused(body: object, sender: Sender = SERVER) -> list[tuple[str, str]]:
    return [(error.pointer, error.code) for error in judged(body, sender).errors]


def nested(levels: int) -> Any:
    value: Any = 1
    for _ in range(levels):
        value = {"a": value}
    return value


@pytest.mark.parametrize("name", ["event_type", "event_name", "event", "name"])
def test_every_alias_of_the_name_is_understood(name: str) -> None:
    assert accepted({name: "signup", "user_id": "u"}).event_type == "signup"


@pytest.mark.parametrize("name", ["id", "event_id", "messageId"])
def test_every_alias_of_the_id_is_understood(name: str) -> None:
    assert accepted({"event": "a", "user_id": "u", name: "e-1"}).id == "e-1"


@pytest.mark.parametrize("name", ["source", "event_source", "platform"])
def test_every_alias_of_the_source_is_understood(name: str) -> None:
    assert accepted({"event": "a", "user_id": "u", name: "ios"}).source == "ios"


@pytest.mark.parametrize("name", ["properties", "event_properties"])
def test_every_alias_of_the_properties_is_understood(name: str) -> None:
    assert bytes(accepted({"event": "a", "user_id": "u", name: {"x": 1}}).properties) == b'{"x":1}'


@pytest.mark.parametrize(
    ("value", "time_us"),
    [
        pytest.param("2025-11-21T12:00:00Z", NOON_US, id="utc"),
        pytest.param("2025-11-21T12:00:00", NOON_US, id="naive is utc"),
        pytest.param("2025-11-21T17:30:00+05:30", NOON_US, id="offset"),
        pytest.param("2025-11-21T12:00:00.000001Z", NOON_US + 1, id="microseconds"),
        pytest.param(NOON_US // US_PER_S, NOON_US, id="seconds"),
        pytest.param(NOON_US // 1000, NOON_US, id="milliseconds"),
        pytest.param(NOON_US / US_PER_S - 0.5, NOON_US - 500_000, id="seconds with a fraction"),
        pytest.param(0, 0, id="the first instant"),
        pytest.param("2025-11-22T12:00:00Z", NOON_US + 86_400 * US_PER_S, id="24 hours ahead"),
        pytest.param("2025-11-21", NOON_US - 43_200 * US_PER_S, id="a plain day"),
    ],
)
def test_time_becomes_utc_microseconds(value: object, time_us: int) -> None:
    assert accepted({"event": "a", "user_id": "u", "timestamp": value}).created_at == time_us


def test_event_without_a_time_happened_now() -> None:
    assert accepted({"event": "a", "user_id": "u"}).created_at == NOON_US


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        pytest.param({}, [("/event_type", "validation_error"), ("/user_id", "missing_identity")], id="nothing"),
        pytest.param({"event": " ", "user_id": "u"}, [("/event", "validation_error")], id="blank name"),
        pytest.param({"event": "x" * 201, "user_id": "u"}, [("/event", "too_long")], id="long name"),
        pytest.param({"event": "a\nb", "user_id": "u"}, [("/event", "invalid_character")], id="control character"),
        pytest.param({"event": "a", "user_id": "u" * 201}, [("/user_id", "too_long")], id="long user"),
        pytest.param({"event": "a", "user_id": "null"}, [("/user_id", "missing_identity")], id="placeholder user"),
        pytest.param({"event": "a", "user_id": 0}, [("/user_id", "missing_identity")], id="placeholder number"),
        pytest.param(
            {"event": 5, "user_id": [], "timestamp": {}, "properties": "x"},
            [
                ("/event", "validation_error"),
                ("/user_id", "validation_error"),
                ("/timestamp", "validation_error"),
                ("/properties", "validation_error"),
            ],
            id="every wrong type at once",
        ),
        pytest.param(
            {"event": "", "user_id": "u", "timestamp": "yesterday", "properties": {"a": "\x00"}},
            [
                ("/event", "validation_error"),
                ("/timestamp", "invalid_timestamp"),
                ("/properties/a", "invalid_character"),
            ],
            id="every broken rule at once",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "timestamp": "2025-11-22T12:00:01Z"},
            [("/timestamp", "timestamp_out_of_window")],
            id="more than 24 hours ahead",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "timestamp": -1},
            [("/timestamp", "timestamp_out_of_window")],
            id="before 1970",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "timestamp": 10**400}, [("/timestamp", "invalid_timestamp")], id="400 digits"
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "timestamp": 1e306},
            [("/timestamp", "invalid_timestamp")],
            id="huge time",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "properties": {"n": 2**53 + 1}},
            [("/properties/n", "number_out_of_range")],
            id="integer beyond 2^53",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "properties": nested(21)},
            [("/properties" + "/a" * 20, "too_deep")],
            id="21 levels",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "properties": {str(n): n for n in range(256)}},
            [("/properties", "too_many_keys")],
            id="256 keys",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "properties": {"t": "ä" * 4097}},
            [("/properties/t", "too_long")],
            id="long text",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "properties": {f"k{n}": "x" * 8000 for n in range(5)}},
            [("", "event_too_large")],
            id="event over 32 KiB",
        ),
        pytest.param({"event": "a", "user_id": "u", "id": ""}, [("/id", "validation_error")], id="empty id"),
        pytest.param(
            {"event": "a", "user_id": 2**60},
            [("/user_id", "number_out_of_range")],
            id="user number beyond 2^53",
        ),
        pytest.param(
            {"event": "a", "user_id": "u", "sample_rate": 0}, [("/sample_rate", "number_out_of_range")], id="rate 0"
        ),
        pytest.param({"event": "a", "user_id": True}, [("/user_id", "validation_error")], id="a truth is no id"),
    ],
)
def test_refused_event_names_every_error(body: object, errors: list[tuple[str, str]]) -> None:
    assert refused(body) == errors


def test_event_that_is_wrong_a_thousand_times_is_told_a_hundred_of_them() -> None:
    assert len(refused({"event": "a", "user_id": "u", "properties": {"x": ["\x00"] * 1000}})) == 100


def test_unknown_members_are_kept_as_properties_and_named_ones_win() -> None:
    event = accepted({"event": "a", "user_id": "u", "plan": "pro", "n": 1, "properties": {"n": 2}})
    assert json.loads(bytes(event.properties)) == {"plan": "pro", "n": 2}


def test_number_as_an_id_becomes_its_decimal_text() -> None:
    assert accepted({"event": "a", "user_id": 42, "anonymous_id": 7}).user_id == "42"


def test_browser_without_an_id_gets_the_keyed_fallback_of_its_project() -> None:
    event = accepted({"event": "a"}, BROWSER)
    assert event.anonymous_id == fallback_id(BROWSER)
    assert event.anonymous_id.startswith("fallback_")
    assert event.anonymous_id != accepted({"event": "a"}, BROWSER._replace(salt=b"other")).anonymous_id
    assert (event.source, event.user_agent, event.ip_address) == ("web", "Agent/1.0", "c0ffee")


def test_ids_made_here_are_unique_and_sort_by_time() -> None:
    made = [
        accepted({"event": "a", "user_id": "u"}, SERVER._replace(received_at=NOON_US + n * 1000)).id for n in range(99)
    ]
    assert made == sorted(set(made))


@pytest.mark.parametrize(
    ("skew_ms", "corrected"), [pytest.param(30_000, False, id="30 s"), pytest.param(7_200_000, True, id="2 hours")]
)
def test_wrong_clock_of_a_browser_is_corrected_by_the_time_it_sent(skew_ms: int, corrected: bool) -> None:
    sent_ms = NOON_US // 1000 + skew_ms
    body = {"t": sent_ms, "a": "visitor", "e": [{"n": "page_view", "t": sent_ms - 5_000}]}
    events, sent = decode_beacon(json.dumps(body).encode())
    parsed = events[0]
    assert isinstance(parsed, WireEvent)
    draft = run(parsed, BROWSER._replace(sent_ms=sent), "")
    expected = NOON_US - 5_000_000 + (0 if corrected else skew_ms * 1000)
    assert draft.created_at == expected


def test_beacon_fields_become_columns_and_properties() -> None:
    event = {
        **{"i": "e1", "n": "page_view", "t": NOON_US // 1000, "s": "session", "u": "user", "l": "https://s.example/a"},
        **{"r": "https://r.example/", "c": "Title", "w": "1280x720", "g": "de", "z": "Europe/Vienna", "v": "view"},
        **{"p": {"title": "own", "x": 1}, "x": 0.5},
    }
    events, _sent = decode_beacon(json.dumps({"t": NOON_US // 1000, "a": "visitor", "e": [event]}).encode())
    parsed = events[0]
    assert isinstance(parsed, WireEvent)
    made = run(parsed, BROWSER, "").event
    assert made is not None
    assert (made.id, made.user_id, made.anonymous_id, made.session_id) == ("e1", "user", "visitor", "session")
    assert (made.url, made.referrer, made.timezone) == ("https://s.example/a", "https://r.example/", "Europe/Vienna")
    assert (made.source, made.sample_rate) == ("web", 0.5)
    assert json.loads(bytes(made.properties)) == {
        **{"title": "own", "screen": "1280x720", "language": "de", "page_view_id": "view", "x": 1}
    }


def test_an_empty_referrer_or_title_of_a_page_is_unknown() -> None:
    event = {"i": "e1", "n": "page_view", "t": NOON_US // 1000, "r": "", "c": ""}
    body = json.dumps({"t": NOON_US // 1000, "a": "visitor", "e": [event]}).encode()
    parsed = decode_beacon(body)[0][0]
    assert isinstance(parsed, WireEvent)
    made = run(parsed, BROWSER, "").event
    plain = read_beacon(body, BROWSER)
    assert made is not None
    assert plain is not None
    assert (made.referrer, bytes(made.properties)) == (None, b"{}")
    assert (plain.events[0].referrer, plain.events[0].properties) == (None, {})


BROKEN = [
    pytest.param(b"", id="empty"),
    pytest.param(b"{", id="cut short"),
    pytest.param(b"nonsense", id="no json"),
    pytest.param(b'{"event":"a","user_id":"u",}', id="trailing comma"),
    pytest.param(b'{"event":NaN}', id="NaN"),
    pytest.param(b'{"event":"a","properties":{"x":1e999}}', id="1e999"),
    pytest.param(b'{"event":"\\ud800"}', id="lone surrogate"),
    pytest.param(b'{"event":"\xff"}', id="bad utf-8"),
    pytest.param(b'{"what":"\xff"}', id="bad utf-8 in an unknown field"),
    pytest.param(b'\xef\xbb\xbf{"event":"a"}', id="byte order mark"),
    pytest.param('{"event":"a"}'.encode("utf-16"), id="utf-16"),
    pytest.param(b'{"event":"a\nb"}', id="raw control character"),
    pytest.param(b'{"event":"a","properties":{"x":01}}', id="leading zero"),
    pytest.param(b'{"a":' * 5000 + b"1" + b"}" * 5000, id="5,000 deep"),
]


@pytest.mark.parametrize("body", BROKEN)
def test_what_is_no_json_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(InvalidJson):
        decode_event(body)
    with pytest.raises(InvalidJson):
        decode_batch(body)
    with pytest.raises(InvalidJson):
        decode_beacon(body)


@pytest.mark.parametrize("body", [b"[]", b'{"events":[]}', b'{"events":1}', b'{"event":"a"}', b"1", b'"a"', b"null"])
def test_what_is_no_batch_is_refused_as_such(body: bytes) -> None:
    with pytest.raises(ValidationFailed) as failure:
        decode_batch(body)
    assert failure.value.code == "invalid_batch"


def test_batch_has_a_bound() -> None:
    with pytest.raises(PayloadTooLarge):
        decode_batch(json.dumps([{"event": "a"}] * (BATCH_EVENTS_MAX + 1)).encode())


def test_one_wrong_shape_does_not_cost_its_neighbours() -> None:
    events = decode_batch(b'[{"event":"a"},{"event":1},5,{"event":"b"}]')
    assert [isinstance(event, WireEvent) for event in events] == [True, False, False, True]


def test_duplicate_keys_last_one_wins_and_only_it_is_stored() -> None:
    event = accepted(b'{"event":"first","event":"last","user_id":"u","properties":{"k":1,"k":2}}')
    assert event.event_type == "last"
    assert bytes(event.properties) == b'{"k":2}'


scalars = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=20)
values = st.recursive(
    scalars | texts, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=8
)


@given(properties=st.dictionaries(texts, values, max_size=4))
def test_what_is_accepted_is_stored_so_that_every_reader_sees_the_same(properties: dict[str, Any]) -> None:
    event = accepted({"event": "a", "user_id": "u", "properties": properties})
    stored = bytes(event.properties)
    assert json.loads(stored) == properties
    assert msgspec.json.encode(msgspec.json.decode(stored)) == stored
    assert b"\n" not in stored
    assert duckdb.execute("select json_valid($text)", {"text": stored.decode()}).fetchone() == (True,)


@given(st.datetimes(min_value=datetime(1970, 1, 1)))
def test_every_naive_time_is_exact_to_the_microsecond(value: datetime) -> None:
    assert parse_time(value.isoformat()) == from_datetime(value.replace(tzinfo=UTC))

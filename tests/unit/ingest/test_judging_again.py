"""What a replay knows of a refused event's sender: all that the request said."""

import msgspec
import pytest

from iafa.event import REJECTED_BODY_CHARS_MAX, Location, SentBy
from iafa.ingest.judging_again import Kept, _canonical, _sender, is_deeper, why_not_replayable
from iafa.ingest.pipeline import Sender
from iafa.ingest.segment import read_segment
from iafa.journal.format import FORMAT_VERSION, Record, _decode_singly
from tests.support.events import NOON_US

WHOLE = Sender(
    received_at=NOON_US,
    is_browser=True,
    ip_address="hash",
    user_agent="Agent/1.0",
    location=Location(country="AT"),
    sent_ms=NOON_US // 1000 - 60_000,
    visitor="other hash",
    is_page=True,
)


def test_every_field_of_the_sender_comes_back() -> None:
    written = WHOLE.sent_by()
    assert msgspec.json.decode(msgspec.json.encode(written), type=SentBy) == written
    back = _sender(Kept("row", None, "{}", "track", written), Sender(NOON_US, False))
    for name in SentBy.__struct_fields__:
        assert getattr(written, name) not in (None, False, 0), f"{name} is not in this test"
        assert getattr(back, name) == getattr(WHOLE, name), name


def test_rows_without_the_newer_fields_are_read() -> None:
    old = msgspec.json.decode(b'{"ip_address":"hash"}', type=SentBy)
    assert _sender(Kept("row", None, "{}", "posthog", old), Sender(NOON_US, False)).is_page


def test_location_of_a_canonical_event_is_no_property() -> None:
    body, sender = _canonical(b'{"event_type":"a","location":{"country":"AT"}}', WHOLE._replace(location=None))
    assert (msgspec.json.decode(body), sender.location) == ({"event_type": "a"}, Location(country="AT"))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"a":1}', None),
        ("", "could be kept"),
        ("[1]", "no object"),
        ("{", "no JSON"),
        ('{"a":"' + "x" * REJECTED_BODY_CHARS_MAX, "was cut"),
        ('{"a":"' + "x" * (REJECTED_BODY_CHARS_MAX - 8) + '"}', None),
    ],
)
def test_which_texts_can_be_replayed(text: str, why: str | None) -> None:
    found = why_not_replayable(text)
    assert (found is None) if why is None else (why in str(found))


@pytest.mark.parametrize(("text", "levels"), [("1", 0), ("{}", 1), ('{"a":[{"b":1},[]],"c":{}}', 3), ("[[[[]]]]", 4)])
def test_depth(text: str, levels: int) -> None:
    value = msgspec.json.decode(text)
    assert not is_deeper(value, levels)
    assert levels == 0 or is_deeper(value, levels - 1)


def test_poison_that_cannot_be_read_keeps_its_id_and_shape() -> None:
    line = b'{"v":%d,"q":1,"k":"events","p":"p","r":1,"e":[{"id":"e1","event_type":5}],"c":""}\n' % FORMAT_VERSION
    record = _decode_singly(line)
    assert isinstance(record, Record)
    assert [(one.event_id, one.source) for one in record.x] == [("e1", "flush")]


def test_text_of_a_message_holds_the_context_of_its_batch() -> None:
    batch = {"context": {"userAgent": "A/1", "locale": "de"}, "batch": [{"event": 1, "context": {"locale": "at"}}, 5]}
    delivery = read_segment(msgspec.json.encode(batch), "batch")
    assert msgspec.json.decode(delivery.text(0)) == {"event": 1, "context": {"userAgent": "A/1", "locale": "at"}}
    assert delivery.text(1) == "5"
    large = read_segment(msgspec.json.encode(batch | {"context": {"a": "x" * 20_000}}), "batch")
    assert large.text(0) == "", "it cannot be replayed as another event"

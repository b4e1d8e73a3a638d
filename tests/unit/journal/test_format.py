"""The journal line: framing, checksum, and the fixture that every later version must still read."""

from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from iafa.event import Rejected
from iafa.journal.format import Kind, decode_line, decode_lines, encode_record
from tests.support.events import NOON_US, PROJECT, encode, make_event

FIXTURE = Path(__file__).parents[2] / "fixtures" / "journal_v1.ndjson"


def line(sequence: int = 1) -> bytes:
    return encode_record(sequence, PROJECT, NOON_US, encode([make_event(url="https://shop.example/ä")]))


def test_fixture_of_format_1_is_read_and_would_be_written_the_same() -> None:
    data = FIXTURE.read_bytes()
    records = [record for record, _end in decode_lines(data)]
    assert [(record.q, record.k, record.p, len(record.e)) for record in records if record] == [
        (1, "events", PROJECT, 1),
        (2, "events", PROJECT, 2),
    ]
    again = b"".join(
        encode_record(record.q, record.p, record.r, msgspec.json.encode(record.e), Kind(record.k))
        for record in records
        if record
    )
    assert again == data


def test_line_ends_in_a_checksum_of_fixed_width() -> None:
    body, trailer = line()[:-17], line()[-17:]
    assert trailer.startswith(b',"c":"')
    assert trailer.endswith(b'"}\n')
    assert msgspec.json.decode(body + b"}")["q"] == 1


@pytest.mark.parametrize("position", range(0, len(line()), 7))
def test_any_flipped_byte_is_found(position: int) -> None:
    data = bytearray(line())
    data[position] ^= 0x01
    assert decode_line(bytes(data)) is None


@given(cut=st.integers(min_value=1, max_value=len(line()) - 1))
def test_torn_tail_is_reported_and_what_stands_before_it_is_kept(cut: int) -> None:
    data = line(1) + line(2)[:cut]
    found = list(decode_lines(data))
    assert found[0][0] is not None
    assert found[1] == (None, len(line(1)))


def test_damaged_middle_does_not_hide_what_follows() -> None:
    damaged = bytearray(line(2))
    damaged[30] ^= 0xFF
    found = [record for record, _end in decode_lines(line(1) + bytes(damaged) + line(3))]
    assert [record and record.q for record in found] == [1, None, 3]


@pytest.mark.parametrize(
    ("first", "length", "lost"),
    [
        pytest.param(len(line(1)) - 1, 1, [], id="a newline"),
        pytest.param(len(line(1)), 4, [2], id="the start of a record"),
        pytest.param(len(line(1)) - 1, 4, [2], id="a newline and the start of the next record"),
        pytest.param(len(line(1)) - 4, 4, [1], id="the end of a record"),
        pytest.param(len(line(1)) + 30, len(line(1)), [2, 3], id="the newline between two damaged records"),
    ],
)
def test_zeroed_bytes_cost_only_the_records_that_they_hit(first: int, length: int, lost: list[int]) -> None:
    data = bytearray(line(1) + line(2) + line(3) + line(4))
    data[first : first + length] = bytes(length)
    found = [record.q for record, _end in decode_lines(bytes(data)) if record]
    assert found == [sequence for sequence in (1, 2, 3, 4) if sequence not in lost]
    offsets = [end for _record, end in decode_lines(bytes(data))]
    assert offsets == sorted(offsets)
    assert offsets[-1] == len(data)


def test_what_a_client_sends_is_never_taken_for_a_record() -> None:
    inner = line(9)[:-1].decode()
    events = encode([make_event(properties=msgspec.Raw(b'{"a":[%s,%s]}' % (inner.encode(), inner.encode())))])
    data = bytearray(encode_record(1, PROJECT, NOON_US, events))
    data[20] ^= 1
    assert [record for record, _end in decode_lines(bytes(data))] == [None]


def test_newer_format_is_refused_and_not_guessed() -> None:
    newer = line().replace(b'{"v":1', b'{"v":9')[:-17]
    import google_crc32c

    with pytest.raises(ValueError, match="format 9"):
        decode_line(newer + b',"c":"%08x"}\n' % google_crc32c.value(newer))


def test_a_rejected_event_keeps_its_reason_and_its_text() -> None:
    rejected = [
        Rejected(code="validation_error", pointer="/events/0/event_type", message="is required", body='{"a":1}')
    ]
    line = encode_record(3, PROJECT, NOON_US, msgspec.json.encode(rejected), Kind.REJECTED)
    record = decode_line(line)
    assert record is not None
    assert (record.k, record.e, record.x) == (Kind.REJECTED, [], rejected)

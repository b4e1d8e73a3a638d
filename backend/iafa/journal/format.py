"""The framing of a journal record: one canonical JSON line with a sequence number and, last, its CRC32C."""

import re
from collections.abc import Iterator
from enum import StrEnum
from itertools import pairwise

import google_crc32c
import msgspec

from iafa.event import REJECTED_BODY_CHARS_MAX, Dropped, DropReason, Event, Rejected

FORMAT_VERSION = 1
FLUSH = "flush"  # the shape of the text of an event that was accepted and has no row
SEGMENT_SUFFIX = ".ndjson"
ACKED_NAME = "acked"
LOCK_NAME = "lock"
HELD_NAME = "held"  # beside the journals: records of projects that cannot be written

# Where a damaged line may hold a record's start or end. In what a client sent, other characters stand beside them.
_BORDER_IN_LINE = re.compile(rb'(?<![\[,:])(?=\{"v":)|(?<=,"c":"[0-9a-f]{8}"\}[^,\]}])')
_TRAILER_BYTES = len(b',"c":"00000000"}\n')


class Kind(StrEnum):
    """What a record holds. Readers skip kinds that they do not know how to use."""

    EVENTS = "events"
    REJECTED = "rejected"
    TOMBSTONE = "tombstone"
    DROPPED = "dropped"


class Record(msgspec.Struct, gc=False):
    """One acknowledged request: `v` format, `q` sequence, `k` kind, `p` project, `r` received_at (us).

    What it holds is in the member of its kind: `e` events, `x` rejected events, `d` counts of dropped ones.
    """

    v: int
    q: int
    k: str
    p: str
    r: int
    c: str
    e: list[Event] = []
    x: list[Rejected] = []
    d: list[Dropped] = []


class _Named(msgspec.Struct):
    id: str | None = None


class LooseRecord(Record, gc=False):
    e: list[msgspec.Raw] = []  # type: ignore[assignment]  # the events of a record, not decoded yet


_decoder = msgspec.json.Decoder(Record)
_loose_decoder = msgspec.json.Decoder(LooseRecord)
_event_decoder = msgspec.json.Decoder(Event)
# How a kind is written, and the member that holds its content.
_KINDS = {
    Kind.EVENTS: (b"events", b"e"),
    Kind.REJECTED: (b"rejected", b"x"),
    Kind.TOMBSTONE: (b"tombstone", b"t"),
    Kind.DROPPED: (b"dropped", b"d"),
}


def encode_record(sequence: int, project_id: str, received_at: int, content: bytes, kind: Kind = Kind.EVENTS) -> bytes:
    """Frame the canonical JSON array `content` as one line."""
    return b"".join(record_pieces(sequence, project_id, received_at, content, kind))


def record_pieces(
    sequence: int, project_id: str, received_at: int, content: bytes, kind: Kind
) -> tuple[bytes, bytes, bytes]:
    """The same in pieces, so that many records are put together with one copy of each."""
    name, member = _KINDS[kind]
    head = b'{"v":%d,"q":%d,"k":"%b","p":"%b","r":%d,"%b":' % (
        FORMAT_VERSION,
        sequence,
        name,
        project_id.encode(),
        received_at,
        member,
    )
    checksum = google_crc32c.extend(google_crc32c.value(head), content)
    return head, content, b',"c":"%08x"}\n' % checksum


def peek_line(line: bytes) -> LooseRecord:
    """The record of an acknowledged line, its events not decoded and its checksum not compared. For what is only shown;
    raises DecodeError for what cannot be read."""
    return _loose_decoder.decode(line)


def decode_line(line: bytes) -> Record | None:
    """The record of one line (with its newline), None when the line is torn or damaged."""
    if len(line) <= _TRAILER_BYTES or not line.endswith(b'"}\n'):
        return None
    body, trailer = line[:-_TRAILER_BYTES], line[-_TRAILER_BYTES:]
    if trailer != b',"c":"%08x"}\n' % google_crc32c.value(body):
        return None
    record: Record | None
    try:
        record = _decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        record = _decode_singly(line)
    if record is not None and record.v > FORMAT_VERSION:
        raise ValueError(f"journal record of format {record.v}; this version reads up to {FORMAT_VERSION}")
    return record


def _decode_singly(line: bytes) -> Record | None:
    """A sound line with an event that this version cannot read: the others are kept, it becomes a refused one."""
    try:
        loose = _loose_decoder.decode(line)
        record = Record(loose.v, loose.q, loose.k, loose.p, loose.r, loose.c, x=loose.x, d=loose.d)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    for raw in loose.e:
        try:
            record.e.append(_event_decoder.decode(raw))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            body = bytes(raw).decode(errors="replace")[:REJECTED_BODY_CHARS_MAX]
            message, id_ = f"cannot be read: {error}", _id_of(raw)
            record.x.append(Rejected(code=DropReason.POISON, message=message, body=body, event_id=id_, source=FLUSH))
    return record


def _id_of(raw: msgspec.Raw) -> str | None:
    try:
        return msgspec.json.decode(raw, type=_Named).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def decode_lines(data: bytes) -> Iterator[tuple[Record | None, int]]:
    """Records of consecutive bytes with the offset after each; None for a damaged line (the caller counts it).

    A last line without its newline is torn: it is yielded as None with the offset at its start.
    """
    offset = 0
    while offset < len(data):
        end = data.find(b"\n", offset) + 1
        record = decode_line(data[offset:end]) if end else None
        if record is not None:
            yield record, end
        else:
            yield from _salvaged(data, offset, end or len(data))
            if not end:
                return
        offset = end


def _salvaged(data: bytes, start: int, end: int) -> Iterator[tuple[Record | None, int]]:
    """The sound records of a damaged line: a lost newline must not cost the records on both sides of it."""
    borders = {match.start() for match in _BORDER_IN_LINE.finditer(data, start + 1, end)}
    for piece, following in pairwise(sorted(borders | {start, end})):
        is_torn = following == len(data) and not data.endswith(b"\n")
        record = decode_line(data[piece : following - 1] + b"\n")
        yield record, piece if record is None and is_torn else following

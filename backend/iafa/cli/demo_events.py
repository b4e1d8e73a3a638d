"""The demo's history as rows of an upload, generated in a process of its own while this one loads them."""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from multiprocessing.connection import Connection

import msgspec

from iafa.demo.shop import generate
from iafa.errors import IafaError
from iafa.jobs.upload_rows import Position, Row, RowFile

SEED = 7
END_OF_HISTORY = b""
STOP_WAIT_S = 5.0
_lines = msgspec.json.Decoder()


class History(msgspec.Struct, frozen=True):
    """What the shop's history is made of."""

    days: int
    people: int
    end: datetime


@contextmanager
def generated(history: History) -> Iterator[RowFile]:
    """The rows of the history. Half of the work is done by another core: the first start is what people wait for."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe(duplex=False)
    process = spawn.Process(target=_write, args=(theirs, history), daemon=True)
    process.start()
    theirs.close()
    position = Position()
    try:
        yield RowFile(None, _rows(ours, history, position), history.days, position, _no_digest)
    finally:
        ours.close()
        process.join(STOP_WAIT_S)
        process.kill()


def _write(pipe: Connection, history: History) -> None:
    encoder = msgspec.json.Encoder()
    for batch in generate(seed=SEED, end=history.end, days=history.days, people=history.people):
        pipe.send_bytes(encoder.encode_lines(batch))
    pipe.send_bytes(END_OF_HISTORY)


def _rows(pipe: Connection, history: History, position: Position) -> Iterator[Row]:
    """The position counts days: how many events there will be is not known before."""
    begin = history.end - timedelta(days=history.days)
    number = 0
    while lines := _received(pipe):
        for event in _lines.decode_lines(lines):
            number += 1
            yield Row(number, event)
        position.bytes_done = (datetime.fromisoformat(event["timestamp"]) - begin).days


def _received(pipe: Connection) -> bytes:
    try:
        return pipe.recv_bytes()
    except EOFError:
        raise IafaError("the generator of the demo ended early; nothing was loaded, start it again") from None


def _no_digest() -> str:
    raise AssertionError("every generated event has an id")

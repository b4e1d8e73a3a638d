"""Answers of funnels and reports that were computed before, in this process; bounded by number and by bytes."""

import threading
from collections import OrderedDict
from collections.abc import Callable
from functools import partial

import msgspec

from iafa.lake.snapshot import Snapshot
from iafa.metrics import Counters
from iafa.query.cancellation import Cancellation
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.funnel import answer
from iafa.query.question import Question
from iafa.query.reports.report import Report, report_answer, report_key

ENTRIES_MAX = 500
BYTES_MAX = 32 * 1024 * 1024
_Key = tuple[str, str, str | None, bytes]


class AnswerCache:
    """The key names the data and the minute, so that no entry can be out of date; the oldest used goes first.

    An answer with a receipt is not kept: it counts refused events too, and they are no part of the data's version.
    """

    def __init__(
        self, *, entries_max: int = ENTRIES_MAX, bytes_max: int = BYTES_MAX, counters: Counters | None = None
    ) -> None:
        self._counters = counters or Counters()
        self._entries_max = entries_max
        self._bytes_max = bytes_max
        self._entries: OrderedDict[_Key, bytes] = OrderedDict()
        self.size_bytes = 0
        self._lock = threading.Lock()

    def answer(
        self,
        engine: DuckEngine,
        snapshot: Snapshot,
        question: Question,
        *,
        funnel_id: str | None = None,
        cancellation: Cancellation | None = None,
    ) -> dict[str, object]:
        """Blocks: call it in a thread. `elapsed_ms` is the time of this call."""
        if question.wants("receipt"):
            return answer(engine, snapshot, question, funnel_id=funnel_id, cancellation=cancellation)
        key = (snapshot.project_id, snapshot.data_version, funnel_id, question.key())
        ask = partial(answer, engine, snapshot, question, funnel_id=funnel_id, cancellation=cancellation)
        return self._kept(engine, key, ask)

    def drivers(
        self,
        engine: DuckEngine,
        snapshot: Snapshot,
        asked: DriversQuestion,
        *,
        funnel_id: str | None = None,
        cancellation: Cancellation | None = None,
    ) -> dict[str, object]:
        """As `answer`."""
        key = (snapshot.project_id, snapshot.data_version, funnel_id, asked.key())
        ask = partial(drivers, engine, snapshot, asked, funnel_id=funnel_id, cancellation=cancellation)
        return self._kept(engine, key, ask)

    def report(
        self,
        engine: DuckEngine,
        snapshot: Snapshot,
        report: Report,
        *,
        cancellation: Cancellation | None = None,
    ) -> dict[str, object]:
        """As `answer`."""
        ask = partial(report_answer, engine, snapshot, report, cancellation=cancellation)
        if "receipt" in report.frame.include:
            return ask()
        key = (snapshot.project_id, snapshot.data_version, None, report_key(report))
        return self._kept(engine, key, ask)

    def _kept(self, engine: DuckEngine, key: _Key, ask: Callable[[], dict[str, object]]) -> dict[str, object]:
        began_s = engine.clock.monotonic_s()
        known = self._get(key)
        self._counters.add("answer_cache", "miss" if known is None else "hit")
        if known is not None:
            found = msgspec.json.decode(known, type=dict[str, object])
            return found | {"elapsed_ms": round((engine.clock.monotonic_s() - began_s) * 1000, 1)}
        found = ask()
        self._put(key, msgspec.json.encode(found))
        return found

    def _get(self, key: _Key) -> bytes | None:
        with self._lock:
            if key in self._entries:
                self._entries.move_to_end(key)
            return self._entries.get(key)

    def _put(self, key: _Key, encoded: bytes) -> None:
        project_id, version, *_ = key
        with self._lock:
            # Nobody will ask of earlier data again; and it may name people who have been erased since.
            for old in [one for one in self._entries if one[0] == project_id and one[1] != version]:
                self._forget(old)
            self._forget(key)
            self._entries[key] = encoded
            self.size_bytes += _size(key, encoded)
            while len(self._entries) > self._entries_max or self.size_bytes > self._bytes_max:
                self._forget(next(iter(self._entries)))

    def _forget(self, key: _Key) -> None:
        encoded = self._entries.pop(key, None)
        if encoded is not None:
            self.size_bytes -= _size(key, encoded)


def _size(key: _Key, encoded: bytes) -> int:
    return len(key[-1]) + len(encoded)

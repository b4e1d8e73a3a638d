"""The whole write path against a dictionary: whatever the order of sending, flushing, merging, dying and waiting.

No HTTP. What a request holds is there at once, and once; the dictionary knows nothing of journals and files.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp

import hypothesis
import hypothesis.strategies as st
import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from iafa.clock import US_PER_DAY, FakeClock, to_iso
from iafa.event import Event
from iafa.jobs.upload import Uploader, UploadRequest
from iafa.journal.format import encode_record
from iafa.journal.reader import segments
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.snapshot import Snapshot
from tests.support.chance import chance, seed, times
from tests.support.events import NOON_US, PROJECT, encode, make_event
from tests.support.lake import WINDOW_US, TestLake

EXAMPLES = 15
STEPS = 50
IDS = 60  # few, so that repeats are many
DAYS_AGO = (0, 1, 2, 40)
ELAPSED_S_MAX = WINDOW_US // 1_000_000 - 3_600  # beyond the window a repeated id is a new event
COLUMNS = ["id", "event_type", "user_id", "properties", "created_at"]
KILLED_AT = (
    "flush.tmp_written",
    "flush.tmp_synced",
    "flush.renamed",
    "flush.dir_synced",
    "flush.before_manifest",
    "manifest.tmp_written",
    "manifest.linked",
    "manifest.dir_synced",
    "journal.before_unlink",
    "journal.unlinked",
    "compact.merged_synced",
    "compact.before_commit",
    "compact.committed",
    "compact.trash_unlinked",
    "compact.trashed",
)

numbers = st.lists(st.integers(0, IDS - 1), min_size=1, max_size=8)
workers = st.integers(0, 1)


class Killed(BaseException):
    """What SIGKILL is to the code that runs: nothing catches it."""


def event_of(number: int) -> Event:
    """Always the same for a number: a client that sends again sends it unchanged."""
    choices = chance(number)
    value = choices.choice([None, number, number / 7, 'tricky "\\ é', [number, {"a": []}]])
    return make_event(
        id=f"e{number}",
        event_type=choices.choice(["view", "cart", "buy"]),
        user_id=f"u{number % 5}",
        created_at=NOON_US - choices.choice(DAYS_AGO) * US_PER_DAY + number,
        properties=msgspec.Raw(json.dumps({"v": value}, separators=(",", ":"), ensure_ascii=False).encode()),
    )


def row_of(event: Event) -> tuple[object, ...]:
    return event.event_type, event.user_id, bytes(event.properties).decode(), event.created_at


def rows_of(snapshot: Snapshot) -> dict[str, tuple[object, ...]]:
    """By id, read from the files themselves; an id that is there twice is an error."""
    found: dict[str, tuple[object, ...]] = {}
    tables = [pq.read_table(path, columns=COLUMNS, partitioning=None) for path in snapshot.files]
    for table in [*tables, snapshot.tail.select(COLUMNS)]:
        times_us = table.column("created_at").cast(pa.int64()).to_pylist()
        kinds = (table.column(name).to_pylist() for name in COLUMNS[1:-1])
        for one, *row in zip(table.column("id").to_pylist(), *kinds, times_us, strict=True):
            assert one not in found, f"{one} is there twice"
            found[one] = tuple(row)
    return found


class LakeMachine(RuleBasedStateMachine):
    """`model` is what must be there, `maybe` what a request without an answer may have left."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(mkdtemp(prefix="iafa-machine-"))
        self.clock = FakeClock(NOON_US)
        self.armed = ""
        self.model: dict[str, tuple[object, ...]] = {}
        self.maybe: dict[str, tuple[object, ...]] = {}
        self.elapsed_s = 0
        self.journals: list[JournalWriter] = []
        self.lake = self._open()

    def _open(self) -> TestLake:
        limits = JournalLimits(segment_events_max=25)
        return TestLake(self.folder / "data", hit=self._hit, limits=limits, clock=self.clock)

    def _hit(self, name: str) -> None:
        if name == self.armed:
            self.armed = ""
            raise Killed

    @initialize(count=st.integers(1, 2))
    def start(self, count: int) -> None:
        self.journals = [self.lake.open_journal() for _ in range(count)]

    @rule(batch=numbers, worker=workers, repeats=st.integers(1, 2))
    def collect(self, batch: list[int], worker: int, repeats: int) -> None:
        sent = [event_of(number) for number in batch]
        for repeat in range(repeats):
            journal = self.journals[(worker + repeat) % len(self.journals)]
            journal.append_blocking(PROJECT, self.clock.now_us(), encode(sent), len(sent))
        self._stored(sent)

    @rule(batch=numbers)
    def upload(self, batch: list[int]) -> None:
        sent = [event_of(number) for number in batch]
        file = self.folder / "upload.ndjson"
        lines = [
            {"id": one.id, "event": one.event_type, "user_id": one.user_id, "timestamp": to_iso(one.created_at)}
            | {"properties": json.loads(bytes(one.properties))}
            for one in sent
        ]
        file.write_text("\n".join(json.dumps(line) for line in lines))
        uploader = Uploader(self.lake.layout, self.lake.appender, self.clock)
        receipt = uploader.run(UploadRequest(PROJECT, file, "ndjson"))
        assert receipt.rejected == 0, receipt
        self._stored(sent)

    def _stored(self, sent: list[Event]) -> None:
        for event in sent:
            self.model[event.id] = row_of(event)
            self.maybe.pop(event.id, None)

    @rule()
    def flush(self) -> None:
        self.lake.flusher.run()

    @rule(everything=st.booleans())
    def compact(self, everything: bool) -> None:
        assert not self.lake.compactor.run(everything=everything).failed

    @rule(seconds=st.sampled_from([1, 61, 601, 3_700, 86_400]))
    @precondition(lambda self: self.elapsed_s < ELAPSED_S_MAX - 86_400)
    def wait(self, seconds: int) -> None:
        self.elapsed_s += seconds
        self.clock.advance(seconds)

    @rule(point=st.sampled_from(KILLED_AT), count=st.integers(1, 2))
    def die_at_work(self, point: str, count: int) -> None:
        self.armed = point
        try:
            self.lake.flusher.run()
            self.lake.compactor.run(everything=True)
        except Killed:
            pass
        self.armed = ""
        self._start_again(count)

    @rule(batch=numbers, torn=st.booleans(), count=st.integers(1, 2))
    def die_while_writing(self, batch: list[int], torn: bool, count: int) -> None:
        """The bytes of a request reach the disk, whole or in part; its answer is never sent."""
        victim = self.journals[0]
        sent = [event_of(number) for number in batch]
        self._close()
        found = segments(victim.epoch, victim.directory)
        if found:
            record = encode_record(victim.records + 1, PROJECT, self.clock.now_us(), encode(sent))
            with open(found[-1].path, "ab") as file:
                file.write(record[: len(record) // 2] if torn else record)
            if not torn:
                self.maybe |= {one.id: row_of(one) for one in sent if one.id not in self.model}
        self._start_again(count)

    @rule(count=st.integers(1, 2))
    def start_again(self, count: int) -> None:
        self._start_again(count)

    def _start_again(self, count: int) -> None:
        self._close()
        self.lake = self._open()
        self.start(count)

    def _close(self) -> None:
        for journal in self.journals:
            journal.close()
        self.journals = []

    @rule(is_fresh=st.booleans())
    def query(self, is_fresh: bool) -> None:
        """A process that has been there for long, and one that has just started, see the same."""
        found = rows_of((self._open() if is_fresh else self.lake).take())
        for one in found.keys() & self.maybe.keys():
            self.model[one] = self.maybe.pop(one)
        assert found == self.model

    def teardown(self) -> None:
        self._close()
        try:
            self.lake.flusher.run()
            self.query(is_fresh=True)
            self.query(is_fresh=False)
            assert self.lake.take().tail.num_rows == 0
        finally:
            shutil.rmtree(self.folder)


@pytest.mark.slow
def test_the_lake_holds_what_the_dictionary_holds(say: Callable[[str], None]) -> None:
    run_state_machine_as_test(
        hypothesis.seed(seed())(LakeMachine),
        settings=settings(
            max_examples=times(EXAMPLES),
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    say(f"seed={seed()} runs={times(EXAMPLES)} of up to {STEPS} steps")

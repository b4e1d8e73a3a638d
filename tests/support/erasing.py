"""A lake that holds a person everywhere a person can be, and what erases them."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pyarrow as pa

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.errors import IafaError
from iafa.event import Event, Rejected, SentBy
from iafa.failpoints import Hit, no_failpoints
from iafa.jobs.erase import Erased, Eraser
from iafa.jobs.erasure_desk import ErasureDesk
from iafa.journal.format import Kind
from iafa.lake.schema import COLUMNS
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters
from iafa.query.cancellation import Cancellation
from iafa.query.engine_duckdb import DuckEngine, QueryLimits, Reading
from iafa.query.source import events_sql
from tests.support.events import PROJECT, make_event
from tests.support.lake import TestLake

USER = "victim-user-0001"
ALIAS = "victim-älias-0002"
DEVICE = "victim-device-0003"
OTHER_DEVICE = "victim-device-0004"
EMAIL = "victim@example.org"
EVENT_PREFIX = "victim-event"
TEXTS = (USER, ALIAS, DEVICE, OTHER_DEVICE, EMAIL, EVENT_PREFIX)
GRACE_S = 601
ROUNDS_MAX = 20
ROUNDS = 3
FILLED_S = 10  # more than the time that `fill` takes on the clock


class ErasingLake:
    """`lake` with a desk and an eraser on top, all real."""

    def __init__(self, root: Path, hit: Hit = no_failpoints, *, lake: TestLake | None = None) -> None:
        self.lake = lake or TestLake(root, hit=hit)
        layout, clock = self.lake.layout, self.lake.clock
        self.engine = DuckEngine(
            QueryLimits(threads=1), temp_directory=root.with_name(f"{root.name}.spill"), clock=clock
        )
        self.eraser = Eraser(layout, self.lake.manifests, self.lake.quarantine, clock, self.lake.counters, hit)
        self.desk = ErasureDesk(self.lake.snapshots, self.engine, self.eraser, clock, b"k" * 32, hit)

    def erase(self, called: str = USER) -> str:
        return self.desk.erase("user:test", PROJECT, called).id

    def visible(self) -> list[dict[str, object]]:
        """Every row that a question sees, whole; an export sees the same."""
        snapshot = self.lake.take()
        with self.engine.reading(snapshot) as reading:
            rows = self._rows(reading, snapshot)
        with self.engine.streaming(snapshot, [snapshot.directory], Cancellation()) as reading:
            assert self._rows(reading, snapshot) == rows
        return rows

    def _rows(self, reading: Reading, snapshot: Snapshot) -> list[dict[str, object]]:
        parameters = Parameters()
        text = events_sql(snapshot, COLUMNS, parameters)
        batches = list(reading.batches(text, parameters.values, 10_000))
        rows: list[dict[str, object]] = pa.Table.from_batches(batches).sort_by("id").to_pylist() if batches else []
        return rows

    def visible_ids(self) -> list[str]:
        return [str(row["id"]) for row in self.visible()]

    def finish(self) -> Erased:
        """Time goes by and the background works until nothing is left to erase."""
        for _ in range(ROUNDS_MAX):
            self.lake.flusher.run()
            done = self.eraser.run()
            if not self.desk.erasures.pending():
                return done
            self.lake.clock.advance(GRACE_S)
        raise AssertionError(f"the erasure does not end: {done}")


def person_events(number: int, at_us: int) -> list[Event]:
    """A visit that is not signed in, the sign-in, and what the user does."""
    name = f"{EVENT_PREFIX}-{number}"
    secret = msgspec.Raw(msgspec.json.encode({"email": EMAIL, "n": number}))
    return [
        make_event(id=f"{name}-a", user_id=None, anonymous_id=DEVICE, created_at=at_us, url=f"https://x.test/{USER}"),
        make_event(id=f"{name}-b", event_type="identify", user_id=USER, anonymous_id=DEVICE, created_at=at_us + 1),
        make_event(id=f"{name}-c", user_id=USER, properties=secret, created_at=at_us + 2),
        make_event(id=f"{name}-d", user_id=ALIAS, session_id=f"s-{USER}", created_at=at_us + 3),
        make_event(
            id=f"{name}-e",
            event_type="alias",
            user_id=USER,
            created_at=at_us + 4,
            properties=msgspec.Raw(msgspec.json.encode({"previous_id": ALIAS})),
        ),
        make_event(id=f"{name}-f", user_id=ALIAS, anonymous_id=OTHER_DEVICE, event_type="identify", created_at=at_us),
    ]


def other_events(number: int, at_us: int) -> list[Event]:
    return [
        make_event(
            id=f"other-{number}-{n}", user_id=f"other-{n % 3}", anonymous_id=f"other-device-{n % 3}", created_at=at_us
        )
        for n in range(4)
    ]


def refusal(text: str, event_id: str) -> Rejected:
    return Rejected(
        code="too_long", event_id=event_id, event_type="page_view", body=text, sender=SentBy(visitor="other-device-9")
    )


def refused_of(number: int) -> list[Rejected]:
    mine = msgspec.json.encode({"userId": USER, "properties": {"email": EMAIL}}).decode()
    return [
        refusal(mine, f"{EVENT_PREFIX}-refused-{number}"),
        refusal('{"user_id": "other-1", "x": ' + "1" * 50 + "}", f"other-refused-{number}"),
        refusal(f'{{"usr": "{DEVICE}", "torn": ', f"{EVENT_PREFIX}-torn-{number}"),
    ]


def fill(lake: TestLake, rounds: int = ROUNDS) -> None:
    """Days that are merged, days in parts, replaced files in the trash, refused events, and an unflushed tail."""
    start_us = lake.clock.now_us()
    for number in range(rounds):
        lake.write(person_events(number, start_us - (number % 3) * US_PER_DAY) + other_events(number, start_us))
        write_refused(lake, number)
        lake.flusher.run()
        if number == rounds // 2:
            lake.compactor.run(everything=True)
        lake.clock.advance(1)
    lake.write(person_events(rounds, start_us) + other_events(rounds, start_us))
    write_refused(lake, rounds)


def write_refused(lake: TestLake, number: int) -> None:
    journal = lake.open_journal()
    content = msgspec.json.encode(refused_of(number))
    journal.offer(PROJECT, lake.clock.now_us(), content, 3, kind=Kind.REJECTED)
    journal.close()


def scatter(lake: TestLake) -> None:
    """What kills, repairs and people with a console leave lying about."""
    directory = lake.layout.project(PROJECT)
    part = next(path for path in sorted(directory.glob("*/*/*.parquet")) if ".j" in path.name)
    shutil.copy(part, part.with_name("events_2025-11-21.j99-1-1.parquet"))
    edges = next((directory / "identity").glob("*.parquet"))
    shutil.copy(edges, edges.with_name(f"{'0' * 16}.parquet"))
    for path in (part, edges):
        kept = lake.layout.damaged / path.relative_to(lake.root)
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, kept)
    torn = lake.layout.journal / "damaged" / "000001-000001-0.bad"
    torn.parent.mkdir(parents=True, exist_ok=True)
    torn.write_bytes(b'{"v":1,"q":1,"e":[{"user_id":"' + USER.encode() + b'"')
    lake.layout.tmp.mkdir(exist_ok=True)
    shutil.copy(part, lake.layout.tmp / f"{PROJECT}.2025_11_left.parquet")
    for name in ("compact", "relief"):
        (lake.layout.tmp / name).mkdir()
        shutil.copy(part, lake.layout.tmp / name / "merged.parquet")
    old = lake.layout.tmp / "upload-left-by-a-killed-one"
    old.mkdir()
    (old / "body").write_text(USER)
    then_s = lake.clock.now_us() / US_PER_S - 2 * 86_400
    for path in (old / "body", old):
        os.utime(path, (then_s, then_s))


def erase_until_killed(root: Path, spec: str) -> None:
    """A request and all that follows, for a process that dies at a failpoint."""
    from iafa.failpoints import Failpoints

    drive(ErasingLake(root, Failpoints(spec).hit), tries=1)


def drive(erasing: ErasingLake, *, tries: int) -> bool:
    """Whether the request was answered."""
    is_answered = attempt(erasing.erase, tries)
    for _ in range(4):
        attempt(erasing.lake.flusher.run, tries)
        attempt(erasing.eraser.run, tries)
        erasing.lake.clock.advance(GRACE_S)
    return is_answered


def attempt(run: Callable[[], object], tries: int) -> bool:
    for _ in range(tries):
        try:
            run()
        except (OSError, IafaError):
            continue
        return True
    return False


def audit_lines(lake: TestLake, action: str) -> list[dict[str, object]]:
    lines = [line for path in sorted(lake.layout.audit.glob("*.jsonl")) for line in path.read_bytes().splitlines()]
    found = [msgspec.json.decode(line) for line in lines]
    return [one for one in found if one["action"] == action]

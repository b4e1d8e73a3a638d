"""What a restart costs: a million journalled events of 50 projects and 60 days become Parquet, split by phase.

The journal is written by the real writer in batches of 100 events; then one run of the flusher is timed. Phases that
work in threads are counted in seconds of those threads, so that they may add up to more than the whole.
"""

import asyncio
import contextlib
import functools
import random
import resource
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from iafa.clock import US_PER_DAY, SystemClock
from iafa.event import Event
from iafa.jobs import flush
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake import append, manifest, parts
from iafa.lake.append import LakeAppender
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.quarantine import Quarantine
from iafa.lake.schema import leave_pandas_out

EVENTS = 1_000_000
BATCH = 100
PROJECTS = 50
DAYS = 60
AT_ONCE = 64
GOAL_S = 10.0


def batch_of(chance: random.Random, number: int, now_us: int) -> list[Event]:
    """One request: events of one person's day, as a tracker or a server that was offline sends them."""
    day_us = now_us - chance.randrange(DAYS) * US_PER_DAY
    person = f"user-{chance.randrange(20_000)}"
    return [
        Event(
            id=f"0192{number:08x}-{position:04x}-7000-8000-{chance.getrandbits(48):012x}",
            event_type=chance.choice(("page_view", "add_to_cart", "checkout", "purchase", "search")),
            created_at=day_us - chance.randrange(3_600_000_000),
            user_id=person,
            session_id=f"session-{number}",
            source="web",
            url=f"https://shop.example/product/{chance.randrange(500)}?ref=mail",
            user_agent="Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/149.0 Safari/537.36",
            ip_address="6f1a0c55d2e94b70",
            properties=msgspec.Raw(b'{"product":"lamp-%d","price":%d.5,"plan":"pro"}' % (number % 97, position)),
        )
        for position in range(BATCH)
    ]


async def write_journal(layout: Layout, clock: SystemClock) -> int:
    """Returns the bytes written."""
    chance = random.Random(1)
    journal = JournalWriter(layout.journal, clock, JournalLimits())
    numbers = iter(range(EVENTS // BATCH))

    async def send() -> None:
        for number in numbers:
            events = batch_of(chance, number, clock.now_us())
            project_id = f"project{number % PROJECTS:06d}"
            await journal.append(project_id, clock.now_us(), msgspec.json.encode(events), BATCH)

    await asyncio.gather(*(send() for _ in range(AT_ONCE)))
    await asyncio.to_thread(journal.close)
    return sum(path.stat().st_size for path in layout.journal.glob("*/*.ndjson"))


class Phases:
    """Seconds inside wrapped functions; what one wrapped function calls of another is not counted twice."""

    def __init__(self) -> None:
        self.seconds: Counter[str] = Counter()
        self._inner = threading.local()

    def wrap(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def timed(*arguments: Any, **named: Any) -> Any:
            outer = getattr(self._inner, "seconds", 0.0)
            self._inner.seconds = 0.0
            started = time.perf_counter()
            try:
                return function(*arguments, **named)
            finally:
                took = time.perf_counter() - started
                self.seconds[name] += took - self._inner.seconds
                self._inner.seconds = outer + took

        return timed

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Replace each step of the flush by one that is timed."""
        with contextlib.ExitStack() as stack:
            for name, owner, attribute in STEPS:
                stack.enter_context(patch.object(owner, attribute, self.wrap(name, getattr(owner, attribute))))
            yield


STEPS: tuple[tuple[str, Any, str], ...] = (
    ("the rest", flush.Flusher, "run"),
    ("read, check, decode; split by project", flush.Flusher, "_read"),
    ("to Arrow", flush, "sound_rows"),
    ("order by project", flush, "_by_receipt"),
    ("distinct", append.LakeAppender, "distinct"),
    ("split by day, ids of parts", append.LakeAppender, "write"),
    ("waiting for encoding and syncing of parts", parts.PartWriter, "write_parts"),
    ("in threads: encode", parts, "_encode"),
    ("in threads: write and sync", parts, "write_temporary"),
    ("rename, sync folders", parts, "publish_synced"),
    ("manifest", manifest.Manifests, "commit"),
)


def main() -> None:
    leave_pandas_out()
    with tempfile.TemporaryDirectory() as folder:
        layout, clock = Layout(Path(folder)), SystemClock()
        started = time.perf_counter()
        size = asyncio.run(write_journal(layout, clock))
        print(f"journal: {EVENTS:,} events, {size / 1e6:.0f} MB, written in {time.perf_counter() - started:.1f} s")
        manifests = Manifests(layout, clock)
        flusher = flush.Flusher(layout, LakeAppender(layout, manifests, 7 * US_PER_DAY), Quarantine(layout))
        phases = Phases()
        before_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        started, started_cpu = time.perf_counter(), time.process_time()
        with phases.watched():
            flushed = flusher.run()
        took, cpu = time.perf_counter() - started, time.process_time() - started_cpu
        peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        files = sum(len(manifests.latest(project_id).files) for project_id in layout.project_ids())
    print(f"replay : {flushed.events:,} events, {files:,} files in {took:.2f} s (goal {GOAL_S:.0f} s), CPU {cpu:.2f} s")
    for name, seconds in phases.seconds.most_common():
        print(f"  {seconds:6.2f} s  {name}")
    print(f"memory : peak {peak_mb:.0f} MB, {before_mb:.0f} MB before it")


if __name__ == "__main__":
    main()

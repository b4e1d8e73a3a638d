"""Token buckets: one table of cases for both places where they may lie, and several processes on one table."""

import mmap
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from iafa.clock import FakeClock, SystemClock
from iafa.ingest.limits import RateLimiter
from iafa.slots import WAYS, MemorySlots, SharedSlots, Slots, create_shared, open_shared


@pytest.fixture
def shared() -> Iterator[int]:
    descriptor = create_shared()
    yield descriptor
    os.close(descriptor)


@pytest.fixture(params=["memory", "shared"])
def slots(request: pytest.FixtureRequest, shared: int) -> Slots:
    return MemorySlots(1000) if request.param == "memory" else open_shared(shared).limits


@dataclass(frozen=True)
class Case:
    """Takes of (seconds later, count, limit), and the answers (allowed, remaining, retry after)."""

    takes: tuple[tuple[float, int, int], ...]
    answers: tuple[tuple[bool, int, int], ...]


CASES = {
    "as many as the limit pass and the next waits": Case(
        takes=((0, 1, 3), (0, 1, 3), (0, 1, 3), (0, 1, 3), (0, 1, 3)),
        answers=((True, 2, 0), (True, 1, 0), (True, 0, 0), (False, 0, 20), (False, 0, 20)),
    ),
    "it refills by the minute, and not above the limit": Case(
        takes=((0, 60, 60), (0.5, 1, 60), (0.5, 1, 60), (3600, 1, 60)),
        answers=((True, 0, 0), (False, 0, 1), (True, 0, 0), (True, 59, 0)),
    ),
    "a batch larger than the bucket passes when it is full and leaves a debt": Case(
        takes=((0, 150, 60), (60, 1, 60), (30, 1, 60), (1, 1, 60)),
        answers=((True, 0, 0), (False, 0, 31), (False, 0, 1), (True, 0, 0)),
    ),
    "a batch larger than the bucket waits until it is full": Case(
        takes=((0, 1, 60), (0, 61, 60), (1, 61, 60)),
        answers=((True, 59, 0), (False, 59, 1), (True, 0, 0)),
    ),
    "what is refused takes nothing": Case(
        takes=((0, 50, 60), (0, 11, 60), (0, 10, 60)),
        answers=((True, 10, 0), (False, 10, 1), (True, 0, 0)),
    ),
    "a lower limit holds at once, a higher one from now on": Case(
        takes=((0, 1, 100), (0, 11, 10), (0, 1, 10), (6, 1, 100)),
        answers=((True, 99, 0), (True, 0, 0), (False, 0, 12), (True, 8, 0)),
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bucket(case: Case, slots: Slots) -> None:
    clock = FakeClock()
    limiter = RateLimiter(clock, slots)
    answers = []
    for later_s, count, limit in case.takes:
        clock.advance(later_s)
        taken = limiter.take("key:a", count, limit)
        answers.append((taken.is_allowed, taken.remaining, taken.retry_after_s))
    assert tuple(answers) == case.answers


def test_names_do_not_share_a_bucket(slots: Slots) -> None:
    limiter = RateLimiter(FakeClock(), slots)
    assert all(limiter.take(f"ip:{number}", 1, 1).is_allowed for number in range(500))
    assert not any(limiter.take(f"ip:{number}", 1, 1).is_allowed for number in range(500))


def test_a_clock_read_before_another_workers_visit_gives_nothing_away(slots: Slots) -> None:
    clock, late = FakeClock(), FakeClock()
    clock.advance(10)
    RateLimiter(clock, slots).take("a", 60, 60)
    assert RateLimiter(late, slots).take("a", 1, 60).retry_after_s == 1, "the bucket is not older than its last visit"


def test_nobody_gets_a_new_bucket_by_making_up_other_names(shared: int) -> None:
    small = SharedSlots(shared, mmap.mmap(shared, 0), 32, 32)
    for slots in (MemorySlots(256), small):
        limiter = RateLimiter(FakeClock(), slots)
        limiter.take("ip:attacker", 100, 100)
        for number in range(5_000):
            assert limiter.take(f"ip:made up {number}", 1, 100).is_allowed
        assert not limiter.take("ip:attacker", 1, 100).is_allowed


def test_buckets_in_memory_are_bounded_and_the_fullest_of_the_oldest_goes() -> None:
    slots = MemorySlots(10)
    limiter = RateLimiter(FakeClock(), slots)
    for number in range(10):
        limiter.take(f"ip:{number}", 1 if number == 3 else 4, 5)
    limiter.take("ip:new", 1, 5)
    assert len(slots) == 10
    assert limiter.take("ip:0", 1, 5).remaining == 0, "it was kept"
    assert WAYS < 10, "the newest are not even looked at"


def test_the_shared_table_has_one_size(shared: int) -> None:
    before = os.fstat(shared).st_size
    limiter = RateLimiter(FakeClock(), open_shared(shared).limits)
    for number in range(20_000):
        limiter.take(f"ip:{number}", 1, 5)
    assert os.fstat(shared).st_size == before < 8 * 1024 * 1024


# A holder that a busy machine takes off its processor is waited for here: beside that counts are exact.
WORKER = """
import sys
import iafa.slots
from iafa.clock import FakeClock
from iafa.ingest.limits import RateLimiter
from iafa.slots import open_shared
iafa.slots.LOCK_TRIES = 1_000_000
limiter = RateLimiter(FakeClock(), open_shared(int(sys.argv[1])).limits)
print(sum(limiter.take("key:a", 1, 4000).is_allowed for _ in range(3000)))
"""


def test_processes_at_once_take_exactly_the_limit_from_one_bucket(shared: int) -> None:
    command = [sys.executable, "-c", WORKER, str(shared)]
    workers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, pass_fds=[shared]) for _ in range(3)]
    passed = [int(worker.communicate(timeout=60)[0]) for worker in workers]
    assert sum(passed) == 4000, passed


def _in_the_middle(descriptor: int, entered: Callable[[], None]) -> None:
    def step(_state: object) -> tuple[None, None]:
        entered()
        signal.pause()
        return None, None

    open_shared(descriptor).limits.change("key:a", step)


@pytest.mark.parametrize("end", [signal.SIGSTOP, signal.SIGKILL])
def test_a_worker_that_stops_in_the_middle_of_a_change_does_not_stop_the_others(
    shared: int, end: signal.Signals
) -> None:
    context = multiprocessing.get_context("fork")
    entered = context.Event()
    holder = context.Process(target=_in_the_middle, args=(shared, entered.set))
    holder.start()
    try:
        assert entered.wait(30)
        assert holder.pid is not None
        os.kill(holder.pid, end)
        limiter = RateLimiter(SystemClock(), open_shared(shared).limits)
        assert [limiter.take("key:a", 1, 2).is_allowed for _ in range(3)] == [True, True, False]
    finally:
        holder.kill()
        holder.join()


def test_tables_of_two_starts_have_nothing_in_common(tmp_path: Path) -> None:
    for _ in range(2):
        descriptor = create_shared()
        assert RateLimiter(FakeClock(), open_shared(descriptor).limits).take("a", 1, 1).is_allowed
        os.close(descriptor)

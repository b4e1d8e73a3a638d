"""What collecting costs, over real sockets: a bare ASGI floor and `iafa serve` side by side in one run.

Run: python -m tests.bench.collect_bench [quick]. Servers are pinned to core 0, the generator to core 1; variants take
turns. Prints the best requests/s and the least CPU of the serving process a request, both also over the floor's of the
same run, and percentiles of the round with the best rate. Then single events at a fixed rate, with and without a flush
running, in pairs; a latency counts from the scheduled moment. Compare ratios of one run only.
"""

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from iafa.clock import SystemClock
from iafa.event import Event
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.settings import Settings
from iafa.wiring import open_house
from tests.support.events import encode
from tests.support.server import ServerProcess, free_port

SERVER_CORE, GENERATOR_CORE = 0, 1
CONNECTIONS = 32
SIZES = (1, 100)
RATE_MAX, RATE_CONNECTIONS = 1000, 16  # a machine with other work gets a third of what it can do
FLUSHED_REQUESTS, FLUSHED_EVENTS = 500, 1000
PYTHON = sys.executable
WRK = shutil.which("wrk")
LUA = Path(__file__).with_name("collect.lua")


class Load(NamedTuple):
    """What the generator saw."""

    requests: int
    duration_us: int
    p50_us: int
    p90_us: int
    p99_us: int
    errors: int


@dataclass
class Variant:
    name: str
    port: int
    pid: int
    key: str = "none"
    rounds: list[tuple[Load, float]] = field(default_factory=list)  # with the CPU us a request

    def run(self, events: int, seconds: float, number: int) -> None:
        before = cpu_us(self.pid)
        load = generate(self, events, seconds, prefix=f"{events}-{number}")
        self.rounds.append((load, (cpu_us(self.pid) - before) / load.requests))

    @property
    def best(self) -> Load:
        return max((load for load, _cpu in self.rounds), key=rate)

    @property
    def least_cpu_us(self) -> float:
        return min(cpu for _load, cpu in self.rounds)


def rate(load: Load) -> float:
    return load.requests * 1e6 / load.duration_us


def cpu_us(pid: int) -> float:
    """What all threads of a process have run, by the scheduler's own account."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1000


def generate(variant: Variant, events: int, seconds: float, *, prefix: str, at_rate: int = 0) -> Load:
    path = "/api/v1/track" if events == 1 else "/api/v1/track/batch"
    words = [path, variant.key, str(events), prefix]
    if WRK and not at_rate:
        url = f"http://127.0.0.1:{variant.port}"
        command = [WRK, "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-s", str(LUA), url, "--", *words]
    else:
        connections = RATE_CONNECTIONS if at_rate else CONNECTIONS
        tail = [str(seconds), str(connections), str(at_rate)]
        command = [PYTHON, "-m", "tests.bench.load", str(variant.port), *words, *tail]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, preexec_fn=lambda: os.sched_setaffinity(0, GENERATOR_CORES)
    )
    line = next(line for line in done.stdout.splitlines() if line.startswith("BENCH "))
    load = Load(*(int(word) for word in line.split()[1:]))
    if load.errors:
        raise SystemExit(f"{variant.name}: {load.errors} failures: {done.stdout}")
    return load


@contextmanager
def pinned() -> Iterator[None]:
    """What is started in the block runs on the servers' core."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, SERVER_CORES)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {CORES[SERVER_CORE]}
GENERATOR_CORES = {CORES[min(GENERATOR_CORE, len(CORES) - 1)]}


@contextmanager
def floor() -> Iterator[Variant]:
    port = free_port()
    with pinned():
        process = subprocess.Popen([PYTHON, "-m", "tests.bench.floor", str(port)])
    try:
        variant = Variant("floor", port, process.pid)
        for _ in range(100):
            try:
                generate(variant, 1, 1, prefix="warm")
                break
            except (subprocess.CalledProcessError, StopIteration, SystemExit, ZeroDivisionError):
                time.sleep(0.1)
        yield variant
    finally:
        process.terminate()
        process.wait()


@contextmanager
def service(folder: Path, durability: str) -> Iterator[Variant]:
    data_dir = folder / durability
    house = open_house(Settings.model_validate({"data_dir": data_dir}))

    async def make() -> str:
        organization = await house.accounts.organizations.add("Bench")
        _project, _write, secret = await house.projects.add(
            organization.id, name="Bench", settings={"rate_limit_per_minute": None}
        )
        return secret

    key = asyncio.run(make())
    with pinned():
        server = ServerProcess(data_dir, environment={"IAFA_DURABILITY": durability}).start()
    try:
        yield Variant(durability, server.port, server.pid, key)
    finally:
        server.stop()


def throughput(variants: Sequence[Variant], *, seconds: float, rounds: int) -> float:
    """Print the table; returns what the durable service can do in single events a second."""
    single = 0.0
    print(f"{'':<22}{'req/s':>9}{'events/s':>11}{'/ floor':>9}{'CPU us':>9}{'/ floor':>9}", end="")
    print(f"{'p50 ms':>9}{'p90 ms':>9}{'p99 ms':>9}")
    for events in SIZES:
        for variant in variants:
            variant.rounds.clear()
        for number in range(rounds):
            for variant in variants:
                variant.run(events, seconds, number)
        base = variants[0]
        single = single or rate(variants[1].best)
        for one in variants:
            best, cpu = one.best, one.least_cpu_us
            print(
                f"n={events:<5}{one.name:<15}{rate(best):>9.0f}{rate(best) * events:>11.0f}"
                f"{rate(best) / rate(base.best):>9.3f}{cpu:>9.1f}{cpu / base.least_cpu_us:>9.2f}"
                f"{best.p50_us / 1e3:>9.2f}{best.p90_us / 1e3:>9.2f}{best.p99_us / 1e3:>9.2f}"
            )
    return single


def leave_journal(data_dir: Path, number: int) -> Path:
    """A dead journal full of events, as a worker leaves it: the background process takes it up within a second."""
    now_us = SystemClock().now_us()
    made = [
        Event(id=f"PREFIX-{n}", event_type="add_to_cart", created_at=now_us - n * 1_000_000, user_id=f"user-{n}")
        for n in range(FLUSHED_EVENTS)
    ]
    content = encode(made)
    root = data_dir.resolve() / "journal"
    journal = JournalWriter(root, SystemClock(), JournalLimits())
    for request in range(FLUSHED_REQUESTS):
        events = content.replace(b"PREFIX", b"flush-%d-%d" % (number, request))
        journal.append_blocking("p0benchflush", now_us, events, FLUSHED_EVENTS)
    journal.close()
    return journal.directory


def beside_a_flush(variant: Variant, data_dir: Path, *, at_rate: int, pairs: int, seconds: float) -> None:
    """The same load with nothing else going on and while the background process flushes another journal."""
    seen: dict[str, list[Load]] = {"no flush": [], "flush": []}
    flushing_s = 0.0
    for number in range(pairs):
        seen["no flush"].append(generate(variant, 1, seconds, prefix=f"still-{number}", at_rate=at_rate))
        directory = leave_journal(data_dir, number)
        began = time.monotonic()
        seen["flush"].append(generate(variant, 1, seconds, prefix=f"flush-{number}", at_rate=at_rate))
        flushing_s += seconds if directory.exists() else 0.0
        while directory.exists() and time.monotonic() - began < 20:
            time.sleep(0.1)
    print(f"\n{at_rate} single events/s, open loop, durability {variant.name}; medians of {pairs} pairs; ", end="")
    print(f"a flush was still going on after {flushing_s / seconds:.0f} of {pairs} runs")
    medians = {
        name: [statistics.median(load[2 + n] for load in loads) for n in range(3)] for name, loads in seen.items()
    }
    for name, values in medians.items():
        print(
            f"{name:<10}"
            + "".join(f"  p{p} {value / 1e3:6.2f} ms" for p, value in zip((50, 90, 99), values, strict=True))
        )
    pairs_of = zip(medians["flush"], medians["no flush"], strict=True)
    print("flush / no flush" + "".join(f"  {with_flush / without:.2f}" for with_flush, without in pairs_of))


def main() -> None:
    is_quick = "quick" in sys.argv[1:]
    used = f"wrk ({WRK})" if WRK else "tests/bench/load.py; it bounds req/s, the CPU figures hold"
    print(f"generator: {used}; {CONNECTIONS} connections, one worker, server on core {SERVER_CORES}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        variants = [stack.enter_context(floor()), stack.enter_context(service(folder, "sync"))]
        if "durability" in Settings.model_fields:
            variants.append(stack.enter_context(service(folder, "off")))
        single = throughput(variants, seconds=1 if is_quick else 2, rounds=2 if is_quick else 4)
        at_rate = min(RATE_MAX, int(single / 3))
        beside_a_flush(variants[1], folder / "sync", at_rate=at_rate, pairs=1 if is_quick else 5, seconds=3)


if __name__ == "__main__":
    main()

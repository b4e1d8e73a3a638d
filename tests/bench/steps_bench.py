"""What each step of collecting costs, in process and without sockets or disk: microseconds a request of 1 and of 100.

Run: python -m tests.bench.steps_bench. Each row is the least of several rounds; what a setting adds is its difference
to the row of the plain way. Steps that a project does not use cost nothing.
"""

import asyncio
import json
import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from iafa.api.collect import limit_fields
from iafa.clock import SystemClock
from iafa.ingest.gate import Gate, Origin
from iafa.ingest.limits import RateLimiter
from iafa.ingest.pipeline import Sender, run
from iafa.ingest.plain import read_batch
from iafa.ingest.privacy import Privacy, denial_of, hash_address
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.sampling import sampler_of
from iafa.ingest.usage import Usage, open_usage
from iafa.ingest.wire import WireEvent, decode_batch
from iafa.meta.collect_rules import SampleBy, SamplingRule
from iafa.slots import create_shared, open_shared
from tests.support.lake import TestLake
from tests.unit.ingest.test_collector import WRITE, collector_of

ROUNDS, SECONDS = 7, 0.05
SIZES = (1, 100)
CLOCK = SystemClock()


def least_us(work: Callable[[], Any]) -> float:
    """Microseconds of one call, the least of the rounds."""
    work()
    best = float("inf")
    for _ in range(ROUNDS):
        began, calls = time.perf_counter(), 0
        while time.perf_counter() - began < SECONDS:
            for _ in range(10):
                work()
            calls += 10
        best = min(best, (time.perf_counter() - began) / calls)
    return best * 1e6


def body(count: int) -> bytes:
    day = time.strftime("%Y-%m-%d", time.gmtime(time.time() - 86_400))
    properties = {"product": "lamp", "color": "green", "plan": "pro", "channel": "search", "step": "two"}
    events = [
        {
            **{"id": f"e-{n}", "event_type": "add_to_cart", "user_id": f"user-{n}", "session_id": "5c1e9b1f0a"},
            **{"timestamp": f"{day}T14:02:07.120Z", "url": f"https://shop.example/{n}", "properties": properties},
        }
        for n in range(count)
    ]
    return json.dumps(events).encode()


def through_the_steps(content: bytes, sender: Sender) -> None:
    for index, parsed in enumerate(decode_batch(content)):
        assert isinstance(parsed, WireEvent)
        assert not run(parsed, sender, f"/events/{index}", index).errors


def gate_of(folder: Path, descriptor: int) -> Gate:
    gate = collector_of(TestLake(folder)).gate
    return replace(
        gate,
        find_grant=lambda _key, _now_us: WRITE,
        limiter=RateLimiter(CLOCK, open_shared(descriptor).limits),
        usage=Usage(open_usage(folder / "bench" / "events.slots", folder / "tmp"), CLOCK),
        clock=CLOCK,
    )


def awaited(make: Callable[[], Any]) -> Callable[[], None]:
    """A coroutine that waits for nothing, run to its end without a loop."""

    def work() -> None:
        coroutine = make()
        try:
            coroutine.send(None)
        except StopIteration:
            return
        raise AssertionError("it waits")

    return work


def request_rows(gate: Gate, count: int) -> dict[str, Callable[[], Any]]:
    limit = 1_000_000_000
    origin = Origin("192.0.2.1", "Agent/1.0")
    page = Origin("192.0.2.1", "Agent/1.0", origin="https://shop.example")
    limited = replace(WRITE, rate_limit_per_minute=limit)
    by_address = replace(WRITE, rate_limit_per_ip_per_minute=limit)
    known = replace(gate, find_grant=lambda _key, _now_us: by_address)

    def spend(grant: Any) -> Callable[[], None]:
        def work() -> None:
            origin.spent.clear()
            awaited(lambda: gate.spend(grant, origin, count))()

        return work

    def admit() -> None:
        page.spent.clear()
        awaited(lambda: known.admit("key", page))()

    shown = Origin("", spent=[gate.limiter.take("shown", 1, 100)])
    return {
        "authentication": awaited(lambda: gate.admit("key", origin)),
        "with address_limit": admit,
        "nothing limited": spend(WRITE),
        "key_limit, shared by workers": spend(limited),
        "quota": spend(replace(WRITE, monthly_quota=limit)),
        "count of the month": lambda: gate.usage.add("p0projectaaaa", count),
        "RateLimit fields": lambda: limit_fields(shown),
    }


def event_rows(count: int) -> dict[str, Callable[[], Any]]:
    content = body(count)
    sender = Sender(CLOCK.now_us(), is_browser=True, user_agent="Agent/1.0", salt=b"salt")
    denying = sender._replace(privacy=Privacy(denial=denial_of(("email", "*password*", "*card*"))))
    plain = read_batch(content, sender)
    assert plain is not None
    recent = RecentIds(CLOCK)

    def sampled(by: SampleBy) -> Callable[[], None]:
        sampler = sampler_of((SamplingRule(rate=0.5, by=by),), b"salt")

        def work() -> None:
            for event in plain.events:
                sampler.keeps(event)

        return work

    def look_up() -> None:
        recent.known("p", plain.ids)
        recent.add("p", plain.ids)

    return {
        "decoding to canonical, usual events": lambda: read_batch(content, sender),
        "the same with a deny-list": lambda: read_batch(content, denying),
        "the same through the steps": lambda: through_the_steps(content, sender),
        "hash of the address": lambda: hash_address("192.0.2.1", b"salt"),
        "sampling by user": sampled("user"),
        "sampling random": sampled("random"),
        "sampling by window": sampled("window"),
        "duplicates": look_up,
    }


def main() -> None:
    descriptor = create_shared()
    with TemporaryDirectory() as folder:
        gate = asyncio.run(asyncio.to_thread(gate_of, Path(folder), descriptor))
        tables = [request_rows(gate, count) | event_rows(count) for count in SIZES]
        print(f"{'us a request':<40}" + "".join(f"{f'n={count}':>10}" for count in SIZES))
        for name in tables[0]:
            print(f"{name:<40}" + "".join(f"{least_us(table[name]):>10.2f}" for table in tables))
    os.close(descriptor)


if __name__ == "__main__":
    main()

"""Limits in Redis: with a real server where one is installed, and what happens when there is none."""

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from iafa.clock import FakeClock, SystemClock
from iafa.errors import RateLimited, WrongUsage
from iafa.ingest import redis_limits
from iafa.ingest.collector import Collector
from iafa.ingest.redis_limits import PAUSE_S, RedisLimits
from iafa.metrics import Counters
from tests.support.lake import TestLake
from tests.support.server import free_port
from tests.unit.ingest.test_collector import HERE, SECRET, body, collector_of, event

REDIS = shutil.which("redis-server")
LIMITED = replace(SECRET, rate_limit_per_minute=10)


def needs_limits() -> None:
    pytest.importorskip("limits.aio.storage", reason="the extra `redis` is not installed")
    pytest.importorskip("redis", reason="the extra `redis` is not installed")


@pytest.fixture
def redis_port() -> Iterator[int]:
    needs_limits()
    if REDIS is None:
        pytest.skip("no redis-server is installed")
    port = free_port()
    server = subprocess.Popen(
        [REDIS, "--port", str(port), "--save", "", "--appendonly", "no"], stdout=subprocess.DEVNULL
    )
    try:
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        server.terminate()
        server.wait()


def sharing(folder: Path, port: int) -> tuple[Collector, Counters]:
    """The collector of one more server, which knows of the others by Redis alone."""
    collector = collector_of(TestLake(folder))
    shared = RedisLimits(f"redis://127.0.0.1:{port}/0", b"secret", SystemClock(), collector.counters)
    return replace(collector, gate=replace(collector.gate, shared=shared)), collector.counters


async def close(server: Collector) -> None:
    server.journal.close()
    assert server.gate.shared is not None
    await server.gate.shared.close()


async def test_two_servers_share_a_limit(tmp_path: Path, redis_port: int) -> None:
    servers = [sharing(tmp_path / name, redis_port)[0] for name in ("one", "other")]
    passed, waits = 0, []
    for number in range(20):
        try:
            await servers[number % 2].batch(LIMITED, HERE, body(event(f"e{number}")))
            passed += 1
        except RateLimited as error:
            waits.append(error.retry_after_s)
    assert 10 <= passed <= 11  # a second or two of the window may have gone by
    assert all(wait is not None and 1 <= wait <= 60 for wait in waits)
    for server in servers:
        await close(server)


async def test_batch_larger_than_the_limit_passes_when_it_is_untouched(tmp_path: Path, redis_port: int) -> None:
    one, other = (sharing(tmp_path / name, redis_port)[0] for name in ("one", "other"))
    assert (await one.batch(LIMITED, HERE, body(*(event(f"e{n}") for n in range(30))))).accepted == 30
    for server in (one, other):
        with pytest.raises(RateLimited):
            await server.batch(LIMITED, HERE, body(event("more")))
        await close(server)


async def test_without_redis_the_own_limit_holds_and_no_event_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs_limits()
    monkeypatch.setattr(redis_limits, "PAUSE_S", 3600.0)
    collector, counters = sharing(tmp_path, free_port())
    for number in range(10):
        assert (await collector.batch(LIMITED, HERE, body(event(f"e{number}")))).accepted == 1
    with pytest.raises(RateLimited):
        await collector.batch(LIMITED, HERE, body(event("more")))
    assert counters.read()["redis_failures"] == {"": 1}, "after a failure nobody waits for Redis"
    await close(collector)


class Broken:
    """A storage that fails as often as it is told to."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.asked = 0

    async def hit(self, *_arguments: object, **_named: object) -> bool:
        self.asked += 1
        if self.asked <= self.failures:
            raise ConnectionError
        return True

    async def get_window_stats(self, *_arguments: object) -> object:
        return type("Stats", (), {"reset_time": 0.0, "remaining": 7})


async def test_redis_is_asked_again_after_a_pause() -> None:
    needs_limits()
    clock, counters = FakeClock(), Counters()
    limits = RedisLimits("redis://127.0.0.1:1/0", b"secret", clock, counters)
    limits._limiter = broken = Broken(failures=1)
    assert await limits.take("key:a", 1, 10) is None
    assert await limits.take("key:a", 1, 10) is None
    assert broken.asked == 1
    clock.advance(PAUSE_S)
    taken = await limits.take("key:a", 1, 10)
    assert taken is not None
    assert (taken.is_allowed, taken.remaining, broken.asked) == (True, 7, 2)
    assert counters.read()["redis_failures"] == {"": 1}
    await limits.close()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("importlib.import_module", missing)
    with pytest.raises(WrongUsage, match=r"iafa\[redis\]"):
        RedisLimits("redis://127.0.0.1:6379/0", b"secret", FakeClock(), Counters())

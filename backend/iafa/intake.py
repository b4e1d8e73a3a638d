"""What writes, put together: the journal of this process and the collector on top of it."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.durable import Durability
from iafa.ingest.attempts import Attempts
from iafa.ingest.collector import Collector
from iafa.ingest.gate import Gate, nobody_counts
from iafa.ingest.limits import RateLimiter
from iafa.ingest.recent_ids import RecentIds
from iafa.ingest.redis_limits import RedisLimits
from iafa.ingest.rejections import Rejections
from iafa.journal.writer import JournalLimits, JournalWriter
from iafa.lake.bots import is_bot
from iafa.lake.epochs import highest_epoch
from iafa.wiring import House

BOT_ANSWERS_MAX = 2_000  # user agents whose answer is remembered


@dataclass(frozen=True)
class Intake:
    """What writes: the journal of this process and the collector on top of it. `close` it at the end."""

    journal: JournalWriter
    collector: Collector

    async def close(self) -> None:
        await asyncio.to_thread(self._close)
        shared = self.collector.gate.shared
        if shared is not None:
            await shared.close()

    def _close(self) -> None:
        self.collector.rejections.tell()
        self.journal.close()
        self.collector.gate.usage.share()


def open_intake(
    house: House, attempts: Attempts | None = None, note_use: Callable[[str], None] = nobody_counts
) -> Intake:
    """`attempts` is what the diagnosis is told of, `note_use` which keys are used; only a server's worker has them."""
    settings = house.settings
    limits = JournalLimits(
        segment_bytes_max=settings.journal_segment_bytes_max,
        segment_events_max=settings.event_buffer_size,
        segment_age_s=settings.event_flush_interval,
        journal_bytes_max=settings.journal_bytes_max,
        disk_free_min_bytes=settings.disk_free_min_mb * 1024**2,
    )
    journal = JournalWriter(
        house.layout.journal,
        house.clock,
        limits,
        durability=Durability.of(settings.durability),
        counters=house.counters,
        hit=house.hit,
        known_epoch=partial(highest_epoch, house.layout, house.manifests),
    )
    rejections = Rejections(journal, RateLimiter(house.clock), house.counters, house.watchers.is_watched, attempts)
    gate = Gate(
        find_grant=lambda key, now_us: house.projects.grant(key, now_us=now_us),
        limiter=RateLimiter(house.clock, house.shared.limits if house.shared else None),
        usage=house.usage(),
        rejections=rejections,
        counters=house.counters,
        clock=house.clock,
        shared=_shared_limits(house),
        attempts=attempts,
        find_former=lambda key, now_us: house.projects.former(key, now_us=now_us),
        note_use=note_use,
    )
    collector = Collector(
        journal=journal,
        gate=gate,
        salts=house.salts(),
        recent=RecentIds(house.clock, window_s=settings.dedup_window_days * US_PER_DAY / US_PER_S),
        rejections=rejections,
        counters=house.counters,
        clock=house.clock,
        locate=house.locate,
        attempts=attempts,
        is_bot=lru_cache(BOT_ANSWERS_MAX)(is_bot),
    )
    return Intake(journal, collector)


def _shared_limits(house: House) -> RedisLimits | None:
    if not house.settings.use_redis:
        return None
    return RedisLimits(house.settings.redis_url, house.settings.secret().encode(), house.clock, house.counters)

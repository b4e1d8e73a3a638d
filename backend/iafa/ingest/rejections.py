"""Refused events on their way to the quarantine: through the journal, within a bound, and nobody waits for it."""

from collections.abc import Sequence

import msgspec

from iafa.event import Rejected
from iafa.ingest.limits import RateLimiter
from iafa.journal.format import Kind
from iafa.journal.writer import JournalWriter
from iafa.metrics import Counters

KEPT_PER_MINUTE = 600  # a project; a sender gone wild must not fill the journal with what is no event


class Rejections:
    def __init__(self, journal: JournalWriter, limiter: RateLimiter, counters: Counters) -> None:
        self._journal = journal
        self._limiter = limiter
        self._counters = counters

    def keep(self, project_id: str, received_at: int, rejected: Sequence[Rejected]) -> None:
        """Offer them to the journal. What is above the bound is only counted."""
        name = f"rejected:{project_id}"
        kept = [one for one in rejected if self._limiter.take(name, 1, KEPT_PER_MINUTE).is_allowed]
        if len(kept) < len(rejected):
            self._counters.add("journal_offers_dropped", "rate", len(rejected) - len(kept))
        if kept:
            self._journal.offer(project_id, received_at, msgspec.json.encode(kept), len(kept), kind=Kind.REJECTED)

"""What is not stored, on its way to the quarantine and the live view: refused events with their text, and counts of
every reason. Through the journal, within a bound, and nobody waits for it.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import islice

import msgspec

from iafa.event import DROPPED_SEEN_MAX, Dropped, DroppedEvent, Rejected
from iafa.ingest.limits import RateLimiter
from iafa.journal.format import Kind
from iafa.journal.writer import JournalWriter
from iafa.metrics import Counters

KEPT_PER_MINUTE = 600  # a project; a sender gone wild must not fill the journal with what is no event
TOLD_EVERY_S = 0.5
TALLIED_MAX = 10_000  # projects and reasons between two tellings; beyond that they are told at once
Names = Iterable[tuple[str | None, str | None]]  # (event id, event type)


def nobody_watches(_project_id: str) -> bool:
    """For commands and tests without a live view."""
    return False


class Rejections:
    """The one place where an event that is not stored is counted, in the metrics and for its project."""

    def __init__(
        self,
        journal: JournalWriter,
        limiter: RateLimiter,
        counters: Counters,
        is_watched: Callable[[str], bool] = nobody_watches,
    ) -> None:
        self._journal = journal
        self._limiter = limiter
        self._counters = counters
        self._is_watched = is_watched
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, str], Dropped] = {}
        self._received_at = 0
        self._timer: threading.Timer | None = None

    def keep(self, project_id: str, received_at: int, rejected: Sequence[Rejected]) -> None:
        """Count refused events and offer them to the journal. What is above the bound is only counted."""
        name = f"rejected:{project_id}"
        kept = [one for one in rejected if self._limiter.take(name, 1, KEPT_PER_MINUTE).is_allowed]
        if len(kept) < len(rejected):
            self._counters.add("journal_offers_dropped", "rate", len(rejected) - len(kept))
        if kept:
            self._journal.offer(project_id, received_at, msgspec.json.encode(kept), len(kept), kind=Kind.REJECTED)
        whole = {id(one) for one in kept}
        for one in rejected:
            self.drop(project_id, received_at, one.code, kept=id(one) in whole)

    def drop(
        self, project_id: str, received_at: int, reason: str, count: int = 1, *, kept: bool = False, names: Names = ()
    ) -> None:
        """Count events that are not stored. `names` are looked at only while somebody watches the project."""
        self._counters.add("events_dropped", reason, count)
        is_watched = not kept and self._is_watched(project_id)
        with self._lock:
            self._received_at = max(self._received_at, received_at)
            tally = self._tallies.setdefault((project_id, reason), Dropped(code=reason))
            tally.count += count
            tally.kept += count if kept else 0
            if is_watched:
                room = DROPPED_SEEN_MAX - len(tally.seen)
                tally.seen += [DroppedEvent(event_id=id_, event_type=type_) for id_, type_ in islice(names, room)]
            is_full = len(self._tallies) >= TALLIED_MAX
            if self._timer is None:
                # No thread waits while nothing is dropped.
                self._timer = threading.Timer(TOLD_EVERY_S, self.tell)
                self._timer.daemon = True
                self._timer.start()
        if is_full:
            self.tell()

    def tell(self) -> None:
        """Offer what was counted to the journal, one record a project."""
        with self._lock:
            tallies, self._tallies, self._timer = self._tallies, {}, None
            received_at = self._received_at
        by_project: dict[str, list[Dropped]] = {}
        for (project_id, _reason), tally in tallies.items():
            by_project.setdefault(project_id, []).append(tally)
        for project_id, found in by_project.items():
            offer = partial(self._journal.offer, project_id, received_at, msgspec.json.encode(found))
            offer(sum(one.count for one in found), kind=Kind.DROPPED)

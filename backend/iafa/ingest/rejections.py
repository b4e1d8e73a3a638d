"""What is not stored, on its way to the quarantine and the live view: refused events with their text, and counts of
every reason. Through the journal, within a bound, and nobody waits for it.
"""

import re
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from itertools import islice

import msgspec

from iafa.clock import US_PER_DAY
from iafa.event import DROPPED_SEEN_MAX, Dropped, DroppedEvent, Rejected
from iafa.ingest.attempts import Attempts, Sample, cut
from iafa.ingest.limits import RateLimiter
from iafa.journal.format import Kind
from iafa.journal.writer import JournalWriter
from iafa.metrics import Counters

KEPT_PER_MINUTE = 600  # a project; a sender gone wild must not fill the journal with what is no event
TOLD_EVERY_S = 0.5
TALLIED_MAX = 10_000  # projects and reasons between two tellings; beyond that they are told at once
SHOWN_MAX = 10  # events of one request that are kept as examples
_INDEX = re.compile(r"/[0-9]+(?=/|$)")
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
        attempts: Attempts | None = None,
    ) -> None:
        self._journal = journal
        self._limiter = limiter
        self._counters = counters
        self._is_watched = is_watched
        self._attempts = attempts
        self._lock = threading.Lock()
        self._tallies: dict[tuple[str, int, str], Dropped] = {}  # by project, day of receipt and reason
        self._last: dict[tuple[str, int], int] = {}  # the newest receipt of a project and day
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
        if self._attempts is not None:
            for one in rejected[:SHOWN_MAX]:
                self._attempts.show(project_id, _sample(one, received_at))

    def drop(
        self, project_id: str, received_at: int, reason: str, count: int = 1, *, kept: bool = False, names: Names = ()
    ) -> None:
        """Count events that are not stored. `names` are looked at only while somebody watches the project."""
        self._counters.add("events_dropped", reason, count)
        if self._attempts is not None:
            self._attempts.drop(project_id, reason, count, received_at)
        is_watched = not kept and self._is_watched(project_id)
        with self._lock:
            tally = self._tally(project_id, received_at, reason)
            tally.count += count
            tally.kept += count if kept else 0
            if is_watched:
                room = DROPPED_SEEN_MAX - len(tally.seen)
                tally.seen += [DroppedEvent(event_id=id_, event_type=type_) for id_, type_ in islice(names, room)]
            is_full = len(self._tallies) >= TALLIED_MAX
            self._arm()
        if is_full:
            self.tell()

    def _tally(self, project_id: str, received_at: int, reason: str) -> Dropped:
        day = received_at // US_PER_DAY
        self._last[project_id, day] = max(self._last.get((project_id, day), received_at), received_at)
        return self._tallies.setdefault((project_id, day, reason), Dropped(code=reason))

    def _arm(self) -> None:
        """No thread waits while nothing is dropped. Where none can be started, the next drop tries again."""
        if self._timer is not None:
            return
        timer = threading.Timer(TOLD_EVERY_S, self.tell)
        timer.daemon = True
        with suppress(RuntimeError):
            timer.start()
            self._timer = timer

    def tell(self) -> None:
        """Offer what was counted to the journal, one record for a project and day. What is refused is offered again."""
        with self._lock:
            tallies, self._tallies, self._timer = self._tallies, {}, None
            last, self._last = self._last, {}
        by_project: dict[tuple[str, int], list[Dropped]] = {}
        for (project_id, day, _reason), tally in tallies.items():
            by_project.setdefault((project_id, day), []).append(tally)
        for (project_id, day), found in by_project.items():
            received_at = last[project_id, day]
            # Counted as one record: many repeats are one line of the journal, and no reason to seal a segment.
            if not self._journal.try_offer(project_id, received_at, msgspec.json.encode(found), 1, kind=Kind.DROPPED):
                self._put_back(project_id, received_at, found)

    def _put_back(self, project_id: str, received_at: int, refused: list[Dropped]) -> None:
        with self._lock:
            # Half of the room: the other half is for what is counted meanwhile, so that not each drop tells at once.
            if self._journal.is_closing or len(self._tallies) >= TALLIED_MAX // 2:
                self._counters.add("journal_offers_dropped", Kind.DROPPED)
                return
            for one in refused:
                tally = self._tally(project_id, received_at, one.code)
                tally.count += one.count
                tally.kept += one.kept
            self._arm()


def _sample(one: Rejected, received_at: int) -> Sample:
    """Alike are events that are wrong in the same place, whatever their number in the batch."""
    return Sample(
        what=one.code,
        code=one.code,
        route=one.source,
        pointer=cut(_INDEX.sub("/*", one.pointer)),
        message=cut(one.message),
        event_type=cut(one.event_type),
        count=1,
        first_us=received_at,
        last_us=received_at,
    )

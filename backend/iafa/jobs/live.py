"""The live view: what the journals of all workers take in, told to those who watch a project at this worker.

One thread reads, and only while somebody watches. It reads what was acknowledged, so that nothing waits for it; each
watcher has a bounded queue that loses its oldest.
"""

import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, NamedTuple

import msgspec

from iafa.clock import to_iso
from iafa.event import DropReason, Event
from iafa.journal.follow import Followed, Follower
from iafa.journal.format import FORMAT_VERSION, Kind, Record
from iafa.journal.watchers import Watchers
from iafa.lake.agents import device_of
from iafa.lake.enrichment import BARE
from iafa.lake.poison import sound_rows

log = logging.getLogger("iafa.live")
Result = Literal["stored", "bot", "duplicate", "rejected", "sampled_out", "limited"]
LOOK_EVERY_S = 0.25
QUEUE_MAX = 500
SHOWN_MAX = 200  # of one project and look: nobody reads faster
WATCHERS_MAX = 100  # of one worker
PROJECT_WATCHERS_MAX = 20
TENANT_WATCHERS_MAX = 40  # of all projects of one organization: no number of projects takes all places
IDS_REMEMBERED = 20_000
NOT_REFUSED: dict[str, Result] = {
    DropReason.DUPLICATE: "duplicate",
    DropReason.SAMPLED_OUT: "sampled_out",
    DropReason.RATE_LIMITED: "limited",
    DropReason.QUOTA_EXCEEDED: "limited",
}


class LiveItem(msgspec.Struct, omit_defaults=True, kw_only=True, frozen=True):
    """One event, or with `count` several of which no more is known. `worker` is the number of its journal."""

    result: Result
    reason: str | None = None
    received_at: str
    worker: int
    event_id: str | None = None
    event_type: str | None = None
    person: str | None = None
    page: str | None = None
    device: str | None = None
    country: str | None = None
    event: dict[str, Any] | None = None
    pointer: str | None = None
    message: str | None = None
    body: str | None = None
    count: int = 1


class Choice(NamedTuple):
    """What a watcher wants to see; None: everything."""

    event_type: str | None = None
    result: str | None = None
    person: str | None = None

    def matches(self, item: LiveItem) -> bool:
        if self.event_type is not None and item.event_type != self.event_type:
            return False
        if self.result is not None and item.result != self.result:
            return False
        return self.person is None or self._is_of(item, self.person)

    def _is_of(self, item: LiveItem, person: str) -> bool:
        if item.event is not None:
            return person in (item.event.get("user_id"), item.event.get("anonymous_id"))
        # Nobody could tell whose a refused event is: its text says whether it names the person.
        return item.body is not None and msgspec.json.encode(person).decode() in item.body


EVERYTHING = Choice()
_device = lru_cache(IDS_REMEMBERED // 10)(device_of)


class Taken(NamedTuple):
    """What waited for a watcher, as JSON; `skipped` events came too fast for it, `has_gap`: for the reader."""

    items: list[bytes]
    skipped: int
    has_gap: bool


@dataclass
class Watcher:
    """Filled by the reading thread, emptied by whoever watches. `wake` is called from that thread."""

    project_id: str
    wake: Callable[[], None]
    tenant: str = ""
    wanted: Choice = EVERYTHING
    _queue: deque[bytes] = field(default_factory=deque)
    _skipped: int = 0
    _has_gap: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, items: list[tuple[LiveItem, bytes]], skipped: int, has_gap: bool) -> None:
        wanted = self.wanted
        chosen = [text for item, text in items if wanted.matches(item)]
        if not (chosen or skipped or has_gap):
            return
        with self._lock:
            self._queue.extend(chosen)
            self._skipped += skipped
            self._has_gap |= has_gap
            while len(self._queue) > QUEUE_MAX:
                self._queue.popleft()
                self._skipped += 1
        self.wake()

    def take(self, most: int) -> Taken:
        with self._lock:
            items = [self._queue.popleft() for _ in range(min(most, len(self._queue)))]
            taken = Taken(items, self._skipped, self._has_gap)
            self._skipped, self._has_gap = 0, False
        return taken

    def __len__(self) -> int:
        return len(self._queue)


class LiveFeed:
    """Of one worker."""

    def __init__(self, journals: Path, watchers: Watchers) -> None:
        self._journals = journals
        self._flags = watchers
        self._entering = threading.Lock()  # taken before the other one
        self._lock = threading.Lock()
        self._watchers: list[Watcher] = []
        self._thread: threading.Thread | None = None
        self._changed = threading.Event()
        self._seen: OrderedDict[tuple[str, str], None] = OrderedDict()

    def watch(self, project_id: str, wake: Callable[[], None], tenant: str = "") -> Watcher | None:
        """A watcher of what comes from now on; None when there are too many. `tenant` is whose the project is."""
        watcher = Watcher(project_id, wake, tenant)
        with self._entering:
            with self._lock:
                if not self._has_room(watcher):
                    return None
                self._watchers.append(watcher)  # from here on the thread does not end
                is_read = self._thread is not None
                watchers = list(self._watchers)
            # Journals are opened and files written without the lock: who leaves must not wait for a disk.
            try:
                if not is_read:
                    self._start()
            except BaseException as error:
                self.leave(watcher)
                if isinstance(error, RuntimeError):
                    log.warning("no thread can be started for the live view: %s", error)
                    return None
                raise
            self._tell(watchers)
        return watcher

    def _has_room(self, watcher: Watcher) -> bool:
        of_project = sum(one.project_id == watcher.project_id for one in self._watchers)
        of_tenant = sum(one.tenant == watcher.tenant for one in self._watchers)
        return (
            len(self._watchers) < WATCHERS_MAX
            and of_project < PROJECT_WATCHERS_MAX
            and (not watcher.tenant or of_tenant < TENANT_WATCHERS_MAX)
        )

    def _start(self) -> None:
        follower = Follower(self._journals)  # before the answer: nothing that comes after it is missed
        thread = threading.Thread(target=self._run, args=[follower], name="live", daemon=True)
        try:
            with self._lock:
                thread.start()
                self._thread = thread
        except RuntimeError:
            follower.close()
            raise

    def leave(self, watcher: Watcher) -> None:
        with self._lock:
            self._watchers.remove(watcher)
        self._changed.set()

    def _tell(self, watchers: list[Watcher]) -> None:
        try:
            self._flags.tell({one.project_id for one in watchers})
        except OSError as error:
            log.warning("nobody is told that a project is watched: %s", error.strerror)

    def _run(self, follower: Follower) -> None:
        try:
            while True:
                self._changed.wait(LOOK_EVERY_S)
                self._changed.clear()
                with self._lock:
                    watchers = list(self._watchers)
                    if not watchers:
                        self._tell([])
                        self._thread = None
                        return
                self._tell(watchers)  # without the lock: who leaves must not wait for a disk
                try:
                    self._look(follower, watchers)
                except Exception:
                    log.exception("the live view missed something")
        finally:
            follower.close()

    def _look(self, follower: Follower, watchers: list[Watcher]) -> None:
        look = follower.look({one.project_id for one in watchers})
        by_project: dict[str, list[Followed]] = {one.project_id: [] for one in watchers}
        for found in look.records:
            by_project[found.record.p].append(found)
        for project_id, records in by_project.items():
            shown, skipped = self._shown(project_id, records)
            encoded = [(item, msgspec.json.encode(item)) for item in shown]
            for watcher in watchers:
                if watcher.project_id == project_id:
                    watcher.put(encoded, skipped, look.has_gap)

    def _shown(self, project_id: str, records: list[Followed]) -> tuple[list[LiveItem], int]:
        """The newest, oldest first, and how many events are left out."""
        chosen: list[tuple[Followed, list[Event], list[LiveItem]]] = []
        room, skipped = SHOWN_MAX, 0
        for found in reversed(records):
            others = [*_refused(found), *_dropped(found)]
            texts = found.record.e[-room:] if room else []
            room -= len(texts)
            told = others[-room:] if room else []
            room -= len(told)
            skipped += len(found.record.e) - len(texts) + len(others) - len(told)
            if texts or told:
                chosen.append((found, [msgspec.json.decode(text, type=Event) for text in texts], told))
        chosen.reverse()
        judged = _judged(project_id, [(found, events) for found, events, _others in chosen])
        shown: list[LiveItem] = []
        for found, events, others in chosen:
            shown += [self._stored(found, event, judged[id(event)]) for event in events]
            shown += others
        return shown, skipped

    def _stored(self, found: Followed, event: Event, judged: "_Judged") -> LiveItem:
        """What was journaled, as the flush will judge it."""
        result, reason = judged.result, DropReason.POISON.value if judged.message else None
        if reason is None and self._is_repeat(found.record.p, event.id):
            result, reason = "duplicate", DropReason.DUPLICATE.value
        return LiveItem(
            result=result,
            reason=reason,
            received_at=to_iso(found.record.r),
            worker=found.epoch,
            event_id=event.id,
            event_type=event.event_type,
            person=event.user_id or event.anonymous_id,
            page=event.url,
            device=None if event.user_agent is None else _device(event.user_agent),
            country=None if event.location is None else event.location.country,
            event=None if judged.message else _plain(event),
            message=judged.message,
        )

    def _is_repeat(self, project_id: str, event_id: str) -> bool:
        """Whether the event was shown before: another worker took it, and the flush will leave this one out."""
        key = (project_id, event_id)
        if key in self._seen:
            return True
        self._seen[key] = None
        if len(self._seen) > IDS_REMEMBERED:
            self._seen.popitem(last=False)
        return False


class _Judged(NamedTuple):
    """`message` is there when the event has no row."""

    result: Result
    message: str | None = None


def _judged(project_id: str, found: list[tuple[Followed, list[Event]]]) -> dict[int, _Judged]:
    """By the event's identity. One conversion for all: a table costs more than its rows."""
    records = [
        Record(FORMAT_VERSION, one.record.q, Kind.EVENTS, project_id, one.record.r, "", e=events)
        for one, events in found
    ]
    if not records:
        return {}
    table, poisoned = sound_rows(records, BARE)  # only the mark of a bot is shown: no user agent is read
    judged = {id(one.event): _Judged("rejected", one.message) for one in poisoned}
    marks = iter(table.column("is_bot").to_pylist())
    for record in records:
        for event in record.e:
            if id(event) not in judged:
                judged[id(event)] = _Judged("bot" if next(marks) else "stored")
    return judged


def _refused(found: Followed) -> Iterator[LiveItem]:
    for one in found.record.x:
        yield LiveItem(
            result="rejected",
            reason=one.code,
            received_at=to_iso(found.record.r),
            worker=found.epoch,
            event_id=one.event_id,
            event_type=one.event_type,
            pointer=one.pointer,
            message=one.message,
            body=one.body,
        )


def _dropped(found: Followed) -> Iterator[LiveItem]:
    for tally in found.record.d:
        base = LiveItem(
            result=NOT_REFUSED.get(tally.code, "rejected"),
            reason=tally.code,
            received_at=to_iso(found.record.r),
            worker=found.epoch,
        )
        for one in tally.seen:
            yield msgspec.structs.replace(base, event_id=one.event_id, event_type=one.event_type)
        rest = tally.count - tally.kept - len(tally.seen)
        if rest > 0:
            yield msgspec.structs.replace(base, count=rest)


def _plain(event: Event) -> dict[str, Any]:
    """As a person reads it. The keyed hash of an address tells nobody anything."""
    found = {name: getattr(event, name) for name in event.__struct_fields__ if name not in ("ip_address", "campaign")}
    found["created_at"] = to_iso(event.created_at)
    if event.campaign is not None:
        found |= {f"utm_{name}": value for name, value in msgspec.structs.asdict(event.campaign).items()}
    return {name: value for name, value in found.items() if value is not None}

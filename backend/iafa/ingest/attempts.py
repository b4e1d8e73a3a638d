"""What came in lately, a project: counts by minute and hour, when each last happened, samples of what was refused.

Each worker counts its own and writes one small file a project; any worker reads those of all. Everything is bounded,
times are of the wall clock, and neither a whole key nor an address is ever kept.
"""

import logging
import re
import threading
from collections import Counter, OrderedDict
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.durable import PRIVATE_DIR, remove_empty_dir, replace_derived, unlink
from iafa.event import DropReason

log = logging.getLogger("iafa.attempts")
MINUTES_KEPT = 60
HOURS_KEPT = 24
SAMPLES_MAX = 40  # of one project
STRAYS_MAX = 400  # of requests that belong to no project
PROJECTS_MAX = 1_000  # in the memory of one worker
KEPT_US = (HOURS_KEPT + 1) * 3_600 * US_PER_S
TEXT_CHARS_MAX = 200
US_PER_MINUTE, US_PER_HOUR = 60 * US_PER_S, 3_600 * US_PER_S
ALL, STRAYS = "all", "strays"  # beside projects, whose ids are longer: all of them together, and no project
SUFFIX = ".json"
CHECK_AGENT = "iafa-tracker-check"  # what `iafa tracker` and `iafa doctor` try is no finding

# What is counted beside the reasons of `DropReason` and `request_` with the code of a problem.
ACCEPTED, BOT, FETCHED, REMOVED = "accepted", "bot", "tracker_fetched", "properties_removed"
BLOCKED_ORIGIN, SECRET_KEY = "blocked_origin", "secret_key_in_page"
REVOKED_KEY, EXPIRED_KEY, UNKNOWN_KEY, NO_KEY = "revoked_key", "expired_key", "unknown_key", "missing_key"
REQUEST = "request_"
# These are counted as events, by their own reasons.
_COUNTED_AS_EVENTS = frozenset(
    {DropReason.VALIDATION, DropReason.EVENT_TOO_LARGE, DropReason.RATE_LIMITED, DropReason.QUOTA_EXCEEDED}
)
_KEY_IN_PATH = re.compile(r"^/(e|k)/[^/]+?(?=/|\.gif$|$)|^(/v1/projects|/array)/[^/]+")
_KEY = re.compile(r"iafa_([ws])_[A-Za-z0-9_-]{20,}")


class Sample(msgspec.Struct, omit_defaults=True, kw_only=True):
    """Refusals that are alike. Of a key only its kind and its last four characters."""

    what: str
    origin: str | None = None
    route: str | None = None
    key_kind: str | None = None
    key_last4: str | None = None
    code: str | None = None
    pointer: str | None = None
    message: str | None = None
    event_type: str | None = None
    count: int = 0
    first_us: int = 0
    last_us: int = 0

    @property
    def likeness(self) -> tuple[str | None, ...]:
        return (self.what, self.origin, self.route, self.key_kind, self.key_last4, self.code, self.pointer)


class Tally(msgspec.Struct, kw_only=True):
    """Of one project at one worker, or at all of them. Nothing is missing of what came since `since_us`."""

    since_us: int
    minutes: dict[int, dict[str, int]] = {}
    hours: dict[int, dict[str, int]] = {}
    last_us: dict[str, int] = {}
    samples: list[Sample] = []

    def between(self, from_us: int) -> Counter[str]:
        """What was counted from then on, within the hour, by whole minutes."""
        now_minutes = {minute: counts for minute, counts in self.minutes.items() if minute * US_PER_MINUTE >= from_us}
        return _sum(now_minutes.values())

    def day(self, now_us: int) -> Counter[str]:
        """The last 24 hours, from the beginning of the first one."""
        first = now_us // US_PER_HOUR - HOURS_KEPT
        return _sum(counts for hour, counts in self.hours.items() if hour > first)


_decoder = msgspec.json.Decoder(Tally)


class Attempts:
    """Of one worker. `add` and `refuse` are called for every request and must stay cheap."""

    def __init__(self, clock: Clock, folder: Path | None = None, worker: str = "worker-0") -> None:
        self._clock = clock
        self._folder = folder
        self._worker = worker
        self._tallies: OrderedDict[str, _Open] = OrderedDict()
        self._changed: set[str] = set()
        self._lock = threading.Lock()
        self._writing = threading.RLock()  # taken before the other one
        self._is_failing = False

    def begin(self) -> "Attempts":
        """From now on nothing is missed."""
        with self._lock:
            self._add(ALL, (), self._clock.now_us())
        return self

    def add(self, project_id: str, counts: Iterable[tuple[str, int]], at_us: int) -> None:
        """Count what happened to events of a project."""
        with self._lock:
            self._add(project_id, counts, at_us)

    def accept(self, project_id: str, count: int, at_us: int, *, is_bot: bool) -> None:
        counts = [(ACCEPTED, count), (BOT, count)] if is_bot else [(ACCEPTED, count)]
        with self._lock:
            self._add(project_id, counts, at_us)
            self._add(ALL, counts, at_us)

    def drop(self, project_id: str, reason: str, count: int, at_us: int) -> None:
        with self._lock:
            self._add(project_id, ((reason, count),), at_us)
            self._add(ALL, ((reason, count),), at_us)

    def show(self, project_id: str, sample: Sample) -> None:
        """Keep an example of what was counted already."""
        with self._lock:
            self._open(project_id, sample.last_us).show(sample)
            self._changed.add(project_id)

    def refuse(self, project_id: str | None, sample: Sample, *, path: str = "") -> None:
        """A request of which nothing is stored; None: it belongs to no project that is known."""
        sample = msgspec.structs.replace(
            sample,
            origin=cut(sample.origin),
            route=cut(route_of(path)) if path else sample.route,
            first_us=sample.last_us,
            count=1,
        )
        with self._lock:
            name = STRAYS if project_id is None else project_id
            self._add(name, ((sample.what, 1),), sample.last_us)
            self._add(ALL, ((sample.what, 1),), sample.last_us)
            self._open(name, sample.last_us).show(sample)

    def refuse_request(self, project_id: str | None, code: str, message: str, origin: str | None, path: str) -> None:
        """A request that a valid key sent and that was refused for what it is, or because nothing can be stored."""
        if project_id is None or code in _COUNTED_AS_EVENTS:
            return
        now_us = self._clock.now_us()
        sample = Sample(what=REQUEST + code, origin=origin, code=code, message=cut(message), last_us=now_us)
        self.refuse(project_id, sample, path=path)

    def fetched(self, project_id: str | None, key: str, origin: str | None) -> None:
        """The tracker's file was asked for with this key."""
        now_us = self._clock.now_us()
        if project_id is not None:
            self.add(project_id, ((FETCHED, 1),), now_us)
            self.show(project_id, Sample(what=FETCHED, origin=cut(origin), count=1, first_us=now_us, last_us=now_us))
            return
        kind, last4 = key_parts(key)
        sample = Sample(what=UNKNOWN_KEY, origin=origin, key_kind=kind, key_last4=last4, last_us=now_us)
        self.refuse(None, sample, path="/t.js")

    def publish(self) -> None:
        """Write what has changed since, for the other workers. Never a reason for anything else to fail. The lock is
        held for one project at a time: requests wait for it."""
        with self._writing:
            with self._lock:
                changed = list(self._changed)
            for name in changed:
                with self._lock:
                    self._changed.discard(name)
                    tally = self._tallies.get(name)
                    text = None if tally is None else tally.encoded()
                if text is not None:
                    self._write(name, text)

    def tally(self, project_id: str) -> Tally:
        """What all workers know of a project: of this one as of now, of the others at most about a second old."""
        self.publish()
        if self._folder is None:
            with self._lock:
                own = self._open(project_id, self._clock.now_us()).tally()
            return merged([own], self._clock.now_us())
        return merged(read_tallies(self._folder, project_id), self._clock.now_us())

    def forget(self, project_id: str) -> None:
        """A deleted project leaves nothing here."""
        with self._lock:
            self._tallies.pop(project_id, None)
            self._changed.discard(project_id)

    def _add(self, name: str, counts: Iterable[tuple[str, int]], at_us: int) -> None:
        tally = self._open(name, at_us)
        tally.add(counts, at_us)
        self._changed.add(name)

    def _open(self, name: str, at_us: int) -> "_Open":
        found = self._tallies.get(name)
        if found is not None:
            self._tallies.move_to_end(name)
            return found
        before = None if self._folder is None else _read(self._folder / name / f"{self._worker}{SUFFIX}")
        found = self._tallies[name] = _Open(before, at_us, STRAYS_MAX if name == STRAYS else SAMPLES_MAX)
        if len(self._tallies) > PROJECTS_MAX:
            oldest, tally = self._tallies.popitem(last=False)
            if oldest in self._changed:
                self._changed.discard(oldest)
                self._write(oldest, tally.encoded())
        return found

    def _write(self, name: str, text: bytes) -> None:
        if self._folder is None:
            return
        try:
            # Nothing here has to survive a power failure: no directory is synced.
            (self._folder / name).mkdir(PRIVATE_DIR, parents=True, exist_ok=True)
            replace_derived(self._folder / name / f"{self._worker}{SUFFIX}", text)
        except OSError as error:
            if not self._is_failing:
                log.warning("worker=%s cannot publish what came in: %s", self._worker, error.strerror)
            self._is_failing = True
        else:
            self._is_failing = False


class _Open:
    """A tally that is being counted."""

    def __init__(self, before: Tally | None, at_us: int, samples_max: int) -> None:
        before = before or Tally(since_us=at_us)
        self._since_us = before.since_us
        self._minutes, self._hours, self._last_us = before.minutes, before.hours, before.last_us
        self._samples = OrderedDict((one.likeness, one) for one in before.samples)
        self._samples_max = samples_max

    def add(self, counts: Iterable[tuple[str, int]], at_us: int) -> None:
        minute = _bucket(self._minutes, at_us // US_PER_MINUTE, MINUTES_KEPT)
        hour = _bucket(self._hours, at_us // US_PER_HOUR, HOURS_KEPT)
        for what, count in counts:
            minute[what] = minute.get(what, 0) + count
            hour[what] = hour.get(what, 0) + count
            self._last_us[what] = max(at_us, self._last_us.get(what, 0))

    def show(self, sample: Sample) -> None:
        known = self._samples.pop(sample.likeness, None)
        if known is not None:
            sample.count += known.count
            sample.first_us = min(sample.first_us, known.first_us)
        self._samples[sample.likeness] = sample
        if len(self._samples) > self._samples_max:
            self._samples.popitem(last=False)

    def tally(self) -> Tally:
        return Tally(
            since_us=self._since_us,
            minutes=self._minutes,
            hours=self._hours,
            last_us=self._last_us,
            samples=list(self._samples.values()),
        )

    def encoded(self) -> bytes:
        return msgspec.json.encode(self.tally())


def read_tallies(folder: Path, project_id: str) -> list[Tally]:
    """What every worker has written of a project."""
    found = (_read(path) for path in sorted((folder / project_id).glob(f"*{SUFFIX}")))
    return [tally for tally in found if tally is not None]


def merged(tallies: Sequence[Tally], now_us: int) -> Tally:
    """Of all workers together, without what is too old."""
    total = Tally(since_us=min((one.since_us for one in tallies), default=now_us))
    first_minute, first_hour = now_us // US_PER_MINUTE - MINUTES_KEPT, now_us // US_PER_HOUR - HOURS_KEPT
    samples: dict[tuple[str | None, ...], Sample] = {}
    for one in tallies:
        _merge(total.minutes, one.minutes, first_minute)
        _merge(total.hours, one.hours, first_hour)
        for what, at_us in one.last_us.items():
            total.last_us[what] = max(at_us, total.last_us.get(what, 0))
        for sample in one.samples:
            if sample.last_us >= now_us - KEPT_US:
                known = samples.setdefault(sample.likeness, msgspec.structs.replace(sample, count=0))
                known.count += sample.count
                known.first_us, known.last_us = min(known.first_us, sample.first_us), max(known.last_us, sample.last_us)
    total.samples = sorted(samples.values(), key=lambda sample: -sample.last_us)
    return total


def sweep(folder: Path, now_us: int) -> None:
    """At the start of a server: remove what earlier ones left that is too old to be asked for."""
    for path in folder.glob(f"*/*{SUFFIX}"):
        with suppress(OSError):
            if path.stat().st_mtime * US_PER_S < now_us - KEPT_US:
                unlink(path)
    for directory in folder.glob("*"):
        remove_empty_dir(directory)


def key_parts(key: str | None) -> tuple[str | None, str | None]:
    """The kind and the last four characters of what looks like a key; nothing of any other text."""
    found = _KEY.fullmatch(key or "")
    if found is None or key is None:
        return None, None
    return ("write" if found.group(1) == "w" else "secret"), key[-4:]


def route_of(path: str) -> str:
    """A path without the key that may stand in it."""
    return _KEY_IN_PATH.sub(lambda found: f"/{found.group(1)}/KEY" if found.group(1) else f"{found.group(2)}/KEY", path)


def cut(text: str | None) -> str | None:
    return None if text is None else text[:TEXT_CHARS_MAX]


def _bucket(buckets: dict[int, dict[str, int]], number: int, kept: int) -> dict[str, int]:
    found = buckets.get(number)
    if found is None:
        found = buckets[number] = {}
        for old in [one for one in buckets if one <= number - kept]:
            del buckets[old]
        while len(buckets) > 2 * kept:  # after a clock that went back
            del buckets[max(buckets)]
    return found


def _merge(total: dict[int, dict[str, int]], more: dict[int, dict[str, int]], after: int) -> None:
    for number, counts in more.items():
        if number > after:
            into = total.setdefault(number, {})
            for what, count in counts.items():
                into[what] = into.get(what, 0) + count


def _sum(buckets: Iterable[dict[str, int]]) -> Counter[str]:
    total: Counter[str] = Counter()
    for counts in buckets:
        total.update(counts)
    return total


def _read(path: Path) -> Tally | None:
    try:
        return _decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None

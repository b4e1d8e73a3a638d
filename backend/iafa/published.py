"""What each process of a server counts, in a small file of its own that any other may read. Fresh at every start.

A process that is started again goes on from the file of the one before it, so that counts never go back.
"""

import logging
import os
import threading
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.durable import make_dirs, remove_tree, replace_derived, unlink
from iafa.metrics import Counters, Counts

log = logging.getLogger("iafa.metrics")
EVERY_S = 1.0
SUFFIX = ".json"


class Published(msgspec.Struct, frozen=True):
    """`at_s` is of the monotonic clock, which all processes of a machine share."""

    pid: int
    at_s: float
    counts: Counts = {}
    gauges: dict[str, float] = {}


STARTED = "process_start_time_seconds"
_decoder = msgspec.json.Decoder(Published)


class Publisher:
    """Writes one process's counters and gauges about once a second. Never a reason for anything else to fail."""

    def __init__(
        self,
        folder: Path,
        process: str,
        counters: Counters,
        clock: Clock,
        gauges: Callable[[], dict[str, float]],
        beside: Sequence[Callable[[], None]] = (),
        *,
        is_whole_process: bool = True,
    ) -> None:
        """Where several publish out of one process, one `is_whole_process` and tells of its memory and time."""
        self.process = process
        self._path = folder / f"{process}{SUFFIX}"
        self._counters = counters
        self._clock = clock
        self._gauges = gauges
        self._beside = beside  # what else is published then
        self._started_s = clock.now_us() / US_PER_S
        self._is_whole_process = is_whole_process
        self._is_failing = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="published", daemon=True)
        before = _read(self._path)
        if before is not None:
            counters.add_all(before.counts)

    def now(self) -> Published:
        gauges = self._gauges()
        if self._is_whole_process:
            gauges = process_gauges() | {STARTED: self._started_s} | gauges
        return Published(os.getpid(), self._clock.monotonic_s(), self._counters.read(), gauges)

    def publish(self) -> None:
        try:
            make_dirs(self._path.parent)
            replace_derived(self._path, msgspec.json.encode(self.now()))
        except OSError as error:
            if not self._is_failing:
                log.warning("process=%s cannot publish its metrics: %s", self.process, error.strerror)
            self._is_failing = True
        else:
            self._is_failing = False
        for publish in self._beside:
            publish()

    def start(self) -> "Publisher":
        """The first file is there when this returns: the process is up."""
        self.publish()
        self._thread.start()
        return self

    def close(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        self.publish()

    def _run(self) -> None:
        while not self._stop.wait(EVERY_S):
            self.publish()


def process_gauges() -> dict[str, float]:
    """What the kernel says about this process; what a system does not tell is left out."""
    times = os.times()
    gauges = {"process_cpu_seconds": times.user + times.system}
    try:
        gauges["process_resident_bytes"] = int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf(
            "SC_PAGESIZE"
        )
        gauges["process_open_descriptors"] = len(os.listdir("/proc/self/fd"))
    except OSError:
        pass
    return gauges


def read_all(folder: Path) -> dict[str, Published]:
    """What every process has published, by its name."""
    if not folder.is_dir():
        return {}
    found = {path.stem: _read(path) for path in sorted(folder.glob(f"*{SUFFIX}"))}
    return {name: published for name, published in found.items() if published is not None}


def clear(folder: Path, kept: Collection[Path] = ()) -> None:
    """Forget the processes of an earlier server, its tickets and what was watched: their times are of another boot."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path in kept:
                continue
            if path.is_dir() and not path.is_symlink():
                remove_tree(path)
            else:
                unlink(path)


def _read(path: Path) -> Published | None:
    try:
        return _decoder.decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return None

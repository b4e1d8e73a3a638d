"""Can the wall clock be trusted? A small durable record of when it was seen, so that a wrong one deletes nothing.

Two readings agree when the wall clock went on as the time since the machine's start did, or, across a restart of the
machine, by no more than 48 hours. Readings that agree are one series. The clock is trusted when its series began
within 48 hours of the newest event that the lake has, or 24 hours ago; a step begins a new series.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

import msgspec

from iafa.clock import US_PER_S, Clock, to_iso
from iafa.durable import write_private

log = logging.getLogger("iafa.clock")
STEP_MAX_US = 300 * US_PER_S  # what a time service may correct in one go
GAP_MAX_US = 48 * 3600 * US_PER_S
WATCHED_US = 24 * 3600 * US_PER_S


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """Readings that agree with each other: the first, the last, and whether they are believed."""

    format: int = 1
    first_us: int
    last_us: int
    last_boot_us: int
    is_trusted: bool


@dataclass(frozen=True)
class Reading:
    """Both clocks at one instant."""

    wall_us: int
    boot_us: int

    @classmethod
    def of(cls, clock: Clock) -> "Reading":
        return cls(clock.now_us(), int(clock.since_boot_s() * US_PER_S))

    def is_in_step_with(self, earlier: "Reading") -> bool:
        """Whether the wall clock went on as fast as the machine did."""
        return abs((self.wall_us - earlier.wall_us) - (self.boot_us - earlier.boot_us)) <= STEP_MAX_US

    def agrees_with(self, earlier: "Reading") -> bool:
        return self.is_in_step_with(earlier) or 0 <= self.wall_us - earlier.wall_us <= GAP_MAX_US


@dataclass(frozen=True)
class ClockWatch:
    """Look at the clock regularly: the more often, the less can happen unseen between two looks."""

    path: Path
    clock: Clock

    def look(self, newest_us: int | None, *, keeps: bool = True) -> str | None:
        """Why the clock cannot be trusted; None if it can. `newest_us` is the newest time that the lake holds."""
        now = Reading.of(self.clock)
        series = self._series(now, newest_us)
        if keeps:
            write_private(self.path, msgspec.json.encode(series))
        if series.is_trusted:
            return None
        return (
            f"the clock says {to_iso(now.wall_us)}, which does not follow from what was seen before; if it is right, "
            f"it will be believed once it has run evenly until {to_iso(series.first_us + WATCHED_US)}"
        )

    def _series(self, now: Reading, newest_us: int | None) -> Series:
        known = self._known()
        if known is not None and now.agrees_with(Reading(known.last_us, known.last_boot_us)):
            first_us, is_trusted = known.first_us, known.is_trusted
        else:
            # Only a clock that was never looked at is judged by the lake: a stepped one may have filled it meanwhile.
            is_near = newest_us is None or 0 <= now.wall_us - newest_us <= GAP_MAX_US
            first_us, is_trusted = now.wall_us, is_near and not self.path.exists()
            if not is_trusted:
                log.warning("the clock does not follow from what was seen before: now=%s", to_iso(now.wall_us))
        return Series(
            first_us=first_us,
            last_us=now.wall_us,
            last_boot_us=now.boot_us,
            is_trusted=is_trusted or now.wall_us - first_us >= WATCHED_US,
        )

    def _known(self) -> Series | None:
        if not self.path.exists():
            return None
        try:
            return msgspec.json.decode(self.path.read_bytes(), type=Series)
        except msgspec.DecodeError:
            log.warning("%s is damaged; the clock is watched anew", self.path)
            return None

"""Time: the only place that reads the wall clock and the monotonic clock."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

US_PER_S = 1_000_000
US_PER_DAY = 86_400 * US_PER_S


class Clock(Protocol):
    """Two implementations: the system's, and a fake one that tests turn by hand."""

    def now_us(self) -> int:
        """Wall time, UTC microseconds since 1970."""

    def monotonic_s(self) -> float:
        """Seconds that never step back; for ages, rates and timeouts."""

    def since_boot_s(self) -> float:
        """Seconds since the machine started, sleep included; equal in all processes. Shows steps of the wall clock."""


@dataclass(frozen=True)
class SystemClock:
    def now_us(self) -> int:
        return time.time_ns() // 1000

    def monotonic_s(self) -> float:
        return time.monotonic()

    def since_boot_s(self) -> float:
        return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class FakeClock:
    """A clock that stands until it is told to move."""

    def __init__(self, now_us: int = 1_700_000_000 * US_PER_S) -> None:
        self._now_us = now_us
        self._monotonic_s = 0.0

    def now_us(self) -> int:
        return self._now_us

    def monotonic_s(self) -> float:
        return self._monotonic_s

    def since_boot_s(self) -> float:
        return self._monotonic_s

    def advance(self, seconds: float) -> None:
        self._now_us += int(seconds * US_PER_S)
        self._monotonic_s += seconds

    def set_wall(self, now_us: int) -> None:
        self._now_us = now_us


def to_datetime(time_us: int) -> datetime:
    """UTC datetime of microseconds since 1970, without going through a float."""
    return datetime.fromtimestamp(time_us // US_PER_S, UTC).replace(microsecond=time_us % US_PER_S)


def to_iso(time_us: int) -> str:
    """`2026-11-21T14:02:07.123456Z`."""
    return to_datetime(time_us).isoformat(timespec="microseconds").replace("+00:00", "Z")


def iso_or_none(time_us: int | None) -> str | None:
    return None if time_us is None else to_iso(time_us)


def from_datetime(value: datetime) -> int:
    """Microseconds since 1970 of an aware datetime, exact."""
    delta = value - datetime(1970, 1, 1, tzinfo=UTC)
    return (delta.days * 86_400 + delta.seconds) * US_PER_S + delta.microseconds

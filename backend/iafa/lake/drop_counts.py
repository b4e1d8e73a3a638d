"""Counts of events that were not stored, by project, UTC day of receipt and reason: one small sealed file a day.

Written by the holder of the writer lock only, once for each journal segment.
"""

import logging
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date
from pathlib import Path
from typing import NamedTuple

import msgspec

from iafa.clock import to_datetime
from iafa.durable import write_private
from iafa.event import TIME_MAX_US, Dropped
from iafa.lake.dropped import is_dropped
from iafa.lake.layout import Layout, drop_counts_path
from iafa.seal import is_sealed, sealed

log = logging.getLogger("iafa.quarantine")
FORMAT_VERSION = 1
EPOCHS_MAX = 1_000  # process starts whose segments a day remembers


class DayCounts(msgspec.Struct):
    """`segments`: by journal, the last segment that is counted in."""

    format: int = FORMAT_VERSION
    segments: dict[str, int] = {}
    dropped: dict[str, int] = {}


class Tally(NamedTuple):
    """What one journal record says of a project."""

    project_id: str
    received_at: int
    dropped: Dropped


@dataclass(frozen=True)
class DropCounts:
    layout: Layout

    def add(self, epoch: int, segment: int, tallies: Iterable[Tally]) -> None:
        """Count what one segment holds. Segments of a journal come in order; one that is counted changes nothing."""
        by_day: dict[tuple[str, date], Counter[str]] = defaultdict(Counter)
        for one in tallies:
            day = to_datetime(min(max(one.received_at, 0), TIME_MAX_US)).astimezone(UTC).date()
            by_day[one.project_id, day][one.dropped.code] += one.dropped.count
        for (project_id, day), counts in by_day.items():
            if not is_dropped(self.layout, project_id):
                self._add_day(project_id, day, (str(epoch), segment), counts)

    def _add_day(self, project_id: str, day: date, segment: tuple[str, int], counts: Counter[str]) -> None:
        known = self.of_day(project_id, day)
        epoch, number = segment
        if known.segments.get(epoch, 0) >= number:
            return
        known.segments[epoch] = number
        for old in sorted(known.segments, key=int)[:-EPOCHS_MAX]:
            del known.segments[old]
        known.dropped = dict(Counter(known.dropped) + counts)
        path = self.layout.quarantine(project_id) / drop_counts_path(day)
        write_private(path, sealed(msgspec.json.encode(known)))

    def of_day(self, project_id: str, day: date) -> DayCounts:
        """Zeros for a day of which nothing is known; a damaged file is logged and begun anew."""
        path = self.layout.quarantine(project_id) / drop_counts_path(day)
        return _read(path)

    def by_day(self, project_id: str) -> dict[date, dict[str, int]]:
        folder = self.layout.quarantine(project_id)
        days = {path.stem.removeprefix("dropped_"): path for path in folder.glob("*/*/dropped_*.json")}
        return {date.fromisoformat(day): _read(path).dropped for day, path in sorted(days.items())}


def why_unsound(path: Path) -> str:
    """Why a file of counts must not be used; empty when it may. Raises FileNotFoundError when it is gone."""
    try:
        _decoded(path.read_bytes())
    except FileNotFoundError:
        raise
    except (OSError, ValueError, msgspec.DecodeError) as error:
        return f"cannot be read: {error}"
    return ""


def _read(path: Path) -> DayCounts:
    try:
        return _decoded(path.read_bytes())
    except FileNotFoundError:
        return DayCounts()
    except (ValueError, msgspec.DecodeError) as error:
        log.error("unreadable file=%s error=%s", path, error)
        return DayCounts()


def _decoded(data: bytes) -> DayCounts:
    if not is_sealed(data):
        raise ValueError("another checksum")
    counts = msgspec.json.decode(data, type=DayCounts)
    if counts.format > FORMAT_VERSION:
        raise ValueError(f"has format {counts.format}; this version reads up to {FORMAT_VERSION}")
    return counts

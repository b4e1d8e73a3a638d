"""Which files of a project are due to be merged: like-sized ones together, and a day that is over as a whole."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from iafa.clock import US_PER_DAY, US_PER_S
from iafa.lake.manifest import LakeFile

FIRST_QUIET_US = 300 * US_PER_S  # after midnight the last segments of the old day are still on their way
LATE_QUIET_US = 3600 * US_PER_S  # a merged day is merged again only when its late events have stopped for this long
LATE_WAIT_US = US_PER_DAY  # late events that never stop, or are too few to rewrite the day for, wait no longer
RELIEF_FILES = 32
_EPOCH = date(1970, 1, 1)

Lot = tuple[LakeFile, ...]


def by_day(files: Iterable[LakeFile]) -> dict[str, list[LakeFile]]:
    days: dict[str, list[LakeFile]] = defaultdict(list)
    for file in files:
        days[file.date].append(file)
    return dict(sorted(days.items()))


def due(files: Iterable[LakeFile], *, now_us: int, fanout: int, everything: bool = False) -> list[Lot]:
    """At most one lot a day: all its files, or those of one tier."""
    lots = []
    for own in by_day(files).values():
        has_parts = len(own) > 1 or not own[0].is_day
        if has_parts and (everything or is_over(own, now_us=now_us, fanout=fanout)):
            lots.append(tuple(own))
        elif lot := full_tier(own, fanout):
            lots.append(lot)
    return lots


def is_over(files: list[LakeFile], *, now_us: int, fanout: int) -> bool:
    """Whether a day has ended and its parts are worth one file now. A day is rewritten once for its parts, then only
    for late ones that add a good share to it, or once in LATE_WAIT_US: its cost stays logarithmic."""
    end_us = ((date.fromisoformat(files[0].date) - _EPOCH).days + 1) * US_PER_DAY
    parts = [file for file in files if not file.is_day]
    if now_us < end_us or not parts:
        return False
    rows_merged = sum(file.rows for file in files if file.is_day)
    quiet_us = now_us - max(file.last_received_us for file in parts)
    waited_us = now_us - max(end_us, min(file.first_received_us for file in parts))
    is_good_share = sum(file.rows for file in parts) * fanout >= rows_merged
    is_quiet = quiet_us >= (LATE_QUIET_US if rows_merged else FIRST_QUIET_US)
    return (is_quiet and is_good_share) or waited_us >= LATE_WAIT_US


def full_tier(files: Iterable[LakeFile], fanout: int) -> Lot:
    """The files of the lowest tier that holds `fanout` of them; empty if none does.

    A merge lifts its rows by at least one tier, so that a row is rewritten at most log(rows of the day) times.
    """
    tiers: dict[int, list[LakeFile]] = defaultdict(list)
    for file in files:
        tiers[tier(file.rows, fanout)].append(file)
    return next((tuple(tiers[one]) for one in sorted(tiers) if len(tiers[one]) >= fanout), ())


def relief(files: Iterable[LakeFile], fanout: int) -> Lot:
    """What to merge in a day that has no room for more files: a full tier, else its smallest files."""
    own = sorted(files, key=lambda file: file.rows)
    lot = full_tier(own, fanout) or tuple(own[:RELIEF_FILES])
    return lot if len(lot) > 1 else ()


def tier(rows: int, fanout: int) -> int:
    """How often `rows` can be divided by `fanout`."""
    level = 0
    while rows >= fanout:
        rows //= fanout
        level += 1
    return level

"""What retention may remove: limits from settings and the date, what a run reports, and when it is too much at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from iafa.clock import to_datetime
from iafa.errors import WrongUsage
from iafa.lake.manifest import LakeFile, Manifest, RollupFile

DAYS_MAX = 36_500
SHARE_MAX = 0.2  # of a project's rows (or rolled-up days) in one run ...
SHARE_FREE_DAYS = 3  # ... unless it is no more than these days: what a young project or a short outage asks for


class Policy(NamedTuple):
    """What a project's settings say; None is for ever."""

    retention_days: int | None
    aggregate_retention_days: int | None = None


class Removed(msgspec.Struct):
    """What leaves a project, or would leave."""

    project_id: str
    days: list[str] = []
    files: int = 0
    rows: int = 0
    bytes: int = 0
    rollup_days: int = 0
    archived: int = 0
    generation: int | None = None
    held_back: str | None = None

    def add(self, days: Mapping[str, list[LakeFile]]) -> None:
        files = [file for own in days.values() for file in own]
        self.days += sorted(days)
        self.files += len(files)
        self.rows += sum(file.rows for file in files)
        self.bytes += sum(file.bytes for file in files)


class Report(msgspec.Struct):
    """What one run did. `refused` says why nothing was done, `failed` what could not be done."""

    is_dry_run: bool = False
    is_busy: bool = False
    refused: str | None = None
    projects: list[Removed] = []
    failed: list[str] = []

    @property
    def is_whole(self) -> bool:
        return self.refused is None and not self.failed and not any(one.held_back for one in self.projects)


@dataclass(frozen=True)
class Limits:
    """A policy at one time: the first day whose events stay and the first whose counts stay."""

    policy: Policy
    first_kept: date | None
    first_counted: date | None

    @classmethod
    def of(cls, policy: Policy, now_us: int) -> "Limits":
        today = to_datetime(now_us).date()
        return cls(policy, cut_off(today, policy.retention_days), cut_off(today, policy.aggregate_retention_days))


def cut_off(today: date, days: int | None) -> date | None:
    """The first day that stays. Raises WrongUsage for a number that no setting may have."""
    if days is None:
        return None
    if not 1 <= days <= DAYS_MAX:
        raise WrongUsage(f"a retention of {days} days is refused; it is 1 to {DAYS_MAX}, or null for ever")
    return today - timedelta(days=days)


def days_before(rollups: Sequence[RollupFile], day: date | None) -> int:
    """How many calendar days of the roll-ups lie before `day`."""
    if day is None:
        return 0
    first = [date.fromisoformat(one.first_date) for one in rollups if one.first_date < day.isoformat()]
    last = [date.fromisoformat(one.last_date) for one in rollups if one.first_date < day.isoformat()]
    return sum((min(end, day - timedelta(days=1)) - start).days + 1 for start, end in zip(first, last, strict=True))


def too_much(manifest: Manifest, removed: Removed) -> str | None:
    """A share that a wrong clock or a slip in the settings would ask for, rather than a day's passing."""
    rows = sum(file.rows for file in manifest.files)
    rolled_up = days_before(manifest.rollups, date.max)
    for what, days, share in (
        ("events", len(removed.days), removed.rows / max(1, rows)),
        ("roll-ups", removed.rollup_days, removed.rollup_days / max(1, rolled_up)),
    ):
        if days > SHARE_FREE_DAYS and share > SHARE_MAX:
            return (
                f"{days} days with {share:.0%} of the {what} would be removed at once; if that is what you want, run "
                "`iafa retention --force` once"
            )
    return None

"""Paths inside the data directory: the sole owner of their grammar. An id that does not fit it never becomes a path."""

import re
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from iafa.errors import DataDamaged, NotFound
from iafa.event import ID_PATTERN

_MANIFEST = re.compile(r"(\d{10})\.json")
_LAKE_PATH = re.compile(r"(rollups/)?\d{4}/\d{2}/[A-Za-z0-9_][A-Za-z0-9_.-]*\.parquet|identity/[0-9a-f]{16}\.parquet")
_ROLLUPS = "rollups/"


@dataclass(frozen=True)
class Layout:
    """The folders of one data directory."""

    root: Path

    @property
    def events(self) -> Path:
        return self.root / "events"

    @property
    def journal(self) -> Path:
        return self.root / "journal"

    @property
    def metadata(self) -> Path:
        return self.root / "metadata"

    @property
    def rollups(self) -> Path:
        return self.root / "rollups"

    @property
    def audit(self) -> Path:
        return self.root / "audit"

    @property
    def erasures(self) -> Path:
        """Erasures of people: their records, and while they go on whom they are about."""
        return self.root / "erasures"

    @property
    def clock_record(self) -> Path:
        """When the wall clock was last seen, see jobs/clock_watch."""
        return self.root / "config" / "clock.json"

    @property
    def usage(self) -> Path:
        """How many events each project has had this month, see ingest/usage."""
        return self.root / "usage" / "events.slots"

    @property
    def key_uses(self) -> Path:
        """When each API key was last used, see meta/key_uses."""
        return self.root / "usage" / "keys"

    @property
    def salts(self) -> Path:
        """Salts of address hashes that are thrown away after their time. In no backup."""
        return self.root / "salts"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def quarantines(self) -> Path:
        return self.root / "quarantine"

    @property
    def holds(self) -> Path:
        return self.journal / "held"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def run(self) -> Path:
        """What the processes of the present server tell each other; empty at every start."""
        return self.root / "run"

    @property
    def attempts(self) -> Path:
        """What each worker tells of the requests of the last day; it outlives the server, see ingest/attempts."""
        return self.run / "attempts"

    @property
    def monitor(self) -> Path:
        """What the background process has measured, see jobs/measuring."""
        return self.run / "monitor"

    @property
    def slow(self) -> Path:
        """Questions that took long, see query/slow_questions."""
        return self.run / "slow"

    @property
    def backup_record(self) -> Path:
        """What became of the last backup, see jobs/backup_record."""
        return self.root / "config" / "last_backup.json"

    @property
    def damaged(self) -> Path:
        """Files that a repair took out of use. Nothing here is ever removed by itself."""
        return self.root / "damaged"

    @property
    def locks(self) -> Path:
        return self.root / "locks"

    @property
    def writer_lock(self) -> Path:
        """Held by whoever adds, merges or removes files of the lake."""
        return self.locks / "lake-writer.lock"

    @property
    def retention_lock(self) -> Path:
        """Held for a whole run of retention, so that a second one ends at once."""
        return self.locks / "retention.lock"

    @property
    def compact_lock(self) -> Path:
        """Held by the one compactor, through its long reading and writing."""
        return self.locks / "compactor.lock"

    @property
    def erase_lock(self) -> Path:
        """Held by the one process that removes erased people from files."""
        return self.locks / "eraser.lock"

    @property
    def server_lock(self) -> Path:
        return self.root / "LOCK"

    def project(self, project_id: str) -> Path:
        if not ID_PATTERN.fullmatch(project_id):
            raise NotFound()
        return self.events / f"project_{project_id}"

    def quarantine(self, project_id: str) -> Path:
        """Events of the project that were refused, kept for a while."""
        return self.quarantines / self.project(project_id).name

    def id_hashes(self, project_id: str) -> Path:
        """Derived from the project's files: may be deleted at any time."""
        return self.root / "index" / "ids" / self.project(project_id).name

    def held(self, project_id: str) -> Path:
        """Journal records of a project whose manifest cannot be read."""
        return self.holds / self.project(project_id).name

    def manifests(self, project_id: str) -> Path:
        return self.project(project_id) / "manifest"

    def project_erasures(self, project_id: str) -> Path:
        return self.erasures / self.project(project_id).name

    def project_rollups(self, project_id: str) -> Path:
        return self.rollups / self.project(project_id).name

    def lake_file(self, project_id: str, path: str) -> Path:
        """Where a path of the manifest or its trash lies: `rollups/...` in the roll-ups, all others in the events."""
        if not _LAKE_PATH.fullmatch(path):
            raise DataDamaged(f"a manifest of project {project_id} names {path!r}, which is no path of the lake")
        if path.startswith(_ROLLUPS):
            return self.project_rollups(project_id) / path.removeprefix(_ROLLUPS)
        return self.project(project_id) / path

    def project_ids(self) -> list[str]:
        return project_ids_in(self.events)


def project_ids_in(folder: Path) -> list[str]:
    """Projects that have a folder of their own there."""
    if not folder.is_dir():
        return []
    names = (entry.name.removeprefix("project_") for entry in folder.iterdir() if entry.is_dir())
    return sorted(name for name in names if ID_PATTERN.fullmatch(name))


def manifest_name(generation: int) -> str:
    return f"{generation:010d}.json"


def manifest_generation(name: str) -> int | None:
    match = _MANIFEST.fullmatch(name)
    return int(match[1]) if match else None


def part_path(day: date, segment: str) -> str:
    """Relative to the project's folder; `segment` says which journal records, upload or merge it holds."""
    return f"{_month(day)}/events_{day.isoformat()}.{segment}.parquet"


def identity_path(checksum: str) -> str:
    """Identity edges, relative to the project's folder; the name is what is in it."""
    return f"identity/{checksum}.parquet"


def rejected_path(day: date, segment: str = "") -> str:
    """Relative to the project's quarantine; `segment` says which journal segment the rows are from, none: all."""
    suffix = f".{segment}" if segment else ""
    return f"{_month(day)}/rejected_{day.isoformat()}{suffix}.parquet"


def drop_counts_path(day: date) -> str:
    """Beside them: how many events were not stored, by reason."""
    return f"{_month(day)}/dropped_{day.isoformat()}.json"


def day_path(day: date, generation: int, *, is_first: bool) -> str:
    """The merged day. A later merge of the same day gets another name: no path is used twice."""
    suffix = "" if is_first else f".g{generation}"
    return f"{_month(day)}/events_{day.isoformat()}{suffix}.parquet"


def rollup_path(month: str, generation: int) -> str:
    """`month` is `2026-11`; a new generation has a new name."""
    return f"{_ROLLUPS}{month.replace('-', '/')}/rollup_{month}.g{generation}.parquet"


def _month(day: date) -> str:
    return f"{day.year:04d}/{day.month:02d}"

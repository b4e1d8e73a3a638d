"""The manifest: which files are a project's events. Immutable generations; the highest one is the truth."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

from iafa.clock import Clock
from iafa.durable import create_only, unlink
from iafa.errors import DataDamaged, StorageUnavailable
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.dropped import is_dropped
from iafa.lake.layout import Layout, manifest_generation, manifest_name
from iafa.seal import is_sealed, sealed

FORMAT_VERSION = 3  # 1 had no checksum of its own, 2 no count of repeats
KEPT_GENERATIONS_MIN = 2
COMMIT_TRIES = 20
REPEAT_DAYS_MAX = 4_000


class LakeFile(msgspec.Struct, frozen=True, kw_only=True):
    """One Parquet file. Times are UTC microseconds; `path` is relative to the project's folder."""

    path: str
    date: str
    rows: int
    bytes: int
    xxh64: str
    first_created_us: int
    last_created_us: int
    first_received_us: int
    last_received_us: int
    is_day: bool = False
    is_distinct: bool = True


class RollupFile(msgspec.Struct, frozen=True, kw_only=True):
    """Daily counts of one month whose raw files are gone; `path` is as in `Layout.lake_file`, both dates are in it."""

    path: str
    first_date: str
    last_date: str
    rows: int
    bytes: int
    xxh64: str


class Trashed(msgspec.Struct, frozen=True):
    """A file that left the manifest: it keeps its path until no query can be reading it."""

    path: str
    unlink_after_us: int


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """One generation. `absorbed` maps a journal's epoch to the last sequence number that is in the files."""

    format: int = FORMAT_VERSION
    project_id: str
    generation: int = 0
    made_at_us: int = 0
    files: tuple[LakeFile, ...] = ()
    absorbed: dict[str, int] = {}
    trash: tuple[Trashed, ...] = ()
    identity: tuple[str, ...] = ()
    rollups: tuple[RollupFile, ...] = ()
    tombstones: tuple[str, ...] = ()
    repeats: dict[str, int] = {}  # events that were left out because their id was known, by the UTC date of their time
    repeats_since_us: int | None = None  # counted since then; 0: always; None: not yet

    @property
    def listed(self) -> tuple["LakeFile | RollupFile", ...]:
        """All files that the generation stands on."""
        return (*self.files, *self.rollups)

    def absorbs(self, epoch: int, sequence: int) -> bool:
        return sequence <= self.absorbed.get(str(epoch), 0)


Change = Callable[[Manifest], Manifest]
_decoder = msgspec.json.Decoder(Manifest)


class _Read(NamedTuple):
    """What was read from which file: a generation that was lost may be written anew with other contents."""

    stamp: tuple[int, int, int]
    manifest: Manifest


class Manifests:
    """Reads and commits the manifests of all projects of a data directory."""

    def __init__(self, layout: Layout, clock: Clock, *, grace_s: float = 600.0, hit: Hit = no_failpoints) -> None:
        self._layout = layout
        self._clock = clock
        self._grace_us = int(grace_s * 1_000_000)
        self._hit = hit
        self._latest: dict[str, _Read] = {}

    @property
    def grace_us(self) -> int:
        return self._grace_us

    def latest(self, project_id: str) -> Manifest:
        """The newest generation; an empty one when nothing was ever committed.

        Raises DataDamaged when it is older than one that this process has seen: the newest has been lost, and what it
        listed is in no older one.
        """
        while True:
            generation = max(self._generations(project_id), default=0)
            known = self._latest.get(project_id)
            if known is not None and generation < known.manifest.generation:
                if is_dropped(self._layout, project_id):
                    self._latest.pop(project_id, None)
                elif not self._path(project_id, known.manifest.generation).exists():
                    lost = self._path(project_id, known.manifest.generation)
                    raise DataDamaged(f"manifest {lost} was there and is lost; run `iafa verify --repair`")
                continue
            if generation == 0:
                return Manifest(project_id=project_id)
            try:
                stamp = _stamp(self._path(project_id, generation))
                if known is not None and known.stamp == stamp and known.manifest.generation == generation:
                    return known.manifest
                manifest = read_manifest(self._path(project_id, generation))
            except FileNotFoundError:
                continue  # a newer one was committed meanwhile and this one cleaned up
            self._latest[project_id] = _Read(stamp, manifest)
            return manifest

    def commit(self, project_id: str, change: Change) -> Manifest:
        """Apply `change` to the newest generation and publish the result, again if another writer was first."""
        for _ in range(COMMIT_TRIES):
            base = self.latest(project_id)
            manifest = msgspec.structs.replace(
                change(base),
                format=FORMAT_VERSION,
                generation=base.generation + 1,
                made_at_us=self._clock.now_us(),
                repeats_since_us=_repeats_since(base, self._clock.now_us()),
            )
            path = self._path(project_id, manifest.generation)
            if create_only(path, sealed(msgspec.json.encode(manifest)), temporary_dir=self._layout.tmp, hit=self._hit):
                self._latest[project_id] = _Read(_stamp(path), manifest)
                self._forget_old(project_id, manifest)
                return manifest
        raise StorageUnavailable(f"manifest of project {project_id}: too many writers at once")

    def supersede(self, manifest: Manifest) -> bool:
        """Publish a whole generation over ones that cannot be read; False when its number is taken."""
        path = self._layout.manifests(manifest.project_id) / manifest_name(manifest.generation)
        return create_only(path, sealed(msgspec.json.encode(manifest)), temporary_dir=self._layout.tmp, hit=self._hit)

    def _path(self, project_id: str, generation: int) -> Path:
        return self._layout.manifests(project_id) / manifest_name(generation)

    def generations(self, project_id: str) -> list[int]:
        """Numbers of the generations on the disk, oldest first."""
        return sorted(self._generations(project_id))

    def _generations(self, project_id: str) -> list[int]:
        try:
            names = [entry.name for entry in self._layout.manifests(project_id).iterdir()]
        except FileNotFoundError:
            return []
        return [found for name in names if (found := manifest_generation(name)) is not None]

    def _forget_old(self, project_id: str, manifest: Manifest) -> None:
        """Remove generations that no query can be reading any more."""
        directory = self._layout.manifests(project_id)
        for generation in sorted(self._generations(project_id))[:-KEPT_GENERATIONS_MIN]:
            path = directory / manifest_name(generation)
            if path.stat().st_mtime_ns // 1000 + self._grace_us < manifest.made_at_us:
                unlink(path)


def _repeats_since(base: Manifest, now_us: int) -> int:
    if base.repeats_since_us is not None:
        return base.repeats_since_us
    return now_us if base.generation else 0


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def read_manifest(path: Path) -> Manifest:
    """Decode one generation. Raises DataDamaged naming the file."""
    data = path.read_bytes()
    try:
        manifest = _decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DataDamaged(f"manifest {path} is damaged: {error}; run `iafa verify`") from error
    if manifest.format > FORMAT_VERSION:
        raise DataDamaged(f"manifest {path} has format {manifest.format}; this version reads up to {FORMAT_VERSION}")
    is_sound = is_sealed(data)
    if is_sound is False or (is_sound is None and manifest.format != 1):
        raise DataDamaged(f"manifest {path} is damaged: its checksum is wrong; run `iafa verify`")
    return manifest


def added_days(known: Mapping[str, int], more: Mapping[str, int]) -> dict[str, int]:
    """Counts by date, summed up; beyond a bound the oldest days are forgotten."""
    days = sorted({*known, *more})[-REPEAT_DAYS_MAX:]
    return {day: known.get(day, 0) + more.get(day, 0) for day in days}


def with_files(
    manifest: Manifest, added: Iterable[LakeFile], *, removed: Iterable[str] = (), until_us: int = 0
) -> Manifest:
    """Swap files in one generation; what leaves goes to the trash list until `until_us`."""
    gone = set(removed)
    return msgspec.structs.replace(
        manifest,
        files=tuple(file for file in manifest.files if file.path not in gone) + tuple(added),
        trash=manifest.trash + tuple(Trashed(path, until_us) for path in sorted(gone)),
    )

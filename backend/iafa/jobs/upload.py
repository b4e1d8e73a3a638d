"""Uploads: a file of history becomes events of one project, in one generation of the manifest or not at all.

Rows pass the same pipeline as collected events, so that there is one set of rules. Memory is bounded whatever the
file holds: blocks of rows, then runs by day (upload_runs), then pieces that are made distinct and written.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import msgspec
import pyarrow as pa

from iafa.clock import US_PER_DAY, Clock, to_iso
from iafa.durable import make_dirs, remove_tree, unlink
from iafa.errors import FieldError, NotFound, PayloadTooLarge, StorageUnavailable
from iafa.event import Location, earliest_kept_us
from iafa.ingest.deliveries import Message
from iafa.ingest.drafts import nowhere
from iafa.ingest.pipeline import Draft, Sender, parse_time, run
from iafa.ingest.privacy import Privacy, denial_of
from iafa.ingest.salts import SaltKind
from iafa.ingest.wire import WireEvent
from iafa.jobs.presets.reading import PRESETS, PresetName, PresetReader
from iafa.jobs.upload_columns import ColumnMap
from iafa.jobs.upload_rows import Format, Row, RowFile, open_rows
from iafa.jobs.upload_runs import ORDINAL, RUN_BYTES_MAX, DayRuns, Digests
from iafa.lake.append import LakeAppender, repeats_by_day
from iafa.lake.dropped import is_dropped
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.identity import EDGE_SCHEMA, IdentityEdges, earliest_of_each, edges_of, edges_of_pairs
from iafa.lake.layout import Layout
from iafa.lake.manifest import LakeFile, added_days
from iafa.lake.parts import Arrival, Mask, to_table
from iafa.locks import held
from iafa.meta.collect_rules import USUAL_PRIVACY, PrivacySettings, SchemaRule
from iafa.meta.event_schemas import schemas_of
from iafa.metrics import Counters

BLOCK_ROWS = 5_000
BLOCK_BYTES_MAX = 16 * 1024 * 1024
ROWS_MAX = 50_000_000  # a byte of memory each, and 24 bytes of disk until it is done
ERRORS_MAX = 20
LOCK_WAIT_S = 300.0  # a compaction pass may hold the lake
STALE_US = US_PER_DAY
FOLDER_PREFIX = "upload-"
OLDER_THAN_RETENTION = "older_than_retention"

SaltOf = Callable[[SaltKind, bytes, int | None], bytes]  # its kind, the project's own, the time of the event
Condense = Callable[[str, Sequence[LakeFile], str], list[LakeFile]]  # project, files of one upload, a new segment
Progress = Callable[[int, int, int], None]  # rows done, bytes done, bytes in all


@dataclass(frozen=True)
class UploadRequest:
    """One file for one project. `columns` maps fields to columns, or a preset knows them; `retention_days` is the
    project's."""

    project_id: str
    path: Path
    format: Format
    columns: Mapping[str, str] = field(default_factory=dict)
    preset: PresetName | None = None
    retention_days: int | None = None
    schemas: tuple[SchemaRule, ...] = ()
    privacy: PrivacySettings = USUAL_PRIVACY
    salt: bytes | None = None
    is_gzip: bool = False
    inflated_bytes_max: int | None = None


@dataclass(frozen=True)
class Target:
    """Where rows go and what the project says about them."""

    project_id: str
    columns: Mapping[str, str] = field(default_factory=dict)
    retention_days: int | None = None
    preset: PresetName | None = None
    schemas: tuple[SchemaRule, ...] = ()
    privacy: PrivacySettings = USUAL_PRIVACY
    salt: bytes | None = None  # of address hashes; without one no address is stored

    @classmethod
    def of(cls, request: UploadRequest) -> "Target":
        return cls(**{one.name: getattr(request, one.name) for one in fields(cls)})


class EventReader(Protocol):
    """Knows what the rows of a file mean."""

    def check_header(self, header: Sequence[str]) -> None:
        """Refuse a table that cannot give events."""

    def check_seen(self) -> None:
        """Refuse a file whose rows were all read and did not hold what was looked for."""

    def message(self, row: dict[str, Any]) -> Message: ...


class RowError(msgspec.Struct, frozen=True):
    """The first thing that is wrong with a refused row."""

    row: int
    code: str
    pointer: str
    message: str


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """accepted + duplicates + rejected are the rows of the file, but for those of people who were erased meanwhile.

    Times are those of the accepted events.
    """

    accepted: int
    duplicates: int
    rejected: int
    first_event: str | None
    last_event: str | None
    warnings: list[str]
    errors: list[RowError]
    rejected_by_code: dict[str, int]


def no_progress(_rows: int, _bytes_done: int, _bytes_total: int) -> None:
    """For callers that do not watch."""


def own_salt(_kind: SaltKind, own: bytes, _time_us: int | None) -> bytes:
    """For tests of what does not rotate."""
    return own


def as_they_are(_project_id: str, files: Sequence[LakeFile], _segment: str) -> list[LakeFile]:
    """For tests of small files."""
    return list(files)


@dataclass(frozen=True)
class Uploader:
    """One may serve many uploads: what it remembers of stored ids is used under the writer lock only."""

    layout: Layout
    appender: LakeAppender
    clock: Clock
    run_bytes_max: int = RUN_BYTES_MAX
    lock_wait_s: float = LOCK_WAIT_S
    condense: Condense = as_they_are  # makes few files of a day that an upload gives very many
    enrichment: Enrichment = PLAIN
    locate: Callable[[str], Location | None] = nowhere
    salt_of: SaltOf = own_salt
    counters: Counters = field(default_factory=Counters)

    def run(self, request: UploadRequest, progress: Progress = no_progress) -> Receipt:
        """Load the file. Blocks. Raises ValidationFailed for a file that cannot be read as what it claims to be."""
        file = open_rows(
            request.path, request.format, is_gzip=request.is_gzip, inflated_bytes_max=request.inflated_bytes_max
        )
        return self.load(file, Target.of(request), progress)

    def load(self, file: RowFile, target: Target, progress: Progress = no_progress) -> Receipt:
        """Load rows wherever they come from. What their iterator raises stores nothing."""
        folder = self.make_folder()
        try:
            runs, digests = DayRuns(folder, self.run_bytes_max), Digests(folder / "digests")
            reading = _Reading(self, file, target, runs, digests)
            reading.read(progress)
            receipt = reading.receipt(self._store(target.project_id, reading))
            if reading.removed:
                self.counters.add("properties_removed", amount=reading.removed)
            return receipt
        except OSError as error:
            raise StorageUnavailable(f"nothing was stored: {error.strerror}", retry_after_s=30) from error
        finally:
            remove_tree(folder)

    def make_folder(self) -> Path:
        """A private folder for the files of one upload, which the caller removes. Sweeps what killed ones left."""
        make_dirs(self.layout.tmp)
        limit_ns = (self.clock.now_us() - STALE_US) * 1000
        for left in self.layout.tmp.glob(f"{FOLDER_PREFIX}*"):
            if left.stat().st_mtime_ns < limit_ns:
                remove_tree(left)
        folder = self.layout.tmp / f"{FOLDER_PREFIX}{secrets.token_hex(8)}"
        make_dirs(folder)
        return folder

    def _store(self, project_id: str, reading: "_Reading") -> list[LakeFile]:
        """Everything distinct, in files; then all of them in one generation."""
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                raise StorageUnavailable("the lake is busy; nothing was stored", retry_after_s=30)
            if is_dropped(self.layout, project_id):
                raise NotFound()
            files: list[LakeFile] = []
            left_out: dict[str, int] = {}
            edges: list[pa.Table] = []
            pairs = EDGE_SCHEMA.empty_table()
            token = secrets.token_hex(6)
            try:
                for written, repeats, fresh in self._write(project_id, reading, token):
                    files += written
                    left_out = added_days(left_out, repeats)
                    brought = edges_of(fresh)
                    edges += [brought] if brought.num_rows else []
                    if reading.joins_pairs:
                        pairs = earliest_of_each(pa.concat_tables([pairs, edges_of_pairs(fresh)]))
                files = self.condense(project_id, files, f"u{token}-all")
                self._join(project_id, [*edges, pairs])
            except BaseException:
                for file in files:
                    unlink(self.layout.project(project_id) / file.path)
                raise
            if files:  # a file sent again changes nothing, not even the count of repeats
                self.appender.publish(project_id, files, repeats=left_out)
        return files

    def _join(self, project_id: str, edges: Sequence[pa.Table]) -> None:
        """Before the events are published, so that none is there without its edge."""
        known = IdentityEdges(self.layout, self.appender.manifests)
        fresh = known.unknown(project_id, pa.concat_tables(edges))
        if fresh.num_rows:
            known.add_table(project_id, fresh)

    def _write(
        self, project_id: str, reading: "_Reading", token: str
    ) -> Iterator[tuple[list[LakeFile], dict[str, int], pa.Table]]:
        """(files, repeated events by day, new events) of one piece after the other."""
        repeats = reading.digests.repeats()
        for number, piece in enumerate(reading.runs.pieces()):
            standing = self.appender.standing(project_id, piece)
            reading.erased += piece.num_rows - standing.num_rows
            table = _without_repeats(standing, repeats)
            fresh = self.appender.distinct(project_id, table, same_days_too=True)
            files = self.appender.write(project_id, fresh, f"u{token}-{number}")
            yield files, repeats_by_day(standing, fresh), fresh


class _Reading:
    """The first half: rows to events in runs by day, and what is to be said about the others."""

    def __init__(self, uploader: Uploader, file: RowFile, target: Target, runs: DayRuns, digests: Digests) -> None:
        now_us = uploader.clock.now_us()
        self.runs = runs
        self.digests = digests
        self.removed = 0  # properties on the deny-list
        self.erased = 0
        self._uploader = uploader
        self._file = file
        self._target = target
        self._sender = Sender(
            received_at=now_us,
            is_browser=False,
            is_upload=True,
            schemas=schemas_of(target.schemas) if target.schemas else None,
            privacy=self._privacy(None),
        )
        self._oldest_us = earliest_kept_us(now_us, target.retention_days)
        self._errors: list[RowError] = []
        self._codes: Counter[str] = Counter()
        self._rows = 0
        self._timeless = 0
        is_table = file.header is not None
        self.joins_pairs = target.preset is not None and PRESETS[target.preset].joins_pairs
        self._needs_time = is_table or target.preset is not None
        self._events: EventReader = (
            ColumnMap(target.columns, is_table=is_table) if target.preset is None else PresetReader(target.preset)
        )

    def read(self, progress: Progress) -> None:
        file = self._file
        if file.header is not None:
            self._events.check_header(file.header)
        for block in file.blocks(BLOCK_ROWS, BLOCK_BYTES_MAX):
            self._take(block)
            progress(self._rows, file.bytes_done, file.bytes_total)
        if self._rows:
            self._events.check_seen()
        progress(self._rows, file.bytes_total, file.bytes_total)

    def receipt(self, files: Iterable[LakeFile]) -> Receipt:
        files = list(files)
        accepted = sum(file.rows for file in files)
        rejected = sum(self._codes.values())
        return Receipt(
            accepted=accepted,
            duplicates=self.runs.rows - accepted - self.erased,
            rejected=rejected,
            first_event=to_iso(min(file.first_created_us for file in files)) if files else None,
            last_event=to_iso(max(file.last_created_us for file in files)) if files else None,
            warnings=[*self._file.warnings, *self._warnings()],
            errors=self._errors,
            rejected_by_code=dict(self._codes.most_common()),
        )

    def _warnings(self) -> Iterator[str]:
        if not self._rows:
            yield "the file holds no rows"
        if self.removed:
            yield f"{self.removed} properties on the project's deny-list were removed"
        if self._timeless:
            yield f"{self._timeless} rows have no time; the time of the upload was taken"
        if self.erased:
            yield f"{self.erased} rows are of people who were erased while the file was being loaded"
        too_old = self._codes[OLDER_THAN_RETENTION]
        if too_old:
            yield (
                f"{too_old} rows are older than the project's retention of {self._target.retention_days} days and "
                "were refused; set retention_days first (null keeps everything), then send the file again"
            )

    def _take(self, block: list[Row]) -> None:
        arrivals = []
        for row in block:
            draft = self._draft(row)
            if draft.errors:
                self._refuse(row.number, draft.errors[0])
            else:
                assert draft.event is not None
                arrivals.append(Arrival(self._target.project_id, self._sender.received_at, draft.event))
        self._rows += len(block)
        if self._rows > ROWS_MAX:
            raise PayloadTooLarge(f"an upload has at most {ROWS_MAX} rows; split the file", limit=ROWS_MAX)
        if arrivals:
            self.digests.add([arrival.event.id for arrival in arrivals])
            self.runs.add(to_table(arrivals, self._uploader.enrichment))

    def _draft(self, row: Row) -> Draft:
        if row.error is not None:
            return Draft(WireEvent(), self._sender, "", [row.error])
        message = self._events.message(row.cells)
        parsed = message.parsed
        if not isinstance(parsed, WireEvent):
            return Draft(WireEvent(), self._sender, "", list(parsed))
        if parsed.id is None and parsed.event_id is None and parsed.messageId is None:
            parsed.id = f"{self._file_hash}-{row.number}"
        has_time = parsed.timestamp is not None or parsed.created_at is not None
        draft = run(parsed, self._sender_of(message, parsed), "")
        self.removed += draft.removed
        if not has_time and self._needs_time:
            draft.errors.append(FieldError("/created_at", "invalid_timestamp", "the row has no time"))
        elif not draft.errors and draft.created_at < self._oldest_us:
            too_old = f"is older than the project's retention of {self._target.retention_days} days"
            draft.errors.append(FieldError("/created_at", OLDER_THAN_RETENTION, too_old))
        elif not draft.errors and not has_time:
            self._timeless += 1
        return draft

    def _sender_of(self, message: Message, event: WireEvent) -> Sender:
        """What the row says of its visitor: located before the address becomes what is stored of it."""
        sender, address = self._sender, message.address
        if self._target.privacy.salt != "fixed":
            sender = sender._replace(privacy=self._privacy(event))
        if address is not None:
            location = self._uploader.locate(address) if message.is_located else None
            sender = sender._replace(ip_address=sender.privacy.stored(address), location=location)
        return sender if message.campaign is None else sender._replace(campaign=message.campaign)

    def _privacy(self, event: WireEvent | None) -> Privacy:
        wanted, own = self._target.privacy, self._target.salt
        denial = denial_of(wanted.deny_properties)
        if own is None:
            return Privacy("none", denial=denial)
        written = None if event is None else event.timestamp if event.timestamp is not None else event.created_at
        time_us = None if written is None else parse_time(written)
        return Privacy(wanted.ip, self._uploader.salt_of(wanted.salt, own, time_us), denial)

    def _refuse(self, row: int, error: FieldError) -> None:
        self._codes[error.code] += 1
        if len(self._errors) < ERRORS_MAX:
            self._errors.append(RowError(row, error.code, error.pointer, error.message))

    @cached_property
    def _file_hash(self) -> str:
        """Only read when a row has no id of its own."""
        return self._file.digest()


def _without_repeats(piece: pa.Table, repeats: Mask) -> pa.Table:
    keeps = ~repeats[piece.column(ORDINAL).to_numpy()]
    return piece.drop_columns([ORDINAL]).filter(pa.array(keeps)).combine_chunks()

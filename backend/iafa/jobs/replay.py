"""Replay: refused events, changed by their owner, become events of the project. Safe to kill at any instruction.

A row is marked only after its event is durable; one that is replayed again is found to be stored already.
"""

import secrets
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from functools import partial
from itertools import groupby
from typing import Any, Literal, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.compute as pc

from iafa.clock import Clock
from iafa.errors import NotFound, StorageUnavailable
from iafa.event import DropReason, Event, SentBy, earliest_kept_us
from iafa.failpoints import Hit, no_failpoints
from iafa.ingest.judging_again import Changes, Kept, judge_again
from iafa.ingest.pipeline import Draft, Sender
from iafa.ingest.privacy import Privacy, denial_of
from iafa.journal.format import FORMAT_VERSION, Kind, Record
from iafa.lake.append import LakeAppender
from iafa.lake.dropped import is_dropped
from iafa.lake.enrichment import PLAIN, Enrichment
from iafa.lake.identity import IdentityEdges, edges_of
from iafa.lake.layout import Layout
from iafa.lake.poison import sound_rows
from iafa.lake.quarantine import Quarantine
from iafa.lake.quarantine_rows import Place, QuarantineRows, Row, Wanted, day_of, mask_of
from iafa.lake.schema import TIME_TYPE
from iafa.locks import held
from iafa.meta.collect_rules import USUAL_PRIVACY, PrivacySettings, SchemaRule
from iafa.meta.event_schemas import schemas_of
from iafa.meta.projects import Project

ROWS_MAX = 1_000  # one replay's
LOCK_WAIT_S = 60.0
Verdict = Literal["accepted", "duplicate", "rejected"]


class Owner(NamedTuple):
    """What a replay has to know of the project."""

    project_id: str
    salt: bytes
    retention_days: int | None
    schemas: tuple[SchemaRule, ...] = ()
    privacy: PrivacySettings = USUAL_PRIVACY

    @classmethod
    def of(cls, project: Project) -> "Owner":
        salt = bytes.fromhex(project.salt)
        return cls(project.id, salt, project.retention_days, project.schemas, project.privacy)

    def rules(self) -> Privacy:
        """What may be stored of what a change puts in. The salt of a day that is over may be gone: no hash then."""
        wanted = self.privacy
        form = "none" if wanted.ip == "hash" and wanted.salt != "fixed" else wanted.ip
        return Privacy(form, self.salt, denial_of(wanted.deny_properties))


class Selection(NamedTuple):
    """Rows by their ids, or up to a bound those that are wanted, newest first, behind a place."""

    ids: Collection[str] | None = None
    wanted: Wanted = Wanted()
    after: Place | None = None


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one row. `code` and those behind it say why it is still refused, `message` also of what a
    duplicate is the repeat."""

    id: str
    event_id: str | None
    result: Verdict
    code: str | None = None
    pointer: str | None = None
    message: str | None = None


class Replayed(NamedTuple):
    """`last` is the place of the last row when there may be more behind it; `not_found` are ids of no row."""

    outcomes: list[Outcome]
    last: Place | None
    not_found: Sequence[str] = ()

    def count(self, verdict: Verdict) -> int:
        return sum(one.result == verdict for one in self.outcomes)


@dataclass
class _Case:
    row: Row
    draft: Draft
    error: tuple[str, str, str] | None = None
    verdict: Verdict = "rejected"
    repeats: str | None = None  # of a duplicate: what had its id before

    @property
    def event(self) -> Event | None:
        return None if self.error is not None else self.draft.event

    def outcome(self) -> Outcome:
        id_ = self.draft.id or self.row["event_id"]
        if self.error is None:
            return Outcome(id=self.row["id"], event_id=id_, result=self.verdict, message=self.repeats)
        code, pointer, message = self.error
        return Outcome(id=self.row["id"], event_id=id_, result="rejected", code=code, pointer=pointer, message=message)


@dataclass(frozen=True)
class Replayer:
    """Replays and deletes. Blocks, and holds the writer lock of the lake while it works."""

    layout: Layout
    appender: LakeAppender
    quarantine: Quarantine
    clock: Clock
    hit: Hit = no_failpoints
    enrichment: Enrichment = PLAIN
    lock_wait_s: float = LOCK_WAIT_S
    rows: QuarantineRows = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rows", QuarantineRows(self.layout))

    def replay(
        self,
        owner: Owner,
        selection: Selection,
        changes: Changes,
        done: Counter[str] | None = None,
        *,
        is_trial: bool = False,
    ) -> Replayed:
        """Judge the rows again and store what is right now. A trial stores and marks nothing. `done` is counted up by
        verdict once all is stored, before the rows are marked."""
        with self._lake(owner.project_id):
            rows, last = self._selected(owner.project_id, selection)
            waiting = sorted((row for row in rows if row["replayed_us"] is None), key=_by_receipt)
            cases = [self._judged(owner, row, changes) for row in waiting]
            _refuse_taken_ids(cases)
            table = self.appender.standing(owner.project_id, self._table(owner.project_id, cases))
            fresh = self.appender.distinct(owner.project_id, table, same_days_too=True) if table.num_rows else table
            _give_verdicts(cases, set(fresh.column("id").to_pylist()))
            if not is_trial:
                self._store(owner.project_id, fresh)
                if done is not None:
                    done.update(one.verdict for one in cases)
                    done["duplicate"] += len(rows) - len(cases)
                self._mark(owner.project_id, [one.row for one in cases if one.error is None])
        by_row = {one.row["id"]: one.outcome() for one in cases}
        outcomes = [by_row.get(row["id"]) or _replayed_before(row) for row in rows]
        return Replayed(outcomes, last, sorted(set(selection.ids or ()) - {row["id"] for row in rows}))

    def delete(self, project_id: str, selection: Selection, done: Counter[str] | None = None) -> int:
        """Remove rows for good; how many. `done` is counted up day by day. The counts stay."""
        done = Counter() if done is None else done
        with self._lake(project_id):
            for day, leaves in self._leaving(project_id, selection):
                done["rows"] += self.quarantine.amend(project_id, day, partial(_without, leaves=leaves))
                self.hit("replay.deleted")
        return done["rows"]

    def _leaving(self, project_id: str, selection: Selection) -> Iterator[tuple[date, Callable[[pa.Table], Any]]]:
        """Each day once, with what tells its rows that go."""
        if selection.ids is None:
            for day in self.rows.days(project_id, selection.wanted):
                yield day, partial(mask_of, wanted=selection.wanted)
            return
        for day, ids in _by_day(self.rows.by_ids(project_id, selection.ids)):
            yield day, partial(_is_in, ids=ids)

    @contextmanager
    def _lake(self, project_id: str) -> Iterator[None]:
        with held(self.layout.writer_lock, wait_s=self.lock_wait_s) as is_ours:
            if not is_ours:
                raise StorageUnavailable("the lake is busy; nothing was changed", retry_after_s=30)
            if is_dropped(self.layout, project_id):
                raise NotFound()
            try:
                yield
            except OSError as error:
                raise StorageUnavailable(f"not all was stored: {error.strerror}", retry_after_s=30) from error

    def _selected(self, project_id: str, selection: Selection) -> tuple[list[Row], Place | None]:
        if selection.ids is not None:
            return self.rows.by_ids(project_id, selection.ids), None
        rows = self.rows.page(project_id, selection.wanted, selection.after, ROWS_MAX)
        is_more = len(rows) == ROWS_MAX
        return rows, Place(rows[-1]["received_us"], rows[-1]["id"]) if is_more else None

    def _judged(self, owner: Owner, row: Row, changes: Changes) -> _Case:
        received_at = row["received_us"]
        sender = Sender(
            received_at=received_at,
            is_browser=False,
            salt=owner.salt,
            earliest_us=earliest_kept_us(self.clock.now_us(), owner.retention_days),
            schemas=schemas_of(owner.schemas) if owner.schemas else None,
            privacy=owner.rules(),
        )
        sent_by = SentBy() if row["sender"] is None else msgspec.json.decode(row["sender"], type=SentBy)
        kept = Kept(row["id"], row["event_id"], row["body"], row["source"], sent_by)
        draft = judge_again(kept, changes, sender)
        first = draft.errors[0] if draft.errors else None
        return _Case(row, draft, None if first is None else (first.code, first.pointer, first.message))

    def _table(self, project_id: str, cases: Sequence[_Case]) -> pa.Table:
        """The rows of the lake, by time of receipt; what has none is refused again."""
        records = [
            Record(FORMAT_VERSION, 0, Kind.EVENTS, project_id, one.row["received_us"], "", e=[one.event])
            for one in cases
            if one.event is not None
        ]
        table, poisoned = sound_rows(records, self.enrichment)
        why = {id(one.event): one.message for one in poisoned}
        for case in cases:
            if case.event is not None and id(case.event) in why:
                case.error = (DropReason.POISON.value, "", why[id(case.event)])
        return table

    def _store(self, project_id: str, fresh: pa.Table) -> None:
        if not fresh.num_rows:
            return
        edges = edges_of(fresh)
        if edges.num_rows:
            IdentityEdges(self.layout, self.appender.manifests).add_table(project_id, edges)
        self.appender.publish(project_id, self.appender.write(project_id, fresh, f"q{secrets.token_hex(6)}"))
        self.hit("replay.published")

    def _mark(self, project_id: str, rows: Sequence[Row]) -> None:
        now = pa.scalar(self.clock.now_us(), pa.int64()).cast(TIME_TYPE)
        for day, ids in _by_day(rows):

            def mark(table: pa.Table, ids: pa.Array = ids) -> pa.Table:
                marked = pc.if_else(_is_in(table, ids), now, table.column("replayed_at"))
                return table.set_column(table.schema.get_field_index("replayed_at"), table.field("replayed_at"), marked)

            self.quarantine.amend(project_id, day, mark)
            self.hit("replay.marked")


def _by_receipt(row: Row) -> int:
    return int(row["received_us"])


def _replayed_before(row: Row) -> Outcome:
    """It is not judged again: under another id it would be stored a second time."""
    return Outcome(id=row["id"], event_id=row["event_id"], result="duplicate", message="the row was replayed before")


def _refuse_taken_ids(cases: Sequence[_Case]) -> None:
    """A change that gives many rows one id would make one event of them: the others stay as they are."""
    first: dict[str, str] = {}
    for case in cases:
        if case.error is not None:
            continue
        other = first.setdefault(case.draft.id, case.row["id"])
        if other != case.row["id"] and case.draft.id != case.row["event_id"]:
            message = f"the change gives it the id of row {other}, too; each event needs one of its own"
            case.error = (DropReason.DUPLICATE.value, "/id", message)


def _give_verdicts(cases: Sequence[_Case], fresh: set[str]) -> None:
    taken: dict[str, str] = {}
    for case in cases:
        if case.error is not None:
            continue
        if case.draft.id in fresh:
            case.verdict = "accepted"
            fresh.discard(case.draft.id)  # the first of several with one id
            taken[case.draft.id] = case.row["id"]
        else:
            case.verdict = "duplicate"
            before = taken.get(case.draft.id)
            case.repeats = "an event with this id was stored before" if before is None else f"as row {before}"


def _by_day(rows: Sequence[Row]) -> Iterator[tuple[date, pa.Array]]:
    for day, found in groupby(
        sorted(rows, key=lambda row: row["received_us"]), key=lambda row: day_of(row["received_us"])
    ):
        yield day, pa.array([row["id"] for row in found], pa.string())


def _without(table: pa.Table, leaves: Callable[[pa.Table], Any]) -> pa.Table:
    return table.filter(pc.invert(leaves(table)))


def _is_in(table: pa.Table, ids: pa.Array) -> Any:
    return pc.is_in(table.column("id"), ids)

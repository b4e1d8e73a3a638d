"""Erasure of people: what must not be seen any more, at once, and is being removed from every file.

While it goes on, a private file holds the person's ids. What stays holds keyed hashes only. A project's manifest names
its erasures that are not done, so that snapshots of one generation agree on whom they hide.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Literal, TypeVar

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.durable import unlink, write_private
from iafa.errors import DataDamaged
from iafa.event import ID_PATTERN, TIME_MAX_US, identity_hash
from iafa.failpoints import Hit, no_failpoints
from iafa.lake.layout import Layout, project_ids_in
from iafa.lake.manifest import Manifest
from iafa.lake.parts import time_us
from iafa.lake.person import Person
from iafa.lake.schema import TIME_TYPE
from iafa.seal import is_sealed, sealed

FORMAT_VERSION = 1
ROW_COLUMNS = ("user_id", "anonymous_id", "user_hash", "created_at", "received_at")  # what tells whose a row is
# As questions see it: rows of these identities and times, received until then, are not there.
ERASED_SCHEMA = pa.schema(
    [
        pa.field("identity_hash", pa.int64(), nullable=False),
        pa.field("is_anonymous", pa.bool_(), nullable=False),
        pa.field("from_at", TIME_TYPE, nullable=False),
        pa.field("until_at", TIME_TYPE, nullable=False),
        pa.field("received_until", TIME_TYPE, nullable=False),
    ]
)
Mask = npt.NDArray[np.bool_]
_Kind = TypeVar("_Kind")
_TARGET_SUFFIX = ".target.json"


class Target(msgspec.Struct, frozen=True):
    """Whose rows go: those received until then. What the same ids send later is of a new person."""

    person: Person
    received_until_us: int
    format: int = FORMAT_VERSION


class Erasure(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of an erasure for ever. `id_hashes` are keyed: only the server can tell whether an id is one."""

    format: int = FORMAT_VERSION
    id: str
    project_id: str
    state: Literal["hidden", "done"] = "hidden"
    requested_by: str
    requested_at_us: int
    done_at_us: int | None = None
    id_hashes: tuple[str, ...]
    rows_hidden: int
    removed: dict[str, int] = {}


@dataclass(frozen=True)
class ErasedPeople:
    """Those of a project whose erasure is not done."""

    targets: tuple[Target, ...]

    def __bool__(self) -> bool:
        return bool(self.targets)

    @cached_property
    def table(self) -> pa.Table:
        """Rows of ERASED_SCHEMA."""
        rows = []
        for one in self.targets:
            until = one.received_until_us
            rows += [(identity_hash(user), False, 0, TIME_MAX_US, until) for user in one.person.users]
            rows += [(identity_hash(s.id), True, s.from_us, s.until_us, until) for s in one.person.anonymous]
        columns = zip(*rows, strict=True)
        arrays = [
            pa.array(column).cast(field.type)
            if field.type != TIME_TYPE
            else pa.array(column, pa.int64()).cast(TIME_TYPE)
            for column, field in zip(columns, ERASED_SCHEMA, strict=True)
        ]
        return pa.Table.from_arrays(arrays, schema=ERASED_SCHEMA)

    def mask(self, events: pa.Table | pa.RecordBatch) -> Mask:
        """Which rows are theirs: told by the ids themselves, not by their hashes alone."""
        if isinstance(events, pa.RecordBatch):
            events = pa.Table.from_batches([events])
        candidates = np.isin(events.column("user_hash").to_numpy(), self._hashes)
        if not candidates.any():
            return candidates
        rows = events.select(list(ROW_COLUMNS)).filter(pa.array(candidates))
        columns = (rows.column("user_id").to_pylist(), rows.column("anonymous_id").to_pylist())
        times = (time_us(rows, "created_at").tolist(), time_us(rows, "received_at").tolist())
        candidates[candidates] = [self._is_theirs(*row) for row in zip(*columns, *times, strict=True)]
        return candidates

    def has_hash(self, user_hashes: npt.NDArray[np.int64]) -> bool:
        """Whether rows of these hashes may be theirs."""
        return bool(np.isin(user_hashes, self._hashes).any())

    @cached_property
    def ids(self) -> pa.Array:
        return pa.array(sorted({one for target in self.targets for one in target.person.ids}), pa.string())

    def without(self, events: pa.Table) -> pa.Table:
        if not self.targets or not events.num_rows:
            return events
        theirs = self.mask(events)
        return events.filter(pa.array(~theirs)) if theirs.any() else events

    def _is_theirs(self, user: str | None, anonymous: str | None, created_us: int, received_us: int) -> bool:
        if user is not None:
            return received_us <= self._users.get(user, -1)
        return anonymous is not None and any(
            from_us <= created_us <= until_us and received_us <= received_until_us
            for from_us, until_us, received_until_us in self._devices.get(anonymous, ())
        )

    @cached_property
    def _hashes(self) -> npt.NDArray[np.int64]:
        ids = {one for target in self.targets for one in target.person.ids}
        return np.array(sorted(identity_hash(one) for one in ids), dtype=np.int64)

    @cached_property
    def _users(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for target in self.targets:
            for user in target.person.users:
                found[user] = max(found.get(user, -1), target.received_until_us)
        return found

    @cached_property
    def _devices(self) -> dict[str, list[tuple[int, int, int]]]:
        found: dict[str, list[tuple[int, int, int]]] = {}
        for target in self.targets:
            for span in target.person.anonymous:
                found.setdefault(span.id, []).append((span.from_us, span.until_us, target.received_until_us))
        return found


NOBODY = ErasedPeople(())


@dataclass(frozen=True)
class Erasures:
    """The files of a project's erasures: a record that stays, and beside it, until it is done, the target."""

    layout: Layout
    hit: Hit = no_failpoints

    def begin(self, erasure: Erasure, target: Target) -> None:
        """Durable when it returns, and without effect until a manifest names it."""
        write_private(self._target(erasure.project_id, erasure.id), sealed(msgspec.json.encode(target)))
        self.hit("erase.target_written")
        self.write(erasure)

    def write(self, erasure: Erasure) -> None:
        write_private(self._record(erasure.project_id, erasure.id), sealed(msgspec.json.encode(erasure)))
        self.hit("erase.record_written")

    def forget_target(self, project_id: str, erasure_id: str) -> None:
        unlink(self._target(project_id, erasure_id))

    def get(self, project_id: str, erasure_id: str) -> Erasure | None:
        """As people are told: not done before the last file that names the person has gone, which a kill may delay."""
        record = self.stored(project_id, erasure_id)
        if record is not None and record.state == "done" and self._target(project_id, erasure_id).exists():
            return msgspec.structs.replace(record, state="hidden", done_at_us=None)
        return record

    def stored(self, project_id: str, erasure_id: str) -> Erasure | None:
        """As the record says, which is written before the target is forgotten."""
        if not ID_PATTERN.fullmatch(erasure_id):
            return None
        try:
            data = self._record(project_id, erasure_id).read_bytes()
        except FileNotFoundError:
            return None
        return _decoded(data, Erasure, self._record(project_id, erasure_id))

    def all(self, project_id: str) -> list[Erasure]:
        """The newest first, as people are told."""
        folder = self.layout.project_erasures(project_id)
        names = [path.stem for path in folder.glob("*.json") if ID_PATTERN.fullmatch(path.stem)]
        found = [one for name in names if (one := self.get(project_id, name)) is not None]
        return sorted(found, key=lambda one: (-one.requested_at_us, one.id))

    def people(self, manifest: Manifest) -> ErasedPeople:
        """Whom the generation hides. Raises DataDamaged rather than to show somebody."""
        if not manifest.tombstones:
            return NOBODY
        targets = (self.target(manifest.project_id, one) for one in manifest.tombstones)
        return ErasedPeople(tuple(one for one in targets if one is not None))

    def target(self, project_id: str, erasure_id: str) -> Target | None:
        """None when the erasure is done."""
        if not ID_PATTERN.fullmatch(erasure_id):
            raise DataDamaged(f"a manifest of project {project_id} names {erasure_id!r}, which is no erasure")
        path = self._target(project_id, erasure_id)
        try:
            return _decoded(path.read_bytes(), Target, path)
        except FileNotFoundError:
            record = self.stored(project_id, erasure_id)
            if record is not None and record.state == "done":
                return None
            raise DataDamaged(f"{path} is missing; restore it from a backup") from None

    def pending(self) -> list[tuple[str, str]]:
        """(project, erasure) of every target that is still there."""
        return sorted(
            (project_id, path.name.removesuffix(_TARGET_SUFFIX))
            for project_id in project_ids_in(self.layout.erasures)
            for path in self.layout.project_erasures(project_id).glob(f"*{_TARGET_SUFFIX}")
        )

    def _record(self, project_id: str, erasure_id: str) -> Path:
        return self.layout.project_erasures(project_id) / f"{erasure_id}.json"

    def _target(self, project_id: str, erasure_id: str) -> Path:
        return self.layout.project_erasures(project_id) / f"{erasure_id}{_TARGET_SUFFIX}"


def new_erasure_id() -> str:
    return secrets.token_hex(8)


def hashes_of(key: bytes, project_id: str, ids: Iterable[str]) -> tuple[str, ...]:
    """Of each id one that nobody can make or try out without the key, and that differs between projects."""
    texts = (b"\n".join((b"iafa erased", project_id.encode(), one.encode())) for one in ids)
    return tuple(sorted(hmac.new(key, text, hashlib.sha256).hexdigest()[:32] for text in texts))


def _decoded(data: bytes, kind: type[_Kind], path: Path) -> _Kind:
    if not is_sealed(data):
        raise DataDamaged(f"{path} is damaged: its checksum is wrong; restore it from a backup")
    return msgspec.json.decode(data, type=kind)

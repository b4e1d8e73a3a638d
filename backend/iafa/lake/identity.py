"""Who is who: edges from anonymous ids to users, and between users. Nothing stored is rewritten; a query joins them.

Each change is a new immutable file, and a new generation of the manifest names it.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import xxhash

from iafa.durable import create_only
from iafa.errors import DataDamaged
from iafa.event import TIME_MAX_US, identity_hash
from iafa.lake.layout import Layout, identity_path
from iafa.lake.manifest import Manifest, Manifests, Trashed
from iafa.lake.schema import TIME_TYPE
from iafa.seal import is_sealed, sealed

IDENTIFY_EVENTS = ("identify", "$identify")
FILES_MAX = 16  # more are written together as one

IDENTITY_SCHEMA = pa.schema(
    [
        pa.field("identity_hash", pa.int64(), nullable=False),
        pa.field("is_anonymous", pa.bool_(), nullable=False),
        pa.field("from_at", TIME_TYPE, nullable=False),
        pa.field("until_at", TIME_TYPE, nullable=False),
        pa.field("owner_hash", pa.int64(), nullable=False),
    ]
)


class Edge(msgspec.Struct, frozen=True, omit_defaults=True):
    """`identify`: from `at_us` on the anonymous id `other` is the user. `alias`: the user `other` is the same person.

    The last edge of an id counts, so that one that `is_revoked` takes the earlier back.
    """

    id: str
    user_id: str
    other: str
    at_us: int
    kind: Literal["identify", "alias"] = "identify"
    is_revoked: bool = False


class _File(msgspec.Struct, frozen=True):
    edges: tuple[Edge, ...]


_decoder = msgspec.json.Decoder(_File)


@dataclass(frozen=True)
class IdentityEdges:
    """Reads and adds the edges of all projects of a data directory."""

    layout: Layout
    manifests: Manifests

    def edges(self, project_id: str, manifest: Manifest) -> tuple[Edge, ...]:
        """All edges of a generation, each id once, revoked ones too."""
        last: dict[str, Edge] = {}
        for path in manifest.identity:
            last |= {edge.id: edge for edge in self._read(project_id, path)}
        return tuple(last.values())

    def add_edges(self, project_id: str, edges: Iterable[Edge]) -> Manifest:
        """Add what is not known yet. The caller holds the writer lock."""
        manifest = self.manifests.latest(project_id)
        known = {edge.id: edge for edge in self.edges(project_id, manifest)}
        fresh = tuple({edge.id: edge for edge in edges if known.get(edge.id) != edge}.values())
        if not fresh:
            return manifest
        is_full = len(manifest.identity) >= FILES_MAX
        merged = known | {edge.id: edge for edge in fresh}
        path = self._write(project_id, tuple(merged.values()) if is_full else fresh)
        now_us = manifest.made_at_us

        def change(base: Manifest) -> Manifest:
            if not is_full:
                return msgspec.structs.replace(base, identity=(*base.identity, path))
            until_us = max(now_us, base.made_at_us) + self.manifests.grace_us
            gone = tuple(Trashed(old, until_us) for old in base.identity if old != path)
            return msgspec.structs.replace(base, identity=(path,), trash=base.trash + gone)

        return self.manifests.commit(project_id, change)

    def _write(self, project_id: str, edges: tuple[Edge, ...]) -> str:
        data = sealed(msgspec.json.encode(_File(edges)))
        path = identity_path(xxhash.xxh64_hexdigest(data))
        create_only(self.layout.project(project_id) / path, data, temporary_dir=self.layout.tmp)
        return path

    def _read(self, project_id: str, path: str) -> tuple[Edge, ...]:
        file = self.layout.lake_file(project_id, path)
        try:
            data = file.read_bytes()
            edges = _decoder.decode(data).edges
        except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError) as error:
            raise DataDamaged(f"identity file {file} is damaged or missing; restore it from a backup") from error
        if not is_sealed(data):
            raise DataDamaged(f"identity file {file} is damaged: its checksum is wrong; restore it from a backup")
        return edges


def edges_of(events: pa.Table) -> list[Edge]:
    """The edges that the `identify` events among these bring: those that carry both ids."""
    wanted = pc.is_in(events.column("event_type"), value_set=pa.array(IDENTIFY_EVENTS))
    if not pc.any(wanted).as_py():
        return []
    columns = ["id", "user_id", "anonymous_id", "created_at"]
    rows = events.select(columns).filter(wanted).drop_null()
    times = rows.column("created_at").cast(pa.int64()).to_pylist()
    texts = (rows.column(name).to_pylist() for name in columns[:3])
    return [Edge(*row) for row in zip(*texts, times, strict=True)]


def identities(edges: Iterable[Edge]) -> pa.Table | None:
    """Whose the events of an identity are, from when until when; None if there is no edge. No two rows overlap."""
    valid = [edge for edge in edges if not edge.is_revoked]
    if not valid:
        return None
    label_of = _labels([edge for edge in valid if edge.kind == "alias"])
    rows = [
        (identity_hash(user), False, 0, TIME_MAX_US, identity_hash(label))
        for user, label in label_of.items()
        if user != label
    ]
    by_anonymous: dict[str, list[Edge]] = defaultdict(list)
    for edge in sorted(valid, key=lambda one: (one.at_us, one.id)):
        if edge.kind == "identify":
            by_anonymous[edge.other].append(edge)
    for anonymous, own in by_anonymous.items():
        owners = [(edge.at_us, label_of.get(edge.user_id, edge.user_id)) for edge in own]
        hashed = identity_hash(anonymous)
        rows += [(hashed, True, from_us, to_us, identity_hash(owner)) for from_us, to_us, owner in _spans(owners)]
    return _table(rows)


def _spans(owners: Sequence[tuple[int, str]]) -> list[tuple[int, int, str]]:
    """(from, until, owner): each from its edge on, the first one also before it."""
    at = {-1: owners[0][1]} | dict(owners)  # the last edge of an instant counts
    changes = [(time, owner) for time, owner in at.items()]
    kept = [one for place, one in enumerate(changes) if not place or one[1] != changes[place - 1][1]]
    ends = [time - 1 for time, _owner in kept[1:]] + [TIME_MAX_US]
    return [(max(time, 0), end, owner) for (time, owner), end in zip(kept, ends, strict=True) if end >= 0]


def _labels(aliases: Sequence[Edge]) -> dict[str, str]:
    """The smallest id of the users that aliases connect, for each of them."""
    parent: dict[str, str] = {}

    def root(user: str) -> str:
        parent.setdefault(user, user)
        while parent[user] != user:
            parent[user] = parent[parent[user]]
            user = parent[user]
        return user

    for edge in aliases:
        one, other = sorted((root(edge.user_id), root(edge.other)))
        parent[other] = one
    return {user: root(user) for user in list(parent)}


def _table(rows: Sequence[tuple[int, bool, int, int, int]]) -> pa.Table:
    hashes, anonymous, first, last, owners = zip(*rows, strict=True) if rows else ((), (), (), (), ())
    times = [pa.array(np.array(column, dtype=np.int64)).cast(TIME_TYPE) for column in (first, last)]
    columns = [pa.array(hashes, pa.int64()), pa.array(anonymous, pa.bool_()), *times, pa.array(owners, pa.int64())]
    return pa.Table.from_arrays(columns, schema=IDENTITY_SCHEMA)

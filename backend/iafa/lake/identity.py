"""Who is who: edges from anonymous ids to users, and between users. Nothing stored is rewritten; a query joins them.

Each change is a new immutable Parquet file, and a new generation of the manifest names it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import xxhash

from iafa.durable import create_only
from iafa.errors import DataDamaged
from iafa.event import ID_CHARS_MAX, identity_hash, is_identity
from iafa.lake.layout import Layout, identity_path
from iafa.lake.manifest import Manifest, Manifests, Trashed
from iafa.lake.schema import TIME_TYPE

IDENTIFY_EVENTS = ("identify", "$identify")
ALIAS_EVENTS = ("alias",)
EDGE_EVENTS = (*IDENTIFY_EVENTS, *ALIAS_EVENTS)
EDGE_COLUMNS = ("id", "event_type", "user_id", "anonymous_id", "created_at", "properties")  # what makes an edge
PAIR_PREFIX = "pair-"  # begins the id of an edge that no single event brought
OF_EVENT = "\n"  # between an event's id, which has no line break, and what tells its further edges apart
FILES_MAX = 32

EDGE_SCHEMA = pa.schema(
    [
        pa.field("id", pa.string(), nullable=False),
        pa.field("user_id", pa.string(), nullable=False),
        pa.field("other", pa.string(), nullable=False),
        pa.field("at", TIME_TYPE, nullable=False),
        pa.field("is_alias", pa.bool_(), nullable=False),
        pa.field("is_revoked", pa.bool_(), nullable=False),
        pa.field("id_hash", pa.int64(), nullable=False),
        pa.field("user_hash", pa.int64(), nullable=False),
        pa.field("other_hash", pa.int64(), nullable=False),
    ]
)
# Whose the events of an identity are, from when until when.
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

    @property
    def event_id(self) -> str:
        """The event that brought it."""
        return self.id.partition(OF_EVENT)[0]


@dataclass(frozen=True)
class IdentityEdges:
    """Reads and adds the edges of all projects of a data directory."""

    layout: Layout
    manifests: Manifests

    def edges(self, project_id: str, manifest: Manifest) -> tuple[Edge, ...]:
        """All edges of a generation, each id once, revoked ones too."""
        tables = self._tables(project_id, manifest.identity)
        return edges_of_table(last_of_each(pa.concat_tables([EDGE_SCHEMA.empty_table(), *tables])))

    def read(self, project_id: str, path: str) -> pa.Table:
        """One file. Raises DataDamaged when it is not what was written."""
        file = self.layout.lake_file(project_id, path)
        try:
            data = file.read_bytes()
        except FileNotFoundError as error:
            raise DataDamaged(f"identity file {file} is missing; restore it from a backup") from error
        if identity_path(xxhash.xxh64_hexdigest(data)) != path:
            raise DataDamaged(f"identity file {file} is damaged: its checksum is wrong; restore it from a backup")
        return pq.read_table(pa.BufferReader(data), schema=EDGE_SCHEMA)

    def add_edges(self, project_id: str, edges: Iterable[Edge]) -> Manifest:
        """Add what is not known yet. The caller holds the writer lock."""
        manifest = self.manifests.latest(project_id)
        known = {edge.id: edge for edge in self.edges(project_id, manifest)}
        fresh = {edge.id: edge for edge in edges if known.get(edge.id) != edge}
        return self.add_table(project_id, table_of(list(fresh.values()))) if fresh else manifest

    def revoke(self, project_id: str, event_ids: Collection[str], *, is_revoked: bool = True) -> tuple[Edge, ...]:
        """Take back the edges that these events brought, or let them count again; those that were changed. The caller
        holds the writer lock. No event is touched."""
        wanted = set(event_ids)
        changed = tuple(
            msgspec.structs.replace(edge, is_revoked=is_revoked)
            for edge in self.edges(project_id, self.manifests.latest(project_id))
            if edge.event_id in wanted and edge.is_revoked != is_revoked
        )
        if changed:
            self.add_edges(project_id, changed)
        return changed

    def add_table(self, project_id: str, fresh: pa.Table) -> Manifest:
        """Add edges without asking whether they are known: an edge that is there twice counts once.

        Smaller files before it become one with it, so that there are few and each edge is rarely written again.
        """
        manifest = self.manifests.latest(project_id)
        kept, merged, rows = list(manifest.identity), [fresh], fresh.num_rows
        while kept and (len(kept) >= FILES_MAX or self._rows(project_id, kept[-1]) <= rows):
            merged.insert(0, self.read(project_id, kept.pop()))
            rows += merged[0].num_rows
        path = self._write(project_id, last_of_each(pa.concat_tables(merged)))
        until_us = manifest.made_at_us

        def change(base: Manifest) -> Manifest:
            gone = [old for old in base.identity if old not in kept and old != path]
            trashed = tuple(Trashed(old, max(until_us, base.made_at_us) + self.manifests.grace_us) for old in gone)
            return msgspec.structs.replace(base, identity=(*kept, path), trash=base.trash + trashed)

        return manifest if manifest.identity == (*kept, path) else self.manifests.commit(project_id, change)

    def without(self, project_id: str, paths: Iterable[str], ids: pa.Array) -> tuple[str, ...]:
        """The files without the edges of these ids: those that hold some are written anew, for a next generation."""
        kept: list[str] = []
        for path in paths:
            edges = self.read(project_id, path)
            left = edges.filter(pc.invert(pc.is_in(edges.column("id"), value_set=ids)))
            if left.num_rows:
                kept.append(path if left.num_rows == edges.num_rows else self._write(project_id, left))
        return tuple(kept)

    def unknown(self, project_id: str, edges: pa.Table) -> pa.Table:
        """Those whose id no file holds, for a known one may have been revoked since; and pairs that stand at a later
        time there, for a pair holds from its earliest event on, in whichever order the files come."""
        tables = self._tables(project_id, self.manifests.latest(project_id).identity)
        known = last_of_each(pa.concat_tables([EDGE_SCHEMA.empty_table(), *tables]))
        if not known.num_rows:
            return edges
        order = np.argsort(int64s(known, "id_hash"))
        hashes, wanted = int64s(known, "id_hash")[order], int64s(edges, "id_hash")
        places = np.minimum(np.searchsorted(hashes, wanted), len(hashes) - 1)
        is_known = hashes[places] == wanted
        is_later_there = int64s(known, "at")[order][places] > int64s(edges, "at")
        is_revoked = known.column("is_revoked").to_numpy()[order][places]
        is_pair = pc.starts_with(edges.column("id"), PAIR_PREFIX).to_numpy()
        return edges.filter(pa.array(~is_known | (is_pair & is_later_there & ~is_revoked)))

    def _rows(self, project_id: str, path: str) -> int:
        try:
            return int(pq.read_metadata(self.layout.lake_file(project_id, path)).num_rows)
        except (FileNotFoundError, pa.ArrowException) as error:
            raise DataDamaged(f"identity file {path} is damaged or missing; restore it from a backup") from error

    def _tables(self, project_id: str, paths: Iterable[str]) -> list[pa.Table]:
        return [self.read(project_id, path) for path in paths]

    def _write(self, project_id: str, edges: pa.Table) -> str:
        sink = pa.BufferOutputStream()
        pq.write_table(edges, sink, compression="zstd", compression_level=1)
        data = sink.getvalue().to_pybytes()
        path = identity_path(xxhash.xxh64_hexdigest(data))
        create_only(self.layout.project(project_id) / path, data, temporary_dir=self.layout.tmp)
        return path


def edges_of_table(table: pa.Table) -> tuple[Edge, ...]:
    """The rows of EDGE_SCHEMA as edges."""
    times = int64s(table, "at").tolist()
    return tuple(
        Edge(
            row["id"],
            row["user_id"],
            row["other"],
            at_us,
            "alias" if row["is_alias"] else "identify",
            row["is_revoked"],
        )
        for row, at_us in zip(table.drop_columns(["at"]).to_pylist(), times, strict=True)
    )


def table_of(edges: Sequence[Edge]) -> pa.Table:
    """The edges as rows of EDGE_SCHEMA."""
    texts = [[getattr(edge, name) for edge in edges] for name in ("id", "user_id", "other")]
    flags = [[edge.kind == "alias" for edge in edges], [edge.is_revoked for edge in edges]]
    times = pa.array([edge.at_us for edge in edges], pa.int64()).cast(TIME_TYPE)
    return _table(texts, times, flags)


def edges_of(events: pa.Table) -> pa.Table:
    """The edges that events bring: an `identify` that carries both ids, an `alias` that names the person's other id."""
    wanted = pc.is_in(events.column("event_type"), value_set=pa.array(EDGE_EVENTS))
    if not pc.any(wanted).as_py():
        return EDGE_SCHEMA.empty_table()
    rows = events.select(EDGE_COLUMNS).filter(wanted)
    is_alias = pc.is_in(rows.column("event_type"), value_set=pa.array(ALIAS_EVENTS))
    aliases = table_of(_aliases(rows.filter(is_alias)))
    rows = rows.filter(pc.invert(is_alias)).select(["id", "user_id", "anonymous_id", "created_at"]).drop_null()
    texts = [rows.column(name).to_pylist() for name in ("id", "user_id", "anonymous_id")]
    never = [False] * rows.num_rows
    return pa.concat_tables([_table(texts, rows.column("created_at").combine_chunks(), [never, never]), aliases])


def edges_of_pairs(events: pa.Table) -> pa.Table:
    """For events of a tool that takes a device for a user's when one event carries both ids: an edge for each pair, at
    its earliest event. The id follows from the pair, so that further events of it bring nothing new."""
    rows = events.select(["user_id", "anonymous_id", "created_at"]).drop_null()
    rows = rows.filter(pc.not_equal(rows.column("user_id"), rows.column("anonymous_id")))
    pairs = rows.group_by(["user_id", "anonymous_id"]).aggregate([("created_at", "min")])
    texts = [pairs.column(name).to_pylist() for name in ("user_id", "anonymous_id")]
    ids = [
        f"{PAIR_PREFIX}{xxhash.xxh3_128_hexdigest(OF_EVENT.join(pair).encode())}" for pair in zip(*texts, strict=True)
    ]
    never = [False] * pairs.num_rows
    return _table([ids, *texts], pairs.column("created_at_min").combine_chunks(), [never, never])


def earliest_of_each(edges: pa.Table) -> pa.Table:
    """Each id once: its earliest row."""
    return last_of_each(edges.sort_by([("at", "descending")]))


class _Aliased(msgspec.Struct):
    previous_id: str | int | None = None


def _aliases(rows: pa.Table) -> list[Edge]:
    """Whether the other id was a user's or an anonymous one, and which of the two came first, an alias does not say:
    the two are one person whichever they are."""
    found = []
    columns = [rows.column(name).to_pylist() for name in ("id", "user_id", "properties")]
    for id_, user, properties, at_us in zip(*columns, int64s(rows, "created_at").tolist(), strict=True):
        other = _previous_id(properties)
        if user is not None and other is not None and user != other:
            found.append(Edge(id_, user, other, at_us, "alias"))
            found.append(Edge(f"{id_}{OF_EVENT}other", user, other, at_us))
            found.append(Edge(f"{id_}{OF_EVENT}user", other, user, at_us))
    return found


def _previous_id(properties: str) -> str | None:
    try:
        previous = msgspec.json.decode(properties, type=_Aliased).previous_id
    except msgspec.DecodeError:
        return None
    text = str(previous)
    return text if previous is not None and is_identity(text) and len(text) <= ID_CHARS_MAX else None


def last_of_each(edges: pa.Table) -> pa.Table:
    """Each id once: its last row."""
    hashes = int64s(edges, "id_hash")
    _ids, places = np.unique(hashes[::-1], return_index=True)
    if len(places) == len(hashes):
        return edges.combine_chunks()
    return edges.take(np.sort(len(hashes) - 1 - places)).combine_chunks()


def int64s(table: pa.Table, name: str) -> npt.NDArray[np.int64]:
    """A column of whole numbers, or of times in microseconds."""
    numbers: npt.NDArray[np.int64] = table.column(name).cast(pa.int64()).to_numpy()
    return numbers


def _table(texts: Sequence[list[str]], times: pa.Array, flags: Sequence[list[bool]]) -> pa.Table:
    hashes = [pa.array([identity_hash(text) for text in column], pa.int64()) for column in texts]
    columns = [
        *(pa.array(column, pa.string()) for column in texts),
        times,
        *(pa.array(one, pa.bool_()) for one in flags),
    ]
    return pa.Table.from_arrays([*columns, *hashes], schema=EDGE_SCHEMA)

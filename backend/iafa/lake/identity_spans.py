"""Whose events are whose: the spans of time that follow from all edges, kept up to date edge by edge.

All edges of a project are held as numbers. A few new ones touch the spans of their own anonymous ids only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.event import TIME_MAX_US, identity_hash
from iafa.lake.identity import EDGE_SCHEMA, IDENTITY_SCHEMA, IdentityEdges, int64s, last_of_each
from iafa.lake.manifest import Manifest
from iafa.lake.recent import Recent

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
_CONTENT = ("user_hash", "other_hash", "at", "is_alias", "is_revoked")


class _Spans(NamedTuple):
    """By (anonymous id, time). They do not overlap."""

    identity: Int64s
    from_us: Int64s
    until_us: Int64s
    owner: Int64s


@dataclass(frozen=True)
class Identities:
    """Edges, each id once, and what follows from them."""

    edges: pa.Table
    labels: Mapping[int, int] = field(default_factory=dict)  # users that aliases joined: hash -> hash of the label
    spans: _Spans = field(default_factory=lambda: _Spans(*(np.zeros(0, dtype=np.int64) for _ in range(4))))

    @classmethod
    def of(cls, edges: pa.Table) -> "Identities":
        """All of them at once; of an id the last row counts."""
        edges = last_of_each(edges)
        labels = _labels(edges)
        return cls(edges, labels, _spans(edges, labels))

    def joined(self, fresh: pa.Table) -> "Identities":
        """With further edges. Those that are known already change nothing, unless they say something else now."""
        fresh = last_of_each(fresh)
        is_new, is_changed = self._compare(fresh)
        if is_changed:
            return Identities.of(pa.concat_tables([self.edges, fresh]))
        fresh = fresh.filter(pa.array(is_new))
        if not fresh.num_rows:
            return self
        edges = pa.concat_tables([self.edges, fresh]).combine_chunks()
        if _flags(fresh, "is_alias").any():
            return Identities.of(edges)
        touched = np.unique(int64s(fresh, "other_hash"))
        theirs = _spans(edges.filter(pa.array(_is_in(int64s(edges, "other_hash"), touched))), self.labels)
        kept = ~_is_in(self.spans.identity, touched)
        spans = _Spans(*(np.concatenate([old[kept], new]) for old, new in zip(self.spans, theirs, strict=True)))
        return Identities(edges, self.labels, spans)

    def with_unknown(self, fresh: pa.Table) -> "Identities":
        """With the further edges whose id is not known: events that wait know nothing newer of what is stored."""
        if not fresh.num_rows:
            return self
        is_new, _is_changed = self._compare(last_of_each(fresh))
        return self.joined(last_of_each(fresh).filter(pa.array(is_new)))

    def at(self, time_us: int) -> "Identities":
        """What was known at that time: without the edges that came later."""
        is_later = int64s(self.edges, "at") > time_us
        return Identities.of(self.edges.filter(pa.array(~is_later))) if is_later.any() else self

    @cached_property
    def table(self) -> pa.Table | None:
        """Rows of IDENTITY_SCHEMA; None if no event belongs to anybody else than it says itself."""
        users = [(user, label) for user, label in self.labels.items() if user != label]
        rows = len(self.spans.identity) + len(users)
        if not rows:
            return None
        known, owners = np.array(users, dtype=np.int64).reshape(-1, 2).T
        columns = [
            np.concatenate([self.spans.identity, known]),
            np.arange(rows) < len(self.spans.identity),
            np.concatenate([self.spans.from_us, np.zeros_like(known)]),
            np.concatenate([self.spans.until_us, np.full_like(known, TIME_MAX_US)]),
            np.concatenate([self.spans.owner, owners]),
        ]
        arrays = [pa.array(column).cast(wanted.type) for column, wanted in zip(columns, IDENTITY_SCHEMA, strict=True)]
        return pa.Table.from_arrays(arrays, schema=IDENTITY_SCHEMA)

    def _compare(self, fresh: pa.Table) -> tuple[Mask, bool]:
        """Which edges have a new id, and whether one with a known id says something else than before."""
        asked = np.sort(int64s(fresh, "id_hash"))
        known = self.edges.filter(pa.array(_is_in(int64s(self.edges, "id_hash"), asked)))
        is_new = ~_is_in(int64s(fresh, "id_hash"), np.sort(int64s(known, "id_hash")))
        again = fresh.filter(pa.array(~is_new))
        both = [table.sort_by("id_hash").select(_CONTENT) for table in (again, known)]
        return is_new, not both[0].equals(both[1])


class _Known(NamedTuple):
    """Of one project: its files with how many edges each has, and what follows from them."""

    files: Mapping[str, int]
    identities: Identities


class KnownIdentities:
    """The identities of projects, from the files of their manifests; read again only as far as these have changed."""

    def __init__(self, edges: IdentityEdges) -> None:
        self._edges = edges
        self._known: Recent[_Known] = Recent()

    def __len__(self) -> int:
        return len(self._known)

    def of(self, project_id: str, manifest: Manifest) -> Identities:
        """Raises DataDamaged when a file is missing or damaged. For one thread at a time."""
        files = manifest.identity
        had, found = self._known.get(project_id) or _Known({}, Identities(EDGE_SCHEMA.empty_table()))
        if files == tuple(had):
            return found
        fresh = {path: self._edges.read(project_id, path) for path in files if path not in had}
        rows = {path: fresh[path].num_rows if path in fresh else had[path] for path in files}
        if fresh:
            found = found.joined(pa.concat_tables(fresh.values()))
        if found.edges.num_rows != sum(rows.values()):
            # Edges have gone, or are in two files: the whole says which.
            whole = [self._edges.read(project_id, path) for path in files]
            found = Identities.of(pa.concat_tables([EDGE_SCHEMA.empty_table(), *whole]))
        self._known.keep(project_id, _Known(rows, found))
        return found


def _spans(edges: pa.Table, labels: Mapping[int, int]) -> _Spans:
    """From the first edge of an anonymous id on, and before it too, its events are its user's, until the next edge."""
    edges = edges.filter(pa.array(~(_flags(edges, "is_alias") | _flags(edges, "is_revoked"))))
    other, at_us = int64s(edges, "other_hash"), int64s(edges, "at")
    owner = _labelled(int64s(edges, "user_hash"), labels)
    order = np.lexsort((at_us, other))
    is_tied = _same_as_next(other[order]) & _same_as_next(at_us[order])
    if is_tied.any():
        tied = is_tied | np.concatenate([[False], is_tied[:-1]])
        rows = order[tied]
        ids = edges.column("id").take(pa.array(rows)).to_pylist()
        by_id = sorted(range(len(rows)), key=lambda place: (other[rows[place]], at_us[rows[place]], ids[place]))
        order[tied] = rows[by_id]
    first = order[~_same_as_previous(other[order])]
    order = order[~is_tied]  # the last edge of an instant counts from then on, the very first one before
    identity, times, owners = other[order], at_us[order], owner[order]
    earlier = first[owner[first] != owners[~_same_as_previous(identity)]]
    if len(earlier):
        identity, owners = np.append(identity, other[earlier]), np.append(owners, owner[earlier])
        times = np.append(times, np.full(len(earlier), -1))
        order = np.lexsort((times, identity))
        identity, times, owners = identity[order], times[order], owners[order]
    begins = ~(_same_as_previous(identity) & _same_as_previous(owners))
    identity, times, owners = identity[begins], times[begins], owners[begins]
    ends = np.append(times[1:], 0)[: len(times)] - 1
    from_us = np.where(_same_as_previous(identity), times, 0)
    return _Spans(identity, from_us, np.where(_same_as_next(identity), ends, TIME_MAX_US), owners)


def _labels(edges: pa.Table) -> dict[int, int]:
    """The smallest id of the users that aliases connect, for each of them; as hashes."""
    aliases = edges.filter(pa.array(_flags(edges, "is_alias") & ~_flags(edges, "is_revoked")))
    parent: dict[str, str] = {}

    def root(user: str) -> str:
        parent.setdefault(user, user)
        while parent[user] != user:
            parent[user] = parent[parent[user]]
            user = parent[user]
        return user

    for users in zip(aliases.column("user_id").to_pylist(), aliases.column("other").to_pylist(), strict=True):
        one, other = sorted(map(root, users))
        parent[other] = one
    return {identity_hash(user): identity_hash(root(user)) for user in list(parent)}


def _labelled(users: Int64s, labels: Mapping[int, int]) -> Int64s:
    if not labels:
        return users
    known = np.array(sorted(labels), dtype=np.int64)
    to = np.array([labels[user] for user in known.tolist()], dtype=np.int64)
    places = np.minimum(np.searchsorted(known, users), len(known) - 1)
    return np.where(known[places] == users, to[places], users)


def _is_in(values: Int64s, ascending: Int64s) -> Mask:
    """Cheap when there are few to look for, however many values there are."""
    if not len(ascending):
        return np.zeros(len(values), dtype=np.bool_)
    places = np.minimum(np.searchsorted(ascending, values), len(ascending) - 1)
    is_in: Mask = ascending[places] == values
    return is_in


def _same_as_next(values: Int64s) -> Mask:
    return np.append(values[1:] == values[:-1], False) if len(values) else np.zeros(0, dtype=np.bool_)


def _same_as_previous(values: Int64s) -> Mask:
    return _same_as_next(values[::-1])[::-1]


def _flags(table: pa.Table, name: str) -> Mask:
    flags: Mask = table.column(name).to_numpy()
    return flags

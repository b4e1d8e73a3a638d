"""Whom an id means: the person of a user, by all identity edges, and what their events were stored as; and the persons
of a few events, for which the engine would build a table of all edges."""

from collections import defaultdict
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from iafa.event import identity_hash
from iafa.lake.identity import int64s
from iafa.lake.snapshot import Snapshot


class Persons(NamedTuple):
    """`people` by the hash that an event is resolved to; `stored` are the hashes that their events can have in files:
    enough to leave out most rows before they are resolved."""

    people: list[int]
    stored: list[int]


def persons_of(snapshot: Snapshot, user_id: str) -> Persons:
    """The person that the user is. An anonymous id means also the people to whom its events belong."""
    asked = identity_hash(user_id)
    if snapshot.identities is None:
        return Persons([asked], [asked])
    identity, owner = int64s(snapshot.identities, "identity_hash"), int64s(snapshot.identities, "owner_hash")
    is_anonymous = snapshot.identities.column("is_anonymous").to_numpy()
    is_asked = identity == asked
    labels = owner[is_asked & ~is_anonymous].tolist() or [asked]
    people = sorted({*labels, *owner[is_asked & is_anonymous].tolist()})
    stored = sorted({*people, *identity[np.isin(owner, people)].tolist()})
    return Persons(people, stored)


def with_persons(snapshot: Snapshot, events: pa.Table) -> pa.Table:
    """Stored events with the hash of the person that each belongs to as `user_hash`, as `resolved_events.sql` says."""
    if snapshot.identities is None:
        return events
    stored, times = int64s(events, "user_hash"), int64s(events, "created_at")
    spans = snapshot.identities.filter(
        pc.is_in(snapshot.identities.column("identity_hash"), value_set=pa.array(np.unique(stored)))
    )
    owners: dict[tuple[int, bool], list[tuple[int, int, int]]] = defaultdict(list)
    columns = [int64s(spans, name).tolist() for name in ("identity_hash", "from_at", "until_at", "owner_hash")]
    for identity, from_us, until_us, owner, is_anonymous in zip(
        *columns, spans.column("is_anonymous").to_pylist(), strict=True
    ):
        owners[identity, is_anonymous].append((from_us, until_us, owner))
    are_anonymous = events.column("user_id").is_null().to_pylist()
    found = [
        next((owner for low, high, owner in owners.get((one, is_anonymous), ()) if low <= time_us <= high), one)
        for one, is_anonymous, time_us in zip(stored.tolist(), are_anonymous, times.tolist(), strict=True)
    ]
    place = events.schema.get_field_index("user_hash")
    return events.set_column(place, events.schema.field(place), pa.array(found, pa.int64()))

"""Whom an id means: the person of a user, by all identity edges, and what their events were stored as."""

from typing import NamedTuple

import numpy as np

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

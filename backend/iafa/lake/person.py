"""Who a person is: all ids that identity edges give to one person, each anonymous one with the time it is theirs."""

from collections.abc import Iterable

import msgspec
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.errors import Conflict
from iafa.event import TIME_MAX_US, identity_hash
from iafa.lake.identity import Edge, edges_of_table, int64s
from iafa.lake.identity_spans import Identities

Mask = npt.NDArray[np.bool_]


class Span(msgspec.Struct, frozen=True):
    """An anonymous id, and the times of those of its events that are the person's; both are included."""

    id: str
    from_us: int = 0
    until_us: int = TIME_MAX_US


class Person(msgspec.Struct, frozen=True):
    """`key` is what reports know the person by. Every id is in clear: this is never written down for long."""

    key: int
    users: tuple[str, ...]
    anonymous: tuple[Span, ...]

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(self.users) | {span.id for span in self.anonymous}


def person_called(known: Identities, called: str) -> Person:
    """Whom a user id, or an anonymous id of one person, means. Raises Conflict for a device of several people."""
    hashed = identity_hash(called)
    owners = set(known.spans.owner[known.spans.identity == hashed].tolist())
    if not owners or _is_user(known, hashed):
        return person_of(known, known.labels.get(hashed, hashed), called)
    if len(owners) > 1:
        raise Conflict("several people have used this anonymous id one after the other; name the user")
    return person_of(known, owners.pop(), called)


def person_of(known: Identities, key: int, called: str) -> Person:
    """`called` is an id of the person, for one whom no edge names."""
    hashes = {user for user, label in known.labels.items() if label == key} | {key}
    texts = _texts(known.edges, "user_id", hashes) | _texts(known.edges, "other", hashes)
    if identity_hash(called) == key:
        texts[key] = called
    theirs = known.spans.owner == key
    names = _texts(known.edges, "other", known.spans.identity[theirs].tolist())
    columns = (known.spans.identity, known.spans.from_us, known.spans.until_us)
    rows = zip(*(column[theirs].tolist() for column in columns), strict=True)
    spans = [Span(names[one], from_us, until_us) for one, from_us, until_us in rows]
    if key in texts and not (known.spans.identity == key).any():
        spans.append(Span(texts[key]))  # without an edge an anonymous id of the same text is the same person
    return Person(key, tuple(sorted(texts.values())), tuple(sorted(spans, key=lambda one: (one.id, one.from_us))))


def edges_naming(known: Identities, person: Person) -> Mask:
    """Which edges, revoked ones too, are the person's own. One that gives a shared device to somebody else is not."""
    edges = known.edges
    users, other = int64s(edges, "user_hash"), int64s(edges, "other_hash")
    own_users = [identity_hash(one) for one in person.users]
    of_others = known.spans.identity[known.spans.owner != person.key]
    devices = [identity_hash(one) for one in {span.id for span in person.anonymous}]
    own_devices = [one for one in devices if one not in of_others]
    is_alias: Mask = edges.column("is_alias").to_numpy()
    found: Mask = np.isin(users, own_users) | (is_alias & np.isin(other, own_users)) | np.isin(other, own_devices)
    return found


def edges_of_person(known: Identities, person: Person) -> list[Edge]:
    """By time; revoked ones too."""
    edges = edges_of_table(known.edges.filter(pa.array(edges_naming(known, person))))
    return sorted(edges, key=lambda edge: (edge.at_us, edge.id))


def _is_user(known: Identities, hashed: int) -> bool:
    edges = known.edges
    names: Mask = int64s(edges, "user_hash") == hashed
    return hashed in known.labels or bool((names & ~edges.column("is_revoked").to_numpy()).any())


def _texts(edges: pa.Table, column: str, hashes: Iterable[int]) -> dict[int, str]:
    """The ids behind hashes, as far as this column names them."""
    name = "user_hash" if column == "user_id" else "other_hash"
    found = np.isin(int64s(edges, name), np.array(list(hashes), dtype=np.int64))
    rows = edges.filter(pa.array(found))
    return dict(zip(int64s(rows, name).tolist(), rows.column(column).to_pylist(), strict=True))

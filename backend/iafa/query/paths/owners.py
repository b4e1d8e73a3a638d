"""Whose events are they, by the spans of identity edges? The join of `resolved_events.sql` as a table in memory."""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from iafa.query.paths.compiled import compiled
from iafa.query.paths.plan import Int32s, Int64s

_PLACES_BITS_MAX = 22


class Owners(NamedTuple):
    """The spans, by identity as an unsigned number. They do not overlap."""

    identity: Int64s
    is_anonymous: npt.NDArray[np.bool_]
    from_us: Int64s
    until_us: Int64s
    owner: Int64s
    places: Int64s  # by the leading bits of an identity, where those begin; and the number of all
    shift: int  # how many bits follow the leading ones


def owners_of(identities: pa.Table | None) -> Owners:
    """Rows of IDENTITY_SCHEMA; without any nobody owns what is another's."""
    if identities is None:
        empty = np.zeros(0, dtype=np.int64)
        return Owners(empty, np.zeros(0, dtype=np.bool_), empty, empty, empty, np.zeros(3, dtype=np.int64), 63)
    bits = max(1, min(_PLACES_BITS_MAX, identities.num_rows.bit_length()))
    unsigned = _int64(identities, "identity_hash").view(np.uint64)
    order = np.argsort(unsigned)
    shift = 64 - bits
    leading = (unsigned[order] >> np.uint64(shift)).astype(np.int64)
    return Owners(
        _int64(identities, "identity_hash")[order],
        identities.column("is_anonymous").to_numpy()[order],
        _int64(identities, "from_at")[order],
        _int64(identities, "until_at")[order],
        _int64(identities, "owner_hash")[order],
        np.searchsorted(leading, np.arange((1 << bits) + 1)).astype(np.int64),
        shift,
    )


@compiled
def resolve(
    owners: Owners, entities: Int64s, time_us: Int64s, marks: Int32s, anonymous_bit: int, found: Int64s
) -> None:
    """Write by event whose it is. The bit of its mark says whether it has no user."""
    for row in range(len(entities)):
        entity = entities[row]
        found[row] = entity
        leading = np.int64(np.uint64(entity) >> np.uint64(owners.shift))
        for place in range(owners.places[leading], owners.places[leading + 1]):
            if (
                owners.identity[place] == entity
                and owners.is_anonymous[place] == (marks[row] >> anonymous_bit & 1 != 0)
                and owners.from_us[place] <= time_us[row] <= owners.until_us[place]
            ):
                found[row] = owners.owner[place]
                break


def _int64(table: pa.Table, name: str) -> Int64s:
    column = table.column(name)
    numbers = column.cast(pa.int64()) if not pa.types.is_int64(column.type) else column
    return np.ascontiguousarray(numbers.to_numpy())

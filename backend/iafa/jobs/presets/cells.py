"""What cells of other tools' exports hold. An export may be JSON or a table, where an object is a text."""

import hashlib
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from iafa.event import Campaign
from iafa.jobs.upload_columns import read_time

MISSING = (None, "", "\\N")  # the last is how databases write a missing value into a text file
UTM = {f"utm_{name}": name for name in Campaign.__struct_fields__}


class Row(NamedTuple):
    """An event in wire form, by the canonical names of its fields, and what is known of its visitor."""

    wire: dict[str, Any]
    campaign: Campaign | None = None
    address: str | None = None


def found_object(cell: object) -> dict[str, Any]:
    """The object that a cell is, or is the JSON text of. Empty for everything else."""
    if isinstance(cell, str):
        try:
            cell = msgspec.json.decode(cell)
        except (msgspec.DecodeError, RecursionError):
            return {}
    return dict(cell) if isinstance(cell, Mapping) else {}


def kept(row: Mapping[str, Any], taken: frozenset[str]) -> dict[str, Any]:
    """The members of a row that mean something and that nothing else was made of."""
    return {name: value for name, value in row.items() if name not in taken and value not in MISSING}


def text(cell: object) -> str | None:
    """A short text, or a number as one; None for what is missing or neither."""
    if isinstance(cell, bool) or cell in MISSING or not isinstance(cell, str | int):
        return None
    return str(cell)


def number(cell: object) -> int | None:
    """An integer, also one that JSON or a table holds as a text."""
    if isinstance(cell, str) and cell.isascii() and cell.removeprefix("-").isdigit() and len(cell) < 20:
        return int(cell)
    return cell if isinstance(cell, int) and not isinstance(cell, bool) else None


def time(cell: object) -> Any:
    """What the pipeline reads as a time; what is none stays as it is and is refused there."""
    return read_time(cell) if isinstance(cell, str) else cell


def made_id(*parts: object) -> str:
    """An id for an event whose tool tells equal events by several members: the same for the same event."""
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).hexdigest()


def renamed(properties: dict[str, Any], names: Mapping[str, str]) -> None:
    """Give properties the names that they have here, where the caller does not use these himself."""
    for theirs, ours in names.items():
        if theirs in properties and ours not in properties:
            properties[ours] = properties.pop(theirs)


def present(**fields: Any) -> dict[str, Any]:
    """The wire form without the fields that are not there."""
    return {name: value for name, value in fields.items() if value is not None}

"""Saving what files say: each funnel is found again by its key, changed only where it differs, removed only on request.

What people have made by hand has no key and is never removed.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import msgspec

from iafa.checks.written import WrittenFunnel
from iafa.errors import ValidationFailed
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.query.definition import to_dict
from iafa.query.definition_reading import parse_definition
from iafa.query.field_errors import pointer_to

DIFFERENCES_MAX = 20
VALUE_CHARS_MAX = 60
Action = Literal["created", "changed", "unchanged", "removed"]
_ORDER: tuple[Action, ...] = ("removed", "changed", "created", "unchanged")


class Change(msgspec.Struct, frozen=True):
    """What happens to one saved funnel, and where it differs from what was saved."""

    action: Action
    name: str
    key: str
    funnel_id: str | None = None
    version: int | None = None
    differences: list[str] = []
    adopts: bool = False  # the funnel was made by hand, and a file speaks for it from now on


def planned(
    saved: Sequence[StoredFunnel], written: Sequence[WrittenFunnel], project_id: str, *, prunes: bool
) -> list[tuple[Change, WrittenFunnel | None]]:
    """All changes of one project in the order of the files, removals last; nothing is saved yet."""
    changes: list[tuple[Change, WrittenFunnel | None]] = []
    kept = set()
    for funnel in written:
        old = _found(saved, funnel, {one.stable_key for one in written})
        if old is None:
            changes.append((Change("created", funnel.name, funnel.stable_key), funnel))
            continue
        kept.add(old.id)
        differences = list(_differences(_plain(old), funnel.stored(project_id), ""))[:DIFFERENCES_MAX]
        changes.append(
            (
                Change(
                    "changed" if differences else "unchanged",
                    funnel.name,
                    funnel.stable_key,
                    old.id,
                    old.version,
                    differences,
                    adopts=old.key != funnel.stable_key,
                ),
                funnel,
            )
        )
    if prunes:
        changes += [
            (Change("removed", one.name, one.key, one.id, one.version), None)
            for one in saved
            if one.key is not None and one.id not in kept
        ]
    return changes


async def apply(
    funnels: Funnels, changes: Sequence[tuple[Change, WrittenFunnel | None]], project_id: str
) -> list[Change]:
    """Save the changes. Raises Conflict when somebody else has changed a funnel since they were planned."""
    # A name that a removed or renamed funnel has must be free before another one takes it.
    in_order = sorted(changes, key=lambda one: _ORDER.index(one[0].action))
    return [await _applied(funnels, change, funnel, project_id) for change, funnel in in_order]


async def _applied(funnels: Funnels, change: Change, funnel: WrittenFunnel | None, project_id: str) -> Change:
    if change.funnel_id is None:
        assert funnel is not None
        stored = await funnels.add(
            project_id, name=funnel.name, definition=funnel.stored(project_id), key=funnel.stable_key
        )
        return msgspec.structs.replace(change, funnel_id=stored.id, version=stored.version)
    if change.action == "removed":
        await funnels.remove(change.funnel_id)
        return change
    assert funnel is not None
    if change.action == "changed":
        stored = await funnels.replace(
            change.funnel_id,
            name=funnel.name,
            definition=funnel.stored(project_id),
            expected_version=change.version,
        )
        change = msgspec.structs.replace(change, version=stored.version)
    if change.adopts:
        assert change.funnel_id is not None
        await funnels.claim(change.funnel_id, change.key)
    return change


def _found(saved: Sequence[StoredFunnel], funnel: WrittenFunnel, keys: set[str]) -> StoredFunnel | None:
    """The saved funnel of the key, else the one of the name that no other file speaks for."""
    for one in saved:
        if one.key == funnel.stable_key:
            return one
    return next(
        (one for one in saved if one.name.casefold() == funnel.name.casefold() and one.key not in keys),
        None,
    )


def _plain(saved: StoredFunnel) -> dict[str, object]:
    """The saved definition in today's form; as it stands, if today's rules refuse it."""
    try:
        plain = to_dict(parse_definition(saved.definition))
    except ValidationFailed:
        plain = dict(saved.definition)
    return {**plain, "project_id": saved.project_id, "name": saved.name}


def _differences(old: object, new: object, pointer: str) -> Iterator[str]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from _differences(old.get(key), new.get(key), pointer_to(pointer, key))
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            one = old[place] if place < len(old) else None
            other = new[place] if place < len(new) else None
            yield from _differences(one, other, pointer_to(pointer, place))
    elif type(old) is not type(new) or old != new:
        yield f"{pointer}: {_shown(old)} -> {_shown(new)}"


def _shown(value: object) -> str:
    if value is None:
        return "nothing"
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= VALUE_CHARS_MAX else f"{text[:VALUE_CHARS_MAX]}..."

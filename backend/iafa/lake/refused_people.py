"""Whose a refused event is. Nobody could tell when it came, so its text says whether it names a person."""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from iafa.lake.erasure import ErasedPeople, Mask
from iafa.lake.person import Person
from iafa.lake.quarantine import Refusal

LONG_ID_CHARS = 8  # of an id that is no other word by chance, wherever it stands
NAMING = frozenset(
    {"userid", "anonymousid", "distinctid", "anondistinctid", "previousid", "deviceid", "alias", "visitor"}
)
TEXTS = ("body", "sender", "message", "event_id")


@dataclass(frozen=True)
class Naming:
    """Texts that name one of the ids: as a value of their JSON, or, if the id is long, anywhere."""

    ids: frozenset[str]

    def is_in(self, *texts: str | None) -> bool:
        return any(text and self._is_in(text) for text in texts)

    def _is_in(self, text: str) -> bool:
        if not any(form in text for form in self._forms):
            return False
        if self._long.search(text):
            return True
        try:
            values = list(_values(json.loads(text)))
        except (ValueError, RecursionError):
            return any(f'"{form}"' in text for form in self._forms) or text in self.ids
        return any(value in self.ids for value in values)

    def names_sender_of(self, *texts: str | None) -> bool:
        """True if one of the ids is said to be somebody's: other words may be equal to an id by chance, or by mistake
        an event's name may be taken for one.
        """
        return any(text and any(form in text for form in self._forms) and self._is_said_in(text) for text in texts)

    def _is_said_in(self, text: str) -> bool:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return any(_plain(found[1]) in NAMING for found in self._said.finditer(text))
        return any(value in self.ids for value in _values(found, only=NAMING))

    @cached_property
    def _said(self) -> re.Pattern[str]:
        """In text that is no whole JSON."""
        return re.compile(rf'"([^"]*)"\s*:\s*"(?:{"|".join(map(re.escape, sorted(self._forms)))})"')

    @cached_property
    def _forms(self) -> frozenset[str]:
        return _forms(self.ids)

    @cached_property
    def _long(self) -> re.Pattern[str]:
        """As words of their own: an id may begin or end another one."""
        forms = sorted(_forms(one for one in self.ids if len(one) >= LONG_ID_CHARS))
        return re.compile(rf"(?<![\w-])(?:{'|'.join(map(re.escape, forms))})(?![\w-])" if forms else "(?!)")


def naming(person: Person) -> Naming:
    return Naming(person.ids)


def refused_mask(rows: pa.Table, people: ErasedPeople) -> Mask:
    """Which rows of the quarantine are of people who were erased since they came."""
    columns = [rows.column(name).to_pylist() for name in TEXTS]
    received = rows.column("received_at").cast(pa.int64()).to_pylist()
    found = [_is_theirs(people, at_us, texts) for at_us, *texts in zip(received, *columns, strict=True)]
    return np.array(found, dtype=np.bool_)


def left_refusals(refusals: Iterable[Refusal], people: ErasedPeople) -> list[Refusal]:
    """The same for what comes out of a journal."""
    return [
        one
        for one in refusals
        if not _is_theirs(
            people,
            one.received_at,
            (
                one.rejected.body,
                None if one.rejected.sender is None else one.rejected.sender.visitor,
                one.rejected.message,
                one.rejected.event_id,
            ),
        )
    ]


def _is_theirs(people: ErasedPeople, received_us: int, texts: Iterable[str | None]) -> bool:
    texts = tuple(texts)
    return any(received_us <= one.received_until_us and naming(one.person).is_in(*texts) for one in people.targets)


def _forms(ids: Iterable[str]) -> frozenset[str]:
    """As JSON writes them, with and without its escapes for other letters."""
    return frozenset(json.dumps(one, ensure_ascii=is_ascii)[1:-1] for one in ids for is_ascii in (True, False))


def _values(found: Any, member: str = "", *, only: frozenset[str] | None = None) -> Iterator[str]:
    """Every text of a document (or only of some members), and the numbers of members that name people."""
    if isinstance(found, dict):
        for name, value in found.items():
            yield from _values(value, name, only=only)
    elif isinstance(found, list):
        for value in found:
            yield from _values(value, member, only=only)
    elif isinstance(found, str) and (only is None or _plain(member) in only):
        yield found
    elif isinstance(found, int | float) and _plain(member) in NAMING:
        yield str(found)


def _plain(member: str) -> str:
    return member.lower().strip("$").replace("_", "")

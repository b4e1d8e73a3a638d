"""The fields of an event that are shown: columns, its person, single properties; their values as JSON has them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
import pyarrow as pa

from iafa.clock import to_iso
from iafa.event import NAME_CHARS_MAX
from iafa.lake.schema import COLUMNS, EVENT_SCHEMA
from iafa.query.entity_names import entity_text
from iafa.query.field_errors import FieldErrors

FIELDS_MAX = 200
PERSON = "person"
PROPERTY = "properties."
# The stored hash is not whose event it is; `person` says that.
FIELD_NAMES = (*(name for name in COLUMNS if name != "user_hash"), PERSON)
_FIRST = ("id", "event_type", "created_at", "user_id", "anonymous_id", PERSON)
DEFAULT_NAMES = (*_FIRST, *(name for name in FIELD_NAMES if name not in (*_FIRST, "project_id")))
_TIMES = ("created_at", "received_at")
_properties_decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True)
class Fields:
    """In the order in which they are shown, each once."""

    names: tuple[str, ...] = DEFAULT_NAMES

    @cached_property
    def columns(self) -> frozenset[str]:
        """The columns of an event that they are read from."""
        return frozenset(_column_of(name) for name in self.names)

    def rows(self, table: pa.Table) -> list[dict[str, Any]]:
        """Of events with these columns: values that JSON can hold, properties as their JSON text."""
        shown = list(zip(*(self._values(table, name) for name in self.names), strict=True))
        return [dict(zip(self.names, row, strict=True)) for row in shown]

    def cells(self, table: pa.Table) -> list[list[object]]:
        """The same as plain text for a table: JSON text for what is no text of its own, nothing for null."""
        return [list(row) for row in zip(*map(_texts, (self._values(table, name) for name in self.names)), strict=True)]

    def columns_of(self, table: pa.Table) -> pa.Table:
        """The same as Arrow columns: times stay times, single properties are texts."""
        arrays = [self._array(table, name) for name in self.names]
        return pa.Table.from_arrays(arrays, schema=self.schema)

    @cached_property
    def schema(self) -> pa.Schema:
        text = {name: pa.field(name, pa.string()) for name in self.names}
        found = [EVENT_SCHEMA.field(name) if name in COLUMNS else text[name] for name in self.names]
        return pa.schema(found, metadata=EVENT_SCHEMA.metadata)

    def _array(self, table: pa.Table, name: str) -> pa.Array | pa.ChunkedArray:
        if name in COLUMNS:
            return table.column(name).cast(EVENT_SCHEMA.field(name).type)
        return pa.array(_texts(self._values(table, name)), pa.string())

    def _values(self, table: pa.Table, name: str) -> list[Any]:
        column = table.column(_column_of(name))
        if name in _TIMES:
            return [to_iso(one) for one in column.cast(pa.int64()).to_pylist()]
        values: list[Any] = column.to_pylist()
        if name == PERSON:
            return [entity_text(one) for one in values]
        if name == "properties":
            return [msgspec.Raw(one.encode()) for one in values]
        if name.startswith(PROPERTY):
            wanted = name.removeprefix(PROPERTY)
            return [_properties_of(one).get(wanted) for one in values]
        return values


USUAL_FIELDS, ALL_STORED = Fields(), Fields(COLUMNS)


def parse_fields(given: Iterable[str]) -> Fields:
    """Names, each alone or several with commas between; none at all: the usual ones. Raises ValidationFailed."""
    errors = FieldErrors()
    names = dict.fromkeys(part.strip() for one in given for part in one.split(",") if part.strip())
    if len(names) > FIELDS_MAX:
        errors.add("/fields", "too_many", f"at most {FIELDS_MAX} fields can be chosen")
    for name in list(names)[:FIELDS_MAX]:
        if name.startswith(PROPERTY) and name != PROPERTY:
            errors.text(name, "/fields", most=len(PROPERTY) + NAME_CHARS_MAX)
        elif name not in FIELD_NAMES:
            known = ", ".join(FIELD_NAMES)
            errors.add("/fields", "unknown_column", f"must be of: {known}, or properties.NAME for one property")
    errors.raise_any("the question is not valid")
    return Fields(tuple(names)) if names else USUAL_FIELDS


def _column_of(name: str) -> str:
    if name == PERSON:
        return "user_hash"
    return "properties" if name.startswith(PROPERTY) else name


def _properties_of(text: str) -> Mapping[str, msgspec.Raw]:
    try:
        return _properties_decoder.decode(text)
    except msgspec.DecodeError:
        return {}


def _texts(values: Iterable[Any]) -> list[Any]:
    return [_as_text(value) if isinstance(value, _WITH_TEXT) else value for value in values]


def _as_text(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    text = bytes(value).decode()
    if text == "null":
        return None
    return str(msgspec.json.decode(text)) if text.startswith('"') else text


_WITH_TEXT = (bool, msgspec.Raw)

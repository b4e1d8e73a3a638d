"""Which column of an uploaded file is which field of an event. What is no field becomes a property."""

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from iafa.clock import to_iso
from iafa.errors import FieldError, ValidationFailed
from iafa.event import INTEGER_MAX, TIME_MAX_US
from iafa.ingest.deliveries import Message
from iafa.ingest.privacy import address_of
from iafa.ingest.wire import Parsed, WireEvent, coerce

# A field's accepted names, the preferred one first, in the order in which the pipeline looks at them.
FIELD_NAMES: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "event_id", "messageId"),
    "event_type": ("event_type", "event_name", "event", "name"),
    "user_id": ("user_id", "userId"),
    "anonymous_id": ("anonymous_id", "anonymousId"),
    "session_id": ("session_id", "sessionId"),
    "created_at": ("timestamp", "created_at"),
    "source": ("source", "event_source", "platform"),
    "url": ("url",),
    "referrer": ("referrer",),
    "user_agent": ("user_agent",),
    "ip_address": ("ip_address", "ip", "$ip"),
    "timezone": ("timezone",),
    "sample_rate": ("sample_rate",),
    "properties": ("properties", "event_properties"),
}
ADDRESS = "ip_address"  # no member of the wire: what of it is stored is the project's to say
PLANS_MAX = 1_000
_IDS = ("id", "user_id", "anonymous_id", "session_id")
_TEXTS = ("event_type", "source", "timezone")
_INTEGER = re.compile(r"-?\d{9,}")  # eight digits are a day, 20261121
_DECIMAL = re.compile(r"-?\d{9,}\.\d+")


def parse_columns(text: str | None) -> dict[str, str]:
    """`user_id:COL,event_type:COL` as {field: column}. Raises ValidationFailed with every wrong pair."""
    pairs = [pair.partition(":") for pair in (text or "").split(",") if pair.strip()]
    return check_columns([(field.strip(), column.strip()) for field, _, column in pairs])


def check_columns(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    columns: dict[str, str] = {}
    errors = []
    for position, (name, column) in enumerate(pairs):
        field = next((field for field, names in FIELD_NAMES.items() if name in names), None)
        if field is None:
            message = f"is no field of an event; the fields are {', '.join(FIELD_NAMES)}"
            errors.append(FieldError(f"/columns/{position}", "unknown_field", message))
        elif not column:
            errors.append(FieldError(f"/columns/{field}", "missing", "write FIELD:COLUMN"))
        elif field in columns:
            errors.append(FieldError(f"/columns/{field}", "conflicting_fields", "is named twice"))
        else:
            columns[field] = column
    if errors:
        raise ValidationFailed("the column map is not valid", errors=errors)
    return columns


class _Plan(NamedTuple):
    fields: tuple[tuple[str, str], ...]  # (field, the row's name for it)
    rest: tuple[str, ...]


class ColumnMap:
    """Turns rows into wire events. `is_table`: cells are of a table (CSV, Parquet), where a text may stand for a
    number, a time or an object; without it a row is JSON that says what it means."""

    def __init__(self, columns: Mapping[str, str], *, is_table: bool) -> None:
        self._columns = dict(columns)
        self._is_table = is_table
        self._unseen = set(columns.values())
        # A column that is mapped is what it was mapped to, whatever its name is.
        taken = set(columns.values())
        self._candidates = [
            (field, (columns[field],) if field in columns else tuple(name for name in names if name not in taken))
            for field, names in FIELD_NAMES.items()
            if field != ADDRESS
        ]
        self._addresses = (columns[ADDRESS],) if ADDRESS in columns else FIELD_NAMES[ADDRESS]
        self._plans: dict[tuple[str, ...], _Plan | None] = {}

    def check_header(self, header: Sequence[str]) -> None:
        """Refuse a table that cannot give events: a named column is not there, or what happened, to whom or when."""
        self._unseen -= set(header)
        self.check_seen()
        missing = [
            FieldError(f"/columns/{field}", "missing", f"no column is the {field}; name one")
            for field in ("event_type", "created_at")
            if not self._is_in(header, field)
        ]
        if not (self._is_in(header, "user_id") or self._is_in(header, "anonymous_id")):
            missing.append(
                FieldError("/columns/user_id", "missing", "no column is the user_id or the anonymous_id; name one")
            )
        if missing:
            raise ValidationFailed("columns are missing; map them with FIELD:COLUMN", errors=missing)

    def check_seen(self) -> None:
        """Refuse a map that names a column which the file does not have."""
        if self._unseen:
            raise ValidationFailed(
                "the column map names columns that the file does not have",
                errors=[
                    FieldError(f"/columns/{field}", "unknown_column", "the file has no such column")
                    for field, column in self._columns.items()
                    if column in self._unseen
                ],
            )

    def message(self, row: dict[str, Any]) -> Message:
        wire = self.wire(row)
        address = self._take_address(row, wire)
        return Message(parsed_wire(wire), address)

    def wire(self, row: dict[str, Any]) -> dict[str, Any]:
        """The row in wire form: canonical names, everything else under `properties`."""
        if self._unseen:
            self._unseen -= row.keys()
        plan = self._plan(tuple(row))
        if plan is None:
            plan = self._planned([name for name, value in row.items() if value is not None], row)
        wire = {field: row[name] for field, name in plan.fields if row[name] is not None}
        if self._is_table:
            _read_cells(wire)
        if plan.rest:
            properties = {name: row[name] for name in plan.rest}
            own = wire.get("properties")
            if isinstance(own, dict):
                wire["properties"] = properties | own
            elif own is None:
                wire["properties"] = properties
        return wire

    def _take_address(self, row: Mapping[str, Any], wire: Mapping[str, Any]) -> str | None:
        """The visitor's network address out of the properties; a column that holds another thing stays one."""
        properties = wire.get("properties")
        for name in self._addresses:
            address = address_of(row.get(name))
            if address is not None and isinstance(properties, dict) and properties.get(name) == row[name]:
                del properties[name]
                return address
        return None

    def _plan(self, names: tuple[str, ...]) -> "_Plan | None":
        """What becomes of a row with these names; None when it depends on which of them are null.

        Files have few different sets of names: finding the fields anew for each row was an eighth of the whole work.
        """
        if names in self._plans:
            return self._plans[names]
        is_clear = all(sum(name in names for name in candidates) <= 1 for _, candidates in self._candidates)
        plan = self._planned(names, names) if is_clear else None
        if len(self._plans) < PLANS_MAX:
            self._plans[names] = plan
        return plan

    def _planned(self, held: Sequence[str], names: Iterable[str]) -> "_Plan":
        """The preferred name of each field among those that are held; all other names are properties."""
        fields = []
        for field, candidates in self._candidates:
            name = next((name for name in candidates if name in held), None)
            if name is not None:
                fields.append((field, name))
        used = {name for _, name in fields}
        return _Plan(tuple(fields), tuple(name for name in names if name not in used))

    def _is_in(self, header: Sequence[str], field: str) -> bool:
        return any(name in header for name in dict(self._candidates)[field])


def parsed_wire(wire: dict[str, Any]) -> Parsed:
    """The checks of collected events: the fast decoder, and the slow one that says what is wrong."""
    try:
        return msgspec.convert(wire, WireEvent)
    except msgspec.ValidationError:
        return coerce(wire, "")


def _read_cells(wire: dict[str, Any]) -> None:
    """What a table's cell means as a field of an event; a cell that means nothing stays as it is and is refused."""
    for field in _IDS:
        value = wire.get(field)
        if isinstance(value, float) and value.is_integer() and abs(value) <= INTEGER_MAX:
            wire[field] = int(value)  # an integer column with gaps is one of floats in pandas
    for field in _TEXTS:
        if type(wire.get(field)) is int:
            wire[field] = str(wire[field])
    time = wire.get("created_at")
    if isinstance(time, str):
        wire["created_at"] = read_time(time)
    rate = wire.get("sample_rate")
    if isinstance(rate, str):
        wire["sample_rate"] = _number(rate)
    properties = wire.get("properties")
    if isinstance(properties, str):
        wire["properties"] = _object(properties)


def read_time(text: str) -> str | int:
    """A number since 1970 in digits, or the usual spellings of UTC, as the pipeline reads them. Never a float."""
    text = text.strip()
    if _INTEGER.fullmatch(text):
        return int(text) if len(text) <= 18 else text
    if _DECIMAL.fullmatch(text):
        time_us = int(Decimal(text) * 1_000_000)
        return to_iso(time_us) if 0 <= time_us <= TIME_MAX_US else text
    return text.removesuffix(" UTC") if text.endswith(" UTC") else text


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _object(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text

"""Arrow columns to values that JSON can hold. Decided by the column's type, so that one column has one kind of value.

Times are ISO 8601 text in UTC (naive ones count as UTC), to the microsecond and never through a float. Days, times of
day and binary data are text, durations are integer microseconds. NaN and infinity are null. Integers that a double
cannot hold are text, and so are decimals of more than 15 digits.
"""

import base64
import math
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from iafa.clock import US_PER_DAY
from iafa.event import INTEGER_MAX, TIME_MAX_US

DOUBLE_DIGITS = 15  # every decimal of so many digits survives the way through a double
_TIME_MIN_US = -719_162 * US_PER_DAY  # the year 1: before it ISO texts have another form
_UNITS_PER_S = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


def json_values(array: pa.Array) -> list[Any]:
    """One value per row."""
    kind = array.type
    for is_of, convert in _CONVERTERS:
        if is_of(kind):
            return convert(array)
    found: list[Any] = array.to_pylist()
    return found


def _plain(array: pa.Array) -> list[Any]:
    found: list[Any] = array.to_pylist()
    return found


def _integers(array: pa.Array) -> list[Any]:
    values = array.to_pylist()
    if array.type.bit_width <= 32:
        return _plain(array)
    return [str(value) if value is not None and abs(value) > INTEGER_MAX else value for value in values]


def _floats(array: pa.Array) -> list[Any]:
    return [value if value is not None and math.isfinite(value) else None for value in array.to_pylist()]


def _decimals(array: pa.Array) -> list[Any]:
    if array.type.precision > DOUBLE_DIGITS:
        return _texts(array)
    return [None if value is None else _of_decimal(value) for value in array.to_pylist()]


def _of_decimal(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)


def _texts(array: pa.Array) -> list[Any]:
    return [None if value is None else str(value) for value in array.to_pylist()]


def _bytes(array: pa.Array) -> list[Any]:
    return [None if value is None else _of_bytes(value) for value in array.to_pylist()]


def _of_bytes(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        return base64.b64encode(value).decode()


def _timestamps(array: pa.Array) -> list[Any]:
    per_s = _UNITS_PER_S[array.type.unit]
    integers = array.cast(pa.int64())
    lowest, highest = _TIME_MIN_US * per_s // 1_000_000, TIME_MAX_US * per_s // 1_000_000
    is_iso = pc.and_(
        pc.greater_equal(integers, max(lowest, -(2**63))), pc.less_equal(integers, min(highest, 2**63 - 1))
    )
    # Beyond the years 1 to 9999 there is no ISO text; the plain number stays visible and is refused as a time.
    held = pc.if_else(is_iso, integers, pa.scalar(None, pa.int64()))
    times = held.cast(pa.timestamp(array.type.unit)).cast(
        options=pc.CastOptions(pa.timestamp("us"), allow_time_truncate=True)
    )
    texts = pc.binary_join_element_wise(pc.replace_substring(times.cast(pa.string()), " ", "T"), "Z", "")
    filled: list[Any] = pc.coalesce(texts, integers.cast(pa.string())).to_pylist()
    return filled


def _durations(array: pa.Array) -> list[Any]:
    per_s = _UNITS_PER_S[array.type.unit]
    return [None if value is None else value * 1_000_000 // per_s for value in array.cast(pa.int64()).to_pylist()]


def _days(array: pa.Array) -> list[Any]:
    return _plain(array.cast(pa.date32(), safe=False).cast(pa.string()))


def _times_of_day(array: pa.Array) -> list[Any]:
    return _plain(array.cast(pa.string()))


def _dictionary(array: pa.Array) -> list[Any]:
    # The few distinct values are converted once; the rows only point at them.
    values = json_values(array.dictionary)
    return [None if index is None else values[index] for index in array.indices.to_pylist()]


def _lists(array: pa.Array) -> list[Any]:
    items = iter(json_values(array.flatten()))
    lengths = pc.list_value_length(array).to_pylist()
    return [None if length is None else [next(items) for _ in range(length)] for length in lengths]


def _structs(array: pa.Array) -> list[Any]:
    names = [field.name for field in array.type]
    columns = [json_values(column) for column in array.flatten()]
    held = array.is_valid().to_pylist()
    rows: Sequence[tuple[Any, ...]] = list(zip(*columns, strict=True)) if columns else [()] * len(array)
    return [dict(zip(names, row, strict=True)) if is_held else None for row, is_held in zip(rows, held, strict=True)]


def _maps(array: pa.Array) -> list[Any]:
    entries = array.cast(pa.list_(pa.struct([("key", array.type.key_type), ("value", array.type.item_type)])))
    return [
        None if row is None else {str(entry["key"]): entry["value"] for entry in row} for row in json_values(entries)
    ]


def _storage(array: pa.Array) -> list[Any]:
    return json_values(array.storage)


def _is_list(kind: pa.DataType) -> bool:
    return bool(types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind))


def _is_binary(kind: pa.DataType) -> bool:
    return bool(
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    )


_CONVERTERS: tuple[tuple[Callable[[pa.DataType], bool], Callable[[pa.Array], list[Any]]], ...] = (
    (types.is_string, _plain),
    (types.is_integer, _integers),
    (types.is_floating, _floats),
    (types.is_timestamp, _timestamps),
    (types.is_dictionary, _dictionary),
    (types.is_date, _days),
    (types.is_time, _times_of_day),
    (types.is_decimal, _decimals),
    (types.is_duration, _durations),
    (types.is_map, _maps),
    (_is_list, _lists),
    (types.is_struct, _structs),
    (_is_binary, _bytes),
    (lambda kind: isinstance(kind, pa.BaseExtensionType), _storage),
)

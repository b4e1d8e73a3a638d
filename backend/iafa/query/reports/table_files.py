"""The flat table of a report as a Parquet file."""

import io
from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_file(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    """A column of mixed types becomes text."""
    arrays = [_array([row[place] for row in rows]) for place in range(len(columns))]
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_arrays(arrays, names=list(columns)), sink, compression="zstd")
    return sink.getvalue()


def _array(values: Sequence[object]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int, float} and kinds != {int}:
        return pa.array([None if value is None else float(str(value)) for value in values], pa.float64())
    if len(kinds) <= 1:
        return pa.array(values)
    return pa.array([None if value is None else str(value) for value in values], pa.string())

"""Rows as text, for documents that carry a few of them."""

import base64
from collections.abc import Iterable

import pyarrow as pa
import pyarrow.parquet as pq


def parquet_text(batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, chars_max: int) -> str | None:
    """The rows as a Parquet file in base64; None when that is longer than `chars_max`."""
    sink = pa.BufferOutputStream()
    with pq.ParquetWriter(sink, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch.cast(schema))
            if sink.tell() * 4 // 3 > chars_max:
                return None
    text = base64.b64encode(sink.getvalue().to_pybytes()).decode()
    return text if len(text) <= chars_max else None


def rows_of_events(columns: Iterable[str], schema: pa.Schema) -> pa.Schema:
    """The part of a schema with these columns."""
    return pa.schema([schema.field(name) for name in columns])

"""Events as a Parquet file that is sent while it is written."""

from collections.abc import Set

import pyarrow as pa
import pyarrow.parquet as pq

from iafa.lake.parts import PARQUET_OPTIONS
from iafa.query.events.fields import ALL_STORED, Fields

GROUP_ROWS = 50_000
GROUP_BYTES = 32 * 1024 * 1024


class ParquetEvents:
    """By default every stored column, in the schema of the lake's own files. Holds one row group at a time."""

    def __init__(self, fields: Fields | None = None) -> None:
        self._fields = fields or ALL_STORED
        self._sink = _Sink()
        self._writer = pq.ParquetWriter(pa.PythonFile(self._sink, mode="w"), self._fields.schema, **PARQUET_OPTIONS)
        self._waiting: list[pa.Table] = []

    @property
    def columns(self) -> Set[str]:
        return self._fields.columns

    def begin(self) -> bytes:
        return self._sink.taken()

    def add(self, events: pa.Table) -> bytes:
        self._waiting.append(self._fields.columns_of(events))
        rows, size = sum(one.num_rows for one in self._waiting), sum(one.nbytes for one in self._waiting)
        if rows >= GROUP_ROWS or size >= GROUP_BYTES:
            self._write()
        return self._sink.taken()

    def end(self) -> bytes:
        self._write()
        self._writer.close()
        return self._sink.taken()

    def _write(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
            self._waiting = []


class _Sink:
    """What was written since it was last taken."""

    closed = False

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        self._pieces.append(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        return None

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)

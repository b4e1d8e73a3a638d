"""A project in an empty data directory, and files to load into it."""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from iafa.jobs.upload import Receipt, Uploader, UploadRequest
from iafa.jobs.upload_rows import Format
from tests.support.events import PROJECT
from tests.support.lake import TestLake, rows

ROW: Mapping[str, Any] = {"user_id": "u1", "event_type": "view", "timestamp": "2025-11-20T10:00:00Z"}


@dataclass
class Upload:
    """`load` writes a file and loads it; `events` are what a reader of the lake then finds."""

    root: Path
    lake: TestLake = field(init=False)

    def __post_init__(self) -> None:
        self.lake = TestLake(self.root / "data")
        self.uploader = Uploader(self.lake.layout, self.lake.appender, self.lake.clock)

    def use(self, **limits: Any) -> None:
        self.uploader = replace(self.uploader, **limits)

    def load(self, content: bytes, format: Format = "ndjson", **request: Any) -> Receipt:
        path = self.root / "file"
        path.write_bytes(content)
        return self.load_file(path, format, **request)

    def load_table(self, table: pa.Table, **request: Any) -> Receipt:
        path = self.root / "file.parquet"
        pq.write_table(table, path)
        return self.load_file(path, "parquet", **request)

    def load_file(self, path: Path, format: Format, **request: Any) -> Receipt:
        return self.uploader.run(UploadRequest(project_id=PROJECT, path=path, format=format, **request))

    def events(self, columns: str = "id") -> list[tuple[object, ...]]:
        return rows(self.lake.take(), columns)

    def properties(self) -> dict[str, Any]:
        """Of the only event."""
        ((text,),) = self.events("properties")
        return msgspec.json.decode(str(text), type=dict[str, Any])

    def generations(self) -> int:
        return self.lake.manifests.latest(PROJECT).generation

    def left_over(self) -> list[str]:
        return sorted(path.name for path in self.lake.layout.tmp.glob("*"))


def ndjson(*over: Mapping[str, Any]) -> bytes:
    """One line for each; what is not said is that of ROW."""
    return b"".join(msgspec.json.encode({**ROW, **one}) + b"\n" for one in over)


def numbered(count: int, **over: Any) -> bytes:
    return ndjson(*({"id": f"e-{number}", "n": number, **over} for number in range(count)))


def zipped(content: bytes) -> bytes:
    return gzip.compress(content)

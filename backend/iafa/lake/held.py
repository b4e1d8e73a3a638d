"""Held records: what the journal had for a project whose manifest cannot be read, so that segments can be retired.

The records keep their epoch and sequence: the manifest's watermarks tell what has been absorbed, as for the journal.
"""

import re
from dataclasses import dataclass
from pathlib import Path

import msgspec

from iafa.durable import remove_empty_dir, unlink, write_private
from iafa.failpoints import Hit, no_failpoints
from iafa.journal.format import Record, decode_lines, encode_record
from iafa.lake.layout import Layout, project_ids_in

DamagedBytes = tuple[Path, int, bytes]  # where they were found
_NAME = re.compile(r"(\d+)-(\d+)-(\d+)\.ndjson")


@dataclass(frozen=True, order=True)
class Held:
    """One file: records of one journal, from the first to the last sequence."""

    epoch: int
    first: int
    last: int
    path: Path

    def read(self) -> tuple[list[Record], list[DamagedBytes]]:
        """(sound records, bytes that are none)"""
        data = self.path.read_bytes()
        records, damaged, start = [], [], 0
        for record, end in decode_lines(data):
            if record is not None:
                records.append(record)
            else:
                end = len(data) if end == start else end
                damaged.append((self.path, start, data[start:end]))
            start = end
        return records, damaged

    def release(self) -> None:
        """The records are in the lake."""
        unlink(self.path)
        remove_empty_dir(self.path.parent)


def hold(layout: Layout, epoch: int, project_id: str, records: list[Record], *, hit: Hit = no_failpoints) -> None:
    """Keep the records durably. Holding some of them again is harmless."""
    lines = [encode_record(record.q, project_id, record.r, msgspec.json.encode(record.e)) for record in records]
    name = f"{epoch:06d}-{records[0].q:012d}-{records[-1].q:012d}.ndjson"
    write_private(layout.held(project_id) / name, b"".join(lines))
    hit("flush.held")


def is_held(layout: Layout, project_id: str) -> bool:
    """Whether the project has records that are neither in a journal nor for certain in the lake."""
    return bool(held_files(layout, project_id))


def held_projects(layout: Layout) -> list[str]:
    return project_ids_in(layout.holds)


def held_files(layout: Layout, project_id: str) -> list[Held]:
    """In the order in which they must be absorbed."""
    folder = layout.held(project_id)
    try:
        names = [(entry, _NAME.fullmatch(entry.name)) for entry in folder.iterdir()]
    except FileNotFoundError:
        return []
    return sorted(Held(int(name[1]), int(name[2]), int(name[3]), path) for path, name in names if name)

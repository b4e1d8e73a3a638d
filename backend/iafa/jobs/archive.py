"""Copies of what retention removes, in a folder outside the data directory and in the same layout below it."""

import secrets
from dataclasses import dataclass
from pathlib import Path

from iafa.durable import copy_synced, publish, unlink
from iafa.errors import StorageUnavailable, WrongUsage
from iafa.lake.layout import Layout
from iafa.lake.parts import file_checksum
from iafa.lake.trash import own_file


@dataclass(frozen=True)
class Archive:
    """A folder that exists already: a missing one may be a disk that is not mounted."""

    folder: Path
    layout: Layout

    def check(self) -> None:
        """Raises WrongUsage for a folder that cannot serve."""
        target, data = self.folder.resolve(), self.layout.root.resolve()
        if target == data or data in target.parents:
            raise WrongUsage(f"the archive {self.folder} lies in the data directory {data}; choose another place")
        if not target.is_dir():
            raise WrongUsage(f"the archive {self.folder} is no folder; make it, or mount its disk, first")

    def keep(self, project_id: str, path: str, xxh64: str) -> None:
        """Copy a file of the lake, durably and compared with its checksum. A copy that is there already is enough."""
        source = own_file(self.layout, project_id, path)
        target = self.folder.resolve() / source.relative_to(self.layout.root)
        if target.exists():
            if file_checksum(target) != xxh64:
                raise StorageUnavailable(f"{target} is another file of this name; nothing is overwritten or removed")
            return
        temporary = target.with_name(f".{target.name}.{secrets.token_hex(6)}.tmp")
        try:
            copy_synced(source, temporary)
            if file_checksum(temporary) != xxh64:
                raise StorageUnavailable(f"the copy of {source} in the archive is not what was written")
            publish(temporary, target, area="archive")
        finally:
            unlink(temporary)

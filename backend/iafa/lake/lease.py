"""A lease on the files of a snapshot: they stay readable for as long as somebody looks, whatever compaction removes."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from iafa.durable import make_dirs, remove_tree
from iafa.lake.layout import Layout

LEASE_PREFIX = "lease-"


class Lease:
    """A folder of hard links to the files, of their own names, gone at the end. Where the file system has no hard
    links, the files themselves: they outlive the manifest by `IAFA_TRASH_GRACE_S`."""

    def __init__(self, layout: Layout, files: Sequence[Path]) -> None:
        self.folder = layout.tmp / f"{LEASE_PREFIX}{secrets.token_hex(8)}"
        self.files = [self.folder / f"{number:06d}.parquet" for number in range(len(files))]
        self._sources = files

    def __enter__(self) -> "Lease":
        make_dirs(self.folder)
        try:
            for source, link in zip(self._sources, self.files, strict=True):
                os.link(source, link)
        except FileNotFoundError:
            remove_tree(self.folder)
            raise
        except OSError:
            self.files = list(self._sources)
        return self

    def __exit__(self, *_: object) -> None:
        remove_tree(self.folder)

    def renew(self) -> None:
        """What looks unused for a day is taken for left behind by a killed process."""
        os.utime(self.folder)

    @property
    def folders(self) -> list[Path]:
        """Where the files lie."""
        return sorted({file.parent for file in self.files} or {self.folder})

"""The journal epochs that the lake remembers: in absorbed marks and in the names of parts."""

import re

from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests

_OF_PART = re.compile(r"events_[0-9-]{10}\.j(\d+)-")


def highest_epoch(layout: Layout, manifests: Manifests) -> int:
    """0 when no journal has ever been flushed. Raises DataDamaged when a manifest cannot be read: then nobody knows."""
    found = {0}
    for project_id in layout.project_ids():
        manifest = manifests.latest(project_id)
        found.update(int(epoch) for epoch in manifest.absorbed)
        names = {path.name for path in layout.project(project_id).glob("*/*/events_*.j*.parquet")}
        paths = [file.path for file in manifest.files] + [gone.path for gone in manifest.trash]
        names.update(path.rpartition("/")[2] for path in paths)
        found.update(int(match[1]) for name in names if (match := _OF_PART.match(name)))
    return max(found)

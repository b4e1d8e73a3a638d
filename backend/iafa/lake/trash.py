"""Unlinking what has left the manifest: only files of the project itself, only after the grace, never through links."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from iafa.clock import Clock
from iafa.durable import sync_dir, unlink
from iafa.errors import DataDamaged
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests


def own_file(layout: Layout, project_id: str, path: str) -> Path:
    """The file, if no symbolic link stands between the data directory and it. Raises DataDamaged else."""
    file = layout.lake_file(project_id, path)
    inside = layout.root.resolve() / file.parent.relative_to(layout.root)
    if file.parent.resolve() != inside or file.is_symlink():
        raise DataDamaged(f"{file} is reached through a symbolic link; nothing is removed there")
    return file


def empty_trash(
    layout: Layout, manifests: Manifests, clock: Clock, project_id: str, *, unlinked: Callable[[], None]
) -> int:
    """Unlink what nobody can be reading any more, then forget it; a repeated unlink is harmless.

    The caller holds the writer lock.
    """
    now_us = clock.now_us()
    due = {gone.path for gone in manifests.latest(project_id).trash if gone.unlink_after_us < now_us}
    if due:
        sync_dir(layout.manifests(project_id))  # what took their place must be durable before they go
    for path in sorted(due):
        unlink(own_file(layout, project_id, path))
        unlinked()
    if due:
        manifests.commit(
            project_id,
            lambda base: msgspec.structs.replace(base, trash=tuple(g for g in base.trash if g.path not in due)),
        )
    return len(due)

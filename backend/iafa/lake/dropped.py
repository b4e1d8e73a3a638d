"""Deleted projects: a marker that outlives the data, so that what arrives late is not written again."""

from iafa.clock import Clock
from iafa.durable import remove_tree, rename, write_private
from iafa.lake.layout import Layout

MARKER_SUFFIX = ".dropped"


def drop(layout: Layout, project_id: str) -> None:
    """Mark a project as deleted. From now on nothing of it is flushed, and its files go with the next sweep."""
    write_private(layout.trash / f"{layout.project(project_id).name}{MARKER_SUFFIX}", b"")


def is_dropped(layout: Layout, project_id: str) -> bool:
    return (layout.trash / f"{layout.project(project_id).name}{MARKER_SUFFIX}").exists()


def sweep(layout: Layout, clock: Clock, *, grace_us: int) -> None:
    """Move the folders of deleted projects to the trash, and remove those that no query can be reading any more.

    The caller holds the writer lock.
    """
    for project_id in layout.project_ids():
        if is_dropped(layout, project_id):
            source = layout.project(project_id)
            rename(source, layout.trash / f"{source.name}.{clock.now_us()}")
            rollups = layout.project_rollups(project_id)
            if rollups.is_dir():
                rename(rollups, layout.trash / f"rollups_{source.name}.{clock.now_us()}")
            remove_tree(layout.id_hashes(project_id))
            remove_tree(layout.project_erasures(project_id))
    if not layout.trash.is_dir():
        return
    for folder in layout.trash.iterdir():
        moved_us = folder.name.rpartition(".")[2]
        if folder.is_dir() and moved_us.isdigit() and int(moved_us) + grace_us < clock.now_us():
            remove_tree(folder)

"""Verifying and repairing the identity edges of a project. Those that events made are made again from the events."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from iafa.durable import make_dirs, publish, write_synced
from iafa.errors import DataDamaged
from iafa.lake.erasure import Erasures
from iafa.lake.identity import EDGE_COLUMNS, EDGE_EVENTS, EDGE_SCHEMA, IdentityEdges, edges_of
from iafa.lake.manifest import Manifest


def damaged_identities(edges: IdentityEdges, project_id: str, manifest: Manifest) -> Iterator[tuple[Path, str]]:
    """Each file of the generation that is not what was written, and how."""
    for name in manifest.identity:
        path = edges.layout.lake_file(project_id, name)
        if wrong := why_not_identity(edges, project_id, name):
            yield path, wrong


def why_not_identity(edges: IdentityEdges, project_id: str, name: str) -> str:
    try:
        edges.read(project_id, name)
    except DataDamaged:
        return "is damaged" if edges.layout.lake_file(project_id, name).exists() else "is missing"
    except (pa.ArrowException, OSError) as error:
        return f"cannot be read ({type(error).__name__})"
    return ""


def put_back(edges: IdentityEdges, project_id: str, name: str, source: Path) -> bool:
    """A backup's copy in the place of a file, if it is sound. The damaged one must have gone."""
    target = edges.layout.lake_file(project_id, name)
    make_dirs(edges.layout.tmp)
    temporary = edges.layout.tmp / f"repair.{target.name}"
    write_synced(temporary, source.read_bytes())
    make_dirs(target.parent)
    publish(temporary, target, area="flush")
    return not why_not_identity(edges, project_id, name)


def take_off(edges: IdentityEdges, project_id: str, name: str) -> None:
    """Off the list of the newest generation."""

    def change(base: Manifest) -> Manifest:
        return msgspec.structs.replace(base, identity=tuple(one for one in base.identity if one != name))

    edges.manifests.commit(project_id, change)


def adopt_unlisted(edges: IdentityEdges, project_id: str) -> int:
    """After the loss of all manifests no file is listed: take in all that are sound, in the order they were written."""
    folder = edges.layout.project(project_id) / "identity"
    manifest = edges.manifests.latest(project_id)
    if manifest.identity or not folder.is_dir():
        return 0
    trashed = {gone.path for gone in manifest.trash}  # edges may be none because those people were erased
    names = [f"identity/{path.name}" for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)]
    sound = [name for name in names if name not in trashed and not why_not_identity(edges, project_id, name)]
    for name in sound:
        edges.add_table(project_id, edges.read(project_id, name))
    return len(sound)


def add_missing(edges: IdentityEdges, project_id: str) -> int:
    """Edges that events of the lake bring and no file holds; a known one is never taken for new again."""
    directory, found = edges.layout.project(project_id), []
    manifest = edges.manifests.latest(project_id)
    erased = Erasures(edges.layout).people(manifest)
    for file in manifest.files:
        wanted = [("event_type", "in", list(EDGE_EVENTS))]
        table = pq.read_table(
            directory / file.path,
            columns=[*EDGE_COLUMNS, "user_hash", "received_at"],
            filters=wanted,
            partitioning=None,
        )
        found.append(edges_of(erased.without(table)))
    fresh = edges.unknown(project_id, pa.concat_tables([EDGE_SCHEMA.empty_table(), *found]))
    if fresh.num_rows:
        edges.add_table(project_id, fresh)
    return int(fresh.num_rows)

"""The rows of a snapshot as SQL: its explicit list of files, and the tail that the engine registers."""

from collections.abc import Iterable

from iafa.lake.schema import COLUMNS
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text


def events_sql(snapshot: Snapshot, columns: Iterable[str], parameters: Parameters) -> str:
    """Only the named columns, in the order of the schema; `user_hash` is resolved where there are identity edges."""
    wanted = set(columns)
    if snapshot.identities is None or "user_hash" not in wanted:
        return stored_events_sql(snapshot, wanted, parameters)
    owner = "coalesce(identities.owner_hash, event.user_hash) as user_hash"
    return sql_text(
        "resolved_events",
        columns=", ".join(owner if name == "user_hash" else f"event.{name}" for name in COLUMNS if name in wanted),
        events=stored_events_sql(snapshot, wanted | {"user_id", "created_at"}, parameters),
    )


def stored_events_sql(snapshot: Snapshot, wanted: set[str], parameters: Parameters) -> str:
    """The rows as they are stored. Never a glob; a snapshot is distinct already."""
    assert wanted <= set(COLUMNS)
    selected = ", ".join(name for name in COLUMNS if name in wanted)
    sources = []
    if snapshot.files:
        parameters.values["files"] = [str(file.absolute()) for file in snapshot.files]
        sources.append(sql_text("parquet_events", columns=selected))
    if snapshot.tail.num_rows or not sources:
        sources.append(sql_text("tail_events", columns=selected))
    return "union all\n".join(sources)

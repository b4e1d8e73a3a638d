"""The rows of a snapshot as SQL: its explicit list of files, and the tail that the engine registers; or as views of
names, for a person to read.
"""

from collections.abc import Iterable, Sequence

from iafa.lake.schema import COLUMNS
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, literal, sql_text


def events_sql(
    snapshot: Snapshot, columns: Iterable[str], parameters: Parameters, *, among: Sequence[int] | None = None
) -> str:
    """Only the named columns, in the order of the schema; `user_hash` is resolved where there are identity edges.

    `among` keeps only rows that were stored with one of these hashes; `user_hash` must be among the columns then.
    """
    wanted = set(columns)
    if snapshot.is_named:
        return sql_text("named_events", columns=_in_order(wanted))
    if snapshot.identities is None or "user_hash" not in wanted:
        return _among(stored_events_sql(snapshot, wanted, parameters), wanted, among)
    owner = "coalesce(identities.owner_hash, event.user_hash) as user_hash"
    stored = wanted | {"user_id", "created_at"}
    return sql_text(
        "resolved_events",
        columns=", ".join(owner if name == "user_hash" else f"event.{name}" for name in COLUMNS if name in wanted),
        events=_among(stored_events_sql(snapshot, stored, parameters), stored, among),
    )


def _among(events: str, columns: set[str], hashes: Sequence[int] | None) -> str:
    if hashes is None:
        return events
    listed = ", ".join(literal(one) for one in hashes)
    return sql_text("stored_as", columns=_in_order(columns), events=events, hashes=listed)


def stored_events_sql(snapshot: Snapshot, wanted: set[str], parameters: Parameters) -> str:
    """The rows as they are stored. Never a glob; a snapshot is distinct already."""
    selected = _in_order(wanted)
    if snapshot.is_named:
        return sql_text("named_raw_events", columns=selected)
    sources = []
    if snapshot.files:
        parameters.values["files"] = [str(file.absolute()) for file in snapshot.files]
        sources.append(sql_text(_of_files(snapshot), columns=selected))
    if snapshot.tail.num_rows or not sources:
        sources.append(sql_text("tail_events", columns=selected))
    return "union all\n".join(sources)


def views_sql(
    snapshot: Snapshot, files: Sequence[str], columns: Sequence[str] = COLUMNS, *, has_tail: bool = True
) -> list[str]:
    """The statements that make `raw_events` of the files and the tail, and `events`, whose `user_hash` is resolved."""
    selected = ", ".join(columns)
    sources = []
    if files:
        listed = ", ".join(literal(file) for file in files)
        sources.append(sql_text(_of_files(snapshot), columns=selected).replace("$files", f"[{listed}]"))
    if has_tail or not files:
        sources.append(sql_text("tail_events", columns=selected))
    name = "view_of_edges" if snapshot.identities is not None else "view_without_edges"
    return [sql_text("view_of_files", sources="union all\n".join(sources)), sql_text(name)]


def _of_files(snapshot: Snapshot) -> str:
    """While people are being erased their rows may still be in files."""
    return "parquet_events_left" if snapshot.erased else "parquet_events"


def _in_order(wanted: set[str]) -> str:
    assert wanted <= set(COLUMNS)
    return ", ".join(name for name in COLUMNS if name in wanted)

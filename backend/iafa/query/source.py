"""The rows of a snapshot as SQL: its explicit list of files, and the tail that the engine registers."""

from collections.abc import Iterable

from iafa.lake.schema import COLUMNS
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text


def events_sql(snapshot: Snapshot, columns: Iterable[str], parameters: Parameters) -> str:
    """Only the named columns, in the order of the schema. Never a glob; a snapshot is distinct already."""
    wanted = set(columns)
    assert wanted <= set(COLUMNS)
    selected = ", ".join(name for name in COLUMNS if name in wanted)
    sources = []
    if snapshot.files:
        parameters.values["files"] = [str(file.absolute()) for file in snapshot.files]
        sources.append(sql_text("parquet_events", columns=selected))
    if snapshot.tail.num_rows or not sources:
        sources.append(sql_text("tail_events", columns=selected))
    return "union all\n".join(sources)

"""How many of those who entered a funnel are known by nothing but the fallback id, which several people may share."""

from dataclasses import replace

from iafa.event import FALLBACK_PREFIX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.files_with import FilesWith
from iafa.query.filters import property_columns
from iafa.query.paths.reading import belonging_sql, entry_bits, identified_sql
from iafa.query.question import Question
from iafa.query.stages import relevant_sql, stage_columns, stage_sql

_FILES = FilesWith("fallback_files", prefix=FALLBACK_PREFIX)


def fallback_people(reading: Reading, snapshot: Snapshot, question: Question) -> int:
    """Of a snapshot of the question's span. Entities, as the definition has them."""
    files = _FILES.among(reading, snapshot)
    if not files and not _is_in_tail(reading, snapshot):
        return 0
    definition, span = question.definition, question.span
    parameters = Parameters(
        read_from_us=span.read_from_us,
        read_to_us=span.read_to_us,
        from_us=span.from_us,
        to_us=span.to_us,
        prefix=FALLBACK_PREFIX,
    )
    columns = (stage_columns(definition) | {"user_id", "anonymous_id"}).union(*map(property_columns, definition.hold))
    text = sql_text(
        "fallback_people",
        identified=identified_sql(replace(snapshot, files=files), definition, columns, parameters),
        belonging=belonging_sql(definition, question.extras.session_gap_s, columns, parameters),
        is_entry=_is_entry(definition, parameters),
    )
    ((count,),) = reading.rows(text, parameters.values)
    return int(str(count))


def _is_in_tail(reading: Reading, snapshot: Snapshot) -> bool:
    if not snapshot.tail.num_rows:
        return False
    ((count,),) = reading.rows(sql_text("fallback_tail"), {"prefix": FALLBACK_PREFIX})
    return count != 0


def _is_entry(definition: FunnelDefinition, parameters: Parameters) -> str:
    bits = entry_bits(definition)
    entries = [stage for place, stage in enumerate(definition.required) if bits >> place & 1]
    stages = " or ".join(f"({stage_sql(stage, parameters)})" for stage in entries)
    return f"{relevant_sql(definition, parameters)} and ({stages})"

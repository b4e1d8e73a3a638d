"""How many of those who entered a funnel are known by nothing but the fallback id, which several people may share."""

import threading
from collections import OrderedDict
from dataclasses import replace
from pathlib import Path

from iafa.event import FALLBACK_PREFIX
from iafa.lake.snapshot import Snapshot
from iafa.query.binding import Parameters, sql_text
from iafa.query.definition import FunnelDefinition
from iafa.query.engine_duckdb import Reading
from iafa.query.filters import property_columns
from iafa.query.paths.reading import belonging_sql, entry_bits, identified_sql
from iafa.query.question import Question
from iafa.query.stages import relevant_sql, stage_columns, stage_sql

REMEMBERED_MAX = 100_000


class FallbackFiles:
    """Remembers which files hold such events at all: most questions then need not look for them. Files never change.

    Safe between threads.
    """

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[Path, str], bool] = OrderedDict()
        self._lock = threading.Lock()

    def among(self, reading: Reading, snapshot: Snapshot) -> tuple[Path, ...]:
        """Those of the snapshot's files. Each is read for it once."""
        if snapshot.entries is None:
            return snapshot.files
        keys = [(path, entry.xxh64) for path, entry in zip(snapshot.files, snapshot.entries, strict=True)]
        found = {key: self._known[key] for key in keys if key in self._known}
        unknown = [key for key in keys if key not in found]
        if unknown:
            values = {"files": [str(path.absolute()) for path, _checksum in unknown], "prefix": FALLBACK_PREFIX}
            having = {str(name) for (name,) in reading.rows(sql_text("fallback_files"), values)}
            found |= {key: str(key[0].absolute()) in having for key in unknown}
            self._remember({key: found[key] for key in unknown})
        return tuple(path for path, checksum in keys if found[(path, checksum)])

    def _remember(self, found: dict[tuple[Path, str], bool]) -> None:
        with self._lock:
            self._known.update(found)
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)


_FILES = FallbackFiles()


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

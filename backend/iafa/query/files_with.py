"""Which files of a snapshot hold some kind of events: each file is read for it once."""

import threading
from collections import OrderedDict
from pathlib import Path

from iafa.lake.snapshot import Snapshot
from iafa.query.binding import sql_text
from iafa.query.engine_duckdb import Reading

REMEMBERED_MAX = 100_000


class FilesWith:
    """Remembers which files hold some kind of events at all, by a statement that answers the names of those that do:
    most questions then need not look for them. Files never change. Safe between threads.
    """

    def __init__(self, statement: str, **values: object) -> None:
        self._statement = statement
        self._values = values
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
            values = {"files": [str(path.absolute()) for path, _checksum in unknown], **self._values}
            having = {str(name) for (name,) in reading.rows(sql_text(self._statement), values)}
            found |= {key: str(key[0].absolute()) in having for key in unknown}
            self._remember({key: found[key] for key in unknown})
        return tuple(path for path, checksum in keys if found[(path, checksum)])

    def _remember(self, found: dict[tuple[Path, str], bool]) -> None:
        with self._lock:
            self._known.update(found)
            while len(self._known) > REMEMBERED_MAX:
                self._known.popitem(last=False)

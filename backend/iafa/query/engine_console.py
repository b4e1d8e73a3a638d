"""DuckDB for a person: the views of a snapshot, and any statement that only reads. Nothing else on the machine."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import duckdb

from iafa.errors import IafaError
from iafa.lake.lease import Lease
from iafa.lake.snapshot import Snapshot
from iafa.query.engine_duckdb import QueryLimits, give_tables, locked_connection
from iafa.query.source import views_sql

FETCH_ROWS = 1_000
_READS = "only statements that read are allowed: select, with, from, describe, explain, and create temp table or view"
_COMMENTS = re.compile(r"(?:\s+|--[^\n]*(?:\n|$)|/\*.*?\*/)*", re.DOTALL)
_MAKES = re.compile(r"create\s+(?:or\s+replace\s+)?(?:temp|temporary)\s+(?:table|view|macro|function)\b", re.IGNORECASE)
_EXPLAINS = re.compile(r"explain\s+(?:analyze\s+)?(?:\([^)]*\)\s*)?", re.IGNORECASE)


@dataclass(frozen=True)
class Found:
    """The columns of an answer and its rows, read as they are asked for: before the next statement."""

    columns: list[str]
    rows: Iterator[tuple[object, ...]]


class Console:
    """Views `events` (with the person that an event belongs to as `user_hash`) and `raw_events` (as stored)."""

    def __init__(self, snapshot: Snapshot, lease: Lease, limits: QueryLimits) -> None:
        self._lease = lease
        spill = lease.folder / "spill"
        folders = [str(folder.absolute()) for folder in lease.folders]
        self._connection = locked_connection(folders, spill, limits)
        give_tables(self._connection, snapshot)
        for statement in views_sql(snapshot, [str(file.absolute()) for file in lease.files]):
            self._connection.execute(statement)

    def __enter__(self) -> "Console":
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()

    def run(self, text: str) -> Iterator[Found]:
        """The answer of each statement that has one. Raises IafaError for whatever DuckDB does not take."""
        self._lease.renew()
        with _Explained():
            statements = self._connection.extract_statements(text)
        for statement in statements:
            _check(statement)
        for statement in statements:
            with _Explained():
                asked = self._connection.execute(statement)
            if statement.type in (duckdb.StatementType.SELECT, duckdb.StatementType.EXPLAIN):
                yield Found([column[0] for column in asked.description or ()], _rows(asked))

    def interrupt(self) -> None:
        self._connection.interrupt()


class _Explained:
    """What DuckDB raises, as one error of ours with its words."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, duckdb.OutOfMemoryException):
            raise IafaError("the statement needs more memory than IAFA_QUERY_MEMORY_MB", code="invalid_query") from None
        if isinstance(error, duckdb.Error):
            raise IafaError(str(error).strip(), code="invalid_query") from None


def _rows(asked: duckdb.DuckDBPyConnection) -> Iterator[tuple[object, ...]]:
    while True:
        with _Explained():
            some = asked.fetchmany(FETCH_ROWS)
        if not some:
            return
        yield from some


def _check(statement: duckdb.Statement) -> None:
    """A list of what is allowed: the folder that may be read may also be written to, as far as DuckDB is concerned."""
    text = _without_comments(statement.query)
    match statement.type:
        case duckdb.StatementType.SELECT | duckdb.StatementType.DROP:
            return
        case duckdb.StatementType.CREATE if _MAKES.match(text):
            return
        case duckdb.StatementType.EXPLAIN if _is_one_select(_EXPLAINS.sub("", text, count=1)):
            return
    raise IafaError(_READS, code="invalid_query")


def _is_one_select(text: str) -> bool:
    try:
        found: Sequence[duckdb.Statement] = duckdb.extract_statements(text)
    except duckdb.Error:
        return False
    return [one.type for one in found] == [duckdb.StatementType.SELECT]


def _without_comments(text: str) -> str:
    found = _COMMENTS.match(text)
    return text[found.end() :] if found else text

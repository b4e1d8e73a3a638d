"""DuckDB: a bounded pool of locked instances, one a project, and one cursor a question. Knows no report."""

import errno
import os
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from pathlib import Path

import duckdb
import pyarrow as pa

from iafa.clock import Clock
from iafa.durable import remove_tree
from iafa.errors import DataDamaged, IafaError, QueryBusy, QueryTimeout, QueryTooLarge
from iafa.lake.snapshot import Snapshot
from iafa.lake.soundness import Soundness
from iafa.metrics import Counters
from iafa.query.array_memory import ArrayMemory
from iafa.query.cancellation import Cancellation, Deadline, left

ENGINE_VERSION = str(duckdb.__version__)
_RETRY_AFTER_S = 2
_TOO_MANY_FILES = "the server may not open as many files as the question reads; raise `ulimit -n` or run `iafa compact`"
_MIB = 1024 * 1024
STREAM_MEMORY_MB = 256
STREAM_TIMEOUT_S = 3_600.0
_ROW_BYTES = 512  # an event on its way through a statement; if all of them fit, it is the definition that does not


@dataclass(frozen=True)
class QueryLimits:
    """`memory_mb` is shared out among the instances, because a locked instance cannot give any of it back."""

    timeout_s: float = 30.0
    memory_mb: int = 1024
    threads: int = 2
    concurrency: int = 4
    instances: int = 2
    wait_s: float = 5.0
    spill_mb: int = 8192


@dataclass
class _Instance:
    connection: duckdb.DuckDBPyConnection
    spill: Path
    users: int = 0
    turns: int = 0  # questions ever

    def close(self) -> None:
        self.connection.close()
        remove_tree(self.spill)


class _Share:
    """Notices whether another question has had the instance meanwhile. Made by the one that acquired it."""

    def __init__(self, instance: _Instance) -> None:
        self._instance = instance
        self._began_alone = instance.users == 1
        self._turn = instance.turns

    @property
    def is_all(self) -> bool:
        return self._began_alone and self._instance.turns == self._turn


class DuckEngine:
    """Answers questions over snapshots. Safe to use from many threads; each call blocks its own."""

    def __init__(
        self, limits: QueryLimits, *, temp_directory: Path, clock: Clock, counters: Counters | None = None
    ) -> None:
        self.clock = clock
        self._limits = limits
        self._temp_directory = temp_directory
        self._instances: OrderedDict[str, _Instance] = OrderedDict()
        self._running = 0
        self._arrays = ArrayMemory(limits.memory_mb * _MIB // 2)
        self._soundness = Soundness(counters or Counters())
        self._changed = threading.Condition()

    @contextmanager
    def reading(self, snapshot: Snapshot, cancellation: Cancellation | None = None) -> Iterator["Reading"]:
        """A cursor that sees the files of the snapshot's project and its tail as `tail`, for one question.

        The first time in this process each file is compared with its checksum.
        """
        cancellation = cancellation or Cancellation()
        cancellation.read(snapshot.project_id, snapshot.rows)
        began_s = cancellation.began_s(self.clock)
        self._soundness.require(snapshot.directory, snapshot.entries or (), lambda: self._check_time(began_s))
        directory = os.path.abspath(snapshot.directory)
        instance = self._acquire(directory)
        share = _Share(instance)
        try:
            cursor = instance.connection.cursor()
            try:
                give_tables(cursor, snapshot)
                with Deadline(cursor, self._limits.timeout_s, self._left_s(began_s), cancellation) as deadline:
                    out_of_memory = partial(self._out_of_memory, snapshot, share)
                    yield Reading(cursor, snapshot, deadline, out_of_memory, self._arrays)
            finally:
                cursor.close()
        finally:
            self._release(instance)

    def require_sound(self, snapshot: Snapshot, cancellation: Cancellation) -> None:
        """Compare the files with their checksums, however long it takes. Raises DataDamaged."""

        def go_on() -> None:
            if cancellation.is_cancelled:
                raise left()

        self._soundness.require(snapshot.directory, snapshot.entries or (), go_on)

    @contextmanager
    def streaming(self, snapshot: Snapshot, folders: Sequence[Path], cancellation: Cancellation) -> Iterator["Reading"]:
        """A cursor for one long answer over sound files in these folders, by a small instance of its own: questions do
        not wait for it. Ends after an hour."""
        limits = replace(self._limits, memory_mb=STREAM_MEMORY_MB, instances=1, threads=1)
        instance = self._made([os.path.abspath(folder) for folder in folders], limits)
        try:
            cursor = instance.connection.cursor()
            give_tables(cursor, snapshot)
            with Deadline(cursor, STREAM_TIMEOUT_S, STREAM_TIMEOUT_S, cancellation) as deadline:
                yield Reading(cursor, snapshot, deadline, _stream_too_large, self._arrays)
        finally:
            instance.close()

    def _out_of_memory(self, snapshot: Snapshot, share: "_Share") -> IafaError:
        """Asking again helps only if other questions took part of the memory."""
        if not share.is_all:
            return QueryBusy(
                "the question needs more memory than other questions have left; ask again", retry_after_s=_RETRY_AFTER_S
            )
        memory_mb = self._limits.memory_mb // self._limits.instances
        advice = "ask for a shorter range, or raise IAFA_QUERY_MEMORY_MB"
        if snapshot.rows * _ROW_BYTES < memory_mb * _MIB:
            advice = "ask with fewer stages and filters, or raise IAFA_QUERY_MEMORY_MB; a shorter range does not help"
        return QueryTooLarge(f"the question needs more memory than the {memory_mb} MiB that it may use; {advice}")

    def _left_s(self, began_s: float) -> float:
        return self._limits.timeout_s - (self.clock.monotonic_s() - began_s)

    def _check_time(self, began_s: float) -> None:
        if self._left_s(began_s) < 0:
            raise QueryTimeout("the files are being compared with their checksums for the first time; ask again")

    @property
    def running(self) -> int:
        """Questions that are being answered."""
        return self._running

    def close(self) -> None:
        with self._changed:
            for instance in self._instances.values():
                instance.close()
            self._instances.clear()

    def _acquire(self, directory: str) -> _Instance:
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(directory), self._limits.wait_s):
                raise QueryBusy("too many questions are being answered now", retry_after_s=_RETRY_AFTER_S)
            instance = self._instances.pop(directory, None) or self._opened(directory)
            self._instances[directory] = instance
            instance.users += 1
            instance.turns += 1
            self._running += 1
            return instance

    def _release(self, instance: _Instance) -> None:
        with self._changed:
            instance.users -= 1
            self._running -= 1
            self._changed.notify_all()

    def _has_room(self, directory: str) -> bool:
        if self._running >= self._limits.concurrency:
            return False
        if directory in self._instances or len(self._instances) < self._limits.instances:
            return True
        return any(instance.users == 0 for instance in self._instances.values())

    def _opened(self, directory: str) -> _Instance:
        if len(self._instances) >= self._limits.instances:
            idle = next(key for key, instance in self._instances.items() if instance.users == 0)
            self._instances.pop(idle).close()
        return self._made([directory], self._limits)

    def _made(self, directories: Sequence[str], limits: QueryLimits) -> _Instance:
        self._temp_directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        spill = Path(os.path.abspath(tempfile.mkdtemp(prefix="query-", dir=self._temp_directory)))
        return _Instance(locked_connection(directories, spill, limits), spill)


def give_tables(cursor: duckdb.DuckDBPyConnection, snapshot: Snapshot) -> None:
    """What the statements over a snapshot name beside its files."""
    cursor.register("tail", snapshot.tail)
    if snapshot.identities is not None:
        cursor.register("identities", snapshot.identities)
    if snapshot.erased:
        cursor.register("erased", snapshot.erased.table)


class Reading:
    """One question's cursor. Every statement is under the same deadline."""

    def __init__(
        self,
        cursor: duckdb.DuckDBPyConnection,
        snapshot: Snapshot,
        deadline: Deadline,
        out_of_memory: Callable[[], IafaError],
        arrays: ArrayMemory,
    ) -> None:
        self.arrays = arrays  # the memory for what is done beside the statements
        self._out_of_memory = out_of_memory
        self._cursor = cursor
        self._snapshot = snapshot
        self._deadline = deadline
        self.statements: list[tuple[str, Mapping[str, object]]] = []  # that were asked, with their values

    def make(self, statements: Iterable[str]) -> None:
        """Views and tables of this question alone. They are not among its `statements`."""
        with self._explained():
            for statement in statements:
                self._cursor.execute(statement)

    def rows(self, sql: str, parameters: Mapping[str, object]) -> list[tuple[object, ...]]:
        """All rows of the answer: ask for few. The statement must use each parameter."""
        self.statements.append((sql, parameters))
        with self._explained():
            return self._cursor.execute(sql, dict(parameters)).fetchall()

    def batches(self, sql: str, parameters: Mapping[str, object], rows: int) -> Iterator[pa.RecordBatch]:
        """The answer as a stream of record batches. Ask nothing else before it has ended."""
        self.statements.append((sql, parameters))
        with self._explained():
            # A relation: the result of `execute` would be copied once more on its way to Arrow.
            relation = self._cursor.sql(sql, params=dict(parameters))
            assert relation is not None
            reader = relation.to_arrow_reader(rows)
        while True:
            with self._explained():
                batch = next(reader, None)
            if batch is None:
                return
            yield batch

    def give(self, name: str, table: pa.Table) -> None:
        """A table for the next statements, by its name. It lasts as long as the cursor. Not while batches are read."""
        with self._explained():
            self._cursor.register(name, table)

    @contextmanager
    def _explained(self) -> Iterator[None]:
        """What the engine raises, as errors of ours."""
        self.check_time()
        try:
            yield
        except duckdb.InterruptException as error:
            self._deadline.check()
            raise QueryTimeout("the question was interrupted") from error
        except duckdb.OutOfMemoryException as error:
            raise self._out_of_memory() from error
        except (duckdb.IOException, duckdb.InvalidInputException, duckdb.SerializationException) as error:
            if not self._snapshot.files:
                raise
            if os.strerror(errno.EMFILE) in str(error):
                raise QueryBusy(_TOO_MANY_FILES, retry_after_s=_RETRY_AFTER_S) from error
            raise _damage(self._snapshot, error) from error

    def check_time(self) -> None:
        """For loops beside the statements."""
        self._deadline.check()


def locked_connection(directories: Sequence[str], spill: Path, limits: QueryLimits) -> duckdb.DuckDBPyConnection:
    """An instance that reads the directories and its own spill folder, fetches nothing and stays locked."""
    connection = duckdb.connect(
        ":memory:",
        config={
            "temp_directory": str(spill),
            "memory_limit": f"{limits.memory_mb // limits.instances}MiB",
            "threads": limits.threads,
            "preserve_insertion_order": False,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        },
    )
    # Only `set` bounds the spill: the same value in `config` is shown by current_setting and not enforced (2.0.0).
    connection.execute("set max_temp_directory_size = $size", {"size": f"{limits.spill_mb}MiB"})
    connection.execute("set TimeZone = 'UTC'")
    connection.execute("set allowed_directories = $directories", {"directories": list(directories)})
    connection.execute("set enable_external_access = false")
    connection.execute("set lock_configuration = true")
    return connection


@lru_cache(maxsize=1024)
def regex_error(pattern: str) -> str | None:
    """Why RE2, the engine's own matcher, refuses the pattern; None if it takes it."""
    with duckdb.connect(":memory:", config={"threads": 1}) as connection:
        try:
            connection.execute("select regexp_matches('', $pattern)", {"pattern": pattern})
        except duckdb.InvalidInputException as error:
            return str(error).removeprefix("Invalid Input Error: ").partition(":")[0]
    return None


def _stream_too_large() -> IafaError:
    return QueryTooLarge(f"the export needs more than {STREAM_MEMORY_MB} MiB; choose fewer filters or fewer fields")


def _damage(snapshot: Snapshot, error: duckdb.Error) -> DataDamaged:
    """Names the missing file if there is one, relative to the project's folder."""
    for file in snapshot.files:
        if not file.exists():
            return DataDamaged(f"the event file {file.name} is missing; run `iafa verify` and restore it")
    return DataDamaged(f"an event file cannot be read ({type(error).__name__}); run `iafa verify`")

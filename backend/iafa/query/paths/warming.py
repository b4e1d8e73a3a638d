"""Making the machine code of the solvers beside a running server. Until it is there the same functions run as Python.

Compiling takes up to a minute, once: the code is kept on disk. No question has to wait for it.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from types import FunctionType
from typing import Any, TypeVar, cast

import numpy as np
import pyarrow as pa

from iafa.event import TIME_MAX_US
from iafa.query.array_memory import ArrayMemory
from iafa.query.paths.arranged import Arrangement, Arranger
from iafa.query.paths.compiled import IS_COMPILED
from iafa.query.paths.lengths import solve_lengths
from iafa.query.paths.ordered import solve, solve_totals
from iafa.query.paths.owners import owners_of
from iafa.query.paths.parted import lent
from iafa.query.paths.plan import ENTRY_BEST, NO_LIMIT_US, Histories, Paths, Plan
from iafa.query.paths.unordered import solve_unordered, solve_unordered_totals
from iafa.query.paths.visiting import (
    PASSES,
    Pages,
    Part,
    Ties,
    Told,
    Visiting,
    Words,
    count_figures,
    count_pages,
    find_visits,
    find_words,
    no_ties,
    no_visits,
    part_kinds,
    settle,
)
from iafa.query.paths.ways import START, Tally, Walking, find_ties

Function = TypeVar("Function", bound=Callable[..., object])
START_AFTER_S = 5.0  # a server that has just started has better things to do
_ROOM = "iafa.query.paths"
log = logging.getLogger(_ROOM)


class Warming:
    """`of` gives the function to call now. Without `start` that is the function itself."""

    def __init__(self) -> None:
        self._is_cold = threading.Event()
        self.thread: threading.Thread | None = None

    def of(self, function: Function) -> Function:
        return interpreted(function) if self._is_cold.is_set() else function

    @property
    def is_ready(self) -> bool:
        """True if there is a compiler and nothing waits for it any more."""
        return IS_COMPILED and not self._is_cold.is_set()

    def start(self, *, after_s: float = START_AFTER_S) -> None:
        """Compile in a thread; it ends with the process."""
        if not IS_COMPILED:
            return
        self._is_cold.set()
        self.thread = threading.Thread(target=self._run, args=(after_s,), name="warm-solvers", daemon=True)
        self.thread.start()

    @contextmanager
    def plain(self) -> Iterator[None]:
        """For a few small questions of a command: Python is done with them long before a compiler could begin."""
        was_cold = self._is_cold.is_set()
        self._is_cold.set()
        try:
            yield
        finally:
            if not was_cold:
                self._is_cold.clear()

    def _run(self, after_s: float) -> None:
        threading.Event().wait(after_s)
        try:
            solve_little()
        except Exception:
            # Questions are answered all the same, only slower; the next start tries again.
            log.exception("the solvers could not be compiled; questions are answered by the plain ones, which are slow")
        else:
            self._is_cold.clear()


WARMING = Warming()


def solve_little() -> list[Paths]:
    """Every compiled solver once, with arrays of the types that questions have."""
    walk_little()
    visit_little()
    none = np.zeros(0, dtype=np.int64)
    bounds = np.full(3, NO_LIMIT_US, dtype=np.int64)
    plan = Plan(2, 10, 0, 10, 20, False, False, False, False, ENTRY_BEST, bounds, np.zeros_like(bounds), none, none)
    offsets, times = np.array([0, 2], dtype=np.int64), np.array([1, 2], dtype=np.int64)
    did = Histories(offsets, times, np.array([1, 2], dtype=np.int32), np.zeros(2, dtype=np.int32))
    return [
        solve(plan, did),
        solve_totals(plan, did),
        solve_unordered(plan, did, first_required=False),
        solve_unordered_totals(plan, did, first_required=False),
        solve_lengths(plan, arrange_little()[0]),
    ]


class _Few:
    """Two rows, twice, of one person, in no order."""

    def __init__(self) -> None:
        self.arrays = ArrayMemory(1 << 20)

    def batches(self, _sql: str, _parameters: Mapping[str, object], _rows: int) -> Iterator[pa.RecordBatch]:
        for times in ([2, 1], [TIME_MAX_US, 3]):
            columns = [pa.array([7, 7]), pa.array(times), pa.array([2, 1], pa.int32())]
            yield pa.RecordBatch.from_arrays(columns, names=["entity", "time_us", "marks"])

    def check_time(self) -> None:
        pass


def arrange_little() -> list[Histories]:
    """What puts rows in order, in the same way: with edges and without."""
    found = []
    for owners in (owners_of(None), None):
        arrangement = Arrangement(steps=2, anonymous_bit=2, owners=owners, entry_bits=1, from_us=0, to_us=10)
        found += [histories for _people, histories in Arranger(_Few(), "", {}, arrangement, rows=4).chunks(10)]
    return found


def walk_little() -> int:
    """What follows ways and counts them; returns how many begin with the first name."""
    offsets, times = np.array([0, 2], dtype=np.int64), np.array([1, 2], dtype=np.int64)
    did = Histories(offsets, times, np.array([4 | START, 8], dtype=np.int32), np.zeros(2, dtype=np.int32))
    walking = Walking.of(gap_us=1, span=(0, 10), has_start=True, has_end=False, collapses=True, depth=2, names=2)
    tally = Tally(ArrayMemory(1 << 20), walking)
    find_ties(did, np.zeros(2, dtype=np.bool_))
    tally.add(did, np.zeros(1, dtype=np.bool_))
    tally.links(np.zeros((2, 3), dtype=np.int32), 1)
    tally.largest(1)
    return int(tally.names(2)[0, 1])


def visit_little() -> int:
    """What finds sessions and counts them; returns how long the only one is."""
    hashes, words = lent(np.array([5, 5], dtype=np.int64)), Words.of(np.array([5], dtype=np.int64))
    people, times = lent(np.array([7, 7], dtype=np.int64)), lent(np.array([3, 1], dtype=np.int64))
    kinds = np.zeros((2, 1), dtype=np.int32)
    find_words(hashes, words, kinds, 0)
    parted = (np.zeros(2, np.int64), np.zeros(2, np.int64), np.zeros((2, 1), np.int32))
    part_kinds(people, times, kinds + PASSES, 63, np.array([0, 0], dtype=np.int64), parted)
    told = Told(np.zeros(1, np.int64), np.zeros(1, np.bool_))
    asked, part = Visiting(gap_us=5, from_us=0, to_us=9, told=told, page=0), Part.of(*parted)
    visits, ties, one = no_visits(1, 1), no_ties(1), np.zeros(1, dtype=np.int64)
    find_visits(asked, part, visits, ties, np.zeros(2, dtype=np.int64))
    count_pages(asked, part, Pages(np.array([-1, 0], np.int32), *(np.zeros(1, np.int64) for _ in range(3))), 0)
    settle(told, Ties(part.people, one + 1, one, one), one, parted[0][:1] + 0, one + 1, kinds, visits)
    figures = np.zeros((1, 7), dtype=np.int64)
    count_figures(visits, np.zeros(1, np.int32), np.zeros(1, np.int32), figures)
    return int(figures[0, 6])


@cache
def interpreted(function: Function) -> Function:
    """The function as Python, and so everything compiled that it calls."""
    namespaces: dict[str, dict[str, Any]] = {}

    def remade(source: Any) -> FunctionType:
        plain = getattr(source, "py_func", source)
        twin = FunctionType(plain.__code__, namespace(plain), plain.__name__, plain.__defaults__, plain.__closure__)
        twin.__kwdefaults__ = plain.__kwdefaults__
        return twin

    def namespace(plain: FunctionType) -> dict[str, Any]:
        name = plain.__globals__["__name__"]  # a decorated function lives where its decorator does
        if name not in namespaces:
            namespaces[name] = dict(plain.__globals__)
            for key, value in plain.__globals__.items():
                is_ours = getattr(value, "__module__", "").startswith(_ROOM) if callable(value) else False
                if is_ours and (isinstance(value, FunctionType) or hasattr(value, "py_func")):
                    namespaces[name][key] = remade(value)
        return namespaces[name]

    return cast(Function, remade(function))

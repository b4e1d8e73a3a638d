"""Small state by name, bounded: in the memory of one process, or in memory that all workers of a server share.

A full table gives up the state that is worth least, so that nobody loses his own by making up many other names.
"""

import fcntl
import hashlib
import mmap
import os
import struct
import sys
import tempfile
import threading
import time
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple, TypeVar

# An amount, when it was true, a time that the owner chooses, and until when the state is worth keeping.
State = tuple[float, float, float, float]
Result = TypeVar("Result")
Step = Callable[..., tuple[State | None, Result]]

WAYS = 8  # names that may lie in one set of the table; also how many of the longest idle are compared in memory
LIMIT_SETS = 16_384
LOGIN_SETS = 4_096
LOCK_TRIES = 50
LOCK_PAUSE_S = 0.0002  # a holder needs microseconds; one that was stopped in the middle must not stop the others

_SLOT = struct.Struct("<Q4d")  # the name's tag, 0 for none, and the state
_SET = struct.Struct("<" + "Q4d" * WAYS)
_NOTHING = (0, 0.0, 0.0, 0.0, 0.0)
PLACES_MAX = 20_000
_KEY_BYTES = 32


class Slots(ABC):
    """`change` reads, decides and writes the state of one name as one step: `step(state or None, *arguments)` answers
    (the new state or None, what `change` returns)."""

    @abstractmethod
    def change(self, name: str, step: Step[Result], *arguments: Any) -> Result: ...

    @contextmanager
    def all_held(self) -> Iterator[None]:
        """Several changes as one step, against others who hold all."""
        yield


class MemorySlots(Slots):
    """For a server with one worker, and for commands."""

    def __init__(self, states_max: int) -> None:
        self._states_max = states_max
        self._states: OrderedDict[str, State] = OrderedDict()

    def __len__(self) -> int:
        return len(self._states)

    def change(self, name: str, step: Step[Result], *arguments: Any) -> Result:
        states = self._states
        before = states.get(name)
        after, result = step(before, *arguments)
        if after is None:
            states.pop(name, None)
            return result
        states[name] = after
        if before is not None:
            states.move_to_end(name)
        elif len(states) > self._states_max:
            oldest = islice(states.items(), min(WAYS, self._states_max))
            del states[min(oldest, key=_worth)[0]]
        return result


class SharedSlots(Slots):
    """A table of fixed slots in shared memory. The name's keyed hash chooses a set of eight and tells its slot.

    The kernel frees the lock of a process that dies. When a lock cannot be had soon, the change is made without it:
    a count that is off by one is better than a server that waits.
    """

    def __init__(self, descriptor: int, memory: mmap.mmap, start: int, sets: int) -> None:
        self._descriptor = descriptor
        self._memory = memory
        self._start = start
        self._sets = sets
        self._key = memory[:_KEY_BYTES]
        self._threads = threading.Lock()  # locks of files do not hold between threads
        self._places: dict[str, tuple[int, int, int]] = {}  # tag, set, and the slot where it was seen last

    def change(self, name: str, step: Step[Result], *arguments: Any) -> Result:
        with self._threads:
            tag, set_at, slot_at = self._places.get(name) or self._place(name)
            is_held = self._lock(set_at)
            try:
                found = _SLOT.unpack_from(self._memory, slot_at)
                if found[0] != tag:
                    slot_at, found = self._search(name, tag, set_at)
                after, result = step(found[1:] if found[0] else None, *arguments)
                if after is not None:
                    _SLOT.pack_into(self._memory, slot_at, tag, *after)
                elif found[0]:
                    _SLOT.pack_into(self._memory, slot_at, *_NOTHING)
                return result
            finally:
                if is_held:
                    fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, set_at)

    @contextmanager
    def all_held(self) -> Iterator[None]:
        # The byte before the first set belongs to nobody's state.
        is_held = self._lock(self._start - 1)
        try:
            yield
        finally:
            if is_held:
                fcntl.lockf(self._descriptor, fcntl.LOCK_UN, 1, self._start - 1)

    def _place(self, name: str) -> tuple[int, int, int]:
        """Remembered, because the hash costs more than the rest; bounded by forgetting all."""
        if len(self._places) >= PLACES_MAX:
            self._places.clear()
        tag = int.from_bytes(hashlib.blake2b(name.encode(), key=self._key, digest_size=8).digest(), "little") or 1
        set_at = self._start + tag % self._sets * _SET.size
        self._places[name] = place = (tag, set_at, set_at)
        return place

    def _search(self, name: str, tag: int, set_at: int) -> tuple[int, tuple[Any, ...]]:
        """The name's slot and what is in it, or the slot to put it: a free one, else the one that is worth least."""
        values = _SET.unpack_from(self._memory, set_at)
        tags, worths = values[:: len(_NOTHING)], values[len(_NOTHING) - 1 :: len(_NOTHING)]
        is_known = tag in tags
        wanted = tag if is_known else 0
        way = tags.index(wanted) if wanted in tags else worths.index(min(worths))
        slot_at = set_at + way * _SLOT.size
        self._places[name] = (tag, set_at, slot_at)
        return slot_at, values[way * len(_NOTHING) : (way + 1) * len(_NOTHING)] if is_known else _NOTHING

    def _lock(self, at: int) -> bool:
        for _ in range(LOCK_TRIES):
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, at)
            except (BlockingIOError, PermissionError):  # somebody has it; which of the two depends on the system
                time.sleep(LOCK_PAUSE_S)
            except OSError:
                return False
            else:
                return True
        return False


class SharedTables(NamedTuple):
    """The tables of one server."""

    limits: Slots
    logins: Slots


def create_shared() -> int:
    """The descriptor of new, empty tables, to be handed to all workers. They are gone with the last of them."""
    if sys.platform == "linux":
        descriptor = os.memfd_create("iafa-limits", os.MFD_CLOEXEC)
    else:
        with tempfile.TemporaryFile() as file:
            descriptor = os.dup(file.fileno())
    os.truncate(descriptor, _KEY_BYTES + (LIMIT_SETS + LOGIN_SETS) * _SET.size)
    # With a secret of each start nobody can choose names that fall together with somebody else's.
    os.pwrite(descriptor, os.urandom(_KEY_BYTES), 0)
    return descriptor


def open_shared(descriptor: int) -> SharedTables:
    memory = mmap.mmap(descriptor, 0)
    limits = SharedSlots(descriptor, memory, _KEY_BYTES, LIMIT_SETS)
    return SharedTables(limits, SharedSlots(descriptor, memory, _KEY_BYTES + LIMIT_SETS * _SET.size, LOGIN_SETS))


def empty_table(sets: int) -> bytes:
    """The content of a file for `open_table`."""
    return os.urandom(_KEY_BYTES) + bytes(sets * _SET.size)


def open_table(descriptor: int, sets: int) -> Slots:
    """A table of its own in a file, which outlives the server. Raises ValueError for a file of another size."""
    memory = mmap.mmap(descriptor, 0)
    if len(memory) != _KEY_BYTES + sets * _SET.size:
        raise ValueError("the file is no table of this size")
    return SharedSlots(descriptor, memory, _KEY_BYTES, sets)


def _worth(item: tuple[str, State]) -> float:
    return item[1][3]

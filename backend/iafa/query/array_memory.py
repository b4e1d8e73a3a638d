"""How much memory questions may use for arrays beside the engine, all of them together."""

import threading


class ArrayMemory:
    """Bytes that can be taken and given back. Safe to use from many threads; nobody waits."""

    def __init__(self, size: int) -> None:
        self._free = size
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give(self, size: int) -> None:
        with self._lock:
            self._free += size


class NoRoom(Exception):
    """There is not enough memory."""


class Taken:
    """What one question has taken; given back when it is closed."""

    def __init__(self, arrays: ArrayMemory) -> None:
        self.size = 0
        self._arrays = arrays

    def take(self, size: int) -> None:
        """Raises NoRoom."""
        if not self.has_taken(size):
            raise NoRoom

    def has_taken(self, size: int) -> bool:
        """False if there is no room for so much."""
        has_room = self._arrays.take(size)
        self.size += size if has_room else 0
        return has_room

    def give_down_to(self, size: int) -> None:
        self._arrays.give(self.size - size)
        self.size = size

    def close(self) -> None:
        self.give_down_to(0)

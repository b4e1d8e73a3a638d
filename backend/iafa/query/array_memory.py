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

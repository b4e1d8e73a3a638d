"""Counters of this process. Every drop has a reason and a counter."""

import threading
from collections import Counter


class Counters:
    """Named counters with labels, safe between threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, label: str = "", amount: int = 1) -> None:
        with self._lock:
            self._counts[name, label] += amount

    def read(self) -> dict[str, dict[str, int]]:
        """{name: {label: count}}"""
        with self._lock:
            counts = dict(self._counts)
        read: dict[str, dict[str, int]] = {}
        for (name, label), count in sorted(counts.items()):
            read.setdefault(name, {})[label] = count
        return read

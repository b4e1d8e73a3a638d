"""Event ids seen lately by this worker, so that a repeat is answered as a duplicate. The flusher decides."""

IDS_MAX = 500_000


class RecentIds:
    """Two generations of a set: the older one is dropped when the younger is full."""

    def __init__(self, ids_max: int = IDS_MAX) -> None:
        self._ids_max = ids_max
        self._young: set[tuple[str, str]] = set()
        self._old: set[tuple[str, str]] = set()

    def __contains__(self, key: tuple[str, str]) -> bool:
        return key in self._young or key in self._old

    def add(self, key: tuple[str, str]) -> None:
        """Only after the event is durable: an id whose first copy failed must not make its retry a duplicate."""
        if len(self._young) >= self._ids_max:
            self._old, self._young = self._young, set()
        self._young.add(key)

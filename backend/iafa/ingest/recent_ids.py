"""Event ids seen lately by this worker, so that a repeat is answered as a duplicate. The flusher decides."""

from collections.abc import Collection, Set

from iafa.clock import Clock

IDS_MAX = 500_000
WINDOW_S = 7 * 86_400.0

_NONE: frozenset[str] = frozenset()


class RecentIds:
    """Two generations of sets, one a project: the older one is dropped when the younger is full or half the dedup
    window old, so that no id is remembered beyond the window: then a repeat is a new event."""

    def __init__(self, clock: Clock, *, ids_max: int = IDS_MAX, window_s: float = WINDOW_S) -> None:
        self._clock = clock
        self._ids_max = ids_max
        self._turn_s = window_s / 2
        self._turned_s = clock.monotonic_s()
        self._young: dict[str, set[str]] = {}
        self._old: dict[str, set[str]] = {}
        self._added = 0

    def known(self, project_id: str, ids: Collection[str]) -> Set[str]:
        """Those of the ids that have been seen."""
        self._turn()
        young, old = self._young.get(project_id, _NONE), self._old.get(project_id, _NONE)
        if young.isdisjoint(ids) and old.isdisjoint(ids):
            return _NONE
        return {id_ for id_ in ids if id_ in young or id_ in old}

    def add(self, project_id: str, ids: Collection[str]) -> None:
        """Only after the events are durable: an id whose first copy failed must not make its retry a duplicate."""
        self._turn()
        self._young.setdefault(project_id, set()).update(ids)
        self._added += len(ids)

    def _turn(self) -> None:
        now_s = self._clock.monotonic_s()
        age_s = now_s - self._turned_s
        if self._added < self._ids_max and age_s < self._turn_s:
            return
        self._old = self._young if age_s < 2 * self._turn_s else {}
        self._young, self._added, self._turned_s = {}, 0, now_s

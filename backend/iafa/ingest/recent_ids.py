"""Event ids seen lately by this worker, so that a repeat is answered as a duplicate. The flusher decides."""

from collections.abc import Collection, Set

IDS_MAX = 500_000

_NONE: frozenset[str] = frozenset()


class RecentIds:
    """Two generations of sets, one a project: the older one is dropped when the younger is full."""

    def __init__(self, ids_max: int = IDS_MAX) -> None:
        self._ids_max = ids_max
        self._young: dict[str, set[str]] = {}
        self._old: dict[str, set[str]] = {}
        self._added = 0

    def known(self, project_id: str, ids: Collection[str]) -> Set[str]:
        """Those of the ids that have been seen."""
        young, old = self._young.get(project_id, _NONE), self._old.get(project_id, _NONE)
        if young.isdisjoint(ids) and old.isdisjoint(ids):
            return _NONE
        return {id_ for id_ in ids if id_ in young or id_ in old}

    def add(self, project_id: str, ids: Collection[str]) -> None:
        """Only after the events are durable: an id whose first copy failed must not make its retry a duplicate."""
        if self._added >= self._ids_max:
            self._old, self._young, self._added = self._young, {}, 0
        self._young.setdefault(project_id, set()).update(ids)
        self._added += len(ids)

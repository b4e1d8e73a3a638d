"""What is kept in memory for the projects that were asked last: a server with many projects keeps only some."""

from collections import OrderedDict
from typing import Generic, TypeVar

Value = TypeVar("Value")
PROJECTS_KEPT = 32


class Recent(Generic[Value]):
    """By project. What was forgotten is made again when it is asked for. For one thread at a time."""

    def __init__(self, most: int = PROJECTS_KEPT) -> None:
        self._most = most
        self._values: OrderedDict[str, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, project_id: str) -> Value | None:
        if project_id in self._values:
            self._values.move_to_end(project_id)
        return self._values.get(project_id)

    def keep(self, project_id: str, value: Value) -> None:
        self._values[project_id] = value
        self._values.move_to_end(project_id)
        while len(self._values) > self._most:
            self._values.popitem(last=False)

    def forget(self, project_id: str) -> None:
        self._values.pop(project_id, None)

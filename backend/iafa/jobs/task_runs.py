"""How the background's tasks went: the last run of each, the last one that did something, and failures."""

import dataclasses
from collections.abc import Sized

import msgspec

from iafa.clock import Clock

ERROR_CHARS_MAX = 300


class TaskRun(msgspec.Struct, kw_only=True):
    """`worked` is what the last run that did anything said it did; counts since the process began."""

    name: str
    every_s: float
    runs: int = 0
    failures: int = 0
    last_us: int | None = None
    last_s: float = 0.0
    error: str | None = None  # of the last run
    failed_us: int | None = None
    worked_us: int | None = None
    worked: dict[str, int] = {}


class TaskRuns:
    """Written by the one thread that runs the tasks, read by the one that publishes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._runs: dict[str, TaskRun] = {}

    def ended(self, name: str, every_s: float, began_s: float, outcome: object) -> None:
        """`outcome` is what the task returned, or the exception that ended it."""
        now_us = self._clock.now_us()
        before = self._runs.get(name) or TaskRun(name=name, every_s=every_s)
        is_failure = isinstance(outcome, BaseException)
        did = {} if is_failure else _counts(outcome)
        self._runs[name] = msgspec.structs.replace(
            before,
            runs=before.runs + 1,
            failures=before.failures + is_failure,
            last_us=now_us,
            last_s=round(self._clock.monotonic_s() - began_s, 3),
            error=f"{type(outcome).__name__}: {outcome}"[:ERROR_CHARS_MAX] if is_failure else None,
            failed_us=now_us if is_failure else before.failed_us,
            worked_us=now_us if did else before.worked_us,
            worked=did or before.worked,
        )

    def read(self) -> list[TaskRun]:
        return list(self._runs.values())


def _counts(outcome: object) -> dict[str, int]:
    """The numbers of a result that are not 0; of a list or set, how many it holds."""
    if not dataclasses.is_dataclass(outcome):
        return {}
    found: dict[str, int] = {}
    for field in dataclasses.fields(outcome):
        value = getattr(outcome, field.name)
        if isinstance(value, int) and not isinstance(value, bool):
            found[field.name] = value
        elif isinstance(value, Sized) and not isinstance(value, str):
            found[field.name] = len(value)
    return {name: count for name, count in found.items() if count}

"""The background process: tasks in a loop, away from the requests and at low priority."""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from iafa.clock import Clock
from iafa.jobs.task_runs import TaskRuns
from iafa.metrics import Counters

log = logging.getLogger("iafa.background")
NICE = 19
POLL_S = 0.5
PAUSE_AFTER_FAILURE_S = 5.0


@dataclass(frozen=True)
class Task:
    """Something to do again and again; it is never run beside another task."""

    name: str
    every_s: float
    run: Callable[[], object]
    is_due_at_start: bool = False


@dataclass(frozen=True)
class Background:
    """Runs each task when its time has come, in their order."""

    tasks: Sequence[Task]
    clock: Clock
    counters: Counters = field(default_factory=Counters)
    runs: TaskRuns | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. A failing run is logged and tried again: its input stays where it is."""
        os.nice(NICE)
        now_s = self.clock.monotonic_s()
        due_s = {task.name: now_s + (0 if task.is_due_at_start else task.every_s) for task in self.tasks}
        while not stop.wait(POLL_S):
            for task in self.tasks:
                if stop.is_set() or self.clock.monotonic_s() < due_s[task.name]:
                    continue
                began_s = self.clock.monotonic_s()
                try:
                    outcome = task.run()
                    due_s[task.name] = self.clock.monotonic_s() + task.every_s
                except Exception as error:
                    outcome = error
                    log.exception("task=%s failed; nothing is lost, it is tried again", task.name)
                    self.counters.add("task_failures", task.name)
                    due_s[task.name] = self.clock.monotonic_s() + max(PAUSE_AFTER_FAILURE_S, task.every_s)
                if self.runs is not None:
                    self.runs.ended(task.name, task.every_s, began_s, outcome)

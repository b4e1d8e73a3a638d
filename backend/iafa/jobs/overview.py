"""The text of /metrics: what all processes of the server have counted, and what its data directory looks like."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from iafa import __version__
from iafa.clock import Clock
from iafa.jobs.gauges import Gauges
from iafa.metrics import METRICS, Counts, Values, text_of, total
from iafa.published import Published, read_all

UP_WITHIN_S = 15.0


@dataclass(frozen=True)
class Overview:
    """Any worker can answer for all: its own counts are of now, those of the others at most about a second old."""

    folder: Path
    process: str
    own: Callable[[], Published]
    gauges: Gauges
    clock: Clock
    durability: str

    def processes(self) -> dict[str, Published]:
        return read_all(self.folder) | {self.process: self.own()}

    def text(self) -> str:
        processes = self.processes()
        counts: Counts = total(published.counts for published in processes.values())
        values: Values = {name: dict(by_label) for name, by_label in counts.items()}
        values |= {name: {"": value} for name, value in self.gauges.quick().items()}
        values["build_info"] = {__version__: 1}
        values["durability_info"] = {self.durability: 1}
        values["process_up"] = {name: float(self.is_up(published)) for name, published in processes.items()}
        for process, published in processes.items():
            for name, value in published.gauges.items():
                values.setdefault(name, {})[process if METRICS[name].label == "process" else ""] = value
        return text_of(values)

    def is_up(self, published: Published) -> bool:
        return self.clock.monotonic_s() - published.at_s <= UP_WITHIN_S

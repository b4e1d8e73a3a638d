"""Counters of a process, the list of all metrics, and their text form. Every drop has a reason and a counter."""

import threading
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Literal, NamedTuple

Values = dict[str, dict[str, float]]  # {name: {label's value: value}}
Counts = dict[str, dict[str, int]]
TEXT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metric(NamedTuple):
    """`label` is the name of the one label; empty: the metric has a single value, which is 0 from the start."""

    kind: Literal["counter", "gauge"]
    label: str
    help: str


# What is counted is named here once: the page docs/metrics.md is held against this list.
METRICS: Mapping[str, Metric] = {
    "answer_cache": Metric("counter", "result", "Answers found in the cache (hit) and computed (miss)"),
    "collect_requests": Metric("counter", "status", "Answers of the collect routes by class of status"),
    "compact_days": Metric("counter", "", "Days merged into one file"),
    "compact_failures": Metric("counter", "", "Merges that failed and are tried again"),
    "damaged_files": Metric("counter", "", "Stored files found damaged"),
    "enrichment_failures": Metric("counter", "what", "Enrichments that failed; the events were stored without them"),
    "erase_failures": Metric("counter", "", "Removals of erased people from files that failed and are tried again"),
    "events_accepted": Metric("counter", "", "Events that are durable and were acknowledged"),
    "events_dropped": Metric("counter", "reason", "Events that were not stored"),
    "events_erased": Metric("counter", "", "Events of erased people that were left out on their way to the lake"),
    "events_quarantined": Metric("counter", "reason", "Rejected events written to quarantine files"),
    "flush_duplicates": Metric("counter", "", "Events left out at flush: an event with their id is stored"),
    "flush_events": Metric("counter", "", "Events written from the journal to Parquet"),
    "flush_failures": Metric("counter", "", "Flushes that failed and are tried again"),
    "internal_errors": Metric("counter", "place", "Requests answered with 500 because of a mistake in the server"),
    "journal_damaged_records": Metric("counter", "", "Journal records that could not be read"),
    "journal_failures": Metric("counter", "kind", "Requests the journal refused or failed"),
    "journal_offers_dropped": Metric(
        "counter", "kind", "Rejected events, and counts of drops, that did not get into the journal"
    ),
    "journal_torn_tails": Metric("counter", "", "Unacknowledged journal ends cut off after a crash"),
    "people_erased": Metric("counter", "", "People of whom no file holds anything any more"),
    "process_restarts": Metric("counter", "process", "Processes of the server that ended and were started again"),
    "properties_removed": Metric("counter", "", "Members of events removed because of a project's deny-list"),
    "quarantine_dropped": Metric("counter", "", "Rejected events that did not fit into the bounded quarantine"),
    "redis_failures": Metric("counter", "", "Times that Redis could not be asked for a limit"),
    "requests_refused": Metric("counter", "code", "Collect requests of which nothing was stored, by why"),
    "retention_days_removed": Metric("counter", "", "Days removed because their time was over"),
    "task_failures": Metric("counter", "task", "Background tasks that failed and are tried again"),
    "build_info": Metric("gauge", "version", "The version that runs; always 1"),
    "day_parts": Metric("gauge", "", "Files of the day that has most of them, over all projects"),
    "disk_free_bytes": Metric("gauge", "", "Free bytes on the data directory's disk"),
    "durability_info": Metric("gauge", "mode", "The durability in force; always 1"),
    "event_loop_lag_seconds": Metric("gauge", "process", "The longest a worker's event loop was late lately"),
    "journal_bytes": Metric("gauge", "", "Bytes of all journals that wait for the flusher"),
    "journal_oldest_seconds": Metric("gauge", "", "Age of the oldest record that is not in the lake yet; 0 if none"),
    "journal_waiting_requests": Metric("gauge", "process", "Requests whose events are on their way to the disk"),
    "process_cpu_seconds": Metric("gauge", "process", "Processor time that a process has used"),
    "process_open_descriptors": Metric("gauge", "process", "Descriptors that a process has open"),
    "process_resident_bytes": Metric("gauge", "process", "Memory of a process"),
    "process_start_time_seconds": Metric("gauge", "process", "When a process started, in seconds since 1970"),
    "process_up": Metric("gauge", "process", "1 if a process has reported lately"),
    "projects_over_quota": Metric("gauge", "", "Projects that have had their events of this month"),
    "queries_running": Metric("gauge", "process", "Questions that the engine is answering"),
    "queries_waiting": Metric("gauge", "process", "Questions that wait for a thread or for the engine"),
    "quota_used_ratio": Metric("gauge", "", "Of the project that is nearest to its monthly quota: the part it has had"),
    "stuck_projects": Metric("gauge", "", "Projects that the last flush could not write"),
}


class Counters:
    """Named counters with labels, safe between threads."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    def add(self, name: str, label: str = "", amount: int = 1) -> None:
        with self._lock:
            self._counts[name, label] += amount

    def read(self) -> Counts:
        """{name: {label: count}}"""
        with self._lock:
            counts = dict(self._counts)
        read: Counts = {}
        for (name, label), count in sorted(counts.items()):
            read.setdefault(name, {})[label] = count
        return read

    def add_all(self, counts: Counts) -> None:
        for name, by_label in counts.items():
            for label, count in by_label.items():
                self.add(name, label, count)


def total(parts: Iterable[Counts]) -> Counts:
    """The sum of several processes' counters."""
    counters = Counters()
    for part in parts:
        counters.add_all(part)
    return counters.read()


def text_of(values: Mapping[str, Mapping[str, float]]) -> str:
    """The Prometheus text of metrics; a counter without a label is there before it first counts."""
    lines: list[str] = []
    for name in sorted(METRICS.keys() | values.keys()):
        metric = METRICS.get(name, Metric("counter", "label", "A counter without a description"))
        by_label = dict(values.get(name, {}))
        if metric.kind == "counter" and not metric.label:
            by_label = {"": sum(by_label.values())}
        full_name = f"iafa_{name}_total" if metric.kind == "counter" else f"iafa_{name}"
        lines.append(f"# HELP {full_name} {metric.help}")
        lines.append(f"# TYPE {full_name} {metric.kind}")
        for label, value in sorted(by_label.items()):
            labels = f'{{{metric.label}="{_escaped(label)}"}}' if metric.label else ""
            lines.append(f"{full_name}{labels} {float(value)!r}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')

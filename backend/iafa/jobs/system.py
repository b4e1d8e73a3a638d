"""How the server is doing: its processes, what came in, what waits, what takes room, what ran, what was slow.

Any worker answers for all, from what the processes publish and the background process has measured.
"""

import shutil
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from iafa import __version__
from iafa.clock import US_PER_S, Clock, iso_or_none, to_iso
from iafa.event import DropReason
from iafa.ingest import attempts as seen
from iafa.ingest.attempts import ALL, Attempts
from iafa.jobs.backup_record import read_backup
from iafa.jobs.diagnosis import Minute, minutes_of
from iafa.jobs.measuring import Measured, ProjectSize, read_measured
from iafa.jobs.overview import Overview
from iafa.jobs.task_runs import TaskRun
from iafa.journal.reader import backlog
from iafa.lake.layout import Layout
from iafa.metrics import Counts, total
from iafa.published import STARTED, Published
from iafa.query.slow_questions import SlowQuestion, SlowQuestions, read_slow

RATE_MINUTES = (1, 5, 15)
ERROR_COUNTERS = (
    *("internal_errors", "journal_failures", "flush_failures", "compact_failures", "erase_failures", "task_failures"),
    *("damaged_files", "journal_damaged_records", "enrichment_failures", "redis_failures", "quarantine_dropped"),
    *("process_restarts", "journal_offers_dropped"),
)


@dataclass(frozen=True)
class SystemDesk:
    """Blocking."""

    layout: Layout
    overview: Overview
    attempts: Attempts
    slow: SlowQuestions
    clock: Clock
    query_slots: int  # of one worker

    def of(self, project_names: Mapping[str, str]) -> dict[str, Any]:
        """Of the whole server; of single projects only those that are named here."""
        now_us = self.clock.now_us()
        processes = self.overview.processes()
        counts = total(published.counts for published in processes.values())
        measured = read_measured(self.layout)
        self.slow.publish()
        waiting = backlog(self.layout.journal, now_us)
        return {
            "checked_at": to_iso(now_us),
            "version": __version__,
            "durability": self.overview.durability,
            "ingest": self._ingest(now_us),
            "journal": {
                "bytes": waiting.bytes,
                "segments": waiting.segments,
                "oldest_seconds": round(waiting.oldest_us / US_PER_S, 3),
                "waiting_requests": _sum(processes, "journal_waiting_requests"),
            },
            "processes": [
                self._process(name, one)
                for name, one in sorted(processes.items())
                if STARTED in one.gauges  # else its counts are of a process that stands here by another name
            ],
            "queries": self._queries(processes, counts),
            "slow_queries": [_slow(one, project_names) for one in read_slow(self.layout.slow)],
            "refused": {
                "events": dict(sorted(counts.get("events_dropped", {}).items())),
                "requests": dict(sorted(counts.get("requests_refused", {}).items())),
            },
            "errors": {name: sum(counts.get(name, {}).values()) for name in ERROR_COUNTERS},
            "disk": self._disk(measured, waiting.bytes),
            "projects": _projects(measured, project_names),
            "tasks": [_task(one) for one in measured.tasks],
            "backup": self._backup(),
        }

    def _ingest(self, now_us: int) -> dict[str, Any]:
        tally = self.attempts.tally(ALL)
        minutes = minutes_of(tally, now_us)
        whole = minutes[:-1]
        return {
            "counted_since": to_iso(tally.since_us),
            "events_per_second": {
                f"minutes_{count}": round(sum(one.accepted for one in whole[-count:]) / (60 * count), 3)
                for count in RATE_MINUTES
            },
            "last_accepted_at": iso_or_none(tally.last_us.get(seen.ACCEPTED)),
            "last_24_hours": _day(tally.day(now_us)),
            "minutes": [_minute(one) for one in minutes],
        }

    def _process(self, name: str, published: Published) -> dict[str, Any]:
        gauges = published.gauges
        started_s = gauges[STARTED]
        uptime_s = max(0.0, self.clock.now_us() / US_PER_S - started_s)
        return {
            "name": name,
            "pid": published.pid,
            "is_up": self.overview.is_up(published),
            "started_at": to_iso(round(started_s * US_PER_S)),
            "uptime_seconds": round(uptime_s, 1),
            "version": __version__,
            "resident_bytes": _whole(gauges.get("process_resident_bytes")),
            "cpu_seconds": gauges.get("process_cpu_seconds"),
            "open_descriptors": _whole(gauges.get("process_open_descriptors")),
            "loop_lag_seconds": gauges.get("event_loop_lag_seconds"),
        }

    def _queries(self, processes: Mapping[str, Published], counts: Counts) -> dict[str, Any]:
        cache = counts.get("answer_cache", {})
        hits, misses = cache.get("hit", 0), cache.get("miss", 0)
        workers = sum("queries_running" in one.gauges for one in processes.values())
        return {
            "slots": self.query_slots * workers,
            "running": _sum(processes, "queries_running"),
            "waiting": _sum(processes, "queries_waiting"),
            "cache_hits": hits,
            "cache_misses": misses,
            "cache_hit_rate": round(hits / (hits + misses), 4) if hits + misses else None,
        }

    def _disk(self, measured: Measured, journal_bytes: int) -> dict[str, Any]:
        usage = shutil.disk_usage(self.layout.root)
        events = sum(one.bytes for one in measured.projects)
        rollups = sum(one.rollup_bytes for one in measured.projects)
        return {
            "free_bytes": usage.free,
            "total_bytes": usage.total,
            "measured_at": iso_or_none(measured.disk_us),
            "is_complete": not measured.is_cut,
            "parts": {"events": events, "rollups": rollups, "journal": journal_bytes} | measured.parts,
        }

    def _backup(self) -> dict[str, Any] | None:
        found = read_backup(self.layout)
        if found is None:
            return None
        return {
            "at": to_iso(found.at_us),
            "is_complete": found.error is None and not found.left_out,
            "files": found.files,
            "bytes": found.bytes,
            "rows": found.rows,
            "left_out": found.left_out,
            "error": found.error,
        }


def _projects(measured: Measured, names: Mapping[str, str]) -> dict[str, Any]:
    """Those of the caller one by one, the others as one number."""
    return {
        "measured_at": iso_or_none(measured.projects_us),
        "most_files_of_a_day": measured.day_parts,
        "files_to_merge": sum(one.due for one in measured.projects),
        "own": [
            {"name": names[one.id], **_size(one)}
            for one in sorted(measured.projects, key=lambda one: -one.bytes)
            if one.id in names
        ],
        "others": _others([one for one in measured.projects if one.id not in names]),
    }


def _size(one: ProjectSize) -> dict[str, Any]:
    return {
        "id": one.id,
        "files": one.files,
        "rows": one.rows,
        "bytes": one.bytes,
        "days": one.days,
        "small_files": one.parts,
        "files_to_merge": one.due,
        "rollup_bytes": one.rollup_bytes,
        "trash_files": one.trash_files,
    }


def _others(sizes: Collection[ProjectSize]) -> dict[str, int]:
    return {
        "count": len(sizes),
        "files": sum(one.files for one in sizes),
        "rows": sum(one.rows for one in sizes),
        "bytes": sum(one.bytes for one in sizes),
    }


def _task(one: TaskRun) -> dict[str, Any]:
    return {
        "name": one.name,
        "every_seconds": one.every_s,
        "runs": one.runs,
        "failures": one.failures,
        "last_at": iso_or_none(one.last_us),
        "last_seconds": one.last_s,
        "is_ok": one.error is None,
        "error": one.error,
        "last_failed_at": iso_or_none(one.failed_us),
        "last_worked_at": iso_or_none(one.worked_us),
        "worked": one.worked,
    }


def _slow(one: SlowQuestion, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "at": to_iso(one.at_us),
        "route": one.route,
        "project_id": one.project_id if one.project_id in names else None,
        "milliseconds": one.ms,
        "rows": one.rows,
        "digest": one.digest,
        "outcome": one.outcome,
    }


def _minute(one: Minute) -> dict[str, Any]:
    return {"at": to_iso(one.at_us), "accepted": one.accepted, "not_stored": one.not_stored, "refused": one.refused}


def _day(reasons: Counter[str]) -> dict[str, int]:
    return {
        "accepted": reasons[seen.ACCEPTED],
        "bots": reasons[seen.BOT],
        "not_stored": sum(reasons[reason] for reason in DropReason),
    }


def _sum(processes: Mapping[str, Published], gauge: str) -> int:
    return round(sum(one.gauges.get(gauge, 0) for one in processes.values()))


def _whole(value: float | None) -> int | None:
    return None if value is None else round(value)

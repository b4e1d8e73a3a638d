"""How the server is doing, as the OpenAPI document shows it."""

from typing import Any

from pydantic import BaseModel, Field

from iafa.api.diagnosis_models import TrafficMinute

TIME: dict[str, Any] = {"format": "date-time"}


class IngestRates(BaseModel):
    """Events that were stored, a second."""

    minutes_1: float = Field(description="Of the last whole minute.", examples=[12.4])
    minutes_5: float = Field(examples=[11.9])
    minutes_15: float = Field(examples=[10.2])


class IngestDay(BaseModel):
    accepted: int = Field(examples=[1048576])
    bots: int = Field(examples=[312])
    not_stored: int = Field(examples=[96])


class IngestState(BaseModel):
    """What came in at all workers, of all projects."""

    counted_since: str = Field(json_schema_extra=TIME)
    events_per_second: IngestRates
    last_accepted_at: str | None = Field(json_schema_extra=TIME)
    last_24_hours: IngestDay
    minutes: list[TrafficMinute] = Field(description="The last 60, oldest first; the last one is not over.")


class JournalState(BaseModel):
    """What is durable and waits for the flush."""

    bytes: int = Field(examples=[40960])
    segments: int = Field(examples=[1])
    oldest_seconds: float = Field(description="Age of the oldest record; 0 if none waits.", examples=[2.5])
    waiting_requests: int = Field(description="Requests whose events are on their way to the disk.", examples=[0])


class ProcessState(BaseModel):
    name: str = Field(
        description="`worker-0`, `background`, or `supervisor` where it is no worker itself.", examples=["worker-0"]
    )
    pid: int = Field(examples=[4711])
    is_up: bool = Field(description="It has reported in the last 15 seconds.")
    started_at: str = Field(json_schema_extra=TIME)
    uptime_seconds: float = Field(examples=[3600.5])
    version: str = Field(examples=["1.0.0"])
    resident_bytes: int | None = Field(examples=[134217728])
    cpu_seconds: float | None = Field(examples=[42.1])
    open_descriptors: int | None = Field(examples=[24])
    loop_lag_seconds: float | None = Field(
        description="Of a worker: the longest its event loop was late lately.", examples=[0.002]
    )


class QueryState(BaseModel):
    """Questions at all workers."""

    slots: int = Field(description="That can be answered at once.", examples=[4])
    running: int = Field(examples=[1])
    waiting: int = Field(examples=[0])
    cache_hits: int = Field(description="Answers that were there, since the server started.", examples=[90])
    cache_misses: int = Field(examples=[10])
    cache_hit_rate: float | None = Field(examples=[0.9])


class SlowQuery(BaseModel):
    """A question that took half a second or more. What it asked for is not kept."""

    at: str = Field(json_schema_extra=TIME)
    route: str = Field(examples=["POST /api/v1/analytics/funnel"])
    project_id: str | None = Field(description="null: of another organization.", examples=["x1y2z3a4b5c6d7e8f9g0"])
    milliseconds: float = Field(examples=[812.5])
    rows: int = Field(description="Of the files and journals that were read.", examples=[1200000])
    digest: str = Field(description="Equal for equal questions.", examples=["9f86d081884c7d65"])
    outcome: str = Field(description="`answered`, `left`, or the code of a problem.", examples=["answered"])


class RefusedState(BaseModel):
    """Since the server started."""

    events: dict[str, int] = Field(description="By reason.", examples=[{"duplicate": 4}])
    requests: dict[str, int] = Field(description="By code.", examples=[{"invalid_credentials": 2}])


class DiskState(BaseModel):
    free_bytes: int
    total_bytes: int
    measured_at: str | None = Field(json_schema_extra=TIME, description="When the folders were last measured.")
    is_complete: bool = Field(description="False: a folder has more files than are looked at.")
    parts: dict[str, int] = Field(
        description="Bytes of `events`, `rollups`, `journal`, `quarantine`, `metadata`, `index`, `audit`, "
        "`erasures`, `damaged`, `trash` and `tmp`.",
        examples=[{"events": 104857600, "journal": 40960}],
    )


class ProjectSizes(BaseModel):
    id: str
    name: str = Field(examples=["Web shop"])
    files: int = Field(examples=[93])
    rows: int = Field(examples=[1200000])
    bytes: int = Field(examples=[104857600])
    days: int = Field(examples=[90])
    small_files: int = Field(description="That are not a whole day's.", examples=[3])
    files_to_merge: int = Field(description="Of these, that wait for the next compaction.", examples=[0])
    rollup_bytes: int = Field(examples=[0])
    trash_files: int = Field(description="Merged or removed, kept while a question may read them.", examples=[8])


class OtherSizes(BaseModel):
    """Of other organizations, together."""

    count: int = Field(examples=[0])
    files: int = Field(examples=[0])
    rows: int = Field(examples=[0])
    bytes: int = Field(examples=[0])


class ProjectsState(BaseModel):
    measured_at: str | None = Field(json_schema_extra=TIME)
    most_files_of_a_day: int = Field(examples=[4])
    files_to_merge: int = Field(examples=[0])
    own: list[ProjectSizes] = Field(description="Of your organization, largest first.")
    others: OtherSizes


class TaskState(BaseModel):
    """One of the background's tasks, since its process started."""

    name: str = Field(description="`flush`, `compact`, `retention` and others.", examples=["flush"])
    every_seconds: float = Field(examples=[0.5])
    runs: int = Field(examples=[7200])
    failures: int = Field(examples=[0])
    last_at: str | None = Field(json_schema_extra=TIME, description="When the last run ended.")
    last_seconds: float = Field(examples=[0.02])
    is_ok: bool = Field(description="Of the last run.")
    error: str | None = Field(description="Of the last run.", examples=[None])
    last_failed_at: str | None = Field(json_schema_extra=TIME)
    last_worked_at: str | None = Field(json_schema_extra=TIME, description="The last run that did something.")
    worked: dict[str, int] = Field(description="What that one did.", examples=[{"segments": 1, "events": 120}])


class BackupState(BaseModel):
    at: str = Field(json_schema_extra=TIME)
    is_complete: bool = Field(description="It ended, and nothing was left out.")
    files: int
    bytes: int
    rows: int
    left_out: int = Field(description="Files that were damaged or missing already.")
    error: str | None = Field(examples=[None])


class SystemAnswer(BaseModel):
    checked_at: str = Field(json_schema_extra=TIME)
    version: str
    durability: str = Field(examples=["sync"])
    ingest: IngestState
    journal: JournalState
    processes: list[ProcessState]
    queries: QueryState
    slow_queries: list[SlowQuery] = Field(description="Newest first; each worker keeps its last 100.")
    refused: RefusedState
    errors: dict[str, int] = Field(
        description="Counters that should stay 0, by the names of the metrics, since the server started.",
        examples=[{"internal_errors": 0, "flush_failures": 0}],
    )
    disk: DiskState
    projects: ProjectsState
    tasks: list[TaskState]
    backup: BackupState | None = Field(description="The last `iafa backup` of this directory.")

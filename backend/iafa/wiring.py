"""The only place where parts are put together. Used by the server, the background process and the commands alike."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from iafa.audit import AuditLog
from iafa.clock import US_PER_DAY, Clock, SystemClock
from iafa.durable import make_dirs, remove_tree
from iafa.errors import NotFound
from iafa.event import Location
from iafa.failpoints import Failpoints, Hit, no_failpoints
from iafa.ingest.attempts import Attempts
from iafa.ingest.drafts import nowhere
from iafa.ingest.locations import Locations
from iafa.ingest.salts import Salts
from iafa.ingest.usage import Usage, open_usage, quota_gauges
from iafa.jobs.alert_watch import AlertWatch, RuleLooks
from iafa.jobs.background import POLL_S, Background, Task
from iafa.jobs.backup import Backup
from iafa.jobs.compact import Compactor
from iafa.jobs.diagnosis import Diagnosis, DiagnosisDesk
from iafa.jobs.erase import Eraser
from iafa.jobs.erasure_desk import ErasureDesk
from iafa.jobs.flush import Flushed, Flusher
from iafa.jobs.gauges import Gauges
from iafa.jobs.measuring import Measurer
from iafa.jobs.merge import Merger
from iafa.jobs.overview import Overview
from iafa.jobs.quarantine_desk import QuarantineDesk
from iafa.jobs.repair import Repairer, Step
from iafa.jobs.replay import Replayer
from iafa.jobs.retention import Retention
from iafa.jobs.retention_plan import Policy
from iafa.jobs.system import SystemDesk
from iafa.jobs.task_runs import TaskRuns
from iafa.jobs.upload import Uploader
from iafa.jobs.verify import Verifier
from iafa.jobs.webhook import Webhook
from iafa.journal.reader import backlog, journals
from iafa.journal.watchers import Watchers
from iafa.lake.append import LakeAppender
from iafa.lake.dropped import drop
from iafa.lake.enrichment import Enrichment
from iafa.lake.layout import Layout
from iafa.lake.manifest import Manifests
from iafa.lake.quarantine import Quarantine
from iafa.lake.schema import leave_pandas_out
from iafa.lake.snapshot import Snapshots
from iafa.locks import held
from iafa.meta.account_files import open_membership
from iafa.meta.accounts import Accounts
from iafa.meta.alerts import Alerts, StoredAlert
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.meta.json_file import JsonFile
from iafa.meta.key_uses import KeyUses
from iafa.meta.membership import Membership
from iafa.meta.projects import Project, Projects
from iafa.meta.saved import Saved, open_saved
from iafa.metrics import Counters
from iafa.published import Publisher
from iafa.query.answer_cache import AnswerCache
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.query.slow_questions import SlowQuestions
from iafa.questions import THREADS_BESIDE, Questions
from iafa.settings import Settings
from iafa.slots import SharedTables, open_shared

QUARANTINE_SWEEP_S = 600.0
ERASE_S = 1.0
SALTS_SWEEP_S = 600.0
QUARANTINE_WAIT_S = 5.0
MEASURE_EVERY_S = 30.0
MEASURE_DISK_EVERY_S = 300.0
CLOCK_LOOK_S = 3600.0
ALERTS_S = 15.0


@dataclass(frozen=True)
class House(Questions):
    """Everything that reads: metadata, snapshots, the query engine. Opening it writes nothing but folders."""

    manifests: Manifests
    projects: Projects
    funnels: Funnels
    alerts: Alerts
    saved: Saved
    membership: Membership
    hit: Hit
    counters: Counters  # of this process
    enrichment: Enrichment
    shared: SharedTables | None  # what the workers of one server count together; None: one worker or a command

    @property
    def accounts(self) -> Accounts:
        return self.membership.accounts

    async def drop_project(self, project_id: str) -> None:
        await asyncio.to_thread(drop, self.layout, project_id)
        await asyncio.to_thread(remove_tree, self.layout.attempts / project_id)

    def appender(self) -> LakeAppender:
        return LakeAppender(
            self.layout, self.manifests, self._window_us, self.hit, make_room=self.compactor().make_room
        )

    def uploader(self) -> Uploader:
        return Uploader(
            self.layout,
            self.appender(),
            self.clock,
            condense=self.compactor().condense,
            enrichment=self.enrichment,
            locate=self.locate,
            salt_of=self.salts().of_history,
            counters=self.counters,
        )

    def flusher(self) -> Flusher:
        return Flusher(self.layout, self.appender(), self.quarantine(), self.hit, self.counters, self.enrichment)

    def quarantine(self) -> Quarantine:
        return Quarantine(self.layout, self.settings.quarantine_rows_max, self.hit, self.counters)

    @cached_property
    def audit(self) -> AuditLog:
        return AuditLog(self.layout.audit, self.clock, self.hit)

    @cached_property
    def watchers(self) -> Watchers:
        """Which projects somebody watches, at whichever worker."""
        return Watchers(self.layout.run / "watched", self.clock)

    @cached_property
    def locate(self) -> Callable[[str], Location | None]:
        """Where an address is, by the operator's database."""
        if not self.settings.geoip_database:
            return nowhere
        database = Path(self.settings.geoip_database)
        locations = Locations(database, self.layout.tmp, self.clock, self.counters, self.hit)
        locations.look()
        return locations.of

    def diagnosis_desk(self, attempts: Attempts) -> DiagnosisDesk:
        return DiagnosisDesk(attempts, self.projects, self.manifests, self.clock)

    def diagnose_key(self, key: str) -> Diagnosis:
        """Of the project that the key is or was of, from what a server here has left. Raises NotFound."""
        now_us = self.clock.now_us()
        whose = self.projects.grant(key, now_us=now_us) or self.projects.former(key, now_us=now_us)
        project = next((one for one in self.projects.read() if whose and one.id == whose.project_id), None)
        if project is None:
            raise NotFound
        return self.diagnosis_desk(self.attempts("command")).of(project)

    def system_desk(self, attempts: Attempts, slow: SlowQuestions, publisher: Publisher) -> SystemDesk:
        overview = self.overview(publisher)
        return SystemDesk(self.layout, overview, attempts, slow, self.clock, self.settings.query_concurrency)

    def slow_questions(self, process: str) -> SlowQuestions:
        return SlowQuestions(self.layout.slow, process)

    def quarantine_desk(self) -> QuarantineDesk:
        replayer = Replayer(self.layout, self.appender(), self.quarantine(), self.clock, self.hit, self.enrichment)
        return QuarantineDesk(replayer.rows, replayer, self.manifests, self.audit)

    def usage(self) -> Usage:
        return Usage(open_usage(self.layout.usage, self.layout.tmp), self.clock)

    def salts(self) -> Salts:
        return Salts(self.layout.salts, self.layout.tmp, self.clock)

    def sweep_quarantine(self) -> None:
        with held(self.layout.writer_lock, wait_s=QUARANTINE_WAIT_S) as is_ours:
            if is_ours:
                self.quarantine().sweep(self.clock)

    def eraser(self) -> Eraser:
        return Eraser(self.layout, self.manifests, self.quarantine(), self.clock, self.counters, self.hit)

    def webhook(self) -> Webhook:
        return Webhook(self.clock, self.settings.webhook_private)

    def alert_watch(self) -> AlertWatch:
        looks = RuleLooks(self.projects, self.funnels, self.snapshots, self.engine, self.clock)
        return AlertWatch(self.alerts, looks.look, self.webhook(), self.clock, self.counters)

    def erasure_desk(self) -> ErasureDesk:
        key = self.settings.secret().encode()
        return ErasureDesk(self.snapshots, self.engine, self.eraser(), self.clock, key, self.hit)

    def compactor(self) -> Compactor:
        return Compactor(
            self.layout,
            self.manifests,
            self.clock,
            parts_min=self.settings.compact_parts_min,
            merger=Merger(self.settings.compact_memory_mb, self._window_us, hit=self.hit),
            counters=self.counters,
            hit=self.hit,
        )

    def retention(self, archive_dir: Path | None = None) -> Retention:
        archive = self.settings.archive_dir
        return Retention(
            self.layout,
            self.manifests,
            self.clock,
            self._retention_policies,
            self._window_us,
            archive_dir=archive_dir or (Path(archive) if archive else None),
            counters=self.counters,
            hit=self.hit,
        )

    def verifier(self) -> Verifier:
        return Verifier(self.layout, self.manifests, self.clock, self._window_us)

    def repairer(self, backup: Path | None = None, *, actor: str = "command") -> Repairer:
        def tell(step: Step) -> None:
            self.audit.add(actor, f"repair.{step.action}", f"file:{step.path}", {"what": step.what, "rows": step.rows})

        return Repairer(self.layout, self.manifests, self.appender(), self.clock, backup, tell)

    def backup(self, target: Path, *, may_link: bool = True) -> Backup:
        return Backup(self.layout, self.manifests, self.clock, target.absolute(), may_link, self.hit)

    def measurer(self) -> Measurer:
        return Measurer(self.layout, self.manifests, self.clock, self.settings.compact_parts_min, TaskRuns(self.clock))

    def background(self, gauges: dict[str, float], measurer: Measurer) -> Background:
        """The tasks of the background process; they leave what they measured in `gauges` and the measurer."""
        flusher, retention, usage = self.flusher(), self.retention(), self.usage()

        def flush() -> Flushed:
            flushed = flusher.run()
            gauges["stuck_projects"] = len(flushed.stuck_projects)
            return flushed

        def measure() -> None:
            gauges["day_parts"] = measurer.projects()
            quotas = [(one.id, one.monthly_quota) for one in self.projects.read() if one.monthly_quota is not None]
            gauges["projects_over_quota"], gauges["quota_used_ratio"] = quota_gauges(usage, quotas)

        tasks = [
            # Before the flush: what it writes under a wrong clock must not speak for that clock.
            Task("clock", CLOCK_LOOK_S, retention.look_at_clock, is_due_at_start=True),
            Task("flush", POLL_S, flush, is_due_at_start=True),
            Task("erase", ERASE_S, self.eraser().run, is_due_at_start=True),
            Task("compact", self.settings.compact_interval_s, self.compactor().run),
            Task("quarantine", QUARANTINE_SWEEP_S, self.sweep_quarantine),
            Task("salts", SALTS_SWEEP_S, self.salts().sweep, is_due_at_start=True),
            Task("alerts", ALERTS_S, self.alert_watch().start),
            Task("measure", MEASURE_EVERY_S, measure, is_due_at_start=True),
            Task("disk", MEASURE_DISK_EVERY_S, measurer.disk, is_due_at_start=True),
        ]
        if self.settings.retention_interval_s:
            run = partial(retention.run, actor="background")
            tasks.append(Task("retention", self.settings.retention_interval_s, run, is_due_at_start=True))
        return Background(tuple(tasks), self.clock, self.counters, measurer.runs)

    def _retention_policies(self) -> dict[str, Policy]:
        return {one.id: Policy(one.retention_days, one.aggregate_retention_days) for one in self.projects.read()}

    def lake_gauges(self) -> Gauges:
        return Gauges(self.layout, self.manifests, self.clock)

    def attempts(self, process: str) -> Attempts:
        """What a worker tells of the requests that it got."""
        return Attempts(self.clock, self.layout.attempts, process)

    def key_uses(self, process: str) -> KeyUses:
        return KeyUses(self.layout.key_uses, process, self.clock)

    def publisher(self, process: str, gauges: Callable[[], dict[str, float]], *beside: Callable[[], None]) -> Publisher:
        """What makes this process's counters visible to the others, with what is published beside them; start it when
        the process does its work."""
        return Publisher(self.layout.run, process, self.counters, self.clock, gauges, beside)

    def overview(self, publisher: Publisher) -> Overview:
        return Overview(
            self.layout.run,
            publisher.process,
            publisher.now,
            self.lake_gauges(),
            self.clock,
            durability=self.settings.durability,
        )

    @property
    def _window_us(self) -> int:
        return self.settings.dedup_window_days * US_PER_DAY

    def left_of(self, earlier_than: int) -> str | None:
        """What is not in the lake yet of the journals with a lower epoch, in words; None when all of it is."""
        oldest = next((epoch for epoch, _directory in journals(self.layout.journal)), None)
        if oldest is None or oldest >= earlier_than:
            return None
        left = backlog(self.layout.journal, self.clock.now_us(), before=earlier_than)
        return f"journal {oldest} and later: {left.bytes} bytes in {left.segments} segments are left"


def open_house(
    settings: Settings, clock: Clock | None = None, *, hit: Hit | None = None, shared_fd: int | None = None
) -> House:
    """`shared_fd` is the descriptor of the tables that a server made for its workers."""
    leave_pandas_out()
    shared = None if shared_fd is None else open_shared(shared_fd)
    clock = clock or SystemClock()
    hit = hit or failpoints(settings)
    layout = Layout(settings.data_dir.resolve())
    make_dirs(layout.root)
    manifests = Manifests(layout, clock, grace_s=settings.trash_grace_s, hit=hit)
    window_us = settings.dedup_window_days * US_PER_DAY
    counters = Counters()
    enrichment = Enrichment(counters, hit)
    return House(
        settings=settings,
        clock=clock,
        layout=layout,
        manifests=manifests,
        snapshots=Snapshots(
            layout,
            manifests,
            dedup_window_us=window_us,
            refused_max=settings.quarantine_rows_max,
            enrichment=enrichment,
        ),
        engine=DuckEngine(
            QueryLimits(
                timeout_s=settings.query_timeout_s,
                memory_mb=settings.query_memory_mb,
                threads=settings.query_threads,
                concurrency=settings.query_concurrency,
            ),
            temp_directory=layout.tmp / "duckdb",
            clock=clock,
            counters=counters,
        ),
        projects=Projects(JsonFile(layout.root, "projects", Project, clock=clock, hit=hit), clock),
        funnels=Funnels(JsonFile(layout.root, "funnels", StoredFunnel, clock=clock, hit=hit), clock),
        alerts=Alerts(JsonFile(layout.root, "alerts", StoredAlert, clock=clock, hit=hit), clock),
        saved=open_saved(layout.root, clock, hit),
        membership=open_membership(
            layout.root,
            clock,
            idle_s=settings.jwt_expiration_hours * 3600,
            logins=shared.logins if shared else None,
            hit=hit,
        ),
        hit=hit,
        query_pool=ThreadPoolExecutor(settings.query_concurrency + THREADS_BESIDE, thread_name_prefix="query"),
        answers=AnswerCache(counters=counters),
        counters=counters,
        enrichment=enrichment,
        shared=shared,
    )


def failpoints(settings: Settings) -> Hit:
    """The armed failpoints of a test run; unset they cost one call of an empty function."""
    return Failpoints(settings.failpoint).hit if settings.failpoint else no_failpoints

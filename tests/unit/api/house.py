"""The HTTP side over real stores, a real query engine and a clock that is turned by hand."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

import httpx
import pyarrow as pa
from fastapi import FastAPI

from iafa.api.app import create_app
from iafa.api.services import Services
from iafa.api.share_gate import ShareGate
from iafa.api.tokens import Tokens
from iafa.audit import AuditLog
from iafa.clock import FakeClock, from_datetime, to_datetime
from iafa.event import identity_hash
from iafa.ingest.limits import RateLimiter
from iafa.jobs.audit_pages import AuditPages
from iafa.jobs.webhook import Webhook
from iafa.lake.layout import Layout
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot, Snapshots
from iafa.meta.account_files import open_membership
from iafa.meta.accounts import SignedInUser
from iafa.meta.alerts import Alerts, StoredAlert
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.meta.json_file import JsonFile
from iafa.meta.key_uses import KeyUses
from iafa.meta.projects import Project, Projects
from iafa.meta.saved import open_saved
from iafa.meta.sign_in_trail import SignInTrail
from iafa.metrics import text_of
from iafa.query.answer_cache import AnswerCache
from iafa.query.engine_duckdb import DuckEngine, QueryLimits
from iafa.questions import Questions
from iafa.settings import Settings

PASSWORD = "a long walk on the beach"
SECRET = "0123456789abcdef" * 4
BASE = "http://iafa.test"
NOON_US = 1_763_726_400_000_000


@dataclass
class Tenant:
    """A user, their session and their project with both keys."""

    signed_in: SignedInUser
    bearer: dict[str, str]
    project: Project
    write_key: str
    secret_key: str

    def cookies(self) -> dict[str, str]:
        """What a browser holds after signing in over plain HTTP."""
        access = self.bearer["Authorization"].removeprefix("Bearer ")
        return {"iafa_access": access, "iafa_refresh": self.signed_in.refresh_token}

    def key(self, kind: str) -> dict[str, str]:
        return {"X-API-Key": self.write_key if kind == "write" else self.secret_key}


@dataclass
class Room:
    """Everything that one test needs. `events` holds rows of projects; a missing column gets a default."""

    data_dir: Path
    settings: Settings
    static_dir: Path
    clock: FakeClock = field(default_factory=lambda: FakeClock(NOON_US))
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)
    is_ready: bool = True

    def __post_init__(self) -> None:
        self.engine = DuckEngine(QueryLimits(), temp_directory=self.data_dir / "tmp", clock=self.clock)
        self.query_pool = ThreadPoolExecutor(2, thread_name_prefix="query")
        self.services = self._services()
        self.app: FastAPI = create_app(self.services)

    def client(self, headers: dict[str, str] | None = None, *, app: FastAPI | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app or self.app, client=("192.0.2.7", 4711))
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, trust_env=False)

    def take(self, project_id: str) -> Snapshot:
        """In the place of the lake: the rows that the test gives."""
        directory = self.data_dir / "events" / f"project_{project_id}"
        directory.mkdir(parents=True, exist_ok=True)
        events = self.events.get(project_id, [])
        version = hashlib.sha256(repr(events).encode()).hexdigest()
        table = events_table(events)
        times = [from_datetime(at) for at in table["created_at"].to_pylist()]
        return replace(
            Snapshot.of_table(table, directory),
            project_id=project_id,
            data_version=version,
            first_us=min(times, default=None),
            last_us=max(times, default=None),
        )

    def close(self) -> None:
        self.query_pool.shutdown()
        self.engine.close()

    async def tenant(self, name: str, password_hash: str) -> Tenant:
        accounts = self.services.accounts
        organization = await accounts.organizations.add(f"{name}'s organization")
        user = await accounts.users.add(
            email=f"{name}@example.org", full_name=name, organization_id=organization.id, password_hash=password_hash
        )
        signed_in = await accounts.sign_in(user)
        project, write_key, secret_key = await self.services.projects.add(
            organization.id, name=f"{name}'s shop", settings={}
        )
        token = self.services.tokens.issue(user.id, signed_in.session.id)
        return Tenant(signed_in, {"Authorization": f"Bearer {token}"}, project, write_key, secret_key)

    def _services(self) -> Services:
        clock, root = self.clock, self.data_dir
        membership = open_membership(root, clock, idle_s=self.settings.jwt_expiration_hours * 3600)
        questions = Questions(
            settings=self.settings,
            clock=clock,
            layout=Layout(root),
            snapshots=cast(Snapshots, self),
            engine=self.engine,
            query_pool=self.query_pool,
            answers=AnswerCache(),
        )
        audit = AuditLog(Layout(root).audit, clock)
        return Services(
            settings=self.settings,
            clock=clock,
            tokens=Tokens(SECRET, algorithm=self.settings.jwt_algorithm, clock=clock),
            accounts=membership.accounts,
            membership=membership,
            audit=audit,
            audit_pages=AuditPages(audit.root),
            sign_ins=SignInTrail(audit, clock),
            key_uses=KeyUses(Layout(root).key_uses, "worker-0", clock),
            projects=Projects(JsonFile(root, "projects", Project, clock=clock), clock),
            funnels=Funnels(JsonFile(root, "funnels", StoredFunnel, clock=clock), clock),
            alerts=Alerts(JsonFile(root, "alerts", StoredAlert, clock=clock), clock),
            webhook=Webhook(clock, self.settings.webhook_private),
            saved=open_saved(root, clock),
            share_gate=ShareGate(RateLimiter(clock), SECRET.encode(), clock, at_once=1),
            snapshot=questions.snapshot,
            run_funnel=questions.run_funnel,
            funnel_notebook=questions.funnel_notebook,
            drivers=questions.drivers,
            run_report=questions.run_report,
            present=questions.present,
            event_names=questions.event_names,
            property_list=questions.property_list,
            value_list=questions.value_list,
            people_page=questions.people_page,
            people_export=questions.people_export,
            explain=questions.explain,
            next_steps=questions.next_steps,
            suggested_funnels=questions.suggested_funnels,
            schema_watch=questions.schema_watch,
            events_page=questions.events_page,
            events_export=questions.events_export,
            cursor_key=SECRET.encode(),
            readiness=self._readiness,
            events_this_month=lambda project_id: len(self.events.get(project_id, [])),
            drop_project=self._drop_project,
            metrics=self._metrics,
            static_dir=self.static_dir,
        )

    async def _readiness(self) -> dict[str, Any]:
        return {"ready": self.is_ready}

    async def _metrics(self) -> str:
        return text_of({})

    async def _drop_project(self, project_id: str) -> None:
        self.dropped.append(project_id)


def make_settings(data_dir: Path, **over: Any) -> Settings:
    """Settings that no `.env` of the folder changes."""
    return Settings(data_dir=data_dir, _env_file=None, **over)  # type: ignore[call-arg]  # a parameter of the library


def events_table(rows: Sequence[dict[str, Any]]) -> pa.Table:
    filled = []
    for number, row in enumerate(rows):
        user = row.get("user_id", "user-1")
        defaults = {
            "id": f"event-{number}",
            "project_id": "project00001",
            "user_id": user,
            "properties": "{}",
            "user_hash": identity_hash(user),
            "created_at": to_datetime(NOON_US + number),
            "received_at": to_datetime(NOON_US + number),
            "is_bot": False,
            "sample_rate": 1.0,
        }
        filled.append(defaults | row)
    return pa.Table.from_pylist(filled, schema=EVENT_SCHEMA)

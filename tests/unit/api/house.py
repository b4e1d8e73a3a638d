"""The HTTP side over real stores, a real query engine and a clock that is turned by hand."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow as pa
from fastapi import FastAPI

from iafa.api.app import create_app
from iafa.api.services import Services
from iafa.api.tokens import Tokens
from iafa.clock import FakeClock, to_datetime
from iafa.event import identity_hash
from iafa.lake.schema import EVENT_SCHEMA
from iafa.lake.snapshot import Snapshot
from iafa.meta.accounts import Accounts, SignedInUser
from iafa.meta.funnels import Funnels, StoredFunnel
from iafa.meta.json_file import JsonFile
from iafa.meta.login_throttle import LoginThrottle
from iafa.meta.organizations import Organization, Organizations
from iafa.meta.passwords import Passwords
from iafa.meta.projects import Project, Projects
from iafa.meta.sessions import Session, Sessions
from iafa.meta.users import User, Users
from iafa.metrics import text_of
from iafa.query.definition import FunnelDefinition
from iafa.query.drivers import DriversQuestion, drivers
from iafa.query.engine_duckdb import Cancellation, DuckEngine, QueryLimits
from iafa.query.event_names import event_names
from iafa.query.explain import explain
from iafa.query.funnel import answer
from iafa.query.next_steps import next_steps
from iafa.query.people import PeopleExport, PeoplePage, PeopleQuestion, Place, people
from iafa.query.question import Extras, question_of
from iafa.query.receipts.notebook import notebook
from iafa.query.suggestions import suggested_funnels
from iafa.query.time_range import TimeRange
from iafa.query.trends import TrendQuestion, trends
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
        self.services = self._services()
        self.app: FastAPI = create_app(self.services)

    def client(self, headers: dict[str, str] | None = None, *, app: FastAPI | None = None) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=app or self.app, client=("192.0.2.7", 4711))
        return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers, trust_env=False)

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
        sessions = Sessions(
            JsonFile(root, "sessions", Session, clock=clock), clock, idle_s=self.settings.jwt_expiration_hours * 3600
        )
        users = Users(JsonFile(root, "users", User, clock=clock), clock)
        organizations = Organizations(JsonFile(root, "organizations", Organization, clock=clock), clock)
        return Services(
            settings=self.settings,
            clock=clock,
            tokens=Tokens(SECRET, algorithm=self.settings.jwt_algorithm, clock=clock),
            accounts=Accounts(users, organizations, sessions, Passwords(), LoginThrottle(clock)),
            projects=Projects(JsonFile(root, "projects", Project, clock=clock), clock),
            funnels=Funnels(JsonFile(root, "funnels", StoredFunnel, clock=clock), clock),
            snapshot=self._snapshot,
            run_funnel=self._run_funnel,
            funnel_notebook=self._funnel_notebook,
            drivers=self._drivers,
            run_trends=self._run_trends,
            event_names=self._event_names,
            people_page=self._people_page,
            people_export=self._people_export,
            explain=self._explain,
            next_steps=self._next_steps,
            suggested_funnels=self._suggested_funnels,
            cursor_key=SECRET.encode(),
            readiness=self._readiness,
            drop_project=self._drop_project,
            metrics=self._metrics,
            static_dir=self.static_dir,
        )

    async def _snapshot(self, project_id: str) -> Snapshot:
        directory = self.data_dir / "events" / f"project_{project_id}"
        directory.mkdir(parents=True, exist_ok=True)
        events = self.events.get(project_id, [])
        return replace(Snapshot.of_table(events_table(events), directory), data_version=f"1.{len(events)}")

    async def _run_funnel(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        funnel_id: str | None,
        extras: Extras,
        cancellation: Cancellation,
    ) -> dict[str, Any]:
        question = question_of(definition, time_range, self.clock.now_us(), extras)
        return answer(self.engine, snapshot, question, funnel_id=funnel_id, cancellation=cancellation)

    async def _funnel_notebook(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        funnel_id: str | None,
        extras: Extras,
        cancellation: Cancellation,
    ) -> bytes:
        question = question_of(definition, time_range, self.clock.now_us(), extras)
        found = answer(self.engine, snapshot, question, funnel_id=funnel_id, cancellation=cancellation)
        return notebook(self.engine, snapshot, question, found, cancellation)

    async def _drivers(
        self, snapshot: Snapshot, asked: DriversQuestion, funnel_id: str | None, cancellation: Cancellation
    ) -> dict[str, Any]:
        return drivers(self.engine, snapshot, asked, funnel_id=funnel_id, cancellation=cancellation)

    async def _run_trends(
        self, snapshot: Snapshot, question: TrendQuestion, cancellation: Cancellation
    ) -> dict[str, Any]:
        return trends(self.engine, snapshot, question, cancellation=cancellation)

    async def _event_names(
        self, snapshot: Snapshot, search: str, limit: int, cancellation: Cancellation
    ) -> Sequence[dict[str, Any]]:
        return event_names(self.engine, snapshot, search=search, limit=limit, cancellation=cancellation)

    async def _people_page(
        self, snapshot: Snapshot, asked: PeopleQuestion, after: Place | None, limit: int, cancellation: Cancellation
    ) -> PeoplePage:
        return people(self.engine, snapshot, asked, after=after, limit=limit, cancellation=cancellation)

    async def _people_export(
        self, snapshot: Snapshot, asked: PeopleQuestion, cancellation: Cancellation
    ) -> AsyncIterator[list[dict[str, object]]]:
        export = PeopleExport(self.engine, snapshot, asked, timeout_s=30, cancellation=cancellation)

        async def rows() -> AsyncIterator[list[dict[str, object]]]:
            for start in export.starts:
                yield export.rows(start)

        return rows()

    async def _explain(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        who: str,
        session_gap_s: int,
        cancellation: Cancellation,
    ) -> dict[str, object]:
        return explain(
            self.engine, snapshot, definition, time_range, who, session_gap_s=session_gap_s, cancellation=cancellation
        )

    async def _next_steps(
        self,
        snapshot: Snapshot,
        definition: FunnelDefinition,
        time_range: TimeRange,
        extras: Extras,
        limit: int,
        cancellation: Cancellation,
    ) -> dict[str, Any]:
        return next_steps(
            self.engine, snapshot, definition, time_range, extras=extras, limit=limit, cancellation=cancellation
        )

    async def _suggested_funnels(
        self, snapshot: Snapshot, time_range: TimeRange, cancellation: Cancellation
    ) -> Sequence[dict[str, Any]]:
        return suggested_funnels(self.engine, snapshot, time_range, cancellation=cancellation)

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

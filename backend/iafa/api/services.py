"""What routes are given: concrete parts and callables, put together by wiring. Holds no logic."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import Depends, Request

from iafa.api.share_gate import ShareGate
from iafa.api.tokens import Tokens
from iafa.audit import AuditLog
from iafa.clock import Clock
from iafa.jobs.audit_pages import AuditPages
from iafa.jobs.webhook import Webhook
from iafa.meta.accounts import Accounts
from iafa.meta.alerts import Alerts
from iafa.meta.funnels import Funnels
from iafa.meta.key_uses import KeyUses
from iafa.meta.membership import Membership
from iafa.meta.projects import Projects
from iafa.meta.saved import Saved
from iafa.meta.sign_in_trail import SignInTrail
from iafa.query.cancellation import Cancellation
from iafa.query.definition import FunnelDefinition
from iafa.query.drivers import DriversQuestion
from iafa.query.events.export import EventFile
from iafa.query.events.page import EventsPage, PageAsked
from iafa.query.events.question import EventsQuestion
from iafa.query.people import PeoplePage, PeopleQuestion, Place
from iafa.query.question import Extras
from iafa.query.reports.report import Report
from iafa.query.time_range import TimeRange
from iafa.settings import Settings

if TYPE_CHECKING:
    from iafa.lake.snapshot import Snapshot

STATIC_DIR = Path(__file__).resolve().parent.parent / "static"


def nobody_told(_project_id: str | None, _key: str, _origin: str | None) -> None:
    """Where nothing counts who asks for the tracker's file."""


@dataclass(frozen=True)
class Services:
    settings: Settings
    clock: Clock
    tokens: Tokens
    accounts: Accounts
    membership: Membership
    audit: AuditLog
    audit_pages: AuditPages
    sign_ins: SignInTrail
    projects: Projects
    key_uses: KeyUses
    funnels: Funnels
    alerts: Alerts
    webhook: Webhook
    saved: Saved
    share_gate: ShareGate
    snapshot: "Callable[[str], Awaitable[Snapshot]]"
    # (snapshot, definition, range, id of the saved funnel, what else is asked for, whether anybody still waits)
    # -> the answer of semantics.md section 7
    run_funnel: (
        "Callable[[Snapshot, FunnelDefinition, TimeRange, str | None, Extras, Cancellation], Awaitable[dict[str, Any]]]"
    )
    # (the same, with the receipt asked for) -> a notebook that finds the answer's numbers again
    funnel_notebook: (
        "Callable[[Snapshot, FunnelDefinition, TimeRange, str | None, Extras, Cancellation], Awaitable[bytes]]"
    )
    # (snapshot, question, id of the saved funnel, whether anybody still waits) -> what goes with dropping off
    drivers: "Callable[[Snapshot, DriversQuestion, str | None, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, report, whether anybody still waits) -> its answer
    run_report: "Callable[[Snapshot, Report, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, whether bots are left out, whether anybody still waits) -> who is there
    present: "Callable[[Snapshot, bool, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, part of the name, at most, whether anybody still waits) -> [{event_type, count, last_seen}], most
    # frequent first
    event_names: "Callable[[Snapshot, str, int, Cancellation], Awaitable[Sequence[dict[str, Any]]]]"
    # (snapshot, part of the name, event types or all, at most, whether anybody still waits) -> properties seen
    property_list: "Callable[[Snapshot, str, tuple[str, ...], int, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, property, part of the value, event types or all, at most, whether anybody still waits) -> values seen
    value_list: "Callable[[Snapshot, str, str, tuple[str, ...], int, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, list, after which row, at most, whether anybody still waits) -> the rows of one page
    people_page: "Callable[[Snapshot, PeopleQuestion, Place | None, int, Cancellation], Awaitable[PeoplePage]]"
    # (snapshot, list, whether anybody still waits) -> all its rows, some at a time
    people_export: (
        "Callable[[Snapshot, PeopleQuestion, Cancellation], Awaitable[AsyncIterator[list[dict[str, object]]]]]"
    )
    # (snapshot, definition, range, id of a person or key of an entity, the project's session gap in seconds,
    # whether anybody still waits) -> their way through the funnel
    explain: "Callable[[Snapshot, FunnelDefinition, TimeRange, str, int, Cancellation], Awaitable[dict[str, object]]]"
    # (snapshot, definition, range, session gap in its extras, at most, whether anybody still waits) -> what comes next
    next_steps: (
        "Callable[[Snapshot, FunnelDefinition, TimeRange, Extras, int, Cancellation], Awaitable[dict[str, Any]]]"
    )
    # (snapshot, range, whether anybody still waits) -> funnels that the events suggest, with their numbers
    suggested_funnels: "Callable[[Snapshot, TimeRange, Cancellation], Awaitable[Sequence[dict[str, Any]]]]"
    # (snapshot, days whose properties are looked at, whether anybody still waits) -> events and properties seen
    schema_watch: "Callable[[Snapshot, int, Cancellation], Awaitable[dict[str, Any]]]"
    # (snapshot, question, which page, whether anybody still waits) -> raw events
    events_page: "Callable[[Snapshot, EventsQuestion, PageAsked, Cancellation], Awaitable[EventsPage]]"
    # (snapshot, question, what makes the file, whether anybody still waits) -> its bytes
    events_export: "Callable[[Snapshot, EventsQuestion, EventFile, Cancellation], Awaitable[AsyncIterator[bytes]]]"
    cursor_key: bytes
    # {"ready": bool, ...}
    readiness: Callable[[], Awaitable[dict[str, Any]]]
    # (project) -> how many events were collected since the month began
    events_this_month: Callable[[str], int]
    drop_project: Callable[[str], Awaitable[None]]
    # the text of /metrics
    metrics: Callable[[], Awaitable[str]]
    # (project or None, key, origin of the page): somebody asked for the tracker's file with this key
    tracker_fetched: Callable[[str | None, str, str | None], None] = nobody_told
    static_dir: Path = STATIC_DIR


def services_of(request: Request) -> Services:
    return cast(Services, request.app.state.services)


ServicesOf = Annotated[Services, Depends(services_of)]

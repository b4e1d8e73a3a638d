"""The rounds of alerts: rules whose time has come are looked at, and what has changed is told to their webhooks."""

import asyncio
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from iafa.clock import US_PER_S, Clock, to_iso
from iafa.errors import IafaError
from iafa.jobs.webhook import Sent, Webhook
from iafa.lake.snapshot import Snapshots
from iafa.meta.alerts import Alerts, Delivery, Message, Status, StoredAlert, remembered
from iafa.meta.funnels import Funnels
from iafa.meta.ids import new_id
from iafa.meta.projects import Projects
from iafa.metrics import Counters
from iafa.query.definition_reading import parse_definition
from iafa.query.engine_duckdb import DuckEngine
from iafa.query.reports.alert_looks import Look, Looking
from iafa.query.reports.frame import Setting

log = logging.getLogger("iafa.alerts")
ATTEMPTS_MAX = 6
BACKOFF_S = 60  # after the first attempt; each later pause is four times as long
TYPES: dict[Status, str] = {"firing": "alert.firing", "ok": "alert.resolved"}


@dataclass(frozen=True)
class RuleLooks:
    """Looks at what a rule is about, as it is now."""

    projects: Projects
    funnels: Funnels
    snapshots: Snapshots
    engine: DuckEngine
    clock: Clock

    def look(self, alert: StoredAlert) -> Look | None:
        """None where the project is gone. IafaError where it cannot be known."""
        project = next((one for one in self.projects.read() if one.id == alert.project_id), None)
        if project is None:
            return None
        definition = None
        if alert.rule.get("funnel_id") is not None:
            found = asyncio.run(self.funnels.get(alert.rule["funnel_id"]))
            if found is None or found.project_id != project.id:
                raise IafaError("the funnel of the rule is gone")
            definition = parse_definition(found.definition)
        setting = Setting(project.timezone, project.session_gap_seconds, self.clock.now_us())
        return Looking(self.engine, self.snapshots.take(project.id), setting).look(alert.rule, definition)


@dataclass
class AlertWatch:
    """Rounds run in a thread of their own: a slow host must not hold up the flush."""

    alerts: Alerts
    look: Callable[[StoredAlert], Look | None]
    webhook: Webhook
    clock: Clock
    counters: Counters = field(default_factory=Counters)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begins a round, unless one still runs."""
        if self._thread is None or not self._thread.is_alive():
            self._thread = threading.Thread(target=self._logged_round, name="alerts", daemon=True)
            self._thread.start()

    def _logged_round(self) -> None:
        try:
            self.round()
        except Exception:
            log.exception("task=alerts failed; rules keep what was known, it is tried again")
            self.counters.add("task_failures", "alerts")

    def round(self) -> None:
        """Each rule once, each message once. What is to be told is stored before it is sent."""
        for alert in self.alerts.read():
            if not alert.is_paused and self._is_due(alert):
                self._look(alert)
        for alert in self.alerts.read():
            message, url = alert.message, alert.webhook_url
            if url is None or message is None or alert.is_paused:
                continue
            if message.due_us <= self.clock.now_us():
                self._send(alert, url, message)

    def _is_due(self, alert: StoredAlert) -> bool:
        return alert.checked_us is None or self.clock.now_us() >= alert.checked_us + alert.interval_seconds * US_PER_S

    def _look(self, alert: StoredAlert) -> None:
        now_us = self.clock.now_us()
        try:
            found = self.look(alert)
        except IafaError as error:
            text = f"the rule could not be looked at: {error.detail}"
            self.alerts.update_now(msgspec.structs.replace(alert, status="error", text=text, checked_us=now_us))
            return
        except Exception:  # one rule must not keep the others from being looked at
            log.exception("task=alerts alert=%s could not be looked at", alert.id)
            self.counters.add("task_failures", "alerts")
            text = "the rule could not be looked at; the server's log says why"
            self.alerts.update_now(msgspec.structs.replace(alert, status="error", text=text, checked_us=now_us))
            return
        if found is None:
            return
        status: Status = "firing" if found.is_firing else "ok"
        told = found.told if found.is_firing else ""
        seen = msgspec.structs.replace(alert, status=status, text=found.text, checked_us=now_us)
        if told != alert.told:
            seen = self._to_tell(seen, told, Message(id=new_id(), type=TYPES[status], text=found.text, made_us=now_us))
        self.alerts.update_now(seen)

    def _to_tell(self, alert: StoredAlert, told: str, message: Message) -> StoredAlert:
        """Of a rule only the newest message waits; without a webhook none does."""
        if alert.webhook_url is None:
            return msgspec.structs.replace(alert, told=told, changed_us=message.made_us)
        deliveries = alert.deliveries
        if (old := alert.message) is not None:
            detail = "a newer message came before it was delivered"
            deliveries = remembered(alert, _delivery(old, "replaced", self.clock.now_us(), Sent(False, detail)))
        changes = {"told": told, "message": message, "changed_us": message.made_us, "deliveries": deliveries}
        return msgspec.structs.replace(alert, **changes)

    def _send(self, alert: StoredAlert, url: str, message: Message) -> None:
        sent = asyncio.run(self.webhook.send(url, alert.secret, content_of(alert, message)))
        now_us = self.clock.now_us()
        tried = msgspec.structs.replace(message, attempts=message.attempts + 1, detail=sent.detail)
        if not sent.is_delivered and tried.attempts < ATTEMPTS_MAX:
            due_us = now_us + BACKOFF_S * 4**message.attempts * US_PER_S
            self.alerts.update_now(
                msgspec.structs.replace(alert, message=msgspec.structs.replace(tried, due_us=due_us))
            )
            return
        delivery = _delivery(tried, "delivered" if sent.is_delivered else "failed", now_us, sent)
        self.alerts.update_now(msgspec.structs.replace(alert, message=None, deliveries=remembered(alert, delivery)))


def content_of(alert: StoredAlert, message: Message) -> dict[str, object]:
    """The body of a message."""
    about = {"id": alert.id, "project_id": alert.project_id, "name": alert.name, "kind": alert.rule["kind"]}
    return {
        "id": message.id,
        "type": message.type,
        "created_at": to_iso(message.made_us),
        "text": message.text,
        "alert": about,
    }


def _delivery(message: Message, outcome: str, at_us: int, sent: Sent) -> Delivery:
    return msgspec.convert(
        {
            "at_us": at_us,
            "type": message.type,
            "outcome": outcome,
            "attempts": message.attempts,
            "detail": sent.detail,
            "status": sent.status,
        },
        Delivery,
    )

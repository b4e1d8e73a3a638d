"""Alert rules, what was found at their last look, and the messages that are still to be sent."""

import secrets
from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from iafa.clock import Clock
from iafa.meta.json_file import JsonFile
from iafa.meta.project_records import ProjectRecord, ProjectRecords

ALERTS_MAX = 50  # a project's
DELIVERIES_MAX = 10  # that are remembered of a rule
Status = Literal["unknown", "ok", "firing", "error"]


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one message."""

    at_us: int
    type: str
    outcome: Literal["delivered", "failed", "replaced"]
    attempts: int
    detail: str
    status: int | None = None


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """A message that has to be sent yet."""

    id: str
    type: str
    text: str
    made_us: int
    attempts: int = 0
    due_us: int = 0
    detail: str = ""  # why the last attempt failed


class StoredAlert(ProjectRecord, frozen=True, kw_only=True):
    """`rule` is kept as it was accepted. `told` is what the last message was about: the same is not told again. Without
    `webhook_url` no message is made; `told` and `changed_us` go on as if there were one."""

    name: str
    rule: dict[str, Any]
    webhook_url: str | None
    secret: str
    is_paused: bool
    interval_seconds: int
    status: Status = "unknown"
    text: str = ""
    told: str = ""
    checked_us: int | None = None
    changed_us: int | None = None
    message: Message | None = None
    deliveries: tuple[Delivery, ...] = ()


class Alerts(ProjectRecords[StoredAlert]):
    def __init__(self, file: JsonFile[StoredAlert], clock: Clock) -> None:
        super().__init__(file, StoredAlert, clock, what="alert rule", most=ALERTS_MAX, have_own_names=False)

    def read(self) -> list[StoredAlert]:
        """All, for the process that looks after them."""
        return list(self._file.read(anew=True).records.values())

    async def add(self, project_id: str, **fields: Any) -> StoredAlert:
        return await super().add(project_id, secret=_new_secret(), **fields)

    def _changes(self, old: StoredAlert, fields: Mapping[str, Any]) -> Mapping[str, Any]:
        """A rule that is another one begins anew: nothing is known of it, and nothing is to be sent. One that gets a
        webhook gets a secret that somebody is shown."""
        if old.webhook_url is None and fields["webhook_url"] is not None:
            fields = {**fields, "secret": _new_secret()}
        if fields["rule"] == old.rule:
            return fields if fields["webhook_url"] is not None else {**fields, "message": None}
        return {**fields, "status": "unknown", "text": "", "told": "", "checked_us": None, "message": None}

    def update_now(self, seen: StoredAlert) -> None:
        """What was found out about a rule; one that was changed or removed meanwhile is left alone."""

        def edit(records: dict[str, StoredAlert]) -> None:
            now = records.get(seen.id)
            if now is not None and now.version == seen.version:
                records[seen.id] = seen

        self._file.change_now(edit)


def _new_secret() -> str:
    return secrets.token_urlsafe(32)


def remembered(alert: StoredAlert, delivery: Delivery) -> tuple[Delivery, ...]:
    """The newest first."""
    return (delivery, *alert.deliveries)[:DELIVERIES_MAX]

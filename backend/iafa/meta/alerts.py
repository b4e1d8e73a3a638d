"""Alert rules, what was found at their last look, and the messages that are still to be sent."""

import secrets
from typing import Any, Literal

import msgspec

from iafa.clock import Clock
from iafa.errors import Conflict, NotFound
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile

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


class StoredAlert(msgspec.Struct, frozen=True, kw_only=True):
    """`rule` is kept as it was accepted. `told` is what the last message was about: the same is not told again."""

    id: str
    project_id: str
    name: str
    rule: dict[str, Any]
    webhook_url: str
    secret: str
    is_paused: bool
    interval_seconds: int
    created_us: int
    updated_us: int
    version: int = 1
    status: Status = "unknown"
    text: str = ""
    told: str = ""
    checked_us: int | None = None
    changed_us: int | None = None
    message: Message | None = None
    deliveries: tuple[Delivery, ...] = ()


class Alerts:
    def __init__(self, file: JsonFile[StoredAlert], clock: Clock) -> None:
        self._file = file
        self._clock = clock

    def read(self) -> list[StoredAlert]:
        """All, for the process that looks after them."""
        return list(self._file.read(anew=True).records.values())

    async def get(self, project_id: str, alert_id: str) -> StoredAlert:
        found = await self._file.get(alert_id)
        if found is None or found.project_id != project_id:
            raise NotFound
        return found

    async def of_project(self, project_id: str) -> list[StoredAlert]:
        """Oldest first."""
        found = [one for one in (await self._file.load()).records.values() if one.project_id == project_id]
        return sorted(found, key=lambda one: (one.created_us, one.id))

    async def add(self, project_id: str, **fields: Any) -> StoredAlert:
        now_us = self._clock.now_us()
        made = StoredAlert(
            id=new_id(),
            project_id=project_id,
            secret=secrets.token_urlsafe(32),
            created_us=now_us,
            updated_us=now_us,
            **fields,
        )

        def insert(records: dict[str, StoredAlert]) -> StoredAlert:
            if sum(one.project_id == project_id for one in records.values()) >= ALERTS_MAX:
                raise Conflict(f"a project has at most {ALERTS_MAX} alert rules")
            records[made.id] = made
            return made

        return await self._file.change(insert)

    async def replace(self, project_id: str, alert_id: str, **fields: Any) -> StoredAlert:
        """A rule that is another one begins anew: nothing is known of it, and nothing is to be sent."""

        def edit(records: dict[str, StoredAlert]) -> StoredAlert:
            old = records.get(alert_id)
            if old is None or old.project_id != project_id:
                raise NotFound
            forgotten: dict[str, Any] = {}
            if fields["rule"] != old.rule:
                forgotten = {"status": "unknown", "text": "", "told": "", "checked_us": None, "message": None}
            records[alert_id] = msgspec.structs.replace(
                old, **fields, **forgotten, version=old.version + 1, updated_us=self._clock.now_us()
            )
            return records[alert_id]

        return await self._file.change(edit)

    async def remove(self, project_id: str, alert_id: str) -> None:
        def drop(records: dict[str, StoredAlert]) -> None:
            found = records.get(alert_id)
            if found is None or found.project_id != project_id:
                raise NotFound
            del records[alert_id]

        await self._file.change(drop)

    async def remove_of_project(self, project_id: str) -> None:
        def drop(records: dict[str, StoredAlert]) -> None:
            for one in [each for each in records.values() if each.project_id == project_id]:
                del records[one.id]

        await self._file.change(drop)

    def update_now(self, seen: StoredAlert) -> None:
        """What was found out about a rule; one that was changed or removed meanwhile is left alone."""

        def edit(records: dict[str, StoredAlert]) -> None:
            now = records.get(seen.id)
            if now is not None and now.version == seen.version:
                records[seen.id] = seen

        self._file.change_now(edit)


def remembered(alert: StoredAlert, delivery: Delivery) -> tuple[Delivery, ...]:
    """The newest first."""
    return (delivery, *alert.deliveries)[:DELIVERIES_MAX]

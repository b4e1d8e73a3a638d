"""Rounds of alerts: told once for each change, stored before it is sent, tried again later, given up in the end."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from iafa.clock import FakeClock
from iafa.errors import IafaError, NotFound
from iafa.jobs.alert_watch import ATTEMPTS_MAX, AlertWatch
from iafa.jobs.webhook import Webhook
from iafa.meta.alerts import ALERTS_MAX, DELIVERIES_MAX, Alerts, StoredAlert
from iafa.meta.json_file import JsonFile
from iafa.query.reports.alert_looks import Look
from iafa.wiring import open_house
from tests.support.hook import Hook, a_hook
from tests.unit.api.house import make_settings

PROJECT = "p0projectaaaa"
FIRING, OK = Look(True, "too few", "firing"), Look(False, "enough")


class Room:
    def __init__(self, root: Path, hook: Hook) -> None:
        self.clock = FakeClock(1_763_726_400_000_000)
        self.alerts = Alerts(JsonFile(root, "alerts", StoredAlert, clock=self.clock), self.clock)
        self.hook = hook
        self.found: Look | Exception | None = OK
        self.looks = 0
        self.watch = self.watching()

    def watching(self) -> AlertWatch:
        return AlertWatch(self.alerts, self.look, Webhook(self.clock, True), self.clock)

    def look(self, _alert: StoredAlert) -> Look | None:
        self.looks += 1
        if isinstance(self.found, Exception):
            raise self.found
        return self.found

    def fields(self, **over: Any) -> dict[str, Any]:
        return {
            "name": "Sales",
            "rule": {"kind": "threshold"},
            "webhook_url": self.hook.url(),
            "interval_seconds": 300,
            "is_paused": False,
        } | over

    async def round(self, later_s: float = 300) -> StoredAlert:
        self.clock.advance(later_s)
        await asyncio.to_thread(self.watch.round)
        return self.alerts.read()[0]

    def types(self) -> list[str]:
        return [msgspec.json.decode(body)["type"] for _path, _headers, body in self.hook.received]


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Room]:
    with a_hook() as hook:
        yield Room(tmp_path, hook)


async def test_a_change_is_told_once_and_so_is_its_end(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields())
    assert ((await room.round()).status, room.types()) == ("ok", [])
    room.found = FIRING
    seen = await room.round()
    assert (seen.status, seen.text, seen.told) == ("firing", "too few", "firing")
    for _ in range(3):
        await room.round()
    assert room.types() == ["alert.firing"]
    room.found = Look(True, "another day", "another")
    await room.round()
    room.found = OK
    await room.round()
    assert room.types() == ["alert.firing", "alert.firing", "alert.resolved"]
    body = msgspec.json.decode(room.hook.received[0][2])
    assert (body["text"], body["alert"]["name"], body["alert"]["kind"]) == ("too few", "Sales", "threshold")
    kept = room.alerts.read()[0]
    assert [(one.type, one.outcome, one.status) for one in kept.deliveries[:1]] == [
        ("alert.resolved", "delivered", 204)
    ]
    assert kept.message is None


async def test_a_rule_without_webhook_has_a_status_and_no_message(room: Room) -> None:
    made = await room.alerts.add(PROJECT, **room.fields(webhook_url=None))
    room.found = FIRING
    began = await room.round()
    assert (began.status, began.text, began.message, began.deliveries) == ("firing", "too few", None, ())
    went_on = await room.round()
    assert (went_on.changed_us, went_on.checked_us) == (began.checked_us, room.clock.now_us())
    await room.alerts.replace(PROJECT, made.id, **room.fields())
    await room.round()
    assert room.types() == []
    room.found = OK
    await room.round()
    assert room.types() == ["alert.resolved"]


async def test_a_message_that_waits_is_dropped_with_the_webhook(room: Room) -> None:
    made = await room.alerts.add(PROJECT, **room.fields())
    room.found, room.hook.statuses = FIRING, [500]
    assert (await room.round()).message is not None
    await room.alerts.replace(PROJECT, made.id, **room.fields(webhook_url=None))
    kept = await room.round(3_000)
    assert (kept.message, kept.status, len(room.hook.received)) == (None, "firing", 1)


async def test_a_rule_is_looked_at_once_in_its_interval_and_not_while_paused(room: Room) -> None:
    made = await room.alerts.add(PROJECT, **room.fields())
    for _ in range(10):
        await room.round(60)
    assert room.looks == 2
    await room.alerts.replace(PROJECT, made.id, **room.fields(is_paused=True))
    await room.round(3_000)
    assert room.looks == 2


async def test_what_was_not_delivered_is_tried_again_later_also_by_another_process(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields())
    room.found, room.hook.statuses = FIRING, [500, 503]
    waiting = await room.round()
    assert waiting.message is not None
    assert (waiting.message.attempts, waiting.deliveries) == (1, ())
    assert "500" in waiting.message.detail
    await room.round(30)
    assert len(room.hook.received) == 1
    room.watch = room.watching()
    await room.round(31)
    assert len(room.hook.received) == 2
    done = await room.round(241)
    assert (done.message, done.deliveries[0].outcome, done.deliveries[0].attempts) == (None, "delivered", 3)
    assert len({msgspec.json.decode(body)["id"] for _path, _headers, body in room.hook.received}) == 1


async def test_a_message_is_given_up_or_replaced_and_that_is_kept(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields(interval_seconds=86_400))
    room.found, room.hook.statuses = FIRING, [500] * (ATTEMPTS_MAX + 1)
    for _ in range(ATTEMPTS_MAX):
        given_up = await room.round(70_000)
    assert (given_up.message, given_up.deliveries[-1].outcome) == (None, "failed")
    assert given_up.deliveries[-1].attempts == ATTEMPTS_MAX
    room.found = OK
    await room.round(86_400)
    room.found = FIRING
    replaced = await room.round(86_400)
    assert replaced.deliveries[1].outcome == "replaced"
    assert replaced.deliveries[0].outcome == "delivered"


async def test_a_rule_that_cannot_be_looked_at_says_so_and_holds_up_no_other(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields())
    await room.alerts.add(PROJECT, **room.fields())
    room.found = IafaError("the funnel of the rule is gone")
    assert (await room.round()).text == "the rule could not be looked at: the funnel of the rule is gone"
    room.found = RuntimeError("a bug")
    await room.round()
    assert [one.status for one in room.alerts.read()] == ["error", "error"]
    assert room.looks == 4
    room.found = FIRING
    assert (await room.round()).status == "firing"
    room.found = None
    assert (await room.round()).status == "firing"


async def test_a_rule_that_was_changed_meanwhile_keeps_nothing_of_the_look(room: Room) -> None:
    made = await room.alerts.add(PROJECT, **room.fields())
    room.alerts.update_now(msgspec.structs.replace(made, status="firing", told="firing", text="seen"))
    changed = await room.alerts.replace(PROJECT, made.id, **room.fields(rule={"kind": "silence"}))
    assert (changed.status, changed.told, changed.version, changed.secret) == ("unknown", "", 2, made.secret)
    room.alerts.update_now(msgspec.structs.replace(made, status="firing"))
    assert room.alerts.read()[0].status == "unknown"
    await room.alerts.remove(PROJECT, made.id)
    room.alerts.update_now(made)
    assert room.alerts.read() == []


async def test_rules_are_bounded_and_belong_to_their_project(room: Room) -> None:
    made = [await room.alerts.add(PROJECT, **room.fields()) for _ in range(ALERTS_MAX)]
    with pytest.raises(IafaError, match="at most 50"):
        await room.alerts.add(PROJECT, **room.fields())
    other = await room.alerts.add("p0projectbbbb", **room.fields())
    for wrong in (room.alerts.get(PROJECT, other.id), room.alerts.remove(PROJECT, other.id)):
        with pytest.raises(NotFound):
            await wrong
    assert {one.id for one in await room.alerts.of_project(PROJECT)} == {one.id for one in made}
    await room.alerts.remove_of_project(PROJECT)
    assert [one.id for one in room.alerts.read()] == [other.id]


async def test_only_the_last_deliveries_are_kept(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields())
    for number in range(DELIVERIES_MAX + 3):
        room.found = Look(True, f"look {number}", f"told {number}")
        kept = await room.round()
    assert len(kept.deliveries) == DELIVERIES_MAX


async def test_one_round_runs_at_a_time_beside_the_other_tasks(room: Room) -> None:
    await room.alerts.add(PROJECT, **room.fields())
    begun, go_on = threading.Event(), threading.Event()

    def slow(_alert: StoredAlert) -> Look:
        begun.set()
        go_on.wait(30)
        return FIRING

    room.watch.look = slow
    room.watch.start()
    assert begun.wait(30)
    thread = room.watch._thread
    room.watch.start()
    assert room.watch._thread is thread
    go_on.set()
    assert thread is not None
    thread.join(30)
    assert room.types() == ["alert.firing"]


def test_the_background_process_looks_after_the_rules_of_real_projects(tmp_path: Path, room: Room) -> None:
    house = open_house(make_settings(tmp_path / "data", webhook_private=True))
    project, _write, _secret = asyncio.run(house.projects.add("organization", name="Shop", settings={}))
    rule = {"kind": "silence", "event": "pay", "window_seconds": 86_400}
    asyncio.run(house.alerts.add(project.id, **room.fields(rule=rule)))
    house.alert_watch().round()
    (sent,) = room.hook.received
    assert msgspec.json.decode(sent[2])["text"] == 'No events of "pay" in the last day'
    assert house.alerts.read()[0].deliveries[0].outcome == "delivered"
    assert "alerts" in [task.name for task in house.background({}, house.measurer()).tasks]
    house.query_pool.shutdown()
    house.engine.close()

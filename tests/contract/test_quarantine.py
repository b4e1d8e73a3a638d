"""The quarantine over HTTP: events refused by every route are listed, downloaded, mended, stored once and marked."""

import asyncio
import csv
import io
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import pyarrow.parquet as pq
import pytest

from iafa.api.server import running
from iafa.audit import audit_files
from iafa.errors import StorageUnavailable
from iafa.event import Rejected
from iafa.failpoints import Failpoints
from iafa.jobs.replay import Selection
from iafa.lake.quarantine import Quarantine, Refusal
from iafa.settings import Settings
from iafa.wiring import open_house

BASE = "/api/v1/projects/{}/quarantine"
LIMITS = {"rate_limit_per_minute": 100_000, "rate_limit_per_ip_per_minute": None}


@dataclass
class Site:
    """The complete application in process; every commit seals a segment, so that a flush finds everything."""

    client: httpx.AsyncClient
    settings: Settings
    project: dict[str, Any] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return BASE.format(self.project["id"])

    async def account(self, email: str) -> dict[str, str]:
        body = {"email": email, "password": "a long enough passphrase", "full_name": "Test Owner"}
        token = (await self.client.post("/api/v1/auth/register", json=body)).json()["access_token"]
        self.client.cookies.clear()
        return {"authorization": f"Bearer {token}"}

    def without_session(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=self.client._transport, base_url="http://testserver")

    async def flush(self) -> None:
        await asyncio.sleep(0.6)  # what was counted is told every half second
        await asyncio.to_thread(lambda: open_house(self.settings).flusher().run())

    async def batch(self, *events: dict[str, Any], key: str = "secret_key") -> dict[str, Any]:
        headers = {"x-api-key": self.project[key]}
        answer = await self.client.post("/api/v1/track/batch", json=list(events), headers=headers)
        content: dict[str, Any] = answer.json()
        return content

    async def rows(self, **params: Any) -> list[dict[str, Any]]:
        answer = await self.client.get(self.path, params=params)
        assert answer.status_code == 200, answer.text
        rows: list[dict[str, Any]] = answer.json()["rows"]
        return rows

    async def replay(self, **body: Any) -> dict[str, Any]:
        answer = await self.client.post(f"{self.path}/replay", json=body)
        assert answer.status_code == 200, answer.text
        content: dict[str, Any] = answer.json()
        return content

    async def names(self) -> dict[str, int]:
        params = {"project_id": self.project["id"]}
        found = (await self.client.get("/api/v1/analytics/event-names", params=params)).json()
        return {row["name"]: row["count"] for row in found["event_names"]}

    def stored(self) -> list[dict[str, Any]]:
        snapshot = open_house(self.settings).snapshots.take(self.project["id"])
        rows: list[dict[str, Any]] = snapshot.tail.to_pylist()
        for path in snapshot.files:
            rows += pq.read_table(path, partitioning=None).to_pylist()
        return rows


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    settings = Settings.model_validate({"data_dir": tmp_path / "data", "event_buffer_size": 1})
    async with (
        running(settings) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client,
    ):
        found = Site(client, settings)
        client.headers.update(await found.account("owner@example.com"))
        made = await client.post("/api/v1/projects", json={"name": "Shop", **LIMITS})
        found.project = made.json()
        yield found


def nameless(number: int, **over: Any) -> dict[str, Any]:
    """Its user stands under a name that nobody knows."""
    return {"event": "buy", "usr": f"u{number}", "id": f"e{number}", "properties": {"n": number}, **over}


async def test_refused_events_are_listed_mended_and_stored_once(site: Site) -> None:
    said = await site.batch(nameless(1), {"event": "buy", "user_id": "u9", "id": "e9"}, nameless(2))
    assert (said["accepted"], said["rejected"]) == (1, 2)
    await site.flush()
    rows = await site.rows()
    assert [(row["reason"], row["pointer"], row["event_id"], row["source"]) for row in rows] == [
        ("missing_identity", "/events/2/user_id", "e2", "batch"),
        ("missing_identity", "/events/0/user_id", "e1", "batch"),
    ]
    assert json.loads(rows[0]["body"]) == nameless(2)
    again = await site.replay(ids=[rows[0]["id"]])
    assert (again["accepted"], again["rejected"]) == (0, 1)
    assert again["results"][0]["code"] == "missing_identity"
    mended = {"filter": {"reason": "missing_identity"}, "changes": {"rename": {"/usr": "/user_id"}}}
    tried = await site.replay(**mended, dry_run=True)
    assert (tried["accepted"], await site.names()) == (2, {"buy": 1})
    done = await site.replay(**mended)
    assert (done["accepted"], done["duplicates"], done["rejected"]) == (2, 0, 0)
    assert await site.names() == {"buy": 3}
    stored = {row["id"]: row for row in site.stored()}
    assert stored["e1"]["user_id"] == "u1"
    assert json.loads(stored["e1"]["properties"]) == {"n": 1}
    shown = {row["event_id"]: row["received_at"] for row in rows}
    assert {id_: stored[id_]["received_at"].strftime("%Y-%m-%dT%H:%M:%S.%fZ") for id_ in shown} == shown
    assert [row["id"] for row in await site.rows(state="replayed")] == [row["id"] for row in rows]
    assert await site.rows(state="waiting") == []
    ids = {"ids": [row["id"] for row in rows], "changes": mended["changes"]}
    twice = await site.replay(**ids)
    assert (twice["accepted"], twice["duplicates"]) == (0, 2)
    await site.flush()
    assert await site.names() == {"buy": 3}
    (log,) = audit_files(open_house(site.settings).layout.audit)
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    replays = [line for line in lines if line["action"].startswith("quarantine.")]
    assert [(line["action"], line["details"]["accepted"]) for line in replays] == [
        ("quarantine.replay", accepted) for accepted in (0, 2, 0)
    ]


async def test_events_of_every_route_are_judged_by_the_rules_of_their_route(site: Site) -> None:
    pages = site.without_session()
    secret, write = {"x-api-key": site.project["secret_key"]}, site.project["api_key"]
    long = "x" * 300
    refused = await site.client.post("/api/v1/track", json={"event": long, "user_id": "u", "id": "t"}, headers=secret)
    assert refused.status_code == 422
    beacon = {"a": "visitor-1", "e": [{"n": long, "i": "b", "l": "https://shop.example/"}]}
    agent = {"user-agent": "Mozilla/5.0 (Test)"}
    assert (await site.client.post(f"/e/{write}", json=beacon, headers=agent)).status_code == 204
    track = {"userId": "u", "messageId": "s", "event": long, "context": {"page": {"url": "https://shop.example/x"}}}
    assert (await pages.post("/v1/track", json=track | {"writeKey": write})).status_code == 200
    batch = [track | {"type": "track", "messageId": "sb"}]
    assert (await pages.post("/v1/batch", json={"writeKey": write, "batch": batch})).status_code == 200
    capture = {"api_key": write, "event": long, "distinct_id": "u", "uuid": "p", "properties": {"$lib": "web"}}
    assert (await pages.post("/capture", json=capture)).status_code == 200
    await site.flush()
    rows = {row["event_id"]: row for row in await site.rows()}
    assert {id_: row["source"] for id_, row in rows.items()} == {
        **{"t": "track", "b": "beacon", "s": "segment:track", "sb": "segment:batch", "p": "posthog"}
    }
    assert {row["reason"] for row in rows.values()} == {"too_long"}
    assert write not in json.dumps(list(rows.values()))
    for id_, member in {"t": "event", "b": "n", "s": "event", "sb": "event", "p": "event"}.items():
        done = await site.replay(ids=[rows[id_]["id"]], changes={"merge": {member: "short"}})
        assert done["accepted"] == 1, (id_, done)
    stored = {row["id"]: row for row in site.stored()}
    assert {row["event_type"] for row in stored.values()} == {"short"}
    assert set(stored) == {"t", "b", "s", "sb", "p"}
    assert (stored["b"]["anonymous_id"], stored["b"]["user_agent"]) == ("visitor-1", "Mozilla/5.0 (Test)")
    assert stored["b"]["ip_address"] is not None
    assert stored["s"]["url"] == "https://shop.example/x"
    assert (stored["p"]["source"], stored["t"]["user_id"]) == ("web", "u")


@pytest.mark.parametrize(
    "changes",
    [
        {"rename": {"/usr": "/user_id"}, "merge": {"properties": {"deep": [{"Email": "a@b.c"}], "email": "a@b.c"}}},
        {"rename": {"/usr": "/user_id", "/properties/n": "/properties/email"}},
        {"rename": {"/usr": "/user_id", "/properties/n": "/email"}},
    ],
)
async def test_what_the_project_denies_is_not_stored_by_a_replay_either(site: Site, changes: dict[str, Any]) -> None:
    path = f"/api/v1/projects/{site.project['id']}"
    wanted = {"privacy": {"deny_properties": ["email"]}}
    answer = await site.client.put(path, json=wanted)
    assert answer.status_code == 200, answer.text
    await site.batch(nameless(1, properties={"n": "a@b.c", "kept": 1}))
    await site.flush()
    assert (await site.replay(filter={}, changes=changes))["accepted"] == 1
    (stored,) = site.stored()
    properties = json.loads(stored["properties"])
    assert properties.pop("kept") == 1
    assert properties.get("email") is None
    assert properties.get("deep", [{}]) == [{}]


async def test_an_address_that_a_change_puts_in_is_stored_as_the_project_wants(site: Site) -> None:
    path = f"/api/v1/projects/{site.project['id']}"
    wanted = {"privacy": {"ip": "truncate"}}
    answer = await site.client.put(path, json=wanted)
    assert answer.status_code == 200, answer.text
    message = {"writeKey": site.project["secret_key"], "userId": "u", "messageId": "m", "event": 5}
    await site.without_session().post("/v1/track", json=message)
    await site.flush()
    changes = {"merge": {"event": "buy", "context": {"ip": "203.0.113.9"}}}
    assert (await site.replay(filter={}, changes=changes))["accepted"] == 1
    assert [row["ip_address"] for row in site.stored()] == ["203.0.113.0/24"]


async def test_an_event_without_an_id_gets_the_same_one_each_time(site: Site) -> None:
    await site.batch({"event": "buy", "user_id": 5.5}, {"event": ["buy"], "user_id": "u"})
    await site.flush()
    ids = [row["id"] for row in await site.rows()]
    changes = {"merge": {"event": "buy", "user_id": "u"}}
    first, second = await site.replay(ids=ids, changes=changes), await site.replay(ids=ids, changes=changes)
    assert (first["accepted"], second["accepted"], second["duplicates"]) == (2, 0, 2)
    assert await site.names() == {"buy": 2}


async def test_of_two_rows_with_one_id_the_first_received_is_stored(site: Site) -> None:
    await site.batch(nameless(1, properties={"n": "first"}))
    await site.batch(nameless(1, properties={"n": "second"}))
    await site.flush()
    done = await site.replay(filter={}, changes={"rename": {"/usr": "/user_id"}})
    assert (done["accepted"], done["duplicates"]) == (1, 1)
    second, first = done["results"]
    assert (first["result"], first["message"]) == ("accepted", None)
    assert (second["result"], second["message"]) == ("duplicate", f"as row {first['id']}")
    assert await site.rows(state="waiting") == []
    assert [json.loads(row["properties"]) for row in site.stored()] == [{"n": "first"}]


async def test_a_change_that_gives_many_rows_one_id_makes_no_event_of_many(site: Site) -> None:
    await site.batch(nameless(1), nameless(2), nameless(3))
    await site.flush()
    changes = {"rename": {"/usr": "/user_id"}, "merge": {"id": "same"}}
    for is_trial in (True, False):
        done = await site.replay(filter={}, changes=changes, dry_run=is_trial)
        assert (done["accepted"], done["duplicates"], done["rejected"]) == (1, 0, 2)
        assert {(one["code"], one["pointer"]) for one in done["results"] if one["result"] == "rejected"} == {
            ("duplicate", "/id")
        }
    assert [row["id"] for row in site.stored()] == ["same"]
    assert len(await site.rows(state="waiting")) == 2, "they wait for ids of their own"


async def test_a_row_that_was_replayed_is_not_stored_under_another_id(site: Site) -> None:
    await site.batch(nameless(1))
    await site.flush()
    (row,) = await site.rows()
    assert (row["is_replayable"], row["not_replayable_because"]) == (True, None)
    mend = {"rename": {"/usr": "/user_id"}}
    assert (await site.replay(ids=[row["id"]], changes=mend))["accepted"] == 1
    again = await site.replay(ids=[row["id"]], changes=mend | {"merge": {"id": "another"}})
    assert (again["accepted"], again["duplicates"]) == (0, 1)
    assert again["results"][0]["message"] == "the row was replayed before"
    assert [one["id"] for one in site.stored()] == ["e1"]
    (row,) = await site.rows()
    assert (row["is_replayable"], row["not_replayable_because"]) == (False, "it was replayed")


async def test_ids_of_no_row_are_named(site: Site) -> None:
    await site.batch(nameless(1))
    await site.flush()
    (row,) = await site.rows()
    done = await site.replay(ids=["j0-0-7", row["id"], "nothing"], changes={"rename": {"/usr": "/user_id"}})
    assert (done["accepted"], done["not_found"]) == (1, ["j0-0-7", "nothing"])
    assert (await site.replay(filter={}))["not_found"] == []


async def test_a_text_that_was_cut_says_that_it_cannot_be_replayed(site: Site) -> None:
    long = {f"k{n}": "x" * 2000 for n in range(9)}
    assert (await site.batch(nameless(1, properties=long)))["rejected"] == 1
    await site.flush()
    (row,) = await site.rows()
    assert not row["is_replayable"]
    assert "cut at 16384 characters" in row["not_replayable_because"]
    done = await site.replay(ids=[row["id"]], changes={"merge": {"user_id": "u"}})
    assert (done["rejected"], done["results"][0]["message"]) == (1, row["not_replayable_because"])


async def test_renames_that_build_on_each_other_are_bounded(site: Site) -> None:
    """Each of them moves all that was there before to the bottom of a long way."""
    await site.batch(nameless(1))
    await site.flush()
    way = "/a" * 190
    renames = {f"/m{number}": f"/m{number + 1}{way}" for number in range(99)}
    done = await site.replay(filter={}, changes={"rename": {"/usr": "/m0", **renames}, "merge": {"user_id": "u"}})
    assert (done["accepted"], done["results"][0]["code"]) == (0, "too_deep")


async def test_pages_filters_and_downloads_hold_every_row_once(site: Site) -> None:
    for number in range(7):
        await site.batch(nameless(number), {"event": "=cmd", "user_id": "u", "timestamp": "x", "id": f"t{number}"})
    await site.flush()
    found: list[str] = []
    cursor: str | None = None
    while True:
        params: dict[str, str | int] = {"limit": 3, "reason": "missing_identity"}
        if cursor:
            params["cursor"] = cursor
        page = (await site.client.get(site.path, params=params)).json()
        found += [row["event_id"] for row in page["rows"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert found == [f"e{number}" for number in reversed(range(7))]
    assert len(await site.rows(event_type="=cmd")) == 7
    newest = (await site.rows(limit=1))[0]["received_at"]
    assert len(await site.rows(start=newest)) == 2
    assert len(await site.rows(end=newest)) == 12
    text = (await site.client.get(f"{site.path}/export", params={"reason": "invalid_timestamp"})).text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [row["event_id"] for row in lines] == [f"t{number}" for number in range(7)]
    sheet = (await site.client.get(f"{site.path}/export", params={"format": "csv"})).text
    cells = list(csv.DictReader(io.StringIO(sheet)))
    assert len(cells) == 14
    assert {row["event_type"] for row in cells} == {"buy", "'=cmd"}


async def test_everything_is_counted_and_deletion_keeps_the_counts(site: Site) -> None:
    await site.batch(nameless(1), nameless(2), {"event": "buy", "user_id": "u", "id": "e9"})
    await site.batch({"event": "buy", "user_id": "u", "id": "e9"})
    await site.flush()

    async def counts() -> dict[str, tuple[int, int, int]]:
        found = (await site.client.get(f"{site.path}/counts")).json()["counts"]
        return {one["reason"]: (one["count"], one["kept"], one["replayed"]) for one in found}

    async def marks() -> tuple[bool, dict[str, bool | None], bool | None]:
        found = (await site.client.get(f"{site.path}/counts")).json()
        page = (await site.client.get(site.path)).json()
        return found["is_complete"], {one["reason"]: one["is_complete"] for one in found["counts"]}, page["is_complete"]

    assert await counts() == {"missing_identity": (2, 2, 0), "duplicate": (1, 0, 0)}
    assert await marks() == (True, {"missing_identity": True, "duplicate": None}, True)
    first, second = await site.rows()
    await site.replay(ids=[first["id"]], changes={"rename": {"/usr": "/user_id"}})
    assert await counts() == {"missing_identity": (2, 2, 1), "duplicate": (1, 0, 0)}
    assert (await site.client.delete(site.path)).status_code == 422
    deleted = await site.client.delete(site.path, params={"id": second["id"]})
    assert deleted.json() == {"deleted": 1}
    assert [row["id"] for row in await site.rows()] == [first["id"]]
    assert (await site.client.delete(site.path, params={"all": True})).json() == {"deleted": 1}
    assert await site.rows() == []
    assert await counts() == {"missing_identity": (2, 0, 0), "duplicate": (1, 0, 0)}
    assert await marks() == (False, {"missing_identity": False, "duplicate": None}, False)


@pytest.mark.parametrize("more", [{"reason": "too_long"}, {"state": "waiting"}, {"all": True}])
async def test_ids_and_filters_together_delete_nothing(site: Site, more: dict[str, Any]) -> None:
    await site.batch(nameless(1))
    await site.flush()
    (row,) = await site.rows()
    answer = await site.client.delete(site.path, params={"id": row["id"], **more})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/id")
    assert await site.rows() == [row]


async def test_a_deletion_that_fails_half_way_is_in_the_audit_log(site: Site) -> None:
    lake = open_house(site.settings)
    at = lake.clock.now_us()
    day_us = 86_400 * 10**6
    for day in range(2):
        refusals = [Refusal(site.project["id"], at - day * day_us, Rejected(code="too_long")) for _ in range(2)]
        Quarantine(lake.layout).keep(f"j9-{day}", refusals)
    desk = lake.quarantine_desk()
    failing = replace(desk, replayer=replace(desk.replayer, hit=Failpoints("replay.deleted:1:eio").hit))
    with pytest.raises(StorageUnavailable):
        failing.delete("user:ann", site.project["id"], Selection())
    lines = [line for path in audit_files(lake.layout.audit) for line in path.read_text().splitlines()]
    last = json.loads(lines[-1])
    assert (last["action"], last["details"]) == ("quarantine.delete", {"rows": 2, "failed": True})
    assert len(await site.rows()) == 2


async def test_other_peoples_rows_are_not_there(site: Site) -> None:
    await site.batch(nameless(1))
    await site.flush()
    (row,) = await site.rows()
    stranger = await site.account("stranger@example.com")
    for method, tail in (
        ("GET", ""),
        ("GET", "/counts"),
        ("GET", "/export"),
        ("POST", "/replay"),
        ("DELETE", "?all=1"),
    ):
        body = {"ids": [row["id"]]} if method == "POST" else None
        answer = await site.client.request(method, site.path + tail, headers=stranger, json=body)
        assert answer.status_code == 404, (method, tail)
    by_key = {"x-api-key": site.project["secret_key"]}
    bare = site.without_session()
    assert (await bare.get(site.path, headers=by_key)).status_code == 200
    assert (await bare.delete(site.path, params={"all": True}, headers=by_key)).status_code == 401
    assert len(await site.rows()) == 1


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/ids"),
        ({"ids": ["x"], "filter": {}}, "/ids"),
        ({"filter": {"start": "yesterday"}}, "/start"),
        ({"ids": ["x"], "changes": {"rename": {"usr": "/user_id"}}}, "/changes"),
        ({"ids": ["x"], "changes": {"merge": json.loads('{"a":' * 500 + "1" + "}" * 500)}}, "/changes/merge/a/a"),
        ({"ids": []}, "/ids"),
        ({"filter": {"color": "red"}}, "/filter"),
    ],
)
async def test_a_wrong_replay_says_what_is_wrong(site: Site, body: dict[str, Any], pointer: str) -> None:
    answer = await site.client.post(f"{site.path}/replay", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].startswith(pointer)

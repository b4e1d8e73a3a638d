"""The audit log through the front door: what is recorded, who sees it, pages, filters, files."""

import csv
import io
import json
from dataclasses import replace
from typing import Any

import httpx
import pytest

from iafa.api.app import create_app
from iafa.audit import AuditLog, audit_files, verify
from iafa.jobs.audit_pages import AuditPages
from iafa.meta.sign_in_trail import LINES_PER_MINUTE
from tests.unit.api.house import PASSWORD, Room, Tenant

DEFINITION = {"name": "Buy", "stages": [{"name": "Cart", "event": "add_to_cart"}]}
SAVED_VIEW = {"name": "Buyers", "kind": "trends", "question": {"series": [{"event": "purchase"}]}}
ALERT = {
    "name": "Sales",
    "rule": {"kind": "silence", "event": "a", "window_seconds": 86_400},
    "webhook_url": "https://hooks.example.org/secret-path",
}


async def entries_of(client: httpx.AsyncClient, **params: Any) -> list[dict[str, Any]]:
    answer = await client.get("/api/v1/audit", params=params)
    assert answer.status_code == 200, answer.text
    entries: list[dict[str, Any]] = answer.json()["entries"]
    return entries


async def test_what_changes_something_is_recorded_and_no_secret_is(room: Room, ada: Tenant) -> None:
    project = ada.project.id
    base = f"/api/v1/projects/{project}"
    secrets = [PASSWORD, "another walk on the beach", "secret-path"]
    async with room.client(ada.bearer) as client:
        made = (await client.post("/api/v1/projects", json={"name": "Second"})).json()
        secrets += [made["api_key"], made["secret_key"]]
        await client.put(base, json={"retention_days": 30, "tracker": {"build": "lite"}})
        await client.put(base, json={"retention_days": 30})
        await client.put(base, json={"retention_days": 30, "allowed_origins": ["https://shop.example"]})
        key = (await client.post(f"{base}/keys", json={"kind": "secret", "name": "robot"})).json()
        rotated = (await client.post(f"{base}/keys/{key['id']}/rotate", json={"overlap_seconds": 0})).json()
        await client.delete(f"{base}/keys/{rotated['id']}")
        funnel = (await client.post("/api/v1/funnels", json={**DEFINITION, "project_id": project})).json()
        renamed = {**DEFINITION, "project_id": project, "name": "Renamed"}
        assert (await client.put(f"/api/v1/funnels/{funnel['id']}", json=renamed)).status_code == 200
        await client.get(f"/api/v1/analytics/funnel/{funnel['id']}/export")
        await client.get("/api/v1/export", params={"project_id": project}, headers=ada.key("secret"))
        await client.delete(f"/api/v1/funnels/{funnel['id']}")
        alert = (await client.post(f"{base}/alerts", json=ALERT)).json()
        await client.delete(f"{base}/alerts/{alert['id']}")
        view = (await client.post(f"{base}/views", json=SAVED_VIEW)).json()
        share = (await client.post(f"{base}/shares", json={"kind": "view", "target_id": view["id"]})).json()
        await client.delete(f"{base}/shares/{share['id']}")
        await client.delete(f"{base}/views/{view['id']}")
        invited = (await client.post("/api/v1/invitations", json={"email": "g@example.org", "role": "admin"})).json()
        await client.delete(f"/api/v1/invitations/{invited['id']}")
        change = {"password": "another walk on the beach", "current_password": PASSWORD}
        assert (await client.put("/api/v1/auth/me", json=change)).status_code == 200
        await client.delete(f"/api/v1/projects/{made['id']}")
        secrets += [share["token"], key["key"], rotated["key"], alert["secret"], invited["token"]]
        found = await entries_of(client)
    assert [one["action"] for one in reversed(found)] == [
        *("project.make", "project.change", "project.change", "key.make", "key.rotate", "key.revoke"),
        *("funnel.make", "funnel.change", "people.export", "events.export"),
        *("funnel.delete", "alert.delete", "share.make", "share.delete", "view.delete"),
        *("invitation.make", "invitation.revoke", "password.change", "project.delete"),
    ]
    by_action = {one["action"]: one for one in found}
    later, first = (one["details"]["changed"] for one in found if one["action"] == "project.change")
    assert first == {"retention_days": [90, 30], "tracker": None}
    assert later == {"allowed_origins": [[], ["https://shop.example"]]}
    assert by_action["funnel.change"]["details"] == {"funnel": funnel["id"], "name": "Renamed", "version": 2}
    assert by_action["key.rotate"]["details"]["replaces"] == key["id"]
    assert by_action["events.export"]["actor"].startswith("key:")
    assert {one["actor_email"] for one in found if one["actor"].startswith("user:")} == {"ada@example.org"}
    assert by_action["project.change"]["object_name"] == ada.project.name
    log = "".join(path.read_text() for path in room.services.audit.root.glob("*.jsonl"))
    assert not [one for one in secrets if one in log]
    assert verify(room.services.audit.root) == []


async def test_members_who_come_change_and_go_are_recorded(room: Room, ada: Tenant) -> None:
    membership, owner = room.services.membership, ada.signed_in.user
    async with room.client(ada.bearer) as client:
        for email in ("grace@example.org", "mary@example.org"):
            token = (await membership.invite(owner, email=email, role="viewer")).token
            body = {"email": email, "password": PASSWORD, "full_name": email, "invitation": token}
            async with room.client() as other:
                joined = (await other.post("/api/v1/auth/register", json=body)).json()
                if email == "mary@example.org":
                    await other.delete("/api/v1/auth/me")
        (grace,) = [one for one in await entries_of(client, action="member.join") if one["actor_name"]]
        user = grace["details"]["user"]
        assert (grace["details"]["email"], grace["actor"]) == ("grace@example.org", f"user:{user}")
        await client.put(f"/api/v1/members/{user}", json={"role": "editor"})
        await client.put(f"/api/v1/members/{user}", json={"role": "editor"})
        await client.delete(f"/api/v1/members/{user}")
        found = await entries_of(client, action="member")
    assert [(one["action"], one["details"]["email"]) for one in reversed(found)] == [
        ("member.join", "grace@example.org"),
        ("member.join", "mary@example.org"),
        ("member.leave", "mary@example.org"),
        ("member.change", "grace@example.org"),
        ("member.remove", "grace@example.org"),
    ]
    assert (found[1]["details"]["from"], found[1]["details"]["to"]) == ("viewer", "editor")
    assert found[2]["actor_name"] is None, "of somebody who is gone the details keep the address"
    assert joined["user"]["role"] == "viewer"


async def test_sign_ins_are_recorded_without_what_was_typed(room: Room, ada: Tenant) -> None:
    async with room.client() as client:
        for email, password in (
            ("ada@example.org", "wrong password"),
            ("my secret password", "x"),
            ("ADA@example.org", PASSWORD),
        ):
            await client.post("/api/v1/auth/login", json={"email": email, "password": password})
        client.cookies.clear()
        found = await entries_of_bearer(client, ada, action="sign_in")
    assert [(one["action"], one["actor_name"]) for one in found] == [("sign_in.succeed", "ada"), ("sign_in.fail", None)]
    assert found[0]["details"] == {"address": "192.0.2.7"}
    assert found[1]["details"] == {"address": "192.0.2.7", "user": ada.signed_in.user.id}
    log = "".join(path.read_text() for path in room.services.audit.root.glob("*.jsonl"))
    assert log.count("sign_in.fail") == 2
    assert "password" not in log


async def entries_of_bearer(client: httpx.AsyncClient, tenant: Tenant, **params: Any) -> list[dict[str, Any]]:
    client.headers.update(tenant.bearer)
    return await entries_of(client, **params)


async def test_many_sign_ins_have_a_bounded_number_of_lines(room: Room) -> None:
    trail = room.services.sign_ins
    for number in range(LINES_PER_MINUTE + 7):
        trail.failed(f"192.0.2.{number}")
    room.clock.advance(60)
    trail.succeeded("user", "organization", "192.0.2.1")
    (log,) = room.services.audit.root.glob("*.jsonl")
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert [one["action"] for one in lines] == [
        *["sign_in.fail"] * LINES_PER_MINUTE, "sign_in.left_out", "sign_in.succeed"
    ]  # fmt: skip
    assert lines[-2]["details"] == {"sign_in.fail": 7}


async def test_nobody_sees_what_concerns_another_organization(room: Room, ada: Tenant, eve: Tenant) -> None:
    log = room.services.audit
    for tenant in (ada, eve):
        log.add("background", "retention.remove", f"project:{tenant.project.id}", {})
        log.add(
            f"user:{tenant.signed_in.user.id}", "member.leave", f"organization:{tenant.project.organization_id}", {}
        )
    log.add("root", "repair.restored", "file:metadata/users.json", {})
    async with room.client(ada.bearer) as client:
        seen = await entries_of(client)
        foreign = await client.get("/api/v1/audit", params={"project_id": eve.project.id})
        unknown = await client.get("/api/v1/audit/export", params={"project_id": "x"})
        stolen = (await client.get("/api/v1/audit", params={"limit": 1})).json()["next_cursor"]
    assert [one["id"] for one in seen] == [2, 1]
    assert (foreign.status_code, unknown.status_code) == (404, 404)
    async with room.client(eve.bearer) as client:
        answer = await client.get("/api/v1/audit", params={"limit": 1, "cursor": stolen})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query")


async def test_a_deleted_project_stays_in_the_log_of_its_organization(room: Room, ada: Tenant, eve: Tenant) -> None:
    project = ada.project.id
    room.services.audit.add("background", "retention.remove", f"project:{project}", {"days": ["2025-01-01"]})
    async with room.client(ada.bearer) as client:
        assert (await client.delete(f"/api/v1/projects/{project}")).status_code == 204
        for params in ({}, {"project_id": project}):
            assert [one["action"] for one in await entries_of(client, **params)] == [
                "project.delete",
                "retention.remove",
            ]
    async with room.client(eve.bearer) as client:
        assert await entries_of(client) == []


@pytest.fixture
async def filled(room: Room, ada: Tenant) -> list[int]:
    """40 entries in files of a few lines, every fourth of another organization; the numbers of the own ones."""
    log = AuditLog(room.services.audit.root, room.clock, file_bytes_max=1000)
    own = []
    for number in range(40):
        room.clock.advance(1)
        target = "organization:foreign" if number % 4 == 3 else f"project:{ada.project.id}"
        entry = log.add(
            f"user:{number % 2}", ("key.make", "key.revoke", "keyring.x")[number % 3], target, {"=n": number}
        )
        if number % 4 != 3:
            own.append(entry)
    return own


@pytest.mark.parametrize("limit", [1, 7, 30, 500])
async def test_pages_show_each_entry_once_while_others_are_written(
    room: Room, ada: Tenant, filled: list[int], limit: int
) -> None:
    seen: list[int] = []
    params: dict[str, Any] = {"limit": limit}
    async with room.client(ada.bearer) as client:
        while True:
            page = (await client.get("/api/v1/audit", params=params)).json()
            seen += [one["id"] for one in page["entries"]]
            room.services.audit.add("user:9", "key.make", f"project:{ada.project.id}", {})
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
    assert seen == filled[::-1]


async def test_a_page_that_finds_nothing_ends_and_goes_on_later(room: Room, ada: Tenant, filled: list[int]) -> None:
    services = replace(room.services, audit_pages=AuditPages(room.services.audit.root, scan_bytes_max=1500))
    seen, pages = [], 0
    params: dict[str, Any] = {"action": "key.revoke", "actor": "user:1"}
    async with room.client(ada.bearer, app=create_app(services)) as client:
        while True:
            page = (await client.get("/api/v1/audit", params=params)).json()
            pages += 1
            seen += [one["details"]["=n"] for one in page["entries"]]
            if page["next_cursor"] is None:
                break
            params["cursor"] = page["next_cursor"]
    assert seen == [n for n in range(39, -1, -1) if n % 3 == 1 and n % 2 == 1 and n % 4 != 3]
    assert pages > 3, "a page reads a bounded part"


async def test_damaged_lines_and_files_hide_nothing_else(room: Room, ada: Tenant, filled: list[int]) -> None:
    files = audit_files(room.services.audit.root)
    whole = files[3].read_bytes().splitlines(keepends=True)
    files[3].write_bytes(whole[0] + b"\xff damaged\n" + b"".join(whole[2:]))
    files[5].write_bytes(b"no entry at all\n" * 500)
    gone = {json.loads(line)["n"] for line in whole[1:2]}
    services = replace(room.services, audit_pages=AuditPages(room.services.audit.root, scan_bytes_max=1500))
    async with room.client(ada.bearer, app=create_app(services)) as client:
        lines = (await client.get("/api/v1/audit/export", params={"action": "key"})).text.splitlines()
    seen = [json.loads(line)["id"] for line in lines]
    assert len(seen) > 10
    assert seen == sorted(set(seen), reverse=True)
    assert not gone & set(seen)
    assert {min(filled), max(number for number in filled if number % 3 != 0)} <= set(seen)


async def test_filters(room: Room, ada: Tenant, filled: list[int]) -> None:
    async with room.client(ada.bearer) as client:
        everything = await entries_of(client, limit=500)
        for params, kept in (
            ({"action": "key"}, lambda one: one["action"].startswith("key.")),
            ({"action": "key.make"}, lambda one: one["action"] == "key.make"),
            ({"action": "ke"}, lambda _one: False),
            ({"actor": "user:1"}, lambda one: one["actor"] == "user:1"),
            ({"start": everything[9]["at"], "end": everything[2]["at"]}, lambda one: one in everything[3:10]),
            ({"project_id": ada.project.id}, lambda _one: True),
        ):
            assert await entries_of(client, limit=500, **params) == [one for one in everything if kept(one)]
        for wrong in ({"start": "yesterday"}, {"cursor": "x"}, {"limit": 0}, {"until": "2026"}):
            answer = await client.get("/api/v1/audit", params=wrong)
            assert (answer.status_code, answer.json()["code"]) == (422, "invalid_query"), wrong


async def test_files_hold_the_same_entries(room: Room, ada: Tenant, filled: list[int]) -> None:
    async with room.client(ada.bearer) as client:
        everything = await entries_of(client, limit=500)
        lines = (await client.get("/api/v1/audit/export")).text.splitlines()
        table = await client.get("/api/v1/audit/export", params={"format": "csv", "action": "key"})
        asked = await entries_of(client, action="audit.export")
    assert [json.loads(line) for line in lines[1:]] == everything
    assert json.loads(lines[0])["action"] == "audit.export"
    rows = list(csv.DictReader(io.StringIO(table.text)))
    assert [int(row["id"]) for row in rows] == [one["id"] for one in everything if one["action"].startswith("key.")]
    assert json.loads(rows[-1]["details"]) == everything[-1]["details"]
    assert len(asked) == 2

"""Projects, keys and the tracking code through the front door."""

import ast
import re
from typing import Any

import pytest

from iafa.clock import to_datetime, to_iso
from tests.unit.api.house import NOON_US, Room, Tenant


async def test_a_project_lives_from_creation_to_deletion(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        made = await client.post(
            "/api/v1/projects",
            json={
                "name": "  Blog ",
                "domain": "Blog.Example.org",
                "timezone": "Asia/Kathmandu",
                "retention_days": None,
            },
        )
        assert made.status_code == 201, made.text
        project = made.json()
        assert project["name"] == "Blog"
        assert (project["domain"], project["timezone"], project["retention_days"]) == (
            "blog.example.org", "Asia/Kathmandu", None
        )  # fmt: skip
        assert (project["rate_limit_per_minute"], project["rate_limit_per_ip_per_minute"]) == (1000, 100)
        assert project["session_gap_seconds"] == 3600
        stored = await room.services.projects.get(project["id"])
        assert stored is not None
        assert stored.salt not in made.text
        url = f"/api/v1/projects/{project['id']}"

        changed = await client.put(url, json={"rate_limit_per_minute": None, "allowed_origins": ["https://*.a.org"]})
        assert changed.status_code == 200, changed.text
        assert changed.json()["rate_limit_per_minute"] is None
        assert changed.json()["timezone"] == "Asia/Kathmandu"
        read = await client.get(url)
        assert read.json() == changed.json()
        assert set(read.json()) == set(project) - {"api_key", "secret_key"}

        assert (await client.delete(url)).status_code == 204
        assert (await client.get(url)).status_code == 404
        assert room.dropped == [project["id"]]


async def test_rules_of_sampling_and_privacy_are_kept_as_they_were_given(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}"
    rule = {"rate": 0.25, "by": "window", "event_type": "page_view", "source": "web", "window_seconds": 600}
    privacy = {"ip": "truncate", "salt": "daily", "deny_properties": ["email", "*password*"]}
    usual = {"rate": 1, "by": "user", "event_type": None, "source": None, "window_seconds": 3600}
    async with room.client(ada.bearer) as client:
        before = (await client.get(url)).json()
        assert (before["sampling"], before["privacy"]) == ([], {"ip": "hash", "salt": "fixed", "deny_properties": []})
        await client.put(url, json={"sampling": [rule, {"rate": 1}], "privacy": privacy})
        await client.put(url, json={"monthly_quota": 5})
        after = (await client.get(url)).json()
    assert (after["sampling"], after["privacy"], after["monthly_quota"]) == ([rule, usual], privacy, 5)
    grant = room.services.projects.grant(ada.write_key, now_us=room.clock.now_us())
    assert grant is not None
    assert (grant.sampling[0].rate, grant.privacy.salt, grant.monthly_quota) == (0.25, "daily", 5)


async def test_schemas_are_kept_as_they_were_given(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}"
    rule = {"event_type": "buy", "schema": {"required": ["price"], "properties": {"price": {"type": "number"}}}}
    async with room.client(ada.bearer) as client:
        made = await client.post("/api/v1/projects", json={"name": "Strict", "schemas": [rule]})
        changed = await client.put(url, json={"schemas": [rule]})
        read = await client.get(url)
        twice = await client.put(url, json={"schemas": [rule, rule]})
        unusable = await client.put(url, json={"schemas": [rule | {"schema": {"$ref": "http://example.org/a"}}]})
    assert [answer.json()["schemas"] for answer in (made, changed, read)] == [[rule]] * 3
    assert (made.status_code, twice.status_code, unusable.status_code) == (201, 422, 422)
    assert "references" in unusable.json()["errors"][0]["message"]


async def test_if_match_refuses_a_lost_update(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}"
    async with room.client(ada.bearer) as client:
        tag = (await client.get(url)).headers["etag"]
        first = await client.put(url, json={"retention_days": 30}, headers={"If-Match": tag})
        assert first.status_code == 200
        second = await client.put(url, json={"retention_days": 60}, headers={"If-Match": tag})
        assert (second.status_code, second.json()["code"]) == (412, "version_conflict")
        third = await client.put(url, json={"retention_days": 60}, headers={"If-Match": first.headers["etag"]})
        assert third.json()["retention_days"] == 60
        assert (await client.put(url, json={}, headers={"If-Match": "x"})).status_code == 422


WRONG_SETTINGS: dict[str, tuple[dict[str, Any], str]] = {
    "no name": ({}, "/name"),
    "blank name": ({"name": "  "}, "/name"),
    "name with a line break": ({"name": "a\nb"}, "/name"),
    "name too long": ({"name": "a" * 201}, "/name"),
    "name is a number": ({"name": 5}, "/name"),
    "unknown zone": ({"name": "a", "timezone": "Mars/Olympus"}, "/timezone"),
    "zone with leap seconds": ({"name": "a", "timezone": "right/UTC"}, "/timezone"),
    "zone is a folder": ({"name": "a", "timezone": "Europe"}, "/timezone"),
    "zone is a path": ({"name": "a", "timezone": "../../etc/passwd"}, "/timezone"),
    "domain is a URL": ({"name": "a", "domain": "https://a.org/x"}, "/domain"),
    "origin with a path": ({"name": "a", "allowed_origins": ["https://a.org/x"]}, "/allowed_origins/0"),
    "origin is a star": ({"name": "a", "allowed_origins": ["https://a.org", "*"]}, "/allowed_origins/1"),
    "origin with a port that is none": ({"name": "a", "allowed_origins": ["https://a.org:x"]}, "/allowed_origins/0"),
    "no retention": ({"name": "a", "retention_days": 0}, "/retention_days"),
    "a limit below one": ({"name": "a", "rate_limit_per_minute": -1}, "/rate_limit_per_minute"),
    "a limit as text": ({"name": "a", "rate_limit_per_minute": "5"}, "/rate_limit_per_minute"),
    "a limit as true": ({"name": "a", "rate_limit_per_minute": True}, "/rate_limit_per_minute"),
    "unknown field": ({"name": "a", "salt": "x"}, "/salt"),
    "a quota of none": ({"name": "a", "monthly_quota": 0}, "/monthly_quota"),
    "a rate above one": ({"name": "a", "sampling": [{"rate": 1.1}]}, "/sampling/0/rate"),
    "no rate": ({"name": "a", "sampling": [{"by": "user"}]}, "/sampling/0/rate"),
    "an unknown way to sample": ({"name": "a", "sampling": [{"rate": 0.5, "by": "luck"}]}, "/sampling/0/by"),
    "an unknown field of a rule": ({"name": "a", "sampling": [{"rate": 0.5, "of": "x"}]}, "/sampling/0/of"),
    "a short window": ({"name": "a", "sampling": [{"rate": 0.5, "window_seconds": 1}]}, "/sampling/0/window_seconds"),
    "two rules for the same": ({"name": "a", "sampling": [{"rate": 0.5}, {"rate": 1, "by": "random"}]}, "/sampling"),
    "addresses as they are": ({"name": "a", "privacy": {"ip": "full"}}, "/privacy/ip"),
    "an unknown field of privacy": ({"name": "a", "privacy": {"dnt": True}}, "/privacy/dnt"),
    "a denied name that is none": ({"name": "a", "privacy": {"deny_properties": [""]}}, "/privacy/deny_properties/0"),
}


@pytest.mark.parametrize(("body", "pointer"), WRONG_SETTINGS.values(), ids=WRONG_SETTINGS)
async def test_wrong_settings_are_named(room: Room, ada: Tenant, body: dict[str, Any], pointer: str) -> None:
    async with room.client(ada.bearer) as client:
        answers = [await client.post("/api/v1/projects", json=body)]
        if body:
            answers.append(await client.put(f"/api/v1/projects/{ada.project.id}", json=body))
    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "validation_error")
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]


async def test_all_wrong_fields_are_listed_at_once(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.post("/api/v1/projects", json={"timezone": "x", "retention_days": "y", "z": 1})
    assert {error["pointer"] for error in answer.json()["errors"]} == {"/name", "/timezone", "/retention_days", "/z"}


async def test_an_empty_change_of_the_name_is_refused(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        answer = await client.put(f"/api/v1/projects/{ada.project.id}", json={"name": ""})
    assert answer.status_code == 422


async def test_keys_are_made_rotated_and_revoked(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}/keys"
    status = f"/api/v1/projects/{ada.project.id}/status"
    async with room.client(ada.bearer) as client, room.client() as program:
        made = (await client.post(url, json={"kind": "secret", "name": "Server"})).json()
        assert made["key"].startswith("iafa_s_")
        assert made["key"].endswith(made["last4"])
        listed = (await client.get(url)).json()["keys"]
        assert {key["kind"]: bool(key["key"]) for key in listed} == {"write": True, "secret": False}
        assert {key["last_used_at"] for key in listed} == {None}
        assert (await program.get(status, headers={"X-API-Key": made["key"]})).status_code == 200
        listed = (await client.get(url)).json()["keys"]
        assert {key["id"]: key["last_used_at"] for key in listed if key["last_used_at"]} == {
            made["id"]: to_iso(room.clock.now_us())
        }

        rotated = await client.post(f"{url}/{made['id']}/rotate", json={"overlap_seconds": 60})
        assert rotated.status_code == 201
        for key in (made["key"], rotated.json()["key"]):
            assert (await program.get(status, headers={"X-API-Key": key})).status_code == 200
        room.clock.advance(60)
        assert (await program.get(status, headers={"X-API-Key": made["key"]})).status_code == 401

        assert (await client.delete(f"{url}/{rotated.json()['id']}")).status_code == 204
        assert (await program.get(status, headers={"X-API-Key": rotated.json()["key"]})).status_code == 401
        assert (await client.post(f"{url}/{made['id']}/rotate")).status_code == 404


async def test_tracking_code_carries_key_and_address(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        code = (await client.get(f"/api/v1/projects/{ada.project.id}/tracking-code")).json()
    assert code["api_key"] == ada.write_key
    assert code["script_url"] == "http://iafa.test/tracker.js"
    assert code["collector_url"] == "http://iafa.test"
    expected = f'<script defer src="http://iafa.test/tracker.js" data-key="{ada.write_key}"></script>'
    assert code["html"] == code["snippets"]["html"] == expected
    for snippet in code["snippets"].values():
        assert ada.write_key in snippet
        assert ada.secret_key not in snippet
        assert "http://iafa.test" in snippet
        assert not re.search(r"\$[a-z{]", snippet.replace("${answer.status}", ""))
    ast.parse(code["snippets"]["python"])


async def test_tracking_code_follows_a_rotation_and_needs_a_write_key(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}"
    write_id = next(key.id for key in ada.project.keys.values() if key.kind == "write")
    async with room.client(ada.bearer) as client:
        new = (await client.post(f"{url}/keys/{write_id}/rotate")).json()
        assert (await client.get(f"{url}/tracking-code")).json()["api_key"] == new["key"]
        for key in (write_id, new["id"]):
            await client.delete(f"{url}/keys/{key}")
        assert (await client.get(f"{url}/tracking-code")).status_code == 409


@pytest.mark.parametrize("host", ['a"><script>', "a'b", "a b", "a\\b", "${x}", "a/b", "", "a@b"])
async def test_a_hostile_host_header_never_reaches_the_snippet(room: Room, ada: Tenant, host: str) -> None:
    async with room.client({**ada.bearer, "Host": host}) as client:
        answer = await client.get(f"/api/v1/projects/{ada.project.id}/tracking-code")
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


async def test_status_counts_events(room: Room, ada: Tenant) -> None:
    url = f"/api/v1/projects/{ada.project.id}/status"
    async with room.client(ada.bearer) as client:
        empty = (await client.get(url)).json()
        assert (empty["events_total"], empty["first_event_at"], empty["last_event_at"]) == (0, None, None)
        room.events[ada.project.id] = [{"event_type": "a", "created_at": to_datetime(NOON_US)} for _ in range(3)]
        assert (await client.get(url)).json()["events_total"] == 3

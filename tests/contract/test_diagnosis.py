"""Why nothing arrives, asked over HTTP after real requests were refused: each cause is found and named."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, get_args

import httpx
import pytest
import pytest_asyncio

from iafa.api.diagnosis_models import FindingCode
from iafa.api.server import running
from iafa.api.system_models import SystemAnswer
from iafa.clock import FakeClock
from iafa.query.slow_questions import SlowQuestions
from iafa.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGE = "https://shop.example.com"
LIMITS = {"rate_limit_per_minute": None, "rate_limit_per_ip_per_minute": None}
pytestmark = pytest.mark.asyncio(loop_scope="module")
NOON_US = 1_763_726_400_000_000


@dataclass
class Site:
    """The complete application in process, under a clock that is turned by hand."""

    client: httpx.AsyncClient
    clock: FakeClock
    data_dir: Path
    projects: list[dict[str, Any]] = field(default_factory=list)

    async def enter(self, how: str, **more: str) -> None:
        body = {"email": "owner@example.com", "password": "a long enough passphrase", **more}
        answer = await self.client.post(f"/api/v1/auth/{how}", json=body)
        self.client.cookies.clear()
        self.client.headers["authorization"] = f"Bearer {answer.json()['access_token']}"

    async def wait(self, seconds: float) -> None:
        """Let time pass, and sign in again: an access token is short-lived."""
        self.clock.advance(seconds)
        del self.client.headers["authorization"]
        await self.enter("login")

    async def project(self, **settings: Any) -> dict[str, Any]:
        made = await self.client.post("/api/v1/projects", json={"name": f"S{len(self.projects)}", **LIMITS, **settings})
        assert made.status_code == 201, made.text
        self.projects.append(made.json())
        return self.projects[-1]

    async def change(self, project: dict[str, Any], **settings: Any) -> None:
        changed = await self.client.put(f"/api/v1/projects/{project['id']}", json=settings)
        assert changed.status_code == 200, changed.text

    async def beacon(self, key: str, *events: dict[str, Any], origin: str | None = PAGE, **headers: str) -> int:
        events = events or ({"n": "page_view", "a": "visitor-1"},)
        named = headers if origin is None else {"origin": origin, **headers}
        answer = await self.client.post(f"/e/{key}", content=json.dumps({"e": events}), headers=named)
        return answer.status_code

    async def track(self, key: str | None, body: Any, **headers: str) -> int:
        given = {"content-type": "application/json", **({} if key is None else {"x-api-key": key}), **headers}
        content = body if isinstance(body, str) else json.dumps(body)
        return (await self.client.post("/api/v1/track", content=content, headers=given)).status_code

    async def diagnosis(self, project: dict[str, Any]) -> dict[str, Any]:
        answer = await self.client.get(f"/api/v1/projects/{project['id']}/diagnosis")
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        for key in (project["api_key"], project["secret_key"]):
            assert key not in answer.text
        assert "127.0.0.1" not in answer.text
        return found

    async def finding(self, project: dict[str, Any], code: str) -> dict[str, Any]:
        findings = (await self.diagnosis(project))["findings"]
        named = {one["code"]: one for one in findings}
        assert code in named, findings
        found: dict[str, Any] = named[code]
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Site]:
    """One for all: each case has a project of its own."""
    async with site_in(tmp_path_factory.mktemp("site")) as found:
        yield found


@asynccontextmanager
async def site_in(folder: Path, **over: Any) -> AsyncIterator[Site]:
    clock = FakeClock(NOON_US)
    settings = Settings.model_validate({"data_dir": folder / "data", **over})
    async with (
        running(settings, clock=clock) as app,
        httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://testserver") as client,
    ):
        found = Site(client, clock, folder / "data")
        is_known = (folder / "data" / "metadata" / "users.json").exists()
        await (found.enter("login") if is_known else found.enter("register", full_name="Owner"))
        yield found


async def test_a_project_that_nobody_sent_anything_to_says_so(site: Site) -> None:
    project = await site.project()
    found = await site.diagnosis(project)
    assert [one["code"] for one in found["findings"]] == ["nothing_seen"]
    assert found["last_request_at"] is found["last_accepted_at"] is found["last_tracker_fetch_at"] is None
    assert found["is_receiving"] is False
    assert len(found["minutes"]) == 60


async def test_events_that_came_from_a_file_make_silence_a_note(site: Site) -> None:
    project = await site.project()
    headers, rows = {"x-api-key": project["secret_key"]}, '{"event": "buy", "user_id": "u"}\n'
    answer = await site.client.post(
        "/api/v1/upload", content=rows, params={"format": "ndjson"}, headers={**headers, "content-type": "text/plain"}
    )
    assert answer.status_code == 200, answer.text
    (finding,) = (await site.diagnosis(project))["findings"]
    assert (finding["code"], finding["severity"]) == ("nothing_seen", "info")
    assert "imported or uploaded" in finding["title"]


async def test_events_that_arrive_are_counted_and_named_first(site: Site) -> None:
    project = await site.project()
    assert await site.beacon(project["api_key"]) == 204
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u1", "id": "e1"}) == 200
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u1", "id": "e1"}) == 200
    found = await site.diagnosis(project)
    assert found["is_receiving"] is True
    assert found["findings"][0]["code"] == "receiving"
    assert {"accepted": 2, "duplicates": 1, "invalid": 0}.items() <= found["last_15_minutes"].items()
    assert found["last_24_hours"] == found["last_15_minutes"]
    assert found["last_accepted_at"] == found["last_request_at"] == found["checked_at"]
    assert (found["minutes"][-1]["accepted"], found["minutes"][-1]["not_stored"]) == (2, 1)


async def test_a_span_ends(site: Site) -> None:
    project = await site.project()
    await site.beacon(project["api_key"])
    await site.wait(16 * 60)
    found = await site.diagnosis(project)
    assert [one["code"] for one in found["findings"]] == ["quiet"]
    assert (found["last_15_minutes"]["accepted"], found["last_24_hours"]["accepted"]) == (0, 1)
    await site.wait(25 * 3600)
    found = await site.diagnosis(project)
    assert found["last_24_hours"]["accepted"] == 0
    assert found["last_accepted_at"] < found["minutes"][0]["at"]


async def _blocked_origin(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, allowed_origins=["https://other.example.com"])
    site.clock.advance(5)
    assert await site.beacon(project["api_key"]) == 403


async def _allowed_origin(site: Site, project: dict[str, Any]) -> None:
    await _blocked_origin(site, project)
    await site.change(project, allowed_origins=["https://other.example.com", PAGE])


async def _revoked_key(site: Site, project: dict[str, Any]) -> None:
    keys = (await site.client.get(f"/api/v1/projects/{project['id']}/keys")).json()["keys"]
    write = next(one for one in keys if one["kind"] == "write")
    assert (await site.client.delete(f"/api/v1/projects/{project['id']}/keys/{write['id']}")).status_code == 204
    site.clock.advance(5)
    assert await site.beacon(project["api_key"]) == 401


async def _expired_key(site: Site, project: dict[str, Any]) -> None:
    keys = (await site.client.get(f"/api/v1/projects/{project['id']}/keys")).json()["keys"]
    write = next(one for one in keys if one["kind"] == "write")
    path = f"/api/v1/projects/{project['id']}/keys/{write['id']}/rotate"
    assert (await site.client.post(path, json={"overlap_seconds": 3600})).status_code == 201
    await site.wait(3700)
    assert await site.beacon(project["api_key"]) == 401


async def _unknown_key(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, domain="example.com")
    assert await site.beacon("iafa_w_" + "a" * 39 + "wxyz") == 401


async def _missing_key(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, allowed_origins=[PAGE])
    assert await site.track(None, {"event": "buy", "user_id": "u"}, origin=PAGE) == 401


async def _secret_key(site: Site, project: dict[str, Any]) -> None:
    assert await site.beacon(project["secret_key"]) == 403


async def _quota(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, monthly_quota=1)
    site.clock.advance(5)
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 200
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 402


async def _invalid(site: Site, project: dict[str, Any]) -> None:
    headers = {"x-api-key": project["secret_key"]}
    events = [{"event": "buy", "user_id": "u"}, {"event": "buy"}]
    assert (await site.client.post("/api/v1/track/batch", json=events, headers=headers)).status_code == 200
    assert await site.track(project["secret_key"], {"event": "buy"}) == 422


async def _unreadable(site: Site, project: dict[str, Any]) -> None:
    assert await site.track(project["secret_key"], '{"event": ') == 400


async def _rate_limited(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, rate_limit_per_minute=1)
    site.clock.advance(5)
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 200
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 429


async def _sampled_out(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, sampling=[{"rate": 0}])
    site.clock.advance(5)
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 200


async def _duplicates(site: Site, project: dict[str, Any]) -> None:
    for _ in range(2):
        assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u", "id": "same"}) == 200


async def _bots(site: Site, project: dict[str, Any]) -> None:
    assert await site.beacon(project["api_key"], **{"user-agent": "Googlebot/2.1"}) == 204


async def _removed(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, privacy={"deny_properties": ["email"]})
    site.clock.advance(5)
    body = {"event": "buy", "user_id": "u", "properties": {"email": "a@b.c"}}
    assert await site.track(project["secret_key"], body) == 200


async def _silent(site: Site, project: dict[str, Any]) -> None:
    await site.change(project, tracker={"domains": ["shop.test"]})
    site.clock.advance(5)
    fetched = await site.client.get("/t.js", params={"key": project["api_key"]}, headers={"referer": f"{PAGE}/basket"})
    assert fetched.status_code == 200


Sent = Callable[[Site, dict[str, Any]], Awaitable[None]]
CASES: list[tuple[str, Sent, dict[str, Any], str]] = [
    ("blocked_origin", _blocked_origin, {"origin": PAGE, "route": "/e/KEY", "key_kind": "write"}, PAGE),
    ("origin_allowed", _allowed_origin, {"origin": PAGE, "route": "/e/KEY"}, PAGE),
    ("revoked_key", _revoked_key, {"origin": PAGE, "route": "/e/KEY", "key_kind": "write"}, "was revoked"),
    ("expired_key", _expired_key, {"origin": PAGE, "route": "/e/KEY", "key_kind": "write"}, "expired"),
    ("unknown_key", _unknown_key, {"origin": PAGE, "key_last4": "wxyz", "key_kind": "write"}, "...wxyz"),
    ("missing_key", _missing_key, {"origin": PAGE, "route": "/api/v1/track"}, "without a key"),
    ("secret_key_in_page", _secret_key, {"origin": PAGE, "key_kind": "secret"}, "secret key"),
    ("quota_exceeded", _quota, {}, "this month"),
    (
        "invalid_events",
        _invalid,
        {"code": "missing_identity", "event_type": "buy"},
        "missing_identity at /events/*/user_id",
    ),
    ("unreadable_requests", _unreadable, {"code": "invalid_json", "route": "/api/v1/track"}, "invalid_json"),
    ("rate_limited", _rate_limited, {}, "limits"),
    ("sampled_out", _sampled_out, {}, "sampling"),
    ("duplicates", _duplicates, {}, "stored already"),
    ("bots", _bots, {}, "bots"),
    ("properties_removed", _removed, {}, "deny-list"),
    ("tracker_silent", _silent, {"origin": PAGE}, "no events follow"),
]


@pytest.mark.parametrize(("code", "send", "sample", "said"), CASES, ids=[case[0] for case in CASES])
async def test_a_cause_is_found_named_and_counted(
    site: Site, code: str, send: Sent, sample: dict[str, Any], said: str
) -> None:
    project = await site.project()
    await send(site, project)
    found = await site.finding(project, code)
    assert found["count"] == found["lately"] == (2 if code == "invalid_events" else 1)
    assert said in found["title"]
    assert found["advice"]
    assert found["last_at"] is not None
    if sample:
        assert sample.items() <= found["samples"][0].items()
    other = await site.project()
    assert [one["code"] for one in (await site.diagnosis(other))["findings"]] == ["nothing_seen"]


async def test_a_server_that_cannot_store_says_so_and_keeps_it_over_a_restart(tmp_path: Path) -> None:
    async with site_in(tmp_path, disk_free_min_mb=1_000_000_000) as full:
        project = await full.project()
        assert await full.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 503
        assert (await full.finding(project, "storage_unavailable"))["count"] == 1
    async with site_in(tmp_path, disk_free_min_mb=0) as again:
        assert await again.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 200
        found = await again.finding(project, "storage_unavailable")
        assert (found["count"], found["samples"][0]["code"]) == (1, "storage_unavailable")


async def test_a_wrong_key_from_another_site_is_told_to_nobody(site: Site) -> None:
    project = await site.project(domain="mine.example.org", allowed_origins=["https://*.also-mine.example"])
    for origin in ("https://notmine.example.org", "https://mine.example.org.evil.example", "null", "https://["):
        assert await site.beacon("iafa_w_" + "b" * 43, origin=origin) == 401
    assert [one["code"] for one in (await site.diagnosis(project))["findings"]] == ["nothing_seen"]
    for origin in ("https://mine.example.org", "https://shop.mine.example.org", "https://a.also-mine.example"):
        assert await site.beacon("iafa_w_" + "b" * 43, origin=origin) == 401
    assert (await site.finding(project, "unknown_key"))["count"] == 3


async def test_a_deleted_project_leaves_no_counts(site: Site) -> None:
    project = await site.project()
    await site.beacon(project["api_key"])
    await site.diagnosis(project)
    assert (site.data_dir / "run" / "attempts" / project["id"]).is_dir()
    assert (await site.client.delete(f"/api/v1/projects/{project['id']}")).status_code == 204
    assert not (site.data_dir / "run" / "attempts" / project["id"]).exists()


async def test_a_slow_question_is_kept_without_what_it_asked_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SlowQuestions, "slow_ms", 0.0)
    project = await site.project()
    assert await site.track(project["secret_key"], {"event": "buy", "user_id": "u"}) == 200
    for name in ("q-secret-value", "q-secret-value", "other"):
        params = {"project_id": project["id"], "q": name}
        assert (await site.client.get("/api/v1/analytics/event-names", params=params)).status_code == 200
    answer = await site.client.get("/api/v1/system")
    assert "q-secret-value" not in answer.text
    found = SystemAnswer.model_validate(answer.json(), strict=True)
    names = "GET /api/v1/analytics/event-names"
    slow = [one for one in found.slow_queries if (one.project_id, one.route) == (project["id"], names)]
    assert [(one.rows, one.outcome) for one in slow] == [(1, "answered")] * 3
    other, second, first = (one.digest for one in slow)
    assert first == second != other
    assert found.processes[0].name == "worker-0"
    assert found.ingest.last_24_hours.accepted >= 1


async def test_a_secret_key_does_not_read_the_system(site: Site) -> None:
    project = await site.project()
    async with httpx.AsyncClient(transport=site.client._transport, base_url="http://testserver") as stranger:
        assert (await stranger.get("/api/v1/system")).status_code == 401
        headers = {"x-api-key": project["secret_key"]}
        assert (await stranger.get("/api/v1/system", headers=headers)).status_code == 401
        assert (await stranger.get(f"/api/v1/projects/{project['id']}/diagnosis")).status_code == 401
        assert (await stranger.get("/api/v1/projects/x/diagnosis", headers=headers)).status_code == 404


async def test_only_origins_that_are_blocked_still_are_an_error(site: Site) -> None:
    project = await site.project()
    await site.change(project, allowed_origins=["https://other.example.com"])
    site.clock.advance(5)
    for origin in (PAGE, "https://third.example.com", "https://third.example.com"):
        assert await site.beacon(project["api_key"], origin=origin) == 403
    await site.change(project, allowed_origins=["https://other.example.com", PAGE])
    found = {one["code"]: one for one in (await site.diagnosis(project))["findings"]}
    blocked, allowed = found["blocked_origin"], found["origin_allowed"]
    assert (blocked["severity"], blocked["count"]) == ("error", 2)
    assert [one["origin"] for one in blocked["samples"]] == ["https://third.example.com"]
    assert (allowed["severity"], allowed["count"]) == ("info", 1)
    assert [one["origin"] for one in allowed["samples"]] == [PAGE]


@pytest.mark.parametrize("code", get_args(FindingCode))
async def test_every_code_is_documented(code: str) -> None:
    assert f"| `{code}` |" in (ROOT / "docs" / "monitoring.md").read_text()


async def test_every_code_has_a_case() -> None:
    elsewhere = {"receiving", "nothing_seen", "quiet", "storage_unavailable"}  # have tests of their own
    assert {case[0] for case in CASES} | elsewhere == set(get_args(FindingCode))

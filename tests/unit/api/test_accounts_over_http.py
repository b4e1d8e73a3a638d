"""Accounts through the front door: sign up, sign in, refresh, sign out, change oneself."""

import asyncio

import httpx
import pytest

from iafa.api.app import create_app
from iafa.clock import FakeClock
from iafa.meta.sessions import RACE_S
from tests.unit.api.house import BASE, PASSWORD, Room, Tenant, make_settings

REGISTRATION = {"email": "grace@example.org", "password": PASSWORD, "full_name": "Grace Hopper"}


async def test_register_signs_in_and_answers_no_secret(room: Room) -> None:
    async with room.client() as client:
        answer = await client.post("/api/v1/auth/register", json=REGISTRATION)
        assert answer.status_code == 201, answer.text
        body = answer.json()
        assert set(body) == {
            "user", "organization", "access_token", "refresh_token", "token_type", "expires_in"
        }  # fmt: skip
        assert set(body["user"]) == {"id", "email", "full_name", "role", "created_at"}
        assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
        me = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {body['access_token']}"})
        assert me.json() == {"user": body["user"], "organization": body["organization"]}
        again = await client.post("/api/v1/auth/register", json={**REGISTRATION, "email": "GRACE@example.org"})
        assert (again.status_code, again.json()["code"]) == (409, "conflict")


async def test_registration_can_be_closed(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("closed")
    room = Room(folder, make_settings(folder, registration="closed"), folder / "static")
    async with room.client() as client:
        answer = await client.post("/api/v1/auth/register", json=REGISTRATION)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_login_sets_cookies_that_scripts_and_other_sites_cannot_use(room: Room, ada: Tenant) -> None:
    async with room.client() as client:
        answer = await client.post("/api/v1/auth/login", json={"email": "ADA@example.org", "password": PASSWORD})
        assert answer.status_code == 200, answer.text
        cookies = answer.headers.get_list("set-cookie")
        assert {cookie.partition("=")[0] for cookie in cookies} == {"iafa_access", "iafa_refresh"}
        for cookie in cookies:
            assert "HttpOnly" in cookie
            assert "SameSite=strict" in cookie
            assert "Secure" not in cookie
        assert (await client.get("/api/v1/auth/me")).status_code == 200


async def test_cookies_behind_tls_are_secure_and_bound_to_the_host(room: Room, ada: Tenant) -> None:
    transport = httpx.ASGITransport(app=room.app)
    async with httpx.AsyncClient(transport=transport, base_url="https://iafa.test") as client:
        answer = await client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        for cookie in answer.headers.get_list("set-cookie"):
            assert cookie.startswith("__Host-iafa_")
            assert "Secure" in cookie
            assert "Path=/" in cookie
            assert "Domain" not in cookie
        assert (await client.get("/api/v1/auth/me")).status_code == 200


async def test_unknown_user_and_wrong_password_get_the_same_answer(room: Room, ada: Tenant) -> None:
    bodies = []
    async with room.client() as client:
        for email in ("ada@example.org", "nobody@example.org"):
            answer = await client.post("/api/v1/auth/login", json={"email": email, "password": "not the password"})
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"].startswith("Bearer")
            bodies.append({**answer.json(), "instance": ""})
    assert bodies[0] == bodies[1]


async def test_guessing_is_answered_429_with_a_delay(room: Room, ada: Tenant) -> None:
    async with room.client() as client:
        for _ in range(6):
            answer = await client.post(
                "/api/v1/auth/login", json={"email": "ada@example.org", "password": "not the password"}
            )
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")
    assert int(answer.headers["retry-after"]) >= 1
    assert answer.json()["retryable"] is True


async def test_refresh_rotates_by_cookie_and_by_body(room: Room, ada: Tenant) -> None:
    async with room.client() as client:
        await client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        by_cookie = await client.post("/api/v1/auth/refresh")
        assert by_cookie.status_code == 200, by_cookie.text
        empty = await client.post("/api/v1/auth/refresh", json={})
        assert empty.status_code == 200
    async with room.client() as client:
        first = await client.post("/api/v1/auth/refresh", json={"refresh_token": ada.signed_in.refresh_token})
        assert first.status_code == 200
        second = await client.post("/api/v1/auth/refresh", json={"refresh_token": first.json()["refresh_token"]})
        assert second.status_code == 200


async def test_a_stolen_refresh_token_ends_the_session(room: Room, ada: Tenant) -> None:
    stolen = ada.signed_in.refresh_token
    async with room.client() as client:
        current = (await client.post("/api/v1/auth/refresh", json={"refresh_token": stolen})).json()
        room.clock.advance(RACE_S + 1)
        reused = await client.post("/api/v1/auth/refresh", json={"refresh_token": stolen})
        assert (reused.status_code, reused.json()["code"]) == (401, "invalid_credentials")
        dead = await client.post("/api/v1/auth/refresh", json={"refresh_token": current["refresh_token"]})
        assert dead.status_code == 401
        client.cookies.clear()
        me = await client.get("/api/v1/auth/me", headers={"Authorization": f"Bearer {current['access_token']}"})
        assert me.status_code == 401


async def test_of_twenty_parallel_refreshes_one_wins(room: Room, ada: Tenant) -> None:
    async def refresh() -> tuple[int, str | None]:
        async with room.client() as client:
            body = {"refresh_token": ada.signed_in.refresh_token}
            answer = await client.post("/api/v1/auth/refresh", json=body)
            return answer.status_code, answer.json().get("code")

    answers = sorted(await asyncio.gather(*(refresh() for _ in range(20))))
    assert answers == [(200, None)] + [(401, "token_replaced")] * 19


async def test_logout_ends_the_session_and_its_access_tokens(room: Room, ada: Tenant) -> None:
    async with room.client() as client:
        login = await client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        out = await client.post("/api/v1/auth/logout")
        assert out.status_code == 204
        assert all("Max-Age=0" in cookie for cookie in out.headers.get_list("set-cookie"))
        assert "iafa_access" not in client.cookies
        bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
        assert (await client.get("/api/v1/auth/me", headers=bearer)).status_code == 401
        assert (await client.post("/api/v1/auth/logout")).status_code == 204
    async with room.client(ada.bearer) as client:
        assert (await client.get("/api/v1/auth/me")).status_code == 200


async def test_an_access_token_lives_fifteen_minutes(room: Room, ada: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        room.clock.advance(15 * 60 - 1)
        assert (await client.get("/api/v1/auth/me")).status_code == 200
        room.clock.advance(1)
        late = await client.get("/api/v1/auth/me")
    assert (late.status_code, late.json()["code"]) == (401, "token_expired")


async def test_a_new_password_ends_other_sessions(room: Room, ada: Tenant) -> None:
    change = {"password": "another walk on the beach", "current_password": PASSWORD, "full_name": "Ada L."}
    async with room.client() as client:
        other = await client.post("/api/v1/auth/login", json={"email": "ada@example.org", "password": PASSWORD})
        client.cookies.clear()
        wrong = await client.put("/api/v1/auth/me", json={**change, "current_password": "wrong"}, headers=ada.bearer)
        assert wrong.status_code == 422
        assert wrong.json()["errors"][0]["pointer"] == "/current_password"
        done = await client.put("/api/v1/auth/me", json=change, headers=ada.bearer)
        assert (done.status_code, done.json()["user"]["full_name"]) == (200, "Ada L.")
        bearer = {"Authorization": f"Bearer {other.json()['access_token']}"}
        assert (await client.get("/api/v1/auth/me", headers=bearer)).status_code == 401
        assert (await client.get("/api/v1/auth/me", headers=ada.bearer)).status_code == 200


@pytest.mark.parametrize("field", ["role", "id", "organization_id", "owner"])
async def test_fields_that_are_not_the_callers_to_set_are_refused(room: Room, ada: Tenant, field: str) -> None:
    async with room.client(ada.bearer) as client:
        for method, path, body in (
            ("POST", "/api/v1/auth/register", REGISTRATION),
            ("PUT", "/api/v1/auth/me", {}),
            ("POST", "/api/v1/projects", {"name": "x"}),
        ):
            answer = await client.request(method, path, json={**body, field: "owner"})
            assert answer.status_code == 422
            assert answer.json()["errors"] == [
                {"pointer": f"/{field}", "code": "unknown_field", "message": "there is no such field"}
            ]


FOREIGN = {
    "cross site": {"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    "same site": {"Sec-Fetch-Site": "same-site", "Origin": "http://other.iafa.test"},
    "old browser": {"Origin": "https://evil.example"},
    "sandboxed": {"Origin": "null"},
    "other port": {"Origin": f"{BASE}:8080"},
}
OWN = {
    "same origin": {"Sec-Fetch-Site": "same-origin", "Origin": BASE},
    "typed": {"Sec-Fetch-Site": "none"},
    "no browser": {},
}


@pytest.mark.parametrize("headers", FOREIGN.values(), ids=FOREIGN)
async def test_a_foreign_page_cannot_act_with_the_cookie(room: Room, ada: Tenant, headers: dict[str, str]) -> None:
    async with room.client() as client:
        client.cookies.update(ada.cookies())
        for method, path, body in (
            ("POST", "/api/v1/projects", {"name": "stolen"}),
            ("PUT", "/api/v1/auth/me", {"full_name": "x"}),
            ("DELETE", f"/api/v1/projects/{ada.project.id}", None),
            ("POST", "/api/v1/auth/refresh", {}),
            ("POST", "/api/v1/auth/logout", {}),
        ):
            answer = await client.request(method, path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope"), path
            assert "access-control-allow-origin" not in answer.headers
        assert (await client.get("/api/v1/projects", headers=headers)).status_code == 200
        # A program with a token is no page: nothing is sent by itself.
        client.cookies.clear()
        answer = await client.post("/api/v1/projects", json={"name": "mine"}, headers={**headers, **ada.bearer})
        assert answer.status_code == 201


@pytest.mark.parametrize("headers", OWN.values(), ids=OWN)
async def test_the_own_page_acts_with_the_cookie(room: Room, ada: Tenant, headers: dict[str, str]) -> None:
    async with room.client() as client:
        client.cookies.update(ada.cookies())
        answer = await client.post("/api/v1/projects", json={"name": "mine"}, headers=headers)
        assert answer.status_code == 201


async def test_only_listed_origins_get_cors_headers(room: Room) -> None:
    settings = room.settings.model_copy(update={"cors_origins": ["https://app.example"]})
    services = type(room.services)(**{**room.services.__dict__, "settings": settings})
    async with room.client(app=create_app(services)) as client:
        for origin, allowed in (("https://app.example", "https://app.example"), ("https://evil.example", None)):
            answer = await client.get("/api/v1/health", headers={"Origin": origin})
            assert answer.headers.get("access-control-allow-origin") == allowed


async def test_a_session_that_is_idle_too_long_is_over(room: Room, ada: Tenant) -> None:
    clock: FakeClock = room.clock
    clock.advance(room.settings.jwt_expiration_hours * 3600)
    async with room.client() as client:
        answer = await client.post("/api/v1/auth/refresh", json={"refresh_token": ada.signed_in.refresh_token})
    assert answer.status_code == 401

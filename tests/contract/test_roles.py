"""Every route of the whole application, asked by every role and by both keys: who is refused, and in which words."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import APIRouter, FastAPI

from iafa.api.access import OF_MEMBERS, Access, CallerIsUser, UndeclaredAccess, declared_access
from iafa.api.app import openapi_document
from iafa.api.roles import LEAST_ROLE
from iafa.api.server import EXTRA_ROUTERS, running
from iafa.api.tokens import Tokens
from iafa.meta.roles import ROLES, Role
from iafa.wiring import House, open_house
from tests.unit.api.house import SECRET, make_settings

# More than a viewer is needed for these. What else there is only reads, or asks; see `ASKING`.
ABOVE_VIEWER: dict[Role, set[str]] = {
    "editor": {
        "POST /api/v1/funnels",
        "PUT /api/v1/funnels/{funnel_id}",
        "DELETE /api/v1/funnels/{funnel_id}",
        "POST /api/v1/projects/{project_id}/alerts",
        "PUT /api/v1/projects/{project_id}/alerts/{alert_id}",
        "DELETE /api/v1/projects/{project_id}/alerts/{alert_id}",
        "POST /api/v1/projects/{project_id}/alerts/{alert_id}/test",
        *(f"POST /api/v1/projects/{{project_id}}/{kind}" for kind in ("views", "boards", "notes", "shares")),
        *(f"PUT /api/v1/projects/{{project_id}}/{kind}s/{{{kind}_id}}" for kind in ("view", "board", "note")),
        *(
            f"DELETE /api/v1/projects/{{project_id}}/{kind}s/{{{kind}_id}}"
            for kind in ("view", "board", "note", "share")
        ),
        "GET /api/v1/projects/{project_id}/shares",
    },
    "admin": {
        "POST /api/v1/projects",
        "PUT /api/v1/projects/{project_id}",
        "GET /api/v1/projects/{project_id}/keys",
        "POST /api/v1/projects/{project_id}/keys",
        "POST /api/v1/projects/{project_id}/keys/{key_id}/rotate",
        "DELETE /api/v1/projects/{project_id}/keys/{key_id}",
        "POST /api/v1/projects/{project_id}/quarantine/replay",
        "DELETE /api/v1/projects/{project_id}/quarantine",
        "DELETE /api/v1/projects/{project_id}/people/{user_id}",
        "PUT /api/v1/members/{user_id}",
        "DELETE /api/v1/members/{user_id}",
        "GET /api/v1/invitations",
        "POST /api/v1/invitations",
        "DELETE /api/v1/invitations/{invitation_id}",
        "GET /api/v1/audit",
        "GET /api/v1/system",
        "GET /api/v1/audit/export",
    },
    "owner": {"DELETE /api/v1/projects/{project_id}"},
}
# Questions with a body, and what viewers may do to their own account.
ASKING = {
    *(f"POST /api/v1/analytics/{name}" for name in ("sessions", "overview", "anomalies", "trends", "retention")),
    *(f"POST /api/v1/analytics/funnel{rest}" for rest in ("", "/users", "/explain", "/export", "/receipt")),
    *(f"POST /api/v1/analytics/{name}" for name in ("paths", "funnel/drivers", "funnel/next-steps")),
    "POST /api/v1/projects/{project_id}/live/ticket",
    "PUT /api/v1/auth/me",
    "DELETE /api/v1/auth/me",
}
LEAVE = "DELETE /api/v1/auth/me"
DOCUMENT = openapi_document(EXTRA_ROUTERS)
ROUTES = {
    f"{method.upper()} {path}": Access(operation["x-access"])
    for path, operations in DOCUMENT["paths"].items()
    for method, operation in operations.items()
    if Access(operation["x-access"]) in OF_MEMBERS
}
NOTHING = "a" * 20  # nothing is called so: whoever may ask gets a 404, and nothing is changed
PROJECT_OF_BODY = {"project_id": NOTHING}


class Site:
    """The whole application, and an organization with a member of each role and a project."""

    def __init__(self, client: httpx.AsyncClient, house: House) -> None:
        self.client = client
        self.house = house
        self.tokens = Tokens(SECRET, algorithm=house.settings.jwt_algorithm, clock=house.clock)
        self.callers: dict[str, dict[str, str]] = {}

    async def fill(self) -> None:
        organization = await self.house.accounts.organizations.add("Engines")
        for role in ROLES:
            self.callers[role] = await self.member(organization.id, role)
        _project, write_key, secret_key = await self.house.projects.add(organization.id, name="Shop", settings={})
        self.callers |= {"write key": {"X-API-Key": write_key}, "secret key": {"X-API-Key": secret_key}}
        self.organization_id = organization.id

    async def member(self, organization_id: str, role: Role) -> dict[str, str]:
        accounts = self.house.accounts
        count = len(await accounts.users.of_organization(organization_id))
        user = await accounts.users.add(
            email=f"{role}{count}@example.org",
            full_name=role,
            organization_id=organization_id,
            password_hash="",
            role=role,
        )
        signed_in = await accounts.sign_in(user)
        return {"Authorization": f"Bearer {self.tokens.issue(user.id, signed_in.session.id)}"}

    async def ask(self, name: str, headers: dict[str, str]) -> httpx.Response:
        method, path = name.split(" ")
        url = re.sub(r"\{[^}]*\}", NOTHING, path)
        body = None if method == "GET" else PROJECT_OF_BODY
        parameters = DOCUMENT["paths"][path][method.lower()].get("parameters", ())
        takes = {one["name"] for one in parameters if one["in"] == "query"}
        params = {key: NOTHING for key in ("project_id", "user_id") if key in takes}
        return await self.client.request(method, url, json=body, headers=headers, params=params)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    settings = make_settings(tmp_path / "data", secret_key=SECRET)
    async with running(settings) as front:
        transport = httpx.ASGITransport(app=front)
        async with httpx.AsyncClient(transport=transport, base_url="http://iafa.test", trust_env=False) as client:
            found = Site(client, open_house(settings))
            await found.fill()
            yield found


def least(name: str) -> Role:
    return next((role for role, names in ABOVE_VIEWER.items() if name in names), "viewer")


async def test_every_route_is_open_to_its_least_role_and_closed_to_lower_ones(site: Site) -> None:
    unknown = set().union(*ABOVE_VIEWER.values(), ASKING) - ROUTES.keys()
    assert not unknown, "the tables above name what is not there"
    changing = {name for name in ROUTES if least(name) == "viewer" and not name.startswith("GET ")}
    assert changing == ASKING, "what changes something has a role above viewer, or is added to ASKING"
    wrong = []
    for name in sorted(ROUTES.keys() - {LEAVE}):
        for role in ROLES:
            answer = await site.ask(name, site.callers[role])
            is_refused = answer.status_code == 403
            needed = least(name)
            if is_refused != (ROLES.index(role) > ROLES.index(needed)) or answer.status_code in (401, 500):
                wrong.append((name, role, answer.status_code, answer.text[:200]))
            if is_refused:
                problem = answer.json()
                assert problem["code"] == "insufficient_scope"
                assert problem["detail"].startswith(f"this needs the role {needed}")
                assert problem["detail"].endswith(f"yours is {role}")
    assert not wrong


async def test_keys_keep_their_own_rules(site: Site) -> None:
    for name, access in ROUTES.items():
        with_key = access in (Access.SESSION_OR_SECRET_KEY, Access.MEMBER_OR_SECRET_KEY)
        secret = await site.ask(name, site.callers["secret key"])
        write = await site.ask(name, site.callers["write key"])
        if with_key:
            assert secret.status_code not in (401, 403, 500), (name, secret.text)
            assert (write.status_code, write.json()["code"]) == (403, "insufficient_scope"), name
        else:
            assert (secret.status_code, write.status_code) == (401, 401), name


async def test_everybody_but_the_last_owner_may_leave(site: Site) -> None:
    for role in ("viewer", "editor", "admin"):
        assert (await site.ask(LEAVE, site.callers[role])).status_code == 204
        assert (await site.ask("GET /api/v1/auth/me", site.callers[role])).status_code == 401
    last = await site.ask(LEAVE, site.callers["owner"])
    assert (last.status_code, last.json()["code"]) == (409, "conflict")
    other = await site.member(site.organization_id, "owner")
    assert (await site.ask(LEAVE, other)).status_code == 204
    assert (await site.ask("GET /api/v1/auth/me", site.callers["owner"])).json()["user"]["role"] == "owner"


def test_a_route_without_a_role_stops_the_app_from_being_made(tmp_path: Path) -> None:
    router = APIRouter()

    @router.get("/forgotten")
    async def forgotten(caller: CallerIsUser) -> str:
        return caller.user.id

    app = FastAPI(openapi_url=None)
    app.include_router(router)
    with pytest.raises(UndeclaredAccess, match="forgotten"):
        declared_access(app.routes)


def test_no_role_is_given_to_what_is_not_there(tmp_path: Path) -> None:
    operations = [one for item in DOCUMENT["paths"].values() for one in item.values()]
    assert {one["operationId"] for one in operations if "x-role" in one} == LEAST_ROLE.keys()
    for one in operations:
        assert ("x-role" in one) == (Access(one["x-access"]) in OF_MEMBERS)
        if one.get("x-role", "viewer") != "viewer":
            assert "insufficient_scope" in one["responses"]["403"]["content"]["application/problem+json"]["examples"]

"""Access: every route says who may call it, and nobody sees another organization's things."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import APIRouter, Depends, FastAPI
from starlette.responses import PlainTextResponse

from iafa.api.access import Access, UndeclaredAccess, declared_access, public, signed_in
from iafa.api.app import create_app, openapi_document
from iafa.meta.projects import Project
from tests.unit.api.house import Room, Tenant, make_settings

HOSTILE_IDS = {
    "missing": "zzzzzzzzzzzzzzzzzzzz",
    "parent": "%2e%2e",
    "path": "a%2f..%2fb",
    "star": "*",
    "question mark": "%3f",
    "brackets": "[ab]",
    "nul": "%00",
    "capitals": "ABCDEFGHIJKLMNOPQRST",
    "too short": "abc",
    "too long": "a" * 500,
    "quote": "'%20or%201=1--",
    "unicode": "%c3%a4%c3%b6%c3%bc%c3%a4%c3%b6%c3%bc%c3%a4%c3%b6%c3%bc%c3%a4%c3%b6%c3%bc",
    "bad utf-8": "%ff%fe",
    "line break": "aaaaaaaaaaaaaaaaaaaa%0a",
}
DEFINITION = {"name": "Buy", "stages": [{"name": "Cart", "event": "add_to_cart"}]}
BODIES: dict[str, dict[str, Any]] = {
    "change_project": {"name": "x"},
    "create_key": {"kind": "write", "name": "x"},
    "rotate_key": {},
    "change_member": {"role": "viewer"},
}


def object_operations() -> Iterator[tuple[str, str, str]]:
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            if "{" in path and operation["x-access"] != "public":
                yield method.upper(), path, operation["operationId"]


OPERATIONS = list(object_operations())


def without_instance(answer: httpx.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()
    assert body.pop("instance").startswith("urn:iafa:request:")
    return body


async def funnel_of(room: Room, tenant: Tenant) -> str:
    definition = {**DEFINITION, "project_id": tenant.project.id}
    return (await room.services.funnels.add(tenant.project.id, name="Buy", definition=definition)).id


def test_a_route_without_a_policy_stops_the_app_from_being_made(room: Room) -> None:
    router = APIRouter()

    @router.get("/open")
    async def forgotten() -> str:
        return "anybody"

    with pytest.raises(UndeclaredAccess, match="/open"):
        create_app(room.services, extra=[router])


def test_a_policy_that_contradicts_itself_is_refused() -> None:
    app = FastAPI(openapi_url=None)

    @app.get("/both", dependencies=[Depends(public), Depends(signed_in)])
    async def both() -> str:
        return ""

    with pytest.raises(UndeclaredAccess, match="public and guarded"):
        declared_access(app.routes)


def test_a_bare_route_is_refused() -> None:
    app = FastAPI(openapi_url=None)
    app.add_route("/bare", lambda request: PlainTextResponse(""))
    with pytest.raises(UndeclaredAccess, match="/bare"):
        declared_access(app.routes)


def test_a_route_that_checks_keys_by_itself_may_say_so() -> None:
    app = FastAPI(openapi_url=None)

    @app.post("/track", openapi_extra={"x-access": "write_key"})
    async def track() -> str:
        return ""

    assert declared_access(app.routes) == {("/track", "POST"): Access.WRITE_KEY}


def test_the_document_states_the_policy_of_every_operation() -> None:
    for path, operations in openapi_document()["paths"].items():
        for method, operation in operations.items():
            assert operation["x-access"] in set(Access), (method, path)
            assert bool(operation["security"]) == (operation["x-access"] not in ("public", "operator"))


def test_only_known_routes_are_public() -> None:
    found = {
        path
        for path, operations in openapi_document()["paths"].items()
        for operation in operations.values()
        if operation["x-access"] == "public"
    }
    assert found == {
        *(f"/api/v1/auth/{name}" for name in ("register", "login", "refresh", "logout")),
        "/api/v1/invitations/lookup",
        "/api/v1/funnel-templates",
        *(f"/api/v1/shared/{{token}}{rest}" for rest in ("", "/answer", "/unlock")),
        *(f"{base}/health{name}" for base in ("", "/api/v1") for name in ("", "/live", "/ready")),
    }


def test_only_the_metrics_are_the_operators() -> None:
    documented = openapi_document()["paths"].items()
    found = [path for path, operations in documented for one in operations.values() if one["x-access"] == "operator"]
    assert found == ["/metrics"]


# setting, the peer, headers -> status
METRICS_READERS = [
    ("local", "127.0.0.1", {}, 200),
    ("local", "127.0.1.1", {}, 200),
    ("local", "::1", {}, 200),
    ("local", "::ffff:127.0.0.1", {}, 200),
    ("local", "192.0.2.7", {}, 403),
    ("local", "::ffff:192.0.2.7", {}, 403),
    ("local", "testclient", {}, 403),
    ("local", "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, 403),
    ("local", "127.0.0.1", {"x-forwarded-for": "127.0.0.1"}, 403),
    ("local", "127.0.0.1", {"forwarded": "for=192.0.2.7"}, 403),
    ("local", "127.0.0.1", {"x-real-ip": "192.0.2.7"}, 403),
    ("local", "127.0.0.1", {"via": "1.1 proxy"}, 403),
    ("public", "192.0.2.7", {}, 200),
    ("public", "127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, 200),
    ("off", "127.0.0.1", {}, 404),
]


@pytest.mark.parametrize(("setting", "peer", "headers", "status"), METRICS_READERS)
async def test_the_setting_says_who_reads_the_metrics(
    setting: str, peer: str, headers: dict[str, str], status: int, tmp_path: Path
) -> None:
    room = Room(tmp_path, make_settings(tmp_path, metrics=setting), tmp_path / "static")
    transport = httpx.ASGITransport(app=room.app, client=(peer, 4711))
    async with httpx.AsyncClient(transport=transport, base_url="http://iafa.test", trust_env=False) as client:
        answer = await client.get("/metrics", headers=headers)
    assert answer.status_code == status
    assert ("# TYPE iafa_process_up gauge" in answer.text) == (status == 200)


async def test_without_credentials_every_guarded_route_answers_401(room: Room) -> None:
    async with room.client() as client:
        for path, operations in openapi_document()["paths"].items():
            for method, operation in operations.items():
                if operation["x-access"] in ("public", "operator"):
                    continue
                url = path.replace("{project_id}", "a" * 20).replace("{funnel_id}", "a" * 20).replace("{key_id}", "k")
                body = BODIES.get(operation["operationId"], {**DEFINITION, "project_id": "a" * 20})
                if operation["operationId"] in ("create_project", "change_me"):
                    body = {"name": "x"} if operation["operationId"] == "create_project" else {}
                answer = await client.request(method, url, json=body, params={"project_id": "a" * 20})
                assert answer.status_code == 401, (method, path, answer.text)
                assert answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "header",
    ["Bearer", "Bearer ", "Basic YTpi", "Bearer x.y.z", "Bearer " + "a" * 5000, "bearer \xff"],
)
async def test_a_bad_authorization_header_is_401(room: Room, header: str) -> None:
    async with room.client() as client:
        answer = await client.get("/api/v1/auth/me", headers=[(b"authorization", header.encode("latin-1"))])
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")


@pytest.mark.parametrize(("method", "path", "name"), OPERATIONS, ids=[f"{m} {p}" for m, p, _ in OPERATIONS])
async def test_foreign_missing_and_hostile_ids_have_one_404(
    room: Room, ada: Tenant, eve: Tenant, method: str, path: str, name: str
) -> None:
    foreign_funnel = await funnel_of(room, eve)
    foreign_key = next(iter(eve.project.keys))
    invited = await room.services.membership.invite(eve.signed_in.user, email="a@example.org", role="viewer")
    foreign_invitation = invited.invitation.id
    own_projects = (await room.services.projects.get(ada.project.id), await room.services.projects.get(eve.project.id))
    body = BODIES.get(name, {**DEFINITION, "project_id": eve.project.id}) if method in ("POST", "PUT") else None
    seen = []
    async with room.client(ada.bearer) as client:
        for project, funnel in ((eve.project.id, foreign_funnel), *((one, one) for one in HOSTILE_IDS.values())):
            others = dict.fromkeys(("alert_id", "view_id", "board_id", "note_id", "share_id"), funnel)
            named = {"user_id": eve.signed_in.user.id, "invitation_id": foreign_invitation}
            url = path.format(project_id=project, funnel_id=funnel, key_id=foreign_key, **named, **others)
            answer = await client.request(method, url, json=body)
            assert answer.status_code == 404, (url, answer.text)
            seen.append(without_instance(answer))
        if "{key_id}" in path:
            url = path.format(project_id=ada.project.id, key_id=foreign_key)
            seen.append(without_instance(await client.request(method, url, json=body)))
        seen.append(without_instance(await client.get("/api/v1/no/such/address")))
    assert all(one == seen[0] for one in seen)
    assert own_projects == (
        await room.services.projects.get(ada.project.id),
        await room.services.projects.get(eve.project.id),
    )
    assert await room.services.funnels.get(foreign_funnel) is not None
    assert await room.services.accounts.users.get(eve.signed_in.user.id) == eve.signed_in.user
    assert await room.services.membership.open_invitations(eve.project.organization_id) == [invited.invitation]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/funnels"),
        ("GET", "/api/v1/analytics/event-names"),
        ("GET", "/api/v1/analytics/funnel-suggestions"),
        ("POST", "/api/v1/analytics/funnel/next-steps"),
        ("GET", "/api/v1/analytics/trends"),
        ("POST", "/api/v1/funnels"),
        ("POST", "/api/v1/analytics/funnel"),
    ],
)
async def test_project_ids_in_queries_and_bodies_meet_the_same_404(
    room: Room, ada: Tenant, eve: Tenant, method: str, path: str
) -> None:
    seen = []
    async with room.client(ada.bearer) as client:
        for project in (eve.project.id, "..", "*", "a/../b", "\x00" if method == "GET" else "?", "", "a" * 5000):
            if method == "GET":
                answer = await client.get(path, params={"project_id": project})
            else:
                answer = await client.post(path, json={**DEFINITION, "project_id": project})
            assert answer.status_code == 404, (project, answer.text)
            seen.append(without_instance(answer))
    assert all(one == seen[0] for one in seen)


async def test_lists_hold_only_the_own_things(room: Room, ada: Tenant, eve: Tenant) -> None:
    async with room.client(ada.bearer) as client:
        projects = (await client.get("/api/v1/projects")).json()["projects"]
        assert [project["id"] for project in projects] == [ada.project.id]


def readable(project: Project, funnel: str) -> list[tuple[str, str, dict[str, Any] | None]]:
    return [
        ("GET", f"/api/v1/projects/{project.id}/status", None),
        ("GET", f"/api/v1/projects/{project.id}/schema", None),
        ("GET", f"/api/v1/funnels?project_id={project.id}", None),
        ("GET", f"/api/v1/funnels/{funnel}", None),
        ("GET", f"/api/v1/analytics/event-names?project_id={project.id}", None),
        ("GET", f"/api/v1/analytics/trends?project_id={project.id}", None),
        ("GET", f"/api/v1/analytics/funnel-suggestions?project_id={project.id}", None),
        ("GET", f"/api/v1/analytics/funnel/{funnel}/next-steps", None),
        ("POST", "/api/v1/analytics/funnel/next-steps", {**DEFINITION, "project_id": project.id}),
        ("GET", f"/api/v1/analytics/funnel/{funnel}", None),
        ("POST", "/api/v1/analytics/funnel", {**DEFINITION, "project_id": project.id}),
    ]


async def test_a_secret_key_reads_its_own_project_only(room: Room, ada: Tenant, eve: Tenant) -> None:
    for tenant, status in ((ada, 200), (eve, 404)):
        funnel = await funnel_of(room, tenant)
        async with room.client(ada.key("secret")) as client:
            for method, path, body in readable(tenant.project, funnel):
                answer = await client.request(method, path, json=body)
                assert answer.status_code == status, (path, answer.text)


async def test_a_write_key_reads_nothing(room: Room, ada: Tenant) -> None:
    funnel = await funnel_of(room, ada)
    async with room.client(ada.key("write")) as client:
        for method, path, body in readable(ada.project, funnel):
            answer = await client.request(method, path, json=body)
            assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_no_key_manages_anything(room: Room, ada: Tenant) -> None:
    for kind in ("write", "secret"):
        async with room.client(ada.key(kind)) as client:
            assert (await client.get("/api/v1/projects")).status_code == 401
            assert (await client.delete(f"/api/v1/projects/{ada.project.id}")).status_code == 401
            assert (await client.get("/api/v1/auth/me")).status_code == 401

"""Members and invitations through the front door."""

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from iafa.meta.invitations import INVITATIONS_MAX, LIFE_S
from iafa.meta.roles import ROLES, Role
from iafa.meta.users import User
from tests.unit.api.house import PASSWORD, Room, Tenant, make_settings

NEWCOMER = {"email": "grace@example.org", "password": PASSWORD, "full_name": "Grace Hopper"}


@dataclass
class Team:
    """Ada's organization with a member of each role; Ada is its owner."""

    room: Room
    users: dict[Role, User]
    bearers: dict[Role, dict[str, str]]

    def as_role(self, role: Role) -> httpx.AsyncClient:
        return self.room.client(self.bearers[role])

    async def invite(self, email: str = "grace@example.org", role: str = "editor", by: Role = "owner") -> Any:
        async with self.as_role(by) as client:
            return await client.post("/api/v1/invitations", json={"email": email, "role": role})

    async def register(self, token: str | None, **over: object) -> httpx.Response:
        body = NEWCOMER | ({} if token is None else {"invitation": token}) | over
        async with self.room.client() as client:
            return await client.post("/api/v1/auth/register", json=body)

    async def lookup(self, token: str) -> httpx.Response:
        async with self.room.client() as client:
            return await client.post("/api/v1/invitations/lookup", json={"token": token})

    async def roles(self) -> dict[str, str]:
        members = await self.room.services.accounts.users.of_organization(self.users["owner"].organization_id)
        return {one.full_name: one.role for one in members}


@pytest.fixture
async def team(room: Room, ada: Tenant, password_hash: str) -> Team:
    users: dict[Role, User] = {"owner": ada.signed_in.user}
    bearers = {"owner": ada.bearer}
    for role in ROLES[1:]:
        users[role], bearers[role] = await add_member(room, users["owner"].organization_id, role, password_hash)
    return Team(room, users, dict(bearers))  # type: ignore[arg-type]


async def add_member(
    room: Room, organization_id: str, role: Role, password_hash: str, name: str | None = None
) -> tuple[User, dict[str, str]]:
    called = name or role
    accounts = room.services.accounts
    user = await accounts.users.add(
        email=f"{called}@example.org",
        full_name=called,
        organization_id=organization_id,
        password_hash=password_hash,
        role=role,
    )
    session = (await accounts.sign_in(user)).session
    return user, {"Authorization": f"Bearer {room.services.tokens.issue(user.id, session.id)}"}


# who, whom, to what -> status
ROLE_CHANGES = [
    ("owner", "viewer", "owner", 200),
    ("owner", "admin", "viewer", 200),
    ("owner", "owner", "admin", 409),  # the last one
    ("admin", "viewer", "admin", 200),
    ("admin", "admin", "editor", 200),
    ("admin", "viewer", "owner", 403),
    ("admin", "owner", "viewer", 403),
    ("admin", "owner", "owner", 403),
    ("editor", "viewer", "editor", 403),
    ("viewer", "viewer", "owner", 403),
]


@pytest.mark.parametrize(("who", "whom", "role", "status"), ROLE_CHANGES)
async def test_who_gives_whom_which_role(team: Team, who: Role, whom: Role, role: str, status: int) -> None:
    before = team.users[whom].role
    async with team.as_role(who) as client:
        answer = await client.put(f"/api/v1/members/{team.users[whom].id}", json={"role": role})
    assert answer.status_code == status, answer.text
    name = team.users[whom].full_name
    assert (await team.roles())[name] == (role if status == 200 else before)
    if status == 200:
        assert answer.json()["role"] == role
        assert answer.headers["etag"] == f'"{answer.json()["version"]}"'


# who, whom -> status
REMOVALS = [
    ("owner", "admin", 204),
    ("admin", "editor", 204),
    ("admin", "admin", 204),
    ("admin", "owner", 403),
    ("owner", "owner", 409),
    ("editor", "viewer", 403),
    ("viewer", "viewer", 403),
]


@pytest.mark.parametrize(("who", "whom", "status"), REMOVALS)
async def test_who_removes_whom_and_the_session_ends(team: Team, who: Role, whom: Role, status: int) -> None:
    async with team.as_role(who) as client:
        answer = await client.delete(f"/api/v1/members/{team.users[whom].id}")
    assert answer.status_code == status, answer.text
    async with team.as_role(whom) as client:
        assert (await client.get("/api/v1/auth/me")).status_code == (401 if status == 204 else 200)
    email = team.users[whom].email
    async with team.room.client() as client:
        login = await client.post("/api/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert login.status_code == (401 if status == 204 else 200)


async def test_everybody_sees_the_members(team: Team) -> None:
    async with team.as_role("viewer") as client:
        members = (await client.get("/api/v1/members")).json()["members"]
    assert sorted((one["email"], one["role"], one["version"]) for one in members) == sorted(
        [("ada@example.org", "owner", 1), *((f"{role}@example.org", role, 1) for role in ROLES[1:])]
    )


async def test_a_role_holds_from_the_next_request_on(team: Team) -> None:
    editor = team.users["editor"].id
    async with team.as_role("editor") as client, team.as_role("owner") as owner:
        body = {"project_id": "a" * 20, "name": "x", "stages": [{"name": "A", "event": "a"}]}
        assert (await client.post("/api/v1/funnels", json=body)).status_code == 404
        await owner.put(f"/api/v1/members/{editor}", json={"role": "viewer"})
        assert (await client.post("/api/v1/funnels", json=body)).status_code == 403
        assert (await client.get("/api/v1/auth/me")).json()["user"]["role"] == "viewer"


async def test_a_change_of_an_older_version_is_refused(team: Team) -> None:
    url = f"/api/v1/members/{team.users['viewer'].id}"
    async with team.as_role("owner") as client:
        for role, version, status in (("editor", 1, 200), ("admin", 1, 412), ("admin", 2, 200), ("admin", 3, 200)):
            answer = await client.put(url, json={"role": role}, headers={"If-Match": f'"{version}"'})
            assert answer.status_code == status, (role, version)
        assert answer.json()["version"] == 3, "the same role again is no change"


async def test_of_two_admins_who_demote_each_other_one_stays(team: Team, password_hash: str) -> None:
    other, bearer = await add_member(
        team.room, team.users["owner"].organization_id, "admin", password_hash, name="second"
    )
    first = team.users["admin"]

    async def demote(headers: dict[str, str], user_id: str) -> int:
        async with team.room.client(headers) as client:
            return (await client.put(f"/api/v1/members/{user_id}", json={"role": "viewer"})).status_code

    answers = await asyncio.gather(demote(team.bearers["admin"], other.id), demote(bearer, first.id))
    assert sorted(answers) == [200, 403]
    roles = await team.roles()
    assert sorted((roles["admin"], roles["second"])) == ["admin", "viewer"]


async def test_of_two_owners_who_leave_at_once_one_stays(team: Team, password_hash: str) -> None:
    organization_id = team.users["owner"].organization_id
    _other, bearer = await add_member(team.room, organization_id, "owner", password_hash, name="second")

    async def leave(headers: dict[str, str]) -> int:
        async with team.room.client(headers) as client:
            return (await client.delete("/api/v1/auth/me")).status_code

    assert sorted(await asyncio.gather(leave(team.bearers["owner"]), leave(bearer))) == [204, 409]
    members = await team.room.services.accounts.users.of_organization(organization_id)
    assert [one.role for one in members].count("owner") == 1


async def test_an_invited_one_sees_what_it_is_for_joins_and_is_signed_in(team: Team) -> None:
    made = await team.invite(email="Grace@Example.org")
    assert made.status_code == 201, made.text
    invitation = made.json()
    assert invitation["url"] == f"http://iafa.test/join#{invitation['token']}"
    stored = (team.room.data_dir / "metadata" / "invitations.json").read_text()
    assert invitation["token"].rpartition("_")[2] not in stored
    shown = (await team.lookup(invitation["token"])).json()
    assert (shown["organization_name"], shown["role"]) == ("ada's organization", "editor")
    assert shown["expires_at"] == invitation["expires_at"]
    joined = await team.register(invitation["token"], email="GRACE@example.org")
    assert joined.status_code == 201, joined.text
    assert joined.json()["user"]["role"] == "editor"
    assert joined.json()["organization"]["name"] == "ada's organization"
    async with team.room.client({"Authorization": f"Bearer {joined.json()['access_token']}"}) as client:
        assert len((await client.get("/api/v1/projects")).json()["projects"]) == 1
    again = await team.register(invitation["token"], email="other@example.org")
    assert (again.status_code, again.json()["code"]) == (404, "not_found")
    async with team.as_role("admin") as client:
        assert (await client.get("/api/v1/invitations")).json() == {"invitations": []}


async def test_one_token_used_by_many_at_once_joins_once(team: Team) -> None:
    token = (await team.invite()).json()["token"]
    answers = await asyncio.gather(*(team.register(token, full_name=f"Grace {n}") for n in range(4)))
    assert sorted({one.status_code for one in answers}) in ([201, 404], [201, 409], [201, 404, 409])
    assert [one.status_code for one in answers].count(201) == 1
    assert len(await team.roles()) == 5


@pytest.mark.parametrize("end", ["expired", "revoked", "replaced", "inviter removed", "inviter demoted"])
async def test_an_invitation_that_has_ended_lets_nobody_in(team: Team, end: str) -> None:
    made = (await team.invite(by="admin")).json()
    async with team.as_role("owner") as client:
        if end == "expired":
            team.room.clock.advance(LIFE_S)
        elif end == "revoked":
            assert (await client.delete(f"/api/v1/invitations/{made['id']}")).status_code == 204
        elif end == "replaced":
            assert (await team.invite(email="GRACE@example.org")).status_code == 201
        elif end == "inviter removed":
            await client.delete(f"/api/v1/members/{made['invited_by']}")
        else:
            await client.put(f"/api/v1/members/{made['invited_by']}", json={"role": "editor"})
    for answer in (await team.lookup(made["token"]), await team.register(made["token"])):
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
        assert "ask for a new one" in answer.json()["detail"]
    listed = await team.room.services.membership.open_invitations(team.users["owner"].organization_id)
    assert made["id"] not in [one.id for one in listed]
    assert "Grace Hopper" not in await team.roles()


async def test_an_invitation_lives_until_the_last_second(team: Team) -> None:
    token = (await team.invite()).json()["token"]
    team.room.clock.advance(LIFE_S - 1)
    assert (await team.register(token)).status_code == 201


BAD_TOKENS = ["", "iafa_i_", "iafa_i_short_x", f"iafa_i_{'a' * 20}_x", f"iafa_r_{'a' * 20}_x", "x" * 200, "\ud7ff"]


@pytest.mark.parametrize("token", BAD_TOKENS)
async def test_what_is_no_token_is_404(team: Team, token: str) -> None:
    assert (await team.lookup(token)).status_code == 404
    assert (await team.register(token)).status_code == 404


async def test_a_token_with_another_secret_is_worth_nothing(team: Team) -> None:
    token: str = (await team.invite()).json()["token"]
    assert (await team.lookup(token[:-1] + ("A" if token[-1] != "A" else "B"))).status_code == 404
    assert (await team.lookup(token)).status_code == 200


async def test_the_invitation_is_for_its_address_alone(team: Team) -> None:
    token = (await team.invite()).json()["token"]
    wrong = await team.register(token, email="mallory@example.org")
    assert (wrong.status_code, wrong.json()["errors"][0]["pointer"]) == (422, "/email")
    named = await team.register(token, organization_name="Mine")
    assert (named.status_code, named.json()["errors"][0]["pointer"]) == (422, "/organization_name")
    weak = await team.register(token, password="12345678")
    assert (weak.status_code, weak.json()["errors"][0]["pointer"]) == (422, "/password")
    assert (await team.register(token)).status_code == 201, "what was refused has not used it up"


async def test_who_has_an_account_elsewhere_hears_what_to_do(team: Team, eve: Tenant) -> None:
    token = (await team.invite(email="EVE@example.org")).json()["token"]
    answer = await team.register(token, email="eve@example.org")
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert "another organization" in answer.json()["detail"]
    assert (await team.lookup(token)).status_code == 200, "it can be used once they have left"
    member = await team.invite(email="VIEWER@example.org")
    assert (member.status_code, "member already" in member.json()["detail"]) == (409, True)


INVITED_AS: list[tuple[Role, str, int]] = [("admin", "admin", 201), ("admin", "owner", 403), ("owner", "owner", 201)]


@pytest.mark.parametrize(("by", "role", "status"), INVITED_AS)
async def test_only_owners_invite_owners(team: Team, by: Role, role: str, status: int) -> None:
    assert (await team.invite(role=role, by=by)).status_code == status


# setting -> status of a registration without an invitation, of an invitation, of a registration with one
SETTINGS = [("open", 201, 201, 201), ("invite", 403, 201, 201), ("closed", 403, 403, 403)]


@pytest.mark.parametrize(("setting", "free", "inviting", "joining"), SETTINGS)
async def test_the_setting_says_who_may_register(
    tmp_path: Path, password_hash: str, setting: str, free: int, inviting: int, joining: int
) -> None:
    folder = tmp_path / "other"
    room = Room(folder, make_settings(folder, registration=setting), folder / "static")
    ada = await room.tenant("ada", password_hash)
    team = Team(room, {"owner": ada.signed_in.user}, {"owner": ada.bearer})
    alone = await team.register(None, email="free@example.org")
    assert alone.status_code == free, alone.text
    made = await team.invite()
    assert made.status_code == inviting
    invited = await room.services.membership.invite(ada.signed_in.user, email="grace@example.org", role="viewer")
    assert (await team.register(invited.token)).status_code == joining
    room.close()


async def test_open_invitations_are_bounded_and_ended_ones_do_not_count(team: Team) -> None:
    membership, owner = team.room.services.membership, team.users["owner"]
    first = await membership.invite(owner, email="first@example.org", role="viewer")
    rest = [first.invitation]

    def fill(records: dict[str, Any]) -> None:
        """As many invitations would: a thousand requests would take as many syncs."""
        (model,) = [one for one in records.values() if one.id == first.invitation.id]
        for number in range(INVITATIONS_MAX - len(rest)):
            name = f"{number:020}"
            records[name] = type(model)(**{**as_dict(model), "id": name, "email": f"p{number}@example.org"})

    await membership.invitations._file.change(fill)
    full = await team.invite(email="one.more@example.org")
    assert (full.status_code, full.json()["code"]) == (409, "conflict")
    assert (await team.invite(email="p7@example.org")).status_code == 201, "it takes the earlier one's place"
    team.room.clock.advance(LIFE_S)
    await membership.invite(owner, email="one.more@example.org", role="viewer")
    assert len(await membership.open_invitations(owner.organization_id)) == 1


def as_dict(record: Any) -> dict[str, Any]:
    return {name: getattr(record, name) for name in record.__struct_fields__}

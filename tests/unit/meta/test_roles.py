"""Whatever members do to each other's roles in whatever order: the rules hold, and an owner stays."""

import asyncio
from pathlib import Path

import pytest

from iafa.clock import FakeClock
from iafa.errors import Conflict, IafaError, InsufficientScope, InvalidCredentials, NotFound
from iafa.meta.json_file import JsonFile
from iafa.meta.roles import ROLES, Role, may_manage, reaches
from iafa.meta.users import User, Users
from tests.support.chance import chance, times

STEPS = times(150)


def test_each_role_may_what_lower_ones_may() -> None:
    assert [[reaches(role, least) for least in ROLES] for role in ROLES] == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, True, True],
        [False, False, False, True],
    ]


def test_who_manages_whom() -> None:
    assert [[may_manage(role, other) for other in ROLES] for role in ROLES] == [
        [True, True, True, True],
        [False, True, True, True],
        [False, False, False, False],
        [False, False, False, False],
    ]


def expected(members: dict[str, Role], actor: str, user: str, role: Role | None) -> type[IafaError] | None:
    """The rules once more, in words: `role` is the new one, None a removal."""
    if actor not in members:
        return InvalidCredentials
    if user not in members:
        return NotFound
    own, theirs = members[actor], members[user]
    is_leaving = role is None and actor == user
    if own in ("editor", "viewer") and not is_leaving:
        return InsufficientScope
    if own == "admin" and not is_leaving and "owner" in (theirs, role):
        return InsufficientScope
    if theirs == "owner" and role != "owner" and list(members.values()).count("owner") == 1:
        return Conflict
    return None


async def test_random_changes_follow_the_rules_and_leave_an_owner(tmp_path: Path) -> None:
    clock, random = FakeClock(), chance("roles")
    users = Users(JsonFile(tmp_path, "users", User, clock=clock), clock)
    members: dict[str, Role] = {}
    ids: list[str] = []
    for step in range(STEPS):
        if len(members) < 4:
            role: Role = random.choice(ROLES) if members else "owner"
            made = await users.add(
                email=f"{step}@example.org", full_name="x", organization_id="a", password_hash="", role=role
            )
            members[made.id] = role
            ids.append(made.id)
            continue
        actor, user = random.choice(ids[-6:]), random.choice(ids[-6:])
        wanted = random.choice([*ROLES, *ROLES, None])
        refusal = expected(members, actor, user, wanted)
        change = users.remove(actor, user) if wanted is None else users.change_role(actor, user, wanted)
        if refusal is not None:
            with pytest.raises(refusal):
                await change
        else:
            await change
            if wanted is None:
                del members[user]
            else:
                members[user] = wanted
        assert {one.id: one.role for one in await users.of_organization("a")} == members
        assert "owner" in members.values()


async def test_owners_who_demote_each_other_at_once_leave_one(tmp_path: Path) -> None:
    clock = FakeClock()
    files = [JsonFile(tmp_path, "users", User, clock=clock) for _ in range(3)]  # as three processes
    workers = [Users(file, clock) for file in files]
    made = [
        await workers[0].add(email=f"{n}@example.org", full_name="x", organization_id="a", password_hash="")
        for n in range(3)
    ]
    changes = [
        worker.change_role(one.id, other.id, "viewer")
        for worker, one, other in zip(workers, made, [*made[1:], made[0]], strict=True)
    ]
    done = await asyncio.gather(*changes, return_exceptions=True)
    assert any(isinstance(one, IafaError) for one in done)
    left = await Users(JsonFile(tmp_path, "users", User, clock=clock), clock).of_organization("a")
    assert len(left) == 3
    assert "owner" in [one.role for one in left]

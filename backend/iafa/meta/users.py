"""Users: who may sign in, and as what in their organization. Holds password hashes and never makes or checks them."""

from collections.abc import Mapping

import msgspec

from iafa.clock import Clock
from iafa.errors import Conflict, InvalidCredentials, NotFound
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile
from iafa.meta.roles import Role, refuse_unmanaged

MEMBERS_MAX = 1000  # an organization's


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    email: str
    full_name: str
    organization_id: str
    password_hash: str
    created_us: int
    updated_us: int
    role: Role = "owner"
    version: int = 1  # of what members see of each other


def email_key(email: str) -> str:
    """Two spellings of an address that differ in case only are one account."""
    return email.strip().casefold()


class Users:
    def __init__(self, file: JsonFile[User], clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def get(self, user_id: str) -> User | None:
        return await self._file.get(user_id)

    async def by_email(self, email: str) -> User | None:
        """For sign-ins: never from memory, since another worker may just have registered them or got a new password."""
        key = email_key(email)
        users = (await self._file.load_anew()).records.values()
        return next((user for user in users if email_key(user.email) == key), None)

    async def of_organization(self, organization_id: str) -> list[User]:
        """Oldest first."""
        records = (await self._file.load()).records.values()
        found = [user for user in records if user.organization_id == organization_id]
        return sorted(found, key=lambda user: (user.created_us, user.id))

    async def add(
        self, *, email: str, full_name: str, organization_id: str, password_hash: str, role: Role = "owner"
    ) -> User:
        now_us = self._clock.now_us()
        user = User(
            id=new_id(),
            email=email.strip(),
            full_name=full_name,
            organization_id=organization_id,
            password_hash=password_hash,
            created_us=now_us,
            updated_us=now_us,
            role=role,
        )

        def insert(records: dict[str, User]) -> User:
            if any(email_key(other.email) == email_key(email) for other in records.values()):
                raise Conflict("there is an account with this e-mail address already")
            if sum(other.organization_id == organization_id for other in records.values()) >= MEMBERS_MAX:
                raise Conflict(f"an organization has at most {MEMBERS_MAX} members")
            records[user.id] = user
            return user

        return await self._file.change(insert)

    async def update(self, user_id: str, *, full_name: str | None = None, password_hash: str | None = None) -> User:
        """Change what is given and leave the rest."""

        def edit(records: dict[str, User]) -> User:
            user = records.get(user_id)
            if user is None:
                raise NotFound
            records[user_id] = msgspec.structs.replace(
                user,
                full_name=user.full_name if full_name is None else full_name,
                password_hash=user.password_hash if password_hash is None else password_hash,
                updated_us=self._clock.now_us(),
                version=user.version + (full_name is not None),
            )
            return records[user_id]

        return await self._file.change(edit)

    async def change_role(
        self, actor_id: str, user_id: str, role: Role, *, expected_version: int | None = None
    ) -> tuple[User, User]:
        """The member before and after. What the actor may is looked up with the file locked: of two admins who demote
        each other at once the second is none any more."""

        def edit(records: dict[str, User]) -> tuple[User, User]:
            actor, user = _actor_and_member(records, actor_id, user_id)
            refuse_unmanaged(actor.role, user.role, role)
            if expected_version is not None and user.version != expected_version:
                raise Conflict(f"the member is at version {user.version} by now", code="version_conflict")
            if role == user.role:
                return user, user
            _keep_an_owner(records, user)
            records[user_id] = msgspec.structs.replace(
                user, role=role, version=user.version + 1, updated_us=self._clock.now_us()
            )
            return user, records[user_id]

        return await self._file.change(edit)

    async def remove(self, actor_id: str, user_id: str) -> User:
        """End the account of a member whom the actor manages, or the actor's own; gives who it was."""

        def drop(records: dict[str, User]) -> User:
            actor, user = _actor_and_member(records, actor_id, user_id)
            if actor_id != user_id:
                refuse_unmanaged(actor.role, user.role)
            _keep_an_owner(records, user)
            return records.pop(user_id)

        return await self._file.change(drop)


def _actor_and_member(records: Mapping[str, User], actor_id: str, user_id: str) -> tuple[User, User]:
    actor, user = records.get(actor_id), records.get(user_id)
    if actor is None:
        raise InvalidCredentials("the account does not exist any more")
    if user is None or user.organization_id != actor.organization_id:
        raise NotFound
    return actor, user


def _keep_an_owner(records: Mapping[str, User], leaving: User) -> None:
    """For a member who is to be no owner any more."""
    others = (one for one in records.values() if one.organization_id == leaving.organization_id and one != leaving)
    if leaving.role == "owner" and not any(one.role == "owner" for one in others):
        raise Conflict("the organization would have no owner; make somebody else an owner first")

"""Users: who may sign in. Holds password hashes and never makes or checks them."""

from typing import Literal

import msgspec

from iafa.clock import Clock
from iafa.errors import Conflict, NotFound
from iafa.meta.ids import new_id
from iafa.meta.json_file import JsonFile

Role = Literal["owner"]


class User(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    email: str
    full_name: str
    organization_id: str
    password_hash: str
    created_us: int
    updated_us: int
    role: Role = "owner"


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

    async def add(self, *, email: str, full_name: str, organization_id: str, password_hash: str) -> User:
        now_us = self._clock.now_us()
        user = User(
            id=new_id(),
            email=email.strip(),
            full_name=full_name,
            organization_id=organization_id,
            password_hash=password_hash,
            created_us=now_us,
            updated_us=now_us,
        )

        def insert(records: dict[str, User]) -> User:
            if any(email_key(other.email) == email_key(email) for other in records.values()):
                raise Conflict("there is an account with this e-mail address already")
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
            )
            return records[user_id]

        return await self._file.change(edit)

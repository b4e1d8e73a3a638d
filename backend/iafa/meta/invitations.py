"""Invitations: who may join an organization, as what, until when. A token is shown once; its hash is kept."""

import hashlib
import hmac
import secrets
from collections.abc import Mapping

import msgspec

from iafa.clock import US_PER_S, Clock
from iafa.errors import Conflict, NotFound
from iafa.meta.ids import is_id, new_id
from iafa.meta.json_file import JsonFile
from iafa.meta.roles import Role
from iafa.meta.users import email_key

LIFE_S = 7 * 24 * 3600
INVITATIONS_MAX = 1000  # an organization's open ones
TOKEN_PREFIX = "iafa_i_"  # noqa: S105 - what tokens begin with
TOKEN_BYTES = 32
TOKEN_CHARS_MAX = 200


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    id: str
    organization_id: str
    email: str
    role: Role
    sha256: str
    invited_by: str
    created_us: int
    expires_us: int


class Invitations:
    def __init__(self, file: JsonFile[Invitation], clock: Clock) -> None:
        self._file = file
        self._clock = clock

    async def of_organization(self, organization_id: str) -> list[Invitation]:
        """Those that may still be used, oldest first."""
        records = (await self._file.load_anew()).records.values()
        found = [one for one in records if one.organization_id == organization_id and self._is_open(one)]
        return sorted(found, key=lambda one: (one.created_us, one.id))

    async def add(
        self, organization_id: str, *, email: str, role: Role, invited_by: str
    ) -> tuple[Invitation, str, Invitation | None]:
        """The invitation, its token in clear, and the one to the same address whose place it takes."""
        now_us, invitation_id = self._clock.now_us(), new_id()
        token = f"{TOKEN_PREFIX}{invitation_id}_{secrets.token_urlsafe(TOKEN_BYTES)}"
        made = Invitation(
            id=invitation_id,
            organization_id=organization_id,
            email=email.strip(),
            role=role,
            sha256=_digest(token),
            invited_by=invited_by,
            created_us=now_us,
            expires_us=now_us + LIFE_S * US_PER_S,
        )

        def insert(records: dict[str, Invitation]) -> Invitation | None:
            for one in [each for each in records.values() if not self._is_open(each)]:
                del records[one.id]
            own = [one for one in records.values() if one.organization_id == organization_id]
            earlier = next((one for one in own if email_key(one.email) == email_key(email)), None)
            if earlier is not None:
                del records[earlier.id]
            elif len(own) >= INVITATIONS_MAX:
                raise Conflict(f"an organization has at most {INVITATIONS_MAX} open invitations")
            records[made.id] = made
            return earlier

        return made, token, await self._file.change(insert)

    async def of_token(self, token: str) -> Invitation | None:
        """The open invitation of a token, as the file has it now."""
        return self._found((await self._file.load_anew()).records, token)

    async def take(self, token: str) -> Invitation | None:
        """The same, and from now on nobody else finds it: of several who use a token at once one gets it."""

        def take(records: dict[str, Invitation]) -> Invitation | None:
            found = self._found(records, token)
            return None if found is None else records.pop(found.id)

        return await self._file.change(take)

    async def put_back(self, taken: Invitation) -> None:
        """After a use that failed. One that was sent to the same address meanwhile stays the only one."""

        def insert(records: dict[str, Invitation]) -> None:
            key = (taken.organization_id, email_key(taken.email))
            if all((one.organization_id, email_key(one.email)) != key for one in records.values()):
                records[taken.id] = taken

        await self._file.change(insert)

    async def remove(self, organization_id: str, invitation_id: str) -> Invitation:
        def drop(records: dict[str, Invitation]) -> Invitation:
            found = records.get(invitation_id)
            if found is None or found.organization_id != organization_id:
                raise NotFound
            return records.pop(invitation_id)

        return await self._file.change(drop)

    def _found(self, records: Mapping[str, Invitation], token: str) -> Invitation | None:
        if len(token) > TOKEN_CHARS_MAX or not token.startswith(TOKEN_PREFIX):
            return None
        invitation_id = token.removeprefix(TOKEN_PREFIX).partition("_")[0]
        found = records.get(invitation_id) if is_id(invitation_id) else None
        is_it = found is not None and hmac.compare_digest(_digest(token), found.sha256) and self._is_open(found)
        return found if is_it else None

    def _is_open(self, invitation: Invitation) -> bool:
        return self._clock.now_us() < invitation.expires_us


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

"""Membership: inviting, joining, changing roles, leaving. Joins accounts and invitations."""

from contextlib import suppress
from dataclasses import dataclass
from typing import NamedTuple

from iafa.errors import Conflict, FieldError, IafaError, NotFound, ValidationFailed
from iafa.meta.accounts import Accounts
from iafa.meta.invitations import Invitation, Invitations
from iafa.meta.organizations import Organization
from iafa.meta.passwords import check_password
from iafa.meta.roles import Role, may_manage, refuse_unmanaged
from iafa.meta.users import User, email_key


class Invited(NamedTuple):
    """A new invitation, its token in clear, and the one to the same address that is worth nothing now."""

    invitation: Invitation
    token: str
    replaced: Invitation | None


@dataclass(frozen=True)
class Membership:
    accounts: Accounts
    invitations: Invitations

    async def invite(self, actor: User, *, email: str, role: Role) -> Invited:
        refuse_unmanaged(actor.role, role)
        member = await self.accounts.users.by_email(email)
        if member is not None and member.organization_id == actor.organization_id:
            raise Conflict("somebody with this e-mail address is a member already")
        made = await self.invitations.add(actor.organization_id, email=email, role=role, invited_by=actor.id)
        return Invited(*made)

    async def open_invitations(self, organization_id: str) -> list[Invitation]:
        """Oldest first, without those whose maker could not make them any more."""
        found = await self.invitations.of_organization(organization_id)
        return [one for one in found if await self._is_backed(one)]

    async def invited(self, token: str) -> tuple[Invitation, Organization]:
        """What the token is for. Raises NotFound for one that is used, revoked, expired or none."""
        invitation = await self.invitations.of_token(token)
        if invitation is None or not await self._is_backed(invitation):
            raise _not_valid()
        organization = await self.accounts.organizations.get(invitation.organization_id)
        if organization is None:
            raise _not_valid()
        return invitation, organization

    async def join(self, token: str, *, email: str, password: str, full_name: str) -> tuple[User, Invitation]:
        """A new member with the invited role. Of several who use the token at once one joins."""
        invitation, organization = await self.invited(token)
        if email_key(email) != email_key(invitation.email):
            wrong = FieldError("/email", "not_invited", "the invitation is for another e-mail address")
            raise ValidationFailed("the invitation is for another e-mail address", errors=[wrong])
        check_password(password, context=[email, full_name, organization.name], pointer="/password")
        await self._refuse_known(email, invitation)
        password_hash = await self.accounts.passwords.hash(password)
        # Taken first: a token that was revoked meanwhile lets nobody in, also when we are stopped in between.
        if await self.invitations.take(token) is None:
            raise _not_valid()
        try:
            user = await self.accounts.users.add(
                email=email,
                full_name=full_name,
                organization_id=invitation.organization_id,
                password_hash=password_hash,
                role=invitation.role,
            )
        except IafaError:
            with suppress(IafaError):  # what is told is why nobody joined
                await self.invitations.put_back(invitation)
            raise
        return user, invitation

    async def change_role(
        self, actor: User, user_id: str, role: Role, *, expected_version: int | None = None
    ) -> tuple[User, User]:
        """The member before and after."""
        return await self.accounts.users.change_role(actor.id, user_id, role, expected_version=expected_version)

    async def remove(self, actor: User, user_id: str) -> User:
        """End a member's account and sessions; gives who it was."""
        removed = await self.accounts.users.remove(actor.id, user_id)
        await self.accounts.sessions.end_others(user_id, keep=None)
        return removed

    async def _is_backed(self, invitation: Invitation) -> bool:
        """Whether its maker may still invite somebody as that: who is removed leaves no door open."""
        maker = await self.accounts.users.get(invitation.invited_by)
        return (
            maker is not None
            and maker.organization_id == invitation.organization_id
            and may_manage(maker.role, invitation.role)
        )

    async def _refuse_known(self, email: str, invitation: Invitation) -> None:
        known = await self.accounts.users.by_email(email)
        if known is None:
            return
        if known.organization_id == invitation.organization_id:
            raise Conflict("you are a member of this organization already; sign in")
        raise Conflict(
            "this e-mail address has an account in another organization, and an account belongs to one: leave the "
            "other one first, or ask for an invitation to another address"
        )


def _not_valid() -> NotFound:
    return NotFound("the invitation is not valid: it was used or revoked, or it has expired; ask for a new one")

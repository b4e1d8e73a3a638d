"""Accounts: registering, signing in and out, changing oneself. Joins users, organizations, sessions and passwords."""

import hashlib
from dataclasses import dataclass

from iafa.errors import Conflict, FieldError, InvalidCredentials, ValidationFailed
from iafa.meta.login_throttle import LoginThrottle
from iafa.meta.organizations import Organization, Organizations
from iafa.meta.passwords import Passwords, check_password
from iafa.meta.sessions import Session, Sessions
from iafa.meta.users import User, Users, email_key


@dataclass(frozen=True)
class SignedInUser:
    user: User
    organization: Organization
    session: Session
    refresh_token: str


@dataclass(frozen=True)
class SelfChange:
    """What users change of themselves; None leaves a thing as it is."""

    full_name: str | None = None
    password: str | None = None
    current_password: str | None = None


@dataclass(frozen=True)
class Accounts:
    users: Users
    organizations: Organizations
    sessions: Sessions
    passwords: Passwords
    throttle: LoginThrottle

    async def register(
        self, *, email: str, password: str, full_name: str, organization_name: str | None = None
    ) -> User:
        """A new user who owns a new organization."""
        check_password(password, context=[email, full_name, organization_name or ""], pointer="/password")
        if await self.users.by_email(email) is not None:
            raise Conflict("there is an account with this e-mail address already")
        password_hash = await self.passwords.hash(password)
        organization = await self.organizations.add(organization_name or f"{full_name}'s organization")
        try:
            return await self.users.add(
                email=email,
                full_name=full_name,
                organization_id=organization.id,
                password_hash=password_hash,
            )
        except Conflict:
            await self.organizations.remove(organization.id)
            raise

    async def sign_in(self, user: User) -> SignedInUser:
        """Begin a session for a user who has just proven who they are."""
        session, refresh_token = await self.sessions.begin(user.id)
        return SignedInUser(user, await self.organization_of(user), session, refresh_token)

    async def login(self, *, email: str, password: str, address: str) -> SignedInUser:
        account = hashlib.sha256(email_key(email).encode("utf-8", "surrogatepass")).hexdigest()
        self.throttle.begin(account=account, address=address)
        user = await self.users.by_email(email)
        kept = await self.passwords.verify(password, None if user is None else user.password_hash)
        if user is None or kept is None:
            raise InvalidCredentials("the e-mail address or the password is wrong")
        self.throttle.succeeded(account=account, address=address)
        if kept != user.password_hash:
            user = await self.users.update(user.id, password_hash=kept)
        return await self.sign_in(user)

    async def refresh(self, refresh_token: str) -> SignedInUser:
        session, new_token = await self.sessions.rotate(refresh_token)
        user = await self.users.get(session.user_id)
        if user is None:
            raise InvalidCredentials("the account does not exist any more")
        return SignedInUser(user, await self.organization_of(user), session, new_token)

    async def caller(self, user_id: str, session_id: str) -> User:
        """The user behind an access token, if the session it belongs to has not ended."""
        user = await self.users.get(user_id)
        if user is None or not await self.sessions.lives(session_id, user_id):
            raise InvalidCredentials("the session has ended; sign in again")
        return user

    async def change_self(self, user: User, change: SelfChange, *, session_id: str, address: str) -> User:
        """Change the name, the password or both. A new password ends all other sessions of the user."""
        password_hash = None
        if change.password is not None:
            await self._check_current(user, change.current_password, address)
            context = [user.email, change.full_name or user.full_name]
            check_password(change.password, context=context, pointer="/password")
            password_hash = await self.passwords.hash(change.password)
        changed = await self.users.update(user.id, full_name=change.full_name, password_hash=password_hash)
        if password_hash is not None:
            await self.sessions.end_others(user.id, keep=session_id)
        return changed

    async def _check_current(self, user: User, current_password: str | None, address: str) -> None:
        # A stolen session must not become a way to guess the password: the same throttle holds here.
        self.throttle.begin(account=user.id, address=address)
        kept = await self.passwords.verify(current_password or "", user.password_hash)
        if kept is None:
            raise ValidationFailed(
                "the current password is needed to set a new one",
                errors=[FieldError("/current_password", "wrong_password", "the current password is wrong")],
            )
        self.throttle.succeeded(account=user.id, address=address)

    async def organization_of(self, user: User) -> Organization:
        organization = await self.organizations.get(user.organization_id)
        if organization is None:
            raise InvalidCredentials("the account's organization does not exist any more")
        return organization

"""Account routes: register, sign in, refresh, sign out, and the caller's own account."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from iafa.api import cookies
from iafa.api.access import CallerIsUser, public, secret_key
from iafa.api.account_models import AccountChange, KeyOwner, Login, Me, RefreshRequest, Registration, SessionAnswer
from iafa.api.answers import organization_answer, user_answer
from iafa.api.bodies import StrictRoute
from iafa.api.origins import client_address, refuse_foreign_page
from iafa.api.problem_docs import problem_responses
from iafa.api.services import Services, ServicesOf
from iafa.api.tokens import ACCESS_S
from iafa.api.trail import record, record_sign_in
from iafa.errors import FieldError, InsufficientScope, InvalidCredentials, NotFound, ValidationFailed
from iafa.meta.accounts import SelfChange, SignedInUser
from iafa.meta.api_keys import KeyGrant
from iafa.meta.recorded import about_member, of_organization
from iafa.meta.users import User
from iafa.settings import Settings

router = APIRouter(prefix="/auth", tags=["accounts"], route_class=StrictRoute)
BODY_PROBLEMS = ("invalid_json", "payload_too_large", "unsupported_media_type", "validation_error")


@router.post(
    "/register",
    status_code=201,
    summary="Make an account and its organization",
    description="The new user owns the new organization and is signed in at once. With the token of an `invitation` "
    "they join its organization instead. `IAFA_REGISTRATION` may demand an invitation or close this route.",
    dependencies=[Depends(public)],
    responses=problem_responses(
        *BODY_PROBLEMS, "insufficient_scope", "not_found", "conflict", "rate_limited", "storage_unavailable"
    ),
)
async def register(body: Registration, request: Request, response: Response, services: ServicesOf) -> SessionAnswer:
    refuse_foreign_page(request, services.settings)
    refuse_closed_registration(services.settings, is_invited=body.invitation is not None)
    user = await (_registered(body, services) if body.invitation is None else _joined(body.invitation, body, services))
    return _session_answer(request, response, services, await services.accounts.sign_in(user))


@router.post(
    "/login",
    summary="Sign in",
    description="Failed attempts are answered ever more slowly, per account and per address. "
    "An unknown address and a wrong password are not told apart.",
    dependencies=[Depends(public)],
    responses=problem_responses(
        *BODY_PROBLEMS, "invalid_credentials", "insufficient_scope", "rate_limited", "storage_unavailable"
    ),
)
async def login(body: Login, request: Request, response: Response, services: ServicesOf) -> SessionAnswer:
    refuse_foreign_page(request, services.settings)
    address = client_address(request)
    try:
        found = await services.accounts.login(email=body.email, password=body.password, address=address)
    except InvalidCredentials:
        await record_sign_in(services, await services.accounts.users.by_email(body.email), address, failed=True)
        raise
    await record_sign_in(services, found.user, address, failed=False)
    return _session_answer(request, response, services, found)


@router.post(
    "/refresh",
    summary="Get new tokens",
    description="Takes the refresh token from the body or, without one, from the cookie. A token is good for one "
    "use; one that is used again ends the session, because somebody has copied it.",
    dependencies=[Depends(public)],
    responses=problem_responses(
        *BODY_PROBLEMS, "invalid_credentials", "token_replaced", "insufficient_scope", "storage_unavailable"
    ),
)
async def refresh(
    request: Request, response: Response, services: ServicesOf, body: RefreshRequest | None = None
) -> SessionAnswer:
    token = _refresh_token(request, services, body)
    if token is None:
        raise InvalidCredentials("send a refresh token")
    return _session_answer(request, response, services, await services.accounts.refresh(token))


@router.post(
    "/logout",
    status_code=204,
    summary="Sign out",
    description="Ends the session of the refresh token in the body or the cookie: its refresh and access tokens "
    "are worth nothing from then on. Answers the same when there was no session.",
    dependencies=[Depends(public)],
    responses=problem_responses(*BODY_PROBLEMS, "insufficient_scope", "storage_unavailable"),
)
async def logout(request: Request, services: ServicesOf, body: RefreshRequest | None = None) -> Response:
    token = _refresh_token(request, services, body)
    if token is not None:
        await services.accounts.sessions.end_by_token(token)
    response = Response(status_code=204)
    cookies.clear_session_cookies(request, response, services.settings)
    return response


@router.get(
    "/me",
    summary="Who am I",
    description="The signed-in user with their role, and their organization.",
    responses=problem_responses("invalid_credentials", "token_expired"),
)
async def me(caller: CallerIsUser, services: ServicesOf) -> Me:
    organization = await services.accounts.organization_of(caller.user)
    return Me(user=user_answer(caller.user), organization=organization_answer(organization))


@router.get(
    "/key",
    summary="Whose key is this",
    description="The project of the secret key that is sent, for programs that hold nothing else.",
    responses=problem_responses("invalid_credentials", "insufficient_scope", "not_found"),
)
async def key_owner(grant: Annotated[KeyGrant, Depends(secret_key)], services: ServicesOf) -> KeyOwner:
    project = await services.projects.get(grant.project_id)
    if project is None:
        raise NotFound
    return KeyOwner(project_id=project.id, project_name=project.name, timezone=project.timezone)


@router.put(
    "/me",
    summary="Change my name or password",
    description="A new password needs the current one and ends all other sessions of the user.",
    responses=problem_responses(
        *BODY_PROBLEMS,
        "invalid_credentials",
        "token_expired",
        "insufficient_scope",
        "rate_limited",
        "storage_unavailable",
    ),
)
async def change_me(body: AccountChange, request: Request, caller: CallerIsUser, services: ServicesOf) -> Me:
    change = SelfChange(full_name=body.full_name, password=body.password, current_password=body.current_password)
    user = await services.accounts.change_self(
        caller.user, change, session_id=caller.session_id, address=client_address(request)
    )
    if body.password is not None:
        await record(services, caller, "password.change", of_organization(user), {})
    organization = await services.accounts.organization_of(user)
    return Me(user=user_answer(user), organization=organization_answer(organization))


@router.delete(
    "/me",
    status_code=204,
    summary="Leave the organization",
    description="Ends the account and all its sessions. The last owner cannot leave.",
    responses=problem_responses(
        "invalid_credentials", "token_expired", "insufficient_scope", "conflict", "storage_unavailable"
    ),
)
async def leave(request: Request, caller: CallerIsUser, services: ServicesOf) -> Response:
    user = await services.membership.remove(caller.user, caller.user.id)
    await record(services, caller, "member.leave", of_organization(user), about_member(user))
    response = Response(status_code=204)
    cookies.clear_session_cookies(request, response, services.settings)
    return response


def refuse_closed_registration(settings: Settings, *, is_invited: bool) -> None:
    if settings.registration == "closed":
        raise InsufficientScope("this server does not take registrations; ask its operator for an account")
    if settings.registration == "invite" and not is_invited:
        raise InsufficientScope("this server takes registrations by invitation only; ask a member for a link")


async def _registered(body: Registration, services: Services) -> User:
    user = await services.accounts.register(
        email=body.email,
        password=body.password,
        full_name=body.full_name,
        organization_name=body.organization_name,
    )
    await record(services, user, "organization.make", of_organization(user), about_member(user))
    return user


async def _joined(token: str, body: Registration, services: Services) -> User:
    if body.organization_name is not None:
        wrong = FieldError("/organization_name", "not_with_invitation", "an invitation names the organization")
        raise ValidationFailed("the registration is not valid", errors=[wrong])
    user, invitation = await services.membership.join(
        token, email=body.email, password=body.password, full_name=body.full_name
    )
    details = about_member(user) | {"invitation": invitation.id, "invited_by": invitation.invited_by}
    await record(services, user, "member.join", of_organization(user), details)
    return user


def _refresh_token(request: Request, services: Services, body: RefreshRequest | None) -> str | None:
    if body is not None and body.refresh_token is not None:
        return body.refresh_token
    token = cookies.read_cookie(request, services.settings, cookies.REFRESH)
    if token is not None:
        refuse_foreign_page(request, services.settings)
    return token


def _session_answer(request: Request, response: Response, services: Services, found: SignedInUser) -> SessionAnswer:
    access_token = services.tokens.issue(found.user.id, found.session.id)
    cookies.set_session_cookies(request, response, services.settings, access=access_token, refresh=found.refresh_token)
    return SessionAnswer(
        user=user_answer(found.user),
        organization=organization_answer(found.organization),
        access_token=access_token,
        refresh_token=found.refresh_token,
        expires_in=ACCESS_S,
    )

"""Routes of an organization's members and of the invitations to it. Who may manage whom, meta/roles decides."""

from fastapi import APIRouter, Depends, Request, Response

from iafa.api.access import CallerIsUser, public
from iafa.api.answers import etag, expected_version
from iafa.api.auth import BODY_PROBLEMS, refuse_closed_registration
from iafa.api.bodies import StrictRoute
from iafa.api.member_models import (
    Invitation,
    InvitationList,
    InvitationRequest,
    InvitationShown,
    InvitationToken,
    Member,
    MemberChange,
    MemberList,
    NewInvitation,
)
from iafa.api.problem_docs import problem_responses
from iafa.api.projects import CHANGE_PROBLEMS, OBJECT_PROBLEMS, SESSION_PROBLEMS
from iafa.api.services import ServicesOf
from iafa.api.snippets import base_url
from iafa.api.trail import record
from iafa.clock import to_iso
from iafa.meta.invitations import Invitation as StoredInvitation
from iafa.meta.recorded import about_member, of_organization
from iafa.meta.users import User

router = APIRouter(tags=["members"], route_class=StrictRoute)


@router.get(
    "/members",
    summary="List the members",
    description="Of the caller's organization, oldest first.",
    responses=problem_responses(*SESSION_PROBLEMS),
)
async def list_members(caller: CallerIsUser, services: ServicesOf) -> MemberList:
    members = await services.accounts.users.of_organization(caller.user.organization_id)
    return MemberList(members=[_member(one) for one in members])


@router.put(
    "/members/{user_id}",
    summary="Change a member's role",
    description="Admins change everybody but owners; owners also make and unmake owners. The last owner stays one. "
    'With `If-Match: "3"` the change is refused when the member is not at version 3 any more. It holds in every worker '
    "within two seconds.",
    responses=problem_responses(*BODY_PROBLEMS, *OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict", "version_conflict"),
)
async def change_member(
    user_id: str, body: MemberChange, request: Request, response: Response, caller: CallerIsUser, services: ServicesOf
) -> Member:
    before, after = await services.membership.change_role(
        caller.user, user_id, body.role, expected_version=expected_version(request)
    )
    if before != after:
        details = {"user": after.id, "email": after.email, "from": before.role, "to": after.role}
        await record(services, caller, "member.change", of_organization(after), details)
    response.headers["etag"] = etag(after.version)
    return _member(after)


@router.delete(
    "/members/{user_id}",
    status_code=204,
    summary="Remove a member",
    description="Ends their account and sessions. Admins remove everybody but owners; the last owner stays. What they "
    "made stays, too; invitations that they sent are worth nothing any more. To leave oneself: `DELETE /auth/me`.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def remove_member(user_id: str, caller: CallerIsUser, services: ServicesOf) -> Response:
    removed = await services.membership.remove(caller.user, user_id)
    await record(services, caller, "member.remove", of_organization(removed), about_member(removed))
    return Response(status_code=204)


@router.post(
    "/invitations",
    status_code=201,
    summary="Invite somebody",
    description="Answers a link that is shown this once and that lets the address join once, within 7 days. No e-mail "
    "is sent: give the link to whom you invite. An earlier invitation to the same address is worth nothing from then "
    "on. At most 1,000 are open at once. Only owners invite owners.",
    responses=problem_responses("bad_request", *BODY_PROBLEMS, *SESSION_PROBLEMS, *CHANGE_PROBLEMS, "conflict"),
)
async def create_invitation(
    body: InvitationRequest, request: Request, caller: CallerIsUser, services: ServicesOf
) -> NewInvitation:
    refuse_closed_registration(services.settings, is_invited=True)
    base = base_url(request, services.settings)
    made = await services.membership.invite(caller.user, email=body.email, role=body.role)
    details = {"invitation": made.invitation.id, "email": made.invitation.email, "role": made.invitation.role}
    if made.replaced is not None:
        details["replaces"] = made.replaced.id
    await record(services, caller, "invitation.make", of_organization(caller.user), details)
    return NewInvitation(**_invitation(made.invitation).model_dump(), token=made.token, url=f"{base}/join#{made.token}")


@router.get(
    "/invitations",
    summary="List the open invitations",
    description="Oldest first, without their links. Used, revoked and expired ones are not there.",
    responses=problem_responses(*SESSION_PROBLEMS, "insufficient_scope"),
)
async def list_invitations(caller: CallerIsUser, services: ServicesOf) -> InvitationList:
    found = await services.membership.open_invitations(caller.user.organization_id)
    return InvitationList(invitations=[_invitation(one) for one in found])


@router.delete(
    "/invitations/{invitation_id}",
    status_code=204,
    summary="Revoke an invitation",
    description="Its link lets nobody in from then on.",
    responses=problem_responses(*OBJECT_PROBLEMS, *CHANGE_PROBLEMS),
)
async def revoke_invitation(invitation_id: str, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.membership.invitations.remove(caller.user.organization_id, invitation_id)
    details = {"invitation": gone.id, "email": gone.email, "role": gone.role}
    await record(services, caller, "invitation.revoke", of_organization(caller.user), details)
    return Response(status_code=204)


@router.post(
    "/invitations/lookup",
    summary="What an invitation is for",
    description="For whoever holds the link: which organization, which address, which role. The token is in the body, "
    "so that no log of addresses holds it. Join with it by `POST /auth/register`.",
    dependencies=[Depends(public)],
    responses=problem_responses(*BODY_PROBLEMS, "not_found", "storage_unavailable"),
)
async def lookup_invitation(body: InvitationToken, services: ServicesOf) -> InvitationShown:
    invitation, organization = await services.membership.invited(body.token)
    return InvitationShown(
        organization_name=organization.name,
        email=invitation.email,
        role=invitation.role,
        expires_at=to_iso(invitation.expires_us),
    )


def _member(user: User) -> Member:
    return Member(
        id=user.id,
        email=user.email,
        full_name=user.full_name,
        role=user.role,
        version=user.version,
        created_at=to_iso(user.created_us),
    )


def _invitation(stored: StoredInvitation) -> Invitation:
    return Invitation(
        id=stored.id,
        email=stored.email,
        role=stored.role,
        invited_by=stored.invited_by,
        created_at=to_iso(stored.created_us),
        expires_at=to_iso(stored.expires_us),
    )

"""Routes for those who make share links. What a link shows, api/shared_links answers."""

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Response

from iafa.api.access import CallerIsUser, MemberProject
from iafa.api.bodies import StrictRoute
from iafa.api.saved_questions import question_errors
from iafa.api.saved_records import (
    DROP_PROBLEMS,
    MAKE_PROBLEMS,
    READ_PROBLEMS,
    authors_of,
    range_errors,
    refuse,
    saved_answer,
    stored_range,
)
from iafa.api.services import Services, ServicesOf
from iafa.api.share_models import NewShareAnswer, ShareAnswer, ShareChoice, ShareList
from iafa.api.shared_cards import shown_by, why_not_shared
from iafa.api.shown_cards import length_errors
from iafa.api.trail import record
from iafa.clock import iso_or_none
from iafa.errors import FieldError, InsufficientScope, NotFound
from iafa.meta.passwords import check_password
from iafa.meta.projects import Project
from iafa.meta.recorded import of_project
from iafa.meta.shares import StoredShare
from iafa.query.field_errors import FieldErrors
from iafa.query.field_reading import read_instant

router = APIRouter(prefix="/projects/{project_id}/shares", tags=["sharing"], route_class=StrictRoute)


@router.get(
    "",
    summary="List the share links",
    description="Oldest first, with what they show and how often they were opened. Tokens are not kept.",
    responses=READ_PROBLEMS,
)
async def list_shares(project: MemberProject, services: ServicesOf) -> ShareList:
    shares = await services.saved.shares.of_project(project.id)
    authors = await authors_of(services, shares)
    return ShareList(shares=[ShareAnswer(**await _answer(services, project, one, authors)) for one in shares])


@router.post(
    "",
    status_code=201,
    summary="Make a share link",
    description="To a funnel, a saved view or a board: whoever has the link sees its numbers, read-only and without an "
    "account. It follows the thing: what is changed there is shown. The token is shown this once. At most 100 a "
    "project.",
    responses=MAKE_PROBLEMS,
)
async def create_share(
    body: ShareChoice, project: MemberProject, caller: CallerIsUser, services: ServicesOf
) -> NewShareAnswer:
    if not services.settings.shares:
        raise InsufficientScope("this server has no share links; see the setting IAFA_SHARES")
    expires_us = await _check(services, project, body)
    password_hash = None
    if body.password is not None:
        check_password(body.password, context=[project.name], pointer="/password")
        password_hash = await services.accounts.passwords.hash(body.password)
    share, token = await services.saved.shares.make(
        project.id,
        author_id=caller.user.id,
        question=body.question or {},
        range=stored_range(body.range),
        password_hash=password_hash,
        expires_us=expires_us,
        **body.model_dump(include={"kind", "target_id", "label", "choosable_days"}),
    )
    await record(services, caller, "share.make", of_project(project.id), _recorded(share))
    authors = await authors_of(services, [share])
    return NewShareAnswer(**await _answer(services, project, share, authors), token=token)


@router.delete(
    "/{share_id}",
    status_code=204,
    summary="End a share link",
    description="At this worker at once, at all others within two seconds.",
    responses=DROP_PROBLEMS,
)
async def delete_share(share_id: str, project: MemberProject, caller: CallerIsUser, services: ServicesOf) -> Response:
    gone = await services.saved.shares.remove(project.id, share_id)
    await record(services, caller, "share.delete", of_project(project.id), _recorded(gone))
    return Response(status_code=204)


def _recorded(share: StoredShare) -> dict[str, Any]:
    ends = iso_or_none(share.expires_us)
    return {"share": share.id, "kind": share.kind, "target": share.target_id, "expires_at": ends}


async def _check(services: Services, project: Project, body: ShareChoice) -> int | None:
    """When the link expires. Raises ValidationFailed that lists every wrong field."""
    errors, found = list[FieldError](), FieldErrors()
    expires_us = read_instant(body.expires_at, "/expires_at", found)
    if expires_us is not None and expires_us <= services.clock.now_us():
        found.add("/expires_at", "number_out_of_range", "must lie ahead")
    errors += range_errors(project, body.range, "/range")
    if body.question is not None and body.kind != "funnel":
        found.add("/question", "conflicting_fields", "a saved view and a board have their own questions")
    errors += found.found
    refuse(errors, "the link is not valid")
    if await _target_name(services, project, body.kind, body.target_id) is None:
        errors.append(FieldError("/target_id", "not_found", f"there is no such {body.kind} in this project"))
    elif body.kind == "funnel":
        question = {**(body.question or {}), "funnel_id": body.target_id}
        chosen = stored_range(body.range)
        for one in await question_errors(services, project, "funnel", question, chosen):
            errors.append(FieldError(f"/question{one.pointer}", one.code, one.message))
    refuse(errors, "the link is not valid")
    cards = (await shown_by(services, project, _draft(project, body))).cards
    for card in cards:
        why = await why_not_shared(services, project, card)
        if why is not None:
            errors.append(FieldError("/target_id", "not_shareable", why))
    at = "/target_id" if body.range is None else "/range"
    too_long = await length_errors(services, project, {card.id: card for card in cards})
    errors += [FieldError(at, one.code, one.message) for one in too_long]
    refuse(errors, "this cannot be shared")
    return expires_us


def _draft(project: Project, body: ShareChoice) -> StoredShare:
    """The link as it would be, to see what it would show."""
    known: dict[str, Any] = {"id": "", "created_us": 0, "updated_us": 0, "sha256": "", "token_end": ""}
    known |= {"question": body.question or {}, "range": stored_range(body.range)}
    return StoredShare(**known, project_id=project.id, kind=body.kind, target_id=body.target_id)


async def _target_name(services: Services, project: Project, kind: str, target_id: str) -> str | None:
    try:
        if kind == "view":
            return (await services.saved.views.get(project.id, target_id)).name
        if kind == "board":
            return (await services.saved.boards.get(project.id, target_id)).name
    except NotFound:
        return None
    funnel = await services.funnels.get(target_id)
    return funnel.name if funnel is not None and funnel.project_id == project.id else None


async def _answer(
    services: Services, project: Project, share: StoredShare, authors: Mapping[str, str]
) -> dict[str, Any]:
    return {
        **saved_answer(share, authors),
        **{name: getattr(share, name) for name in ("kind", "target_id", "label", "question", "range")},
        "target_name": await _target_name(services, project, share.kind, share.target_id),
        "choosable_days": share.choosable_days,
        "has_password": share.password_hash is not None,
        "expires_at": iso_or_none(share.expires_us),
        "is_expired": services.saved.shares.is_over(share),
        "token_end": share.token_end,
        "opened": services.saved.shares.opened_by_now(share),
        "last_opened_at": iso_or_none(share.opened_us),
    }
